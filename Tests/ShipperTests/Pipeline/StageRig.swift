import Encoding
import Model
import Platform
import Settings
import Synchronization
import TestSupport
import Testing

@testable import Kafka
@testable import Registry
@testable import Shipper
@testable import Tailer

/// The stages as the pipeline puts them together, with a mock broker, so that a test can
/// reach into every joint. `close` ends them.
final class StageRig {
    let directory: TemporaryDirectory
    let broker: BrokerProcess
    let settings: Settings
    let registry: Registry
    let budget: InFlightBudget
    let counters = Counters()
    let ledger: DeliveryLedger
    let producer: Producer
    let events: EventLog
    let calls = Calls()
    let log: LogLines

    /// What the stages called back, from any thread.
    final class Calls: Sendable {
        let roomCameBack = Atomic<Int>(0)
        let batches = Atomic<Int>(0)
        let scans = Atomic<Int>(0)
        let wake = Mutex<(@Sendable () -> Void)?>(nil)
    }

    /// `input` and `kafka` are further lines of the configuration, indented as they have to be.
    /// `released` hears of batches on the poller thread before the ledger does; `time` is the
    /// credit's.
    init(
        in directory: TemporaryDirectory, paths: String, input: String = "", kafka: String = "",
        topic: String = "logs", rest: String = "", time: (@Sendable () -> Duration)? = nil,
        released: @escaping @Sendable ([RecordBatch]) -> Void = { _ in },
        settled: @escaping @Sendable () -> Void = {}
    ) throws {
        self.directory = directory
        broker = try BrokerProcess()
        var lines = ["data: \(directory.path("data"))", "inputs:", "  - name: pods"]
        lines += ["    paths: [\(paths)]", input, "output:", "  kafka:"]
        lines += ["    brokers: [\"\(broker.address)\"]", "    topic: \"\(topic)\"", kafka, rest]
        let text = lines.filter { !$0.isEmpty }.joined(separator: "\n") + "\n"
        settings = try Settings.parse(text)
        log = LogLines()
        events = EventLog(Log(level: .debug, format: .text, sink: log.add))
        registry = try Registry.open(
            directory: settings.data, observer: events, newBase: NewBase.now)
        budget = InFlightBudget(limit: settings.limits.inFlight, time: time)
        let calls = calls
        let ledger = DeliveryLedger(
            registry: registry, budget: budget, counters: counters,
            roomCameBack: {
                calls.roomCameBack.add(1, ordering: .relaxed)
                calls.wake.withLock { $0 }?()
            }, allDelivered: {})
        self.ledger = ledger
        producer = try Producer(
            settings: KafkaSettings.plain(settings, broker.addresses),
            handler: { batches in
                released(batches)
                ledger.delivered(batches)
                calls.batches.add(batches.count, ordering: .relaxed)
                settled()
            }, observer: events)
    }

    var parts: ReaderOutput.Parts { parts() }

    /// With a clock and a bound of topics of the test's own.
    func parts(
        limit: Int = 1_000, now: @escaping @Sendable () -> Timestamp = Timestamp.now
    ) -> ReaderOutput.Parts {
        let calls = calls
        let agent = AgentIdentity(version: "0.1.0", id: "agent", ephemeralID: "run")
        return ReaderOutput.Parts(
            settings: settings, registry: registry, producer: producer, budget: budget,
            ledger: ledger, counters: counters, agent: agent, events: events,
            topics: TopicPool(
                limit: limit, fallback: settings.output.kafka.fallbackTopic, events: events),
            longestRecord: 900_000, now: now,
            scanned: { _ in calls.scans.add(1, ordering: .relaxed) })
    }

    /// Waits until everything that was sent is delivered.
    func waitForDelivery() throws {
        try eventually("everything is delivered; \(budget.held) bytes are not") {
            budget.held == 0
        }
    }

    /// Stops what runs; returns the records that were not delivered.
    @discardableResult
    func close(deadline: Duration = .seconds(30)) -> Int {
        let undelivered = producer.stop(deadline: deadline)
        registry.close()
        return undelivered
    }
}

/// Lines of a log, kept.
final class LogLines: Sendable {
    private let lines = Mutex<[String]>([])

    func add(_ line: [UInt8]) {
        lines.withLock { $0.append(String(decoding: line.dropLast(), as: UTF8.self)) }
    }

    /// Without their times.
    var all: [String] {
        lines.withLock { $0 }.map { String($0.dropFirst(Timestamp.textCount + 1)) }
    }
}
