import Shipper
import TestSupport
import Testing

@Suite(
    "At SIGTERM and SIGINT what was read is delivered and saved, and nothing is said that is not")
struct ShutdownTests {
    @Test(
        "A signal stops reading, delivers what was read, saves it and exits 0", arguments: [15, 2])
    func flush(signal: Int32) throws {
        let broker = try BrokerProcess(topics: ["logs"])
        let reader = try KafkaReader(broker)
        let agent = try Agent(broker.address, path: "*.log", kafka: "topic: logs, codec: raw")
        let source = LineSource("w")
        // Slow enough that much is under way when the signal comes.
        try broker.setRoundTrip(milliseconds: 200)
        try agent.home.write("logs/a.log", source.lines(0..<50_000))
        try agent.start()
        try eventually("the first lines; \(agent.said)") { reader.count > 0 }
        #expect(try agent.stop(signal) == .code(0))
        try broker.setRoundTrip(milliseconds: 0)

        // What is saved is what is there: the offset is the end of the last line delivered.
        let delivered = try AuditCount.of(broker)
        #expect(try agent.entry("a.log")?.offset == source.lines(0..<delivered).count)
        #expect(agent.said.contains("records_undelivered=0"), "\(agent.said)")

        #expect(try agent.once() == .code(0), "\(agent.said)")
        try eventually("the rest") { reader.count >= 50_000 }
        #expect(try AuditCount.of(broker) == 50_000)
        #expect(
            reader.texts() == (0..<50_000).map { String(decoding: source.line($0), as: UTF8.self) })
    }

    enum Outage: CaseIterable { case stopped, down, killed }

    @Test(
        "K10: without a broker it ends in time, and nothing is marked delivered that was not",
        arguments: Outage.allCases)
    func brokerAway(outage: Outage) throws {
        let broker = try BrokerProcess(topics: ["logs"])
        let reader = try KafkaReader(broker)
        let agent = try Agent(
            broker.address, path: "*.log", kafka: "topic: logs, codec: raw",
            more: "shutdown_timeout: 2s\nlimits: {in_flight: 1MiB}")
        let source = LineSource("w")
        let first = source.lines(0..<1_000)
        try agent.home.write("logs/a.log", first)
        try agent.start()
        try eventually("the first lines; \(agent.said)") {
            try agent.entry("a.log")?.offset == first.count
        }
        switch outage {
        case .stopped: broker.pause()
        case .down: try broker.takeDown()
        case .killed: broker.kill()
        }
        try agent.home.append(
            "logs/a.log", String(decoding: source.lines(1_000..<20_000), as: UTF8.self))
        // The new lines were seen when reading has moved on; the file is read through one descriptor,
        // so what it holds of it shows in its memory only. The signal comes at any moment of this.
        let clock = ContinuousClock()
        let begin = clock.now
        #expect(try agent.stop() == .code(0))
        let time = clock.now - begin
        // As much longer as a pod is given beyond shutdown_timeout (terminationGracePeriodSeconds).
        #expect(time < .seconds(2 + 20), "it took \(time)")

        let saved = try #require(try agent.entry("a.log")?.offset)
        switch outage {
        case .stopped: broker.resume()
        case .down: try broker.bringUp()
        case .killed:
            // Its records went with it: what was saved stays, and another broker gets the rest.
            #expect(saved == first.count)
            let another = try BrokerProcess(topics: ["logs"])
            let rest = try KafkaReader(another)
            try agent.configure { text in
                text = text.split(separator: broker.address).joined(separator: another.address)
            }
            #expect(try agent.once() == .code(0), "\(agent.said)")
            try eventually("the rest") { rest.count >= 19_000 }
            #expect(rest.texts() == (1_000..<20_000).map { text(source, $0) })
            return
        }
        // What reached the broker without an answer may come twice; nothing before `saved` does.
        #expect(try agent.once() == .code(0), "\(agent.said)")
        let count = try AuditCount.of(broker)
        try eventually("the consumer has read all") { reader.count == count }
        var audit = Audit()
        audit.expect(source, lines: 20_000)
        for record in reader.records { audit.arrived(record.value) }
        #expect(audit.report.isComplete, "\(audit.report)")
        let repeated = reader.texts().count - Set(reader.texts()).count
        #expect(repeated == audit.report.duplicated)
        #expect(repeated * 20 <= 1 << 20)
        #expect(saved >= first.count)
        #expect(try agent.entry("a.log")?.lag == 0)
    }

    @Test("A signal in the first moment, before anything was read, is obeyed as well")
    func atOnce() throws {
        let broker = try BrokerProcess(topics: ["logs"])
        let agent = try Agent(broker.address, path: "*.log")
        try agent.home.write("logs/a.log", "one\n")
        try agent.start()
        #expect(try agent.stop() == .code(0))
        #expect(try agent.once() == .code(0))
        #expect(try AuditCount.of(broker) == 1)
    }

    @Test("A second signal ends the wait for deliveries at once", arguments: [[15, 2], [2, 2]])
    func second(signals: [Int32]) throws {
        let broker = try BrokerProcess(topics: ["logs"])
        let agent = try Agent(
            broker.address, path: "*.log", kafka: "topic: logs, codec: raw",
            more: "shutdown_timeout: 1h")
        broker.pause()
        try agent.home.write("logs/a.log", LineSource("w").lines(0..<1_000))
        try agent.start()
        try eventually("it is open; \(agent.said)") {
            try agent.process.openFiles(beneath: agent.home.path("logs")).count == 1
        }
        agent.process.signal(signals[0])
        try eventually("it waits; \(agent.said)") { agent.said.contains("stopping signal=") }
        #expect(try agent.stop(signals[1]) == .code(0))
        #expect(agent.said.contains("not waiting for deliveries any more signal=SIGINT"))
        broker.resume()
        #expect(try agent.once() == .code(0), "\(agent.said)")
        #expect(try agent.entry("a.log")?.lag == 0)
    }

    private func text(_ source: LineSource, _ sequence: Int) -> String {
        String(decoding: source.line(sequence), as: UTF8.self)
    }
}
