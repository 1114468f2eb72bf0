import Glibc
import Platform
import Shipper
import TestSupport
import Testing

@Suite("Rotated files that go to another directory are read there, or counted")
struct ArchivesTests {
    /// An agent that has shipped the first 100 lines of `web/app.log` and `api/app.log`.
    private struct Logs {
        let broker: BrokerProcess
        let reader: KafkaReader
        let agent: Agent
        let apps = ["web", "api"]
        /// Lines written to each.
        var written = 0

        /// `strangers`: files that lie in each archive before the agent starts.
        init(archives: Bool = true, strangers: Int = 1) throws {
            broker = try BrokerProcess(topics: ["logs"])
            reader = try KafkaReader(broker)
            agent = try Agent(
                broker.address, path: "{app}/app.log", kafka: "topic: logs, codec: raw")
            if archives {
                let old = agent.home.path("old/{app}/app.log*")
                try agent.configure {
                    $0.replace("app.log\"]", with: "app.log\"], archives: [\"\(old)\"]")
                }
            }
            for app in apps {
                for place in ["logs", "old"] { try agent.home.makeDirectory("\(place)/\(app)") }
                // Of an earlier time, and of nobody's business.
                for number in 0..<strangers {
                    try agent.home.write(
                        "old/\(app)/app.log.\(1_000 + number)", "of an earlier time \(number)\n")
                }
            }
            // Files' times go by the kernel's ticks.
            let earlier = try modified(old("api", "app.log.\(999 + strangers)"))
            try eventually("time goes on") {
                try modified(agent.home.write("tick", "x")) > earlier
            }
            try write(100)
            try agent.start()
            try expectAll()
        }

        private func modified(_ path: String) throws -> FileTime {
            try FileStatus.glance(at: Array(path.utf8)).modified
        }

        mutating func write(_ lines: Int) throws {
            for app in apps {
                try appendBytes(
                    LineSource(app).lines(written..<written + lines),
                    to: agent.log("\(app)/app.log"))
            }
            written += lines
        }

        func old(_ app: String, _ name: String) -> String { agent.home.path("old/\(app)/\(name)") }

        /// Each log goes to the other directory under this name.
        func move(_ name: String) throws {
            for app in apps { try rename(agent.log("\(app)/app.log"), old(app, name)) }
        }

        func compress(_ names: [String]) throws {
            let gzip = try findProgram("gzip", package: "gzip")
            for app in apps {
                let exit = try ChildProcess(gzip, names.map { old(app, $0) }).wait()
                #expect(exit == .code(0))
            }
        }

        func expectAll() throws {
            try eventually("all \(written) lines; \(reader.count) \(agent.said)") {
                reader.count >= written * apps.count
            }
        }

        func verify() throws {
            try expectAll()
            #expect(try agent.stop() == .code(0))
            for app in apps {
                let mine = reader.texts().filter { $0.hasPrefix("\(app) ") }
                #expect(difference(mine, LineSource(app).texts(0..<written)) == nil)
            }
            #expect(!agent.said.contains("bytes lost"), "\(agent.said)")
            #expect(try agent.once() == .code(0), "\(agent.said)")
            #expect(try AuditCount.of(broker) == written * apps.count)
        }
    }

    @Test(
        "moved away while the agent was stopped: the rest of each file, oldest first, and once",
        arguments: [
            ["app.log.1"], ["app.log-20261127", "app.log-20261128"], ["app.log", "app.log.1"],
        ])
    func stopped(_ names: [String]) throws {
        var logs = try Logs()
        #expect(try logs.agent.stop() == .code(0))
        for name in names {
            try logs.write(50)
            try logs.move(name)
        }
        try logs.write(50)
        try logs.agent.start()
        try logs.verify()
    }

    @Test("one for which there is no descriptor is waited for, and what is newer comes after it")
    func withoutDescriptor() throws {
        var logs = try Logs()
        #expect(try logs.agent.stop() == .code(0))
        for name in ["app.log-20261127", "app.log-20261128"] {
            try logs.write(50)
            try logs.move(name)
        }
        try logs.write(50)
        let failing = try FailingCalls()
        // One was read in part, and the other one never seen.
        let (known, unknown) = (
            logs.old("web", "app.log-20261127"), logs.old("api", "app.log-20261128")
        )
        try failing.fail(.noDescriptor(known), .noDescriptor(unknown))
        try logs.agent.start(wrapper: failing.wrapper)
        for path in [known, unknown] {
            try eventually("it was tried; \(logs.agent.said)") {
                logs.agent.said.contains("path=\(path) ")
            }
        }
        try failing.heal()
        try logs.verify()
    }

    @Test("moved away and compressed while the agent was stopped: read as what it was")
    func compressed() throws { try moved(pastStrangers: 1, isCompressed: true) }

    /// 1. So many files are opened at once, the oldest first, and were never the log's.
    /// 2. What the log's file became lies behind them.
    @Test(
        "what was moved away is found among any number of strangers, before its entry leaves",
        arguments: [64, 65, 70], [true, false])
    func strangers(_ count: Int, isCompressed: Bool) throws {
        try moved(pastStrangers: count, isCompressed: isCompressed)
    }

    private func moved(pastStrangers strangers: Int, isCompressed: Bool) throws {
        var logs = try Logs(strangers: strangers)
        #expect(try logs.agent.stop() == .code(0))
        try logs.write(50)
        try logs.move("app.log.1")
        if isCompressed {
            try logs.compress(["app.log.1"] + (0..<strangers).map { "app.log.\(1_000 + $0)" })
        }
        try logs.write(50)
        try logs.agent.start()
        try logs.verify()
    }

    @Test(
        "rotated to there any number of times while the agent was stopped: all of it, in order",
        arguments: [65, 140], [true, false])
    func manyTimes(_ count: Int, isCompressed: Bool) throws {
        var logs = try Logs(strangers: 70)
        #expect(try logs.agent.stop() == .code(0))
        let names = (0..<count).map { "app.log.\(999 - $0)" }
        for name in names {
            try logs.write(2)
            try logs.move(name)
        }
        if isCompressed { try logs.compress(names) }
        try logs.write(50)
        try logs.agent.start()
        try logs.verify()
    }

    @Test(
        "copied to there and truncated while the agent was stopped: read on in the copy",
        arguments: [1, 64, 65, 70])
    func copied(strangers: Int) throws {
        var logs = try Logs(strangers: strangers)
        #expect(try logs.agent.stop() == .code(0))
        try logs.write(50)
        for app in logs.apps {
            let path = logs.agent.log("\(app)/app.log")
            try appendBytes(readFile(path), to: logs.old(app, "app.log.1"))
            try Descriptor.open(path, O_WRONLY).truncate(to: 0)
        }
        try logs.write(50)
        try logs.agent.start()
        try logs.verify()
    }

    @Test("rotated to there again and again while the agent runs: complete and in order")
    func running() throws {
        var logs = try Logs()
        for round in 0..<10 {
            try logs.write(50)
            try logs.move("app.log.2026-11-28.\(round)")
            if round % 3 == 0 { try logs.expectAll() }
        }
        try logs.write(50)
        try logs.verify()
    }

    @Test("rotated to there and compressed while the agent runs: nothing is sent again or left out")
    func compressedWhileRunning() throws {
        var logs = try Logs()
        for round in 1...5 {
            for app in logs.apps {
                for number in (1..<round).reversed() {
                    try rename(
                        logs.old(app, "app.log.\(number).gz"),
                        logs.old(app, "app.log.\(number + 1).gz"))
                }
            }
            try logs.move("app.log.1")
            try logs.write(50)
            try logs.expectAll()
            try logs.compress(["app.log.1"])
        }
        try logs.write(50)
        try logs.verify()
    }

    @Test("moved to where no pattern leads: what is missing is counted and named, byte for byte")
    func nowhere() throws {
        var logs = try Logs(archives: false)
        let read = try ["web", "api"].map { try readFile(logs.agent.log("\($0)/app.log")).count }
        #expect(try logs.agent.stop() == .code(0))
        try logs.write(1_000)
        let sizes = try ["web", "api"].map { try readFile(logs.agent.log("\($0)/app.log")).count }
        try logs.move("app.log.1")
        for app in logs.apps {
            try logs.agent.home.write("logs/\(app)/app.log", "\(app) after it\n")
        }
        try logs.agent.start()
        try eventually("the new files; \(logs.agent.said)") { logs.reader.count == 202 }
        #expect(try logs.agent.stop() == .code(0))
        let said = logs.agent.said
        for (index, app) in logs.apps.enumerated() {
            let path = logs.agent.log("\(app)/app.log")
            // Where the process may not ask for a file by its handle, it knows that there may be more.
            let isCounted = said.contains(
                "bytes lost path=\(path) from=\(read[index]) to=\(sizes[index]) reason=moved_away")
            let isNamed = said.contains(
                "file went while nobody looked; what was written to it since it was seen is lost "
                    + "path=\(path) from=\(read[index]) ")
            #expect(isCounted != isNamed, "\(said)")
        }
    }

    /// 1. A log's earlier file was compressed where it went to while its program had it open. It is read to its
    ///    end, and has no name any more.
    /// 2. Where its entry goes to a search tells, and that fails, again and again.
    /// 3. Beside the log a file is found that came and was rotated between two looks.
    @Test("an archive directory that cannot be searched holds up nothing of a log")
    func unsearchable() throws {
        var logs = try Logs()
        let calls = try FailingCalls()
        #expect(try logs.agent.stop() == .code(0))
        try logs.agent.start(wrapper: calls.wrapper)
        try calls.fail(FailingCalls.Rule(.getdents, .io, logs.agent.home.path("old/**")))
        let web = try Descriptor.open(logs.agent.log("web/app.log"), O_WRONLY | O_APPEND)
        let api = try Descriptor.open(logs.agent.log("api/app.log"), O_WRONLY | O_APPEND)
        try logs.move("app.log.1")
        try logs.write(50)
        try logs.expectAll()
        try logs.compress(["app.log.1"])
        _ = consume web
        _ = consume api
        try eventually("what was removed is closed; \(logs.agent.said)") {
            try logs.agent.process.openFiles(beneath: logs.agent.home.path("old")).isEmpty
        }
        for app in logs.apps {
            try logs.agent.home.write("logs/\(app)/app.log.1", "\(app) between\n")
        }
        try eventually("what came between; \(logs.agent.said)") {
            Set(logs.reader.texts()).isSuperset(of: logs.apps.map { "\($0) between" })
        }
        #expect(logs.agent.said.contains("directory cannot be listed"), "\(logs.agent.said)")
        #expect(try logs.agent.stop() == .code(0))
    }
}
