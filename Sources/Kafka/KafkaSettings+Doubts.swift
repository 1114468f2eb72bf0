internal import CRdkafka

extension KafkaSettings {
    /// The version of librdkafka that is there.
    package static var library: String { text(of: rd_kafka_version()) }

    /// Settings that are no fault, but fail with some brokers in a way that misleads: sentences for
    /// an operator.
    package var doubts: [String] {
        var all = properties
        if let sasl { all.append(Property("sasl.mechanism", sasl.mechanism)) }
        return Self.doubts(all, library: rd_kafka_version()) + unsafeConnections
            + (tokenFault.map { ["sasl.token_file: \($0)"] } ?? [])
    }

    /// What a stranger on the network could do.
    private var unsafeConnections: [String] {
        var doubts: [String] = []
        if tls == nil, let sasl, ["PLAIN", "OAUTHBEARER"].contains(sasl.mechanism) {
            let secret = sasl.token == nil ? "password" : "token"
            doubts.append(
                "sasl.mechanism \(sasl.mechanism) without tls: the \(secret) goes over the network as "
                    + "it is")
        }
        if tls?.verification == KafkaSettings.Verification.none {
            doubts.append("tls.verify false: whoever answers at an address is taken for the broker")
        }
        return doubts
    }

    /// `library` is 0xMMmmrrpp: major, minor, revision, pre-release.
    static func doubts(_ properties: [Property], library: Int32) -> [String] {
        var doubts = scram(properties, library: library).map { [$0] } ?? []
        // It cuts a batch that it sends again in another place, and gives up when it notices.
        if library >= 0x0202_0000, library < 0x0205_0000 {
            doubts.append(
                "librdkafka \(text(of: library)) fails when it sends a large batch again, and is "
                    + "made anew; take 2.5.0 or newer, or a smaller batch.size under librdkafka")
        }
        return doubts
    }

    /// Major, minor and revision.
    private static func text(of library: Int32) -> String {
        [24, 16, 8].map { String((library >> $0) & 0xFF) }.joined(separator: ".")
    }

    private static func scram(_ properties: [Property], library: Int32) -> String? {
        // It reuses the client's nonce where the broker looks at it since Kafka 3.9.1.
        let firstThatWorks: Int32 = 0x0206_0100
        let mechanism = properties.last {
            $0.name == "sasl.mechanism" || $0.name == "sasl.mechanisms"
        }
        guard let mechanism, library < firstThatWorks,
            mechanism.value.uppercased().hasPrefix("SCRAM")
        else { return nil }
        return
            "\(mechanism.name) \(mechanism.value): brokers from Kafka 3.9.1 on refuse the SCRAM of librdkafka "
            + "\(text(of: library)) as invalid credentials, whatever the password is; it takes librdkafka 2.6.1 or "
            + "newer (Debian 13), or another mechanism"
    }
}
