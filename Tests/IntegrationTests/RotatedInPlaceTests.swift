import Glibc
import Platform
import Shipper
import TestSupport
import Testing

/// What needs a file system whose files can lose their fronts: ext4 and XFS.
@Suite("Logs that the agent rotates in place, under their writers", .serialized)
struct RotatedInPlaceTests {
    private static let rounds = 6
    private static let rotation = "latency: 20ms, rotation: {size: 256KiB, keep: 1000}"

    /// Archives from the oldest on, and the log.
    private func everything(_ agent: Agent) throws -> [UInt8] {
        let names = try agent.home.names("logs")
        let numbers = names.compactMap { name in
            name.hasPrefix("app.log.") ? Int(name.dropFirst("app.log.".count)) : nil
        }
        #expect(names.count == numbers.count + 1, "\(names)")
        var bytes: [UInt8] = []
        for number in numbers.sorted(by: >) {
            bytes += try readFile(agent.log("app.log.\(number)"))
        }
        return bytes + (try readFile(agent.log("app.log")))
    }

    private func archives(_ agent: Agent) throws -> Int { try agent.home.names("logs").count - 1 }

    @Test(
        "O1: again and again under a writer that never stops: every line once, and every byte kept",
        .enabled(if: CollapsingDisk.isHere, "the file system of /tmp cannot collapse"),
        arguments: ["*.log", "app.log*"])
    func live(path: String) throws {
        let broker = try BrokerProcess(topics: ["logs"])
        let reader = try KafkaReader(broker)
        let agent = try Agent(
            broker.address, path: path, input: Self.rotation, kafka: "topic: logs, codec: raw")
        let source = LineSource("w", payload: 30...90)
        try agent.start()
        // Not more ahead of the consumer than the mock broker keeps.
        let limit = Shared(0)
        let writer = try LiveWriter(agent.log("app.log"), source, atOnce: 20) {
            $0 - reader.count < 20_000 && $0 < limit.current
        }
        for round in 1...Self.rounds {
            // It has half of it still to write, and does while the log is rotated.
            limit.with { $0 += 12_000 }
            try eventually("rotation \(round), at line \(writer.written); \(agent.said)") {
                try writer.written >= limit.current - 6_000 && archives(agent) >= round
            }
        }
        try eventually("the writer is through") { writer.written >= limit.current }
        let written = try writer.stop()
        try eventually("all arrive, \(reader.count); \(agent.said)") { reader.count >= written }
        #expect(try agent.stop() == .code(0))
        let count = try AuditCount.of(broker)
        try eventually("the consumer has read all") { reader.count == count }
        #expect(difference(reader.texts(), source.texts(0..<written)) == nil, "\(agent.said)")
        #expect(try everything(agent) == source.lines(0..<written))
        #expect(!agent.said.contains("bytes lost"), "\(agent.said)")
        // The next run begins nothing anew, neither the log nor an archive.
        #expect(try agent.once() == .code(0), "\(agent.said)")
        #expect(try AuditCount.of(broker) == count, "\(agent.said)")
    }

    @Test(
        "O2: killed again and again while it rotates: no line is missing, and every byte is kept once",
        .enabled(if: CollapsingDisk.isHere, "the file system of /tmp cannot collapse"))
    func killed() throws {
        let broker = try BrokerProcess(topics: ["logs"])
        let reader = try KafkaReader(broker)
        let agent = try Agent(
            broker.address, path: "*.log", input: Self.rotation,
            kafka: "topic: logs, codec: raw", more: "limits: {in_flight: 256KiB}")
        let source = LineSource("w", payload: 30...90)
        let limit = Shared(0)
        let writer = try LiveWriter(agent.log("app.log"), source, atOnce: 20) {
            $0 - reader.count < 20_000 && $0 < limit.current
        }
        var random = SplitMix(seed: 17)
        for kill in 0..<6 {
            let before = (archives: try archives(agent), count: reader.count)
            limit.with { $0 += 20_000 }
            try agent.start()
            let some = before.count + Int.random(in: 2_000...15_000, using: &random)
            try eventually("run \(kill) ships and rotates; \(agent.said)") {
                try reader.count >= some && archives(agent) > before.archives
            }
            agent.kill()
        }
        try agent.start()
        try eventually("the writer is through; \(agent.said)") {
            writer.written >= limit.current
        }
        let written = try writer.stop()
        let expected = Set(source.texts(0..<written))
        try eventually("all arrive; \(agent.said)") {
            reader.count >= written && expected.isSubset(of: Set(reader.texts()))
        }
        #expect(try agent.stop() == .code(0))
        #expect(try everything(agent) == source.lines(0..<written), "\(agent.said)")
        // What a kill repeats is what was in flight: nothing was begun anew, nor an archive sent.
        let repeated = reader.texts().count - expected.count
        #expect(repeated * 60 <= 7 * 256 * 1024 * 2, "\(repeated) lines; \(agent.said)")
        #expect(try agent.registry().allSatisfy { $0.lag == 0 })
    }

    @Test(
        "O3: nothing is acknowledged: the log grows, and that is told; then it is rotated",
        .enabled(if: CollapsingDisk.isHere, "the file system of /tmp cannot collapse"))
    func undelivered() throws {
        let broker = try BrokerProcess(topics: ["logs"])
        let reader = try KafkaReader(broker)
        let agent = try Agent(
            broker.address, path: "*.log", input: Self.rotation, kafka: "topic: logs, codec: raw")
        let source = LineSource("w", payload: 30...90)
        try agent.start()
        broker.pause()
        defer { broker.resume() }
        try appendBytes(source.lines(0..<10_000), to: agent.log("app.log"))
        try eventually("it is told; \(agent.said)") {
            agent.said.contains("a log grows beyond its size")
        }
        #expect(try agent.home.names("logs") == ["app.log"])
        #expect(try readFile(agent.log("app.log")) == source.lines(0..<10_000))
        broker.resume()
        try reader.waitFor(source.texts(0..<10_000)) { agent.said }
        try eventually("it is rotated; \(agent.said)") { try archives(agent) >= 1 }
        #expect(try agent.stop() == .code(0))
        #expect(try everything(agent) == source.lines(0..<10_000))
    }

    @Test(
        "O5: of its archives so many stay as are to be kept, in one run and over a restart",
        .enabled(if: CollapsingDisk.isHere, "the file system of /tmp cannot collapse"))
    func kept() throws {
        let broker = try BrokerProcess(topics: ["logs"])
        let reader = try KafkaReader(broker)
        let agent = try Agent(
            broker.address, path: "*.log",
            input: "latency: 20ms, rotation: {size: 256KiB, keep: 2}",
            kafka: "topic: logs, codec: raw")
        let source = LineSource("w", payload: 30...90)
        let first = agent.log("app.log.1")
        func inode() -> UInt64 { (try? FileStatus.glance(at: Array(first.utf8)))?.inode ?? 0 }
        var written = 0
        for _ in 0..<2 {
            try agent.start()
            for _ in 0..<3 {
                let before = inode()
                try appendBytes(source.lines(written..<written + 5_000), to: agent.log("app.log"))
                written += 5_000
                try eventually("it is rotated, line \(written); \(agent.said)") {
                    inode() != before && reader.count >= written
                }
            }
            #expect(try agent.stop() == .code(0))
        }
        #expect(try agent.home.names("logs").sorted() == ["app.log", "app.log.1", "app.log.2"])
        let bytes = try everything(agent)
        #expect(source.lines(0..<written).suffix(bytes.count).elementsEqual(bytes))
    }

    /// What begins in the middle of a line would be taken for plain text by the next run.
    @Test("O8: a log that a container runtime writes is not rotated where its format is guessed")
    func container() throws {
        let broker = try BrokerProcess(topics: ["logs"])
        let agent = try Agent(
            broker.address, path: "*.log", input: Self.rotation, kafka: "topic: logs")
        let line = "2026-11-23T03:38:00.123456789Z stdout F " + String(repeating: "x", count: 150)
        let text = String(repeating: line + "\n", count: 5_000)
        _ = try agent.home.write("logs/app.log", text)
        try agent.start()
        try eventually("it is told; \(agent.said)") { agent.said.contains("say cri or docker") }
        #expect(try agent.stop() == .code(0))
        #expect(try agent.home.names("logs") == ["app.log"])
        #expect(try readFile(agent.log("app.log")) == Array(text.utf8))
    }

    @Test("O8: a log of s6-log is not rotated, with a hint")
    func refused() throws {
        let broker = try BrokerProcess(topics: ["logs"])
        let agent = try Agent(
            broker.address, path: "**/current", input: Self.rotation,
            kafka: "topic: logs, codec: raw")
        let source = LineSource("w", payload: 30...90)
        _ = try agent.home.makeDirectory("logs/pod/log")
        let current = try agent.home.write("logs/pod/log/current", source.lines(0..<10_000))
        try agent.start()
        try eventually("it is told; \(agent.said)") { agent.said.contains("it rotates itself") }
        #expect(try agent.stop() == .code(0))
        #expect(try readFile(current) == source.lines(0..<10_000))
        #expect(try agent.home.names("logs/pod/log").allSatisfy { $0 == "current" })
    }
}
