import Platform
import Shipper
import TestSupport
import Testing

@Suite("D5: SIGHUP has the configuration read again, and no line is lost for it or sent twice")
struct ReloadTests {
    private static let raw = "topic: logs, codec: raw"

    /// Waits until the reload that SIGHUP asks for is done, and it has come out so.
    private func reload(_ agent: Agent, _ outcome: String) throws {
        let before = agent.said.split(separator: outcome).count
        agent.process.signal(1)
        try eventually("\(outcome); \(agent.said)") {
            agent.said.split(separator: outcome).count > before
        }
    }

    private func edit(_ agent: Agent, _ old: String, _ new: String) throws {
        try agent.configure { $0 = $0.replacing(old, with: new) }
    }

    private static let applied = "the changed configuration runs"
    private static let refused = "the changed configuration is refused"

    @Test("Inputs come, change and go; those that stay keep their positions")
    func inputs() throws {
        let broker = try BrokerProcess(topics: ["logs", "other"])
        let reader = try KafkaReader(broker)
        let agent = try Agent(broker.address, path: "a/*.log", kafka: Self.raw)
        try agent.home.write("logs/a/a.log", "a1\n")
        try agent.home.write("logs/b/b.log", "b1\n")
        try agent.start()
        try eventually("the first; \(agent.said)") { reader.count == 1 }

        let second = """
              - {name: more, paths: ["\(agent.log("b"))/*.log"]}
            output:
            """
        try edit(agent, "output:", second)
        try reload(agent, Self.applied)
        #expect(agent.said.contains("inputs_added=more inputs_changed=none inputs_removed=none"))
        try agent.home.append("logs/a/a.log", "a2\n")
        try eventually("both; \(agent.said)") { Set(reader.texts()) == ["a1", "a2", "b1"] }

        try edit(agent, "{name: more,", "{name: more, exclude_lines: [\"secret\"],")
        try reload(agent, Self.applied)
        #expect(agent.said.contains("inputs_added=none inputs_changed=more inputs_removed=none"))
        try agent.home.append("logs/b/b.log", "a secret\nb2\n")
        try eventually("what is left; \(agent.said)") { reader.texts().contains("b2") }

        try edit(agent, "name: logs,", "name: renamed,")
        try reload(agent, Self.applied)
        #expect(agent.said.contains("inputs_added=renamed inputs_changed=none inputs_removed=logs"))
        try agent.home.append("logs/a/a.log", "a3\n")
        try eventually("on from there; \(agent.said)") { reader.texts().contains("a3") }
        #expect(try agent.stop() == .code(0))
        #expect(Set(reader.texts()) == ["a1", "a2", "a3", "b1", "b2"])
        #expect(reader.count == 5, "\(reader.texts())")
        #expect(agent.said.contains("records_delivered=5"), "\(agent.said)")
    }

    @Test("U4: what is wrong is refused and told, and the old one goes on")
    func wrong() throws {
        let broker = try BrokerProcess(topics: ["logs"])
        let reader = try KafkaReader(broker)
        let agent = try Agent(
            broker.address, path: "*.log", kafka: Self.raw,
            more: "http: {listen: \"127.0.0.1:0\"}")
        try agent.start()
        let address = try agent.address()
        let hash = try #require(try Metrics(address)["shipper_config_hash"])

        try edit(agent, "paths:", "path:")
        try reload(agent, Self.refused)
        #expect(agent.said.contains("shipper.yaml:3:"), "\(agent.said)")
        let ready = try httpGet(address, "/readyz")
        #expect(ready.status == 503)
        #expect(ready.body.contains("configuration: an older one runs"), "\(ready.body)")
        #expect(try httpGet(address, "/healthz").status == 200)
        try agent.home.write("logs/a.log", "one\n")
        try eventually("it goes on; \(agent.said)") { reader.count == 1 }

        try edit(agent, "path:", "paths:")
        try edit(agent, "data:", "data: /nowhere #")
        try reload(agent, Self.refused)
        #expect(agent.said.contains("data cannot be changed while the agent runs"))

        try edit(agent, "data: /nowhere #", "data:")
        try reload(agent, "the configuration is the same as before")
        let page = try Metrics(address)
        #expect(page["shipper_config_hash"] == hash)
        #expect(page["shipper_config_reloads_total{result=\"refused\"}"] == 2)
        #expect(page["shipper_config_reloads_total{result=\"unchanged\"}"] == 1)
        try eventually("it is ready again") { try httpGet(address, "/readyz").status == 200 }
        #expect(try agent.stop() == .code(0))
    }

    @Test("What cannot be started is refused, too: an address that another one has")
    func cannotStart() throws {
        let broker = try BrokerProcess(topics: ["logs"])
        let reader = try KafkaReader(broker)
        let agent = try Agent(
            broker.address, path: "*.log", kafka: Self.raw,
            more: "http: {listen: \"127.0.0.1:0\"}")
        try agent.start()
        let first = try agent.address()
        try edit(agent, "listen: \"127.0.0.1:0\"", "listen: \"\(broker.address)\"")
        try reload(agent, Self.refused)
        #expect(agent.said.contains("Address already in use"), "\(agent.said)")
        try agent.home.write("logs/a.log", "one\n")
        try eventually("it goes on; \(agent.said)") { reader.count == 1 }
        #expect(try httpGet(try agent.address(), "/healthz").status == 200)

        try edit(agent, "listen: \"\(broker.address)\"", "listen: none")
        try reload(agent, Self.applied)
        #expect(throws: (any Error).self) { try httpGet(first, "/healthz") }
        #expect(try agent.stop() == .code(0))
    }

    @Test("It waits for what only its descriptors keep: a removed file that Kafka holds up")
    func waits() throws {
        let broker = try BrokerProcess(topics: ["logs"])
        let reader = try KafkaReader(broker)
        let agent = try Agent(
            broker.address, path: "*.log", kafka: Self.raw, more: "limits: {in_flight: 256KiB}")
        let source = LineSource("w")
        try agent.start()
        broker.pause()
        try agent.home.write("logs/a.log", source.lines(0..<20_000))
        try eventually("it is open; \(agent.said)") {
            try agent.process.openFiles(beneath: agent.home.path("logs")).count == 1
        }
        try remove(agent.log("a.log"))
        try eventually("it is held; \(agent.said)") {
            try agent.process.openFiles(beneath: agent.home.path("logs"))
                .contains { $0.hasSuffix(" (deleted)") }
        }
        try edit(agent, "in_flight: 256KiB", "in_flight: 512KiB")
        try reload(agent, "the changed configuration waits")
        #expect(agent.said.contains("for=\"lines that are on no disk any more"), "\(agent.said)")
        #expect(agent.said.contains("another_SIGHUP=\"loses them"), "\(agent.said)")
        #expect(!agent.said.contains(Self.applied))
        broker.resume()
        try eventually("it is done; \(agent.said)") { agent.said.contains(Self.applied) }
        try eventually("all; \(agent.said)") { reader.count == 20_000 }
        #expect(
            reader.texts() == (0..<20_000).map { String(decoding: source.line($0), as: UTF8.self) })
        #expect(try agent.stop() == .code(0))
    }

    @Test("A second SIGHUP ends the wait")
    func forced() throws {
        let broker = try BrokerProcess(topics: ["logs"])
        let agent = try Agent(
            broker.address, path: "*.log", kafka: Self.raw,
            more: "limits: {in_flight: 256KiB}\nshutdown_timeout: 1s")
        try agent.start()
        try agent.home.write("logs/a.log", "one\n")
        try eventually("it is delivered; \(agent.said)") { try AuditCount.of(broker) == 1 }
        // Moved away, and read on through its descriptor: nobody finds it after a restart.
        broker.pause()
        try agent.home.append("logs/a.log", String(repeating: "x\n", count: 1_000_000))
        try rename(agent.log("a.log"), agent.home.path("moved"))
        try agent.configure { $0 = $0.replacing("256KiB", with: "512KiB") }
        try reload(agent, "the changed configuration waits")
        #expect(!agent.said.contains(Self.applied))
        try eventually("it means it; \(agent.said)") {
            guard !agent.said.contains(Self.applied) else { return true }
            agent.process.signal(1)
            return false
        }
        broker.kill()
        #expect(try agent.stop() == .code(0))
    }

    @Test("Brokers that are away need not come back for others to take their place")
    func otherBrokers() throws {
        let old = try BrokerProcess(topics: ["logs"])
        let new = try BrokerProcess(topics: ["logs"])
        let reader = try KafkaReader(new)
        let agent = try Agent(
            old.address, path: "*.log", kafka: Self.raw, more: "shutdown_timeout: 1s")
        try agent.start()
        old.pause()
        try agent.home.write("logs/a.log", LineSource("w").lines(0..<1_000))
        try eventually("it is read; \(agent.said)") {
            try agent.process.openFiles(beneath: agent.home.path("logs")).count == 1
        }
        try edit(agent, old.address, new.address)
        try reload(agent, Self.applied)
        try eventually("all; \(agent.said)") { reader.count == 1_000 }
        #expect(try agent.stop() == .code(0))
        #expect(reader.count == 1_000)
    }

    @Test("Eight times under a writer: each line once and in order, and nothing is left open")
    func often() throws {
        let broker = try BrokerProcess(topics: ["logs"])
        let reader = try KafkaReader(broker)
        let agent = try Agent(
            broker.address, path: "*.log", kafka: Self.raw,
            more: "http: {listen: \"127.0.0.1:0\"}\nlimits: {in_flight: 1MiB}")
        let source = LineSource("w")
        try agent.start()
        let address = try agent.address()
        var written = 0
        var descriptors: [Int] = []
        for round in 1...8 {
            try agent.home.append(
                "logs/a.log",
                String(decoding: source.lines(written..<written + 2_000), as: UTF8.self))
            written += 2_000
            try edit(agent, "in_flight: \(round)MiB", "in_flight: \(round + 1)MiB")
            try reload(agent, Self.applied)
            descriptors.append(try agent.process.descriptorCount())
        }
        try eventually("all; \(agent.said)") { reader.count >= written }
        #expect(reader.count == written)
        #expect(
            reader.texts() == (0..<written).map { String(decoding: source.line($0), as: UTF8.self) }
        )
        // Connections to the broker come and go.
        #expect(descriptors[7] <= descriptors[1] + 6, "\(descriptors)")
        let page = try Metrics(address)
        #expect(page["shipper_records_delivered_total"] == Double(written))
        #expect(page["shipper_config_reloads_total{result=\"applied\"}"] == 8)
        try eventually("nothing waits") { try Metrics(address)["shipper_lag_bytes"] == 0 }
        #expect(try Metrics(address)["shipper_records_waiting"] == 0)
        #expect(try agent.stop() == .code(0))
        #expect(agent.said.contains("records_delivered=\(written)"), "\(agent.said)")
    }

    @Test("With --once it is for the configuration that it began with")
    func once() throws {
        let broker = try BrokerProcess(topics: ["logs"])
        let agent = try Agent(broker.address, path: "*.log", kafka: Self.raw)
        try agent.home.write("logs/a.log", "one\n")
        broker.pause()
        try agent.launch(["run", "--config", agent.config, "--once"])
        try eventually("it runs; \(agent.said)") { agent.said.contains(" started ") }
        agent.process.signal(1)
        try eventually("it is told; \(agent.said)") { agent.said.contains("SIGHUP ignored") }
        broker.resume()
        #expect(try agent.process.wait() == .code(0))
        #expect(try AuditCount.of(broker) == 1)
    }
}
