internal import CRdkafka

extension KafkaSettings {
    /// Settings that are no fault, but fail with some brokers in a way that misleads: sentences for
    /// an operator.
    package var doubts: [String] { Self.doubts(properties, library: rd_kafka_version()) }

    /// `library` is 0xMMmmrrpp: major, minor, revision, pre-release.
    static func doubts(_ properties: [Property], library: Int32) -> [String] {
        // It reuses the client's nonce where the broker looks at it since Kafka 3.9.1.
        let firstThatWorks: Int32 = 0x0206_0100
        let mechanism = properties.last {
            $0.name == "sasl.mechanism" || $0.name == "sasl.mechanisms"
        }
        guard let mechanism, library < firstThatWorks,
            mechanism.value.uppercased().hasPrefix("SCRAM")
        else { return [] }
        let version = [24, 16, 8].map { String((library >> $0) & 0xFF) }.joined(separator: ".")
        return [
            "\(mechanism.name) \(mechanism.value): brokers from Kafka 3.9.1 on refuse the SCRAM of librdkafka "
                + "\(version) as invalid credentials, whatever the password is; it takes librdkafka 2.6.1 or "
                + "newer (Debian 13), or another mechanism"
        ]
    }
}
