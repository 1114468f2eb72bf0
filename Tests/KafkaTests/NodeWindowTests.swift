import TestSupport
import Testing

@testable import Kafka

@Suite("The partitions of a node") struct NodeWindowTests {
    private static func partition(
        _ key: String, _ node: String, topic: String = "logs", of partitions: Int32 = 30,
        width: Int = 3
    ) -> Int32 {
        NodeWindow(node: node, topic: topic, partitions: width)
            .partition(of: Array(key.utf8).span, partitions: partitions)
    }

    @Test(
        "All keys of a node go to its window, each to one partition, and all of the window is used",
        arguments: [(30, 3), (30, 1), (2, 3), (1, 3), (1_000, 1_000), (7, 7)] as [(Int32, Int)])
    func window(partitions: Int32, width: Int) {
        for node in 0..<20 {
            var used: Set<Int32> = []
            for key in 0..<5_000 {
                let name = "/logs/pod-\(key)"
                let place = Self.partition(name, "node-\(node)", of: partitions, width: width)
                #expect((0..<partitions).contains(place))
                used.insert(place)
            }
            let size = min(Int(partitions), width)
            #expect(width > 100 ? used.count > size * 9 / 10 : used.count == size)
            let first = used.min() ?? 0
            // One after the other, the first after the last.
            let isRun = used.contains { start in
                (0..<Int32(size)).allSatisfy { used.contains((start + $0) % partitions) }
            }
            #expect(isRun || width > 100, "\(used) from \(first)")
        }
    }

    @Test("A fleet's windows begin anywhere: every partition gets its share of nodes")
    func fleet() {
        var nodes = [Int](repeating: 0, count: 30)
        for node in 0..<5_000 {
            let name = "ip-10-0-\(node / 256)-\(node % 256)"
            for place in Set((0..<50).map { Self.partition("\($0)", name) }) {
                nodes[Int(place)] += 1
            }
        }
        // 500 each: 3 of 30 of 5,000.
        #expect(nodes.allSatisfy { (400...600).contains($0) }, "\(nodes)")
    }

    @Test("Another topic has another window: a node's small topics do not meet in one place")
    func topics() {
        let windows = (0..<50).map { topic in
            Set((0..<50).map { Self.partition("\($0)", "node", topic: "logs.app-\(topic)") })
        }
        #expect(Set(windows).count > 15)
    }

    @Test("Records of many streams come to a node's partitions alone, each stream to one, in order")
    func delivered() throws {
        let rig = try Rig { $0.partitioner = .node("node-1", partitions: 3) }
        try rig.broker.createTopic("wide", partitions: 30)
        var feeds = (0..<40).map { rig.feed("wide", "stream-\($0)", number: $0) }
        for _ in 0..<5 {
            for index in feeds.indices { rig.producer.send(feeds[index].batch(10)) }
        }
        try eventually("all is released") { rig.witness.releasedRecords == 2_000 }
        for feed in feeds {
            #expect(feed.isUnbroken(rig.witness.released))
            try eventually("all of \(feed.name) is read") {
                try rig.read("wide", feed) == feed.values
            }
        }
        #expect(rig.witness.read("wide").count == 3)
        rig.close()
    }
}
