/// What one broker keeps of a partition on its disk: read there, it is exact whatever happens to the
/// topic, since the logs of a deleted one stay for a while.
package struct PartitionLog: Sendable {
    /// A record as it was sent.
    package struct Record: Sendable {
        package let key: [UInt8]
        package let value: [UInt8]
        package let headers: [String: [UInt8]]
        /// Of the producer that sent it, and the number of its life.
        package let producer: Int
        package let epoch: Int
    }

    package let partition: Int
    /// It belongs to a topic that was deleted.
    package let isDeleted: Bool
    package let records: [Record]

    /// Those in the bytes of a segment, or in a piece of it that begins with a batch.
    static func records(in bytes: [UInt8]) throws -> [Record] {
        var batches = RecordBatches(bytes)
        return try batches.records()
    }
}

extension KafkaCluster {
    /// The logs of a topic with one broker: those of the topics of this name that were deleted come
    /// first, and before them those of clusters that were replaced, which count as deleted. Its
    /// records must not be compressed.
    package func logs(of topic: String, broker: Int = 1) throws -> [PartitionLog] {
        let broker = brokers[broker - 1]
        let former = try broker.formerData.flatMap { data in
            try logs(of: topic, in: data, isReplaced: true)
        }
        let present = try logs(of: topic, in: broker.data, isReplaced: false)
        return former + present.filter(\.isDeleted) + present.filter { !$0.isDeleted }
    }

    private func logs(
        of topic: String, in data: String, isReplaced: Bool
    ) throws -> [PartitionLog] {
        var logs: [PartitionLog] = []
        for name in try directoryNames(data).sorted() where name.hasPrefix("\(topic)-") {
            // TOPIC-PARTITION, or TOPIC-PARTITION.UUID-delete
            let rest = name.dropFirst(topic.count + 1)
            let isDeleted = rest.hasSuffix("-delete")
            guard let partition = Int(rest.prefix { $0 != "." }), isDeleted || !rest.contains(".")
            else { continue }
            var records: [PartitionLog.Record] = []
            for file in try directoryNames("\(data)/\(name)").sorted() where file.contains(".log") {
                records += try PartitionLog.records(in: readFile("\(data)/\(name)/\(file)"))
            }
            logs.append(
                PartitionLog(
                    partition: partition, isDeleted: isDeleted || isReplaced, records: records))
        }
        return logs
    }
}

/// A segment's bytes: record batches in Kafka's format 2, one after the other.
private struct RecordBatches {
    private let bytes: [UInt8]
    private var place = 0

    init(_ bytes: [UInt8]) { self.bytes = bytes }

    /// Of a batch, in bytes: where the number of its bytes is, which begin behind that; its attributes,
    /// its producer's number and epoch, the number of records, and the first of them.
    private enum At {
        static let length = 8
        static let behindLength = 12
        static let attributes = 21
        static let producer = 43
        static let epoch = 51
        static let count = 57
        static let records = 61
    }

    /// Without what the broker itself wrote, and without a last batch that is not whole yet.
    mutating func records() throws -> [PartitionLog.Record] {
        var records: [PartitionLog.Record] = []
        var batch = 0
        while batch + At.records <= bytes.count {
            let end = batch + At.behindLength + number(at: batch + At.length, 4)
            guard end > batch + At.records, end <= bytes.count else { break }
            let attributes = number(at: batch + At.attributes, 2)
            guard attributes & 7 == 0 else {
                throw TimedOut(description: "a batch is compressed, and cannot be read here")
            }
            let isControl = attributes & 32 != 0
            place = batch + At.records
            for _ in 0..<(isControl ? 0 : number(at: batch + At.count, 4)) {
                let next = try varint()
                let rest = place + next
                // Attributes, time, offset.
                place += 1
                _ = try varint()
                _ = try varint()
                let key = try sized()
                let value = try sized()
                var headers: [String: [UInt8]] = [:]
                for _ in 0..<(try varint()) {
                    let name = String(decoding: try sized(), as: UTF8.self)
                    headers[name] = try sized()
                }
                records.append(
                    PartitionLog.Record(
                        key: key, value: value, headers: headers,
                        producer: number(at: batch + At.producer, 8),
                        epoch: number(at: batch + At.epoch, 2)))
                place = rest
            }
            batch = end
        }
        return records
    }

    /// Big-endian.
    private func number(at start: Int, _ count: Int) -> Int {
        bytes[start..<start + count].reduce(0) { $0 << 8 | Int($1) }
    }

    /// A length and so many bytes; none where it is -1.
    private mutating func sized() throws -> [UInt8] {
        let count = try varint()
        guard count > 0 else { return [] }
        guard place + count <= bytes.count else { throw Self.damaged }
        defer { place += count }
        return Array(bytes[place..<place + count])
    }

    private mutating func varint() throws -> Int {
        var result = 0
        var shift = 0
        while place < bytes.count, shift < 63 {
            let byte = Int(bytes[place])
            place += 1
            result |= (byte & 127) << shift
            shift += 7
            if byte < 128 { return (result >> 1) ^ -(result & 1) }
        }
        throw Self.damaged
    }

    private static let damaged = TimedOut(description: "a segment is no row of record batches")
}
