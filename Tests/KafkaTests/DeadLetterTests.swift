import Model
import Platform
import TestSupport
import Testing

@testable import Kafka

@Suite("Records that their topic refuses for ever", .serialized)
struct DeadLetterTests {
    /// Letters with the first 4 bytes of a record, and where it was.
    private let dead = DeadLetters(topic: "dead") { batch, record, refused in
        let head = batch.withValue(of: record) { value in
            (0..<min(4, value.count)).map { value[$0] }
        }
        return DeadLetter(
            value: head,
            headers: RecordHeaders([
                .init("reason", .bytes(Array(refused.code.utf8))), .init("size", .bytes([])),
                .init("offset", .offset), .init("_id", .id),
            ]))
    }

    private func text(_ header: AuditConsumer.Extras.Header) -> String {
        "\(header.name)=\(String(decoding: header.value, as: UTF8.self))"
    }

    /// The dead-letter topic is missing, which the client believes after a moment.
    private func rigWithoutDeadTopic() throws -> Rig {
        let rig = try Rig(deadLetters: dead) { settings in
            settings.overrides = [.init("topic.metadata.propagation.max.ms", "200")]
        }
        try rig.broker.setTopic("dead", .unknownTopic)
        return rig
    }

    @Test("K3: a letter takes its place, the others arrive in order, and the batch is released")
    func letter() throws {
        let rig = try Rig(deadLetters: dead)
        var feed = rig.feed("logs", "one")
        // Once with others, and once alone.
        try rig.broker.failNext(.produce, with: [.messageTooLarge, .messageTooLarge])
        rig.producer.send(feed.batch(20))
        rig.producer.send(feed.batch(20))
        try eventually("all is released; \(rig.witness.events)") {
            rig.witness.releasedRecords == 40
        }
        try eventually("all is read") {
            rig.witness.readCount("logs") >= 39 && rig.witness.readCount("dead") == 1
        }
        #expect(feed.isUnbroken(rig.witness.released), "and nothing else is")
        #expect(lastCopies(try rig.read("logs", feed)) == Array(feed.values.dropFirst()))
        #expect(Array(rig.witness.read("dead").values.joined()) == ["one "])
        let headers = try #require(rig.witness.extras("dead").first).headers
        #expect(
            headers.map(text) == [
                "reason=MSG_SIZE_TOO_LARGE", "size=", "offset=0",
                "_id=0000000000000007-0000000000000000",
            ])
        #expect(rig.witness.count("set aside logs 0 5 dead") == 1)
        #expect(!rig.witness.has("refused"), "\(rig.witness.events)")
        try eventually("it flows again") { rig.producer.blockedLanes == 0 }
        rig.close()
    }

    @Test("K18: a dead-letter topic that is missing stops the stream until it is made")
    func missing() throws {
        let rig = try rigWithoutDeadTopic()
        var feed = rig.feed("logs", "one")
        var other = rig.feed("logs", "two", number: 2)
        try rig.broker.failNext(.produce, with: [.messageTooLarge, .messageTooLarge])
        rig.producer.send(feed.batch(5))
        try eventually("it is told; \(rig.witness.events)") {
            rig.witness.has("blocked dead") && rig.witness.has("refused logs 0")
        }
        rig.producer.send(feed.batch(5))
        rig.producer.send(other.batch(5))
        try eventually("another stream of the topic goes on") { rig.witness.releasedRecords == 5 }
        #expect(rig.producer.blockedLanes == 1)
        #expect(rig.witness.count("refused logs") == 1)
        #expect(!rig.witness.has("set aside"))
        try rig.broker.setTopic("dead", .none)
        try eventually("it goes on; \(rig.witness.events)") { rig.witness.releasedRecords == 15 }
        try eventually("all is read") {
            rig.witness.readCount("logs") >= 14 && rig.witness.readCount("dead") == 1
        }
        #expect(lastCopies(try rig.read("logs", feed)) == Array(feed.values.dropFirst()))
        #expect(rig.witness.count("set aside") == 1)
        rig.close()
    }

    @Test("A letter that is not delivered at the end leaves its record undelivered")
    func undelivered() throws {
        let rig = try rigWithoutDeadTopic()
        var feed = rig.feed("logs", "one")
        try rig.broker.failNext(.produce, with: [.messageTooLarge, .messageTooLarge])
        rig.producer.send(feed.batch(3))
        try eventually("it stands still") { rig.witness.has("refused logs 0") }
        #expect(rig.producer.stop(deadline: .zero) == 3)
        #expect(rig.witness.released.isEmpty)
        rig.audit.stop()
    }

    @Test("A client that dies while a letter is on its way: the next one sends it")
    func newClient() throws {
        let rig = try rigWithoutDeadTopic()
        var feed = rig.feed("logs", "one")
        try rig.broker.failNext(.produce, with: [.messageTooLarge, .messageTooLarge])
        rig.producer.send(feed.batch(3))
        try eventually("it stands still") { rig.witness.has("refused logs 0") }
        rig.producer.provokeFatalError()
        try eventually("it is heard") { rig.witness.has("fatal") }
        try rig.broker.setTopic("dead", .none)
        try eventually("it goes on; \(rig.witness.events)") { rig.witness.releasedRecords == 3 }
        try eventually("all is read") {
            rig.witness.readCount("logs") == 2 && rig.witness.readCount("dead") == 1
        }
        rig.close()
    }

    @Test("Many refused records at once are set aside one after the other, letters bounded")
    func many() throws {
        let rig = try Rig(deadLetters: dead)
        var feeds = (0..<100).map { rig.feed("logs", "s\($0)", number: $0 + 1) }
        try rig.broker.failNext(.produce, with: Array(repeating: .messageTooLarge, count: 60))
        for index in feeds.indices { rig.producer.send(feeds[index].batch(2)) }
        try eventually("all is released; \(rig.witness.events.suffix(5))") {
            rig.witness.releasedRecords == 200
        }
        let aside = rig.witness.count("set aside")
        #expect(aside > 0)
        try eventually("each is somewhere") {
            Set(rig.witness.read("logs").values.joined()).count
                + rig.witness.readCount("dead") >= 200
        }
        #expect(rig.witness.readCount("dead") == aside)
        rig.close()
    }
}
