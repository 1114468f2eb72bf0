import Platform
import TestSupport
import Testing

/// What is different after a reboot, or after a clock was set: the registry is as an earlier run left
/// it, with other times or device numbers in it.
@Suite("The registry after a reboot") struct RebootTests {
    let broker: BrokerProcess
    let reader: KafkaReader
    let agent: Agent

    init() throws {
        broker = try BrokerProcess(topics: ["logs"])
        reader = try KafkaReader(broker)
        agent = try Agent(broker.address, path: "*.log*")
    }

    /// Changes the lines of both files and gives each its right checksum again.
    private func rewrite(_ change: (String) -> String) throws {
        for name in ["snapshot.jsonl", "journal.jsonl"] {
            var bytes: [UInt8] = []
            for line in try readFile(agent.data + "/registry/\(name)").split(separator: 0x0A) {
                let text = String(
                    decoding: line.dropLast(#","crc":"01234567"}"#.utf8.count), as: UTF8.self)
                let content = Array(change(text).utf8)
                let sum = String(Checksum.crc32(content.span), radix: 16)
                bytes += content + Array(#","crc":""#.utf8)
                bytes += Array((String(repeating: "0", count: 8 - sum.count) + sum).utf8)
                bytes += Array("\"}\n".utf8)
            }
            try agent.home.write("data/registry/\(name)", bytes)
        }
    }

    /// Moves every time in the registry by whole days.
    private func moveTimes(days: Int64) throws {
        try rewrite { text in
            var text = text
            for key in ["updated", "at"] {
                guard let found = text.firstRange(of: "\"\(key)\":\"") else { continue }
                let end = text.index(found.upperBound, offsetBy: Timestamp.textCount)
                let old = Array(text[found.upperBound..<end].utf8)
                guard let time = Timestamp(text: old.span) else { continue }
                let moved = Timestamp(milliseconds: time.milliseconds + days * 86_400_000)
                text.replaceSubrange(found.upperBound..<end, with: moved.description)
            }
            return text
        }
    }

    private func ship(_ expected: Int) throws {
        #expect(try agent.once() == .code(0), "\(agent.said)")
        try eventually("\(expected) lines, \(reader.count) are there; \(agent.said)") {
            reader.count >= expected
        }
        #expect(try AuditCount.of(broker) == expected)
    }

    @Test(
        "R5: the clock was set a day back, or on: nothing is read again, nothing is missed",
        arguments: [1, -1] as [Int64])
    func clock(days: Int64) throws {
        try agent.home.write("logs/a.log", "1\n2\n")
        try agent.home.write("logs/a.log.1", "0\n")
        try agent.home.write("logs/b.log", "other\n")
        try ship(4)
        try moveTimes(days: days)
        try agent.home.append("logs/a.log", "3\n")
        try ship(5)
        try moveTimes(days: days)
        // Rotated while no agent ran, with something unread in it.
        try agent.home.append("logs/a.log", "4\n")
        try rename(agent.log("a.log.1"), agent.log("a.log.2"))
        try rename(agent.log("a.log"), agent.log("a.log.1"))
        try agent.home.write("logs/a.log", "5\n")
        try ship(7)
        try moveTimes(days: days)
        try ship(7)
        #expect(try agent.registry().count == 4)
        #expect(try reader.messages().sorted() == ["0", "1", "2", "3", "4", "5", "other"])
    }

    @Test(
        "Devices have other numbers: nothing is read again, ids stay, and rotated files are known")
    func devices() throws {
        try agent.home.write("logs/a.log", "1\n2\n")
        try agent.home.write("logs/a.log.1", "0\n")
        try ship(3)
        let before = try agent.registry()
        try rewrite { text in
            guard let found = text.firstRange(of: "\"device\":\"") else { return text }
            var text = text
            text.insert("9", at: found.upperBound)
            return text
        }
        try agent.home.append("logs/a.log", "3\n")
        try rename(agent.log("a.log.1"), agent.log("a.log.2"))
        try rename(agent.log("a.log"), agent.log("a.log.1"))
        try agent.home.write("logs/a.log", "4\n")
        try ship(5)
        let after = try agent.registry()
        #expect(Set(after.map(\.generation)).isSuperset(of: before.map(\.generation)))
        #expect(after.count == 3)
        let documents = try reader.records.map { try $0.document() }
        let generations = Dictionary(
            uniqueKeysWithValues: documents.map { ($0.message, $0.metadata.id.prefix(16)) })
        #expect(generations["3"] == generations["1"] && generations["4"] != generations["1"])
        // The new numbers are saved, and another start has nothing to find out.
        try ship(5)
        #expect(try agent.registry().map(\.generation).sorted() == after.map(\.generation).sorted())
    }

    @Test(
        "A file that was delivered and renamed while no agent ran is not read again, nor its heir")
    func tombstone() throws {
        try agent.home.write("logs/a.log", "1\n2\n")
        try ship(2)
        for round in 0..<3 {
            try rename(
                agent.log(round == 0 ? "a.log" : "a.log.\(round)"), agent.log("a.log.\(round + 1)"))
            try ship(2 + round)
            try agent.home.write("logs/a.log", "new \(round)\n")
            try ship(3 + round)
            try remove(agent.log("a.log"))
        }
        #expect(try reader.messages() == ["1", "2", "new 0", "new 1", "new 2"])
    }
}
