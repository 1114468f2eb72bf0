import Shipper
import TestSupport
import Testing

/// Three s6-log writers that write all the time and an agent that ships raw lines to an Apache Kafka,
/// for as long as a test troubles its brokers. The topic exists, is empty, and belongs to this test.
final class LiveFlow {
    /// A writer and how many of its lines there are.
    typealias Written = (source: LineSource, lines: Int)

    let agent: Agent
    let feedings: [Feeding]
    let inFlight = 256 * 1024
    private let kafka: KafkaCluster
    private let topic: String
    private let consumed = Shared(0)
    private let consumer: KafkaReader

    /// Starts everything.
    init(_ kafka: KafkaCluster, topic: String) throws {
        self.kafka = kafka
        self.topic = topic
        let agent = try Agent(
            kafka.address, path: "{pod}/log/current",
            kafka: "topic: \(topic), codec: raw, key: \"{pod}\", "
                + "librdkafka: {linger.ms: \"1\", reconnect.backoff.max.ms: \"500\"}",
            more: "limits: {in_flight: 256KiB}")
        self.agent = agent
        feedings = try (0..<3).map { number in
            Feeding(
                LineSource("w\(number)", seed: UInt64(number), payload: 200...600),
                try S6Writer(
                    directory: agent.log("w\(number)/log"), directives: ["n1000", "s1000000"]))
        }
        let consumed = consumed
        consumer = try KafkaReader(kafka, topics: [topic]) { _ in consumed.with { $0 += 1 } }
        let written = feedings.map(\.written)
        for feeding in feedings {
            // An outage makes a backlog, and not a bigger one the longer it lasts.
            try feeding.start {
                written.reduce(0) { $0 + $1.current } - consumed.current < 4_000
            }
        }
        try agent.start()
    }

    deinit { for feeding in feedings { feeding.stop() } }

    /// Lines that are in Kafka and were read there.
    var arrived: Int { consumed.current }

    /// Waits until more lines came, which are half of those that are written ahead.
    func waitForLines() throws {
        let before = arrived
        try eventually("lines flow; \(agent.said)") { arrived > before + 2_000 }
    }

    /// Ends the writers, waits until all is delivered, stops the agent, and returns what was written.
    func finish() throws -> [Written] {
        for feeding in feedings { feeding.stop() }
        for feeding in feedings {
            #expect(feeding.failure.current == nil)
            try feeding.writer.finish()
        }
        let all = feedings.reduce(0) { $0 + $1.written.current }
        try eventually("all \(all) lines; \(agent.said)") {
            try AuditCount.of(kafka, topic: topic) >= all
        }
        try eventually("all positions; \(agent.said)") {
            try agent.registry().allSatisfy { $0.lag == 0 }
        }
        #expect(try agent.stop() == .code(0))
        #expect(try AuditCount.of(kafka, topic: topic) == all)
        #expect(consumer.missing == 0)
        return feedings.map { ($0.source, $0.written.current) }
    }

    /// What somebody reads who begins now at the beginning.
    func records() throws -> [KafkaRecord] {
        let held = try AuditCount.of(kafka, topic: topic)
        let reader = try KafkaReader(kafka, topics: [topic])
        try eventually("all records") { reader.count >= held }
        return reader.records
    }
}
