import Model
import Platform
import Synchronization
import TestSupport
import Testing

@testable import Kafka
@testable import Registry
@testable import Shipper
@testable import Tailer

/// Saved files whose fate the reader finds out, by the calls of the Tailer, with a real producer behind.
@Suite("What is remembered of files", .overBases) struct FileMemoryTests {
    let directory: TemporaryDirectory

    init() throws { directory = try TemporaryDirectory() }

    private func rig() throws -> StageRig {
        try StageRig(in: directory, paths: "/log/*")
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
        #expect(rig.counters.bytesLost == 8)
        #expect(
            rig.log.all.filter { $0.hasPrefix("error") } == [
                "error bytes lost path=/log/2 from=\(at(0)) to=\(at(8)) reason=deleted_unread"
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
        #expect(rig.counters.bytesLost == 8)
        rig.close()
    }

    @Test("A file whose deliveries are on their way is not let go because a listing has it no more")
    func listedWhileOutstanding() throws {
        let rig = try rig()
        try rig.broker.takeDown()
        let output = ReaderOutput(rig.parts)
        output.scannedAll()
        let start = try #require(
            output.opened(sighting("/log/a", head: "one\n"), onlyIfKnown: false))
        #expect(take(output, start.file, "one\n", at: 0) == 4)
        output.finished(start.file, end: at(4))
        output.listed("/log", on: [1]) { _ in false }
        #expect(rig.registry.entry(start.file) != nil)
        try rig.broker.bringUp()
        try rig.waitForDelivery()
        output.listed("/log", on: [1]) { _ in false }
        #expect(rig.registry.entry(start.file) == nil && rig.counters.bytesLost == 0)
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
        output.finished(first.file, end: at(8))
        var packed = sighting("/old/a.log.1.gz", inode: 2, head: text, archived: true, isS6: false)
        packed.hasKnownSize = false
        let start = try #require(output.relocated(first.file, to: packed))
        #expect(start.file == first.file && start.offset == at(8) && start.size == 9)
        // Who lets it go before its end was reached has not found out that there is no more.
        output.finished(first.file, end: at(8))
        #expect(rig.registry.entry(first.file)?.size == 9)

        let again = try #require(output.opened(packed, onlyIfKnown: true))
        let end = at(8 + more.utf8.count)
        output.grew(again.file, size: end)
        if !more.isEmpty { #expect(take(output, again.file, more, at: 8) == more.utf8.count) }
        output.finished(again.file, end: end)
        try rig.waitForDelivery()
        let saved = try #require(rig.registry.entry(first.file))
        #expect(saved.size.bytes == 8 + more.utf8.count && saved.offset == end)
        output.listed("/log", on: [1]) { _ in false }
        #expect(rig.registry.entries().isEmpty && rig.counters.bytesLost == 0)
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
            captures: [:], identity: FileIdentity(of: opened, try opened.status()),
            head: found.head, begin: found.begin, size: 4, archived: false, firstScan: true)
        let start = try #require(output.opened(found, onlyIfKnown: false))
        #expect(take(output, start.file, "one\n", at: 0) == 4)
        try rig.waitForDelivery()
        output.finished(start.file, end: at(4))
        try rename(path, directory.path("aside"))
        #expect(rig.ledger.isFollowed(start.file))
        output.listed("/log", on: [found.identity.device]) { _ in false }
        #expect(rig.ledger.isUnfollowed(start.file))
        #expect(rig.registry.entry(start.file)?.state == .deleted)
        #expect(rig.counters.bytesLost == 0)
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
            handle: nil, device: status.device, inode: status.inode,
            birth: opened.birth()?.nanoseconds)
        let log = directory.path("logs/pod/a.log")
        let head = Array("one\n".utf8)
        let found = FileSighting(
            input: 0, stream: StreamID(number: 1), streamName: log, isS6: false, path: path,
            captures: [:], identity: identity, head: head, begin: head, size: 4, archived: true,
            firstScan: true)
        let start = try #require(output.opened(found, onlyIfKnown: false))
        #expect(take(output, start.file, "one\n", at: 0) == 4)
        try rig.waitForDelivery()
        output.finished(start.file, end: at(4))
        output.listed(log, on: [status.device]) { _ in false }
        #expect(rig.registry.entry(start.file)?.state == .archived)
        try remove(path)
        output.listed(log, on: [status.device]) { _ in false }
        #expect(rig.registry.entries().isEmpty && rig.counters.bytesLost == 0)
        rig.close()
    }

    enum OutOfReach: CaseIterable { case unreadable, away }

    /// A loop of links stands for whatever cannot be looked through for a while.
    @Test(
        "What may only be out of reach stays known, in another log's directory or as a closed file",
        arguments: OutOfReach.allCases)
    func outOfReach(reason: OutOfReach) throws {
        let rig = try StageRig(in: directory, paths: directory.path("logs/*/*"), input: "")
        let output = ReaderOutput(rig.parts)
        output.scannedAll()
        let path = try directory.write("logs/other/a.log.1", "one\n")
        let status = try Descriptor.open(path, O.read).status()
        let device = status.device + (reason == .away ? 1 : 0)
        let log = directory.path("logs/pod/a.log")
        let head = Array("one\n".utf8)
        let found = FileSighting(
            input: 0, stream: StreamID(number: 1), streamName: log, isS6: false, path: path,
            captures: [:],
            identity: FileIdentity(handle: nil, device: device, inode: status.inode, birth: nil),
            head: head, begin: head, size: 4, archived: true, firstScan: true)
        let start = try #require(output.opened(found, onlyIfKnown: false))
        #expect(take(output, start.file, "one\n", at: 0) == 4)
        try rig.waitForDelivery()
        output.finished(start.file, end: at(4))
        let place = directory.path("logs/other")
        try rename(place, directory.path("aside"))
        if reason == .unreadable { try makeLink(place, to: place) }
        #expect(output.knownFiles.isElsewhere(start.file))
        output.listed(log, on: [device]) { _ in false }
        #expect(rig.registry.entry(start.file) != nil && rig.counters.bytesLost == 0)
        // Nobody else decides of it.
        #expect(rig.ledger.isUnfollowed(start.file))
        if reason == .unreadable {
            try remove(place)
            #expect(!output.knownFiles.isElsewhere(start.file))
        }
        rig.close()
    }

    /// Its volume may get another number while it is there.
    @Test("A file that was moved is asked for in the directory where it is, however few are opened")
    func movedPlace() throws {
        let rig = try rig()
        let output = ReaderOutput(rig.parts)
        let found = sighting("/log/a", head: "one\n", isS6: false)
        let start = try #require(output.opened(found, onlyIfKnown: false))
        #expect(output.knownFiles.formers(in: "/old", on: 2).isEmpty)
        output.moved(start.file, path: "/old/a.1", archived: true)
        output.finished(start.file, end: at(0))
        #expect(output.knownFiles.formers(in: "/old", on: 2).map(\.file) == [start.file])
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
        #expect(rig.counters.bytesLost == 8)
        // This run has seen it, and that its device is the one that both were on.
        let start = try #require(
            output.opened(sighting("/log/2", inode: 2, head: "one\n"), onlyIfKnown: true))
        output.finished(start.file, end: at(0))
        output.listed("/log", on: [1]) { $0.inode == 2 }
        #expect(rig.registry.entries().map(\.identity.inode) == [2])
        output.listed("/log", on: [1]) { _ in false }
        #expect(rig.registry.entries().isEmpty)
        rig.close()
    }
}
