import TestSupport
import Testing

@Suite("Lines that are left out, and what is masked") struct LeftOutTests {
    @Test(
        "F9: nearly all lines, or all, are left out: positions move, a restart reads nothing again")
    func positions() throws {
        let broker = try BrokerProcess(topics: ["logs"])
        let reader = try KafkaReader(broker)
        let agent = try Agent(
            broker.address, path: "*.log",
            input: "exclude_lines: ['^DEBUG'], include_lines: ['a']",
            more: "http: {listen: \"127.0.0.1:0\"}")
        let noise = (0..<9_999).map { "DEBUG a \($0)\n" }.joined()
        try agent.home.write("logs/some.log", noise + "INFO a\n" + noise)
        try agent.home.write("logs/none.log", noise)
        try agent.start()
        try eventually("both positions are at the end; \(agent.said)") {
            let entries = try agent.registry()
            return entries.count == 2 && entries.allSatisfy { $0.lag == 0 && $0.offset == $0.size }
        }
        try reader.waitFor(["INFO a"])
        let metrics = try Metrics(agent.address())
        #expect(metrics["shipper_lines_left_out_total"] == 29_997)
        #expect(metrics["shipper_records_delivered_total"] == 1)
        #expect(metrics["shipper_bytes_delivered_total"] == metrics["shipper_bytes_read_total"])
        agent.kill()

        try agent.home.append("logs/none.log", "DEBUG a\nb\nWARN a\n")
        try agent.start()
        try eventually("what came since is read; \(agent.said)") {
            try agent.registry().allSatisfy { $0.lag == 0 && $0.offset == $0.size }
        }
        try reader.waitFor(["INFO a", "WARN a"])
        let again = try Metrics(agent.address())
        #expect(again["shipper_lines_left_out_total"] == 2)
        #expect(again["shipper_bytes_read_total"] == 17)
        #expect(try agent.stop() == .code(0))
        #expect(try reader.messages() == ["INFO a", "WARN a"])
    }

    @Test("F12: what is masked never leaves, not over the cut of a long line, not after a kill")
    func masks() throws {
        let broker = try BrokerProcess(topics: ["logs"])
        let reader = try KafkaReader(broker)
        let agent = try Agent(
            broker.address, path: "*.log",
            input: "max_line: 1000, mask: [{pattern: '\\d{4}(-\\d{4}){3}', with: '****'}]",
            kafka: "topic: logs, codec: raw")
        let secret = "1234-5678-9012-3456"
        let line = (0..<400).map { "word \($0) " + ($0 % 7 == 0 ? secret : "x") }.joined(
            separator: ",")
        try agent.home.write("logs/a.log", "\(line)\nshort \(secret)\n")
        #expect(try agent.once() == .code(0), "\(agent.said)")
        try eventually("all of it; \(agent.said)") { reader.texts().last == "short ****" }
        let texts = reader.texts()
        #expect(texts.count > 5)
        #expect(texts.dropLast().joined() == line.replacing(secret, with: "****"))
    }
}
