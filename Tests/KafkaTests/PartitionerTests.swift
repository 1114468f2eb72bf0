import Model
import TestSupport
import Testing

@testable import Kafka

@Suite("Where keys go", .serialized)
struct PartitionerTests {
    /// The lines of a table beneath Tests/Fixtures/partitions, by columns.
    private static func table(_ name: String) throws -> [[String]] {
        let tests = #filePath.split(separator: "/").dropLast(2).joined(separator: "/")
        let bytes = try readFile("/\(tests)/Fixtures/partitions/\(name)")
        return String(decoding: bytes, as: UTF8.self).split(separator: "\n").map {
            $0.split(separator: "\t", omittingEmptySubsequences: false).map(String.init)
        }
    }

    /// Of each key of the columns' last one, the partition of its record in a topic of
    /// `partitions`.
    private func partitions(
        _ keys: [String], _ partitioner: KafkaSettings.Partitioner, of partitions: Int
    ) throws -> [String: Int] {
        let rig = try Rig { $0.partitioner = partitioner }
        try rig.broker.createTopic("keyed", partitions: partitions)
        for key in keys {
            var feed = Feed(
                rig.producer.lane(topic: "keyed", key: Array(key.utf8)), name: "of \(key)")
            rig.producer.send(feed.batch(1))
        }
        try eventually("all are read") { rig.witness.readCount("keyed") == keys.count }
        var found: [String: Int] = [:]
        for (partition, values) in rig.witness.read("keyed") {
            for value in values { found[String(value.dropFirst(3).dropLast(2))] = partition }
        }
        rig.close()
        return found
    }

    /// Partitions among 30 by the Java client's own class (4.1.1), by CRC-32 and by FNV-1a.
    @Test(
        "K6: 100 keys are where Kafka's Java client, CRC-32 and Filebeat's hash have them",
        arguments: [
            (.murmur2Random, 0), (.consistentRandom, 1), (.filebeat, 2),
        ] as [(KafkaSettings.Partitioner, Int)])
    func vectors(partitioner: KafkaSettings.Partitioner, column: Int) throws {
        let table = try Self.table("keys-30.tsv")
        try #require(table.count == 100)
        let found = try partitions(table.map { $0[3] }, partitioner, of: 30)
        for row in table {
            #expect(found[row[3]] == Int(row[column]), "\(row[3])")
        }
    }

    @Test("K6: keys of a real Filebeat are in the partitions where it put them")
    func captured() throws {
        let table = try Self.table("filebeat-4.tsv")
        try #require(table.count == 21)
        let found = try partitions(table.map { $0[1] }, .filebeat, of: 4)
        for row in table { #expect(found[row[1]] == Int(row[0]), "\(row[1])") }
    }
}
