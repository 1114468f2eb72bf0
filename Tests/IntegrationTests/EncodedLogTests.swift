import FoundationEssentials
import Platform
import TestSupport
import Testing

@Suite("Logs in other encodings than UTF-8") struct EncodedLogTests {
    private func wide(_ text: String) -> [UInt8] {
        text.utf16.flatMap { [UInt8($0 & 0xFF), UInt8($0 >> 8)] }
    }

    @Test("F11: UTF-16, written byte by byte, with a kill and a rotation between, arrives whole")
    func wide() throws {
        let broker = try BrokerProcess(topics: ["logs"])
        let reader = try KafkaReader(broker)
        let agent = try Agent(broker.address, path: "*.log", input: "encoding: utf-16le")
        let path = agent.log("a.log")
        let text = "\u{FEFF}first ☃\r\nsecond\nthird 😀\n"
        let bytes = wide(text)
        // The newline's second byte is not there yet.
        let cut = wide("\u{FEFF}first ☃\r\nsecond").count + 1
        try appendBytes(Array(bytes[..<cut]), to: path)
        try agent.start()
        try reader.waitFor(["first ☃"]) { agent.said }
        agent.kill()
        try appendBytes(Array(bytes[cut...]), to: path)
        try agent.start()
        try eventually("three lines; \(agent.said)") { Set(try reader.messages()).count == 3 }
        try rename(path, agent.log("a.log.1"))
        try appendBytes(wide("fourth\n"), to: path)
        try eventually("four lines; \(agent.said)") { Set(try reader.messages()).count == 4 }
        try eventually("its position is at its end; \(agent.said)") {
            try agent.registry().allSatisfy { $0.lag == 0 }
        }
        #expect(try agent.stop() == .code(0))
        let documents = try reader.records.map { try $0.document() }
        let offsets = Dictionary(
            documents.map { ($0.message, $0.log.offset) }, uniquingKeysWith: { old, _ in old })
        #expect(offsets["first ☃"] == 0)
        #expect(offsets["second"] == wide("\u{FEFF}first ☃\r\n").count)
        #expect(offsets["third 😀"] == wide("\u{FEFF}first ☃\r\nsecond\n").count)
        #expect(offsets["fourth"] == 0)
        #expect(documents.allSatisfy { $0.log.flags == nil })
    }

    @Test("F10, F11: JSON in GBK, of one stream of a container, with a time of its own")
    func all() throws {
        let broker = try BrokerProcess(topics: ["logs"])
        let reader = try KafkaReader(broker)
        let agent = try Agent(
            broker.address, path: "*.log",
            input: """
                encoding: gbk, format: cri, stream: stdout, json: {message_key: msg, timestamp: \
                {field: t, layouts: [UNIX_MS]}}
                """)
        var bytes = Array("2026-11-23T05:00:00Z stdout F {\"msg\":\"".utf8) + [0xC4, 0xE3]
        bytes += Array("\",\"t\":1577934245678}\n2026-11-23T05:00:00Z stderr F {}\n".utf8)
        bytes += Array("2026-11-23T05:00:00Z stdout F no JSON\n".utf8)
        try appendBytes(bytes, to: agent.log("a.log"))
        #expect(try agent.once() == .code(0), "\(agent.said)")
        try eventually("two documents; \(agent.said)") { reader.count == 2 }
        #expect(try reader.messages() == ["你", "no JSON"])
        let text = try #require(reader.texts().first)
        #expect(text.hasPrefix(#"{"@timestamp":"2020-01-02T03:04:05.678Z""#))
        #expect(text.contains(#""msg":"你""#) && text.contains(#""stream":"stdout""#))
        #expect(reader.texts()[1].contains(#""flags":["parse_error"]"#))
        #expect(agent.said.contains("line is not as its format has it"))
    }
}
