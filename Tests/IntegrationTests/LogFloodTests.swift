import TestSupport
import Testing

@Suite("The agent's own log is bounded, and holds nothing up")
struct LogFloodTests {
    /// Numbers behind `events=` in lines that say how many events of this message were left out.
    private func leftOut(_ message: String, _ said: String) -> Int {
        said.split(separator: "\n").filter {
            $0.contains("events left out of this log event=\"\(message)\"")
        }.compactMap { line in
            line.split(separator: " events=").dropFirst().first.flatMap {
                Int($0.prefix { $0.isNumber })
            }
        }.reduce(0, +)
    }

    @Test(
        "2,000 links that match: a few are named, all are counted, none twice however often it is looked"
    )
    func links() throws {
        let count = 2_000
        let broker = try BrokerProcess(topics: ["logs"])
        let reader = try KafkaReader(broker)
        let agent = try Agent(broker.address, path: "*/*.log", kafka: "topic: logs, codec: raw")
        try agent.home.makeDirectory("logs/pod")
        for number in 0..<count {
            try makeLink(agent.log("pod/link-\(number).log"), to: "/etc/hostname")
        }
        try agent.start()
        for look in 1...5 {
            try agent.home.write("logs/pod/\(look).log", "\(look)\n")
            try eventually("look \(look); \(agent.said)") { reader.count == look }
        }
        #expect(try agent.stop() == .code(0))
        let named = agent.said.split(separator: "warn  file refused path=").count - 1
        #expect(named >= 10 && named < 100, "\(named)")
        #expect(named + leftOut("file refused", agent.said) == count)
    }

    @Test(
        "A directory that cannot be listed counts as one for as long as it lasts, however often it is tried"
    )
    func unlistable() throws {
        let broker = try BrokerProcess(topics: ["logs"])
        let reader = try KafkaReader(broker)
        let agent = try Agent(
            broker.address, path: "{pod}/*.log", kafka: "topic: logs, codec: raw",
            more: "http: {listen: \"127.0.0.1:0\"}")
        try agent.home.write("logs/closed/a.log", "one\n")
        try setMode(agent.log("closed"), 0)
        // As root would after giving up every right beyond a user's.
        try agent.start(wrapper: [
            try findProgram("setpriv", package: "util-linux"), "--inh-caps=-all",
            "--bounding-set=-all",
        ])
        let address = try agent.address()
        try eventually("it is counted; \(agent.said)") {
            try Metrics(address)["shipper_unreadable_files"] == 1
        }
        try setMode(agent.log("closed"), 0o755)
        try eventually("it is read; \(agent.said)") { reader.count == 1 }
        try eventually("it is counted no more; \(agent.said)") {
            try Metrics(address)["shipper_unreadable_files"] == 0
        }
        #expect(try agent.stop() == .code(0))
    }

    @Test(
        "Standard error that nobody reads: lines get through, what was not said is counted, SIGTERM ends it"
    )
    func blockedError() throws {
        let broker = try BrokerProcess(topics: ["logs"])
        let reader = try KafkaReader(broker)
        let agent = try Agent(broker.address, path: "*.log", kafka: "topic: logs, codec: raw")
        let pipe = try StalledPipe(agent.home.path("error"))
        try pipe.fill()
        try agent.home.write("logs/a.log", "one\n")
        let run = try agent.launch(
            ["run", "--config", agent.config],
            wrapper: ["/bin/sh", "-c", "exec \"$@\" 2>\(pipe.path)", "sh"])
        try eventually("a line gets through") { reader.count == 1 }
        var said = pipe.drain()
        try eventually("what could not be said is counted; \(said)") {
            said += pipe.drain()
            return said.contains("warn  lines of this log could not be written lines=")
        }
        try pipe.fill()
        try agent.home.append("logs/a.log", "two\n")
        try eventually("another one gets through") { reader.count == 2 }
        run.signal(15)
        #expect(try run.wait() == .code(0))
        #expect(try agent.entry("a.log")?.lag == 0)
    }
}
