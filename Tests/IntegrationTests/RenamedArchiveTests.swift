import Glibc
import Platform
import Shipper
import TestSupport
import Testing

@Suite("A log that is compressed under another log's name is shipped once")
struct RenamedArchiveTests {
    private static let rounds = 5
    private static let linesOfRound = 60

    private let broker: BrokerProcess
    private let reader: KafkaReader

    init() throws {
        broker = try BrokerProcess(topics: ["logs"])
        reader = try KafkaReader(broker)
    }

    private func agent(_ naming: ArchiveNaming) throws -> Agent {
        let agent = try Agent(
            broker.address, path: naming.pattern, kafka: "topic: logs, codec: raw",
            more: "log: {level: debug}")
        for directory in ["live/archive", "archive"] {
            try agent.home.makeDirectory("logs/\(directory)")
        }
        return agent
    }

    /// Returns the name of the archive.
    private func rotate(
        _ log: RotatedLog, _ agent: Agent, to name: String, _ compression: Compression
    ) throws -> String {
        try rename(log.path, agent.log(name))
        try log.reopen()
        let archive = try compress(agent.log(name), compression)
        return String(archive.dropFirst(agent.log("").count))
    }

    private func expectOnce(_ log: RotatedLog, _ agent: Agent, _ archives: [String]) throws {
        try log.write(10)
        try eventually("all lines; \(agent.said)") { reader.count >= log.written }
        let expected = Set(archives.map { agent.log($0) })
        try eventually("all archives are known; \(agent.said)") {
            try expected.isSubset(of: agent.registry().map(\.path))
        }
        // Whatever comes twice is on its way by then.
        #expect(try agent.stop() == .code(0))
        #expect(try agent.once() == .code(0), "\(agent.said)")
        #expect(try AuditCount.of(broker) == log.written, "\(agent.said)")
        let texts = reader.texts()
        #expect(
            difference(texts.sorted(), log.source.texts(0..<log.written).sorted()) == nil,
            "\(agent.said)")
        #expect(!agent.said.contains("bytes lost"), "\(agent.said)")
    }

    @Test(
        "when it is read to its end, and when it is compressed before all of it is read",
        arguments: ArchiveNaming.allCases,
        [(true, Compression.gzip), (false, .zstd)])
    func live(_ naming: ArchiveNaming, _ how: (isRead: Bool, compression: Compression)) throws {
        let agent = try agent(naming)
        let log = try RotatedLog(agent.log("live/app.log"), LineSource("w"))
        try agent.start()
        var archives: [String] = []
        for round in 0..<Self.rounds {
            try log.write(how.isRead ? Self.linesOfRound : 10)
            // What it begins with is known.
            try eventually("round \(round); \(agent.said)") { reader.count >= log.written }
            if !how.isRead { try log.write(Self.linesOfRound - 10) }
            archives.append(try rotate(log, agent, to: naming.name(round), how.compression))
        }
        try expectOnce(log, agent, archives)
    }

    @Test(
        "while no agent runs, some of it read and some not",
        arguments: [ArchiveNaming.numbered, .dated, .beside])
    func whileDown(_ naming: ArchiveNaming) throws {
        let agent = try agent(naming)
        let log = try RotatedLog(agent.log("live/app.log"), LineSource("w"))
        var archives: [String] = []
        for round in 0..<3 {
            try agent.start()
            try log.write(Self.linesOfRound)
            try eventually("round \(round); \(agent.said)") { reader.count >= log.written }
            #expect(try agent.stop() == .code(0))
            try log.write(Self.linesOfRound)
            archives.append(try rotate(log, agent, to: naming.name(round), .zstd))
        }
        try agent.start()
        try expectOnce(log, agent, archives)
    }

    @Test(
        "while Kafka is away: what was not read goes on in what was made of it",
        arguments: [ArchiveNaming.epoch, .beneath, .beside])
    func whileKafkaIsAway(_ naming: ArchiveNaming) throws {
        let agent = try agent(naming)
        let log = try RotatedLog(agent.log("live/app.log"), LineSource("w"))
        try agent.start()
        var archives: [String] = []
        for round in 0..<3 {
            try log.write(10)
            try eventually("round \(round); \(agent.said)") { reader.count >= log.written }
            broker.pause()
            try log.write(Self.linesOfRound)
            archives.append(try rotate(log, agent, to: naming.name(round), .zstd))
            broker.resume()
        }
        try expectOnce(log, agent, archives)
    }

    /// What begins alike for a page and is another log is told apart by what was read of it.
    @Test("and one that begins alike is shipped whole")
    func banner() throws {
        let agent = try agent(.numbered)
        let banner = Array((String(repeating: "=", count: 2_000) + "\n").utf8)
        func content(_ name: String) -> [UInt8] {
            banner + Array((0..<50).map { "\(name) \($0)\n" }.joined().utf8)
        }
        try agent.home.write("logs/live/a.log", content("a"))
        try agent.start()
        try eventually("the first; \(agent.said)") { reader.count >= 51 }
        try remove(agent.log("live/a.log"))
        // Of another length, before it has gone and after that.
        for (index, name) in ["longer name", "x"].enumerated() {
            let file = try agent.home.write("other/\(name).log", content(name))
            try compress(file, .zstd)
            try rename("\(file).zst", agent.log("live/\(name).log.zst"))
            try eventually("\(name); \(agent.said)") { reader.count >= 51 * (index + 2) }
        }
        #expect(try agent.stop() == .code(0))
        #expect(try agent.once() == .code(0), "\(agent.said)")
        #expect(try AuditCount.of(broker) == 153)
        for name in ["a", "longer name", "x"] {
            #expect(
                reader.texts().filter { $0.hasPrefix("\(name) ") }
                    == (0..<50).map { "\(name) \($0)" }, "\(agent.said)")
        }
        #expect(!agent.said.contains("bytes lost"), "\(agent.said)")
    }
}
