import TestSupport
import Testing

@Suite("Saved positions: where reading starts, and what damage costs")
struct PositionTests {
    @Test("start: end skips what is there at the first start ever, and nothing later")
    func startAtEnd() throws {
        let broker = try BrokerProcess(topics: ["logs"])
        let reader = try KafkaReader(broker)
        let agent = try Agent(broker.address, path: "*.log", input: "start: end")
        try agent.home.write("logs/old.log", "skipped\n")
        #expect(try agent.once() == .code(0), "\(agent.said)")
        #expect(try AuditCount.of(broker) == 0)

        try agent.home.append("logs/old.log", "appended\n")
        try agent.home.write("logs/new.log", "new while stopped\n")
        #expect(try agent.once() == .code(0), "\(agent.said)")
        try reader.waitFor(["appended", "new while stopped"])
        #expect(try Set(reader.messages()) == ["appended", "new while stopped"])

        try agent.start()
        try agent.home.write("logs/later.log", "new while running\n")
        try eventually("the file that appears is read from its beginning; \(agent.said)") {
            reader.count >= 3
        }
        #expect(try agent.stop() == .code(0))
        #expect(try reader.messages().last == "new while running")
        #expect(try AuditCount.of(broker) == 3)
    }

    @Test("start: end: a file that appears in the agent's first moments is read from its beginning")
    func startAtEndThenFile() throws {
        let broker = try BrokerProcess(topics: ["logs"])
        let reader = try KafkaReader(broker)
        let agent = try Agent(broker.address, path: "{pod}/log/current", input: "start: end")
        try agent.home.write("logs/old/log/current", "skipped\n")
        try agent.start()
        try eventually("the first scan has seen what is there; \(agent.said)") {
            try agent.entry("old/log/current") != nil
        }
        for pod in 0..<20 {
            try agent.home.write("logs/pod-\(pod)/log/current", "first of \(pod)\n")
            try agent.home.append("logs/pod-\(pod)/log/current", "second of \(pod)\n")
        }
        try eventually("all lines; \(agent.said)") { reader.count >= 40 }
        #expect(try agent.stop() == .code(0))
        let expected = (0..<20).flatMap { ["first of \($0)", "second of \($0)"] }
        #expect(try Set(reader.messages()) == Set(expected))
        #expect(try AuditCount.of(broker) == 40)
    }

    @Test("R2: what a damaged registry has lost starts at the beginning, also with start: end")
    func damage() throws {
        let broker = try BrokerProcess(topics: ["logs"])
        let reader = try KafkaReader(broker)
        let agent = try Agent(broker.address, path: "*.log", input: "start: end")
        #expect(try agent.once() == .code(0), "\(agent.said)")
        for file in 0..<20 {
            try agent.home.write("logs/\(file).log", "\(file) one\n\(file) two\n")
        }
        #expect(try agent.once() == .code(0), "\(agent.said)")
        try eventually("40 lines") { reader.count == 40 }

        // One byte in the middle of the journal, where a file was entered.
        let path = "data/registry/journal.jsonl"
        var journal = try readFile(agent.home.path(path))
        let middle = try #require(
            journal.indices.first { $0 > journal.count / 2 && journal[$0] == UInt8(ascii: "\n") })
        let place = try #require(
            (middle..<journal.count).first { journal[$0...].starts(with: Array("\"seen\"".utf8)) })
        journal[place + 20] ^= 1
        try agent.home.write(path, journal)

        for file in 0..<20 { try agent.home.append("logs/\(file).log", "\(file) three\n") }
        #expect(try agent.once() == .code(0), "\(agent.said)")
        let count = try AuditCount.of(broker)
        try eventually("all records") { reader.count == count }
        let messages = try reader.messages()
        let expected = Set(
            (0..<20).flatMap { file in ["one", "two", "three"].map { "\(file) \($0)" } })
        #expect(Set(messages) == expected)
        // One file was forgotten; its two lines come again. Whether they are the lines that had its ids
        // before, nobody can know: they have others.
        #expect(messages.count == 62)
        let ids = try Set(reader.records("logs").map { try $0.document().metadata.id })
        #expect(ids.count == 62)

        let aside = try agent.home.names("data/registry").filter { $0.contains(".damaged-") }
        try #require(aside.count == 1 && aside[0].hasPrefix("journal.jsonl.damaged-"))
        #expect(try readFile(agent.home.path("data/registry/\(aside[0])")) == journal)
        #expect(agent.said.contains(aside[0]), "\(agent.said)")
        let begin = try #require(journal[..<place].lastIndex(of: UInt8(ascii: "\n"))) + 1
        #expect(
            agent.said.contains(
                "warn  registry damaged; what it has lost is read from its beginning "
                    + "file=journal.jsonl byte=\(begin) fault="), "\(agent.said)")

        // It is over with that: the next run ships nothing again.
        #expect(try agent.once() == .code(0), "\(agent.said)")
        #expect(try AuditCount.of(broker) == count)
    }

    @Test("A registry of nothing but garbage costs repeats and never the start")
    func garbage() throws {
        let broker = try BrokerProcess(topics: ["logs"])
        let reader = try KafkaReader(broker)
        let agent = try Agent(broker.address, path: "*.log", input: "start: end")
        #expect(try agent.once() == .code(0), "\(agent.said)")
        try agent.home.write("logs/a.log", "one\ntwo\n")
        #expect(try agent.once() == .code(0), "\(agent.said)")
        for name in ["journal.jsonl", "snapshot.jsonl"] {
            try agent.home.write("data/registry/\(name)", [UInt8](repeating: 0, count: 5000))
        }
        #expect(try agent.once() == .code(0), "\(agent.said)")
        try eventually("4 records") { reader.count >= 4 }
        #expect(try reader.messages() == ["one", "two", "one", "two"])
        #expect(try agent.entry("a.log")?.offset == 8)
    }

    @Test("_id is the generation that the registry keeps, and the offset of the line")
    func ids() throws {
        let broker = try BrokerProcess(topics: ["logs"])
        let reader = try KafkaReader(broker)
        let agent = try Agent(broker.address, path: "*.log")
        try agent.home.write("logs/a.log", "one\ntwo\nthree\n")
        for run in 1...2 {
            #expect(try agent.once() == .code(0), "\(agent.said)")
            let generation = try #require(try agent.entry("a.log")?.generation)
            try eventually("3 records of run \(run)") { reader.count == run * 3 }
            let ids = try reader.records("logs").suffix(3).map { try $0.document().metadata.id }
            #expect(ids == ["0", "4", "8"].map { "\(generation)-000000000000000\($0)" })
            // The next run knows nothing of this one.
            let removal = try ChildProcess(
                findProgram("rm", package: "coreutils"), ["-r", agent.data])
            #expect(try removal.wait() == .code(0))
        }
    }
}
