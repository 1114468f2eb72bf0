import TestSupport
import Testing

@Suite(
    "What operators do to a real Apache Kafka loses, repeats and mixes nothing", .serialized,
    .needsKafka, .faultyKafka)
struct KafkaFaultTests {
    @Test(
        "K4, K16: a topic is deleted under load and made again with fewer or more partitions: on by itself, others never stop",
        arguments: [1, 5])
    func deletedTopic(partitions: Int) throws {
        let kafka = try FaultyKafka.current.cluster
        let (gone, stays) = ("gone-\(partitions)", "stays-\(partitions)")
        for name in [gone, stays] { try kafka.createTopic("logs.\(name)", partitions: 3) }
        let flows = try TopicFlows(kafka, topics: [gone, stays], logs: 4)
        try flows.waitForLines(gone, stays)
        try kafka.deleteTopic("logs.\(gone)")
        try flows.waitForLog("stream waits for its topic topic=logs.\(gone)", "create the topic")
        try flows.waitForReadiness("topic logs.\(gone): ", "create the topic")
        try flows.waitForLines(stays)
        try kafka.createTopic("logs.\(gone)", partitions: partitions)
        try flows.waitForLines(gone, stays)
        try flows.waitForReadiness()
        try flows.finish()
        // What the deleted topic had acknowledged went with it; none of it was sent again.
        try flows.expectExactly(gone, stays)
        #expect(!flows.agent.said.contains("topic=logs.\(stays)"), "\(flows.agent.said)")
    }

    /// 1. The client has records for a partition of the old topic, in its queue or on their way.
    /// 2. The topic is another one before the client has heard that it was gone, and that partition
    ///    may not be there any more.
    @Test("K16: a topic that is made anew at once, with more, fewer, as many partitions")
    func remadeTopic() throws {
        let kafka = try FaultyKafka.current.cluster
        try kafka.createTopic("logs.anew", partitions: 3)
        try kafka.createTopic("logs.old", partitions: 3)
        let flows = try TopicFlows(kafka, topics: ["anew", "old"], logs: 4)
        for partitions in [1, 4, 2, 2] {
            try flows.waitForLines("anew", "old")
            try kafka.remakeTopic("logs.anew", partitions: partitions)
        }
        try flows.waitForLines("anew", "old")
        try flows.finish()
        try flows.expectExactly("anew", "old")
        #expect(!flows.agent.said.contains("topic=logs.old"), "\(flows.agent.said)")
    }

    /// As Kafka's own Java client and Filebeat place a key.
    enum Partitioner: String, CaseIterable, Sendable {
        case murmur2 = "murmur2_random"
        case filebeat
        case node

        /// Nil where it hangs on more than the key.
        func partition(of key: String, of count: Int) -> Int? {
            switch self {
            case .murmur2: Int(murmur2(Array(key.utf8)) & 0x7fff_ffff) % count
            case .filebeat:
                Int(
                    key.utf8.reduce(UInt32(2_166_136_261)) { ($0 ^ UInt32($1)) &* 16_777_619 }
                        & 0x7fff_ffff) % count
            case .node: nil
            }
        }

        private func murmur2(_ bytes: [UInt8]) -> UInt32 {
            let factor: UInt32 = 0x5bd1_e995
            var hash: UInt32 = 0x9747_b28c ^ UInt32(bytes.count)
            let whole = bytes.count / 4 * 4
            for start in stride(from: 0, to: whole, by: 4) {
                var word = bytes[start..<start + 4].reversed().reduce(UInt32(0)) {
                    $0 << 8 | UInt32($1)
                }
                word = word &* factor
                word = (word ^ word >> 24) &* factor
                hash = (hash &* factor) ^ word
            }
            if whole < bytes.count {
                let rest = bytes[whole...].reversed().reduce(UInt32(0)) { $0 << 8 | UInt32($1) }
                hash = (hash ^ rest) &* factor
            }
            hash = (hash ^ hash >> 13) &* factor
            return hash ^ hash >> 15
        }
    }

    @Test(
        "K7: partitions grow under load: keys move as the partitioner says, once, and in order",
        arguments: Partitioner.allCases)
    func growingTopic(partitioner: Partitioner) throws {
        let kafka = try FaultyKafka.current.cluster
        let name = "grows-\(partitioner)"
        try kafka.createTopic("logs.\(name)", partitions: 2)
        let flows = try TopicFlows(
            kafka, topics: [name], logs: 8, settings: "partitioner: \(partitioner.rawValue)",
            more: "node: worker-7")
        try flows.waitForLines(name)
        try kafka.growTopic("logs.\(name)", partitions: 6)
        try eventually("keys move; \(flows.agent.said)") {
            try flows.pieces(of: name).contains { $0.partition >= 2 }
        }
        try flows.waitForLines(name)
        try flows.finish()
        try flows.expectExactly(name)
        let keys = Dictionary(grouping: try flows.pieces(of: name), by: \.key)
        #expect(keys.count == 8)
        for (key, pieces) in keys {
            // In the order of its lines, and each partition once.
            let places = pieces.map(\.partition)
            #expect(places.count <= 2 && places[0] < 2, "\(key): \(places)")
            guard let before = partitioner.partition(of: key, of: 2),
                let now = partitioner.partition(of: key, of: 6)
            else { continue }
            #expect(places == (before == now ? [now] : [before, now]), "\(key): \(places)")
        }
        if partitioner == .node {
            // A node has three of them, side by side.
            let now = Set(keys.values.compactMap(\.last?.partition))
            let windows = (0..<6).map { Set([$0, ($0 + 1) % 6, ($0 + 2) % 6]) }
            #expect(windows.contains { now.isSubset(of: $0) }, "\(now)")
        }
        #expect(!flows.agent.said.contains("stream waits"), "\(flows.agent.said)")
    }
}
