internal import CRdkafka

extension KafkaSettings {
    /// The version of librdkafka that is there.
    package static var library: String { text(of: rd_kafka_version()) }

    /// Settings that are no fault, but fail with some brokers in a way that misleads: sentences for
    /// an operator.
    package var doubts: [String] {
        var all = properties
        if let sasl { all.append(Property("sasl.mechanism", sasl.mechanism)) }
        return (Self.scram(all, library: rd_kafka_version()).map { [$0] } ?? []) + unsafeConnections
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

    /// Faults of the librdkafka that is there, whatever the settings are, and what to do about
    /// them: sentences for an operator. None of them loses a line.
    package static var libraryFaults: [String] { faults(of: rd_kafka_version()) }

    /// `library` is 0xMMmmrrpp: major, minor, revision, pre-release. What is told of here stands in
    /// librdkafka's own list of changes, and its pull requests 4438, 4750 and 4660.
    static func faults(of library: Int32) -> [String] {
        let name = "librdkafka \(text(of: library))"
        let twice = "it is made anew then, and what was in flight may come twice, with the same _id"
        var faults: [String] = []
        // It counts a request without an answer as one that arrived, and its numbers have a hole
        // where it did not.
        if library < 0x0202_0100 {
            faults.append(
                "\(name) may give up when a request times out or its connection breaks: \(twice); "
                    + "take 2.2.1 or newer")
        }
        // It cuts a batch that it sends again in another place, and gives up when it notices.
        if library >= 0x0202_0000, library < 0x0205_0000 {
            faults.append(
                "\(name) may give up when it sends a large batch again: \(twice); take 2.5.0 or "
                    + "newer, or a smaller batch.size under librdkafka")
        }
        if library >= 0x0203_0000, library < 0x0204_0000 {
            faults.append(
                "\(name) asks for metadata several times a second, and does not stop, once a broker "
                    + "was away; take 2.4.0 or newer")
        }
        return faults
    }

    /// Major, minor and revision.
    private static func text(of library: Int32) -> String {
        [24, 16, 8].map { String((library >> $0) & 0xFF) }.joined(separator: ".")
    }

    static func scram(_ properties: [Property], library: Int32) -> String? {
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
