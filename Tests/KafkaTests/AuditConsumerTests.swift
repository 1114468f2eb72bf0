import Synchronization
import TestSupport
import Testing

@testable import Kafka

@Suite("Audits read what is really in Kafka", .serialized)
struct AuditConsumerTests {
    private func producer(_ broker: BrokerProcess, _ witness: Witness) throws -> Producer {
        var settings = KafkaSettings(brokers: broker.addresses, compression: .none)
        settings.properties = [.init("linger.ms", "1")]
        return try Producer(
            settings: settings, handler: { witness.release($0) }, observer: witness)
    }

    @Test("topics that appear later are read from their first record, with their keys")
    func followsNewTopics() throws {
        let broker = try BrokerProcess()
        let witness = Witness()
        let keys = Mutex<Set<[UInt8]>>([])
        let audit = try AuditConsumer(brokers: broker.addresses) { coordinates, key, value, _ in
            keys.withLock { _ = $0.insert(key.indices.map { key[$0] }) }
            witness.take(coordinates, value)
        }
        let producer = try producer(broker, witness)
        for number in 1...3 {
            let topic = "topic-\(number)"
            var feed = Feed(producer.lane(topic: topic, key: [UInt8(number)]), name: "f")
            for _ in 0..<10 { producer.send(feed.batch(10)) }
            try eventually("\(topic) is read") { witness.readCount(topic) == 100 }
            #expect(witness.read(topic).values.first == feed.values)
        }
        #expect(keys.withLock { $0 } == [[1], [2], [3]])
        try eventually("the report follows") { audit.progress.records == 300 }
        #expect(audit.progress.partitions == 12)
        audit.stop()
        #expect(audit.progress.missing == 0)
        #expect(producer.stop(deadline: .seconds(30)) == 0)
    }

    @Test("only the topics asked for are read")
    func readsOnlyItsTopics() throws {
        let broker = try BrokerProcess()
        let witness = Witness()
        let audit = try AuditConsumer(brokers: broker.addresses, topics: ["wanted"]) {
            coordinates, _, value, _ in witness.take(coordinates, value)
        }
        let producer = try producer(broker, witness)
        var other = Feed(producer.lane(topic: "other", key: [1]), name: "o")
        var wanted = Feed(producer.lane(topic: "wanted", key: [1]), name: "w")
        producer.send(other.batch(10))
        try eventually("the other is delivered") { witness.releasedRecords == 10 }
        producer.send(wanted.batch(10))
        try eventually("the wanted is read") { witness.readCount("wanted") == 10 }
        #expect(witness.readCount("other") == 0)
        audit.stop()
        #expect(producer.stop(deadline: .seconds(30)) == 0)
    }

    @Test("records that the broker let go before they were read are counted as missing")
    func countsGaps() throws {
        let broker = try BrokerProcess()
        try broker.createTopic("logs", partitions: 1)
        let witness = Witness()
        let producer = try producer(broker, witness)
        var feed = Feed(producer.lane(topic: "logs", key: [1]), name: "f")
        for _ in 0..<160 { producer.send(feed.batch(50, size: 1000)) }
        try eventually("8 MB are delivered") { witness.releasedRecords == 8000 }
        let extent = try #require(try AuditConsumer.extents(brokers: broker.addresses)["logs"])
        #expect(extent.high == 8000)
        #expect(extent.low > 0, "the broker kept everything: nothing to miss")
        let audit = try AuditConsumer(brokers: broker.addresses) { coordinates, _, value, _ in
            witness.take(coordinates, value)
        }
        try eventually("what is held is read") { audit.progress.records == Int(extent.held) }
        #expect(audit.progress.missing == Int(extent.low))
        audit.stop()
        #expect(producer.stop(deadline: .seconds(30)) == 0)
    }

    @Test("extents sum the offsets of all partitions of each topic")
    func sumsExtents() throws {
        let broker = try BrokerProcess(brokers: 2)
        let witness = Witness()
        let producer = try producer(broker, witness)
        try broker.createTopic("empty", partitions: 3)
        for key in 0..<20 {
            var feed = Feed(producer.lane(topic: "full", key: [UInt8(key)]), name: "f")
            producer.send(feed.batch(7))
        }
        try eventually("all is delivered") { witness.releasedRecords == 140 }
        let extents = try AuditConsumer.extents(
            brokers: broker.addresses, topics: ["full", "empty", "absent"])
        #expect(extents.keys.sorted() == ["empty", "full"])
        #expect(extents["full"]?.high == 140)
        #expect(extents["full"]?.held == 140)
        #expect(extents["empty"]?.high == 0)
        #expect(producer.stop(deadline: .seconds(30)) == 0)
    }

    @Test("brokers that do not answer are an error of the call, in time")
    func failsInTime() throws {
        let broker = try BrokerProcess()
        try broker.takeDown()
        #expect(throws: KafkaError.self) {
            try AuditConsumer.extents(brokers: broker.addresses, limit: .seconds(1))
        }
    }

    /// 1. A broker that led a partition died, and was still named as its leader.
    /// 2. librdkafka 2.0.2 waited for its answer without a limit, and the audit with it.
    @Test("a leader that does not answer is an error, in time, and answers when it is back")
    func deadLeader() throws {
        let broker = try BrokerProcess(brokers: 2)
        // Leaders are drawn by lot: of so many partitions the second broker has some.
        try broker.createTopic("logs", partitions: 32)
        try broker.takeDown(broker: 2)
        let duration = ContinuousClock().measure {
            #expect(throws: KafkaError.self) {
                try AuditConsumer.extents(brokers: broker.addresses, limit: .seconds(1))
            }
        }
        #expect(duration < .seconds(20))
        try broker.bringUp(broker: 2)
        let extents = try AuditConsumer.extents(brokers: broker.addresses, limit: .seconds(60))
        #expect(extents["logs"] == AuditConsumer.Extent())
    }
}
