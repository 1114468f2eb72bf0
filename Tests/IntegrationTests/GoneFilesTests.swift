import Platform
import Shipper
import TestSupport
import Testing

@Suite("What is unread of a file that is nowhere is counted and named")
struct GoneFilesTests {
    /// An agent that has seen a thousand lines that Kafka did not take, and was stopped; the bytes of these.
    private func stopped(
        _ broker: BrokerProcess, name: String = "app.log"
    ) throws -> (agent: Agent, size: Int) {
        let agent = try Agent(
            broker.address, path: "*/\(name)", kafka: "topic: logs, codec: raw",
            more: "shutdown_timeout: 100ms\nhttp: {listen: \"127.0.0.1:0\"}")
        let lines = LineSource("w").lines(0..<1_000)
        try agent.home.makeDirectory("logs/pod")
        try appendBytes(lines, to: agent.log("pod/\(name)"))
        try broker.takeDown()
        try agent.start()
        try eventually("it is seen; \(agent.said)") {
            try agent.entry("pod/\(name)")?.size == lines.count
        }
        #expect(try agent.stop() == .code(0))
        try broker.bringUp()
        return (agent, lines.count)
    }

    private func expectNamed(
        _ agent: Agent, _ size: Int, name: String = "app.log", reason: String = "deleted_unread"
    ) {
        let lost = agent.said.split(separator: "\n").filter { $0.contains("bytes lost") }
        #expect(
            lost.count == 1
                && lost[0].contains(
                    " path=\(agent.log("pod/\(name)")) from=0 to=\(size) reason=\(reason)"),
            "\(agent.said)")
    }

    @Test(
        "a file that was removed while no agent ran is counted as lost",
        arguments: Going.allCases.filter(\.isSeenAtOnce))
    fileprivate func removed(_ going: Going) throws { try expectCounted(going) }

    /// Who may not ask by handle needs two looks, minutes apart.
    @Test(
        "so is one that was removed with all above it, at once",
        .enabled(if: MachineFacts.mayAskByHandle, "\(MachineFacts.askingNeeded)"),
        arguments: Going.allCases.filter { !$0.isSeenAtOnce })
    fileprivate func removedWithAll(_ going: Going) throws { try expectCounted(going) }

    private func expectCounted(_ going: Going) throws {
        let broker = try BrokerProcess(topics: ["logs"])
        let (agent, size) = try stopped(broker, name: going.name)
        try going.go(agent)
        try agent.start()
        try eventually("it is counted; \(agent.said)") {
            try Metrics(agent.address())["shipper_bytes_lost_total{reason=\"deleted_unread\"}"]
                == Double(size)
        }
        #expect(try agent.registry().count == going.known)
        #expect(try agent.stop() == .code(0))
        expectNamed(agent, size, name: going.name)
        // And not once more by the next run.
        try agent.home.makeDirectory("logs")
        #expect(try agent.once() == .code(0))
        expectNamed(agent, size, name: going.name)
    }

    @Test(
        "a run with --once ends with 1 where a file that it knew was removed unread, and the next with 0",
        arguments: Going.allCases)
    fileprivate func once(_ going: Going) throws {
        let broker = try BrokerProcess(topics: ["logs"])
        let (agent, size) = try stopped(broker, name: going.name)
        try going.go(agent)
        #expect(try agent.once() == .code(1), "\(agent.said)")
        expectNamed(agent, size, name: going.name)
        #expect(agent.said.contains(" lines were lost bytes=\(size) "), "\(agent.said)")
        try agent.home.makeDirectory("logs")
        #expect(try agent.once() == .code(0), "\(agent.said)")
        expectNamed(agent, size, name: going.name)
        #expect(try agent.registry().count == going.known)
    }

    @Test(
        "a directory that was moved to where no pattern leads is counted; back again, it is read on"
    )
    func moved() throws {
        let broker = try BrokerProcess(topics: ["logs"])
        let reader = try KafkaReader(broker)
        let (agent, size) = try stopped(broker)
        try rename(agent.log("pod"), agent.home.path("away"))
        #expect(try agent.once() == .code(1), "\(agent.said)")
        if MachineFacts.mayAskByHandle {
            expectNamed(agent, size, reason: "moved_away")
            #expect(
                agent.said.contains(" place=\(agent.home.path("away/app.log")) "), "\(agent.said)")
        } else {
            expectNamed(agent, size)
        }
        try rename(agent.home.path("away"), agent.log("pod"))
        #expect(try agent.once() == .code(0), "\(agent.said)")
        try eventually("its lines") { reader.count == 1_000 }
        #expect(try agent.registry().map(\.state) == ["active"])
    }

    @Test(
        "a log that was moved to another one's directory is read on there, whichever is scanned first",
        arguments: ["a", "z"])
    func movedAmongLogs(_ directory: String) throws {
        let broker = try BrokerProcess(topics: ["logs"])
        let reader = try KafkaReader(broker)
        let (agent, _) = try stopped(broker)
        try agent.home.makeDirectory("logs/\(directory)")
        try rename(agent.log("pod/app.log"), agent.log("\(directory)/app.log"))
        try agent.start()
        try eventually("its lines; \(agent.said)") { reader.count == 1_000 }
        #expect(try agent.stop() == .code(0))
        #expect(!agent.said.contains("bytes lost"), "\(agent.said)")
        #expect(try agent.registry().map(\.stream) == [agent.log("\(directory)/app.log")])
        #expect(try agent.once() == .code(0), "\(agent.said)")
        #expect(try AuditCount.of(broker) == 1_000)
    }

    @Test(
        "a file that no pattern leads to any more is not lost: its position is kept while it is there"
    )
    func patternRemoved() throws {
        let broker = try BrokerProcess(topics: ["logs"])
        let (agent, size) = try stopped(broker)
        try agent.configure { $0.replace("*/app.log", with: "*/other.log") }
        #expect(try agent.once() == .code(0), "\(agent.said)")
        #expect(try agent.registry().map(\.size) == [size])
        #expect(
            agent.said.contains(
                " no pattern leads to files whose positions are kept files=1 bytes_seen_unread=\(size)"
            ), "\(agent.said)")
        try Going.withItsDirectory.go(agent)
        // Who may not ask by handle has it out of sight in one look, and knows in the next one that it is gone.
        try agent.start()
        if MachineFacts.mayAskByHandle {
            try eventually("it is forgotten; \(agent.said)") { try agent.registry().isEmpty }
            #expect(
                agent.said.contains(
                    "no pattern leads to it; its position is forgotten "
                        + "path=\(agent.log("pod/app.log")) offset=0 size=\(size)"),
                "\(agent.said)")
        }
        #expect(try agent.stop() == .code(0))
        #expect(!agent.said.contains("bytes lost"), "\(agent.said)")
        #expect(agent.said.contains(" bytes_lost=0 "), "\(agent.said)")
    }
}

/// How a log that nobody has read to its end goes while no agent runs.
private enum Going: String, CaseIterable, CustomTestStringConvertible {
    case alone, forAnotherFile, withItsNumber, fromAWriterOfArchives, forADirectory
    case currentForAnother, currentWithItsNumber, withItsDirectory, withEverything

    var testDescription: String { rawValue }

    /// The log's name.
    var name: String {
        switch self {
        case .fromAWriterOfArchives, .currentForAnother, .currentWithItsNumber: "current"
        default: "app.log"
        }
    }

    /// Its directory is there.
    var isSeenAtOnce: Bool { self != .withItsDirectory && self != .withEverything }

    func go(_ agent: Agent) throws {
        let inode = try inode(agent.log("pod/\(name)"))
        try remove(agent.log("pod/\(name)"))
        switch self {
        case .alone, .fromAWriterOfArchives: break
        case .forAnotherFile, .currentForAnother:
            try agent.home.write("logs/pod/\(name)", "another log\n")
        case .withItsNumber, .currentWithItsNumber:
            // File systems give numbers out again, most of them at once, to files that are no logs, too.
            for number in 0..<32 {
                let path = try agent.home.write("logs/pod/\(number)", "no log\n")
                if try self.inode(path) == inode { break }
            }
        case .forADirectory: try agent.home.makeDirectory("logs/pod/\(name)")
        case .withItsDirectory: try removeDirectory(agent.log("pod"))
        case .withEverything:
            try removeDirectory(agent.log("pod"))
            try removeDirectory(agent.home.path("logs"))
        }
    }

    private func inode(_ path: String) throws -> UInt64 {
        try FileStatus.glance(at: Array(path.utf8)).inode
    }

    /// Files that are known after that.
    var known: Int { self == .forAnotherFile || self == .currentForAnother ? 1 : 0 }
}
