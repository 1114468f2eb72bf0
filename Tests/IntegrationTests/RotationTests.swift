import Shipper
import TestSupport
import Testing

@Suite("Rotations that follow each other faster than anybody looks lose nothing")
struct RotationTests {
    @Test("T7: ten rotations of 10,000 lines each at full speed: all 100,000, in order")
    func fullSpeed() throws {
        let broker = try BrokerProcess(topics: ["logs"])
        let reader = try KafkaReader(broker)
        let agent = try Agent(broker.address, path: "app.log", kafka: "topic: logs, codec: raw")
        // 3 MB: less than the mock broker keeps, wherever the consumer stands.
        let log = try RotatedLog(agent.log("app.log"), LineSource("w", payload: 8...24))
        try agent.start()
        try log.write(1)
        try eventually("it is seen; \(agent.said)") { reader.count == 1 }
        for _ in 0..<10 {
            try log.write(10_000)
            try log.rotate()
        }
        try eventually("all lines; \(agent.said)") { reader.count >= log.written }
        #expect(try agent.stop() == .code(0))
        var audit = Audit()
        audit.expect(log.source, lines: log.written)
        for record in reader.records { audit.arrived(record.value) }
        #expect(audit.report.isClean, "\(audit.report); \(agent.said)")
        #expect(!agent.said.contains("bytes lost"), "\(agent.said)")
        #expect(try AuditCount.of(broker) == log.written)
    }

    @Test("T8: a second and a third rotation while the first file is still drained: all lines")
    func whileDraining() throws {
        let broker = try BrokerProcess(topics: ["logs"])
        let reader = try KafkaReader(broker)
        let agent = try Agent(
            broker.address, path: "app.log", kafka: "topic: logs, codec: raw",
            more: "limits: {in_flight: 256KiB}")
        let log = try RotatedLog(agent.log("app.log"), LineSource("w", payload: 30...60))
        try agent.start()
        try log.write(100)
        try eventually("the first lines; \(agent.said)") { reader.count == 100 }
        broker.pause()
        // Several times the credit: most of it is unread when it is rotated, and rotated again.
        try log.write(10_000)
        try log.rotate()
        try log.write(10_000)
        try log.rotate()
        try log.write(100)
        try log.rotate()
        try log.write(10_000)
        broker.resume()
        try eventually("all lines; \(agent.said)") { reader.count >= log.written }
        #expect(try agent.stop() == .code(0))
        #expect(difference(reader.texts(), log.source.texts(0..<log.written)) == nil)
        #expect(!agent.said.contains("bytes lost"), "\(agent.said)")
    }
}
