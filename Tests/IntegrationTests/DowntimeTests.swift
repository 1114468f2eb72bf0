import Platform
import Shipper
import TestSupport
import Testing

@Suite("What happened to files while the shipper was stopped is made up for")
struct DowntimeTests {
    /// An agent that has shipped the first 100 lines of `app.log` and was stopped.
    private func stopped(
        _ broker: BrokerProcess, _ reader: KafkaReader, path: String = "app.log"
    ) throws -> (agent: Agent, log: RotatedLog) {
        let agent = try Agent(broker.address, path: path, kafka: "topic: logs, codec: raw")
        let log = try RotatedLog(agent.log("app.log"), LineSource("w"))
        try log.write(100)
        try agent.start()
        try eventually("the first lines; \(agent.said)") { reader.count == 100 }
        #expect(try agent.stop() == .code(0))
        return (agent, log)
    }

    @Test(
        "T10: three rotations, archives compressed by then: the rest of each, oldest first",
        arguments: [[], [1, 2], [2, 3], [1, 2, 3]])
    func rotations(compressed: [Int]) throws {
        let broker = try BrokerProcess(topics: ["logs"])
        let reader = try KafkaReader(broker)
        let (agent, log) = try stopped(broker, reader)
        for _ in 0..<3 {
            try log.write(100)
            try log.rotate()
        }
        try log.write(100)
        for number in compressed { try log.compress(number) }
        try agent.start()
        try eventually("all lines; \(agent.said)") { reader.count >= 500 }
        try log.write(10)
        try eventually("and what comes then; \(agent.said)") { reader.count >= 510 }
        #expect(try agent.stop() == .code(0))
        #expect(difference(reader.texts(), log.source.texts(0..<510)) == nil)
        #expect(!agent.said.contains("bytes lost"), "\(agent.said)")
        // Not once more after another start, nor by a look at everything that is there.
        #expect(try agent.once() == .code(0), "\(agent.said)")
        #expect(try AuditCount.of(broker) == 510)
    }

    /// What rotation calls the files of `app.log`, the first, the second and the third of them.
    private static let names: [[String]] = [
        [
            "app.log.2026-11-28T10:15:30Z", "app.log.2026-11-28T10:16:30Z",
            "app.log.2026-11-29T00:00:00Z",
        ],
        [
            "app-2026-11-28T10-15-30.123.log", "app-2026-11-28T10-15-30.999.log",
            "app-2026-11-28T10-15-31.007.log",
        ],
        ["app.log.28-Nov-2026", "app.log.29-Nov-2026", "app.log.01-Dec-2026"],
        ["app.log.bak3", "app.log.bak2", "app.log.bak1"],
        ["app_r00009.log", "app_r00010.log", "app_r00011.log"],
        ["app.2026-11-28.9.log", "app.2026-11-28.10.log", "app.2026-11-28.11.log"],
        ["app.log.3.bak", "app.log.2.bak", "app.log.1.bak"],
        [
            "app.log.2026-11-28T10:15:30.5+01:00", "app.log.2026-11-28T10:15:31.5+01:00",
            "app.log.2026-11-28T10:15:32.5+01:00",
        ],
        ["saved-1-of-app", "saved-2-of-app", "saved-3-of-app"],
        ["app.log-20261128", "app.log-20261129", "app.log-20261130"],
        ["app.log~3", "app.log~2", "app.log~1"],
        // Whose order is not that of time by any rule for names.
        ["app.log.1", "app.log.2", "app.log.3"],
        ["app.1.log", "app.2.log", "app.3.log"],
        ["app-1.log", "app-2.log", "app-3.log"],
        ["app.log.08", "app.log.09", "app.log.10"],
        ["app.log.0800", "app.log.0900", "app.log.1000"],
        ["app.log.9998", "app.log.9999", "app.log.10000"],
        [
            "app.log.2026-10-25T02:30:00+0200", "app.log.2026-10-25T02:40:00+0200",
            "app.log.2026-10-25T02:10:00+0100",
        ],
        ["app.log.20102026", "app.log.19112026", "app.log.18122026"],
    ]

    @Test(
        "whatever rotation calls files, those between the known one and the new one are read, in order",
        arguments: names)
    func namesOfAllKinds(_ names: [String]) throws {
        let broker = try BrokerProcess(topics: ["logs"])
        let reader = try KafkaReader(broker)
        let agent = try Agent(broker.address, path: "app.log", kafka: "topic: logs, codec: raw")
        let source = LineSource("w")
        func write(_ lines: Range<Int>, _ name: String = "app.log") throws {
            // What lies apart in time has other times: those of files go by the kernel's ticks.
            let scratch = agent.home.path("tick")
            let before = try modified(agent.home.write("before", "x"))
            try eventually("time goes on") { try modified(agent.home.write("tick", "x")) > before }
            try appendBytes(source.lines(lines), to: agent.log(name))
            try remove(scratch)
        }
        // Logs of their own, whose names are near.
        let others = ["app-error.log", "app.logs", "other.log.1", "app-v2.log.bak"]
        for name in others { try agent.home.write("logs/\(name)", "a log of its own\n") }
        try write(0..<100)
        try agent.start()
        try eventually("the first lines; \(agent.said)") { reader.count == 100 }
        #expect(try agent.stop() == .code(0))
        try write(100..<150)
        for (index, name) in names.enumerated() {
            try rename(agent.log("app.log"), agent.log(name))
            try write(150 + index * 50..<200 + index * 50)
            for name in others { try agent.home.append("logs/\(name)", "another of its lines\n") }
        }
        try agent.start()
        try eventually("all lines; \(agent.said)") { reader.count >= 300 }
        #expect(try agent.stop() == .code(0))
        #expect(difference(reader.texts(), source.texts(0..<300)) == nil)
        #expect(!agent.said.contains("bytes lost"), "\(agent.said)")
        #expect(try agent.once() == .code(0), "\(agent.said)")
        #expect(try AuditCount.of(broker) == 300)
    }

    private func modified(_ path: String) throws -> FileTime {
        try FileStatus.glance(at: Array(path.utf8)).modified
    }

    @Test(
        "The rest of a log that was rotated away arrives, whatever bytes its name and directory have"
    )
    func namesOfAnyBytes() throws {
        let broker = try BrokerProcess(topics: ["logs"])
        let reader = try KafkaReader(broker)
        let agent = try Agent(
            broker.address, path: "*/*.log", kafka: "topic: logs, codec: raw")
        let directories = ["caf\u{E9}", "cafe\u{301}", "plain"]
        let names: [[UInt8]] =
            ["caf\u{E9}.log", "cafe\u{301}.log", #"back\x80slash.log"#].map {
                Array($0.utf8)
            } + [[0xFF, 0xFE] + Array(".log".utf8)]
        func append(_ part: String) throws -> [String] {
            var texts: [String] = []
            for directory in directories {
                try agent.home.makeDirectory("logs/\(directory)")
                for (number, name) in names.enumerated() {
                    let text = "\(part) of \(number) in \(directory.utf8.count)"
                    texts.append(text)
                    try appendBytes(
                        Array("\(text)\n".utf8),
                        toName: Array(agent.log("\(directory)/").utf8) + name)
                }
            }
            return texts
        }
        var expected = try append("beginning")
        try agent.start()
        try eventually("the beginnings; \(agent.said)") { reader.count >= expected.count }
        #expect(try agent.stop() == .code(0))
        expected += try append("rest")
        let move = try ChildProcess(
            "/bin/sh",
            ["-c", #"cd "$0" && for f in */*.log; do mv "$f" "$f.1"; done"#, agent.log("")])
        #expect(try move.wait() == .code(0), "\(move.errors)")
        try agent.start()
        try eventually("the rests; \(agent.said)") { reader.count >= expected.count }
        #expect(try agent.stop() == .code(0))
        #expect(reader.texts().sorted() == expected.sorted())
    }

    @Test("T11: rotated and deleted: only the new file arrives, and what is lost is counted")
    func deleted() throws {
        let broker = try BrokerProcess(topics: ["logs"])
        let reader = try KafkaReader(broker)
        let agent = try Agent(
            broker.address, path: "app.log", kafka: "topic: logs, codec: raw",
            more: "shutdown_timeout: 100ms")
        let log = try RotatedLog(agent.log("app.log"), LineSource("w"))
        try log.write(1_000)
        let size = log.source.lines(0..<log.written).count
        try broker.takeDown()
        try agent.start()
        try eventually("it is seen; \(agent.said)") { try agent.entry("app.log")?.size == size }
        #expect(try agent.stop() == .code(0))

        try log.rotate()
        try remove("\(log.path).1")
        try log.write(50)
        try broker.bringUp()
        try agent.start()
        try eventually("the new file; \(agent.said)") { reader.count >= 50 }
        #expect(try agent.stop() == .code(0))
        #expect(difference(reader.texts(), log.source.texts(1_000..<1_050)) == nil)
        let lost = agent.said.split(separator: "\n").filter { $0.contains("bytes lost") }
        #expect(lost.count == 1 && lost[0].contains(" from=0 to=\(size) "), "\(agent.said)")
        #expect(agent.said.contains(" bytes_lost=\(size)"), "\(agent.said)")
    }

    @Test("T18: copied and truncated: the rest is taken from the copy, then the new content")
    func copyTruncated() throws {
        let broker = try BrokerProcess(topics: ["logs"])
        let reader = try KafkaReader(broker)
        let (agent, log) = try stopped(broker, reader)
        try log.write(100)
        try log.copyTruncate()
        try log.write(50)
        try agent.start()
        try eventually("all lines; \(agent.said)") { reader.count >= 250 }
        try log.write(10)
        try eventually("and what comes then; \(agent.said)") { reader.count >= 260 }
        #expect(try agent.stop() == .code(0))
        #expect(difference(reader.texts(), log.source.texts(0..<260)) == nil)
        #expect(!agent.said.contains("bytes lost"), "\(agent.said)")
        #expect(try agent.once() == .code(0), "\(agent.said)")
        #expect(try AuditCount.of(broker) == 260)
    }

    @Test(
        "T18: the same several times over, and with copies that are compressed or match the pattern",
        arguments: [("app.log", []), ("app.log", [2, 3]), ("app.log", [1, 2, 3]), ("*.log*", [])])
    func copyTruncatedOften(path: String, compressed: [Int]) throws {
        let broker = try BrokerProcess(topics: ["logs"])
        let reader = try KafkaReader(broker)
        let (agent, log) = try stopped(broker, reader, path: path)
        for _ in 0..<3 {
            try log.write(100)
            try log.copyTruncate()
        }
        try log.write(50)
        for number in compressed { try log.compress(number) }
        try agent.start()
        try eventually("all lines; \(agent.said)") { reader.count >= 450 }
        #expect(try agent.stop() == .code(0))
        #expect(difference(reader.texts(), log.source.texts(0..<450)) == nil)
        #expect(!agent.said.contains("bytes lost"), "\(agent.said)")
        #expect(try agent.once() == .code(0), "\(agent.said)")
        #expect(try AuditCount.of(broker) == 450)
    }
}
