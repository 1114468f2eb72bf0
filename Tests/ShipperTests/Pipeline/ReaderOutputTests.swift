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
@Suite("What the reader hands over") struct ReaderOutputTests {
    let directory: TemporaryDirectory

    init() throws { directory = try TemporaryDirectory() }

    private func rig(_ input: String = "") throws -> StageRig {
        try StageRig(in: directory, paths: "/log/*", input: input)
    }

    private func sighting(
        _ path: String, inode: UInt64 = 1, head: String, size: Int? = nil, archived: Bool = false,
        firstScan: Bool = true, isS6: Bool = true
    ) -> FileSighting {
        FileSighting(
            input: 0, stream: StreamID(number: 1), streamName: "/log", isS6: isS6, path: path,
            captures: [:],
            identity: FileIdentity(handle: nil, device: 1, inode: inode, birth: 5),
            head: Array(head.utf8), begin: Array(head.utf8), size: size ?? head.utf8.count,
            archived: archived, firstScan: firstScan)
    }

    /// Hands `text`, whole lines, over from `offset` on; the bytes taken.
    private func take(
        _ output: ReaderOutput, _ file: FileID, _ text: String, at offset: Int
    ) -> Int {
        let bytes = Array(text.utf8)
        return output.take(file, bytes.span, EncodingFixture.frames(bytes, at: offset))
    }

    /// 1. `previous` is read to its end and closed; the broker does not answer, so nothing of it is
    ///    acknowledged and the saved position is 0.
    /// 2. s6-log links `previous` to `@….s` and removes the old name.
    /// 3. The archive is opened as what it is, the same file. From the saved position all its lines
    ///    would be sent again; it goes on where it was taken.
    @Test("A file that gets another name while deliveries are on their way is not sent twice")
    func renamedWhileOutstanding() throws {
        let rig = try rig()
        try rig.broker.setDown()
        let output = ReaderOutput(rig.parts)
        let text = "one\ntwo\nthree\n"
        let first = try #require(
            output.opened(sighting("/log/previous", head: text), onlyIfKnown: false))
        #expect(first.offset == 0 && !first.isKnown)
        #expect(take(output, first.file, text, at: 0) == 14)
        output.finished(first.file, end: 14)
        #expect(rig.registry.entry(first.file)?.offset == 0)

        let archive = sighting("/log/@4000000065e07a152f072f40.s", head: text, archived: true)
        let second = try #require(output.opened(archive, onlyIfKnown: false))
        #expect(second.file == first.file && second.offset == 14 && second.isKnown)
        #expect(second.anchor.bytes == Array(text.utf8))
        let entry = try #require(rig.registry.entry(first.file))
        #expect(entry.path == archive.path && entry.state == .archived && entry.offset == 0)

        try rig.broker.setUp()
        try rig.waitForDelivery()
        #expect(rig.registry.entry(first.file)?.offset == 14)
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
        output.finished(first.file, end: 8)
        let other = sighting("/log/a", head: "other\n")
        let replaced = try #require(output.opened(other, onlyIfKnown: false))
        #expect(replaced.file == first.file && replaced.isReplaced)
        let again = output.restarted(replaced.file, other)
        #expect(again.file == first.file && again.offset == 0 && !again.isKnown)
        #expect(again.anchor == .none)
        #expect(take(output, again.file, "other\n", at: 0) == 6)
        try rig.waitForDelivery()
        let saved = try #require(rig.registry.entry(again.file))
        #expect(saved.offset == 6 && saved.size == 6)
        #expect(rig.counters.recordsDelivered == 3)
        rig.close()
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
        #expect(replaced.isReplaced && replaced.offset == 8 && replaced.size == 8)
        let second = output.restarted(replaced.file, other)
        let after = try #require(rig.registry.entry(second.file))
        #expect(second.file == first.file && second.offset == 0)
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
        #expect(starts.copy.file == first.file && starts.copy.offset == 4)
        #expect(starts.live.file != first.file && starts.live.offset == 0)
        // What was on its way when the copy was found counts for the copy.
        #expect(take(output, starts.live.file, "new\n", at: 0) == 4)
        #expect(take(output, starts.copy.file, "two\n", at: 4) == 4)
        try rig.waitForDelivery()
        let copy = try #require(rig.registry.entry(starts.copy.file))
        let live = try #require(rig.registry.entry(starts.live.file))
        #expect(copy.generation == before.generation && copy.offset == 8)
        #expect(copy.identity.inode == 2 && copy.path == "/log/a.1" && copy.state == .archived)
        #expect(live.generation != before.generation && live.generationCount == 1)
        #expect(live.identity.inode == 1 && live.path == "/log/a" && live.offset == 4)
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
        #expect(output.saved("/log").map(\.identity.inode) == [1])
        rig.close()

        rig = try self.rig()
        output = ReaderOutput(rig.parts)
        let second = try #require(
            output.opened(sighting("/log/a.1", head: "one\ntwo\n"), onlyIfKnown: true))
        #expect(second.file == first.file && second.offset == 4 && second.isKnown)
        #expect(second.anchor.bytes == Array("one\n".utf8))
        #expect(rig.registry.entry(first.file)?.path == "/log/a.1")
        #expect(rig.registry.entry(first.file)?.fingerprint.length == 8)
        rig.close()
    }

    @Test("start: end skips what the first scan ever finds, and nothing after it")
    func startAtEnd() throws {
        var rig = try rig("    start: end")
        var output = ReaderOutput(rig.parts)
        func start(_ inode: UInt64, firstScan: Bool) throws -> Int {
            let found = sighting(
                "/log/\(inode)", inode: inode, head: "four\n", firstScan: firstScan)
            return try #require(output.opened(found, onlyIfKnown: false)).offset
        }
        #expect(try start(1, firstScan: true) == 5)
        #expect(try start(2, firstScan: false) == 0)
        output.scannedAll()
        #expect(rig.calls.scans.load(ordering: .relaxed) == 1)
        rig.close()

        rig = try self.rig("    start: end")
        output = ReaderOutput(rig.parts)
        #expect(try start(3, firstScan: true) == 0)
        #expect(try start(1, firstScan: true) == 5)
        rig.close()
    }

    @Test("start: end holds for the next start, too, when the first scan did not come to its end")
    func startAtEndInterrupted() throws {
        var rig = try rig("    start: end")
        rig.close()
        rig = try self.rig("    start: end")
        let output = ReaderOutput(rig.parts)
        let found = sighting("/log/1", head: "four\n")
        #expect(try #require(output.opened(found, onlyIfKnown: false)).offset == 5)
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
        #expect(try #require(output.opened(found, onlyIfKnown: false)).offset == 0)
        output.scannedAll()
        #expect(!rig.registry.mustStartAtBeginning)
        rig.close()
    }

    @Test("Saved files that are no longer on the disk are let go, and unread bytes counted as lost")
    func listed() throws {
        var rig = try rig()
        var output = ReaderOutput(rig.parts)
        let text = "one\ntwo\n"
        for inode in UInt64(1)...3 {
            let found = sighting("/log/\(inode)", inode: inode, head: text)
            let start = try #require(output.opened(found, onlyIfKnown: false))
            if inode != 2 { #expect(take(output, start.file, text, at: 0) == 8) }
        }
        try rig.waitForDelivery()
        rig.close()

        rig = try self.rig()
        output = ReaderOutput(rig.parts)
        output.listed("/elsewhere", on: [1]) { _ in false }
        #expect(rig.registry.entries().count == 3)
        // Their file system is not the one that was listed: it may be mounted later.
        output.listed("/log", on: [2, 3]) { _ in false }
        #expect(rig.registry.entries().count == 3)
        output.listed("/log", on: [2, 1]) { $0.inode == 3 }
        // Another directory may have them.
        #expect(rig.registry.entries().count == 3)
        output.scannedAll()
        #expect(rig.registry.entries().map(\.identity.inode) == [3])
        #expect(rig.counters.bytesGone == 8)
        #expect(
            rig.log.all.filter { $0.hasPrefix("error") } == [
                "error bytes lost path=/log/2 from=0 to=8 reason=deleted_unread"
            ])
        rig.close()
    }

    @Test("What is missing in its directory is no loss when another one of the first scan has it")
    func listedElsewhere() throws {
        var rig = try rig()
        var output = ReaderOutput(rig.parts)
        for inode in UInt64(1)...2 {
            let found = sighting("/log/\(inode)", inode: inode, head: "one\ntwo\n")
            _ = try #require(output.opened(found, onlyIfKnown: false))
        }
        rig.close()

        rig = try self.rig()
        output = ReaderOutput(rig.parts)
        output.listed("/log", on: [1]) { _ in false }
        let moved = sighting("/log/other", inode: 2, head: "one\ntwo\n")
        let start = try #require(output.opened(moved, onlyIfKnown: false))
        #expect(start.isKnown)
        output.scannedAll()
        #expect(rig.registry.entries().map(\.path) == ["/log/other"])
        #expect(rig.counters.bytesGone == 8)
        rig.close()
    }

    @Test("A file whose deliveries are on their way is not let go because a listing has it no more")
    func listedWhileOutstanding() throws {
        let rig = try rig()
        try rig.broker.setDown()
        let output = ReaderOutput(rig.parts)
        output.scannedAll()
        let start = try #require(
            output.opened(sighting("/log/a", head: "one\n"), onlyIfKnown: false))
        #expect(take(output, start.file, "one\n", at: 0) == 4)
        output.finished(start.file, end: 4)
        output.listed("/log", on: [1]) { _ in false }
        #expect(rig.registry.entry(start.file) != nil)
        try rig.broker.setUp()
        try rig.waitForDelivery()
        output.listed("/log", on: [1]) { _ in false }
        #expect(rig.registry.entry(start.file) == nil && rig.counters.bytesGone == 0)
        rig.close()
    }

    /// 1. A log that was read to its end is compressed where its archives go. That may hold more.
    /// 2. It is unpacked to its end, and has nothing new.
    /// 3. It is removed when it is old enough.
    @Test(
        "What was made of a log is as long as was found out when it is read, be there more in it or not",
        arguments: ["", "three\n"])
    func compressed(more: String) throws {
        let rig = try rig()
        let output = ReaderOutput(rig.parts)
        output.scannedAll()
        let text = "one\ntwo\n"
        let first = try #require(
            output.opened(sighting("/log/a.log", head: text, isS6: false), onlyIfKnown: false))
        #expect(take(output, first.file, text, at: 0) == 8)
        try rig.waitForDelivery()
        output.finished(first.file, end: 8)
        var packed = sighting("/old/a.log.1.gz", inode: 2, head: text, archived: true, isS6: false)
        packed.hasKnownSize = false
        let start = try #require(output.relocated(first.file, to: packed))
        #expect(start.file == first.file && start.offset == 8 && start.size == 9)
        // Who lets it go before its end was reached has not found out that there is no more.
        output.finished(first.file, end: 8)
        #expect(rig.registry.entry(first.file)?.size == 9)

        let again = try #require(output.opened(packed, onlyIfKnown: true))
        let end = 8 + more.utf8.count
        output.grew(again.file, size: end)
        if !more.isEmpty { #expect(take(output, again.file, more, at: 8) == more.utf8.count) }
        output.finished(again.file, end: end)
        try rig.waitForDelivery()
        let saved = try #require(rig.registry.entry(first.file))
        #expect(saved.size == end && saved.offset == end)
        output.listed("/log", on: [1]) { _ in false }
        #expect(rig.registry.entries().isEmpty && rig.counters.bytesGone == 0)
        rig.close()
    }

    /// Until it is deleted there, or comes back, its entry is for those who look after what nobody follows.
    @Test(
        "What this run has read and a listing misses is let go where it was moved away",
        .enabled(if: MachineFacts.mayAskByHandle, "\(MachineFacts.askingNeeded)"))
    func listedAndMovedAway() throws {
        let rig = try rig()
        let output = ReaderOutput(rig.parts)
        output.scannedAll()
        let path = try directory.write("a.log", "one\n")
        let opened = try Descriptor.open(path, O.read)
        var found = sighting(path, head: "one\n", isS6: false)
        found = FileSighting(
            input: 0, stream: found.stream, streamName: "/log", isS6: false, path: path,
            captures: [:], identity: FileOpener.identity(of: opened, try opened.status()),
            head: found.head, begin: found.begin, size: 4, archived: false, firstScan: true)
        let start = try #require(output.opened(found, onlyIfKnown: false))
        #expect(take(output, start.file, "one\n", at: 0) == 4)
        try rig.waitForDelivery()
        output.finished(start.file, end: 4)
        try rename(path, directory.path("aside"))
        #expect(rig.ledger.isFollowed(start.file))
        output.listed("/log", on: [found.identity.device]) { _ in false }
        #expect(rig.ledger.isUnfollowed(start.file))
        #expect(rig.registry.entry(start.file)?.state == .deleted)
        #expect(rig.counters.bytesGone == 0)
        rig.close()
    }

    /// Its entry stays that of the log that read it, whose directory does not list it after a start.
    @Test("What stands in another log's directory stays known where nobody may ask by handle")
    func listedInAnotherDirectory() throws {
        let rig = try StageRig(in: directory, paths: directory.path("logs/*/*"), input: "")
        let output = ReaderOutput(rig.parts)
        output.scannedAll()
        let path = try directory.write("logs/other/a.log.1", "one\n")
        let opened = try Descriptor.open(path, O.read)
        let status = try opened.status()
        let identity = FileIdentity(
            handle: nil, device: status.device, inode: status.inode, birth: opened.birth())
        let log = directory.path("logs/pod/a.log")
        let head = Array("one\n".utf8)
        let found = FileSighting(
            input: 0, stream: StreamID(number: 1), streamName: log, isS6: false, path: path,
            captures: [:], identity: identity, head: head, begin: head, size: 4, archived: true,
            firstScan: true)
        let start = try #require(output.opened(found, onlyIfKnown: false))
        #expect(take(output, start.file, "one\n", at: 0) == 4)
        try rig.waitForDelivery()
        output.finished(start.file, end: 4)
        output.listed(log, on: [status.device]) { _ in false }
        #expect(rig.registry.entry(start.file)?.state == .archived)
        try remove(path)
        output.listed(log, on: [status.device]) { _ in false }
        #expect(rig.registry.entries().isEmpty && rig.counters.bytesGone == 0)
        rig.close()
    }

    /// Its volume may get another number while it is there.
    @Test("A file that was moved is asked for in the directory where it is, however few are opened")
    func movedPlace() throws {
        let rig = try rig()
        let output = ReaderOutput(rig.parts)
        let found = sighting("/log/a", head: "one\n", isS6: false)
        let start = try #require(output.opened(found, onlyIfKnown: false))
        #expect(output.formers(in: "/old", on: 2).isEmpty)
        output.moved(start.file, path: "/old/a.1", archived: true)
        output.finished(start.file, end: 0)
        #expect(output.formers(in: "/old", on: 2).map(\.file) == [start.file])
        rig.close()
    }

    /// It may be the number of another volume since.
    @Test("What was saved before the machine was started and is missing is told, and stays known")
    func listedOnDoubtfulDevice() throws {
        var rig = try rig()
        var output = ReaderOutput(rig.parts)
        for inode in UInt64(1)...2 {
            let found = sighting("/log/\(inode)", inode: inode, head: "one\n")
            _ = try #require(output.opened(found, onlyIfKnown: false))
        }
        rig.close()

        rig = try self.rig()
        var parts = rig.parts
        let booted = Timestamp(nanoseconds: Timestamp.now().nanoseconds + 3_600_000_000_000)
        parts.volumes = VolumeNumbers(rig.registry.entries(), booted: booted)
        output = ReaderOutput(parts)
        output.scannedAll()
        output.listed("/log", on: [1]) { _ in false }
        output.listed("/log", on: [1]) { _ in false }
        #expect(rig.registry.entries().map(\.state) == [.deleted, .deleted])
        #expect(rig.counters.bytesGone == 8)
        // This run has seen it, and that its device is the one that both were on.
        let start = try #require(
            output.opened(sighting("/log/2", inode: 2, head: "one\n"), onlyIfKnown: true))
        output.finished(start.file, end: 0)
        output.listed("/log", on: [1]) { $0.inode == 2 }
        #expect(rig.registry.entries().map(\.identity.inode) == [2])
        output.listed("/log", on: [1]) { _ in false }
        #expect(rig.registry.entries().isEmpty)
        rig.close()
    }

    @Test("Without room nothing is taken, and what is delivered calls for another try")
    func noRoom() throws {
        let rig = try rig()
        try rig.broker.setDown()
        let output = ReaderOutput(rig.parts)
        let line = String(repeating: "x", count: 99) + "\n"
        let text = String(repeating: line, count: 2000)
        let start = try #require(
            output.opened(sighting("/log/a", head: line, size: 1 << 30), onlyIfKnown: false))
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
        try rig.broker.setUp()
        try rig.waitForDelivery()
        #expect(rig.calls.roomCameBack.load(ordering: .relaxed) > 0)
        #expect(rig.registry.entry(start.file)?.offset == position)
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
        #expect(rig.registry.entry(start.file)?.offset == 3)
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
}
