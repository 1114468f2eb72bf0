import Glibc
import Shipper
import TestSupport
import Testing

@Suite("run --once reads what is there, delivers it, saves, and ends")
struct OnceTests {
    @Test("An unterminated tail is neither shipped nor passed, and a second run ships nothing")
    func tail() throws {
        let broker = try BrokerProcess(topics: ["logs"])
        let reader = try KafkaReader(broker)
        let agent = try Agent(broker.address, path: "*.log")
        try agent.home.write("logs/a.log", "one\ntwo\nthr")
        try agent.home.write("logs/b.log", "no end")
        try agent.home.write("logs/c.log", "")
        #expect(try agent.once() == .code(0), "\(agent.said)")
        try reader.waitFor(["one", "two"])
        #expect(try agent.entry("a.log")?.offset == 8)
        #expect(try agent.entry("b.log")?.offset == 0)

        #expect(try agent.once() == .code(0), "\(agent.said)")
        #expect(try AuditCount.of(broker) == 2)

        try agent.home.append("logs/a.log", "ee\n")
        #expect(try agent.once() == .code(0), "\(agent.said)")
        try reader.waitFor(["one", "two", "three"])
        #expect(try reader.messages() == ["one", "two", "three"])
        #expect(try reader.records("logs").map { try $0.document().log.offset } == [0, 4, 8])
        #expect(try agent.entry("a.log")?.offset == 14)
    }

    @Test("The end is each file's size at the start, while its writer goes on")
    func sizeAtStart() throws {
        let broker = try BrokerProcess(topics: ["logs"])
        let agent = try Agent(
            broker.address, path: "a.log", kafka: "topic: logs, codec: raw",
            more: "limits: {in_flight: 256KiB}")
        let source = LineSource("w")
        let before = 20_000
        let bytes = source.lines(0..<before)
        try agent.home.write("logs/a.log", bytes)
        // It has started to read and cannot finish: now the writer goes on.
        broker.pause()
        let run = try agent.launch(["run", "--config", agent.config, "--once"])
        try eventually("the file is open; \(agent.said)") {
            try run.openFiles(beneath: agent.log(".").dropLast(2).description).count == 1
        }
        try agent.home.append(
            "logs/a.log", String(decoding: source.lines(before..<before + 1_000), as: UTF8.self))
        broker.resume()
        #expect(try run.wait() == .code(0), "\(agent.said)")
        #expect(try AuditCount.of(broker) == before)
        #expect(try agent.entry("a.log")?.offset == bytes.count)
        #expect(try agent.once() == .code(0), "\(agent.said)")
        #expect(try AuditCount.of(broker) == before + 1_000)
    }

    @Test("Every file that matches is read, archives of s6 before current")
    func directories() throws {
        let broker = try BrokerProcess(topics: ["logs"])
        let reader = try KafkaReader(broker)
        let agent = try Agent(broker.address, path: "**/current")
        let source = LineSource("w")
        let writer = try S6Writer(
            directory: agent.log("deep/er/log"), directives: ["n1000", "s4096"])
        try writer.write(source, 0..<2_000, chunk: 10)
        try writer.finish()
        #expect(try agent.once() == .code(0), "\(agent.said)")
        try eventually("all lines") { reader.count >= 2_000 }
        var audit = Audit()
        audit.expect(source, lines: 2_000)
        for message in try reader.messages() { audit.arrived(Array(message.utf8)) }
        #expect(audit.report.isClean, "\(audit.report)")
    }

    /// Logs are taken up 64 rotated files at a time, and 8 with few descriptors: at the bounds and beyond.
    @Test(
        "However many rotated files a log has, all of them are shipped, oldest first, and the live one",
        arguments: [7, 8, 9, 63, 64, 65, 66, 129, 200], [16, 4096])
    func manyRotated(count: Int, openFiles: Int) throws {
        let broker = try BrokerProcess(topics: ["logs"])
        let reader = try KafkaReader(broker)
        let agent = try Agent(
            broker.address, path: "*.log*", kafka: "topic: logs, codec: raw",
            more: "limits: {open_files: \(openFiles)}")
        for number in stride(from: count, through: 1, by: -1) {
            try agent.home.write("logs/app.log.\(number)", "\(number) a\n\(number) b\n")
        }
        try agent.home.write("logs/app.log", "0 a\n0 b\n")
        #expect(try agent.once() == .code(0), "\(agent.said)")
        let expected = stride(from: count, through: 0, by: -1).flatMap { ["\($0) a", "\($0) b"] }
        try eventually("all lines; \(agent.said)") { reader.count >= expected.count }
        #expect(reader.texts() == expected)
    }

    @Test(
        "However many archives an s6 directory has, all of them are shipped before current",
        arguments: [5, 6, 7, 10, 11, 12, 13, 40])
    func manyArchives(count: Int) throws {
        let broker = try BrokerProcess(topics: ["logs"])
        let reader = try KafkaReader(broker)
        let agent = try Agent(
            broker.address, path: "*/current", kafka: "topic: logs, codec: raw",
            more: "limits: {open_files: 16}")
        for number in 0..<count {
            let digits = String(0x1_0000_0000 + number, radix: 16).dropFirst()
            try agent.home.write(
                "logs/pod/@4000000067000000\(digits).s", "\(number) a\n\(number) b\n")
        }
        try agent.home.write("logs/pod/current", "\(count) a\n\(count) b\n")
        #expect(try agent.once() == .code(0), "\(agent.said)")
        let expected = (0...count).flatMap { ["\($0) a", "\($0) b"] }
        try eventually("all lines; \(agent.said)") { reader.count >= expected.count }
        #expect(reader.texts() == expected)
    }

    @Test(
        "However many directories there are, all of them are looked into", arguments: [64, 65, 130])
    func manyDirectories(count: Int) throws {
        let broker = try BrokerProcess(topics: ["logs"])
        let reader = try KafkaReader(broker)
        let agent = try Agent(
            broker.address, path: "*/*/a.log", kafka: "topic: logs, codec: raw",
            more: "limits: {open_files: 16}")
        for number in 0..<count { try agent.home.write("logs/x/\(number)/a.log", "\(number)\n") }
        #expect(try agent.once() == .code(0), "\(agent.said)")
        try eventually("all lines; \(agent.said)") { reader.count >= count }
        #expect(reader.texts().compactMap { Int($0) }.sorted() == Array(0..<count))
    }

    @Test("The last line of a file that nobody writes to any more is shipped without its newline")
    func finishedArchives() throws {
        let broker = try BrokerProcess(topics: ["logs"])
        let reader = try KafkaReader(broker)
        let agent = try Agent(
            broker.address, path: "{dir}/*", kafka: "topic: logs, codec: raw, key: \"{dir}\"")
        try agent.home.write("logs/path/app.log.1", "one\ntwo")
        try agent.home.write("logs/path/app.log", "three\nno end")
        try agent.home.write("logs/s6/@400000006700000000000000.s", "four\nfive")
        try agent.home.write("logs/s6/current", "six\nno end")
        #expect(try agent.once() == .code(0), "\(agent.said)")
        try eventually("all lines; \(agent.said)") { reader.count >= 6 }
        #expect(reader.texts().sorted() == ["five", "four", "one", "six", "three", "two"])
        #expect(
            agent.said.contains("last lines without a newline wait for their ends files=2"),
            "\(agent.said)")
        #expect(try agent.once() == .code(0), "\(agent.said)")
        #expect(try AuditCount.of(broker) == 6)
    }

    @Test(
        "Where nobody may ask for a writer, a rotated file that was left alone for a minute has ended"
    )
    func noLeases() throws {
        let broker = try BrokerProcess(topics: ["logs"])
        let reader = try KafkaReader(broker)
        let agent = try Agent(broker.address, path: "*", kafka: "topic: logs, codec: raw")
        let failing = try FailingCalls()
        for (name, age) in [("old", 3_600), ("new", 0)] {
            try agent.home.write("logs/\(name).log.1", "one\nlast of \(name)")
            try setTime(of: agent.log("\(name).log.1"), seconds: time(nil) - age)
            try agent.home.write("logs/\(name).log", "three\n")
        }
        try failing.fail(
            ["old", "new"].map { .init(.lease, .access, agent.log("\($0).log.1")) })
        try agent.launch(["run", "--config", agent.config, "--once"], wrapper: failing.wrapper)
        #expect(try agent.process.wait() == .code(0), "\(agent.said)")
        try eventually("all lines; \(agent.said)") { reader.count >= 5 }
        #expect(reader.texts().sorted() == ["last of old", "one", "one", "three", "three"])
        #expect(
            agent.said.contains("last lines without a newline wait for their ends files=1"),
            "\(agent.said)")
    }

    @Test(
        "Interrupted or timed out it ends with 1 and says how many files and bytes are left",
        arguments: [[], ["--timeout", "4s"]])
    func interrupted(options: [String]) throws {
        let broker = try BrokerProcess(topics: ["logs"])
        let agent = try Agent(
            broker.address, path: "*.log", kafka: "topic: logs, codec: raw",
            more: "limits: {in_flight: 256KiB}\nshutdown_timeout: 100ms")
        let bytes = LineSource("w").lines(0..<20_000)
        for name in ["a", "b", "c"] { try agent.home.write("logs/\(name).log", bytes) }
        broker.pause()
        let run = try agent.launch(["run", "--config", agent.config, "--once"] + options)
        if options.isEmpty {
            try eventually("all are open; \(agent.said)") {
                try run.openFiles(beneath: agent.home.path("logs")).count == 3
            }
            run.signal(15)
        }
        #expect(try run.wait() == .code(1), "\(agent.said)")
        let why = options.isEmpty ? "interrupted" : "\"timed out\""
        #expect(
            agent.said.contains(
                "not everything was shipped why=\(why) files=3 bytes=\(3 * bytes.count) "),
            "\(agent.said)")
        broker.resume()
        #expect(try agent.once() == .code(0), "\(agent.said)")
        #expect(!agent.process.errors.contains("not everything"), "\(agent.said)")
    }

    @Test("The time of --timeout is the whole time: no shutdown_timeout comes on top of it")
    func wholeTime() throws {
        let broker = try BrokerProcess(topics: ["logs"])
        // Longer than anybody waits here.
        let agent = try Agent(
            broker.address, path: "*.log", kafka: "topic: logs", more: "shutdown_timeout: 1h")
        try agent.home.write("logs/a.log", "a line\n")
        broker.pause()
        let run = try agent.launch(
            ["run", "--config", agent.config, "--once", "--timeout", "2s"])
        #expect(try run.wait() == .code(1), "\(agent.said)")
        #expect(
            agent.said.contains("not everything was shipped why=\"timed out\" files=1 bytes=7 "),
            "\(agent.said)")
    }

    enum Obstacle: CaseIterable { case link, closedFile, closedDirectory }

    @Test(
        "What matches and cannot be shipped makes it end with 1; the rest is shipped",
        arguments: Obstacle.allCases)
    func obstacle(obstacle: Obstacle) throws {
        let broker = try BrokerProcess(topics: ["logs"])
        let reader = try KafkaReader(broker)
        let agent = try Agent(broker.address, path: "**/*.log", kafka: "topic: logs, codec: raw")
        try agent.home.write("logs/good/a.log", "good\n")
        try agent.home.write("logs/bad/b.log", "bad\n")
        let mark: String
        switch obstacle {
        case .link:
            try remove(agent.log("bad/b.log"))
            try makeLink(agent.log("bad/b.log"), to: "/etc/hostname")
            mark = "names_refused_or_unreadable=1 directories_unfinished=0"
        case .closedFile:
            try setMode(agent.log("bad/b.log"), 0)
            mark = "names_refused_or_unreadable=1 directories_unfinished=0"
        case .closedDirectory:
            try setMode(agent.log("bad"), 0)
            mark = "names_refused_or_unreadable=0 directories_unfinished=1"
        }
        // As root would after giving up every right beyond a user's.
        let run = try agent.launch(
            ["run", "--config", agent.config, "--once"],
            wrapper: [
                try findProgram("setpriv", package: "util-linux"), "--inh-caps=-all",
                "--bounding-set=-all",
            ])
        #expect(try run.wait() == .code(1), "\(agent.said)")
        #expect(
            agent.said.contains("not everything was shipped why=\"it could not be read\" "),
            "\(agent.said)")
        #expect(agent.said.contains(mark), "\(agent.said)")
        try eventually("the rest is shipped; \(agent.said)") { reader.count == 1 }
        #expect(reader.texts() == ["good"])
        if obstacle == .closedDirectory { try setMode(agent.log("bad"), 0o755) }
    }

    @Test("Where lines were gone before it could read them it ends with 1 and says how much")
    func lost() throws {
        let broker = try BrokerProcess(topics: ["logs"])
        let agent = try Agent(
            broker.address, path: "*.log", kafka: "topic: logs, codec: raw",
            more: "limits: {in_flight: 256KiB}\nshutdown_timeout: 100ms")
        let bytes = LineSource("w").lines(0..<20_000)
        try agent.home.write("logs/a.log", bytes)
        broker.pause()
        let run = try agent.launch(["run", "--config", agent.config, "--once"])
        try eventually("it is open; \(agent.said)") {
            try run.openFiles(beneath: agent.home.path("logs")).count == 1
        }
        run.signal(15)
        #expect(try run.wait() == .code(1), "\(agent.said)")
        broker.resume()
        try rename(agent.log("a.log"), agent.log("a.log.1"))
        try agent.home.write("logs/a.log", "other\n")
        try remove(agent.log("a.log.1"))
        #expect(try agent.once() == .code(1), "\(agent.said)")
        let said = agent.process.errors
        #expect(
            said.contains("lines were lost bytes=\(bytes.count) archives=0 archives_damaged=0"),
            "\(agent.said)")
        #expect(!said.contains("not everything"), "\(agent.said)")
        // The next run has lost none.
        #expect(try agent.once() == .code(0), "\(agent.said)")
    }
}
