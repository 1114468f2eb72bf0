import Shipper
import TestSupport
import Testing

@Suite("Quiet files cost no descriptor, and miss nothing when they wake")
struct IdleTests {
    @Test(
        "T26: closed, appended to and opened again while the broker takes 2 s: 5,008 lines, each once"
    )
    func wokenWhileSlow() throws {
        let broker = try BrokerProcess(topics: ["logs", "others"])
        let reader = try KafkaReader(broker, topics: ["logs"])
        // 16 descriptors for files: one and 30 others cannot all stay open.
        let agent = try Agent(
            broker.address, path: "{kind}/*.log", kafka: "topic: \"{kind}\", codec: raw",
            more: "limits: {open_files: 16}")
        let source = LineSource("w")
        try agent.home.write("logs/logs/a.log", source.lines(0..<5_000))
        try agent.home.makeDirectory("logs/others")
        try agent.start()
        try eventually("the first lines; \(agent.said)") { reader.count == 5_000 }
        try broker.setRoundTrip(milliseconds: 2000)
        var others = 0
        for line in 5_000..<5_008 {
            for other in 0..<30 {
                try agent.home.append("logs/others/\(other).log", "line \(others)\n")
                others += 1
            }
            try eventually("it is closed for want of descriptors; \(agent.said)") {
                if try !agent.process.openFiles(beneath: agent.log("logs")).contains(where: {
                    $0.hasSuffix("/a.log")
                }) {
                    return true
                }
                // Its last line may have been read after theirs: then nothing wants a descriptor.
                for other in 0..<30 {
                    try agent.home.append("logs/others/\(other).log", "line \(others)\n")
                    others += 1
                }
                return false
            }
            try appendBytes(source.lines(line..<line + 1), to: agent.log("logs/a.log"))
            if line == 5_003 {
                try eventually("line \(line); \(agent.said)") { reader.count >= line + 1 }
            }
        }
        try broker.setRoundTrip(milliseconds: 0)
        try eventually("all lines; \(agent.said)") { reader.count >= 5_008 }
        // Theirs may be read after them.
        try eventually("the others' lines; \(agent.said)") {
            try AuditCount.of(broker, topic: "others") >= others
        }
        #expect(try agent.stop() == .code(0))
        #expect(difference(reader.texts(), source.texts(0..<5_008)) == nil)
        #expect(try AuditCount.of(broker) == 5_008)
        #expect(try AuditCount.of(broker, topic: "others") == others)
    }

    /// 1. `current` is parked: others need its descriptor, and nothing of it could be handed over.
    /// 2. It becomes an archive, and so do many more, each opened as it is found.
    /// 3. They hold every descriptor that files may have, and wait for the oldest, which has none.
    @Test("More unread archives than descriptors: all are read, oldest first")
    func archives() throws {
        let broker = try BrokerProcess(topics: ["logs", "others"])
        let reader = try KafkaReader(broker, topics: ["logs"])
        let agent = try Agent(
            broker.address, path: "{kind}/{pod}/current", kafka: "topic: \"{kind}\", codec: raw",
            more: "limits: {open_files: 16, in_flight: 256KiB}")
        let source = LineSource("w")
        let writer = try S6Writer(
            directory: agent.log("logs/pod"), directives: ["n1000", "s99999999"])
        try writer.write(source, 0..<100)
        try agent.start()
        try eventually("the first lines; \(agent.said)") { reader.count == 100 }
        broker.pause()
        for archive in 1...40 {
            try writer.write(source, archive * 100..<(archive + 1) * 100)
            try eventually("s6-log has written it") {
                try !readFile("\(writer.directory)/current").isEmpty
            }
            for other in 0..<5 {
                try agent.home.write("logs/others/\(archive)-\(other)/current", "one\n")
            }
            writer.rotate()
            try eventually("and rotated") { try writer.archives().count == archive }
        }
        broker.resume()
        try eventually("all lines, of \(reader.count); \(agent.said)") { reader.count >= 4_100 }
        try eventually("those of the others; \(agent.said)") {
            try AuditCount.of(broker, topic: "others") >= 200
        }
        #expect(try agent.stop() == .code(0))
        try writer.finish()
        #expect(difference(reader.texts(), source.texts(0..<4_100)) == nil)
        #expect(try AuditCount.of(broker, topic: "others") == 200)
    }
}
