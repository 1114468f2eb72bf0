import Shipper
import TestSupport
import Testing

@Suite("What cannot be read beside a log costs a while of order, and no line")
struct SickFileTests {
    /// Every call that is made on a file, and every way in which it fails. What interrupts it does so a few
    /// times; what else is wrong stays so.
    private static let faults = FailingCalls.Call.allCases.flatMap { call in
        FailingCalls.Code.allCases.map { code in (call: call, code: code) }
    }

    /// One log for each fault, in a directory of its own, and one beside which nothing is wrong.
    private struct Logs {
        let agent: Agent
        let broker: BrokerProcess
        let reader: KafkaReader
        let failing: FailingCalls
        let names: [String]
        static let neighbour = "neighbour"

        init() throws {
            broker = try BrokerProcess(topics: ["logs"])
            reader = try KafkaReader(broker)
            agent = try Agent(
                broker.address, path: "*/app.log", kafka: "topic: logs, codec: raw")
            failing = try FailingCalls()
            names = SickFileTests.faults.map { "\($0.call)-\($0.code)" } + [Self.neighbour]
            for name in names { try agent.home.makeDirectory("logs/\(name)") }
        }

        /// Appends lines to the log of each fault.
        func write(_ lines: Range<Int>) throws {
            for name in names {
                try appendBytes(LineSource(name).lines(lines), to: agent.log("\(name)/app.log"))
            }
        }

        /// Each log becomes `app.log.1`, and lines go to a new one.
        func rotate(_ lines: Range<Int>) throws {
            for name in names {
                try rename(agent.log("\(name)/app.log"), agent.log("\(name)/app.log.1"))
            }
            try write(lines)
        }

        /// The faults, on what has this path beneath each log's directory.
        func fail(_ path: String) throws {
            try failing.fail(
                SickFileTests.faults.map { call, code in
                    FailingCalls.Rule(
                        call, code, times: code == .interrupted ? 3 : 0,
                        agent.log("\(call)-\(code)\(path)"))
                })
        }

        /// Waits until these lines of these logs have arrived.
        func expect(_ lines: Range<Int>, of names: [String]) throws {
            var missing: [String] = []
            try eventually("lines \(lines) of \(missing.prefix(9)); \(agent.said)") {
                let there = Set(reader.texts())
                missing = names.filter { name in
                    !there.isSuperset(of: LineSource(name).texts(lines))
                }
                return missing.isEmpty
            }
        }

        /// All lines up to `count` of each log arrive, and none twice.
        func verify(_ count: Int) throws {
            try expect(0..<count, of: names)
            #expect(try agent.stop() == .code(0))
            let texts = reader.texts()
            for name in names {
                let mine = texts.filter { $0.hasPrefix("\(name) ") }.sorted()
                #expect(mine == LineSource(name).texts(0..<count).sorted(), "\(name)")
            }
            #expect(try AuditCount.of(broker) == count * names.count)
            #expect(!agent.said.contains("bytes lost"), "\(agent.said)")
        }
    }

    @Test(
        "an earlier file that a call fails on, after a start: the log goes on, and nothing is lost")
    func predecessor() throws {
        let logs = try Logs()
        try logs.write(0..<20)
        try logs.agent.start()
        try logs.expect(0..<20, of: logs.names)
        #expect(try logs.agent.stop() == .code(0))
        try logs.write(20..<30)
        try logs.rotate(30..<40)
        try logs.fail("/app.log.1")
        try logs.agent.start(wrapper: logs.failing.wrapper)
        try logs.expect(30..<40, of: logs.names)
        #expect(try logs.failing.count() > 0)
        #expect(logs.agent.said.contains("what is newer is shipped without it"))
        try logs.failing.heal()
        try logs.verify(40)
    }

    @Test("a file beside a log that nothing is known of, and that a call fails on, stops nothing")
    func stranger() throws {
        let logs = try Logs()
        for name in logs.names {
            try logs.agent.home.write("logs/\(name)/app.log.7", "of an earlier time\n")
        }
        try logs.fail("/app.log.7")
        try logs.write(0..<20)
        try logs.agent.start(wrapper: logs.failing.wrapper)
        try logs.expect(0..<20, of: logs.names)
        try logs.rotate(20..<30)
        try logs.expect(20..<30, of: logs.names)
        #expect(try logs.failing.count() > 0)
        try logs.failing.heal()
        try logs.verify(30)
    }

    @Test("a file that a call fails on once it is rotated, while it is read: the new one goes on")
    func rotated() throws {
        let logs = try Logs()
        try logs.fail("/app.log.1")
        try logs.write(0..<20)
        try logs.agent.start(wrapper: logs.failing.wrapper)
        try logs.expect(0..<20, of: logs.names)
        try logs.write(20..<30)
        try logs.rotate(30..<40)
        try logs.expect(30..<40, of: logs.names)
        #expect(try logs.failing.count() > 0)
        try logs.failing.heal()
        try logs.verify(40)
    }

    @Test("a log that a call fails on does not hold up others, and is complete when it can be read")
    func liveFile() throws {
        let logs = try Logs()
        try logs.write(0..<20)
        try logs.fail("/app.log")
        try logs.agent.start(wrapper: logs.failing.wrapper)
        try logs.expect(0..<20, of: [Logs.neighbour])
        try logs.write(20..<30)
        try logs.expect(20..<30, of: [Logs.neighbour])
        #expect(try logs.failing.count() > 0)
        try logs.failing.heal()
        try logs.verify(30)
    }

    @Test("a directory that a call fails on does not hold up others, and nothing in it is lost")
    func directory() throws {
        let logs = try Logs()
        try logs.write(0..<20)
        try logs.agent.start(wrapper: logs.failing.wrapper)
        try logs.expect(0..<20, of: logs.names)
        try logs.fail("")
        try logs.write(20..<30)
        try logs.rotate(30..<40)
        try logs.expect(20..<40, of: [Logs.neighbour])
        #expect(try logs.failing.count() > 0)
        try logs.failing.heal()
        try logs.verify(40)
    }

    @Test("a file system that does not say what it is, is read")
    func nameless() throws {
        let broker = try BrokerProcess(topics: ["logs"])
        let reader = try KafkaReader(broker)
        let agent = try Agent(broker.address, path: "*/app.log", kafka: "topic: logs, codec: raw")
        let failing = try FailingCalls()
        try agent.home.makeDirectory("logs/pod")
        let source = LineSource("w")
        try appendBytes(source.lines(0..<10), to: agent.log("pod/app.log"))
        try failing.fail([
            .init(.statfs, .io, agent.log("")), .init(.statfs, .io, agent.log("pod")),
        ])
        try agent.start(wrapper: failing.wrapper)
        try eventually("the lines; \(agent.said)") { reader.count == 10 }
        #expect(try failing.count() > 0)
        try appendBytes(source.lines(10..<20), to: agent.log("pod/app.log"))
        try eventually("more of them; \(agent.said)") { reader.count == 20 }
        #expect(reader.texts() == source.texts(0..<20))
    }

    @Test("an earlier file that may not be read is counted as lost when it goes, byte for byte")
    func gone() throws {
        let broker = try BrokerProcess(topics: ["logs"])
        let reader = try KafkaReader(broker)
        let agent = try Agent(broker.address, path: "app.log", kafka: "topic: logs, codec: raw")
        let failing = try FailingCalls()
        let log = try RotatedLog(agent.log("app.log"), LineSource("w"))
        try log.write(100)
        try agent.start()
        try eventually("the first lines; \(agent.said)") { reader.count == 100 }
        #expect(try agent.stop() == .code(0))
        try log.write(50)
        let (read, size) = (log.source.lines(0..<100).count, log.source.lines(0..<150).count)
        try log.rotate()
        try log.write(50)
        try failing.fail(.init(.access, .access, agent.log("app.log.1")))
        try agent.start(wrapper: failing.wrapper)
        try eventually("the new file; \(agent.said)") { reader.count == 150 }
        #expect(!agent.said.contains("bytes lost"), "\(agent.said)")
        try remove(agent.log("app.log.1"))
        try eventually("the loss; \(agent.said)") {
            agent.said.contains(
                "bytes lost path=\(agent.log("app.log.1")) from=\(read) to=\(size) ")
        }
        #expect(try agent.stop() == .code(0))
        #expect(agent.said.contains(" bytes_lost=\(size - read)"), "\(agent.said)")
        #expect(reader.texts() == log.source.texts(0..<100) + log.source.texts(150..<200))
    }

    @Test(
        "an earlier file that may not be read, of a log that is gone: read when it may be, or counted",
        arguments: [true, false])
    func alone(isHealed: Bool) throws {
        let broker = try BrokerProcess(topics: ["logs"])
        let reader = try KafkaReader(broker)
        let agent = try Agent(broker.address, path: "*.log", kafka: "topic: logs, codec: raw")
        let failing = try FailingCalls()
        let log = try RotatedLog(agent.log("app.log"), LineSource("w"))
        try log.write(100)
        try agent.start()
        try eventually("the first lines; \(agent.said)") { reader.count == 100 }
        #expect(try agent.stop() == .code(0))
        try log.write(50)
        let (read, size) = (log.source.lines(0..<100).count, log.source.lines(0..<150).count)
        try rename(agent.log("app.log"), agent.log("app.log.1"))
        try failing.fail(.init(.access, .access, agent.log("app.log.1")))
        try agent.start(wrapper: failing.wrapper)
        try eventually("it is not waited for; \(agent.said)") {
            agent.said.contains("what is newer is shipped without it")
        }
        // Looks at the directory go on, and the log is not forgotten by them.
        for round in 0..<3 {
            try agent.home.append("logs/other\(round).log", "other \(round)\n")
            try eventually("another log; \(agent.said)") { reader.count == 101 + round }
        }
        if isHealed {
            try failing.heal()
            try eventually("the rest; \(agent.said)") { reader.count == 153 }
        } else {
            try remove(agent.log("app.log.1"))
            try eventually("the loss; \(agent.said)") {
                agent.said.contains(
                    "bytes lost path=\(agent.log("app.log.1")) from=\(read) to=\(size) ")
            }
        }
        #expect(try agent.stop() == .code(0))
        #expect(agent.said.contains(" bytes_lost=\(isHealed ? 0 : size - read)"), "\(agent.said)")
        let texts = reader.texts().filter { $0.hasPrefix("w ") }
        #expect(texts == log.source.texts(0..<(isHealed ? 150 : 100)))
    }
}
