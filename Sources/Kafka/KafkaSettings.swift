/// Everything that the producer needs to know; plain values, made from `output.kafka`.
package struct KafkaSettings: Hashable, Sendable {
    /// How records are compressed, by Kafka's names.
    package enum Compression: String, CaseIterable, Sendable {
        case none, gzip, snappy, lz4, zstd
    }

    /// Which partition a key goes to. Keys must not be empty: an empty one has no fixed partition
    /// with `consistentRandom`, and its stream no order.
    package enum Partitioner: Hashable, Sendable {
        /// As Java clients and Kafka Connect do.
        case murmur2Random
        /// CRC-32, as librdkafka's own default.
        case consistentRandom
        /// As Filebeat does with a key, and sarama's hash partitioner that masks the sign.
        case filebeat
        /// One of the `partitions` of each topic that are this node's.
        case node(String, partitions: Int)
    }

    /// A librdkafka property and its value, as they stand in `librdkafka:`.
    package struct Property: Hashable, Sendable {
        /// As librdkafka spells it, such as `linger.ms`.
        package let name: String
        /// As text, in librdkafka's units.
        package let value: String

        package init(_ name: String, _ value: String) {
            self.name = name
            self.value = value
        }
    }

    /// `host` or `host:port`, an IPv6 address in brackets.
    package var brokers: [String]
    /// Of each batch of records, as the brokers keep it.
    package var compression: Compression
    /// Decides about the partition of a stream, by its key.
    package var partitioner: Partitioner
    /// How long a record waits for others of its partition, 0 for none; `linger.ms` among the
    /// properties counts more.
    package var linger: Duration
    /// The name that brokers know the client by, and give quotas to; `client.id` among the
    /// properties counts more.
    package var clientID: String
    /// Nil: as the properties say, or else without.
    package var tls: TLS?
    /// Nil: as the properties say, or else without.
    package var sasl: SASL?
    /// Passed through, in order, over our defaults; see `OwnedProperties` for what is refused.
    package var properties: [Property]
    /// When this node connects, among all nodes; `reconnect.backoff.max.ms` among the properties
    /// counts more. Nil: at once, and as librdkafka does.
    package var spread: FleetSpread?
    /// Set last, unchecked. For tests alone (time-outs inside the library); no setting fills it.
    var overrides: [Property] = []

    package init(
        brokers: [String], compression: Compression = .lz4,
        partitioner: Partitioner = .murmur2Random, linger: Duration = .milliseconds(20),
        clientID: String = "shipper", tls: TLS? = nil, sasl: SASL? = nil,
        properties: [Property] = []
    ) {
        self.brokers = brokers
        self.compression = compression
        self.partitioner = partitioner
        self.linger = linger
        self.clientID = clientID
        self.tls = tls
        self.sasl = sasl
        self.properties = properties
    }

    /// Bytes of one message at the most; what is longer librdkafka does not take.
    package var longestMessage: Int { number("message.max.bytes") ?? 1_000_000 }

    /// Bytes of messages that librdkafka sends to one partition at once, at the most.
    var longestBatch: Int { min(number("batch.size") ?? 1_000_000, longestMessage) }

    /// As librdkafka has it; nil where it takes none of these settings, which `validate` says why.
    private func number(_ name: String) -> Int? {
        do throws(KafkaError) {
            return try ClientConfiguration.producer(self, connecting: false).number(name)
        } catch {
            return nil
        }
    }

    /// Everything that is wrong and can be known without a broker, librdkafka's own rules between
    /// properties included. Starts and ends a client that connects nowhere.
    package func faults() -> [KafkaError] {
        var faults: [KafkaError] = []
        func note(_ check: () throws(KafkaError) -> Void) {
            do throws(KafkaError) { try check() } catch { faults.append(error) }
        }
        if brokers.isEmpty {
            faults.append(.broker(address: "", reason: "at least one host:port is needed"))
        }
        for broker in brokers { note { () throws(KafkaError) in try Self.check(broker: broker) } }
        for property in properties {
            note { () throws(KafkaError) in try ClientConfiguration.check(property) }
        }
        guard faults.isEmpty else { return faults }
        // What they are together only a client tells, and no more than the first thing.
        note { () throws(KafkaError) in
            try ProducerHandle(settings: self, connecting: false).close()
        }
        return faults
    }

    private static func check(broker: String) throws(KafkaError) {
        func refuse(_ reason: String) -> KafkaError { .broker(address: broker, reason: reason) }
        if broker.isEmpty { throw refuse("empty; expected host:port") }
        if broker.utf8.contains(where: { $0 <= 0x20 || $0 == UInt8(ascii: ",") }) {
            throw refuse("one host:port an entry, without spaces and commas")
        }
        if broker.contains("://") {
            throw refuse("host:port without a protocol; output.kafka.tls and sasl choose it")
        }
        var host = broker[...]
        var rest = broker[broker.endIndex...]
        if broker.first == "[" {
            guard let close = broker.firstIndex(of: "]") else { throw refuse("no closing ]") }
            host = broker[broker.index(after: broker.startIndex)..<close]
            rest = broker[broker.index(after: close)...]
        } else if let colon = broker.firstIndex(of: ":") {
            host = broker[..<colon]
            rest = broker[colon...]
        }
        if host.isEmpty { throw refuse("no host; expected host:port") }
        if rest.isEmpty { return }
        guard rest.first == ":", let port = UInt16(rest.dropFirst()), port > 0 else {
            throw refuse("port is not a number of 1 to 65535 (an IPv6 address needs brackets)")
        }
    }
}
