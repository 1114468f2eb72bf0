import Platform
import TestSupport
import Testing

/// A server is gone, and no call on what is mounted from it comes back.
@Suite("A mount that does not answer holds up itself and nothing else")
struct HungMountTests {
    private struct Story {
        let broker: BrokerProcess
        let reader: KafkaReader
        let agent: Agent
        let calls: FailingCalls
        /// Beneath `logs`; those that begin with `dead` are mounted.
        let names: [String]

        init(_ names: [String], path: String = "**/*.log", more: String = "") throws {
            self.names = names
            broker = try BrokerProcess(topics: ["logs"])
            reader = try KafkaReader(broker)
            agent = try Agent(
                broker.address, path: path, kafka: "topic: logs, codec: raw",
                more: """
                    registry: {sync: 50ms}
                    shutdown_timeout: 2s
                    http: {listen: "127.0.0.1:0"}
                    \(more)
                    """)
            calls = try FailingCalls()
            try calls.heal()
            for name in names { try agent.home.makeDirectory("logs/\(name)") }
            try append(0)
            try calls.pretendMounts(mounts)
        }

        var dead: [String] {
            names.filter { $0.split(separator: "/").last?.hasPrefix("dead") == true }
        }
        var mounts: [String] { dead.map { agent.log($0) } }
        var alive: [String] { names.filter { !dead.contains($0) } }

        func start() throws { try agent.start(wrapper: calls.wrapper) }

        /// A line to each log.
        func append(_ number: Int) throws {
            for name in names {
                try appendBytes(
                    Array("\(name) \(number)\n".utf8), to: agent.log("\(name)/app.log"))
            }
        }

        func expect(_ number: Int, of names: [String]) throws {
            let wanted = names.map { "\($0) \(number)" }
            try eventually("line \(number) of \(names); \(agent.said)") {
                Set(reader.texts()).isSuperset(of: wanted)
            }
        }

        func hang() throws { try calls.fail(mounts.map { .hang(beneath: $0) }) }

        /// All lines of all logs came, once and in order.
        func expectAll(_ last: Int) throws {
            try expect(last, of: names)
            for name in names {
                let mine = reader.texts().filter { $0.hasPrefix("\(name) ") }
                #expect(mine == (0...last).map { "\(name) \($0)" }, "\(agent.said)")
            }
        }
    }

    @Test(
        "It hangs while it is read: others go on, their positions are saved, its own lines come when it answers",
        arguments: [
            ["good", "dead"], ["a/good", "a/dead1", "b/dead2", "b/dead2/in/deadest", "b/good"],
        ])
    func whileReading(names: [String]) throws {
        let story = try Story(names)
        try story.start()
        try story.expect(0, of: names)
        try story.hang()
        for number in 1...3 {
            try story.append(number)
            try story.expect(number, of: story.alive)
        }
        let address = try story.agent.address()
        try eventually("it is told; \(story.agent.said)") {
            let metrics = try Metrics(address)
            return metrics["shipper_mounts_not_answering"] == Double(story.dead.count)
        }
        for mount in story.mounts {
            let told =
                "a file system does not answer; nothing of it is read until it does mount=\(mount)"
            try eventually("it is said; \(story.agent.said)") { story.agent.said.contains(told) }
        }
        try eventually("positions are saved; \(story.agent.said)") {
            try story.agent.registry().filter { entry in
                story.alive.contains { entry.path == story.agent.log("\($0)/app.log") }
            }.allSatisfy { $0.lag == 0 }
        }
        #expect(try httpGet(address, "/healthz").status == 200)
        #expect(try httpGet(address, "/readyz").status == 200)
        try story.calls.heal()
        try story.expectAll(3)
        try eventually("it answers; \(story.agent.said)") {
            try Metrics(address)["shipper_mounts_not_answering"] == 0
        }
        try eventually("that is said; \(story.agent.said)") {
            story.agent.said.contains("a file system answers again")
        }
        #expect(try story.agent.stop() == .code(0), "\(story.agent.said)")
        #expect(try AuditCount.of(story.broker) == names.count * 4)
    }

    @Test(
        "It hangs from the start on, with files of it that are known: the others are read at once")
    func atTheStart() throws {
        let story = try Story(["good", "dead"])
        try story.start()
        try story.expect(0, of: story.names)
        #expect(try story.agent.stop() == .code(0))
        try story.hang()
        try story.append(1)
        try story.start()
        try story.expect(1, of: story.alive)
        #expect(try httpGet(story.agent.address(), "/readyz").status == 200)
        #expect(try story.agent.stop() == .code(0), "\(story.agent.said)")
        #expect(
            story.agent.said.contains(
                "a file system does not answer; what is unread there is left"),
            "\(story.agent.said)")
        try story.start()
        try story.calls.heal()
        try story.expectAll(1)
        #expect(try story.agent.stop() == .code(0))
        #expect(try AuditCount.of(story.broker) == 4)
    }

    @Test(
        "The whole of an input lies on it, behind a link: the agent starts, and other inputs are read"
    )
    func prefix() throws {
        let story = try Story(["good", "dead"], path: "good/*.log")
        try symbolicLink(story.agent.log("dead"), at: story.agent.log("link"))
        try story.agent.configure { text in
            text = text.split(separator: "inputs:\n").joined(
                separator:
                    "inputs:\n  - {name: far, paths: [\"\(story.agent.log("link"))/*.log\"]}\n")
        }
        try story.hang()
        try story.start()
        try story.expect(0, of: story.alive)
        try story.append(1)
        try story.expect(1, of: story.alive)
        try story.calls.heal()
        try story.expectAll(1)
        #expect(try story.agent.stop() == .code(0))
    }

    @Test("--once ships what it can, and says what it cannot when its time is over")
    func once() throws {
        let story = try Story(["good", "dead"])
        try story.hang()
        try story.agent.launch(
            ["run", "--config", story.agent.config, "--once", "--timeout", "5s"],
            wrapper: story.calls.wrapper)
        try story.expect(0, of: story.alive)
        #expect(try story.agent.process.wait() == .code(1), "\(story.agent.said)")
        let said = story.agent.said
        #expect(said.contains("not everything was shipped why=\"timed out\""), "\(said)")
        #expect(said.contains("not_answering=1"), "\(said)")
        #expect(said.contains("path=\(story.agent.log("dead"))"), "\(said)")
        try story.calls.heal()
        #expect(try story.agent.once() == .code(0), "\(story.agent.said)")
        try story.expectAll(0)
        #expect(try AuditCount.of(story.broker) == 2)
    }

    /// Runs a command to its end while the mount hangs.
    private func run(_ story: Story, _ arguments: [String]) throws -> ChildProcess {
        let line = story.calls.wrapper + [try findBinary()] + arguments
        let process = try ChildProcess(line[0], Array(line.dropFirst()))
        #expect(try process.wait() == .code(0), "\(process.errors)")
        return process
    }

    @Test("check answers, names what does not, and lists the files of everything else")
    func check() throws {
        let story = try Story(["good", "dead"])
        try story.hang()
        let process = try run(story, ["check", "--config", story.agent.config])
        #expect(process.output.contains("\n# does not answer: \(story.agent.log("dead"))\n"))
        #expect(process.output.contains("\n# Input logs matches 1 file now.\n"))
        #expect(process.output.contains("\n#   \(story.agent.log("good/app.log")) (plain, "))
        try story.calls.heal()
        let again = try run(story, ["check", "--config", story.agent.config])
        #expect(!again.output.contains("does not answer"))
        #expect(again.output.contains("\n# Input logs matches 2 files now.\n"))
    }

    @Test("registry show answers: of what does not, files are as they were saved")
    func show() throws {
        let story = try Story(["good", "dead"])
        try story.start()
        try story.expect(0, of: story.names)
        #expect(try story.agent.stop() == .code(0))
        try story.append(1)
        try story.hang()
        let process = try run(story, ["registry", "show", "--data", story.agent.data])
        #expect(
            process.errors
                == "shipper: \(story.agent.log("dead")): does not answer; files there are "
                + "as they were saved\n")
        let rows = process.output.split(separator: "\n")
        for (name, state) in [("good", "active"), ("dead", "unreachable")] {
            #expect(
                rows.contains { $0.contains("/\(name)/app.log") && $0.contains(state) },
                "\(process.output)")
        }
    }

    @Test("registry import answers, takes over what it can see, and the rest when it is run again")
    func takeOver() throws {
        let story = try Story(["good", "dead"])
        let (good, dead) = (story.agent.log("good/app.log"), story.agent.log("dead/app.log"))
        let filebeat = FilebeatHome(agent: story.agent)
        // As far as the line that each has.
        try filebeat.write([
            filebeat.native("good/app.log", 7), filebeat.native("dead/app.log", 7),
        ])
        let command = [
            "registry", "import", "filebeat", filebeat.path, "--config", story.agent.config,
        ]
        try story.hang()
        let process = try run(story, command)
        #expect(
            process.errors
                == "shipper: \(story.agent.log("dead")): does not answer; no position of a "
                + "file there is taken over\n")
        #expect(try story.agent.registry().map(\.path) == [good], "\(process.output)")
        #expect(try story.agent.registry().map(\.offset) == [7])
        try story.calls.heal()
        let again = try run(story, command)
        #expect(again.errors.isEmpty)
        #expect(try Set(story.agent.registry().map(\.path)) == [good, dead], "\(again.output)")
        #expect(try story.agent.registry().map(\.offset) == [7, 7])
    }

    @Test("registry import answers though Filebeat read a file there that no input matches")
    func takeOverElsewhere() throws {
        let story = try Story(["good", "dead"], path: "good/*.log")
        let filebeat = FilebeatHome(agent: story.agent)
        try filebeat.write([
            filebeat.native("dead/app.log", 7), filebeat.native("good/app.log", 7),
        ])
        try story.hang()
        let process = try run(
            story,
            [
                "registry", "import", "filebeat", filebeat.path, "--config", story.agent.config,
            ])
        #expect(process.errors.isEmpty, "\(process.errors)")
        #expect(
            process.output.contains(
                "its file system does not answer: import again when it does"),
            "\(process.output)")
        #expect(
            try story.agent.registry().map(\.path) == [story.agent.log("good/app.log")],
            "\(process.output)")
    }
}
