import TestSupport
import Testing

@Suite("A data directory that takes no more") struct DiskFullTests {
    /// prlimit(1) lets no file of the running agent grow, as a full disk would, and needs no rights.
    private func limit(_ agent: Agent, _ bytes: String) throws {
        let prlimit = try ChildProcess(
            try findProgram("prlimit", package: "util-linux"),
            ["--pid", "\(agent.process.pid)", "--fsize=\(bytes)"])
        #expect(try prlimit.wait() == .code(0), "\(prlimit.errors)")
    }

    @Test(
        "R3: shipping goes on, one alarm is in the log, and positions are saved when there is room")
    func full() throws {
        let broker = try BrokerProcess(topics: ["logs"])
        let reader = try KafkaReader(broker)
        let agent = try Agent(broker.address, path: "*.log", more: "registry: {sync: 50ms}")
        try agent.home.write("logs/a.log", "0\n")
        try agent.start()
        try eventually("the first line is saved; \(agent.said)") {
            try agent.entry("a.log")?.offset == 2
        }
        // Soft alone: what it is now is what it can be raised to again.
        try limit(agent, "1:")
        for line in 1...200 { try agent.home.append("logs/a.log", "\(line)\n") }
        try eventually("all lines arrive, \(reader.count) did; \(agent.said)") {
            reader.count == 201
        }
        try eventually("the alarm; \(agent.said)") {
            agent.said.contains("positions cannot be saved; shipping goes on")
        }
        #expect(try agent.entry("a.log")?.offset == 2)
        #expect(try agent.process.exit == nil)
        try limit(agent, "unlimited:")
        try eventually("the position is saved; \(agent.said)") {
            try agent.entry("a.log")?.offset == 694
        }
        try eventually("it says so; \(agent.said)") {
            agent.said.contains("positions can be saved again")
        }
        let alarms = agent.said.split(separator: "\n").count {
            $0.contains("positions cannot be saved")
        }
        #expect(alarms == 1, "\(agent.said)")
        agent.kill()
        try agent.start()
        try agent.home.append("logs/a.log", "last\n")
        try eventually("the last line; \(agent.said)") { reader.count >= 202 }
        #expect(try agent.stop() == .code(0))
        #expect(try reader.messages().sorted() == ((0...200).map { "\($0)" } + ["last"]).sorted())
    }

    @Test(
        "R3: at the first start, too: lines are shipped, /readyz tells, all is saved when there is room"
    )
    func fullAtFirstStart() throws {
        let broker = try BrokerProcess(topics: ["logs"])
        let reader = try KafkaReader(broker)
        let agent = try Agent(
            broker.address, path: "*.log",
            more: "registry: {sync: 50ms}\nhttp: {listen: \"127.0.0.1:0\"}")
        try agent.home.write("logs/a.log", "0\n")
        let prlimit = try findProgram("prlimit", package: "util-linux")
        try agent.start(wrapper: [prlimit, "--fsize=1:"])
        for line in 1...20 { try agent.home.append("logs/a.log", "\(line)\n") }
        try eventually("all lines arrive; \(agent.said)") { reader.count == 21 }
        try eventually("the alarm; \(agent.said)") {
            agent.said.contains("positions cannot be saved; shipping goes on")
                && agent.said.contains("the agent's id cannot be saved; shipping goes on")
        }
        #expect(try httpGet(agent.address(), "/readyz").status == 503)
        #expect(try agent.process.exit == nil)
        try limit(agent, "unlimited:")
        try eventually("the position is saved; \(agent.said)") {
            try agent.entry("a.log")?.offset == 53
        }
        try eventually("it is ready; \(agent.said)") {
            try httpGet(agent.address(), "/readyz").status == 200
        }
        try eventually("the id is saved") {
            (try? readFile(agent.home.path("data/agent.id")))?.count == 37
        }
        agent.kill()
        try agent.start()
        try agent.home.append("logs/a.log", "last\n")
        try eventually("the last line; \(agent.said)") { reader.count >= 22 }
        #expect(try agent.stop() == .code(0))
        #expect(try reader.messages() == (0...20).map { "\($0)" } + ["last"])
        let openings = agent.said.split(separator: "\n").filter { $0.contains("registry opened") }
        #expect(openings.allSatisfy { $0.contains(" damaged=0 ") }, "\(agent.said)")
        let ids = Set(try reader.records.map { try $0.document().agent.id })
        #expect(ids.count == 1)
    }
}
