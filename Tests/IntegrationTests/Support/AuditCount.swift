import Kafka
import TestSupport

/// How many records there are in Kafka, by the brokers' own offsets.
enum AuditCount {
    static func of(_ broker: some KafkaServers, topic: String = "logs") throws -> Int {
        let extents = try AuditConsumer.extents(brokers: broker.addresses, topics: [topic])
        return Int(extents[topic]?.high ?? 0)
    }
}
