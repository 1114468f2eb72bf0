import Glibc
import Platform
import Shipper
import TestSupport
import Testing

@Suite("A directory that is renamed, or moved away and back, is not sent again")
struct RenamedDirectoryTests {
    /// So many lines have come, each once, and none again in the next run. Where a file may not be asked for by
    /// its handle, one that is out of its directory for a while may be taken for deleted, and come again: of
    /// `moved` lines as many as it happens.
    private func expectOnce(
        _ count: Int, moved: Int = 0, _ agent: Agent, _ reader: KafkaReader,
        _ broker: BrokerProcess
    ) throws {
        let most = MachineFacts.mayAskByHandle ? count : count + moved
        #expect(try agent.stop() == .code(0))
        let sent = try AuditCount.of(broker)
        // Whole files of ten lines.
        #expect(stride(from: count, through: most, by: 10).contains(sent), "\(sent)")
        #expect(Set(reader.texts()).count == count)
        #expect(try agent.once() == .code(0), "\(agent.said)")
        #expect(try AuditCount.of(broker) == sent)
    }

    @Test(
        "what was read and closed in a directory stays known under the directory's new name",
        arguments: NamedLog.all)
    fileprivate func renamed(_ log: NamedLog) throws {
        let broker = try BrokerProcess(topics: ["logs"])
        let reader = try KafkaReader(broker)
        let agent = try Agent(
            broker.address, path: "*/\(log.live)", kafka: "topic: logs, codec: raw")
        try agent.home.makeDirectory("logs/pod")
        try agent.start()
        try log.fill(agent, reader, "pod", "pod")
        try rename(agent.log("pod"), agent.log("moved"))
        try log.write(agent, reader, "moved", "after-the-move")
        // All of it is known by where it is now.
        try eventually("every entry has its new path; \(agent.said)") {
            Set(try agent.registry().map(\.path))
                == Set(([log.live] + log.earlier).map { agent.log("moved/\($0)") })
        }
        try rename(agent.log("moved"), agent.log("pod"))
        try log.write(agent, reader, "pod", "back-again")
        try expectOnce(50, agent, reader, broker)
        #expect(!agent.said.contains(" bytes lost"), "\(agent.said)")
    }

    @Test(
        "what was read and closed in a directory stays known while another one has its name",
        arguments: NamedLog.all)
    fileprivate func swapped(_ log: NamedLog) throws {
        let broker = try BrokerProcess(topics: ["logs"])
        let reader = try KafkaReader(broker)
        let agent = try Agent(
            broker.address, path: "pod/\(log.live)", kafka: "topic: logs, codec: raw")
        for directory in ["logs/pod", "other"] { try agent.home.makeDirectory(directory) }
        try agent.start()
        try log.fill(agent, reader, "pod", "one")
        try rename(agent.log("pod"), agent.home.path("away"))
        try rename(agent.home.path("other"), agent.log("pod"))
        try log.fill(agent, reader, "pod", "other")
        try rename(agent.log("pod"), agent.home.path("other"))
        try rename(agent.home.path("away"), agent.log("pod"))
        try log.write(agent, reader, "pod", "one-is-back")
        try expectOnce(70, moved: 30, agent, reader, broker)
    }

    /// It is not in the directory that is looked at first; in the other one it may not have been seen yet.
    @Test(
        "a file that was read and closed and is moved alone to another directory of the pattern is known there",
        arguments: NamedLog.all)
    fileprivate func movedAlone(_ log: NamedLog) throws {
        let broker = try BrokerProcess(topics: ["logs"])
        let reader = try KafkaReader(broker)
        let agent = try Agent(
            broker.address, path: "*/\(log.live)*", kafka: "topic: logs, codec: raw")
        for directory in ["logs/pod", "logs/other"] { try agent.home.makeDirectory(directory) }
        try agent.start()
        try log.fill(agent, reader, "pod", "pod")
        try log.write(agent, reader, "other", "other")
        let moved = log.earlier.map { agent.log("other/\($0)") }
        for name in log.earlier {
            try rename(agent.log("pod/\(name)"), agent.log("other/\(name)"))
        }
        try eventually("they are known by where they are now, and read; \(agent.said)") {
            let entries = try agent.registry()
            return Set(entries.map(\.path)).isSuperset(of: moved)
                && entries.allSatisfy { $0.offset == $0.size }
        }
        try log.write(agent, reader, "other", "after-the-move")
        try expectOnce(50, moved: 20, agent, reader, broker)
        let entries = try agent.registry()
        #expect(entries.count == 4, "\(entries); \(agent.said)")
        #expect(!agent.said.contains(" bytes lost"), "\(agent.said)")
    }
}

/// A log in a directory, and what its writer makes of its name.
private struct NamedLog: Sendable, CustomTestStringConvertible {
    let live: String
    let earlier: [String]

    var testDescription: String { live }

    static let all = [
        NamedLog(live: "app.log", earlier: ["app.log.2", "app.log.1"]),
        NamedLog(
            live: "current",
            earlier: ["@400000006b03bb0027d04f81.s", "@400000006b03bb0127d04f81.s"]),
    ]

    /// Writes ten lines, and waits until they are there.
    func write(_ agent: Agent, _ reader: KafkaReader, _ directory: String, _ name: String) throws {
        let source = LineSource(name)
        try appendBytes(source.lines(0..<10), to: agent.log("\(directory)/\(live)"))
        let texts = (0..<10).map { String(decoding: source.line($0), as: UTF8.self) }
        try eventually("the lines of \(name); \(agent.said)") {
            Set(reader.texts()).isSuperset(of: texts)
        }
    }

    /// Ten lines in each of the earlier files, which were read when they were live, and in the live one.
    func fill(_ agent: Agent, _ reader: KafkaReader, _ directory: String, _ name: String) throws {
        for earlier in earlier {
            try write(agent, reader, directory, "\(name)-\(earlier)")
            try rename(agent.log("\(directory)/\(live)"), agent.log("\(directory)/\(earlier)"))
            // It is closed when it is known that nobody writes to it.
            try eventually("the rotated file is closed; \(agent.said)") {
                try !agent.process.openFiles(beneath: agent.home.path("logs")).contains {
                    $0.hasSuffix("/\(directory)/\(earlier)") || $0.hasSuffix("/\(live)")
                }
            }
        }
        try write(agent, reader, directory, "\(name)-live")
    }
}
