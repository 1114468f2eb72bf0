private import Platform

/// What happens to the sequence numbers by which a broker knows an idempotent producer.
extension KafkaCluster {
    /// Writes one record without a key to a partition, in the name of the producer with this number
    /// and as its later life `epoch`: what that producer sends as it did is refused from now on.
    package func impersonate(
        producer: Int, epoch: Int, topic: String, partition: Int
    ) throws {
        let parts = brokers[0].address.split(separator: ":").map(String.init)
        guard parts.count == 2, let port = UInt16(parts[1]),
            let address = InternetAddress(host: parts[0], port: port)
        else { throw TimedOut(description: "no address: \(parts)") }
        let batch = RecordBatch(producer: producer, epoch: epoch)
        // Produce, version 7, with an id that comes back; no client id, no transaction, acks of all.
        var request = Self.bytes(0, 2) + Self.bytes(7, 2) + Self.bytes(1, 4) + Self.bytes(-1, 2)
        request += Self.bytes(-1, 2) + Self.bytes(-1, 2) + Self.bytes(10_000, 4)
        request += Self.bytes(1, 4) + Self.bytes(topic.utf8.count, 2) + Array(topic.utf8)
        request += Self.bytes(1, 4) + Self.bytes(partition, 4)
        request += Self.bytes(batch.bytes.count, 4) + batch.bytes
        let connection = try RawConnection(address)
        try connection.send(Self.bytes(request.count, 4) + request)
        let size = try connection.receive(4).reduce(0) { $0 << 8 | Int($1) }
        let answer = try connection.receive(size)
        // The id, one topic, its name, one partition, its number, the verdict.
        let verdict = answer.dropFirst(4 + 4 + 2 + topic.utf8.count + 4 + 4).prefix(2)
        guard verdict.elementsEqual([0, 0]) else {
            throw TimedOut(description: "the impostor's record is refused: \(Array(verdict))")
        }
    }

    /// Takes the last batches of a partition from the disk of a broker that was killed, as where a disk
    /// lied about what it had written. Returns their values.
    package func cut(
        _ count: Int, batchesOf topic: String, partition: Int, broker: Int = 1
    ) throws -> [[UInt8]] {
        let directory = "\(brokers[broker - 1].data)/\(topic)-\(partition)"
        let segment = "\(directory)/00000000000000000000.log"
        let bytes = try readFile(segment)
        var starts: [Int] = []
        var next = 0
        while next + 12 <= bytes.count {
            let length = bytes[next + 8..<next + 12].reduce(0) { $0 << 8 | Int($1) }
            guard length > 0, next + 12 + length <= bytes.count else { break }
            starts.append(next)
            next += 12 + length
        }
        guard starts.count > count else { throw TimedOut(description: "too few batches to cut") }
        let end = starts[starts.count - count]
        let rest = try PartitionLog.records(in: Array(bytes[end..<next]))
        try remove(segment)
        try appendBytes(Array(bytes[..<end]), to: segment)
        for name in try directoryNames(directory) where name.hasSuffix(".snapshot") {
            try remove("\(directory)/\(name)")
        }
        return rest.map(\.value)
    }

    /// Big-endian.
    fileprivate static func bytes(_ number: Int, _ count: Int) -> [UInt8] {
        (0..<count).reversed().map { UInt8(truncatingIfNeeded: number >> ($0 * 8)) }
    }
}

/// One record in a batch of Kafka's format 2.
private struct RecordBatch {
    let bytes: [UInt8]

    init(producer: Int, epoch: Int) {
        let value = Array("impostor".utf8)
        // Attributes, time, offset, a null key, the value, no headers; numbers are zigzag varints.
        let record: [UInt8] = [0, 0, 0, 1, UInt8(value.count * 2)] + value + [0]
        let time = Int(Clock.wallNanoseconds() / 1_000_000)
        var body = KafkaCluster.bytes(0, 2) + KafkaCluster.bytes(0, 4)
        body += KafkaCluster.bytes(time, 8) + KafkaCluster.bytes(time, 8)
        body += KafkaCluster.bytes(producer, 8) + KafkaCluster.bytes(epoch, 2)
        body += KafkaCluster.bytes(0, 4) + KafkaCluster.bytes(1, 4)
        body += [UInt8(record.count * 2)] + record
        let rest =
            KafkaCluster.bytes(-1, 4) + [2] + KafkaCluster.bytes(Int(Self.crc32c(body)), 4) + body
        bytes = KafkaCluster.bytes(0, 8) + KafkaCluster.bytes(rest.count, 4) + rest
    }

    private static func crc32c(_ bytes: [UInt8]) -> UInt32 {
        var sum = UInt32.max
        for byte in bytes {
            sum ^= UInt32(byte)
            for _ in 0..<8 { sum = sum & 1 == 1 ? sum >> 1 ^ 0x82f6_3b78 : sum >> 1 }
        }
        return ~sum
    }
}
