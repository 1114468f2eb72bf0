import Kafka
import Shipper
import TestSupport
import Testing

@Suite("Headers of records, and documents without what is constant")
struct HeaderTests {
    @Test("With codec: raw and headers a consumer has all that a document says of a line's place")
    func raw() throws {
        let broker = try BrokerProcess(topics: ["logs"])
        let reader = try KafkaReader(broker, topics: ["logs"])
        let agent = try Agent(
            broker.address, path: "{app}/*.log", input: "empty_lines: keep, fields: {cluster: eu}",
            kafka: "topic: logs, codec: raw, headers: {path: \"{path}\", id: \"{id}\", "
                + "offset: \"{offset}\", of: \"{cluster}/{app}@{offset}\", source: shipper}")
        try agent.home.write("logs/shop/a.log", "one\n\nthree\n")
        #expect(try agent.once() == .code(0), "\(agent.said)")
        try reader.waitFor(["one", "", "three"])
        let records = reader.records("logs")
        #expect(records.allSatisfy { !$0.extras.isTombstone }, "an empty line removes nothing")
        let generation = try #require(try agent.entry("shop/a.log")).generation
        for (record, offset) in zip(records, [0, 4, 5]) {
            #expect(
                record.extras.headers.map(\.name) == ["path", "id", "offset", "of", "source"])
            #expect(record.header("path") == agent.log("shop/a.log"))
            #expect(record.header("id") == "\(generation)-000000000000000\(offset)")
            #expect(record.header("offset") == "\(offset)")
            #expect(record.header("of") == "eu/shop@\(offset)")
            #expect(record.header("source") == "shipper")
        }
    }

    @Test("Ten thousand records with headers arrive once each, in order, within the credit")
    func many() throws {
        let broker = try BrokerProcess(topics: ["logs"])
        let reader = try KafkaReader(broker, topics: ["logs"])
        let agent = try Agent(
            broker.address, path: "*.log",
            kafka: "topic: logs, codec: raw, headers: {id: \"{id}\"}",
            more: "limits: {in_flight: 256KiB}")
        let source = LineSource("w")
        try agent.home.write("logs/w.log", source.lines(0..<10_000))
        #expect(try agent.once() == .code(0), "\(agent.said)")
        try eventually("all records") { reader.count >= 10_000 }
        #expect(reader.records.map(\.value) == (0..<10_000).map(source.line))
        #expect(Set(reader.records.map { $0.header("id") }).count == 10_000)
    }

    @Test("envelope: minimal leaves a document its time, message, place and pod")
    func minimal() throws {
        let broker = try BrokerProcess(topics: ["logs"])
        let reader = try KafkaReader(broker, topics: ["logs"])
        let agent = try Agent(
            broker.address, path: "{pod}.log", input: "fields: {a: b}, tags: [c]",
            kafka: "topic: logs, envelope: minimal")
        try agent.home.write("logs/web-1.log", "one \"two\"\n")
        #expect(try agent.once() == .code(0), "\(agent.said)")
        try eventually("the record") { reader.count == 1 }
        let text = try #require(reader.texts().first)
        #expect(text.hasPrefix(#"{"@timestamp":""#))
        let rest = try #require(text.firstRange(of: #"Z","message""#)).upperBound
        #expect(
            text[rest...].hasPrefix(
                #":"one \"two\"","log":{"offset":0,"file":{"path":"\#(agent.log("web-1.log"))","#))
        #expect(text.contains(#"},"kubernetes":{"pod":{"name":"web-1"},"node":{"name":""#))
        for key in ["@metadata", "input", "fields", "tags", "host", "agent", "ecs"] {
            #expect(!text.contains("\"\(key)\""), "\(text)")
        }
        #expect(text.hasSuffix("\"}}}"))
    }
}
