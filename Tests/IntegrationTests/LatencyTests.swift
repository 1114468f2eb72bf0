import Shipper
import TestSupport
import Testing

@Suite("The time that lines may wait", .serialized)
struct LatencyTests {
    /// Files are looked at each 3.2 s. s6-log keeps 20 archives, and the writer is 16 ahead of the
    /// consumer at the most, so nothing is removed unread. That no rotation waits for a look is told by
    /// the Tailer's own tests, whose looks are an hour apart.
    @Test("N2: a budget of seconds, and rotations that come faster than it: nothing is lost")
    func rotations() throws {
        let lines = 6_000
        let broker = try BrokerProcess(topics: ["logs"])
        let reader = try KafkaReader(broker)
        let agent = try Agent(
            broker.address, path: "{pod}/log/current", input: "latency: 4s",
            kafka: "topic: logs, codec: raw")
        try agent.start()
        let writer = try S6Writer(directory: agent.log("pod-1/log"), directives: ["n20", "s4096"])
        let source = LineSource("w", payload: 60...80)
        var written = 0
        while written < lines {
            try eventually("line \(written) is on its way, at \(reader.count); \(agent.said)") {
                written - reader.count < 600
            }
            try writer.write(source, written..<written + 50)
            written += 50
        }
        try writer.finish()
        try eventually("\(lines) records, at \(reader.count); \(agent.said)") {
            reader.count >= lines
        }
        #expect(try agent.stop() == .code(0))
        var audit = Audit()
        audit.expect(source, lines: lines)
        for record in reader.records { audit.arrived(record.value) }
        #expect(audit.report.isClean, "\(audit.report); \(agent.said)")
        let archives = try writer.archives()
        #expect(archives.count == 20, "s6-log has removed none")
        #expect(!agent.said.contains("bytes lost"))
    }
}
