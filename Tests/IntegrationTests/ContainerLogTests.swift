import Platform
import TestSupport
import Testing

@Suite("What container runtimes write arrives as messages", .serialized)
struct ContainerLogTests {
    /// What came of one container, by stream.
    private struct Arrived {
        var messages: [String: [String]] = [:]
        /// Ids of each message.
        var ids: [String: Set<String>] = [:]
        var flagged: [[String]] = []

        init(_ records: [KafkaRecord]) throws {
            for record in records {
                let document = try record.document()
                let stream = document.stream ?? ""
                if ids[stream + document.message] == nil {
                    messages[stream, default: []].append(document.message)
                }
                ids[stream + document.message, default: []].insert(document.metadata.id)
                if let flags = document.log.flags { flagged.append(flags) }
            }
        }
    }

    @Test("F1: pieces of stdout and stderr, mixed, over rotations and kills: each message whole")
    func pieces() throws {
        // An event is cut when nothing is added to it for five seconds. Where the machine takes as
        // long for one round, it shows nothing.
        for _ in 0..<5 where try piecesInTime() { return }
        Issue.record("each time a round took longer than an event may be open")
    }

    /// False where a round took so long that an event may have been cut rightly.
    private func piecesInTime() throws -> Bool {
        let broker = try BrokerProcess(topics: ["logs"])
        let reader = try KafkaReader(broker)
        let agent = try Agent(broker.address, path: "{pod}/*.log", input: "format: cri")
        let log = try ContainerLog(in: agent.home, "logs/pod", seed: 16)
        let clock = ContinuousClock()
        for round in 0..<6 {
            let before = reader.count
            let begun = clock.now
            try agent.start()
            try log.write(lines: 200)
            // An event is open over the rotation as a rule, and at the kill.
            if round % 2 == 0 { try log.rotate() }
            try log.write(lines: 50)
            try eventually("some of it arrives; \(agent.said)") { reader.count > before }
            agent.kill()
            if clock.now - begun > .seconds(4) { return false }
        }
        try log.finish()
        try agent.start()
        let expected = log.messages
        try eventually("all messages; \(agent.said)") {
            let arrived = try Arrived(reader.records)
            return ["stdout", "stderr"].allSatisfy {
                Set(arrived.messages[$0] ?? []).isSuperset(of: expected[$0] ?? [])
            }
        }
        #expect(try agent.stop() == .code(0))
        let arrived = try Arrived(reader.records)
        for stream in ["stdout", "stderr"] {
            #expect(arrived.messages[stream] == expected[stream], "\(stream)")
        }
        // What came twice came under one id.
        #expect(arrived.ids.values.allSatisfy { $0.count == 1 })
        #expect(arrived.flagged == [])
        #expect(try agent.registry().allSatisfy { $0.lag == 0 })
        #expect(!agent.said.contains("bytes lost"))
        return true
    }

    @Test("F14: format: cri on a file that is plain: flagged lines, and it is said once")
    func plain() throws {
        let broker = try BrokerProcess(topics: ["logs"])
        let reader = try KafkaReader(broker)
        let agent = try Agent(broker.address, path: "*.log", input: "format: cri")
        let lines = (0..<500).map { "2026-11-23 05:00:00 line \($0)" }
        try agent.home.write("logs/a.log", lines.map { $0 + "\n" }.joined())
        #expect(try agent.once() == .code(0), "\(agent.said)")
        try eventually("all lines; \(agent.said)") { reader.count >= lines.count }
        let documents = try reader.records.map { try $0.document() }
        #expect(documents.map(\.message) == lines)
        #expect(documents.allSatisfy { $0.log.flags == ["parse_error"] && $0.stream == nil })
        #expect(agent.said.components(of: "line is not as its format has it") == 1)
    }

    @Test("F13: the format changes in the middle of a file, and nothing is lost")
    func changed() throws {
        let broker = try BrokerProcess(topics: ["logs"])
        let reader = try KafkaReader(broker)
        let agent = try Agent(broker.address, path: "*.log", input: "format: cri")
        let cri = (0..<50).map { "2026-11-23T05:00:00Z stdout F c\($0)" }
        let docker = (0..<50).map { "{\"log\":\"d\($0)\\n\",\"stream\":\"stdout\",\"time\":\"x\"}" }
        let plain = (0..<50).map { "p\($0)" }
        let text = (cri + docker + plain + cri).map { $0 + "\n" }.joined()
        try agent.home.write("logs/a.log", text)
        #expect(try agent.once() == .code(0), "\(agent.said)")
        try eventually("all lines; \(agent.said)") { reader.count >= 200 }
        let messages = try reader.records.map { try $0.document().message }
        let texts = (0..<50).map { "c\($0)" }
        #expect(messages == texts + docker + plain + texts)
    }
}

extension String {
    /// How often a text stands in it.
    fileprivate func components(of text: String) -> Int { split(separator: text).count - 1 }
}
