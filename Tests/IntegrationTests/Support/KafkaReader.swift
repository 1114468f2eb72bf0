import FoundationEssentials
import Kafka
import Synchronization
import TestSupport

/// An independent consumer that reads every topic while it is produced. Either it keeps the records,
/// or a test takes each as it comes, on the consumer's thread.
final class KafkaReader: Sendable {
    private final class Kept: Sendable {
        let records = Mutex<[KafkaRecord]>([])
    }
    private let kept = Kept()
    private let consumer: AuditConsumer

    init(
        _ broker: some KafkaServers, topics: Set<String>? = nil,
        taking take: (@Sendable (KafkaRecord) -> Void)? = nil
    ) throws {
        let kept = kept
        consumer = try AuditConsumer(
            brokers: broker.addresses, topics: topics,
            // A broker that is back is read at once.
            properties: [KafkaSettings.Property("reconnect.backoff.max.ms", "500")]
        ) { place, key, value, extras in
            let record = KafkaRecord(
                topic: place.topic, partition: place.partition, key: bytes(of: key),
                value: bytes(of: value), extras: extras)
            if let take {
                take(record)
            } else {
                kept.records.withLock { $0.append(record) }
            }
        }
    }

    /// In the order in which they were read, which is that of each partition.
    var records: [KafkaRecord] { kept.records.withLock { $0 } }

    func records(_ topic: String) -> [KafkaRecord] { records.filter { $0.topic == topic } }

    /// The values of a topic as text.
    func texts(_ topic: String = "logs") -> [String] { records(topic).map(\.text) }

    /// The messages of a topic whose values are documents.
    func messages(_ topic: String = "logs") throws -> [String] {
        try records(topic).map { try $0.document().message }
    }

    var count: Int { kept.records.withLock { $0.count } }
    /// Records that the broker let go before they were read.
    var missing: Int { consumer.progress.missing }

    /// Waits until `expected` texts of a topic were read, these and no others.
    func waitFor(
        _ expected: [String], topic: String = "logs", within deadline: Duration = .patience,
        _ context: () -> String = { "" }
    ) throws {
        do {
            try eventually(within: deadline, "\(expected.count) records of \(topic)") {
                records(topic).count >= expected.count
            }
        } catch {
            throw Unexpected(
                description: "\(error); read \(texts(topic).suffix(20)), wanted "
                    + "\(expected.suffix(20)); \(context())")
        }
    }
}

/// A record as a consumer reads it.
struct KafkaRecord: Sendable {
    let topic: String
    let partition: Int
    let key: [UInt8]
    let value: [UInt8]
    let extras: AuditConsumer.Extras

    /// The text of a header; nil where there is none.
    func header(_ name: String) -> String? {
        extras.headers.first { $0.name == name }.map { String(decoding: $0.value, as: UTF8.self) }
    }

    var keyText: String { String(decoding: key, as: UTF8.self) }
    var text: String { String(decoding: value, as: UTF8.self) }

    /// The value, which is a JSON document.
    func document() throws -> Document {
        try JSONDecoder().decode(Document.self, from: Data(value))
    }
}

/// What tests look at in a document.
struct Document: Decodable {
    struct Metadata: Decodable {
        let id: String
        enum CodingKeys: String, CodingKey { case id = "_id" }
    }
    struct Log: Decodable {
        struct File: Decodable { let path: String }
        let offset: Int
        let file: File
        let flags: [String]?
    }
    struct Kubernetes: Decodable {
        struct Pod: Decodable {
            let name: String
            let uid: String?
        }
        struct Container: Decodable { let name: String }
        let namespace: String?
        let labels: [String: String]?
        let pod: Pod?
        let container: Container?
    }
    struct Agent: Decodable {
        let id: String
        let ephemeral: String
        enum CodingKeys: String, CodingKey {
            case id
            case ephemeral = "ephemeral_id"
        }
    }
    let timestamp: String
    let metadata: Metadata
    let message: String
    let stream: String?
    let log: Log
    let kubernetes: Kubernetes?
    let fields: [String: String]?
    let tags: [String]?
    let agent: Agent

    enum CodingKeys: String, CodingKey {
        case timestamp = "@timestamp"
        case metadata = "@metadata"
        case message, stream, log, kubernetes, fields, tags, agent
    }
}
