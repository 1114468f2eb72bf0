import Shipper
import TestSupport
import Testing

@Suite("A Kafka that another one took the place of", .serialized, .needsKafka)
struct ReplacedClusterTests {
    /// Who is away is tried twice a second, and not every ten seconds.
    private static let eager = "reconnect.backoff.max.ms: \"500\""

    @Test("K14: all three brokers are replaced under load by a new cluster: found again by itself")
    func replacedCluster() throws {
        let kafka = try KafkaCluster(home: KafkaHome(), brokers: 3)
        try kafka.createTopic("logs.moved", partitions: 3)
        let flows = try TopicFlows(
            kafka, topics: ["moved"], logs: 4, linesPerSecond: 250, properties: Self.eager,
            more: "limits: {in_flight: 256KiB}")
        try flows.waitForLines("moved")
        try kafka.replace()
        try flows.waitForLog("no broker can be reached")
        // The new cluster has no topic yet, and that is told.
        try flows.waitForReadiness("topic logs.moved: ", "create the topic")
        try kafka.createTopic("logs.moved", partitions: 2)
        try flows.waitForLines("moved")
        try flows.waitForReadiness()
        try flows.finish()
        let report = try flows.report("moved")
        #expect(report.isComplete && report.written > 1_000, "\(report)\n\(flows.agent.said)")
        // What the old brokers had and did not acknowledge any more is sent again. Of the credit
        // each record takes 200 bytes beside its own.
        #expect(report.duplicated <= 256 * 1024 / 200, "\(report)")
    }

    /// Nothing that the client has learned of the cluster leads anywhere any more.
    @Test("K14: a cluster makes way for one at other ports, behind an address that stays: found")
    func movedCluster() throws {
        let kafka = try KafkaCluster(home: KafkaHome())
        try kafka.createTopic("logs.away", partitions: 2)
        let front = try kafka.front()
        let flows = try TopicFlows(
            kafka, at: front.address, topics: ["away"], linesPerSecond: 500,
            properties: Self.eager, more: "limits: {in_flight: 256KiB}")
        try flows.waitForLines("away")
        try kafka.replace(moving: true)
        try flows.waitForLog("no broker can be reached")
        kafka.lead(front)
        try flows.waitForReadiness("topic logs.away: ", "create the topic")
        try kafka.createTopic("logs.away", partitions: 2)
        try flows.waitForLines("away")
        try flows.waitForReadiness()
        try flows.finish()
        let report = try flows.report("away")
        #expect(report.isComplete && report.written > 1_000, "\(report)\n\(flows.agent.said)")
        #expect(report.duplicated <= 256 * 1024 / 200, "\(report)")
    }
}
