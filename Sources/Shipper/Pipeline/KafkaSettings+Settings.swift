import Kafka
import Settings

extension KafkaSettings {
    /// The producer's settings, and with `brokers: embedded` the broker that they name.
    static func from(
        _ settings: Settings
    ) throws(KafkaError) -> (KafkaSettings, EmbeddedBroker?) {
        var addresses: [String]
        var broker: EmbeddedBroker?
        switch settings.output.kafka.brokers {
        case .embedded:
            let embedded = try EmbeddedBroker()
            broker = embedded
            addresses = embedded.addresses
        case .addresses(let list):
            addresses = list
        }
        return (plain(settings, addresses), broker)
    }

    /// The same without starting anything; nobody listens where the embedded broker would.
    static func plain(_ settings: Settings, _ addresses: [String]) -> KafkaSettings {
        let kafka = settings.output.kafka
        let compression: Compression =
            switch kafka.compression {
            case .none: .none
            case .gzip: .gzip
            case .snappy: .snappy
            case .lz4: .lz4
            case .zstd: .zstd
            }
        let partitioner: Partitioner =
            switch kafka.partitioner {
            case .murmur2Random: .murmur2Random
            case .consistentRandom: .consistentRandom
            case .node: .node(settings.node, partitions: kafka.partitionsPerNode)
            }
        return KafkaSettings(
            brokers: addresses, compression: compression, partitioner: partitioner,
            linger: settings.linger,
            properties: kafka.librdkafka.map { Property($0.name, $0.value) })
    }
}
