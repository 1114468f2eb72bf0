import Model
import Platform
import Synchronization
import TestSupport
import Testing

@testable import Kafka
@testable import Registry
@testable import Shipper
@testable import Tailer

/// The reader's side of topics with a day in their names, with a clock of the test's own.
@Suite("Topics of days", .overBases) struct DatedTopicTests {
    let directory: TemporaryDirectory
    private let clock = TestClock()

    /// Milliseconds since 1970.
    private final class TestClock: Sendable {
        private let time = Atomic<Int64>(0)
        func set(_ text: String) throws {
            let bytes = Array(text.utf8)
            let read = Timestamp(text: bytes.span)
            time.store(try #require(read).milliseconds, ordering: .relaxed)
        }
        var now: Timestamp { Timestamp(milliseconds: time.load(ordering: .relaxed)) }
    }

    init() throws { directory = try TemporaryDirectory() }

    private func rig(topic: String = "logs-{+yyyy.MM.dd}", kafka: String = "") throws -> StageRig {
        try StageRig(in: directory, paths: "/log/*", kafka: kafka, topic: topic)
    }

    private func output(_ rig: StageRig, limit: Int = 1_000) -> (ReaderOutput, TopicPool) {
        let clock = clock
        let parts = rig.parts(limit: limit) { clock.now }
        return (ReaderOutput(parts), parts.topics)
    }

    private func opened(_ output: ReaderOutput, _ text: String) throws -> FileID {
        try #require(output.opened(sighting("/log/current", head: text), onlyIfKnown: false)).file
    }

    /// Messages by topic, in the order of their one partition.
    private func read(_ rig: StageRig, topics: [String]) throws -> [String: [String]] {
        let lines = Mutex<[String: [String]]>([:])
        let audit = try AuditConsumer(brokers: rig.broker.addresses) { at, _, value, _ in
            let text = String(decoding: value.indices.map { value[$0] }, as: UTF8.self)
            lines.withLock { $0[at.topic, default: []].append(text) }
        }
        defer { audit.stop() }
        try eventually("records of \(topics); \(lines.withLock { $0.keys.sorted() })") {
            lines.withLock { $0.values.reduce(0) { $0 + $1.count } }
                == rig.counters.recordsDelivered
        }
        #expect(lines.withLock { $0.keys.sorted() } == topics.sorted())
        return lines.withLock { $0 }
    }

    private static func line(_ stamp: String, _ text: String) -> String {
        "\(stamp) 12:00:00.000000000  \(text)\n"
    }

    /// Hands `text` over until all of it is taken, as the reader does: again when something came
    /// back.
    private func takeAll(_ rig: StageRig, _ output: ReaderOutput, _ file: FileID, _ text: String)
        throws
    {
        var offset = 0
        let bytes = Array(text.utf8)
        try eventually("all is taken; \(offset) of \(bytes.count)") {
            let rest = String(decoding: bytes[offset...], as: UTF8.self)
            if output.hasRoom(StreamID(number: 1)) {
                offset += take(output, file, rest, at: offset)
            }
            return offset == bytes.count
        }
    }

    @Test("A backlog goes to the topics of its lines' days, in order, none of them to come")
    func backlog() throws {
        try clock.set("2026-11-30T10:00:00.000Z")
        let rig = try rig(kafka: "    codec: raw")
        let (output, pool) = output(rig)
        let lines = [
            ("2026-11-27", "a"), ("2026-11-27", "b"), ("2026-11-28", "c"), ("2026-11-26", "back"),
            ("2026-11-30", "d"), ("2026-12-24", "ahead"), ("2026-11-27", "old"),
        ].map(Self.line)
        let text = lines.joined()
        let file = try opened(output, text)
        try takeAll(rig, output, file, text)
        try rig.waitForDelivery()
        #expect(rig.registry.entry(file)?.offset == at(text.utf8.count))
        let read = try read(
            rig, topics: ["logs-2026.11.27", "logs-2026.11.28", "logs-2026.11.30"])
        let messages = read.mapValues { $0.map { $0.split(separator: " ").last.map(String.init) } }
        #expect(messages["logs-2026.11.27"] == ["a", "b"])
        #expect(messages["logs-2026.11.28"] == ["c", "back"])
        #expect(messages["logs-2026.11.30"] == ["d", "ahead", "old"])
        // Topics of days gone by count for a day: lines made them, and more would.
        #expect(pool.count == 3)
        #expect(rig.close() == 0)
    }

    /// 1. Lines of yesterday are on their way, and the broker does not answer.
    /// 2. It is midnight. A line of today would be delivered before those, and the saved position
    ///    would be behind it; after a crash it would come again, with all that followed.
    @Test("At midnight a stream goes on when what it has sent is delivered, in one topic at a time")
    func midnight() throws {
        try clock.set("2026-11-29T23:59:59.900Z")
        let rig = try rig(kafka: "    codec: raw")
        let (output, pool) = output(rig, limit: 1)
        let file = try opened(output, "one\n")
        #expect(take(output, file, "one\n", at: 0) == 4)
        try rig.waitForDelivery()
        #expect(pool.count == 1)
        try rig.broker.takeDown()
        #expect(take(output, file, "two\n", at: 4) == 4)

        try clock.set("2026-11-30T00:00:00.000Z")
        let wakes = rig.calls.roomCameBack.load(ordering: .relaxed)
        #expect(take(output, file, "three\n", at: 8) == 0)
        #expect(!output.hasRoom(StreamID(number: 1)))
        #expect(pool.count == 1)
        try rig.broker.bringUp()
        try eventually("the reader is woken") {
            rig.calls.roomCameBack.load(ordering: .relaxed) > wakes
        }
        try rig.waitForDelivery()
        #expect(output.hasRoom(StreamID(number: 1)))
        // There is room for one topic: that of the day which is over has gone.
        #expect(take(output, file, "three\n", at: 8) == 6)
        try rig.waitForDelivery()
        #expect(pool.count == 1 && pool.refusals == 0)
        let read = try read(rig, topics: ["logs-2026.11.29", "logs-2026.11.30"])
        #expect(read["logs-2026.11.29"] == ["one", "two"])
        #expect(read["logs-2026.11.30"] == ["three"])
        // The lane of the day that is over is let go of, and its credit.
        try eventually("one lane is left") { rig.producer.laneCount == 1 }
        output.ended(StreamID(number: 1))
        #expect(rig.close() == 0)
    }

    @Test("A quiet stream gives its topic up when its day is over, before another needs the room")
    func quiet() throws {
        try clock.set("2026-11-29T12:00:00.000Z")
        let rig = try rig(topic: "logs-{input}-{+yyyy.MM.dd}")
        let (output, pool) = output(rig, limit: 2)
        let file = try opened(output, "one\n")
        let quiet = FileSighting(
            input: 0, stream: StreamID(number: 2), streamName: "/log/quiet", isS6: false,
            path: "/log/quiet", captures: [:],
            identity: FileIdentity(handle: nil, device: 1, inode: 2, birth: 5),
            head: Array("q\n".utf8), begin: Array("q\n".utf8), size: 2, archived: false,
            firstScan: true)
        let other = try #require(output.opened(quiet, onlyIfKnown: false)).file
        #expect(take(output, file, "one\n", at: 0) == 4)
        #expect(take(output, other, "q\n", at: 0) == 2)
        try rig.waitForDelivery()
        #expect(pool.count == 1)
        for day in 1...9 {
            try clock.set("2026-12-0\(day)T00:00:00.001Z")
            #expect(take(output, file, "on\n", at: 4 + 3 * (day - 1)) == 3)
            try rig.waitForDelivery()
            #expect(pool.count == 1, "day \(day)")
        }
        // And it finds the present one when it has a line again.
        #expect(output.hasRoom(StreamID(number: 2)))
        #expect(take(output, other, "r\n", at: 2) == 2)
        try rig.waitForDelivery()
        #expect(pool.count == 1 && pool.refusals == 0)
        rig.close()
    }

    /// Times of lines are what a pod writes.
    @Test("Lines of ever other days make no more topics than there may be; then their stream waits")
    func hostile() throws {
        try clock.set("2026-11-30T12:00:00.000Z")
        let rig = try rig()
        let (output, pool) = output(rig, limit: 4)
        let text = (1...28).map { Self.line("2026-02-\($0 < 10 ? "0" : "")\($0)", "x") }.joined()
        let file = try opened(output, text)
        var offset = 0
        let bytes = Array(text.utf8)
        try eventually("it is refused a topic; \(rig.log.all)") {
            let rest = String(decoding: bytes[offset...], as: UTF8.self)
            if output.hasRoom(StreamID(number: 1)) {
                offset += take(output, file, rest, at: offset)
            }
            return pool.refusals > 0
        }
        // One directory never has all that there are.
        #expect(pool.count == 2)
        #expect(!output.hasRoom(StreamID(number: 1)))
        #expect(offset == 2 * (bytes.count / 28))
        #expect(
            rig.log.all.contains { $0.contains("limits.topics is reached") }, "\(rig.log.all)")
        try rig.waitForDelivery()
        #expect(rig.registry.entry(file)?.offset == at(offset))
        // Going through today's topic and back does not free one of them.
        output.ended(StreamID(number: 1))
        #expect(pool.count == 2)
        rig.close()
    }

    @Test("A stream that gets no topic of its day goes to the fallback topic")
    func fallback() throws {
        try clock.set("2026-11-30T12:00:00.000Z")
        let rig = try rig(kafka: "    fallback_topic: rest")
        let (output, pool) = output(rig, limit: 2)
        let text = (1...5).map { Self.line("2026-11-0\($0)", "x") }.joined()
        let file = try opened(output, text)
        try takeAll(rig, output, file, text)
        try rig.waitForDelivery()
        let read = try read(rig, topics: ["logs-2026.11.01", "rest"])
        #expect(read["rest"]?.count == 4)
        #expect(pool.count == 1)
        rig.close()
    }

    @Test("The day of a line is its own, but no later than today, nor before the last one's")
    func days() {
        let today = 20_000
        var days = StreamDays()
        func day(_ day: Int) -> Int { days.day(of: Timestamp(day: day), today: today) }
        #expect(day(19_000) == 19_000 && day(20_000) == 20_000 && day(20_001) == 20_000)
        days.last = 19_500
        #expect(day(19_499) == 19_500 && day(19_501) == 19_501 && day(.min / 2) == 19_500)
        // The clock was set back.
        days.last = 30_000
        #expect(day(19_499) == 19_499)
        #expect(
            StreamDays().day(of: Timestamp(milliseconds: -1), today: today) == -1, "1969-12-31")
    }
}
