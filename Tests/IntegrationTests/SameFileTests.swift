import Platform
import Shipper
import TestSupport
import Testing

@Suite("Files are told apart from their first byte on")
struct SameFileTests {
    @Test("T22: two files that begin alike and grow from one byte are never confused")
    func alike() throws {
        let broker = try BrokerProcess(topics: ["logs"])
        let reader = try KafkaReader(broker)
        let agent = try Agent(broker.address, path: "*.log", kafka: "topic: logs, codec: raw")
        // Longer than what a fingerprint covers, and the same in both but for the end.
        let head = (0..<40).map { "line \($0) of a banner that every start of the program writes" }
        let files = ["a", "b", "c"]
        var texts: [String: [UInt8]] = [:]
        for file in files {
            texts[file] = Array((head.joined(separator: "\n") + "\nthis is \(file)\n").utf8)
        }
        var written = 0
        for end in [1, 2, 3, 50, 60, 61, 500, 1_023, 1_024, 1_025, 2_000, Int.max] {
            for file in files {
                guard let text = texts[file] else { continue }
                let part = text[written..<min(end, text.count)]
                try appendBytes(Array(part), to: agent.log("\(file).log"))
            }
            written = end
            let lines = files.reduce(0) { sum, file in
                sum + (texts[file]?.prefix(end).count { $0 == 10 } ?? 0)
            }
            if end % 2 == 0 {
                try agent.start()
                try eventually("\(lines) lines; \(agent.said)") { reader.count >= lines }
                #expect(try agent.stop() == .code(0))
            } else {
                #expect(try agent.once() == .code(0), "\(agent.said)")
            }
            #expect(try AuditCount.of(broker) == lines, "\(agent.said)")
        }
        try eventually("all of them") { reader.count == 3 * 41 }
        for file in files {
            let mine = reader.records.filter { $0.keyText == agent.log("\(file).log") }
            #expect(mine.map(\.text) == head + ["this is \(file)"])
        }
    }

    @Test("T22: the same when one takes the other's name while nothing runs")
    func exchanged() throws {
        let broker = try BrokerProcess(topics: ["logs"])
        let reader = try KafkaReader(broker)
        let agent = try Agent(broker.address, path: "*.log", kafka: "topic: logs, codec: raw")
        for file in ["a", "b"] { try agent.home.write("logs/\(file).log", "alike\n") }
        #expect(try agent.once() == .code(0), "\(agent.said)")
        for round in 0..<5 {
            try rename(agent.log("a.log"), agent.log("x"))
            try rename(agent.log("b.log"), agent.log("a.log"))
            try rename(agent.log("x"), agent.log("b.log"))
            try agent.home.append("logs/a.log", "a \(round)\n")
            try agent.home.append("logs/b.log", "b \(round)\n")
            #expect(try agent.once() == .code(0), "\(agent.said)")
            #expect(try AuditCount.of(broker) == 2 + 2 * (round + 1), "\(agent.said)")
        }
        try eventually("all lines") { reader.count == 12 }
        let expected = ["alike", "alike"] + (0..<5).flatMap { ["a \($0)", "b \($0)"] }
        #expect(reader.texts().sorted() == expected.sorted())
    }

    @Test("T24: a file of one byte and a newline is shipped at once")
    func oneByte() throws {
        let broker = try BrokerProcess(topics: ["logs"])
        let reader = try KafkaReader(broker)
        let agent = try Agent(broker.address, path: "*.log", kafka: "topic: logs, codec: raw")
        try agent.home.write("logs/0.log", "0\n")
        try agent.start()
        for file in 1...9 {
            try eventually("file \(file - 1); \(agent.said)") { reader.count == file }
            try agent.home.write("logs/\(file).log", "\(file)\n")
        }
        try eventually("the last; \(agent.said)") { reader.count == 10 }
        #expect(try agent.stop() == .code(0))
        #expect(reader.texts() == (0...9).map { "\($0)" })
    }

    @Test("T25: in a sparse file of more than 2 GiB every line has its right offset")
    func large() throws {
        let broker = try BrokerProcess(topics: ["logs"])
        let reader = try KafkaReader(broker)
        let agent = try Agent(broker.address, path: "*.log")
        let hole = 3 << 30
        let path = try agent.home.write("logs/a.log", "first\n")
        try Descriptor.open(path, 1).truncate(to: hole)
        try agent.home.append("logs/a.log", "second\nthird\n")
        try agent.start()
        try eventually("three lines; \(agent.said)") { reader.count >= 3 }
        #expect(try agent.stop() == .code(0))
        try agent.home.append("logs/a.log", "fourth\n")
        #expect(try agent.once() == .code(0), "\(agent.said)")
        try eventually("four lines; \(agent.said)") { reader.count >= 4 }
        let documents = try reader.records.map { try $0.document() }
        #expect(documents.map(\.message) == ["first", "second", "third", "fourth"])
        #expect(documents.map(\.log.offset) == [0, hole, hole + 7, hole + 13])
        let end = hole + 20
        #expect(try agent.entry("a.log")?.offset == end)
        #expect(try AuditCount.of(broker) == 4)
    }
}
