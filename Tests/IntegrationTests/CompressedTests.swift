import Glibc
import Platform
import Shipper
import TestSupport
import Testing

@Suite("What rotation has compressed is read as what it was, or told of")
struct CompressedTests {
    /// An agent that has shipped the first 2,000 lines of `app.log` and was stopped.
    private func stopped(
        _ broker: BrokerProcess, _ reader: KafkaReader, path: String = "app.log"
    ) throws -> (agent: Agent, log: RotatedLog) {
        let agent = try Agent(
            broker.address, path: path, kafka: "topic: logs, codec: raw")
        let log = try RotatedLog(agent.log("app.log"), LineSource("w"))
        try log.write(2_000)
        try agent.start()
        try eventually("the first lines; \(agent.said)") { reader.count == 2_000 }
        #expect(try agent.stop() == .code(0))
        return (agent, log)
    }

    @Test(
        "compressed while the agent is down: the rest of each, oldest first, and once",
        arguments: [Compression.gzip, .xz, .zstd, .bzip2])
    func whileDown(_ compression: Compression) throws {
        let broker = try BrokerProcess(topics: ["logs"])
        let reader = try KafkaReader(broker)
        let (agent, log) = try stopped(broker, reader)
        for _ in 0..<3 {
            try log.write(1_000)
            try log.rotate()
        }
        try log.write(100)
        for number in 1...3 { try log.compress(number, by: compression) }
        try agent.start()
        try eventually("all lines; \(agent.said)") { reader.count >= log.written }
        try log.write(10)
        try eventually("and what comes then; \(agent.said)") { reader.count >= log.written }
        #expect(try agent.stop() == .code(0))
        #expect(
            difference(reader.texts(), log.source.texts(0..<log.written)) == nil, "\(agent.said)")
        #expect(!agent.said.contains("bytes lost"), "\(agent.said)")
        #expect(try agent.once() == .code(0), "\(agent.said)")
        #expect(try AuditCount.of(broker) == log.written)
    }

    @Test(
        "compressed while what was rotated waits for Kafka",
        arguments: [Compression.gzip, .xz, .zstd])
    func whileSlow(_ compression: Compression) throws {
        let broker = try BrokerProcess(topics: ["logs"])
        let reader = try KafkaReader(broker)
        let agent = try Agent(
            broker.address, path: "*.log*", kafka: "topic: logs, codec: raw",
            more: "limits: {in_flight: 256KiB}")
        let log = try RotatedLog(agent.log("app.log"), LineSource("w", payload: 30...60))
        try agent.start()
        try log.write(100)
        try eventually("the first lines; \(agent.said)") { reader.count == 100 }
        broker.pause()
        // Several times the credit.
        for _ in 0..<3 {
            try log.write(5_000)
            try log.rotate()
            if log.archives > 1 { try log.compress(2, by: compression) }
        }
        try log.compress(1, by: compression)
        broker.resume()
        try eventually("all lines; \(agent.said)") { reader.count >= log.written }
        try log.write(10)
        try eventually("and what comes then; \(agent.said)") { reader.count >= log.written }
        #expect(try agent.stop() == .code(0))
        #expect(
            difference(reader.texts(), log.source.texts(0..<log.written)) == nil, "\(agent.said)")
        #expect(!agent.said.contains("bytes lost"), "\(agent.said)")
        #expect(try agent.once() == .code(0), "\(agent.said)")
        #expect(try AuditCount.of(broker) == log.written)
    }

    /// logrotate's `compress` without `delaycompress`, and a program that reopens its log late.
    @Test(
        "compressed while its program still has it open: what that writes to the removed file arrives",
        arguments: [Compression.gzip, .xz, .zstd], [true, false])
    func stillWritten(_ compression: Compression, isRead: Bool) throws {
        let broker = try BrokerProcess(topics: ["logs"])
        let reader = try KafkaReader(broker)
        let agent = try Agent(broker.address, path: "*.log*", kafka: "topic: logs, codec: raw")
        let log = try RotatedLog(agent.log("app.log"), LineSource("w"))
        try agent.start()
        try log.write(100)
        try eventually("the first lines; \(agent.said)") { reader.count == 100 }
        let program = try Descriptor.open(agent.log("app.log"), O_WRONLY | O_APPEND)
        try log.rotate()
        try log.write(5)
        if isRead { try eventually("the new file; \(agent.said)") { reader.count == 105 } }
        try log.compress(1, by: compression)
        let late = LineSource("late")
        for round in 0..<3 {
            try program.write(late.lines(round * 10..<round * 10 + 10))
            try eventually("round \(round); \(agent.said)") {
                reader.count == 105 + 10 * (round + 1)
            }
            // A look at the directory, in which the archive is.
            try agent.home.write("logs/other.log.\(round)", "")
        }
        _ = consume program
        #expect(try agent.stop() == .code(0))
        #expect(!agent.said.contains("bytes lost"), "\(agent.said)")
        #expect(try agent.once() == .code(0), "\(agent.said)")
        let texts = reader.texts()
        #expect(texts.filter { $0.hasPrefix("w ") } == log.source.texts(0..<105))
        #expect(texts.filter { $0.hasPrefix("late ") } == late.texts(0..<30))
        #expect(try AuditCount.of(broker) == 135)
    }

    /// `echo "--- rotated ---" >> app.log.1` in a `postrotate`, and then the compressor.
    @Test(
        "appended to after it was read to its end, and then compressed: what was appended arrives",
        arguments: [Compression.gzip, .xz, .zstd, .bzip2])
    func appendedBefore(_ compression: Compression) throws {
        let broker = try BrokerProcess(topics: ["logs"])
        let reader = try KafkaReader(broker)
        let agent = try Agent(broker.address, path: "app.log", kafka: "topic: logs, codec: raw")
        let log = try RotatedLog(agent.log("app.log"), LineSource("w"))
        try agent.start()
        try log.write(100)
        try eventually("the first lines; \(agent.said)") { reader.count == 100 }
        for round in 1...3 {
            try log.rotate()
            let rotated = agent.log("app.log.1")
            try eventually("it is read and closed; \(agent.said)") {
                try agent.process.openFiles(beneath: agent.home.path("logs"))
                    .allSatisfy { !$0.hasSuffix("app.log.1") }
            }
            try appendBytes(Array("trailer \(round)\n".utf8), to: rotated)
            try log.compress(1, by: compression)
            try log.write(10)
            try eventually("round \(round); \(agent.said)") {
                reader.count == 100 + 11 * round
            }
        }
        #expect(try agent.stop() == .code(0))
        #expect(try agent.once() == .code(0), "\(agent.said)")
        let texts = reader.texts()
        #expect(texts.filter { $0.hasPrefix("w ") } == log.source.texts(0..<130))
        #expect(
            texts.filter { $0.hasPrefix("trailer ") } == (1...3).map { "trailer \($0)" })
        #expect(try AuditCount.of(broker) == 133)
    }

    @Test(
        "what begins like a compressed file under a log's own name and is none is told of",
        arguments: [
            Array("BZh91AY&SY and what else it says\n".utf8),
            [0x1f, 0x8b, 8, 0, 0, 0, 0, 0, 0, 3] + [UInt8](repeating: 0xff, count: 5_000),
        ])
    func noneOfIt(_ bytes: [UInt8]) throws {
        let broker = try BrokerProcess(topics: ["logs"])
        let reader = try KafkaReader(broker)
        let agent = try Agent(broker.address, path: "*.log", kafka: "topic: logs, codec: raw")
        try agent.home.write("logs/app.log", bytes)
        try agent.home.write("logs/other.log", "one\n")
        #expect(try agent.once() == .code(1), "\(agent.said)")
        let damaged = agent.said.split(separator: "\n").filter {
            $0.contains(" path=\(agent.log("app.log")) ")
        }
        #expect(damaged.count == 1, "\(agent.said)")
        #expect(agent.said.contains("archives_damaged=1"), "\(agent.said)")
        try eventually("the other log; \(agent.said)") { reader.texts() == ["one"] }
        #expect(try AuditCount.of(broker) == 1)
    }

    @Test("what the end of a gzip file says of its size is not believed: all members are read")
    func members() throws {
        let broker = try BrokerProcess(topics: ["logs"])
        let reader = try KafkaReader(broker)
        let (agent, log) = try stopped(broker, reader)
        try log.write(1_000)
        try log.rotate()
        let archive = try log.compress(1)
        // As for a small last piece that `gzip -c` was given; and the padding of a tape.
        let small = try compress(try agent.home.write("small", Array("the last\n".utf8)), .gzip)
        let padding = [UInt8](repeating: 0, count: 512)
        try appendBytes(try readFile(small) + padding, to: archive)
        try agent.start()
        try eventually("all lines; \(agent.said)") { reader.count >= 3_001 }
        #expect(try agent.stop() == .code(0))
        #expect(
            difference(reader.texts(), log.source.texts(0..<3_000) + ["the last"]) == nil,
            "\(agent.said)")
        #expect(!agent.said.contains(" error "), "\(agent.said)")
        // It is known to be read to its end.
        #expect(try agent.once() == .code(0), "\(agent.said)")
        #expect(try AuditCount.of(broker) == 3_001, "\(agent.said)")
        let entry = try #require(try agent.entry("app.log.1.gz"))
        #expect(entry.size == entry.offset, "\(entry)\(agent.said)")
    }

    @Test("the rest of a damaged one is counted and named, and the new log is read")
    func damaged() throws {
        let broker = try BrokerProcess(topics: ["logs"])
        let reader = try KafkaReader(broker)
        let (agent, log) = try stopped(broker, reader)
        try log.write(20_000)
        try log.rotate()
        let archive = try log.compress(1)
        let bytes = try readFile(archive)
        try agent.home.write("logs/app.log.1.gz", Array(bytes.prefix(bytes.count * 3 / 4)))
        try log.write(100)
        try agent.start()
        try eventually("the new log; \(agent.said)") {
            reader.texts().last == log.source.texts(22_099..<22_100)[0]
        }
        #expect(try agent.stop() == .code(0))
        let texts = reader.texts()
        let read = texts.count - 100
        #expect(read > 10_000 && read < 22_000)
        // The last line is the beginning of one.
        #expect(texts.prefix(read - 1).elementsEqual(log.source.texts(0..<(read - 1))))
        #expect(agent.said.split(separator: "compressed file is damaged").count == 2)
        #expect(agent.said.contains("compressed file is damaged"), "\(agent.said)")
        #expect(agent.said.contains("app.log.1.gz"), "\(agent.said)")
        // Nothing comes twice, and its rest is still not shipped.
        #expect(try agent.once() == .code(1), "\(agent.said)")
        #expect(try AuditCount.of(broker) == texts.count)
    }

    @Test("--once ends with 1 as long as one is there whose rest is damaged")
    func damagedOnce() throws {
        let broker = try BrokerProcess(topics: ["logs"])
        let reader = try KafkaReader(broker)
        let (agent, log) = try stopped(broker, reader)
        try log.write(20_000)
        try log.rotate()
        let bytes = try readFile(try log.compress(1))
        try agent.home.write("logs/app.log.1.gz", Array(bytes.prefix(bytes.count * 3 / 4)))
        try log.write(100)
        #expect(try agent.once() == .code(1), "\(agent.said)")
        #expect(agent.process.errors.contains("lines were lost "), "\(agent.said)")
        #expect(agent.process.errors.contains(" archives_damaged=1"), "\(agent.said)")
        // Its rest is not shipped by the next one either.
        #expect(try agent.once() == .code(1), "\(agent.said)")
        try remove(agent.log("app.log.1.gz"))
        #expect(try agent.once() == .code(0), "\(agent.said)")
    }

    @Test("an archive that is shorter than what was read of it is told of, and nothing comes twice")
    func shorter() throws {
        let broker = try BrokerProcess(topics: ["logs"])
        let reader = try KafkaReader(broker)
        let (agent, log) = try stopped(broker, reader)
        try agent.home.write("logs/app.log.1", log.source.lines(0..<1_500))
        try log.compress(1, by: .zstd)
        try remove(log.path)
        let next = try RotatedLog(log.path, LineSource("n"))
        try next.write(10)
        try agent.start()
        try eventually("the new log; \(agent.said)") { reader.count >= 2_010 }
        #expect(try agent.stop() == .code(0))
        #expect(
            difference(reader.texts(), log.source.texts(0..<2_000) + next.source.texts(0..<10))
                == nil)
        #expect(agent.said.contains("ends before what was read of its content"), "\(agent.said)")
        #expect(try agent.once() == .code(0), "\(agent.said)")
        #expect(try AuditCount.of(broker) == 2_010)
    }

    @Test("many of them at a time are read, whatever memory one of them asks for")
    func many() throws {
        let broker = try BrokerProcess(topics: ["logs"])
        let agent = try Agent(broker.address, path: "*/old", kafka: "topic: logs, codec: raw")
        for number in 0..<40 {
            try agent.home.makeDirectory("logs/\(number)")
            let source = LineSource("w\(number)")
            let path = try agent.home.write("logs/\(number)/app", source.lines(0..<200))
            // Each wants a window of 64 MiB.
            try rename(try compress(path, .xz, ["-9"]), agent.log("\(number)/old"))
        }
        #expect(try agent.once() == .code(0), "\(agent.said)")
        #expect(try AuditCount.of(broker) == 8_000)
    }

    /// 1. A pod has files of a few hundred kilobytes that become many gigabytes.
    /// 2. They have all the memory there is for decompressing, for hours.
    @Test("a directory whose compressed files never end leaves others theirs")
    func endless() throws {
        let broker = try BrokerProcess(topics: ["logs"])
        let reader = try KafkaReader(broker)
        let agent = try Agent(
            broker.address, path: "*/*/old", kafka: "topic: logs, codec: raw")
        // One member after another, of nothing but empty lines: no record comes of any.
        let block = [UInt8](repeating: UInt8(ascii: "\n"), count: 16 << 20)
        let packed = try compress(try agent.home.write("block", block), .xz, ["-9"])
        let member = try readFile(packed)
        let endless = Array((0..<400).map { _ in member }.joined())
        for number in 0..<20 {
            try agent.home.makeDirectory("logs/endless/\(number)")
            try agent.home.write("logs/endless/\(number)/old", endless)
        }
        try agent.start()
        let source = LineSource("w")
        try agent.home.makeDirectory("logs/logs/1")
        let path = try agent.home.write("logs/logs/1/app", source.lines(0..<200))
        try rename(try compress(path, .xz, ["-9"]), agent.log("logs/1/old"))
        try eventually("the other's lines; \(agent.said)") { reader.count >= 200 }
        #expect(try agent.stop() == .code(0))
    }

    @Test("what is compressed by what cannot be read is named and counted, and is no text")
    func unreadable() throws {
        let broker = try BrokerProcess(topics: ["logs"])
        let reader = try KafkaReader(broker)
        let (agent, log) = try stopped(broker, reader, path: "*.log*")
        try log.write(1_000)
        try log.rotate()
        try remove("\(log.path).1")
        try agent.home.write(
            "logs/app.log.1.lz4", [0x04, 0x22, 0x4D, 0x18] + Array("some\nlines\n".utf8))
        try agent.home.write(
            "logs/other.log.2.Z", [0x1F, 0x9D, 0x90] + Array("some\nlines\n".utf8))
        try log.write(10)
        try agent.start()
        try eventually("the new log; \(agent.said)") { reader.count >= 2_010 }
        try eventually("both are named; \(agent.said)") {
            agent.said.split(separator: "\n").count {
                $0.contains("file cannot be read; its lines")
            }
                == 2
        }
        #expect(try agent.stop() == .code(0))
        #expect(reader.count == 2_010)
        #expect(agent.said.contains("compression=lz4"), "\(agent.said)")
        #expect(agent.said.contains("compression=compress"), "\(agent.said)")
    }

    @Test(
        "a compressed file that a pattern matches, and whose log is not there, is read as what it was"
    )
    func withoutItsLog() throws {
        let broker = try BrokerProcess(topics: ["logs"])
        let reader = try KafkaReader(broker)
        let agent = try Agent(
            broker.address, path: "*", kafka: "topic: logs, codec: raw")
        let source = LineSource("w")
        let first = try compress(try agent.home.write("first", source.lines(0..<1_000)), .gzip)
        try rename(first, agent.log("app.log.1"))
        try agent.start()
        try eventually("its lines; \(agent.said)") { reader.count >= 1_000 }
        // Another one is made under the agent's eyes, empty at first, and then in parts.
        let other = try compress(try agent.home.write("made", source.lines(1_000..<3_000)), .xz)
        let bytes = try readFile(other)
        let file = try Descriptor.open(agent.log("old.xz"), O_WRONLY | O_CREAT, mode: 0o644)
        try eventually("it is seen; \(agent.said)") { try agent.entry("old.xz") != nil }
        try file.write(Array(bytes.prefix(3)))
        try file.write(Array(bytes[3..<2_000]))
        try file.write(Array(bytes[2_000...]))
        try eventually("all its lines; \(agent.said)") { reader.count >= 3_000 }
        #expect(try agent.stop() == .code(0))
        #expect(difference(reader.texts(), source.texts(0..<3_000)) == nil, "\(agent.said)")
        #expect(try agent.once() == .code(0), "\(agent.said)")
        #expect(try AuditCount.of(broker) == 3_000)
    }
}
