import Glibc
import Model
import Platform
import Rotator
import Settings
import Synchronization
import TestSupport
import Testing

@testable import Registry
@testable import Shipper
@testable import Tailer

@Suite(
    "A look at the logs that are to be rotated",
    .enabled(if: CollapsingDisk.isHere, "the file system of /tmp cannot collapse"))
struct RotationRoundTests {
    private let directory: TemporaryDirectory
    private let source = LineSource("w", payload: 40...120)
    private let lines = LogLines()
    private let counters = Counters()
    private let registry: Registry
    /// Longer than a log is left alone that could not be rotated.
    private let later: Int64 = 120_000_000_000

    init() throws {
        directory = try TemporaryDirectory()
        registry = try Registry.open(
            directory: directory.path("data"),
            observer: EventLog(Log(level: .debug, format: .text, sink: lines.add)),
            allowsCuts: true)
        _ = try directory.makeDirectory("logs")
    }

    private var path: String { directory.path("logs/app.log") }

    private func round(
        name: String = "pods", keep: Int = 50, when: String = "size: 64KiB",
        exclude: String = "", longest: Int = 16 << 30,
        free: @escaping @Sendable (Int) -> Int = { $0 }
    ) throws -> RotationRound {
        let settings = try Settings.parse(
            """
            data: \(directory.path("data"))
            inputs:
              - name: \(name)
                paths: ["\(directory.path("logs"))/*.log"]
                exclude: [\(exclude)]
                rotation: {\(when), keep: \(keep)}
            output: {kafka: {brokers: embedded, topic: logs}}

            """)
        var parts = RotationRun.Parts(registry: registry)
        parts.free = free
        parts.longest = longest
        let log = Log(level: .debug, format: .text, sink: lines.add)
        return RotationRound(settings, parts, counters, log, isNear: { _ in true })
    }

    /// Enters a file whose bytes are all delivered.
    @discardableResult
    private func enter(_ path: String, state: FileState = .active) throws -> FileEntry {
        let file = try Descriptor.open(path, O.read)
        let status = try file.status()
        let head = try file.read(count: Fingerprint.longest, at: 0)
        let entry = registry.see(
            NewFile(
                input: "pods", stream: self.path, path: path,
                identity: FileIdentity(of: file, status), fingerprint: .of(head: head),
                offset: .start, size: PhysicalOffset(status.size), state: state))
        return try deliver(entry, path)
    }

    @discardableResult
    private func deliver(_ entry: FileEntry, _ path: String) throws -> FileEntry {
        let bytes = try readFile(path)
        let known = try #require(registry.entry(entry.file))
        registry.advance([
            Advance(
                file: known.file, generation: known.generation,
                offset: known.base.logical(PhysicalOffset(bytes.count)),
                anchor: Anchor(bytes: Array(bytes.suffix(64))), size: PhysicalOffset(bytes.count))
        ])
        return try #require(registry.entry(entry.file))
    }

    private func names() throws -> [String] { try directory.names("logs").sorted() }

    @Test("O3: a log that has grown far beyond its size goes in parts")
    func parts() throws {
        let whole = source.lines(0..<4000)
        _ = try directory.write("logs/app.log", whole)
        try enter(path)
        let round = try round()
        round.look(0)
        #expect(counters.rotations == 1, "\(lines.all)")
        let archive = try readFile(path + ".1")
        #expect(archive.count <= 64 << 10)
        #expect(archive + (try readFile(path)) == whole)
    }

    @Test("The log of an input that has another name now is rotated as that one asks")
    func renamedInput() throws {
        _ = try directory.write("logs/app.log", source.lines(0..<4000))
        try enter(path)
        // What an input leaves out is not its own, whatever it was.
        try round(exclude: "\"**/app.log\"").look(0)
        #expect(counters.rotations == 0 && counters.failedRotations == 0, "\(lines.all)")
        try round(name: "other", exclude: "\"**/app.log\"").look(0)
        #expect(counters.rotations == 0, "\(lines.all)")
        try round(name: "other").look(later)
        #expect(counters.rotations == 1, "\(lines.all)")
    }

    /// While it is copied, no other log is rotated.
    @Test("O3: a log whose input says no size goes in parts, too, all of it at its time")
    func partsByTime() throws {
        let whole = source.lines(0..<4000)
        _ = try directory.write("logs/app.log", whole)
        let entry = try enter(path)
        let round = try round(when: "age: 1m", longest: 64 << 10)
        let later = Clock.wallNanoseconds() + 3_600_000_000_000
        round.look(0, wall: later)
        #expect(counters.rotations == 1, "\(lines.all)")
        #expect(try readFile(path + ".1").count <= 64 << 10)
        for number in 1..<20 { round.look(Int64(number), wall: later) }
        #expect(counters.rotations == (whole.count - 1_088) / (64 << 10) + 1, "\(lines.all)")
        var all: [UInt8] = []
        for number in (1...counters.rotations).reversed() {
            let archive = try readFile("\(path).\(number)")
            #expect(archive.count <= 64 << 10)
            all += archive
        }
        #expect(all + (try readFile(path)) == whole)
        #expect(try #require(registry.entry(entry.file)).size.bytes < 8_192)
    }

    /// 1. An archive is delivered.
    /// 2. Somebody writes something else into it, in place.
    @Test("O5: the oldest archive does not go where it has other bytes than were delivered")
    func otherContent() throws {
        _ = try directory.write("logs/app.log", source.lines(0..<2000))
        try enter(path)
        let old = try directory.write("logs/app.log.1", source.lines(5000..<5100))
        try enter(old, state: .archived)
        let bytes = try readFile(old)
        try Descriptor.open(old, O_RDWR).write(Array("something else\n".utf8))
        let round = try round(keep: 1)
        round.look(0)
        #expect(counters.rotations == 0, "\(lines.all)")
        #expect(lines.all.contains { $0.contains("move it away") })
        try Descriptor.open(old, O_RDWR).write(bytes)
        round.look(later)
        #expect(counters.rotations == 1, "\(lines.all)")
        // No entry of what is gone is left, whose inode number is another file's next.
        #expect(registry.entries().count == 2)
    }

    @Test("O9: too little room for the archive: nothing is copied, and it is told")
    func noRoom() throws {
        let whole = source.lines(0..<2000)
        _ = try directory.write("logs/app.log", whole)
        try enter(path)
        try round(free: { _ in 100_000 }).look(0)
        #expect(counters.failedRotations == 1)
        #expect(lines.all.contains { $0.contains("too little room") }, "\(lines.all)")
        #expect(try names() == ["app.log"])
        #expect(try readFile(path) == whole)
    }

    /// 1. A program writes its log without O_APPEND.
    /// 2. After a rotation it writes on at its old place.
    @Test("O1: a writer that does not append: no archive of zeros takes the place of one of lines")
    func noAppend() throws {
        let whole = source.lines(0..<2000)
        _ = try directory.write("logs/app.log", whole)
        let entry = try enter(path)
        let round = try round()
        var now: Int64 = 0
        for _ in 0..<20 {
            round.look(now)
            now += later
        }
        let archives = counters.rotations
        #expect(archives >= 2)
        // A few lines, and then as much as a log may have.
        for lines in [2000..<2010, 2010..<4000] {
            let file = try Descriptor.open(path, O_WRONLY)
            let place = whole.count + (lines.lowerBound == 2000 ? 0 : 1 << 20)
            _ = file.withRawValue { lseek($0, place, SEEK_SET) }
            try file.write(source.lines(lines))
            try deliver(entry, path)
            for _ in 0..<3 {
                round.look(now)
                now += later
            }
        }
        #expect(counters.rotations == archives)
        #expect(lines.all.contains { $0.contains("O_APPEND") }, "\(lines.all)")
        #expect(try names().count == 1 + archives)
    }

    /// An archive that logrotate has left, one that somebody may write to, one that is not
    /// delivered; and one that may go.
    @Test(
        "O5: the oldest archive goes only where it is known, final and delivered",
        arguments: [nil, FileState.active, .archived])
    func archives(state: FileState?) throws {
        let whole = source.lines(0..<2000)
        _ = try directory.write("logs/app.log", whole)
        try enter(path)
        let old = try directory.write("logs/app.log.1", source.lines(5000..<5100))
        if let state { try enter(old, state: state) }
        let round = try round(keep: 1)
        if state == .archived {
            // Somebody has appended to it.
            try appendBytes(source.lines(5100..<5200), to: old)
        }
        round.look(0)
        #expect(counters.rotations == 0 && counters.failedRotations == 1, "\(lines.all)")
        #expect(lines.all.contains { $0.contains("move it away") })
        #expect(try names() == ["app.log", "app.log.1"])
        #expect(try readFile(path) == whole)
        guard state == .archived else { return }
        try deliver(try #require(registry.entries().last), old)
        round.look(later)
        #expect(counters.rotations == 1, "\(lines.all)")
        #expect(try readFile(old) == Array(whole[..<(try readFile(old).count)]))
    }

    /// It has an entry that says all of it is done, and no byte of it was ever sent.
    @Test("O5: an archive that `start: end` has passed over does not go")
    func passedOver() throws {
        _ = try directory.write("logs/app.log", source.lines(0..<2000))
        try enter(path)
        let old = try directory.write("logs/app.log.1", source.lines(5000..<5100))
        let file = try Descriptor.open(old, O.read)
        let status = try file.status()
        let end = PhysicalOffset(status.size)
        _ = registry.see(
            NewFile(
                input: "pods", stream: path, path: old, identity: FileIdentity(of: file, status),
                fingerprint: .of(head: try file.read(count: Fingerprint.longest, at: 0)),
                offset: end, size: end, state: .archived))
        try round(keep: 1).look(0)
        #expect(counters.rotations == 0, "\(lines.all)")
        #expect(lines.all.contains { $0.contains("move it away") })
        #expect(try names() == ["app.log", "app.log.1"])
    }

    @Test func aLookTakesALittleOfTheTimeAndRotationsAreNotCounted() {
        #expect(Rotations.pause(20_000_000, looked: 0) == 20_000_000)
        #expect(Rotations.pause(1_000_000_000, looked: 500_000_000) == 10_000_000_000)
        #expect(Rotations.pause(1_000_000_000, looked: -5) == 1_000_000_000)
    }
}
