import Model
import Platform
import Synchronization
import TestSupport
import Testing

@testable import Kafka

/// What the observer heard, the handler got and an independent consumer read.
final class Witness: KafkaObserver {
    struct Heard {
        var events: [String] = []
        var released: [RecordBatch] = []
        /// Values in the order of their partition, by topic and partition.
        var read: [String: [Int: [String]]] = [:]
        var extras: [String: [AuditConsumer.Extras]] = [:]
    }
    private let heard = Mutex(Heard())

    var events: [String] { heard.withLock { $0.events } }
    var released: [RecordBatch] { heard.withLock { $0.released } }
    func read(_ topic: String) -> [Int: [String]] { heard.withLock { $0.read[topic] ?? [:] } }
    func readCount(_ topic: String) -> Int {
        heard.withLock { ($0.read[topic] ?? [:]).values.reduce(0) { $0 + $1.count } }
    }
    func extras(_ topic: String) -> [AuditConsumer.Extras] {
        heard.withLock { $0.extras[topic] ?? [] }
    }
    var releasedRecords: Int { heard.withLock { $0.released.reduce(0) { $0 + $1.count } } }

    func has(_ event: String) -> Bool { events.contains { $0.hasPrefix(event) } }
    func count(_ event: String) -> Int { events.count { $0.hasPrefix(event) } }

    private func note(_ event: String) { heard.withLock { $0.events.append(event) } }

    func report(_ event: KafkaEvent) {
        switch event {
        case .brokersDown(let message, _): note("down \(message)")
        case .brokerAway(let trouble): note("away \(trouble.broker) \(trouble.cause)")
        case .brokerUp: note("up")
        case .recordsRejected(let topic, let code, _, let count):
            note("rejected \(topic) \(code) \(count)")
        case .fatal(let text): note("fatal \(text)")
        case .laneBlocked(let topic, let reason, _): note("blocked \(topic) \(reason)")
        case .recordRefused(let refused):
            let limit = refused.limit?.bytes ?? -1
            note("refused \(refused.topic) \(refused.offset) \(refused.size) \(limit)")
        case .recordSetAside(let refused, let topic):
            note("set aside \(refused.topic) \(refused.offset) \(refused.size) \(topic)")
        case .laneFlows(let topic): note("flows \(topic)")
        case .clientError(let code, let text): note("error \(code) \(text)")
        case .clientLog(let severity, let facility, let text):
            note("log \(severity) \(facility) \(text)")
        }
    }

    func release(_ batches: [RecordBatch]) { heard.withLock { $0.released += batches } }

    func take(
        _ coordinates: AuditConsumer.Coordinates, _ value: Span<UInt8>,
        _ extras: AuditConsumer.Extras = .init()
    ) {
        let text = String(decoding: value.indices.map { value[$0] }, as: UTF8.self)
        heard.withLock {
            $0.extras[coordinates.topic, default: []].append(extras)
            $0.read[coordinates.topic, default: [:]][coordinates.partition, default: []].append(
                text)
        }
    }
}

/// Makes batches of numbered records for one lane, with ranges that follow each other.
struct Feed {
    var lane: Lane
    let name: String
    let stream: StreamID
    private var next = 0
    private var position = 0

    init(_ lane: Lane, name: String, number: Int = 1) {
        self.lane = lane
        self.name = name
        stream = StreamID(number: number)
    }

    /// A batch of the next `count` records, `<name> <number>` each, padded to `size` bytes.
    mutating func batch(_ count: Int, size: Int = 0) -> RecordBatch {
        var values: [[UInt8]] = []
        for _ in 0..<count {
            var value = Array("\(name) \(next)".utf8)
            if value.count < size {
                value += Array(repeating: UInt8(ascii: "."), count: size - value.count)
            }
            values.append(value)
            next += 1
        }
        let slab = PayloadSlab(capacity: max(1, values.reduce(0) { $0 + $1.count }))
        var ends: [UInt32] = []
        for value in values {
            slab.append(value.span)
            ends.append(UInt32(slab.count))
        }
        let start = position
        position += slab.count + count + 1
        return RecordBatch(
            lane: lane, slab: slab, recordEnds: ends, file: FileID(number: stream.number),
            stream: stream, generation: GenerationID(value: 7),
            range: ByteRange(start..<position), anchor: .none, credit: slab.count)
    }

    /// Whether `batches` are those of this feed from the first on, in order and without a hole.
    func isUnbroken(_ batches: [RecordBatch]) -> Bool {
        var end: LogicalOffset = 0
        for batch in batches where batch.lane === lane {
            guard batch.range.start == end else { return false }
            end = batch.range.end
        }
        return true
    }

    /// Values of all records so far.
    var values: [String] { (0..<next).map { "\(name) \($0)" } }
}

/// The values in the order of their last copy. After a fault a record may stand in a partition more
/// than once, and one that followed the failed record also before it; what holds is that the last
/// copies are complete and in order.
func lastCopies(_ values: [String]) -> [String] {
    var seen: Set<String> = []
    return values.reversed().filter { seen.insert($0).inserted }.reversed()
}

/// A broker with a producer and an independent consumer on it.
struct Rig {
    let broker: BrokerProcess
    let witness = Witness()
    let producer: Producer
    let audit: AuditConsumer

    init(
        brokers: Int = 1, deadLetters: DeadLetters? = nil,
        _ change: (inout KafkaSettings) -> Void = { _ in }
    ) throws {
        broker = try BrokerProcess(brokers: brokers)
        var settings = KafkaSettings(brokers: broker.addresses)
        change(&settings)
        let witness = witness
        producer = try Producer(
            settings: settings, handler: { witness.release($0) }, deadLetters: deadLetters,
            observer: witness)
        audit = try AuditConsumer(brokers: broker.addresses) { coordinates, _, value, extras in
            witness.take(coordinates, value, extras)
        }
    }

    func feed(_ topic: String, _ name: String, number: Int = 1) -> Feed {
        Feed(producer.lane(topic: topic, key: Array(name.utf8)), name: name, number: number)
    }

    /// What one feed's partition holds; records of a feed must all be in one.
    func read(_ topic: String, _ feed: Feed) throws -> [String] {
        let prefix = feed.name + " "
        let homes = witness.read(topic).values
            .map { $0.filter { $0.hasPrefix(prefix) } }.filter { !$0.isEmpty }
        try #require(homes.count <= 1, "a stream in more than one partition")
        return homes.first ?? []
    }

    /// Stops everything and checks that nothing was lost on the way to the consumer.
    func close() {
        #expect(producer.stop(deadline: .seconds(30)) == 0)
        audit.stop()
        #expect(audit.progress.missing == 0)
    }
}

final class Counter: Sendable {
    private let count = Atomic<Int>(0)
    func add(_ more: Int) { count.add(more, ordering: .relaxed) }
    var value: Int { count.load(ordering: .relaxed) }
}
