import Platform
import Shipper
import TestSupport
import Testing

@Suite("A log whose name has a date in it is as alive as any other")
struct DatedLogTests {
    /// What an application does that opens its log for each line.
    private func append(_ text: String, _ name: String, _ agent: Agent) throws {
        try agent.home.append("logs/\(name)", text)
    }

    @Test(
        "the newest of a dated family is live: half a line waits for its rest, and the next day goes on",
        arguments: [
            ["web-2026-11-27.log", "web-2026-11-28.log", "web-2026-11-29.log"],
            [
                "access_log.2026-11-27.log", "access_log.2026-11-28.log",
                "access_log.2026-11-29.log",
            ],
            ["app.2026-11-28.9.log", "app.2026-11-28.10.log", "app.2026-11-28.11.log"],
            ["app.log.20261127", "app.log.20261128", "app.log.20261129"],
        ])
    func newest(_ names: [String]) throws {
        let broker = try BrokerProcess(topics: ["logs"])
        let reader = try KafkaReader(broker)
        let agent = try Agent(broker.address, path: "*.log*", kafka: "topic: logs, codec: raw")
        try append("yesterday\n", names[0], agent)
        try append("first\n", names[1], agent)
        try agent.start()
        try eventually("what is there; \(agent.said)") { reader.count == 2 }
        for round in 0..<5 {
            // Nobody has it open in between, and neither half is a line.
            try append("left \(round), ", names[1], agent)
            try append("after \(round)\n", "other.log", agent)
            try eventually("another log; \(agent.said)") {
                reader.texts().contains("after \(round)")
            }
            try append("right \(round)\n", names[1], agent)
            // Well below the time between two scans by the clock.
            try eventually(within: .seconds(30), "the whole line; \(agent.said)") {
                reader.texts().contains("left \(round), right \(round)")
            }
        }
        #expect(try agent.stop() == .code(0))
        try append("the end of the day\n", names[1], agent)
        try append("a new day\n", names[2], agent)
        try agent.start()
        try eventually("the new day; \(agent.said)") { reader.count == 14 }
        try append("half of ", names[2], agent)
        try append("after it\n", "other.log", agent)
        try eventually("another log; \(agent.said)") { reader.count == 15 }
        try append("a line\n", names[2], agent)
        try eventually(within: .seconds(30), "the whole line; \(agent.said)") {
            reader.count == 16
        }
        #expect(try agent.stop() == .code(0))
        let expected =
            ["yesterday", "first", "the end of the day", "a new day", "after it", "half of a line"]
            + (0..<5).flatMap { ["left \($0), right \($0)", "after \($0)"] }
        #expect(reader.texts().sorted() == expected.sorted())
        #expect(try agent.once() == .code(0), "\(agent.said)")
        #expect(try AuditCount.of(broker) == 16)
    }

    /// A log beside `web.log`, with a line in each, of which it looks like a rotated file.
    private func takenForRotated(
        _ name: String, _ text: String
    ) throws -> (BrokerProcess, KafkaReader, Agent) {
        let broker = try BrokerProcess(topics: ["logs"])
        let reader = try KafkaReader(broker)
        let agent = try Agent(broker.address, path: "*.log", kafka: "topic: logs, codec: raw")
        try append("plain\n", "web.log", agent)
        try append("\(text)\n", name, agent)
        try agent.start()
        try eventually("both; \(agent.said)") { reader.count == 2 }
        try eventually("it is taken for a rotated one; \(agent.said)") {
            try agent.entry(name)?.state == "archived"
        }
        return (broker, reader, agent)
    }

    @Test(
        "beside a log without a date or number, one that is written to is a log of its own, also after a restart",
        arguments: ["web-2026-11-28.log", "web.1.log"])
    func beside(_ name: String) throws {
        let (broker, reader, agent) = try takenForRotated(name, "dated")
        // Any look at the directory finds what it has more by then.
        try append("found\n", name, agent)
        try append("", "look.log", agent)
        try eventually("what is found; \(agent.said)") { reader.count == 3 }
        try eventually("it is a log of its own; \(agent.said)") {
            try agent.entry(name)?.stream == agent.log(name)
        }
        for round in 0..<3 {
            try append("left \(round), ", name, agent)
            try append("after \(round)\n", "web.log", agent)
            try eventually("the other log; \(agent.said)") { reader.count == 4 + 2 * round }
            try append("right \(round)\n", name, agent)
            // Well below the time between two scans by the clock.
            try eventually(within: .seconds(30), "the whole line; \(agent.said)") {
                reader.count == 5 + 2 * round
            }
            if round == 1 {
                #expect(try agent.stop() == .code(0))
                try agent.start()
            }
        }
        #expect(try agent.stop() == .code(0))
        let expected =
            ["plain", "dated", "found"]
            + (0..<3).flatMap { ["after \($0)", "left \($0), right \($0)"] }
        #expect(reader.texts().sorted() == expected.sorted())
        #expect(try agent.once() == .code(0), "\(agent.said)")
        #expect(try AuditCount.of(broker) == expected.count)
    }

    @Test(
        "half a line of a log with a date, which nobody has open, waits for its rest beside one without"
    )
    func halfALine() throws {
        let broker = try BrokerProcess(topics: ["logs"])
        let reader = try KafkaReader(broker)
        let agent = try Agent(broker.address, path: "*.log", kafka: "topic: logs, codec: raw")
        try append("plain\n", "web.log", agent)
        try append("dated\nleft, ", "web-2026-11-28.log", agent)
        try agent.start()
        try eventually("what is whole; \(agent.said)") { reader.texts().contains("dated") }
        try append("right\n", "web-2026-11-28.log", agent)
        try eventually("all of it; \(agent.said)") { reader.count == 3 }
        #expect(reader.texts().sorted() == ["dated", "left, right", "plain"])
        #expect(try agent.stop() == .code(0))
    }

    @Test("numbers before the ending, where nothing is without, are logs of their own")
    func workers() throws {
        let broker = try BrokerProcess(topics: ["logs"])
        let reader = try KafkaReader(broker)
        let agent = try Agent(broker.address, path: "*.log", kafka: "topic: logs, codec: raw")
        for worker in 1...9 { try append("begin \(worker)\n", "worker.\(worker).log", agent) }
        try agent.start()
        try eventually("what is there; \(agent.said)") { reader.count == 9 }
        for worker in 1...9 {
            try append("half \(worker), ", "worker.\(worker).log", agent)
            try append("after \(worker)\n", "other.log", agent)
            try eventually("another log; \(agent.said)") { reader.count == 8 + 2 * worker }
            try append("half\n", "worker.\(worker).log", agent)
            try eventually(within: .seconds(30), "the whole line; \(agent.said)") {
                reader.texts().contains("half \(worker), half")
            }
        }
        #expect(try agent.stop() == .code(0))
        let streams = Set(try agent.registry().map(\.stream))
        #expect(
            streams == Set((1...9).map { agent.log("worker.\($0).log") } + [agent.log("other.log")])
        )
    }

    /// Its writer opens it for each line, so it is read to its end and closed as an earlier file of the other
    /// one. It is written to and rotated before anybody looks.
    @Test(
        "beside a log without a date or number, one that is rotated itself loses nothing, and is a log of its own",
        arguments: ["web-2026-11-28.log", "web.1.log"])
    func rotatedItself(_ name: String) throws {
        let (broker, reader, agent) = try takenForRotated(name, "first")
        for round in 0..<3 {
            try append("late \(round)\n", name, agent)
            for number in (1..<round + 1).reversed() {
                try rename(agent.log("\(name).\(number)"), agent.log("\(name).\(number + 1)"))
            }
            try rename(agent.log(name), agent.log("\(name).1"))
            try append("new \(round)\n", name, agent)
            try eventually("round \(round); \(agent.said)") { reader.count == 4 + 2 * round }
            try eventually("it is a log of its own; \(agent.said)") {
                try agent.entry(name)?.stream == agent.log(name)
            }
        }
        #expect(try agent.stop() == .code(0))
        let expected = ["plain", "first"] + (0..<3).flatMap { ["late \($0)", "new \($0)"] }
        #expect(reader.texts().sorted() == expected.sorted())
        #expect(agent.said.contains(" bytes_lost=0"), "\(agent.said)")
        #expect(try agent.once() == .code(0), "\(agent.said)")
        #expect(try AuditCount.of(broker) == 8)
    }

    /// The same, and whoever rotates it takes its rights away for a while, or for good.
    @Test(
        "rotated itself and unreadable then, it is read when that is over, and counted where it goes before",
        arguments: [true, false])
    func rotatedOutOfReach(heals: Bool) throws {
        let broker = try BrokerProcess(topics: ["logs"])
        let reader = try KafkaReader(broker)
        let agent = try Agent(broker.address, path: "*.log", kafka: "topic: logs, codec: raw")
        let calls = try FailingCalls()
        try append("plain\n", "web.log", agent)
        try append("first\n", "web.1.log", agent)
        try agent.start(wrapper: calls.wrapper)
        try eventually("both; \(agent.said)") { reader.count == 2 }
        try eventually("it is taken for a rotated one; \(agent.said)") {
            try agent.entry("web.1.log")?.state == "archived"
        }
        try calls.fail(.init(.access, .access, agent.log("web.1.log.1")))
        try append("late\n", "web.1.log", agent)
        try rename(agent.log("web.1.log"), agent.log("web.1.log.1"))
        try append("plain too\n", "web.log", agent)
        try eventually("the other one; \(agent.said)") { reader.count == 3 }
        try eventually("it was tried; \(agent.said)") { try calls.count() > 0 }
        if heals {
            try calls.heal()
            try eventually("the late line; \(agent.said)") { reader.texts().contains("late") }
        } else {
            try remove(agent.log("web.1.log.1"))
            try eventually("the loss; \(agent.said)") {
                agent.said.contains("bytes lost path=\(agent.log("web.1.log.1")) from=6 to=11 ")
            }
        }
        #expect(try agent.stop() == .code(0))
        #expect(try AuditCount.of(broker) == (heals ? 4 : 3))
    }

    /// While Kafka is away, a log is deleted and made anew, and the next day begins.
    @Test("what was deleted unread is read to its end when its log becomes an earlier file")
    func deletedBeforeMidnight() throws {
        let broker = try BrokerProcess(topics: ["logs"])
        let reader = try KafkaReader(broker)
        let agent = try Agent(
            broker.address, path: "*.log", kafka: "topic: logs, codec: raw",
            more: "limits: {in_flight: 1MiB}")
        let (first, second) = (LineSource("first"), LineSource("second"))
        let today = "web-2026-11-28.log"
        try appendBytes(first.lines(0..<10), to: agent.log(today))
        try agent.start()
        try eventually("the first lines; \(agent.said)") { reader.count == 10 }
        broker.pause()
        // More than may be on its way.
        try appendBytes(first.lines(10..<20_010), to: agent.log(today))
        try eventually("as much as may be is on its way; \(agent.said)") {
            try agent.process.openFiles(beneath: agent.home.path("logs")).count == 1
        }
        try remove(agent.log(today))
        try appendBytes(second.lines(0..<10), to: agent.log(today))
        try eventually("both are open; \(agent.said)") {
            try agent.process.openFiles(beneath: agent.home.path("logs")).count == 2
        }
        try agent.home.append("logs/web-2026-11-29.log", "a new day\n")
        try eventually("the new day is open; \(agent.said)") {
            try agent.process.openFiles(beneath: agent.home.path("logs")).contains {
                $0.hasSuffix("web-2026-11-29.log")
            }
        }
        broker.resume()
        try eventually("all lines; \(agent.said)") { reader.count >= 20_021 }
        #expect(try agent.stop() == .code(0))
        let texts = reader.texts()
        #expect(texts.filter { $0.hasPrefix("first ") } == first.texts(0..<20_010))
        #expect(texts.filter { $0.hasPrefix("second ") } == second.texts(0..<10))
        #expect(texts.count == 20_021)
        #expect(agent.said.contains(" bytes_lost=0"), "\(agent.said)")
        #expect(try agent.once() == .code(0), "\(agent.said)")
        #expect(try AuditCount.of(broker) == 20_021)
    }
}
