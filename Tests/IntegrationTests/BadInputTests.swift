import Shipper
import TestSupport
import Testing

@Suite("Bad input: one message that says what is wrong and where, and nothing else suffers")
struct BadInputTests {
    /// Runs as root would after giving up every right beyond a user's.
    private static func unprivileged() throws -> [String] {
        [
            try findProgram("setpriv", package: "util-linux"), "--inh-caps=-all",
            "--bounding-set=-all",
        ]
    }

    @Test("A configuration that is not there, and one with faults, ends run with 78 and a message")
    func configuration() throws {
        let agent = try Agent("127.0.0.1:1", path: "*.log")
        let missing = try agent.launch(["run", "--config", "/nowhere/shipper.yaml"])
        #expect(try missing.wait() == .code(78))
        #expect(missing.errors.hasPrefix("/nowhere/shipper.yaml: No such file or directory"))

        try agent.configure { $0 = "inputs: [}\n" }
        let broken = try agent.launch(["run", "--config", agent.config])
        #expect(try broken.wait() == .code(78))
        #expect(broken.errors.hasPrefix("\(agent.config):1:"), "\(broken.errors)")

        try agent.configure {
            $0 = """
                inputs:
                  - {name: a, paths: ["**/x.log"]}
                  - {name: a, paths: [/b/*.log], max_line: fast}
                output: {kafka: {brokers: ["127.0.0.1:1"], topic: t}}
                http: {listen: none}

                """
        }
        let run = try agent.launch(["run", "--config", agent.config])
        #expect(try run.wait() == .code(78))
        for place in [
            ":2:23: inputs[0].paths[0]: ", ":3:12: inputs[1].name: ", ":3:44: inputs[1].max_line: ",
        ] {
            #expect(run.errors.contains("\(agent.config)\(place)"), "\(run.errors)")
        }
        let check = try agent.launch(["check", "--config", agent.config])
        #expect(try check.wait() == .code(1))
        #expect(check.errors == run.errors && check.output.isEmpty)
    }

    @Test(
        "K1: an unreachable broker is waited for: said seldom, memory flat, then all is delivered")
    func brokerUnreachable() throws {
        let begin = ContinuousClock.now
        let broker = try BrokerProcess(topics: ["logs"])
        try broker.takeDown()
        let agent = try Agent(
            broker.address, path: "*.log", kafka: "topic: logs, codec: raw",
            more: "limits: {in_flight: 1MiB}")
        let source = LineSource("w", payload: 200...300)
        try agent.home.write("logs/a.log", source.lines(0..<100_000))
        try agent.start()
        try eventually("the log says that it waits; \(agent.said)") {
            agent.said.contains("warn  no broker can be reached; waiting")
        }
        // 25 MB more to read, against a credit of 1 MiB.
        for part in 5..<10 {
            try agent.home.append(
                "logs/a.log",
                String(
                    decoding: source.lines(part * 20_000..<(part + 1) * 20_000), as: UTF8.self))
        }
        try broker.bringUp()
        try eventually("all lines; \(agent.said)") { try AuditCount.of(broker) >= 200_000 }
        try eventually("the log says that it is back; \(agent.said)") {
            agent.said.contains("info  broker reached")
        }
        let peak = try #require(agent.process.memoryBytes("VmHWM"))
        #expect(peak < (1 + 64) << 20, "\(peak)")
        #expect(try agent.stop() == .code(0))
        #expect(try AuditCount.of(broker) == 200_000)
        let complaints = agent.said.split(separator: "no broker can be reached").count - 1
        let time = begin.duration(to: .now)
        #expect(complaints <= 1 + Int(time / .seconds(30)), "\(agent.said)")
    }

    @Test("A data directory that is not writable: a message with the path, and exit 78")
    func dataNotWritable() throws {
        let agent = try Agent("127.0.0.1:1", path: "*.log")
        try agent.home.makeDirectory("data")
        try setMode(agent.data, 0o555)
        let run = try agent.launch(
            ["run", "--config", agent.config], wrapper: try Self.unprivileged())
        #expect(try run.wait() == .code(78))
        #expect(run.errors.contains("error cannot start error=\"\(agent.data)"), "\(run.errors)")
        #expect(run.errors.contains("Permission denied"), "\(run.errors)")
        #expect(run.errors.contains("give the shipper's user read and write permission"))
    }

    @Test("R4: a second instance on one data directory ends with 75 and names the first")
    func second() throws {
        let broker = try BrokerProcess(topics: ["logs"])
        let agent = try Agent(broker.address, path: "*.log")
        try agent.start()
        let second = try ChildProcess(try findBinary(), ["run", "--config", agent.config])
        #expect(try second.wait() == .code(75))
        #expect(
            second.errors.contains("\(agent.data): process \(agent.process.pid) holds this data"),
            "\(second.errors)")
        // The first one is as it was, and after it the directory is free.
        try agent.home.write("logs/a.log", "one\n")
        try eventually("the first goes on") { try AuditCount.of(broker) == 1 }
        agent.kill()
        #expect(try agent.once() == .code(0), "\(agent.said)")
    }

    @Test("T28: a file that cannot be read is reported once and retried, the others go on")
    func fileUnreadable() throws {
        let broker = try BrokerProcess(topics: ["logs"])
        let reader = try KafkaReader(broker)
        let agent = try Agent(broker.address, path: "*.log")
        try agent.home.write("logs/secret.log", "hidden\n")
        try setMode(agent.log("secret.log"), 0)
        try agent.start(wrapper: try Self.unprivileged())
        let complaint =
            "warn  file cannot be read; trying again path=\(agent.log("secret.log")) "
            + "error=\"open: Permission denied\""
        try eventually("the complaint; \(agent.said)") { agent.said.contains(complaint) }
        // Each of these files is found by a look at the directory, with the bad one in view.
        for round in 0..<5 {
            try agent.home.write("logs/\(round).log", "round \(round)\n")
            try eventually("others go on; \(agent.said)") { reader.count == round + 1 }
        }
        #expect(agent.said.split(separator: "file cannot be read").count == 2, "\(agent.said)")
        try setMode(agent.log("secret.log"), 0o644)
        try eventually("the file is read now; \(agent.said)") { reader.count == 6 }
        #expect(try reader.messages().last == "hidden")
        #expect(agent.said.contains("info  file can be read again path=\(agent.log("secret.log"))"))
        #expect(try agent.stop() == .code(0))
    }

    @Test("X1: a link, a FIFO, a directory and a hard link are never read, and each is named once")
    func hostile() throws {
        let broker = try BrokerProcess(topics: ["logs"])
        let reader = try KafkaReader(broker)
        let agent = try Agent(broker.address, path: "{pod}/log/current")
        try agent.home.write("secret", "a secret\n")
        for pod in ["link", "fifo", "hard", "good"] {
            try agent.home.makeDirectory("logs/\(pod)/log")
        }
        try agent.home.makeDirectory("logs/directory/log/current")
        try makeLink(agent.log("link/log/current"), to: agent.home.path("secret"))
        try makeFIFO(agent.log("fifo/log/current"))
        try makeHardLink(agent.log("hard/log/current"), to: agent.home.path("secret"))
        try agent.start()
        try agent.home.write("logs/good/log/current", "good\n")
        try eventually("the good one; \(agent.said)") { reader.count == 1 }
        #expect(try agent.stop() == .code(0))
        #expect(try reader.messages() == ["good"])
        for pod in ["link", "fifo", "hard"] {
            let complaint = "file refused path=\(agent.log("\(pod)/log/current"))"
            #expect(agent.said.split(separator: complaint).count == 2, "\(agent.said)")
        }
    }
}
