import Synchronization
import TestSupport
import Testing

@testable import Kafka

@Suite("What goes over connections to brokers is counted")
struct ConnectionFiguresTests {
    @Test("requests, their bytes and connections, over the end of a client")
    func counts() throws {
        let rig = try Rig()
        defer { rig.close() }
        let figures = rig.producer.connections
        var feed = rig.feed("logs", "a")
        rig.producer.send(feed.batch(10, size: 10_000))
        try eventually("ten records are delivered") { rig.witness.releasedRecords == 10 }
        #expect(figures.brokers == 1)
        #expect(figures.requests > 0)
        // Compressed, they are the bytes of one record at least.
        let before = (requests: figures.requests, bytes: figures.bytesSent)
        #expect(before.bytes > 200)

        rig.producer.provokeFatalError()
        try eventually("the client was made anew") { rig.witness.has("fatal") }
        rig.producer.send(feed.batch(10))
        try eventually("ten more are delivered") { rig.witness.releasedRecords == 20 }
        try eventually("and the dead client's connections are gone") { figures.brokers == 1 }
        #expect(figures.requests > before.requests && figures.bytesSent > before.bytes)
        #expect(rig.producer.stop(deadline: .seconds(30)) == 0)
        #expect(figures.brokers == 0)
        #expect(figures.throttled == 0)
    }

    @Test("a broker that goes is no connection any more")
    func goes() throws {
        let rig = try Rig(brokers: 1)
        defer { rig.close() }
        var feed = rig.feed("logs", "a")
        rig.producer.send(feed.batch(1))
        try eventually("it is delivered") { rig.witness.releasedRecords == 1 }
        #expect(rig.producer.connections.brokers == 1)
        try rig.broker.takeDown()
        try eventually("it is gone") { rig.producer.connections.brokers == 0 }
        try rig.broker.bringUp()
        try eventually("it is back") { rig.producer.connections.brokers == 1 }
    }

    @Test("the times of several brokers add up, and what a broker says wrongly adds nothing")
    func throttles() {
        let figures = ConnectionFigures()
        for milliseconds in [250, -1, 0, 1_000] { figures.throttled(milliseconds: milliseconds) }
        #expect(figures.throttled == 1_250_000_000)
        figures.throttled(milliseconds: .max)
        #expect(figures.throttled == .max)
    }

    @Test("a client's end takes its connections along, and no other's")
    func ends() {
        let figures = ConnectionFigures()
        figures.changed("a:1", of: 1, isUp: true)
        figures.changed("a:1", of: 2, isUp: true)
        figures.changed("b:1", of: 2, isUp: true)
        #expect(figures.brokers == 3)
        figures.changed("b:1", of: 2, isUp: false)
        figures.changed("c:1", of: 3, isUp: false)
        #expect(figures.brokers == 2)
        figures.ended(1)
        #expect(figures.brokers == 1)
    }
}
