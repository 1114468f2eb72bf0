import Glibc
import Platform
import TestSupport
import Testing

/// What a pod can do with one call in a volume that lies in memory, where a file may be as large as a number.
@Suite(
    "Files of 2^63 - 1 bytes are no other pod's concern", .serialized,
    .enabled("no file system here holds such files") { GiantFiles.canBeHeld() })
struct GiantFileTests {
    private static let names = ["a.log", "b.log", "c.log"]

    enum Story: String, CaseIterable {
        case grown, new, lineBehindAHole, lineWithinTheBound, lineAtTheVeryEnd, deletedUnread,
            justWithinTheBound
        case rotatedAway, copied, compressed, timesBeyondAllCalendars
    }

    /// `names` are there and were read.
    private static func play(_ story: Story, in directory: String) throws {
        let path = "\(directory)/a.log"
        switch story {
        case .grown:
            for name in names {
                try GiantFiles.grow("\(directory)/\(name)", to: GiantFiles.largest)
            }
        case .new:
            for name in names {
                try GiantFiles.grow("\(directory)/new-\(name)", to: GiantFiles.largest)
            }
        case .lineBehindAHole:
            for name in names { try GiantFiles.writeBehind(1 << 62, "\(directory)/\(name)") }
        case .lineWithinTheBound:
            for name in names { try GiantFiles.writeBehind(1 << 59, "\(directory)/\(name)") }
        case .lineAtTheVeryEnd: try GiantFiles.writeBehind(GiantFiles.largest - 4, path)
        case .deletedUnread:
            for name in names {
                try GiantFiles.grow("\(directory)/\(name)", to: GiantFiles.largest)
            }
            for name in names { try remove("\(directory)/\(name)") }
        case .justWithinTheBound:
            for number in 0..<20 { try GiantFiles.grow("\(directory)/\(number).log", to: 1 << 60) }
        case .rotatedAway:
            try rename(path, "\(path).1")
            try GiantFiles.grow("\(path).1", to: GiantFiles.largest)
            try appendBytes(Array("after\n".utf8), to: path)
        case .copied:
            try appendBytes(Array("mine\n".utf8), to: "\(path).1")
            try GiantFiles.grow("\(path).1", to: GiantFiles.largest)
            try GiantFiles.grow(path, to: 0)
        case .compressed:
            try appendBytes([0x1F, 0x8B, 8, 0], to: "\(path).1.gz")
            try GiantFiles.grow("\(path).1.gz", to: GiantFiles.largest)
            try GiantFiles.grow(path, to: 0)
        case .timesBeyondAllCalendars:
            for (number, seconds) in [Int.min, -1, 0, .max].enumerated() {
                for name in ["\(number).log", "a.log.\(number)", "\(number).log.1"] {
                    try appendBytes(Array("line\n".utf8), to: "\(directory)/\(name)")
                    try setTime(of: "\(directory)/\(name)", seconds: seconds)
                }
            }
            try GiantFiles.grow(path, to: 0)
        }
    }

    @Test(
        "The agent lives, ships its neighbour's lines, answers, and reads its registry at the next start",
        arguments: Story.allCases)
    func giants(_ story: Story) throws {
        let broker = try BrokerProcess(topics: ["logs"])
        let reader = try KafkaReader(broker)
        let agent = try Agent(
            broker.address, path: "*/*.log", kafka: "topic: logs, codec: raw",
            more: "http: {listen: \"127.0.0.1:0\"}")
        let memory = try TemporaryDirectory(inMemory: true)
        let (evil, good) = (memory.path("logs/evil"), memory.path("logs/good/app.log"))
        try memory.makeDirectory("logs/evil")
        try memory.makeDirectory("logs/good")
        try agent.configure {
            $0 = $0.replacing(agent.home.path("logs"), with: memory.path("logs"))
        }
        for name in Self.names { try memory.write("logs/evil/\(name)", "mine\n") }
        try appendBytes(Array("first\n".utf8), to: good)
        try agent.start()
        func expect(_ text: String) throws {
            try eventually("\(text) arrives; \(agent.said)") { reader.texts().contains(text) }
        }
        try expect("first")
        try eventually("the pod's own lines") { reader.texts().count { $0 == "mine" } == 3 }
        try Self.play(story, in: evil)
        try appendBytes(Array("second\n".utf8), to: good)
        try expect("second")
        switch story {
        case .new:
            try eventually("refused, and told; \(agent.said)") {
                agent.said.split(separator: "\n").count { $0.contains("larger than 1 EiB") } == 3
            }
        case .lineWithinTheBound:
            try eventually("what stands behind the holes; \(agent.said)") {
                reader.texts().count { $0 == "x" } == 3 && reader.texts().count { $0 == "y" } == 3
            }
        case .grown, .lineBehindAHole, .lineAtTheVeryEnd, .deletedUnread, .justWithinTheBound,
            .rotatedAway, .copied, .compressed, .timesBeyondAllCalendars:
            #expect(try Metrics(agent.address())["shipper_lag_bytes"] ?? -1 >= 0)
        }
        try appendBytes(Array("third\n".utf8), to: good)
        try expect("third")
        #expect(try agent.stop() == .code(0), "\(agent.said)")
        try agent.start()
        try appendBytes(Array("fourth\n".utf8), to: good)
        try expect("fourth")
        #expect(try agent.stop() == .code(0), "\(agent.said)")
        let openings = agent.said.split(separator: "\n").filter { $0.contains("registry opened") }
        #expect(openings.allSatisfy { $0.contains(" damaged=0 ") }, "\(agent.said)")
        for text in ["first", "second", "third", "fourth"] {
            #expect(reader.texts().count { $0 == text } == 1)
        }
    }
}

private enum GiantFiles {
    static let largest = Int.max

    static func canBeHeld() -> Bool {
        do {
            let place = try TemporaryDirectory(inMemory: true)
            try grow(place.path("giant"), to: largest)
            return true
        } catch {
            return false
        }
    }

    static func grow(_ path: String, to size: Int) throws(SystemError) {
        try Descriptor.open(path, O_WRONLY | O_CREAT).truncate(to: size)
    }

    /// A line behind a hole of so many bytes.
    static func writeBehind(_ hole: Int, _ path: String) throws {
        try grow(path, to: hole)
        try appendBytes(Array("x\ny\n".utf8), to: path)
    }
}
