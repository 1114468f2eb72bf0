import Shipper
import TestSupport
import Testing

@Suite("run --once reads what is there, delivers it, saves, and ends")
struct OnceTests {
    @Test("An unterminated tail is neither shipped nor passed, and a second run ships nothing")
    func tail() throws {
        let broker = try BrokerProcess(topics: ["logs"])
        let reader = try KafkaReader(broker)
        let agent = try Agent(broker.address, path: "*.log")
        try agent.home.write("logs/a.log", "one\ntwo\nthr")
        try agent.home.write("logs/b.log", "no end")
        try agent.home.write("logs/c.log", "")
        #expect(try agent.once() == .code(0), "\(agent.said)")
        try reader.waitFor(["one", "two"])
        #expect(try agent.entry("a.log")?.offset == 8)
        #expect(try agent.entry("b.log")?.offset == 0)

        #expect(try agent.once() == .code(0), "\(agent.said)")
        #expect(try AuditCount.of(broker) == 2)

        try agent.home.append("logs/a.log", "ee\n")
        #expect(try agent.once() == .code(0), "\(agent.said)")
        try reader.waitFor(["one", "two", "three"])
        #expect(try reader.messages() == ["one", "two", "three"])
        #expect(try reader.records("logs").map { try $0.document().log.offset } == [0, 4, 8])
        #expect(try agent.entry("a.log")?.offset == 14)
    }

    @Test("The end is each file's size at the start, while its writer goes on")
    func sizeAtStart() throws {
        let broker = try BrokerProcess(topics: ["logs"])
        let agent = try Agent(
            broker.address, path: "a.log", kafka: "topic: logs, codec: raw",
            more: "limits: {in_flight: 256KiB}")
        let source = LineSource("w")
        let before = 20_000
        let bytes = source.lines(0..<before)
        try agent.home.write("logs/a.log", bytes)
        // It has started to read and cannot finish: now the writer goes on.
        broker.pause()
        let run = try agent.launch(["run", "--config", agent.config, "--once"])
        try eventually("the file is open; \(agent.said)") {
            try run.openFiles(beneath: agent.log(".").dropLast(2).description).count == 1
        }
        try agent.home.append(
            "logs/a.log", String(decoding: source.lines(before..<before + 1_000), as: UTF8.self))
        broker.resume()
        #expect(try run.wait() == .code(0), "\(agent.said)")
        #expect(try AuditCount.of(broker) == before)
        #expect(try agent.entry("a.log")?.offset == bytes.count)
        #expect(try agent.once() == .code(0), "\(agent.said)")
        #expect(try AuditCount.of(broker) == before + 1_000)
    }

    @Test("Every file that matches is read, archives of s6 before current")
    func directories() throws {
        let broker = try BrokerProcess(topics: ["logs"])
        let reader = try KafkaReader(broker)
        let agent = try Agent(broker.address, path: "**/current")
        let source = LineSource("w")
        let writer = try S6Writer(
            directory: agent.log("deep/er/log"), directives: ["n1000", "s4096"])
        try writer.write(source, 0..<2_000, chunk: 10)
        try writer.finish()
        #expect(try agent.once() == .code(0), "\(agent.said)")
        try eventually("all lines") { reader.count >= 2_000 }
        var audit = Audit()
        audit.expect(source, lines: 2_000)
        for message in try reader.messages() { audit.arrived(Array(message.utf8)) }
        #expect(audit.report.isClean, "\(audit.report)")
    }
}
