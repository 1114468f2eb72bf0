import Glibc
import Platform
import Shipper
import TestSupport
import Testing

@Suite("Files that are rotated by renaming are read to their last byte, and nothing twice")
struct RenameTests {
    @Test("T5: a writer that keeps the old file and one that has the new one: both are complete")
    func twoWriters() throws {
        let broker = try BrokerProcess(topics: ["logs"])
        let reader = try KafkaReader(broker)
        let agent = try Agent(broker.address, path: "app.log", kafka: "topic: logs, codec: raw")
        let (old, new) = (LineSource("old"), LineSource("new"))
        let kept = try Descriptor.open(agent.log("app.log"), O_WRONLY | O_CREAT | O_APPEND)
        try kept.write(old.lines(0..<100))
        try agent.start()
        try eventually("the first lines; \(agent.said)") { reader.count == 100 }
        try rename(agent.log("app.log"), agent.log("app.log.1"))
        for round in 1..<50 {
            try kept.write(old.lines(round * 100..<(round + 1) * 100))
            try appendBytes(
                new.lines((round - 1) * 100..<round * 100), to: agent.log("app.log"))
        }
        try eventually("all lines; \(agent.said)") { reader.count >= 9_900 }
        #expect(try agent.stop() == .code(0))
        let texts = reader.texts()
        #expect(texts.filter { $0.hasPrefix("old ") } == old.texts(0..<5_000))
        #expect(texts.filter { $0.hasPrefix("new ") } == new.texts(0..<4_900))
        #expect(texts.count == 9_900)
    }

    @Test(
        "T6: what is written to a renamed file long after is shipped; with its writer it is let go")
    func lateWriter() throws {
        let broker = try BrokerProcess(topics: ["logs"])
        let reader = try KafkaReader(broker)
        let agent = try Agent(broker.address, path: "app.log", kafka: "topic: logs, codec: raw")
        var late: Descriptor? = try Descriptor.open(
            agent.log("app.log"), O_WRONLY | O_CREAT | O_APPEND)
        try agent.start()
        try late?.write(Array("first\n".utf8))
        try eventually("the first line; \(agent.said)") { reader.count == 1 }
        try rename(agent.log("app.log"), agent.log("app.log.1"))
        var expected = ["first"]
        for round in 0..<8 {
            // The new file goes on for a while before the old one is written to again.
            for part in 0..<3 {
                try agent.home.append("logs/app.log", "new \(round) \(part)\n")
                expected.append("new \(round) \(part)")
                try eventually("the new file goes on; \(agent.said)") {
                    reader.count == expected.count
                }
            }
            try late?.write(Array("late \(round)\n".utf8))
            expected.append("late \(round)")
            try eventually("the late line; \(agent.said)") { reader.count == expected.count }
            let open = try agent.process.openFiles(beneath: agent.home.path("logs"))
            #expect(open.contains { $0.hasSuffix("/app.log.1") }, "\(open)")
        }
        // Its last line has no newline, and with its writer that becomes certain.
        try late?.write(Array("the end".utf8))
        late = nil
        try eventually("the last line; \(agent.said)") { reader.count == expected.count + 1 }
        try eventually("the renamed file is let go; \(agent.said)") {
            try !agent.process.openFiles(beneath: agent.home.path("logs")).contains {
                $0.hasSuffix("/app.log.1")
            }
        }
        #expect(try agent.stop() == .code(0))
        #expect(reader.texts() == expected + ["the end"])
    }

    @Test("T21: a file renamed to another name of the pattern is not sent again, and goes on there")
    func withinThePattern() throws {
        let broker = try BrokerProcess(topics: ["logs"])
        let reader = try KafkaReader(broker)
        let agent = try Agent(broker.address, path: "*.log", kafka: "topic: logs, codec: raw")
        let source = LineSource("w")
        try agent.start()
        for round in 0..<10 {
            try appendBytes(
                source.lines(round * 100..<(round + 1) * 100), to: agent.log("\(round).log"))
            try eventually("round \(round); \(agent.said)") {
                reader.count == (round + 1) * 100
            }
            if round == 5 {
                #expect(try agent.stop() == .code(0))
                try rename(agent.log("5.log"), agent.log("6.log"))
                try agent.start()
            } else {
                try rename(agent.log("\(round).log"), agent.log("\(round + 1).log"))
            }
        }
        #expect(try agent.stop() == .code(0))
        #expect(difference(reader.texts(), source.texts(0..<1_000)) == nil)
        #expect(try agent.once() == .code(0), "\(agent.said)")
        #expect(try AuditCount.of(broker) == 1_000)
    }
}
