import Kafka
import Shipper
import TestSupport
import Testing

/// Logs that are written to all the time, some for each of a few topics of one Apache Kafka, and an
/// agent that ships their raw lines. The topics are `logs.` and a name; they exist and are this
/// test's. What arrived is read from the broker's disk, which nothing that happens to a topic hides.
final class TopicFlows {
    let agent: Agent
    private let kafka: KafkaCluster
    private var logs: [(name: String, writer: LogWriter)] = []

    /// Starts everything. `address` is the listener that the agent is told of, `settings` are more
    /// of `output.kafka` and `properties` more of its `librdkafka`.
    init(
        _ kafka: KafkaCluster, at address: String? = nil, topics: [String], logs count: Int = 2,
        linesPerSecond rate: Int = 1_000, settings: String = "", properties: String = "",
        more: String = "", wrapper: [String] = []
    ) throws {
        self.kafka = kafka
        agent = try Agent(
            address ?? kafka.address, path: "{app}/{pod}.log",
            kafka: "topic: \"logs.{app}\", codec: raw, compression: none, key: \"{pod}\", "
                + "headers: {id: \"{id}\"}"
                + (settings.isEmpty ? "" : ", \(settings)")
                + ", librdkafka: {linger.ms: \"1\", topic.metadata.propagation.max.ms: \"100\", "
                + "topic.metadata.refresh.fast.interval.ms: \"50\", "
                // Of itself the second is three times the first, and a newer librdkafka sends nothing
                // to a topic of which it has heard nothing for so long.
                + "topic.metadata.refresh.interval.ms: \"1000\", metadata.max.age.ms: \"900000\""
                + (properties.isEmpty ? "" : ", \(properties)") + "}",
            more: "http: {listen: \"127.0.0.1:0\"}\n\(more)")
        for name in topics {
            try agent.home.makeDirectory("logs/\(name)")
            for number in 0..<count {
                let source = LineSource("\(name)-\(number)", seed: UInt64(number))
                let path = agent.log("\(name)/\(source.writer).log")
                logs.append(
                    (name, try LogWriter(source, to: path, linesPerSecond: rate)))
            }
        }
        try agent.start(wrapper: wrapper)
    }

    /// Records that the topic of this name has now.
    func arrived(_ name: String) throws -> Int {
        try AuditCount.of(kafka, topic: "logs.\(name)")
    }

    /// Waits until more lines came to the topic that is there now.
    func waitForLines(_ names: String...) throws {
        for name in names {
            let before = try arrived(name)
            try eventually("lines of \(name) flow; \(agent.said)") {
                try arrived(name) > before + 500
            }
        }
    }

    /// Waits until the log of the agent has a line with all of these.
    func waitForLog(_ parts: String...) throws {
        try eventually("a line with \(parts); \(agent.said)") {
            agent.said.split(separator: "\n").contains { line in
                parts.allSatisfy { line.contains($0) }
            }
        }
    }

    /// Where the newest record of a topic's fullest partition stands, and who sent it.
    func newest(_ name: String) throws -> (partition: Int, record: PartitionLog.Record) {
        let pieces = try pieces(of: name)
        let fullest = try #require(pieces.max { $0.records.count < $1.records.count })
        return (fullest.partition, try #require(fullest.records.last))
    }

    /// Waits until `/readyz` says 200, or else 503 with all of these in one line.
    func waitForReadiness(_ parts: String...) throws {
        let address = try agent.address()
        var last = "nothing"
        try eventually("readiness says \(parts), not \(last); \(agent.said)") {
            let answer = try httpGet(address, "/readyz")
            last = answer.description
            if parts.isEmpty { return answer.status == 200 }
            return answer.status == 503
                && answer.body.split(separator: "\n").contains { line in
                    parts.allSatisfy { line.contains($0) }
                }
        }
    }

    /// Ends the writers, waits until all that they wrote is delivered, and stops the agent.
    func finish() throws {
        for (_, writer) in logs { try writer.stop() }
        try eventually("all positions; \(agent.said)") {
            let entries = try agent.registry()
            return entries.count == logs.count && entries.allSatisfy { $0.lag == 0 }
        }
        #expect(try agent.stop() == .code(0))
    }

    /// Waits until the first of several brokers, whose disk is read, has all that the topic has.
    func waitForReplica(_ name: String) throws {
        let all = try arrived(name)
        try eventually("the first broker has \(all) records of \(name)") {
            let pieces = try pieces(of: name).filter { !$0.isOfDeleted }
            return pieces.reduce(0) { $0 + $1.records.count } >= all
        }
    }

    /// What became of the lines of this name, with those that deleted topics had. What came twice
    /// came under one id, and no two lines under the same.
    func report(_ name: String) throws -> Audit.Report {
        var audit = Audit()
        for (owner, writer) in logs where owner == name {
            audit.expect(writer.source, lines: writer.written)
        }
        var ids: [[UInt8]: [UInt8]] = [:]
        var lines: [[UInt8]: [UInt8]] = [:]
        for piece in try pieces(of: name) {
            for record in piece.records {
                audit.arrived(record.value)
                let id = try #require(record.headers["id"])
                let text = String(decoding: record.value, as: UTF8.self)
                #expect(ids.updateValue(id, forKey: record.value) ?? id == id, "\(text)")
                let line = lines.updateValue(record.value, forKey: id)
                #expect(line ?? record.value == record.value, "\(text)")
            }
        }
        return audit.report
    }

    /// Every line of these names once and in order, and nothing else.
    func expectExactly(
        _ names: String..., at place: SourceLocation = #_sourceLocation
    ) throws {
        for name in names {
            let report = try report(name)
            #expect(
                report.isClean && report.written > 1_000, "\(name): \(report)\n\(agent.said)",
                sourceLocation: place)
        }
    }

    /// The records of one stream in one log of the broker's, in order.
    struct Piece {
        let key: String
        let partition: Int
        let isOfDeleted: Bool
        let records: [PartitionLog.Record]

        /// The number of its first line.
        var first: Int {
            let words = records.first?.value.split(separator: UInt8(ascii: " ")) ?? []
            return words.count > 1 ? Int(String(decoding: words[1], as: UTF8.self)) ?? 0 : 0
        }
    }

    /// Of each stream, what deleted topics had comes first. Records without a key are none of the
    /// agent's. Where a key moves from one partition to
    /// another nobody reads both in one order: they stand in that of their first lines.
    func pieces(of name: String) throws -> [Piece] {
        var pieces: [Piece] = []
        for log in try kafka.logs(of: "logs.\(name)") {
            let keys = Dictionary(grouping: log.records) { String(decoding: $0.key, as: UTF8.self) }
            for (key, records) in keys where !key.isEmpty {
                pieces.append(
                    Piece(
                        key: key, partition: log.partition, isOfDeleted: log.isDeleted,
                        records: records))
            }
        }
        return pieces.filter(\.isOfDeleted).sorted { $0.first < $1.first }
            + pieces.filter { !$0.isOfDeleted }.sorted { $0.first < $1.first }
    }
}
