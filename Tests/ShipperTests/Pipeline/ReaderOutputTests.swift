import Model
import Platform
import Synchronization
import TestSupport
import Testing

@testable import Kafka
@testable import Registry
@testable import Shipper
@testable import Tailer

/// The pipeline's side of the reader, called as the Tailer calls it, with a real producer behind.
@Suite("What the reader hands over", .overBases) struct ReaderOutputTests {
    let directory: TemporaryDirectory

    init() throws { directory = try TemporaryDirectory() }

    private func rig(_ input: String = "") throws -> StageRig {
        try StageRig(in: directory, paths: "/log/*", input: input)
    }

    /// 3. The archive is opened as what it is, the same file. From the saved position all its lines
    ///    would be sent again; it goes on where it was taken.
    @Test("A file that gets another name while deliveries are on their way is not sent twice")
    func renamedWhileOutstanding() throws {
        let rig = try rig()
        try rig.broker.takeDown()
        let output = ReaderOutput(rig.parts)
        let text = "one\ntwo\nthree\n"
        let first = try #require(
            output.opened(sighting("/log/previous", head: text), onlyIfKnown: false))
        #expect(first.offset == at(0) && !first.isKnown)
        #expect(take(output, first.file, text, at: 0) == 14)
        output.finished(first.file, end: at(14))
        #expect(rig.registry.entry(first.file)?.offset == at(0))

        let archive = sighting("/log/@4000000065e07a152f072f40.s", head: text, archived: true)
        let second = try #require(output.opened(archive, onlyIfKnown: false))
        #expect(second.file == first.file && second.offset == at(14) && second.isKnown)
        #expect(second.anchor.bytes == Array(text.utf8))
        let entry = try #require(rig.registry.entry(first.file))
        #expect(entry.path == archive.path && entry.state == .archived && entry.offset == at(0))

        try rig.broker.bringUp()
        try rig.waitForDelivery()
        #expect(rig.registry.entry(first.file)?.offset == at(14))
        #expect(rig.counters.recordsDelivered == 3)
        // Its last name goes, and with it the entry.
        output.gone(first.file)
        #expect(rig.registry.entries().isEmpty)
        #expect(rig.close() == 0)
    }

    @Test("A file that was taken to its end and is truncated before it comes back starts anew")
    func truncatedWhileClosed() throws {
        let rig = try rig()
        let output = ReaderOutput(rig.parts)
        let first = try #require(
            output.opened(sighting("/log/a", head: "one\ntwo\n"), onlyIfKnown: false))
        #expect(take(output, first.file, "one\ntwo\n", at: 0) == 8)
        output.finished(first.file, end: at(8))
        let other = sighting("/log/a", head: "other\n")
        let replaced = try #require(output.opened(other, onlyIfKnown: false))
        #expect(replaced.file == first.file && replaced.isReplaced)
        let again = output.restarted(replaced.file, other)
        #expect(again.file == first.file && again.offset == at(0) && !again.isKnown)
        #expect(again.anchor == .none)
        #expect(take(output, again.file, "other\n", at: 0) == 6)
        try rig.waitForDelivery()
        let saved = try #require(rig.registry.entry(again.file))
        #expect(saved.offset == at(6) && saved.size == 6)
        #expect(rig.counters.recordsDelivered == 3)
        rig.close()
    }

    @Test("Lines of one sweep go to the client together, at its end or as a slab's worth")
    func together() throws {
        let rig = try rig()
        let output = ReaderOutput(rig.parts)
        let first = try #require(
            output.opened(sighting("/log/a", head: "one\n"), onlyIfKnown: false))
        let second = try #require(
            output.opened(sighting("/log/b", inode: 2, head: "two\n"), onlyIfKnown: false))
        #expect(take(output, first.file, "one\n", at: 0, more: true) == 4)
        // Another one, of the same stream and so to the same partition, would be behind it.
        let other = rig.producer.lane(topic: "logs", key: Array("/log".utf8))
        let slab = PayloadSlab(capacity: 8)
        slab.append(Array("fence".utf8))
        rig.producer.send(
            RecordBatch(
                lane: other, slab: slab, recordEnds: [5], file: FileID(number: 99),
                stream: StreamID(number: 9), generation: GenerationID(value: 9),
                range: ByteRange(0..<5), anchor: .none, credit: 0))
        try eventually("the other one is delivered") {
            rig.calls.batches.load(ordering: .relaxed) == 1
        }
        #expect(rig.registry.entry(first.file)?.offset == at(0))
        #expect(take(output, second.file, "two\n", at: 0) == 4)
        try rig.waitForDelivery()
        #expect(rig.registry.entry(first.file)?.offset == at(4))
        #expect(rig.registry.entry(second.file)?.offset == at(4))
        // A slab's worth waits for nobody.
        let long = String(repeating: "x", count: 1023) + "\n"
        var end = 4
        while end < 2 * ReaderOutput.slabSize {
            let text = String(repeating: long, count: 32)
            #expect(take(output, first.file, text, at: end, more: true) == text.utf8.count)
            end += text.utf8.count
        }
        try eventually("most of it is delivered") {
            (rig.registry.entry(first.file)?.offset ?? at(0)) > at(ReaderOutput.slabSize)
        }
        output.sendTaken()
        try rig.waitForDelivery()
        #expect(rig.registry.entry(first.file)?.offset == at(end))
        rig.close()
    }

    @Test("A stream that rests before its lines are sent sends them by its lane, and in order")
    func restsUnsent() throws {
        let rig = try rig()
        let output = ReaderOutput(rig.parts)
        let start = try #require(
            output.opened(sighting("/log/a", head: "one\n"), onlyIfKnown: false))
        #expect(take(output, start.file, "one\n", at: 0, more: true) == 4)
        output.rests(StreamID(number: 1))
        #expect(take(output, start.file, "two\n", at: 4, more: true) == 4)
        output.ended(StreamID(number: 1))
        try rig.waitForDelivery()
        #expect(rig.registry.entry(start.file)?.offset == at(8))
        #expect(rig.close() == 0)
    }

    @Test("Another content behind the same inode is a new generation")
    func otherContent() throws {
        var rig = try rig()
        var output = ReaderOutput(rig.parts)
        let first = try #require(
            output.opened(sighting("/log/a", head: "one\ntwo\n"), onlyIfKnown: false))
        #expect(take(output, first.file, "one\ntwo\n", at: 0) == 8)
        try rig.waitForDelivery()
        let before = try #require(rig.registry.entry(first.file))
        rig.close()

        rig = try self.rig()
        output = ReaderOutput(rig.parts)
        let other = sighting("/log/a", head: "new\n", size: 400)
        let replaced = try #require(output.opened(other, onlyIfKnown: true))
        #expect(replaced.isReplaced && replaced.offset == at(8) && replaced.size == 8)
        let second = output.restarted(replaced.file, other)
        let after = try #require(rig.registry.entry(second.file))
        #expect(second.file == first.file && second.offset == at(0))
        #expect(after.generation != before.generation && after.generationCount == 1)
        rig.close()
    }

    @Test(
        "What a copy has goes on there under its number and ids; the truncated file is a new one")
    func continued() throws {
        let rig = try rig()
        let output = ReaderOutput(rig.parts)
        let first = try #require(
            output.opened(sighting("/log/a", head: "one\ntwo\n"), onlyIfKnown: false))
        #expect(take(output, first.file, "one\n", at: 0) == 4)
        let before = try #require(rig.registry.entry(first.file))
        let starts = try #require(
            output.continued(
                first.file, in: sighting("/log/a.1", inode: 2, head: "one\ntwo\n"),
                sighting("/log/a", head: "new\n")))
        #expect(starts.copy.file == first.file && starts.copy.offset == at(4))
        #expect(starts.live.file != first.file && starts.live.offset == at(0))
        // What was on its way when the copy was found counts for the copy.
        #expect(take(output, starts.live.file, "new\n", at: 0) == 4)
        #expect(take(output, starts.copy.file, "two\n", at: 4) == 4)
        try rig.waitForDelivery()
        let copy = try #require(rig.registry.entry(starts.copy.file))
        let live = try #require(rig.registry.entry(starts.live.file))
        #expect(copy.generation == before.generation && copy.offset == at(8))
        #expect(copy.identity.inode == 2 && copy.path == "/log/a.1" && copy.state == .archived)
        #expect(live.generation != before.generation && live.generationCount == 1)
        #expect(live.identity.inode == 1 && live.path == "/log/a" && live.offset == at(4))
        rig.close()
    }

    @Test("A known file goes on at its saved position; an unknown one is not made known unasked")
    func known() throws {
        var rig = try rig()
        var output = ReaderOutput(rig.parts)
        #expect(output.opened(sighting("/log/a", head: "one\n"), onlyIfKnown: true) == nil)
        #expect(rig.registry.entries().isEmpty)
        let first = try #require(
            output.opened(sighting("/log/a", head: "one\n"), onlyIfKnown: false))
        #expect(take(output, first.file, "one\n", at: 0) == 4)
        try rig.waitForDelivery()
        #expect(output.knownFiles.saved("/log").map(\.identity.inode) == [1])
        rig.close()

        rig = try self.rig()
        output = ReaderOutput(rig.parts)
        let second = try #require(
            output.opened(sighting("/log/a.1", head: "one\ntwo\n"), onlyIfKnown: true))
        #expect(second.file == first.file && second.offset == at(4) && second.isKnown)
        #expect(second.anchor.bytes == Array("one\n".utf8))
        #expect(rig.registry.entry(first.file)?.path == "/log/a.1")
        #expect(rig.registry.entry(first.file)?.fingerprint.length == 8)
        rig.close()
    }

    @Test("start: end skips what the first scan ever finds, and nothing after it")
    func startAtEnd() throws {
        var rig = try rig("    start: end")
        var output = ReaderOutput(rig.parts)
        func start(_ inode: UInt64, firstScan: Bool) throws -> LogicalOffset {
            let found = sighting(
                "/log/\(inode)", inode: inode, head: "four\n", firstScan: firstScan)
            return try #require(output.opened(found, onlyIfKnown: false)).offset
        }
        #expect(try start(1, firstScan: true) == at(5))
        #expect(try start(2, firstScan: false) == at(0))
        output.scannedAll()
        #expect(rig.calls.scans.load(ordering: .relaxed) == 1)
        rig.close()

        rig = try self.rig("    start: end")
        output = ReaderOutput(rig.parts)
        #expect(try start(3, firstScan: true) == at(0))
        #expect(try start(1, firstScan: true) == at(5))
        rig.close()
    }

    @Test("start: end holds for the next start, too, when the first scan did not come to its end")
    func startAtEndInterrupted() throws {
        var rig = try rig("    start: end")
        rig.close()
        rig = try self.rig("    start: end")
        let output = ReaderOutput(rig.parts)
        let found = sighting("/log/1", head: "four\n")
        #expect(try #require(output.opened(found, onlyIfKnown: false)).offset == at(5))
        rig.close()
    }

    @Test("After damage, what is not known begins at the beginning, even with start: end")
    func damaged() throws {
        var rig = try rig("    start: end")
        rig.close()
        let journal = "data/registry/journal.jsonl"
        try directory.write(journal, try readFile(directory.path(journal)) + Array("rot\n".utf8))
        rig = try self.rig("    start: end")
        #expect(rig.registry.mustStartAtBeginning)
        let output = ReaderOutput(rig.parts)
        let found = sighting("/log/1", head: "four\n")
        #expect(try #require(output.opened(found, onlyIfKnown: false)).offset == at(0))
        output.scannedAll()
        #expect(!rig.registry.mustStartAtBeginning)
        rig.close()
    }

    @Test("Without room nothing is taken, and what is delivered calls for another try")
    func noRoom() throws {
        let rig = try rig()
        try rig.broker.takeDown()
        let output = ReaderOutput(rig.parts)
        let line = String(repeating: "x", count: 99) + "\n"
        let text = String(repeating: line, count: 2000)
        let start = try #require(
            output.opened(
                sighting("/log/a", head: line, size: PhysicalOffset(1 << 30)), onlyIfKnown: false))
        var position = 0
        while true {
            let taken = take(output, start.file, text, at: position)
            #expect(taken % 100 == 0)
            position += taken
            if taken < text.utf8.count { break }
        }
        #expect(!output.hasRoom(StreamID(number: 1)) || position % 100 == 0)
        // One stream alone never takes more than about half, so that another one has room.
        #expect(rig.budget.held <= rig.budget.limit / 2 + ReaderOutput.slabSize)
        #expect(output.hasRoom(StreamID(number: 2)))
        #expect(rig.calls.roomCameBack.load(ordering: .relaxed) == 0)
        try rig.broker.bringUp()
        try rig.waitForDelivery()
        #expect(rig.calls.roomCameBack.load(ordering: .relaxed) > 0)
        #expect(rig.registry.entry(start.file)?.offset == at(position))
        #expect(rig.counters.bytesTaken == position && rig.counters.bytesDelivered == position)
        rig.close()
    }

    @Test("Empty lines are passed over, and the position moves over them")
    func emptyLines() throws {
        let rig = try rig()
        let output = ReaderOutput(rig.parts)
        let start = try #require(
            output.opened(sighting("/log/a", head: "\n\n\n"), onlyIfKnown: false))
        #expect(take(output, start.file, "\n\n\n", at: 0) == 3)
        try rig.waitForDelivery()
        #expect(rig.registry.entry(start.file)?.offset == at(3))
        #expect(rig.counters.recordsDelivered == 0)
        rig.close()
    }

    @Test("The anchor of a short piece reaches back over the pieces before it")
    func anchors() throws {
        let rig = try rig()
        let output = ReaderOutput(rig.parts)
        let start = try #require(
            output.opened(sighting("/log/a", head: "0\n"), onlyIfKnown: false))
        var text = ""
        for number in 0..<40 {
            let line = "\(number)\n"
            #expect(take(output, start.file, line, at: text.utf8.count) == line.utf8.count)
            text += line
        }
        try rig.waitForDelivery()
        let anchor = try #require(rig.registry.entry(start.file)).anchor.bytes
        #expect(anchor == Array(text.utf8.suffix(Anchor.longest)))
        rig.close()
    }

    /// While anything of it is on its way, it is not.
    @Test("A dormant stream takes nothing, is followed, and goes on where it was")
    func dormant() throws {
        let rig = try rig()
        try rig.broker.takeDown()
        let output = ReaderOutput(rig.parts)
        let stream = StreamID(number: 1)
        let start = try #require(
            output.opened(sighting("/log", head: "one\n", isS6: false), onlyIfKnown: false))
        #expect(take(output, start.file, "one\n", at: 0) == 4)
        #expect(output.sleeps(stream, start.file) == nil)
        try rig.broker.bringUp()
        try rig.waitForDelivery()
        let note = try #require(output.sleeps(stream, start.file))
        #expect(output.streams[stream] == nil && output.files.isEmpty)
        #expect(rig.ledger.isFollowed(start.file) && !rig.ledger.isOutstanding(start.file))
        #expect(rig.ledger.takenEnd(start.file, rig.registry.entries()[0].generation) == nil)
        #expect(rig.ledger.delivered(start.file) == at(4))
        // Nobody takes it for a file that is not there.
        output.listed("/log", on: [1]) { _ in false }
        #expect(rig.registry.entry(start.file) != nil)

        output.wakes(
            Sleeper(
                stream: stream, name: "/log", input: 0, captures: [:], file: start.file, note: note)
        )
        #expect(output.anchor(of: start.file) == Array("one\n".utf8))
        #expect(take(output, start.file, "two\n", at: 4) == 4)
        try rig.waitForDelivery()
        let saved = try #require(rig.registry.entry(start.file))
        #expect(saved.offset == at(8) && saved.anchor.bytes == Array("one\ntwo\n".utf8))
        #expect(rig.counters.recordsDelivered == 2)
        output.gone(start.file)
        #expect(rig.registry.entries().isEmpty)
        #expect(rig.close() == 0)
    }

    /// 1. A quiet log sleeps, and another file has its entry when it is to wake.
    /// 2. Nothing of it is begun, and what it shares is given back.
    @Test("A dormant stream whose entry is another's leaves without a trace")
    func dormantLeaves() throws {
        let rig = try rig()
        let output = ReaderOutput(rig.parts)
        let stream = StreamID(number: 1)
        let start = try #require(
            output.opened(sighting("/log", head: "one\n", isS6: false), onlyIfKnown: false))
        #expect(take(output, start.file, "one\n", at: 0) == 4)
        // Nothing is sent for who only asks.
        #expect(output.sleeps(stream, start.file) == nil)
        #expect(rig.ledger.isOutstanding(start.file) && output.streams[stream]?.lane != nil)
        output.sendTaken()
        try rig.waitForDelivery()
        let note = try #require(output.sleeps(stream, start.file))
        output.leaves(
            Sleeper(
                stream: stream, name: "/log", input: 0, captures: [:], file: start.file, note: note)
        )
        #expect(output.streams[stream] == nil && output.files.isEmpty)
        #expect(!rig.ledger.isFollowed(start.file))
        #expect(rig.registry.entry(start.file)?.offset == at(4))
        #expect(rig.close() == 0)
    }
}
