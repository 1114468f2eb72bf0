import Platform
import Shipper
import TestSupport
import Testing

@Suite("Killed at any moment, the shipper loses nothing and repeats little", .serialized)
struct KillTests {
    private static let inFlight = 256 * 1024
    private static let kills = 30

    /// What the consumer makes of every record as it comes.
    private struct Arrivals: Sendable {
        /// Number of the run, by the agent's ephemeral id.
        var runs: [String: Int] = [:]
        /// `_id` and the run of the latest arrival, by line.
        var lines: [String: (id: String, run: Int)] = [:]
        /// Bytes of values that came again, by the run that repeated them.
        var repeated: [Int: Int] = [:]
        var records = 0
        var faults: [String] = []
        /// Lines in the order of their first arrivals.
        var firsts: [String] = []

        mutating func take(_ record: KafkaRecord) {
            records += 1
            do {
                let document = try record.document()
                let run = runs[document.agent.ephemeral] ?? runs.count
                runs[document.agent.ephemeral] = run
                guard let before = lines[document.message] else {
                    lines[document.message] = (document.metadata.id, run)
                    firsts.append(document.message)
                    return
                }
                repeated[run, default: 0] += record.value.count
                if before.id != document.metadata.id { fault("another _id: \(document.message)") }
                if before.run >= run { fault("twice by run \(run): \(document.message)") }
                lines[document.message]?.run = run
            } catch {
                fault("\(error): \(record.text)")
            }
        }

        private mutating func fault(_ text: String) {
            if faults.count < 10 { faults.append(text) }
        }
    }

    /// Feeds one s6-log until it is told to stop, and not further ahead of the consumer than s6-log
    /// and the mock broker can keep.
    private final class Feeding: Sendable {
        let source: LineSource
        let writer: S6Writer
        let written = Shared(0)
        let failure = Shared<String?>(nil)
        private let isStopped = Shared(false)
        private let thread = Shared<SystemThread?>(nil)

        init(_ source: LineSource, _ writer: S6Writer) {
            self.source = source
            self.writer = writer
        }

        func start(mayWrite: @escaping @Sendable () -> Bool) throws {
            let thread = try SystemThread("feeding") { [self] in
                do {
                    while !isStopped.current {
                        let begin = written.current
                        try eventually("there is room for more lines") {
                            mayWrite() || isStopped.current
                        }
                        try writer.write(source, begin..<begin + 50)
                        written.with { $0 += 50 }
                    }
                } catch {
                    failure.with { $0 = "\(error)" }
                }
            }
            self.thread.with { $0 = thread }
        }

        func stop() {
            isStopped.with { $0 = true }
            thread.current?.join()
        }
    }

    @Test("T31: 30 times SIGKILL under live s6-log writers: nothing lost, repeats within in_flight")
    func kills() throws {
        let arrivals = Shared(Arrivals())
        let broker = try BrokerProcess(partitions: 3, topics: ["logs"])
        let reader = try KafkaReader(broker) { record in arrivals.with { $0.take(record) } }
        let agent = try Agent(
            broker.address, path: "{pod}/log/current",
            kafka: "topic: logs, librdkafka: {linger.ms: \"1\"}",
            more: "limits: {in_flight: 256KiB}")
        var feedings: [Feeding] = []
        for number in 0..<3 {
            let source = LineSource("w\(number)", seed: UInt64(number), payload: 200...600)
            let writer = try S6Writer(
                directory: agent.log("pod-\(number)/log"), directives: ["n1000", "s100000"])
            feedings.append(Feeding(source, writer))
        }
        defer { for feeding in feedings { feeding.stop() } }
        /// Lines written when the broker was stopped.
        let stopped = Shared<Int?>(nil)
        for feeding in feedings {
            let all = feedings.map(\.written)
            try feeding.start {
                let total = all.reduce(0) { $0 + $1.current }
                // What is not consumed is less than the mock broker keeps of a partition, 5 MB. But
                // while it is stopped the writers go on by more than the credit, wherever the
                // consumer stands.
                if let begin = stopped.current { return total - begin < 1_500 }
                return total - arrivals.with { $0.lines.count } < 2_000
            }
        }

        var withUnacknowledged = 0
        for kill in 0..<Self.kills {
            let before = arrivals.with { $0.records }
            try agent.start()
            try eventually("run \(kill) ships something; \(agent.said)") {
                arrivals.with { $0.runs.count } > kill && arrivals.with { $0.records } > before + 50
            }
            // A rotation of each since this start, whatever s6-log does by itself.
            for feeding in feedings {
                let archives = try feeding.writer.archives().count
                feeding.writer.rotate()
                try eventually("s6-log rotates") {
                    try feeding.writer.archives().count > archives
                }
            }
            if kill % 5 == 4 {
                // In the middle of everything.
                agent.kill()
                continue
            }
            // Nothing is acknowledged any more: the agent reads until its credit is used up, and
            // then all its positions stand still, behind what the writers have written.
            broker.pause()
            stopped.with { $0 = feedings.reduce(0) { $0 + $1.written.current } }
            try waitUntilStill(agent)
            agent.kill()
            broker.resume()
            stopped.with { $0 = nil }
            withUnacknowledged += 1
        }
        #expect(withUnacknowledged >= 20)

        for feeding in feedings { feeding.stop() }
        for feeding in feedings {
            #expect(feeding.failure.current == nil)
            try feeding.writer.finish()
        }
        let written = feedings.reduce(0) { $0 + $1.written.current }
        try agent.start()
        try eventually("all \(written) lines; \(agent.said)") {
            arrivals.with { $0.lines.count } >= written
        }
        #expect(try agent.stop() == .code(0))
        let count = try AuditCount.of(broker)
        try eventually("the consumer has read all") { arrivals.with { $0.records } == count }

        let result = arrivals.current
        #expect(result.faults.isEmpty)
        #expect(reader.missing == 0)
        var audit = Audit()
        for feeding in feedings { audit.expect(feeding.source, lines: feeding.written.current) }
        for line in result.firsts { audit.arrived(Array(line.utf8)) }
        #expect(audit.report.isClean, "\(audit.report)")
        // The run after each kill repeats what was under way at it, and no more.
        #expect(result.runs.count == Self.kills + 1)
        #expect(result.repeated.values.allSatisfy { $0 <= Self.inFlight }, "\(result.repeated)")
        #expect(result.repeated.count >= 20, "\(result.repeated)")
        #expect(try agent.registry().allSatisfy { $0.lag == 0 })
        #expect(!agent.said.contains("bytes lost"))
    }

    /// Positions do not move while the broker is stopped and bytes are unread.
    private func waitUntilStill(_ agent: Agent) throws {
        var last: [Agent.Entry] = []
        var looks = 0
        try eventually("positions stand still with bytes behind; \(agent.said)") {
            let now = try agent.registry()
            let lag = now.reduce(0) { $0 + $1.lag }
            let isStill = now.map(\.offset) == last.map(\.offset) && lag > Self.inFlight
            last = now
            looks = isStill ? looks + 1 : 0
            return looks >= 3
        }
    }
}
