import Shipper
import TestSupport
import Testing

@Suite("S6 log directories are followed through every rotation", .serialized)
struct S6DirectoryTests {
    /// What a T directive puts before a line: date, time and two spaces.
    private static let stampLength = 31

    private struct Arrivals: Sendable {
        var audit = Audit()
        var count = 0
        var keys: Set<String> = []
        var partitions: Set<Int> = []
    }

    @Test("S1: 500,000 lines through a real s6-log n20 s1000000 T arrive in order under one key")
    func halfAMillionLines() throws {
        let lines = 500_000
        // 3 MB: s6-log keeps 20, so that no archive goes unread, and the mock broker 5, so that no
        // record does.
        let window = 50_000
        let source = LineSource("orders", payload: 8...24)
        let arrivals = Shared(Arrivals())
        arrivals.with { $0.audit.expect(source, lines: lines) }
        let broker = try BrokerProcess(partitions: 4, topics: ["logs"])
        let reader = try KafkaReader(broker) { record in
            arrivals.with {
                $0.count += 1
                $0.keys.insert(record.keyText)
                $0.partitions.insert(record.partition)
                $0.audit.arrived(record.value.dropFirst(Self.stampLength))
            }
        }
        let agent = try Agent(
            broker.address, path: "{namespace}/{app}/{pod}/log/current",
            kafka: "topic: logs, codec: raw")
        try agent.start()
        let writer = try S6Writer(
            directory: agent.log("shop/orders/pod-1/log"), directives: ["n20", "s1000000", "T"])
        var written = 0
        while written < lines {
            try writer.write(source, written..<written + 5_000)
            written += 5_000
            try eventually(
                "the consumer is not far behind line \(written), at \(arrivals.with { $0.count }); "
                    + "missing \(reader.missing); \(agent.said)"
            ) {
                written - arrivals.with { $0.count } < window
            }
        }
        try writer.finish()
        try eventually("\(lines) records; \(agent.said)") { arrivals.with { $0.count } >= lines }
        #expect(try agent.stop() == .code(0))
        let result = arrivals.current
        #expect(result.audit.report.isClean, "\(result.audit.report); \(agent.said)")
        #expect(result.keys.count == 1 && result.partitions.count == 1)
        #expect(reader.missing == 0)
        #expect(try writer.archives().count == 20, "s6-log has removed some by now")
        #expect(!agent.said.contains("bytes lost"))
    }

    @Test("S3: 15 rotations while the shipper is stopped: archives oldest first, then current")
    func rotationsWhileStopped() throws {
        let broker = try BrokerProcess(topics: ["logs"])
        let reader = try KafkaReader(broker)
        let agent = try Agent(broker.address, path: "{pod}/log/current")
        let writer = try S6Writer(
            directory: agent.log("pod-1/log"), directives: ["n1000", "s99999999"])
        let source = LineSource("w")
        try agent.start()
        try writer.write(source, 0..<100)
        try eventually("the first lines; \(agent.said)") { reader.count == 100 }
        #expect(try agent.stop() == .code(0))
        for round in 1...15 {
            try writer.write(source, round * 100..<(round + 1) * 100)
            try eventually("s6-log has written round \(round)") {
                try writer.linesOnDisk().count == (round + 1) * 100
            }
            writer.rotate()
            try writer.waitForArchives(round)
        }
        try writer.write(source, 1600..<1700)
        try eventually("the newest lines are in current") {
            try writer.linesOnDisk().count == 1700
        }
        try agent.start()
        try eventually("all lines; \(agent.said)") { reader.count >= 1700 }
        #expect(try agent.stop() == .code(0))
        try writer.finish()
        #expect(try reader.messages() == (0..<1700).map { text(source, $0) })
        // Not once more after another start, whatever there is in the directory.
        #expect(try agent.once() == .code(0), "\(agent.said)")
        #expect(reader.count == 1700)
    }

    @Test(
        "S4: s6-log is killed and started again, again and again: what it wrote arrives, in order")
    func killedWriter() throws {
        let broker = try BrokerProcess(topics: ["logs"])
        let reader = try KafkaReader(broker)
        let agent = try Agent(
            broker.address, path: "{pod}/log/current", kafka: "topic: logs, codec: raw")
        let writer = try S6Writer(
            directory: agent.log("pod-1/log"), directives: ["n1000", "s20000"])
        let source = LineSource("w")
        try agent.start()
        for round in 0..<10 {
            let before = reader.count
            try writer.write(source, round * 1_000..<(round + 1) * 1_000)
            try eventually("some of it; \(agent.said)") { reader.count > before }
            // Together with what it had read and not yet written.
            writer.kill()
            do {
                try writer.restart()
            } catch {
                // Killed in a rotation it has two files to finish, gives both one label, and ends.
                // Its supervisor starts it again, and then there is only one.
                try writer.restart()
            }
        }
        try writer.finish()
        let lines = try linesOfEachFile(writer)
        try eventually("all of it; \(agent.said)") { reader.count >= lines.count }
        #expect(try agent.stop() == .code(0))
        #expect(reader.texts() == lines)
        #expect(try writer.archives().contains { $0.hasSuffix(".u") })
    }

    @Test(
        "S4: s6-log is killed while an unfinished file has its old and its new name: it is read once"
    )
    func killedBetweenLinkAndUnlink() throws {
        let broker = try BrokerProcess(topics: ["logs"])
        let reader = try KafkaReader(broker)
        let agent = try Agent(
            broker.address, path: "{pod}/log/current", kafka: "topic: logs, codec: raw")
        let directory = agent.log("pod-1/log")
        try agent.home.write("logs/pod-1/log/current", "one\ntwo\n")
        try makeHardLink("\(directory)/@400000006b03bb0027d04f81.u", to: "\(directory)/current")
        try agent.start()
        try eventually("both lines; \(agent.said)") { reader.count == 2 }
        try remove("\(directory)/current")
        try agent.home.write("logs/pod-1/log/current", "three\n")
        try eventually("the next file; \(agent.said)") { reader.count == 3 }
        #expect(try agent.stop() == .code(0))
        #expect(reader.texts() == ["one", "two", "three"])
        #expect(complaints(agent).isEmpty)
    }

    @Test("S7: a rotation forced in the middle of a line leaves the line whole")
    func rotationInLine() throws {
        let broker = try BrokerProcess(topics: ["logs"])
        let reader = try KafkaReader(broker)
        let agent = try Agent(
            broker.address, path: "{pod}/log/current", kafka: "topic: logs, codec: raw")
        let writer = try S6Writer(
            directory: agent.log("pod-1/log"), directives: ["n1000", "s99999999"])
        try agent.start()
        for round in 0..<10 {
            try writer.write(Array("line \(round)\nhalf of ".utf8))
            try eventually("the whole line; \(agent.said)") { reader.count == round * 2 + 1 }
            writer.rotate()
            try eventually("s6-log rotates") { try writer.archives().count == round + 1 }
            try writer.write(Array("line \(round)\n".utf8))
            try eventually("the halves; \(agent.said)") { reader.count == round * 2 + 2 }
        }
        try writer.finish()
        #expect(try agent.stop() == .code(0))
        #expect(reader.texts() == (0..<10).flatMap { ["line \($0)", "half of line \($0)"] })
    }

    @Test("S5: current is absent for a while in the middle of a rotation: no error, no loss")
    func currentIsAbsent() throws {
        let broker = try BrokerProcess(topics: ["logs"])
        let reader = try KafkaReader(broker)
        let agent = try Agent(broker.address, path: "{pod}/log/current")
        let source = LineSource("w")
        let directory = agent.log("pod-1/log")
        let writer = try S6Writer(directory: directory, directives: ["n1000", "s99999999"])
        try agent.start()
        try writer.write(source, 0..<500)
        try eventually("the first lines; \(agent.said)") { reader.count == 500 }
        try writer.finish()

        // What s6-log writes last, at once followed by the first step of its rotation.
        try appendBytes(source.lines(500..<600), to: "\(directory)/current")
        try rename("\(directory)/current", "\(directory)/previous")
        try eventually("what is in previous arrives; \(agent.said)") { reader.count == 600 }
        #expect(try !agent.home.names("logs/pod-1/log").contains("current"))

        // A restart in this moment finds nothing to do and nothing wrong.
        #expect(try agent.stop() == .code(0))
        try agent.start()

        // The other steps: a new current, a second name for previous, the first one gone.
        try appendBytes(source.lines(600..<700), to: "\(directory)/current")
        let archive = "\(directory)/@400000006b03bb0027d04f81.s"
        try makeHardLink(archive, to: "\(directory)/previous")
        try eventually("what is in the new current arrives; \(agent.said)") { reader.count == 700 }
        try remove("\(directory)/previous")
        try appendBytes(source.lines(700..<800), to: "\(directory)/current")
        try eventually("what is appended arrives; \(agent.said)") { reader.count == 800 }
        #expect(try agent.stop() == .code(0))
        #expect(try reader.messages() == (0..<800).map { text(source, $0) })
        #expect(complaints(agent).isEmpty)
    }

    /// 1. s6-log renames `current` to `previous`; the shipper reads that to its end and closes it.
    /// 2. The broker has not answered yet, so the saved position is still the old one.
    /// 3. s6-log gives the file its archive's name. It was taken for a file with unread bytes, and
    ///    for one that is gone as `previous`: sent twice, and the stream stood still for ever.
    @Test("S5: an archive that gets its name while its lines are on their way is not sent again")
    func archiveNamedInFlight() throws {
        let broker = try BrokerProcess(topics: ["logs"])
        let reader = try KafkaReader(broker)
        let agent = try Agent(broker.address, path: "{pod}/log/current")
        let source = LineSource("w")
        let directory = agent.log("pod-1/log")
        try agent.home.write("logs/pod-1/log/current", source.lines(0..<100))
        try agent.start()
        try eventually("the first lines; \(agent.said)") { reader.count == 100 }
        broker.pause()
        try appendBytes(source.lines(100..<200), to: "\(directory)/current")
        try rename("\(directory)/current", "\(directory)/previous")
        try eventually("previous is read and closed; \(agent.said)") {
            try agent.process.openFiles(beneath: directory).isEmpty
        }
        let archive = "\(directory)/@400000006b03bb0027d04f81.s"
        try makeHardLink(archive, to: "\(directory)/previous")
        try appendBytes(source.lines(200..<300), to: "\(directory)/current")
        try remove("\(directory)/previous")
        try appendBytes(source.lines(300..<400), to: "\(directory)/current")
        try eventually("the archive is known by its name; \(agent.said)") {
            try agent.registry().contains { $0.path == archive }
        }
        broker.resume()
        try eventually("all lines; \(agent.said)") { reader.count >= 400 }
        #expect(try agent.stop() == .code(0))
        #expect(try reader.messages() == (0..<400).map { text(source, $0) })
        #expect(try agent.registry().allSatisfy { $0.lag == 0 })
        #expect(try agent.once() == .code(0), "\(agent.said)")
        #expect(try AuditCount.of(broker) == 400)
    }

    @Test("S9: a pod's directory appears, and is deleted while bytes are unread: all is shipped")
    func podAppearsAndGoes() throws {
        let broker = try BrokerProcess(topics: ["logs"])
        let reader = try KafkaReader(broker)
        let agent = try Agent(
            broker.address, path: "{namespace}/{app}/{pod}/log/current",
            kafka: "topic: logs, librdkafka: {linger.ms: \"1\"}",
            more: "limits: {in_flight: 256KiB}")
        try agent.start()
        let directory = agent.log("shop/orders/pod-1/log")
        let source = LineSource("w")
        var end = 0
        // The second time the same path is another directory with other files.
        for life in 1...2 {
            let begin = end
            let writer = try S6Writer(directory: directory, directives: ["n1000", "s99999999"])
            try writer.write(source, end..<end + 100)
            end += 100
            try eventually("the pod is found, life \(life); \(agent.said)") { reader.count == end }

            broker.pause()
            for archive in 1...5 {
                try writer.write(source, end..<end + 2_000)
                end += 2_000
                let written = end - begin
                try eventually("s6-log has written it") {
                    try writer.linesOnDisk().count == written
                }
                writer.rotate()
                try writer.waitForArchives(archive)
            }
            try writer.write(source, end..<end + 1_000)
            end += 1_000
            try writer.finish()

            // What is open when the last name goes is what can be finished.
            try eventually("all 6 files are open; \(agent.said)") {
                try agent.process.openFiles(beneath: directory).count == 6
            }
            let tree = agent.log("shop")
            let removal = try ChildProcess(findProgram("rm", package: "coreutils"), ["-r", tree])
            #expect(try removal.wait() == .code(0))
            broker.resume();
            try eventually("all lines; \(agent.said)") { reader.count >= end };
            try eventually("the descriptors are let go; \(agent.said)") {
                try agent.process.openFiles(beneath: directory).isEmpty
            }
            try eventually("the entries leave the registry") { try agent.registry().isEmpty }
        }
        #expect(try agent.stop() == .code(0))
        #expect(try reader.messages() == (0..<end).map { text(source, $0) })
        #expect(!agent.said.contains("bytes lost"), "\(agent.said)")
    }

    @Test("S2: thousands of rotations, every few milliseconds, with restarts in between: in order")
    func flatOut() throws {
        let lines = 60_000
        // 1 MB, 250 archives: s6-log keeps 1,000.
        let window = 16_000
        struct Arrivals: Sendable {
            var audit = Audit()
            var count = 0
        }
        let arrivals = Shared(Arrivals())
        let sources = (0..<2).map { LineSource("w\($0)", seed: UInt64($0), payload: 30...80) }
        arrivals.with { for source in sources { $0.audit.expect(source, lines: lines) } }
        let broker = try BrokerProcess(topics: ["logs"])
        let reader = try KafkaReader(broker) { record in
            arrivals.with {
                $0.count += 1
                $0.audit.arrived(record.value)
            }
        }
        let agent = try Agent(
            broker.address, path: "{pod}/log/current", kafka: "topic: logs, codec: raw")
        let writers = try sources.map {
            try S6Writer(
                directory: agent.log("\($0.writer)/log"), directives: ["n1000", "s4096"])
        }
        try agent.start()
        for written in stride(from: 0, to: lines, by: 500) {
            for (writer, source) in zip(writers, sources) {
                try writer.write(source, written..<written + 500, chunk: 10)
            }
            if written % 10_000 == 5_000 {
                #expect(try agent.stop() == .code(0))
                try agent.start()
            }
            try eventually("the consumer is not far behind; \(agent.said)") {
                2 * written - arrivals.with { $0.count } < window
            }
        }
        for writer in writers { try writer.finish() }
        try eventually("all lines; \(agent.said)") { arrivals.with { $0.count } >= 2 * lines }
        #expect(try agent.stop() == .code(0))
        #expect(arrivals.with { $0.audit.report }.isClean, "\(arrivals.with { $0.audit.report })")
        #expect(try AuditCount.of(broker) == 2 * lines && reader.missing == 0)
        #expect(complaints(agent).isEmpty)
    }

    @Test("Order holds for every key over rotations of many pods into many partitions")
    func orderPerKey() throws {
        let (pods, lines) = (6, 12_000)
        struct Arrivals: Sendable {
            var audit = Audit()
            var count = 0
            var partitions: [String: Set<Int>] = [:]
            var writers: [String: Set<String>] = [:]
        }
        let arrivals = Shared(Arrivals())
        let sources = (0..<pods).map { LineSource("pod-\($0)", seed: UInt64($0), payload: 8...90) }
        arrivals.with { for source in sources { $0.audit.expect(source, lines: lines) } }
        let broker = try BrokerProcess(brokers: 3, partitions: 8, topics: ["logs"])
        let reader = try KafkaReader(broker) { record in
            arrivals.with {
                $0.count += 1
                $0.partitions[record.keyText, default: []].insert(record.partition)
                let writer = record.value.prefix { $0 != UInt8(ascii: " ") }
                $0.writers[record.keyText, default: []].insert(
                    String(decoding: writer, as: UTF8.self))
                $0.audit.arrived(record.value)
            }
        }
        let agent = try Agent(
            broker.address, path: "{namespace}/{app}/{pod}/log/current",
            kafka: "topic: logs, codec: raw, key: \"{namespace}/{pod}\"",
            more: "limits: {in_flight: 1MiB}")
        try agent.start()
        let writers = try sources.map {
            try S6Writer(
                directory: agent.log("shop/app/\($0.writer)/log"), directives: ["n1000", "s20000"])
        }
        let writings = try zip(writers, sources).map { try $0.writing($1, 0..<lines, chunk: 50) }
        for writing in writings { try writing.join() }
        for writer in writers { try writer.finish() }
        try eventually("all lines; \(agent.said)") { arrivals.with { $0.count } >= pods * lines }
        #expect(try agent.stop() == .code(0))
        let result = arrivals.current
        #expect(result.audit.report.isClean, "\(result.audit.report)")
        #expect(reader.missing == 0)
        #expect(Set(result.partitions.keys) == Set(sources.map { "shop/\($0.writer)" }))
        #expect(result.partitions.values.allSatisfy { $0.count == 1 })
        #expect(result.writers.allSatisfy { $0.key == "shop/\($0.value.joined())" })
        for writer in writers { #expect(try writer.archives().count >= 5) }
    }

    private func complaints(_ agent: Agent) -> [Substring] {
        agent.said.split(separator: "\n").filter { $0.contains(" warn ") || $0.contains(" error ") }
    }

    /// What a killed s6-log left of a line at the end of a file is a line of its own.
    private func linesOfEachFile(_ writer: S6Writer) throws -> [String] {
        try (writer.archives() + ["current"]).flatMap { name in
            String(decoding: try readFile("\(writer.directory)/\(name)"), as: UTF8.self)
                .split(separator: "\n").map(String.init)
        }
    }

    private func text(_ source: LineSource, _ sequence: Int) -> String {
        String(decoding: source.line(sequence), as: UTF8.self)
    }
}
