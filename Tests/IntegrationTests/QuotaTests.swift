import TestSupport
import Testing

extension KafkaFaultTests {
    @Test("K13: a quota of its client id throttles the agent: slower, nothing lost or repeated")
    func quota() throws {
        let kafka = try FaultyKafka.current.cluster
        try kafka.createTopic("logs.slow", partitions: 2)
        try kafka.createTopic("logs.fast", partitions: 2)
        let rate = 100_000
        try kafka.setQuota(client: "shipper-slow", bytesPerSecond: rate)
        let slow = try TopicFlows(
            kafka, topics: ["slow"], linesPerSecond: 2_000, settings: "client_id: shipper-slow")
        let fast = try TopicFlows(kafka, topics: ["fast"])
        // The quota's window forgives a burst of ten seconds; what is behind it waits.
        try slow.waitForLines("slow")
        try eventually("it falls behind; \(slow.agent.said)") {
            try slow.agent.registry().reduce(0) { $0 + $1.lag } > 10 * rate
        }
        try fast.waitForLines("fast")
        #expect(try fast.agent.registry().reduce(0) { $0 + $1.lag } < 10 * rate)
        try slow.waitForReadiness()
        func throttled(_ flows: TopicFlows) throws -> Double {
            let metrics = try Metrics(try flows.agent.address())
            return try #require(metrics["shipper_throttle_seconds_total"])
        }
        try eventually("the time is told; \(slow.agent.said)") { try throttled(slow) > 0 }
        #expect(try throttled(fast) == 0)
        try kafka.setQuota(client: "shipper-slow", bytesPerSecond: nil)
        for flows in [slow, fast] { try flows.finish() }
        try slow.expectExactly("slow")
        try fast.expectExactly("fast")
    }
}
