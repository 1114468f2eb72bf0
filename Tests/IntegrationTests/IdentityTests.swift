import TestSupport
import Testing

@Suite("A file is known again whatever the sandbox lets the agent see of it")
struct IdentityTests {
    /// Under `first` files are seen for the first time; under `second` they are taken over.
    private func takeOver(
        from first: [String], to second: [String], handlesAtFirst: Bool,
        sourceLocation: SourceLocation = #_sourceLocation
    ) throws {
        let broker = try BrokerProcess(topics: ["logs"])
        let reader = try KafkaReader(broker)
        let agent = try Agent(broker.address, path: "**/*", kafka: "topic: logs, codec: raw")
        // Small and large, alike in their heads, empty, and a log directory with an archive.
        let head = String(repeating: "the same head\n", count: 100)
        var files = 0
        for name in ["a", "b"] {
            try agent.home.write("logs/alike/\(name)", head + "\(name) 0\n")
            files += 1
        }
        for name in ["one", "two"] {
            try agent.home.write("logs/small/\(name)", "x\n")
            files += 1
        }
        try agent.home.write("logs/empty", "")
        files += 1
        try agent.home.write("logs/s6/log/@400000006b03bb0027d04f81.s", "archive\n")
        try agent.home.write("logs/s6/log/current", "current\n")
        files += 2
        var count = 2 * 101 + 2 + 2
        try agent.start(wrapper: first)
        try eventually("all of it; \(agent.said)") { reader.count >= count }
        #expect(try agent.stop() == .code(0), sourceLocation: sourceLocation)
        let saved = String(
            decoding: try readFile("\(agent.data)/registry/snapshot.jsonl")
                + readFile("\(agent.data)/registry/journal.jsonl"), as: UTF8.self)
        // Where the file system gives none (overlayfs), the story is the same without them.
        let hasHandles = try MachineFacts.givesHandles(agent.home)
        #expect(
            saved.contains(#""handle":"#) == (handlesAtFirst && hasHandles),
            sourceLocation: sourceLocation)

        // Twice, because what was seen the second time must be known by what was saved then.
        for round in 1...2 {
            try agent.start(wrapper: second)
            for name in ["alike/a", "alike/b", "small/one", "small/two", "empty", "s6/log/current"]
            {
                try agent.home.append("logs/\(name)", "\(name) \(round)\n")
                count += 1
            }
            try eventually("what is new in round \(round); \(agent.said)") {
                reader.count >= count
            }
            #expect(try agent.stop() == .code(0), sourceLocation: sourceLocation)
        }
        #expect(try agent.once() == .code(0), "\(agent.said)", sourceLocation: sourceLocation)
        #expect(reader.count == count, "\(agent.said)", sourceLocation: sourceLocation)
        #expect(try agent.registry().count == files, sourceLocation: sourceLocation)
        #expect(!agent.said.contains("truncated"), sourceLocation: sourceLocation)
    }

    @Test("A registry written with file handles is taken over where the sandbox refuses them")
    func handlesRefusedLater() throws {
        try takeOver(from: [], to: try refusing("name_to_handle_at"), handlesAtFirst: true)
    }

    @Test("A registry written without file handles is taken over where they can be had")
    func handlesGivenLater() throws {
        try takeOver(from: try refusing("name_to_handle_at"), to: [], handlesAtFirst: false)
    }

    @Test("The same without birth times, and without both and openat2")
    func nothingButNumbers() throws {
        try takeOver(from: [], to: try refusing("statx"), handlesAtFirst: true)
        try takeOver(
            from: [], to: try refusing("name_to_handle_at", "statx", "openat2"),
            handlesAtFirst: true)
    }
}
