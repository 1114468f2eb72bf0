import Kafka
import Settings
import TestSupport
import Testing

@testable import Shipper

@Suite("Settings with which no line can be sent") struct SettingsRecordsTests {
    private func settings(_ kafka: String, input: String = "", more: String = "") throws -> Settings
    {
        let directory = try TemporaryDirectory()
        try directory.write(
            "f.yaml",
            """
            data: /var/lib/shipper
            inputs:
              - {name: pods, paths: ["/log/*"]\(input)}
            output:
              kafka: {brokers: ["b:9092"], topic: t\(kafka)}
            \(more)

            """)
        return try Settings.load(path: directory.path("f.yaml"), environment: [:])
    }

    private func problem(_ settings: Settings) -> String? {
        do throws(SettingsError) {
            try settings.validateRecords()
            return nil
        } catch {
            return error.description
        }
    }

    @Test(
        "are refused at their line, with what would do",
        arguments: ["1000", "0x3e8", "01750"], ["", ", codec: raw"])
    func refused(value: String, codec: String) throws {
        let text = try problem(
            settings("\(codec), librdkafka: {message.max.bytes: \"\(value)\"}"))
        let said = try #require(text)
        #expect(said.contains(":5:"), "\(said)")
        #expect(said.contains("output.kafka.librdkafka.message.max.bytes: no line of input pods"))
        let least = try #require(
            said.split(whereSeparator: { !$0.isNumber }).last.flatMap { Int($0) })
        func with(_ bytes: Int) throws -> String? {
            try problem(settings("\(codec), librdkafka: {message.max.bytes: \"\(bytes)\"}"))
        }
        #expect(try with(least) == nil)
        #expect(try with(least - 1) != nil)
    }

    @Test("fields that fill a record are refused for the credit that they would need")
    func longFields() throws {
        let long = String(repeating: "x", count: 70_000)
        let text = try problem(
            settings("", input: ", fields: {a: \(long)}", more: "limits: {in_flight: 256KiB}"))
        #expect(text?.contains("limits.in_flight: no line of input pods") == true, "\(text ?? "")")
    }

    @Test("nothing is wrong with usual ones")
    func usual() throws {
        #expect(try problem(settings("")) == nil)
        #expect(try settings("").longestRecord == 936_476)
        #expect(
            try settings(", librdkafka: {message.max.bytes: \"4000000\"}").longestRecord
                == 3_748_976)
    }

    @Test("the time that lines may wait becomes the client's linger, and the node its partitioner")
    func client() throws {
        let settings = try settings(
            ", partitioner: node, partitions_per_node: 5", input: ", latency: 40ms",
            more: "node: n1")
        let (kafka, _) = try KafkaSettings.from(settings)
        #expect(kafka.linger == .milliseconds(2))
        #expect(kafka.partitioner == .node("n1", partitions: 5))
    }
}
