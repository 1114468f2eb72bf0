import TestSupport
import Testing

@Suite(
    "What a network does to three brokers of a real Apache Kafka loses, repeats and mixes nothing",
    .serialized, .needsKafka, .proxiedKafka)
struct NetworkFaultTests {
    /// 1. The broker has half of a request, or all of it, or it has written and acknowledged it.
    /// 2. The connection is reset, and the client does not know which of these it was.
    /// 3. It sends the request again, and the broker knows it by its number where it has it.
    @Test("K20: connections are reset in requests, in place of answers, and all at once")
    func resets() throws {
        let kafka = try ProxiedKafka.current
        try kafka.createTopic("logs.torn", partitions: 3)
        let flows = try TopicFlows(
            kafka, at: kafka.proxied, topics: ["torn"], logs: 6,
            properties: "reconnect.backoff.max.ms: \"500\"")
        try flows.waitForLines("torn")
        for _ in 0..<5 {
            for harm in [KafkaProxy.cutAnswers, KafkaProxy.cutRequests] {
                let before = kafka.proxies.map(\.cut)
                for proxy in kafka.proxies { harm(proxy)(2) }
                try eventually("connections of each broker are cut; \(flows.agent.said)") {
                    zip(kafka.proxies, before).allSatisfy { $0.cut == $1 + 2 }
                }
            }
            for proxy in kafka.proxies { proxy.reset() }
            try flows.waitForLines("torn")
        }
        try flows.waitForReadiness()
        try flows.finish()
        try flows.waitForReplica("torn")
        try flows.expectExactly("torn")
        // What passes by itself within seconds is no news.
        #expect(!flows.agent.said.contains("stream waits"), "\(flows.agent.said)")
    }

    /// 1. Brokers take records and say no more who leads which partition; each such question ends in
    ///    a time-out, and with it the connection that others of its requests are on.
    /// 2. One of them dies, and the client does not hear who leads in its place.
    @Test("K21: metadata is lost, a leader dies meanwhile: others go on, and all when it is back")
    func metadata() throws {
        let kafka = try ProxiedKafka.current
        try kafka.createTopic("logs.blind", partitions: 3)
        let flows = try TopicFlows(
            kafka, at: kafka.proxied, topics: ["blind"], logs: 6,
            properties: "socket.timeout.ms: \"1500\", reconnect.backoff.max.ms: \"500\"")
        try flows.waitForLines("blind")
        for proxy in kafka.proxies { proxy.loseMetadata(true) }
        let before = kafka.proxies.reduce(0) { $0 + $1.lost }
        try eventually("questions are not answered; \(flows.agent.said)") {
            kafka.proxies.reduce(0) { $0 + $1.lost } > before + 3
        }
        try flows.waitForLines("blind")
        kafka.kill(broker: 2)
        try flows.waitForLines("blind")
        for proxy in kafka.proxies { proxy.loseMetadata(false) }
        try flows.waitForLines("blind")
        try flows.finish()
        try flows.waitForReplica("blind")
        try flows.expectExactly("blind")
        try kafka.restart(broker: 2)
    }

    /// Of the addresses that the client had at first, only the one it was told of leads anywhere.
    @Test("K14: brokers move to other ports, one after another, behind an address that stays")
    func moves() throws {
        let kafka = try ProxiedKafka.current
        try kafka.createTopic("logs.moving", partitions: 3)
        let front = try kafka.front()
        let flows = try TopicFlows(
            kafka, at: front.address, topics: ["moving"], logs: 6,
            properties: "reconnect.backoff.max.ms: \"500\"")
        for broker in 1...3 {
            try flows.waitForLines("moving")
            try kafka.move(broker: broker)
            kafka.lead(front, to: broker)
        }
        try flows.waitForLines("moving")
        try flows.waitForReadiness()
        try flows.finish()
        try flows.waitForReplica("moving")
        try flows.expectExactly("moving")
    }
}
