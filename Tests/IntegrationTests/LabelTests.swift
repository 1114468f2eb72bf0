import Platform
import Shipper
import TestSupport
import Testing

@Suite("The time that s6-log wrote before a line is the record's time", .serialized)
struct LabelTests {
    /// 5:45 ahead of UTC all the year.
    private static let zone = "Asia/Kathmandu"

    /// A record as it is to be expected of a line on the disk.
    private struct Line: Equatable {
        let time: String
        let message: String
    }

    @Test("S8: TAI64N, ISO 8601 and both: the time to the millisecond, the message without label")
    func labels() throws {
        let lines = 2_000
        let broker = try BrokerProcess(topics: ["logs"])
        let reader = try KafkaReader(broker)
        let agent = try Agent(
            broker.address, path: "{pod}/log/current", input: "timezone: \(Self.zone)",
            kafka: "topic: logs, key: \"{pod}\"")
        try agent.start()
        let source = LineSource("w", payload: 8...24)
        let directives = ["t": ["t"], "T": ["T"], "tT": ["t", "T"]]
        var expected: [String: [Line]] = [:]
        for (pod, labels) in directives {
            let writer = try S6Writer(
                directory: agent.log("\(pod)/log"), directives: labels + ["n1000", "s99999999"],
                environment: ["TZ": Self.zone])
            for round in 0..<20 {
                try writer.write(source, round * lines / 20..<(round + 1) * lines / 20)
                try eventually("s6-log has written round \(round)") {
                    try writer.linesOnDisk().count == (round + 1) * lines / 20
                }
                writer.rotate()
                try writer.waitForArchives(round + 1)
            }
            try writer.finish()
            let onDisk = try writer.linesOnDisk().map { String(decoding: $0, as: UTF8.self) }
            expected[pod] =
                labels.contains("t")
                ? try fromTAI64N(onDisk, length: labels.contains("T") ? 57 : 26)
                : try fromCalendar(onDisk)
        }
        try eventually("all lines; \(agent.said)") { reader.count >= 3 * lines }
        #expect(try agent.stop() == .code(0))
        for pod in directives.keys {
            let records = reader.records.filter { $0.keyText == pod }
            let found = try records.map { record in
                let document = try record.document()
                return Line(time: document.timestamp, message: document.message)
            }
            #expect(found == expected[pod], "\(pod)")
            #expect(found.map(\.message) == (0..<lines).map { text(source, $0) }, "\(pod)")
            // s6-log reads its clock for each line, so a time is no constant.
            #expect(Set(found.map(\.time)).count >= 10)
        }
    }

    @Test(
        "S8: a line without label keeps its text and has the read time; so has all of a plain log")
    func lacking() throws {
        let broker = try BrokerProcess(topics: ["logs"])
        let reader = try KafkaReader(broker)
        let agent = try Agent(broker.address, path: "{pod}/log/*", kafka: "topic: \"{pod}\"")
        let label = "@400000006b03bb0027d04f81 "
        let stamp = "2026-11-23 04:02:35.667963265  "
        let almost = "2026-11-23 04:02:35.667963265 one blank"
        let text = "\(label)one\ntwo\n\(stamp)three\n\(almost)\n\(label)\(stamp)four\n"
        try agent.home.write("logs/s6/log/current", text)
        try agent.home.write("logs/other/log/app.log", text)
        let start = Timestamp.now().description
        #expect(try agent.once() == .code(0), "\(agent.said)")
        let end = Timestamp.now().description
        try eventually("all lines; \(agent.said)") { reader.count >= 10 }
        let s6 = try reader.records("s6").map { try $0.document() }
        #expect(s6.map(\.message) == ["one", "two", "three", almost, "four"])
        #expect(s6.map(\.log.offset) == [0, 30, 34, 71, 111])
        let labelled = "2026-11-23T04:02:35.667Z"
        for (document, isLabelled) in zip(s6, [true, false, true, false, true]) {
            if isLabelled {
                #expect(document.timestamp == labelled)
            } else {
                #expect((start...end).contains(document.timestamp))
            }
        }
        let other = try reader.records("other").map { try $0.document() }
        #expect(other.map(\.message) == text.split(separator: "\n").map(String.init))
        #expect(other.allSatisfy { (start...end).contains($0.timestamp) })
    }

    @Test(
        "S8: the parts of a long line have the time of its label, and a label only at its beginning"
    )
    func longLine() throws {
        let broker = try BrokerProcess(topics: ["logs"])
        let reader = try KafkaReader(broker)
        let agent = try Agent(broker.address, path: "{pod}/log/current")
        let label = "@400000006b03bb0027d04f81 "
        // Several reads long, of words that begin like labels.
        let message = String(repeating: label, count: 30_000)
        try agent.home.write("logs/pod/log/current", "\(label)\(message)\nshort\n")
        #expect(try agent.once() == .code(0), "\(agent.said)")
        try eventually("all of it; \(agent.said)") {
            reader.texts().last?.contains("short") == true
        }
        let documents = try reader.records.map { try $0.document() }
        let parts = documents.dropLast()
        #expect(parts.count >= 3)
        #expect(parts.map(\.message).joined() == message)
        #expect(
            parts.allSatisfy {
                $0.timestamp == "2026-11-23T04:02:35.667Z" && $0.log.flags == ["split"]
            })
        var offset = 0
        for part in parts {
            #expect(part.log.offset == offset)
            offset += part.message.utf8.count + (offset == 0 ? label.utf8.count : 0)
        }
        #expect(documents.last?.message == "short")
        #expect(documents.last?.timestamp != parts.first?.timestamp)
    }

    @Test("S8: codec raw ships the line as it is, with its label")
    func raw() throws {
        let broker = try BrokerProcess(topics: ["logs"])
        let reader = try KafkaReader(broker)
        let agent = try Agent(
            broker.address, path: "{pod}/log/current", input: "format: s6",
            kafka: "topic: logs, codec: raw")
        let writer = try S6Writer(
            directory: agent.log("pod/log"), directives: ["t", "T", "n20", "s1000000"])
        try writer.write(Array("one\n\ntwo\n".utf8))
        try writer.finish()
        #expect(try agent.once() == .code(0), "\(agent.said)")
        let onDisk = try writer.linesOnDisk().map { String(decoding: $0, as: UTF8.self) }
        #expect(onDisk.count == 3)
        try reader.waitFor(onDisk)
        #expect(reader.texts() == onDisk)
    }

    private func text(_ source: LineSource, _ number: Int) -> String {
        String(decoding: source.line(number), as: UTF8.self)
    }

    /// The real s6-tai64nlocal reads the labels; `length` bytes are before the message.
    private func fromTAI64N(_ lines: [String], length: Int) throws -> [Line] {
        let directory = try TemporaryDirectory()
        try directory.write("labels", lines.map { $0.prefix(25) + " x\n" }.joined())
        let program = try ChildProcess(
            try findProgram("s6-tai64nlocal", package: "s6"), ["-g"],
            input: .file(directory.path("labels")))
        #expect(try program.wait() == .code(0))
        let times = program.output.split(separator: "\n").map { time($0.prefix(23)) }
        return zip(times, lines).map { Line(time: $0, message: String($1.dropFirst(length))) }
    }

    /// The C library reads the dates.
    private func fromCalendar(_ lines: [String]) throws -> [Line] {
        let directory = try TemporaryDirectory()
        let dates = lines.map { "TZ=\"\(Self.zone)\" \($0.prefix(29))\n" }
        try directory.write("dates", dates.joined())
        let date = try ChildProcess(
            "/usr/bin/env", ["date", "-u", "-f", directory.path("dates"), "+%F %T.%3N"])
        #expect(try date.wait() == .code(0))
        let times = date.output.split(separator: "\n").map { time($0) }
        return zip(times, lines).map { Line(time: $0, message: String($1.dropFirst(31))) }
    }

    private func time(_ text: Substring) -> String {
        text.replacing(" ", with: "T") + "Z"
    }
}
