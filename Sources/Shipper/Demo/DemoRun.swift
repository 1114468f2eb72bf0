import Kafka
import Platform

/// The parts of a demo that runs, and the order in which they end. Used on one thread.
final class DemoRun {
    private let pipeline: Pipeline
    private let consumer: AuditConsumer
    private let brokers: [String]
    private let audit: SharedAudit
    private var writers: [DemoWriter] = []
    private var faults: [String] = []
    private var begin = Clock.monotonicNanoseconds()

    init(pipeline: Pipeline, consumer: AuditConsumer, brokers: [String], audit: SharedAudit) {
        self.pipeline = pipeline
        self.consumer = consumer
        self.brokers = brokers
        self.audit = audit
    }

    func add(_ writer: DemoWriter) { writers.append(writer) }

    /// Lets the writers write.
    func start() throws(SystemError) {
        begin = Clock.monotonicNanoseconds()
        for writer in writers { try writer.start() }
    }

    func fault(_ text: String) { faults.append(text) }

    // MARK: While it runs

    /// Whether every s6-log has written all it was given and ended.
    var isWritten: Bool { writers.allSatisfy(\.hasEnded) }

    /// Whether the broker has acknowledged as much as there is on the disk. It ends a wait, no
    /// more: what arrived is for the consumer to say.
    func isAcknowledged() throws(SystemError) -> Bool {
        var bytes = 0
        for writer in writers { bytes += try writer.bytesOnDisk() }
        return pipeline.inFlight == 0 && pipeline.counters.bytesDelivered >= bytes
    }

    func rotations() throws(SystemError) -> Int {
        var sum = 0
        for writer in writers { sum += try writer.rotations() }
        return sum
    }

    /// All but the rotations, which cost a look at the directories.
    func progress() -> DemoProgress {
        DemoProgress(
            nanoseconds: Clock.monotonicNanoseconds() - begin,
            written: writers.reduce(0) { $0 +| $1.written }, delivered: audit.delivered(),
            inFlight: pipeline.inFlight)
    }

    // MARK: Its end

    /// Ends everything: the writers, then the pipeline with what it still has to deliver, then the
    /// consumer with what it still has to read.
    func end() -> DemoResult {
        var result = DemoResult(nanoseconds: Clock.monotonicNanoseconds() - begin)
        for writer in writers { writer.close() }
        let undelivered = pipeline.stop().undelivered
        if undelivered > 0 { fault("\(undelivered) records were read and never acknowledged") }
        let lost = pipeline.counters.bytesLost
        if lost > 0 { fault("\(lost) bytes were gone from the disk before they were read") }
        readToTheEnd()
        consumer.stop()
        let rotations = writers.map(rotations)
        audit.withLock { audit in
            for writer in writers { audit.ended(writer.plan.source, lines: writer.written) }
            result.report = audit.report
            for (writer, rotations) in zip(writers, rotations) {
                result.writers.append(
                    DemoResult.Writer(
                        name: writer.plan.pod, report: audit.report(of: writer.plan.source),
                        rotations: rotations))
            }
        }
        result.faults = faults
        return result
    }

    private func rotations(of writer: DemoWriter) -> Int {
        let name = writer.plan.pod
        if let problem = writer.fault { fault("\(name): \(problem)") }
        do throws(SystemError) {
            let count = try writer.rotations()
            if count < writer.leastRotations {
                fault("\(name): \(count) rotations; expected \(writer.leastRotations) at least")
            }
            return count
        } catch {
            fault("\(name): \(error)")
            return 0
        }
    }

    private static let patience: Int64 = 15_000_000_000

    /// Waits until the consumer has come to where the broker's partitions end: a line that came
    /// twice may come late.
    private func readToTheEnd() {
        let deadline = Clock.monotonicNanoseconds() + Self.patience
        do {
            let wakeup = try Wakeup()
            let ends = try AuditConsumer.extents(brokers: brokers)
            let end = ends.values.reduce(0) { $0 +| Int(clamping: $1.high) }
            while true {
                let seen = consumer.progress
                let left = end -| seen.records -| seen.missing
                if left <= 0 { break }
                guard Clock.monotonicNanoseconds() < deadline else {
                    return incomplete("\(left) of \(end) records were not read in time")
                }
                wakeup.wait(nanoseconds: 1_000_000)
            }
        } catch {
            return incomplete("\(error)")
        }
        let missing = consumer.progress.missing
        if missing > 0 {
            incomplete("the embedded broker let \(missing) records go before they were read")
        }
    }

    private func incomplete(_ reason: String) {
        let problem = consumer.progress.problem.map { "; the consumer says: \($0)" } ?? ""
        fault("the audit is incomplete: \(reason)\(problem)")
    }
}
