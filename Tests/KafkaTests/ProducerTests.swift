import Model
import Platform
import TestSupport
import Testing

@testable import Kafka

@Suite("Delivery to Kafka", .serialized)
struct ProducerTests {
    @Test("100,000 records of five streams arrive in order, and are released in order")
    func deliversInOrder() throws {
        let rig = try Rig()
        var feeds = (0..<5).map { rig.feed("logs", "stream-\($0)", number: $0) }
        for round in 0..<200 {
            for index in feeds.indices {
                // Now and then a range of only empty lines: no record, but its turn.
                if round % 50 == 7 { rig.producer.send(feeds[index].batch(0)) }
                rig.producer.send(feeds[index].batch(100))
            }
        }
        try eventually("everything is released") {
            rig.witness.releasedRecords == 100_000 && rig.witness.released.count == 5 * 204
        }
        try eventually("everything is read") { rig.witness.readCount("logs") == 100_000 }
        for feed in feeds {
            #expect(feed.isUnbroken(rig.witness.released))
            #expect(try rig.read("logs", feed) == feed.values)
        }
        rig.close()
    }

    @Test("A node of a fleet connects when its time has come, and what was sent before arrives")
    func connectsInItsTime() throws {
        let spread = try #require(
            (0..<100).lazy.map { FleetSpread(node: "node-\($0)", isFleet: true) }
                .first { $0.start > 400 })
        let clock = ContinuousClock()
        let begun = clock.now
        let rig = try Rig { $0.spread = spread }
        var feed = rig.feed("logs", "early")
        rig.producer.send(feed.batch(10))
        try eventually("they are released") { rig.witness.releasedRecords == 10 }
        #expect(clock.now - begun >= .milliseconds(spread.start))
        try eventually("they are read") { rig.witness.readCount("logs") == 10 }
        #expect(!rig.witness.has("down") && !rig.witness.has("error"), "\(rig.witness.events)")
        rig.close()
    }

    @Test("a batch without records is released though nothing else is ever sent")
    func releasesEmptyBatch() throws {
        let rig = try Rig()
        var feed = rig.feed("logs", "quiet")
        rig.producer.send(feed.batch(0))
        try eventually("it is released") { rig.witness.released.count == 1 }
        rig.close()
    }

    @Test("an empty value arrives as an empty value")
    func deliversEmptyValues() throws {
        let rig = try Rig()
        let lane = rig.producer.lane(topic: "logs", key: [1])
        let slab = PayloadSlab(capacity: 8)
        slab.append([UInt8(ascii: "x")].span)
        rig.producer.send(
            RecordBatch(
                lane: lane, slab: slab, recordEnds: [0, 1, 1], file: FileID(number: 1),
                stream: StreamID(number: 1), generation: GenerationID(value: 1),
                range: ByteRange(start: 0, end: 4), anchor: .none, credit: 4))
        try eventually("all are read") { rig.witness.readCount("logs") == 3 }
        #expect(rig.witness.read("logs").values.first == ["", "x", ""])
        #expect(
            rig.witness.extras("logs").allSatisfy { !$0.isTombstone },
            "no value at all is another thing")
        rig.close()
    }

    @Test(
        "K2: records that expire while the brokers are away are sent again in order, none skipped")
    func retriesExpiredRecords() throws {
        let rig = try Rig { settings in
            // As if the library gave up after 300 ms: no setting can make it.
            settings.overrides = [
                .init("message.timeout.ms", "300"), .init("linger.ms", "5"),
                .init("socket.timeout.ms", "200"), .init("reconnect.backoff.max.ms", "100"),
            ]
        }
        var feeds = (0..<3).map { rig.feed("logs", "stream-\($0)", number: $0) }
        func send() {
            for index in feeds.indices { rig.producer.send(feeds[index].batch(50)) }
        }
        for _ in 0..<20 { send() }
        try rig.broker.takeDown()
        for _ in 0..<20 { send() }
        try eventually("records expire") {
            rig.witness.has("rejected logs _MSG_TIMED_OUT") && rig.witness.has("blocked logs")
        }
        for _ in 0..<20 { send() }
        let before = rig.witness.released.count
        try eventually("they expire again") {
            rig.witness.count("rejected logs _MSG_TIMED_OUT") >= 6
        }
        #expect(rig.witness.released.count == before, "released while no broker is there")
        try rig.broker.bringUp()
        try eventually("everything is released") { rig.witness.releasedRecords == 9000 }
        for feed in feeds {
            #expect(feed.isUnbroken(rig.witness.released))
            try eventually("all of \(feed.name) is read, the last copies in order") {
                lastCopies(try rig.read("logs", feed)) == feed.values
            }
        }
        #expect(rig.witness.has("flows logs"))
        rig.close()
    }

    @Test("an unknown topic holds back its own streams alone, says so once, and recovers")
    func unknownTopicBlocksItsOwn() throws {
        let rig = try Rig { settings in
            settings.overrides = [.init("topic.metadata.propagation.max.ms", "200")]
        }
        try rig.broker.setTopic("missing", .unknownTopic)
        var lost = rig.feed("missing", "lost")
        var fine = rig.feed("logs", "fine")
        for _ in 0..<5 { rig.producer.send(lost.batch(10)) }
        rig.producer.send(fine.batch(10))
        try eventually("the lane is blocked") { rig.witness.has("blocked missing") }
        try eventually("it is tried again") {
            rig.witness.count("rejected missing") >= 3
        }
        for _ in 0..<5 { rig.producer.send(fine.batch(10)) }
        try eventually("the other topic flows") { rig.witness.releasedRecords == 60 }
        #expect(rig.witness.count("blocked") == 1)
        try rig.broker.setTopic("missing", .none)
        try eventually("it recovers") { rig.witness.releasedRecords == 110 }
        #expect(rig.witness.count("flows missing") == 1)
        try eventually("all is read") { rig.witness.readCount("missing") == 50 }
        #expect(try rig.read("missing", lost) == lost.values)
        rig.close()
    }

    @Test(
        "a broker that refuses a request is asked again, in order",
        arguments: [
            (.topicAuthorizationFailed, "TOPIC_AUTHORIZATION_FAILED"),
            (.messageTooLarge, "MSG_SIZE_TOO_LARGE"), (.notEnoughReplicas, nil), (.disconnect, nil),
        ] as [(BrokerProcess.Fault, String?)])
    func survivesRequestErrors(fault: BrokerProcess.Fault, code: String?) throws {
        let rig = try Rig()
        var feed = rig.feed("logs", "stream")
        rig.producer.send(feed.batch(20))
        try eventually("the first is released") { rig.witness.releasedRecords == 20 }
        try rig.broker.failNext(.produce, with: [fault, fault, .none, fault])
        for _ in 0..<30 { rig.producer.send(feed.batch(20)) }
        try eventually("all is released") { rig.witness.releasedRecords == 620 }
        #expect(feed.isUnbroken(rig.witness.released))
        try eventually("all of \(feed.name) is read, the last copies in order") {
            lastCopies(try rig.read("logs", feed)) == feed.values
        }
        // Without a code, librdkafka itself tries again and nothing is heard of it.
        if let code {
            #expect(rig.witness.has("rejected logs \(code)"))
            #expect(rig.witness.has("flows logs"))
        } else {
            #expect(!rig.witness.has("rejected"))
        }
        rig.close()
    }

    @Test("a record that is refused for good costs one record a try, not its neighbours")
    func refusedRecordIsProbedAlone() throws {
        let rig = try Rig { $0.properties = [.init("message.max.bytes", "2000")] }
        var feed = rig.feed("logs", "stream")
        rig.producer.send(feed.batch(10))
        try eventually("good records flow") { rig.witness.readCount("logs") == 10 }
        rig.producer.send(feed.batch(1, size: 3000))
        for _ in 0..<10 { rig.producer.send(feed.batch(10)) }
        try eventually("it is tried five times") {
            rig.witness.count("rejected logs MSG_SIZE_TOO_LARGE 1") >= 5
        }
        #expect(rig.witness.count("blocked logs MSG_SIZE_TOO_LARGE") == 1)
        #expect(rig.witness.readCount("logs") == 10)
        #expect(rig.producer.stop(deadline: .zero) == 101)
        #expect(rig.witness.releasedRecords == 10)
        rig.audit.stop()
    }

    @Test("a producer that dies of a fatal error is made anew and loses nothing")
    func survivesFatalErrors() throws {
        let rig = try Rig()
        var feeds = (0..<3).map { rig.feed("logs", "stream-\($0)", number: $0) }
        for death in 1...2 {
            for round in 0..<60 {
                for index in feeds.indices { rig.producer.send(feeds[index].batch(50)) }
                if round == 30 { rig.producer.provokeFatalError() }
            }
            try eventually("it is heard") { rig.witness.count("fatal") == death }
            try eventually("all is released") {
                rig.witness.releasedRecords == death * 9000
            }
        }
        for feed in feeds {
            #expect(feed.isUnbroken(rig.witness.released))
            try eventually("all of \(feed.name) is read, the last copies in order") {
                lastCopies(try rig.read("logs", feed)) == feed.values
            }
        }
        #expect(rig.witness.has("fatal OUT_OF_ORDER_SEQUENCE_NUMBER"))
        rig.close()
    }

    /// Before, what was on its way was taken back, and so came twice.
    @Test("What is on its way when the client dies gets its verdict, and is not repeated")
    func survivesFatalErrorWithoutRepeats() throws {
        let rig = try Rig(brokers: 2)
        var feeds = (0..<8).map { rig.feed("logs", "stream-\($0)", number: $0) }
        for index in feeds.indices { rig.producer.send(feeds[index].batch(10)) }
        try eventually("the first are released") { rig.witness.releasedRecords == 80 }
        try rig.broker.setRoundTrip(broker: 1, milliseconds: 1_000)
        for index in feeds.indices { rig.producer.send(feeds[index].batch(10)) }
        // Then those of the slow one are on their way.
        try eventually("the other broker answers") { rig.witness.releasedRecords > 80 }
        rig.producer.provokeFatalError()
        for index in feeds.indices { rig.producer.send(feeds[index].batch(10)) }
        try eventually("it is heard") { rig.witness.count("fatal") == 1 }
        #expect(rig.producer.death?.contains("provoked") == true)
        try rig.broker.setRoundTrip(broker: 1, milliseconds: 0)
        try eventually("all is released") { rig.witness.releasedRecords == 240 }
        try eventually("the new client is known to live") { rig.producer.death == nil }
        for feed in feeds {
            try eventually("all is read") { try rig.read("logs", feed).count >= feed.values.count }
        }
        rig.close()
        for feed in feeds { #expect(try rig.read("logs", feed) == feed.values) }
    }

    @Test("K10: stopping with a dead broker returns in time and hands out nothing undelivered")
    func stopsWithDeadBroker() throws {
        let rig = try Rig(brokers: 3)
        var feed = rig.feed("logs", "stream")
        rig.producer.send(feed.batch(100))
        try eventually("the first is released") { rig.witness.releasedRecords == 100 }
        try rig.broker.takeDown()
        try eventually("it is heard") { rig.witness.has("down") }
        for _ in 0..<50 { rig.producer.send(feed.batch(100)) }
        let clock = ContinuousClock()
        let took = clock.measure {
            #expect(rig.producer.stop(deadline: .milliseconds(500)) == 5000)
        }
        #expect(took >= .milliseconds(500))
        #expect(took < .seconds(6))
        #expect(rig.witness.releasedRecords == 100)
        #expect(rig.producer.stop(deadline: .zero) == 5000)
        rig.producer.send(feed.batch(1))
        rig.audit.stop()
    }

    @Test("a broker that accepts and never answers is no reason to hang at the end")
    func stopsWithSilentBroker() throws {
        let rig = try Rig()
        var feed = rig.feed("logs", "stream")
        rig.producer.send(feed.batch(10))
        try eventually("the first is released") { rig.witness.releasedRecords == 10 }
        try rig.broker.setRoundTrip(milliseconds: 60_000)
        for _ in 0..<20 { rig.producer.send(feed.batch(10)) }
        let took = ContinuousClock().measure {
            #expect(rig.producer.stop(deadline: .milliseconds(200)) == 200)
        }
        #expect(took < .seconds(6))
        #expect(rig.witness.releasedRecords == 10)
        rig.audit.stop()
    }

    @Test("K1: an unreachable broker is waited for; what was sent meanwhile arrives when it comes")
    func waitsForBroker() throws {
        let broker = try BrokerProcess()
        try broker.takeDown()
        let witness = Witness()
        var settings = KafkaSettings(brokers: broker.addresses)
        settings.properties = [.init("reconnect.backoff.max.ms", "200")]
        let producer = try Producer(
            settings: settings, handler: { witness.release($0) }, observer: witness)
        var feed = Feed(producer.lane(topic: "logs", key: [1]), name: "early")
        for _ in 0..<10 { producer.send(feed.batch(10)) }
        try eventually("it is heard") { witness.has("down") }
        #expect(witness.released.isEmpty)
        try broker.bringUp()
        try eventually("it arrives") { witness.releasedRecords == 100 }
        #expect(feed.isUnbroken(witness.released))
        #expect(witness.has("up"))
        #expect(producer.stop(deadline: .seconds(30)) == 0)
    }

    @Test("closed lanes are forgotten once they are empty, not before")
    func forgetsClosedLanes() throws {
        let rig = try Rig()
        var feeds = (0..<50).map { rig.feed("logs", "stream-\($0)", number: $0) }
        for index in feeds.indices { rig.producer.send(feeds[index].batch(5)) }
        for feed in feeds { rig.producer.close(feed.lane) }
        try eventually("all is released") { rig.witness.releasedRecords == 250 }
        try eventually("no lane is kept") { rig.producer.laneCount == 0 }
        rig.close()
    }

    @Test(
        "a stream that rests keeps no lane; what it sends next comes after it, in a topic that is known"
    )
    func restsLanes() throws {
        let rig = try Rig()
        var feeds = (0..<50).map { rig.feed("logs", "stream-\($0)", number: $0) }
        for index in feeds.indices { rig.producer.send(feeds[index].batch(5)) }
        try eventually("all is released") {
            rig.witness.releasedRecords == 250 && feeds.allSatisfy { $0.lane.isEmpty }
        }
        for feed in feeds { rig.producer.rest(feed.lane) }
        try eventually("no lane is kept") { rig.producer.laneCount == 0 }
        for index in feeds.indices {
            let share = feeds[index].lane.share
            feeds[index].lane = rig.producer.lane(on: share, key: feeds[index].lane.key)
            #expect(feeds[index].lane.share === share)
            #expect(share.works(now: Clock.monotonicNanoseconds()))
            rig.producer.send(feeds[index].batch(5))
        }
        #expect(rig.producer.laneCount == 50)
        try eventually("the rest is released") { rig.witness.releasedRecords == 500 }
        try eventually("it is read") { rig.witness.read("logs").values.joined().count == 500 }
        for feed in feeds { #expect(try rig.read("logs", feed) == feed.values) }
        rig.close()
    }

    /// Whether lanes are closing or resting when others with their key begin or go on.
    @Test("a topic is known as long as a stream of it is there, with a lane or resting")
    func keepsShareOfResting() throws {
        let rig = try Rig { $0.brokers = ["127.0.0.1:1"] }
        let producer = rig.producer
        let lanes = (0..<3).map { _ in producer.lane(topic: "logs", key: [1]) }
        let share = lanes[0].share
        producer.rest(lanes[0])
        // The second one ends, and the first goes on, in whichever lane is left.
        producer.close(lanes[1])
        let first = producer.lane(on: share, key: [1])
        producer.rest(lanes[2])
        producer.rest(first)
        try eventually("no lane is kept") { producer.laneCount == 0 }
        #expect(producer.lane(topic: "logs", key: [2]).share === share)
        // Two of three have come and gone, and one that came later is there.
        producer.leave(share)
        producer.leave(share)
        let other = producer.lane(topic: "logs", key: [3])
        #expect(other.share === share)
        producer.close(other)
        producer.close(producer.lane(topic: "logs", key: [2]))
        try eventually("no lane is kept but one") { producer.laneCount == 1 }
        #expect(producer.lane(topic: "logs", key: [4]).share === share)
        #expect(producer.stop(deadline: .seconds(30)) == 0)
        rig.audit.stop()
    }

    /// Thousands of streams end while their topic is away, and some begin again.
    @Test("a stream that begins again goes on in the lane that it left, whoever shares its key")
    func reopensLanes() throws {
        let rig = try Rig { $0.brokers = ["127.0.0.1:1"] }
        let keys = (0..<2_000).map { Array("\($0 % 1_000)".utf8) }
        var feeds = keys.map { Feed(rig.producer.lane(topic: "away", key: $0), name: "s") }
        for index in feeds.indices {
            rig.producer.send(feeds[index].batch(1))
            rig.producer.close(feeds[index].lane)
        }
        #expect(rig.producer.laneCount == 2_000)
        let again = keys.map { rig.producer.lane(topic: "away", key: $0) }
        #expect(
            Set(again.map(ObjectIdentifier.init)) == Set(feeds.map { ObjectIdentifier($0.lane) }))
        #expect(zip(again, keys).allSatisfy { $0.key == $1 })
        let new = rig.producer.lane(topic: "away", key: keys[0])
        #expect(!again.contains { $0 === new })
        #expect(rig.producer.lane(topic: "other", key: keys[0]).destination != new.destination)
        #expect(again.allSatisfy { $0.destination == new.destination })
        #expect(rig.producer.stop(deadline: .zero) == 2_000)
        rig.audit.stop()
    }

    @Test("a batch is let go of when it was handed out: nothing keeps its memory")
    func keepsNothing() throws {
        let broker = try BrokerProcess()
        let witness = Witness()
        let count = Counter()
        let producer = try Producer(
            settings: KafkaSettings(brokers: broker.addresses),
            handler: { count.add($0.count) }, observer: witness)
        var feed = Feed(producer.lane(topic: "logs", key: [1]), name: "s")
        weak var slab: PayloadSlab?
        do {
            let batch = feed.batch(10)
            slab = batch.slab
            producer.send(batch)
        }
        #expect(slab != nil)
        try eventually("it is released") { count.value == 1 && slab == nil }
        #expect(producer.stop(deadline: .seconds(10)) == 0)
    }
}
