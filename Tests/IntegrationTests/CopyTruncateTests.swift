import Glibc
import Platform
import Shipper
import TestSupport
import Testing

@Suite("Files that somebody copies and truncates under their writer", .serialized)
struct CopyTruncateTests {
    @Test(
        "T14: logrotate's copytruncate 20 times under a live writer: what is kept arrives, once",
        arguments: ["app.log", "app.log*"])
    func logrotate(path: String) throws {
        let broker = try BrokerProcess(topics: ["logs"])
        let reader = try KafkaReader(broker)
        let agent = try Agent(broker.address, path: path, kafka: "topic: logs, codec: raw")
        let source = LineSource("w", payload: 30...90)
        let log = agent.log("app.log")
        let configuration = try agent.home.write(
            "logrotate.conf",
            "\(log) {\n rotate 50\n size 1\n copytruncate\n missingok\n nocompress\n}\n")
        try setMode(configuration, 0o644)
        let program = try findProgram("logrotate", package: "logrotate")
        try agent.start()
        let limit = Shared(0)
        // Not more ahead of the consumer than the mock broker keeps.
        let writer = try LiveWriter(log, source, atOnce: 5) {
            $0 - reader.count < 20_000 && $0 < limit.current
        }
        for round in 1...20 {
            limit.with { $0 += 2_000 }
            // It has half of it still to write, and does while the file is copied and truncated.
            let half = limit.current - 1_000
            try eventually("the writer goes on; \(agent.said)") { writer.written >= half }
            let run = try ChildProcess(
                program, ["-f", "-s", agent.home.path("logrotate.state"), configuration])
            #expect(try run.wait() == .code(0), "\(run.errors)")
            #expect(try agent.home.names("logs").count == round + 1)
        }
        try eventually("the writer is through; \(agent.said)") { writer.written >= 40_000 }
        let written = try writer.stop()
        let kept = try kept(agent, of: source, lines: written)
        // What is there for good has to come; and where nothing else does, that is all.
        var lost = kept.lines
        do {
            try eventually("all that is kept") {
                let arrived = Set(reader.texts())
                lost = kept.lines.filter { !arrived.contains($0) }
                return lost.isEmpty
            }
        } catch {
            throw Unexpected(
                description: "\(lost.count) of \(kept.lines.count) lost: \(lost.prefix(3)), "
                    + "\(lost.suffix(3)); \(agent.said)")
        }
        #expect(try agent.stop() == .code(0))
        let texts = reader.texts()
        let repeats = texts.count - Set(texts).count
        #expect(repeats == 0, "\(agent.said)")
        // More than is kept may have arrived; nothing else than what was written, but for the
        // beginnings of lines that a copy ends with and whose ends were truncated away.
        let all = Set(source.texts(0..<written))
        let foreign = texts.filter { !all.contains($0) && !kept.torn.contains($0) }
        #expect(foreign.isEmpty, "\(foreign.prefix(3))")
        let numbers = texts.filter { all.contains($0) }.compactMap {
            Int($0.split(separator: " ")[1])
        }
        let swaps = zip(numbers, numbers.dropFirst()).filter { $0 > $1 }
        #expect(swaps.isEmpty, "\(swaps.prefix(5)); \(agent.said)")
    }

    /// The lines that are whole in the file or a copy of it, in order, and what is there of others.
    private func kept(
        _ agent: Agent, of source: LineSource, lines: Int
    ) throws -> (lines: [String], torn: Set<String>) {
        let all = Set(source.texts(0..<lines))
        var kept: [String] = []
        var torn: Set<String> = []
        let names = try agent.home.names("logs")
        for number in stride(from: names.count - 1, through: 0, by: -1) {
            let name = number == 0 ? "app.log" : "app.log.\(number)"
            for part in try readFile(agent.log(name)).split(separator: 10) {
                let text = String(decoding: part, as: UTF8.self)
                if all.contains(text) { kept.append(text) } else { torn.insert(text) }
            }
        }
        return (kept, torn)
    }

    @Test(
        "T19: a writer that goes on where it stood after a truncation: its hole is no part of a line",
        arguments: [100, 5_000, 1_000_000])
    func hole(size: Int) throws {
        let broker = try BrokerProcess(topics: ["logs"])
        let reader = try KafkaReader(broker)
        let agent = try Agent(broker.address, path: "app.log", kafka: "topic: logs, codec: raw")
        let source = LineSource("w", payload: 50...50)
        let writer = try Descriptor.open(agent.log("app.log"), O_WRONLY | O_CREAT, mode: 0o644)
        try agent.start()
        var next = 0
        for round in 0..<5 {
            let count = max(2, size / source.lines(0..<1).count)
            // Not more at a time than the mock broker keeps.
            try writer.write(source.lines(next..<next + count))
            next += count
            try eventually("round \(round), \(reader.count) of \(next); \(agent.said)") {
                reader.count >= next
            }
            try writer.truncate(to: 0)
        }
        try writer.write(source.lines(next..<next + 2))
        next += 2
        try eventually("the last lines; \(agent.said)") { reader.count >= next }
        #expect(try agent.stop() == .code(0))
        #expect(difference(reader.texts(), source.texts(0..<next)) == nil)
        // Nor by a run that finds the hole.
        try writer.write(source.lines(next..<next + 2))
        next += 2
        #expect(try agent.once() == .code(0), "\(agent.said)")
        try eventually("the rest") { reader.count >= next }
        #expect(difference(reader.texts(), source.texts(0..<next)) == nil)
        #expect(try AuditCount.of(broker) == next)
    }
}
