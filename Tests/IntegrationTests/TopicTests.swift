import Shipper
import TestSupport
import Testing

@Suite("A topic in trouble stops its own streams and no others")
struct TopicTests {
    @Test("K4: an unknown topic blocks its own streams, others flow; when it is there, it flows")
    func unknownTopic() throws {
        let broker = try BrokerProcess(topics: ["logs.good", "logs.bad"])
        try broker.setTopic("logs.bad", .unknownTopic)
        let reader = try KafkaReader(broker, topics: ["logs.good", "logs.bad"])
        let agent = try Agent(
            broker.address, path: "{app}/{pod}/log/current",
            kafka: "topic: \"logs.{app}\", codec: raw, "
                + "librdkafka: {topic.metadata.propagation.max.ms: \"100\", "
                + "topic.metadata.refresh.fast.interval.ms: \"50\"}",
            more: "limits: {in_flight: 1MiB}")
        let sources = ["good", "bad"].map { LineSource($0) }
        for source in sources {
            // More than the credit, so that the blocked stream has all it can get.
            try agent.home.write("logs/\(source.writer)/pod/log/current", source.lines(0..<20_000))
        }
        try agent.start()
        try eventually("the good topic's lines; \(agent.said)") {
            reader.records("logs.good").count >= 20_000
        }
        try eventually("the log says which stream waits; \(agent.said)") {
            agent.said.contains("stream waits for its topic topic=logs.bad")
        }
        try agent.home.append(
            "logs/good/pod/log/current",
            String(decoding: sources[0].lines(20_000..<21_000), as: UTF8.self))
        try eventually("the good topic goes on; \(agent.said)") {
            reader.records("logs.good").count >= 21_000
        }
        #expect(reader.records("logs.bad").isEmpty)
        let bad = try #require(try agent.entry("bad/pod/log/current"))
        #expect(bad.offset == 0)

        try broker.setTopic("logs.bad", .none)
        try eventually("the bad topic's lines; \(agent.said)") {
            reader.records("logs.bad").count >= 20_000
        }
        try eventually("the log says that it flows; \(agent.said)") {
            agent.said.contains("stream flows again topic=logs.bad")
        }
        #expect(try agent.stop() == .code(0))
        for (source, lines) in zip(sources, [21_000, 20_000]) {
            var audit = Audit()
            audit.expect(source, lines: lines)
            for record in reader.records("logs.\(source.writer)") { audit.arrived(record.value) }
            #expect(audit.report.isClean, "\(audit.report)")
        }
        #expect(try agent.registry().allSatisfy { $0.lag == 0 })
    }

    @Test("K19: lines of several days are in the topics of their days, each once and in order")
    func dated() throws {
        let days = ["2026-11-23", "2026-11-24", "2026-11-26"]
        let topics = days.map { "logs-\($0.replacing("-", with: "."))" }
        let broker = try BrokerProcess(topics: topics)
        let reader = try KafkaReader(broker, topics: Set(topics))
        let agent = try Agent(
            broker.address, path: "*.log", input: "format: s6",
            kafka: "topic: \"logs-{+yyyy.MM.dd}\", codec: raw",
            more: "limits: {in_flight: 256KiB}")
        // Three times what may be in flight.
        let text = days.map { day in
            (0..<10_000).map { "\(day) 04:02:35.667963265  line \($0)\n" }.joined()
        }.joined()
        try agent.home.write("logs/a.log", text)
        #expect(try agent.once() == .code(0), "\(agent.said)")
        for (day, topic) in zip(days, topics) {
            try eventually("all of \(topic); \(agent.said)") {
                reader.records(topic).count >= 10_000
            }
            let expected = (0..<10_000).map { "\(day) 04:02:35.667963265  line \($0)" }
            #expect(reader.texts(topic) == expected)
        }
        #expect(try agent.registry().allSatisfy { $0.lag == 0 })
    }

    /// With the settings that everybody has: what is told takes no longer than that.
    @Test("K4: a topic that nobody made is told with what to do, and readiness names it")
    func missingTopic() throws {
        let broker = try BrokerProcess(topics: ["logs.bad"])
        try broker.setTopic("logs.bad", .unknownTopic)
        let agent = try Agent(
            broker.address, path: "{app}.log", kafka: "topic: \"logs.{app}\", codec: raw",
            more: "http: {listen: \"127.0.0.1:0\"}")
        try agent.home.write("logs/bad.log", "one\n")
        try agent.start()
        let hint =
            "create the topic, or let the brokers create topics (auto.create.topics.enable)"
        try eventually("the log says what to do; \(agent.said)") {
            agent.said.contains("hint=\"\(hint)\"")
        }
        let address = try agent.address()
        let unready = try httpGet(address, "/readyz")
        #expect(unready.status == 503)
        #expect(
            unready.body.split(separator: "\n").contains {
                $0.hasPrefix("topic logs.bad: ") && $0.hasSuffix("; \(hint)")
            }, "\(unready.body)")
        #expect(try httpGet(address, "/healthz").status == 200)
        try broker.setTopic("logs.bad", .none)
        try eventually("it is ready; \(agent.said)") {
            try httpGet(address, "/readyz").status == 200
        }
        #expect(try !httpGet(address, "/readyz").body.contains("logs.bad"))
        #expect(try agent.stop() == .code(0))
        #expect(try agent.entry("bad.log")?.lag == 0)
    }

    @Test("K4: a run with --once and a time limit ends with 1 for a topic that nobody made")
    func once() throws {
        let broker = try BrokerProcess(topics: ["logs"])
        try broker.setTopic("logs", .unknownTopic)
        let agent = try Agent(broker.address, path: "a.log")
        try agent.home.write("logs/a.log", "one\n")
        let run = try agent.launch(
            ["run", "--config", agent.config, "--once", "--timeout", "6s"])
        #expect(try run.wait() == .code(1), "\(agent.said)")
        #expect(agent.said.contains("stream waits for its topic topic=logs"), "\(agent.said)")
        #expect(try agent.entry("a.log")?.offset == 0)
    }
}
