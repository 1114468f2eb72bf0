import Platform
import TestSupport
import Testing

/// What a disk or a server that is gone does to every call on it.
@Suite("While a file system does not answer the agent ends in time, and says where it hangs")
struct HungDiskTests {
    private struct Story {
        let broker: BrokerProcess
        let reader: KafkaReader
        let agent: Agent
        let calls: FailingCalls

        init() throws {
            broker = try BrokerProcess(topics: ["logs"])
            reader = try KafkaReader(broker)
            agent = try Agent(
                broker.address, path: "*/*.log", kafka: "topic: logs, codec: raw",
                more: "shutdown_timeout: 1s")
            calls = try FailingCalls()
            try calls.heal()
            for name in ["dead", "good"] {
                try agent.home.write("logs/\(name)/app.log", "\(name) 0\n")
            }
        }

        func launch(_ more: String...) throws {
            try agent.launch(
                ["run", "--config", agent.config] + more, wrapper: calls.wrapper)
        }

        func append(_ number: Int) throws {
            for name in ["dead", "good"] {
                try agent.home.append("logs/\(name)/app.log", "\(name) \(number)\n")
            }
        }

        func expect(_ texts: String...) throws {
            try eventually("\(texts); \(agent.said)") {
                Set(reader.texts()).isSuperset(of: texts)
            }
        }

        /// From now on; returns when a call has met it.
        func hang() throws {
            let before = try calls.count()
            try calls.fail(.hang(beneath: agent.log("dead")))
            try append(1)
            try eventually("a call hangs; \(agent.said)") { try calls.count() > before }
        }

        /// What is left is shipped by a run that can read it, and nothing twice.
        func finish() throws {
            try calls.heal()
            #expect(try agent.once() == .code(0), "\(agent.said)")
            try expect("dead 1", "good 1")
            for name in ["dead", "good"] {
                let mine = reader.texts().filter { $0.hasPrefix(name) }
                #expect(mine == ["\(name) 0", "\(name) 1"], "\(agent.said)")
            }
        }
    }

    @Test(
        "SIGTERM ends the agent while its reader hangs, and what is left is shipped by the next run"
    )
    func atSignal() throws {
        let story = try Story()
        try story.agent.start(wrapper: story.calls.wrapper)
        try story.expect("dead 0", "good 0")
        try story.hang()
        #expect(try story.agent.stop() == .code(0), "\(story.agent.said)")
        let said = story.agent.said
        #expect(said.contains("a file system does not answer"), "\(said)")
        #expect(said.contains("path=\(story.agent.log("dead"))"), "\(said)")
        #expect(said.contains(" stopped "), "\(said)")
        try story.finish()
    }

    @Test("--once ends when the time of --timeout is over, with 1, and names what does not answer")
    func once() throws {
        let story = try Story()
        #expect(try story.agent.once() == .code(0), "\(story.agent.said)")
        try story.calls.fail(.hang(beneath: story.agent.log("dead")))
        try story.append(1)
        try story.launch("--once", "--timeout", "8s")
        #expect(try story.agent.process.wait() == .code(1), "\(story.agent.said)")
        let said = story.agent.said
        #expect(said.contains("not everything was shipped why=\"timed out\""), "\(said)")
        #expect(said.contains("path=\(story.agent.log("dead"))"), "\(said)")
        #expect(said.contains("not_answering=1"), "\(said)")
        try story.finish()
    }

    @Test(
        "The disk of the positions does not answer: lines go on, SIGTERM ends the agent, nothing is repeated"
    )
    func dataDirectory() throws {
        let story = try Story()
        try story.agent.start(wrapper: story.calls.wrapper)
        try story.expect("dead 0", "good 0")
        let before = try story.calls.count()
        try story.calls.fail(.hangForced(beneath: story.agent.data))
        try story.append(1)
        try eventually("a call hangs; \(story.agent.said)") { try story.calls.count() > before }
        try story.expect("dead 1", "good 1")
        #expect(try story.agent.stop() == .code(0), "\(story.agent.said)")
        #expect(
            story.agent.said.contains("the data directory does not answer"), "\(story.agent.said)")
        try story.finish()
    }

    @Test(
        "No position can even be written: SIGTERM ends the process all the same, as it is, and says so"
    )
    func everything() throws {
        let story = try Story()
        try story.agent.start(wrapper: story.calls.wrapper)
        try story.expect("dead 0", "good 0")
        try eventually("both are saved; \(story.agent.said)") {
            try story.agent.registry().map(\.offset) == [7, 7]
        }
        let before = try story.calls.count()
        try story.calls.fail(.hangWritten(beneath: story.agent.data))
        try story.append(1)
        try eventually("a call hangs; \(story.agent.said)") { try story.calls.count() > before }
        #expect(try story.agent.stop() == .code(70), "\(story.agent.said)")
        #expect(story.agent.said.contains("the process ends as it is"), "\(story.agent.said)")
        // What was delivered and not written comes again.
        try story.calls.heal()
        #expect(try story.agent.once() == .code(0), "\(story.agent.said)")
        try story.expect("dead 1", "good 1")
    }

    @Test(
        "A signal is obeyed while the agent has not come to its start, for a directory that it knows hangs"
    )
    func atStart() throws {
        let story = try Story()
        #expect(try story.agent.once() == .code(0), "\(story.agent.said)")
        try story.calls.fail(.hang(beneath: story.agent.log("dead")))
        try story.append(1)
        try story.launch()
        try eventually("a call hangs; \(story.agent.said)") { try story.calls.count() > 0 }
        #expect(try story.agent.stop() == .code(0), "\(story.agent.said)")
        #expect(story.agent.said.contains(" stopped "), "\(story.agent.said)")
        try story.finish()
    }
}
