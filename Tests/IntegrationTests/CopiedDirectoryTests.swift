import Shipper
import TestSupport
import Testing

@Suite("An s6 log directory that was copied goes on")
struct CopiedDirectoryTests {
    private func start() throws -> (BrokerProcess, KafkaReader, Agent) {
        let broker = try BrokerProcess(topics: ["logs"])
        let agent = try Agent(
            broker.address, path: "*/current", kafka: "topic: logs, codec: raw")
        return (broker, try KafkaReader(broker), agent)
    }

    @Test(
        "copied to new inodes while no agent runs, its lines come once and in order",
        arguments: Since.allCases, [false, true])
    fileprivate func copied(_ since: Since, hasState: Bool) throws {
        let (broker, reader, agent) = try start()
        let files = try S6Files(agent)
        // s6-log has one, multilog and svlogd have none.
        if hasState { try agent.home.write("logs/svc/state", "") }
        for _ in 0..<2 {
            try files.write()
            try files.archive()
        }
        try files.write(to: "previous")
        try files.write()
        #expect(try agent.once() == .code(0), "\(agent.said)")
        try eventually("what was there; \(agent.said)") { reader.count == files.written }
        try files.copy()
        switch since {
        case .nothing: break
        case .lines: try files.write()
        case .rotation, .rotations:
            try files.archive("previous")
            try files.write()
            try rename(files.path("current"), files.path("previous"))
            try files.write()
            if since == .rotations {
                try files.archive("previous")
                try files.archive()
                try files.write()
            }
        }
        #expect(try agent.once() == .code(0), "\(agent.said)")
        try eventually("what is new; \(agent.said)") { reader.count >= files.written }
        #expect(reader.texts() == files.texts)
        #expect(!agent.said.contains(" warn "), "\(agent.said)")
        #expect(try agent.registry().allSatisfy { $0.lag == 0 })
        #expect(try agent.once() == .code(0), "\(agent.said)")
        #expect(try AuditCount.of(broker) == files.written)
    }

    @Test(
        "copied before anything of its archives was delivered, all comes once and nothing is told as lost"
    )
    func undelivered() throws {
        let (broker, reader, agent) = try start()
        let files = try S6Files(agent)
        for _ in 0..<2 {
            try files.write()
            try files.archive()
        }
        try files.write()
        broker.pause()
        try agent.start()
        try eventually("all are known; \(agent.said)") { try agent.registry().count == 3 }
        agent.process.signal(9)
        _ = try agent.process.wait()
        try files.copy()
        broker.resume()
        #expect(try agent.once() == .code(0), "\(agent.said)")
        try eventually("all of it; \(agent.said)") { reader.count >= files.written }
        #expect(reader.texts() == files.texts)
        #expect(!agent.said.contains("lost path"), "\(agent.said)")
        #expect(try AuditCount.of(broker) == files.written)
    }

    @Test("copied, read on and then removed, it is told of and leaves the registry")
    func removed() throws {
        let (broker, reader, agent) = try start()
        let files = try S6Files(agent)
        try files.write()
        #expect(try agent.once() == .code(0), "\(agent.said)")
        try eventually("what was there; \(agent.said)") { reader.count == files.written }
        try files.copy()
        #expect(try agent.once() == .code(0), "\(agent.said)")
        #expect(try AuditCount.of(broker) == files.written)
        try remove(files.path("current"))
        #expect(try agent.once() == .code(0), "\(agent.said)")
        #expect(agent.said.contains(" path=\(files.path("current")) "), "\(agent.said)")
        #expect(try agent.registry().isEmpty)
    }

    @Test(
        "a current that begins as the lost one did is read whole where an archive came between them"
    )
    func banner() throws {
        let (broker, reader, agent) = try start()
        let banner = (0..<200).map { "what a program says whenever it is started, line \($0)" }
        let text = banner.joined(separator: "\n") + "\n"
        let files = try S6Files(agent)
        try agent.home.write("logs/svc/current", text)
        #expect(try agent.once() == .code(0), "\(agent.said)")
        try eventually("the first; \(agent.said)") { reader.count == banner.count }
        // 1. s6-log rotates, the program is started anew, s6-log rotates again.
        // 2. The oldest archive is removed.
        try files.write(to: "@400000006b03bb00000000a0.s")
        try remove(files.path("current"))
        try agent.home.write("logs/svc/current", text + "and more\n")
        #expect(try agent.once() == .code(0), "\(agent.said)")
        try eventually("the others; \(agent.said)") {
            reader.count >= 2 * banner.count + files.written + 1
        }
        #expect(reader.texts() == banner + files.texts + banner + ["and more"])
        #expect(try AuditCount.of(broker) == 2 * banner.count + files.written + 1)
    }
}

/// What is written to an s6 log directory while no agent runs, besides that it is copied.
private enum Since: String, CaseIterable, CustomTestStringConvertible {
    case nothing, lines, rotation, rotations

    var testDescription: String { rawValue }
}

/// An s6 log directory that is written by hand, so that nothing happens at the same time.
private final class S6Files {
    private let agent: Agent
    private let source = LineSource("w")
    private var labels = 0
    private(set) var written = 0

    init(_ agent: Agent) throws {
        self.agent = agent
        try agent.home.makeDirectory("logs/svc")
    }

    var texts: [String] { source.texts(0..<written) }

    func path(_ name: String) -> String { agent.log("svc/\(name)") }

    func write(to name: String = "current") throws {
        try appendBytes(source.lines(written..<written + 300), to: path(name))
        written += 300
    }

    func archive(_ name: String = "current") throws {
        labels += 1
        try rename(path(name), path("@400000006b03bb000000000\(labels).s"))
    }

    /// As with `cp -a`, and the copy takes its place: no file has its inode.
    func copy() throws {
        try agent.home.makeDirectory("copy")
        for name in try agent.home.names("logs/svc") {
            try appendBytes(readFile(path(name)), to: agent.home.path("copy/\(name)"))
        }
        for name in try agent.home.names("logs/svc") { try remove(path(name)) }
        try removeDirectory(agent.log("svc"))
        try rename(agent.home.path("copy"), agent.log("svc"))
    }
}
