import Shipper
import TestSupport
import Testing

@Suite("A broker that is away costs neither lines nor memory", .serialized)
struct OutageTests {
    @Test(
        "60 s without an answer under 50 MB/s: memory stays within in_flight + 64 MiB, all arrives")
    func minute() throws {
        // The default of in_flight is 32 MiB.
        let most = (32 + 64) << 20
        let broker = try BrokerProcess(topics: ["logs"])
        // The mock broker knows no sequence numbers: were requests to run into their time-out, it
        // would keep what it got of both tries. How many records it has, its offsets tell; their
        // content it forgets before any consumer could read it at this speed.
        let agent = try Agent(
            broker.address, path: "*.log",
            kafka: "topic: logs, codec: raw, librdkafka: {socket.timeout.ms: \"300000\"}")
        let source = LineSource("w", payload: 800...1200)
        let linesPerBlock = 500
        let block = source.lines(0..<linesPerBlock)
        try agent.home.write("logs/a.log", block)
        try agent.start()
        try eventually("the first lines; \(agent.said)") {
            try AuditCount.of(broker) == linesPerBlock
        }

        broker.pause()
        let path = agent.log("a.log")
        let writer = try PacedWriter(
            block, to: path, bytesPerSecond: 50_000_000, for: .seconds(60))
        var highest = 0
        try eventually(within: .seconds(120), "the minute is over") {
            highest = max(highest, agent.process.memoryBytes() ?? 0)
            return writer.hasEnded
        }
        try writer.join()
        #expect(try agent.process.exit == nil, "\(agent.said)")
        let lines = (1 + writer.blocks) * linesPerBlock
        #expect(writer.blocks * block.count >= 2_500_000_000)
        broker.resume()
        try eventually(within: .seconds(300), "all \(lines) lines; \(agent.said)") {
            highest = max(highest, agent.process.memoryBytes() ?? 0)
            return try AuditCount.of(broker) >= lines
        }
        let peak = try #require(agent.process.memoryBytes("VmHWM"))
        #expect(highest <= most && peak <= most, "highest \(highest), peak \(peak)")
        #expect(try agent.stop() == .code(0))
        #expect(try AuditCount.of(broker) == lines)
        #expect(try agent.entry("a.log")?.offset == (1 + writer.blocks) * block.count)
    }
}
