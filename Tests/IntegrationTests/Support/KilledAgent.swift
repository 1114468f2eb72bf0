import Shipper
import TestSupport
import Testing

/// An agent that is killed again and again under live s6-log writers, and what an independent consumer
/// makes of all that arrives.
struct KilledAgent<Broker: KafkaServers> {
    private let inFlight = 256 * 1024
    private let broker: Broker
    private let topic: String
    private let arrivals = Shared(Arrivals())
    private let agent: Agent
    private let feedings: [Feeding]
    /// Lines written when the broker was stopped.
    private let stopped = Shared<Int?>(nil)

    /// The topic exists, is empty, and belongs to this test.
    init(_ broker: Broker, topic: String) throws {
        self.broker = broker
        self.topic = topic
        let agent = try Agent(
            broker.address, path: "{pod}/log/current",
            kafka: "topic: \(topic), librdkafka: {linger.ms: \"1\"}",
            more: "limits: {in_flight: 256KiB}")
        self.agent = agent
        feedings = try (0..<3).map { number in
            let source = LineSource("w\(number)", seed: UInt64(number), payload: 200...600)
            let writer = try S6Writer(
                directory: agent.log("pod-\(number)/log"), directives: ["n1000", "s100000"])
            return Feeding(source, writer)
        }
    }

    /// Kills it this often and audits. Of five kills four come when nothing is acknowledged.
    func run(kills: Int) throws {
        let arrivals = arrivals
        let reader = try KafkaReader(broker, topics: [topic]) { record in
            arrivals.with { $0.take(record) }
        }
        defer { for feeding in feedings { feeding.stop() } }
        try startFeeding()
        for kill in 0..<kills { try killOnce(kill) }

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
        let count = try AuditCount.of(broker, topic: topic)
        try eventually("the consumer has read all") { arrivals.with { $0.records } == count }

        let result = arrivals.current
        #expect(result.faults.isEmpty)
        #expect(reader.missing == 0)
        var audit = Audit()
        for feeding in feedings { audit.expect(feeding.source, lines: feeding.written.current) }
        for line in result.firsts { audit.arrived(Array(line.utf8)) }
        #expect(audit.report.isClean, "\(audit.report)")
        // The run after each kill repeats what was under way at it, and no more.
        #expect(result.runs.count == kills + 1)
        #expect(result.repeated.values.allSatisfy { $0 <= inFlight }, "\(result.repeated)")
        #expect(result.repeated.count >= kills * 2 / 3, "\(result.repeated)")
        #expect(try agent.registry().allSatisfy { $0.lag == 0 })
        #expect(!agent.said.contains("bytes lost"))
    }

    private func startFeeding() throws {
        let (arrivals, stopped) = (arrivals, stopped)
        let all = feedings.map(\.written)
        for feeding in feedings {
            try feeding.start {
                let total = all.reduce(0) { $0 + $1.current }
                // What is not consumed is less than the mock broker keeps of a partition, 5 MB. But
                // while it is stopped the writers go on by more than the credit, wherever the
                // consumer stands.
                if let begin = stopped.current { return total - begin < 1_500 }
                return total - arrivals.with { $0.lines.count } < 2_000
            }
        }
    }

    private func killOnce(_ kill: Int) throws {
        let before = arrivals.with { $0.records }
        try agent.start()
        try eventually("run \(kill) ships something; \(agent.said)") {
            arrivals.with { $0.runs.count } > kill && arrivals.with { $0.records } > before + 50
        }
        // A rotation of each since this start, whatever s6-log does by itself.
        for feeding in feedings { try feeding.rotate() }
        if kill % 5 == 4 {
            // In the middle of everything.
            agent.kill()
            return
        }
        // Nothing is acknowledged any more: the agent reads until its credit is used up, and then all
        // its positions stand still, behind what the writers have written.
        broker.pause()
        stopped.with { $0 = feedings.reduce(0) { $0 + $1.written.current } }
        try agent.waitUntilStill(behindBy: inFlight)
        agent.kill()
        broker.resume()
        stopped.with { $0 = nil }
    }
}

extension Agent {
    /// Waits until positions do not move while more bytes than this are not delivered.
    func waitUntilStill(behindBy bytes: Int) throws {
        var last: [Agent.Entry] = []
        var looks = 0
        try eventually("positions stand still with bytes behind; \(said)") {
            let now = try registry()
            let lag = now.reduce(0) { $0 + $1.lag }
            let isStill = now.map(\.offset) == last.map(\.offset) && lag > bytes
            last = now
            looks = isStill ? looks + 1 : 0
            return looks >= 3
        }
    }
}
