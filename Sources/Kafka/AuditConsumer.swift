import CRdkafka
import Platform
import Synchronization

/// Reads topics from their first record on, for audits: what is really in Kafka, seen by somebody
/// who had no part in putting it there.
///
/// It has its own client and belongs to no group. New topics and partitions are followed as they
/// appear. In each partition it checks that offsets follow each other from 0 without a gap, so a
/// record that the broker let go before it was read shows as missing.
///
/// Sendable; the closure is called on the consumer's own thread.
package final class AuditConsumer: Sendable {
    /// Where a record stands.
    package struct Coordinates: Hashable, Sendable {
        /// By its name with the brokers.
        package let topic: String
        /// Counted from 0 within the topic.
        package let partition: Int
        /// The broker's own, counted from 0 within the partition.
        package let offset: Int64
    }

    /// Counts of all that was seen so far.
    package struct Report: Hashable, Sendable {
        /// Records that were handed to the closure, each once.
        package var records = 0
        /// Offsets that should have come and did not.
        package var missing = 0
        /// Offsets that the client read a second time; they are not handed over again.
        package var repeated = 0
        /// Partitions that are followed, of all topics together.
        package var partitions = 0
        /// The latest error of the broker or the client; reading goes on after it.
        package var problem: String?

        /// Enters a record at the broker's `offset`; the offset that should come next, or nil where
        /// it came before.
        mutating func take(_ offset: Int64, expected: Int64) -> Int64? {
            guard offset >= expected else {
                repeated +|= 1
                return nil
            }
            missing +|= Int(clamping: offset -| expected)
            records +|= 1
            return offset +| 1
        }
    }

    /// What a record has beside its key and value.
    package struct Extras: Hashable, Sendable {
        /// Names and values, in their order; of a header with no value, an empty one.
        package var headers: [Header] = []
        /// It has no value at all, which compacted topics take for a removal; not an empty one.
        package var isTombstone = false

        /// One header.
        package struct Header: Hashable, Sendable {
            /// As it was written; names may stand more than once.
            package let name: String
            /// The bytes of its value.
            package let value: [UInt8]
        }
    }

    /// Key and value of a record are lent for the call; a record without a key has an empty one.
    package typealias Body =
        @Sendable (Coordinates, _ key: Span<UInt8>, _ value: Span<UInt8>, Extras) -> Void

    private let report: Shared
    private let thread: SystemThread

    fileprivate final class Shared: Sendable {
        let report = Mutex(Report())
        let isStopped = Atomic<Bool>(false)
    }

    /// Starts reading `topics`, or every topic there is and will be. `properties` are passed to
    /// librdkafka (TLS, SASL).
    package init(
        brokers: [String], topics: Set<String>? = nil,
        properties: [KafkaSettings.Property] = [], _ body: @escaping Body
    ) throws(KafkaError) {
        let shared = Shared()
        let client = try ConsumerHandle(brokers: brokers, properties: properties)
        report = shared
        do {
            thread = try SystemThread("audit") {
                AuditReader(client, topics: topics, shared, body).run()
            }
        } catch {
            client.close()
            throw .thread(error)
        }
    }

    deinit { stop() }

    /// A copy of the counts as they are now. Any thread.
    package var progress: Report { report.report.withLock { $0 } }

    /// Ends the reading, the client and the thread. After it the closure is not called any more.
    package func stop() {
        report.isStopped.store(true, ordering: .releasing)
        thread.join()
    }

    /// The first and the next offset of a topic, each summed over its partitions.
    package struct Extent: Hashable, Sendable {
        /// The sum of the offsets of the first records that are there.
        package var low: Int64 = 0
        /// The sum of the offsets that the next records get.
        package var high: Int64 = 0
        /// Records the brokers still hold.
        package var held: Int64 { high -| low }
    }

    /// Asks the brokers where the topics begin and end; those that do not exist are left out.
    /// Blocks for the answers, for about `limit` at most. Until then it asks again when a partition
    /// has no leader or loses it.
    package static func extents(
        brokers: [String], topics: Set<String>? = nil,
        properties: [KafkaSettings.Property] = [], limit: Duration = .seconds(10)
    ) throws(KafkaError) -> [String: Extent] {
        let client = try ConsumerHandle(brokers: brokers, properties: properties)
        defer { client.close() }
        let limit = limit.components.seconds * 1_000_000_000
        let end = Clock.monotonicNanoseconds() + limit
        while true {
            do throws(KafkaError) {
                return try extents(client, topics)
            } catch {
                guard Clock.monotonicNanoseconds() < end else { throw error }
                client.idle(milliseconds: 50)
            }
        }
    }

    /// One try, in which no answer is waited for longer than a second.
    private static func extents(
        _ client: ConsumerHandle, _ topics: Set<String>?
    ) throws(KafkaError) -> [String: Extent] {
        let partitions = try client.partitions(topics, within: 1000)
        let first = try client.offsets(at: .first, of: partitions, within: 1000)
        let next = try client.offsets(at: .next, of: partitions, within: 1000)
        var extents: [String: Extent] = [:]
        for topic in partitions.keys {
            extents[topic] = Extent(low: first[topic] ?? 0, high: next[topic] ?? 0)
        }
        return extents
    }
}

/// The thread of an `AuditConsumer`; used there alone.
private final class AuditReader {
    /// How often the topics are asked for. A topic found later has lost nothing by then: reading
    /// starts at its first record, and partitions keep the latest 5 MB in the embedded broker.
    private static let refresh: Int64 = 50_000_000

    private let client: ConsumerHandle
    private let topics: Set<String>?
    private let shared: AuditConsumer.Shared
    private let body: AuditConsumer.Body
    /// The offset to come in each partition, named by its first record's.
    private var next: [AuditConsumer.Coordinates: Int64] = [:]

    init(
        _ client: ConsumerHandle, topics: Set<String>?, _ shared: AuditConsumer.Shared,
        _ body: @escaping AuditConsumer.Body
    ) {
        self.client = client
        self.topics = topics
        self.shared = shared
        self.body = body
    }

    func run() {
        var lookAt = Int64.min
        var report = AuditConsumer.Report()
        while !shared.isStopped.load(ordering: .acquiring) {
            let now = Clock.monotonicNanoseconds()
            if now >= lookAt {
                lookForPartitions(&report)
                lookAt = Clock.monotonicNanoseconds() + Self.refresh
            }
            client.consume(within: 20) { message in take(message, &report) }
            shared.report.withLock { $0 = report }
        }
        client.close()
    }

    private func lookForPartitions(_ report: inout AuditConsumer.Report) {
        do throws(KafkaError) {
            for (topic, partitions) in try client.partitions(topics, within: 1000) {
                report.partitions += try client.start(topic, partitions: partitions)
            }
        } catch {
            report.problem = error.description
        }
    }

    private func take(_ message: borrowing ConsumedMessage, _ report: inout AuditConsumer.Report) {
        if let problem = message.problem {
            report.problem = problem
            return
        }
        let coordinates = message.coordinates
        let partition = AuditConsumer.Coordinates(
            topic: coordinates.topic, partition: coordinates.partition, offset: 0)
        let expected = next[partition, default: 0]
        guard let following = report.take(coordinates.offset, expected: expected) else { return }
        next[partition] = following
        let extras = message.extras
        message.withBytes { key, value in body(coordinates, key, value, extras) }
    }
}
