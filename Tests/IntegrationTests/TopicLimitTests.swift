import Shipper
import TestSupport
import Testing

@Suite("Directories cannot make topics at will")
struct TopicLimitTests {
    /// Ten logs of one directory, which may have two topics of four.
    private func agent(_ broker: BrokerProcess, kafka: String) throws -> Agent {
        let agent = try Agent(
            broker.address, path: "{ns}/{app}.log",
            kafka: "topic: \"logs.{app}\", codec: raw, \(kafka)",
            more: "limits: {topics: 4}\nhttp: {listen: \"127.0.0.1:0\"}")
        for number in 0..<10 {
            try agent.home.write("logs/greedy/g\(number).log", "g\(number) a\ng\(number) b\n")
        }
        return agent
    }

    @Test("One directory does not take all topics; who gets none waits, and loses nothing")
    func waits() throws {
        let broker = try BrokerProcess()
        let reader = try KafkaReader(broker)
        let agent = try agent(broker, kafka: "key: \"{app}\"")
        try agent.start()
        try eventually("it is told; \(agent.said)") {
            agent.said.contains("limits.topics is reached")
        }
        try agent.home.write("logs/shop/orders.log", "an order\n")
        try eventually("another directory has its topic; \(agent.said)") {
            reader.texts("logs.orders") == ["an order"]
        }
        try eventually("the two that have theirs") { reader.count == 5 }
        let metrics = try Metrics(agent.address())
        #expect(metrics["shipper_topics"] == 3)
        #expect(metrics["shipper_topics_limit"] == 4)
        #expect(metrics["shipper_topics_refused_total"] == 8)
        #expect(try agent.stop() == .code(0))
        #expect(try agent.registry().count { $0.lag > 0 && $0.offset == 0 } == 8)
        try agent.configure { $0.replace("topics: 4", with: "topics: 40") }
        #expect(try agent.once() == .code(0), "\(agent.said)")
        try eventually("all is there, once") { reader.count == 21 }
        for number in 0..<10 {
            #expect(reader.texts("logs.g\(number)") == ["g\(number) a", "g\(number) b"])
        }
    }

    @Test("With a fallback topic who gets none goes there, under its key and in order")
    func fallback() throws {
        let broker = try BrokerProcess()
        let reader = try KafkaReader(broker)
        let agent = try agent(broker, kafka: "key: \"{app}\", fallback_topic: logs.unknown")
        #expect(try agent.once() == .code(0), "\(agent.said)")
        try eventually("all is there") { reader.count == 20 }
        let strays = reader.records("logs.unknown")
        #expect(strays.count == 16)
        for key in Set(strays.map(\.keyText)) {
            #expect(strays.filter { $0.keyText == key }.map(\.text) == ["\(key) a", "\(key) b"])
        }
        #expect(agent.said.contains("stream=\"goes to logs.unknown\""), "\(agent.said)")
    }

    @Test("Two names that Kafka would take for one are told, and do not meet in one topic")
    func collision() throws {
        let broker = try BrokerProcess()
        let reader = try KafkaReader(broker)
        let agent = try Agent(
            broker.address, path: "{app}/a.log",
            kafka: "topic: \"logs.{app}\", codec: raw, fallback_topic: logs.unknown")
        try agent.home.write("logs/a b/a.log", "blank\n")
        try agent.home.write("logs/a_b/a.log", "line\n")
        #expect(try agent.once() == .code(0), "\(agent.said)")
        try eventually("both are there") { reader.count == 2 }
        #expect(reader.records("logs.a_b").count == 1)
        #expect(reader.records("logs.unknown").count == 1)
        #expect(agent.said.contains("two names become one topic"), "\(agent.said)")
        #expect(agent.said.contains("each such character is _"), "\(agent.said)")
    }
}
