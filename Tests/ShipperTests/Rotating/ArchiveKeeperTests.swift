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

@Suite("Archives that are compressed and removed", .overBases)
struct ArchiveKeeperTests {
    let directory: TemporaryDirectory
    let source = LineSource("w", payload: 40...120)
    let lines = LogLines()
    let counters = Counters()

    init() throws {
        directory = try TemporaryDirectory()
        _ = try directory.makeDirectory("logs")
        _ = try directory.write("logs/app.log", source.lines(0..<10))
    }

    /// True once.
    private final class Once: Sendable {
        private let isNew = Mutex(true)
        func take() -> Bool {
            isNew.withLock { isNew in
                defer { isNew = false }
                return isNew
            }
        }
    }

    var path: String { directory.path("logs/app.log") }
    private var log: Log { Log(level: .debug, format: .text, sink: lines.add) }

    func open(_ number: Int = 0) throws -> Registry {
        try Registry.open(
            directory: directory.path("data-\(number)"), observer: EventLog(log),
            allowsCuts: true, newBase: NewBase.now)
    }

    /// What a kill at this moment leaves of the registry.
    private func kill() throws -> Registry {
        _ = try directory.makeDirectory("data-1/registry")
        try setMode(directory.path("data-1"), 0o700)
        for name in try directory.names("data-0/registry") {
            _ = try directory.write(
                "data-1/registry/\(name)", try readFile(directory.path("data-0/registry/\(name)")))
        }
        return try open(1)
    }

    /// Enters a file, all but the last so many bytes of it delivered.
    @discardableResult
    func enter(
        _ registry: Registry, _ path: String, state: FileState = .archived, behind: Int = 0
    ) throws -> FileEntry {
        let file = try Descriptor.open(path, O.read)
        let status = try file.status()
        let bytes = try readFile(path)
        let entry = registry.see(
            NewFile(
                input: "pods", stream: self.path, path: path,
                identity: FileIdentity(of: file, status),
                fingerprint: .of(head: Array(bytes.prefix(1024))), offset: .start,
                size: PhysicalOffset(status.size), state: state))
        let position = bytes.count - behind
        registry.advance([
            Advance(
                file: entry.file, generation: entry.generation,
                offset: entry.base.logical(PhysicalOffset(position)),
                anchor: Anchor(bytes: Array(bytes[..<position].suffix(64))),
                size: PhysicalOffset(bytes.count))
        ])
        return try #require(registry.entry(entry.file))
    }

    func keeper(
        _ registry: Registry, _ more: String = "compress: gzip", keep: Int = 50,
        size: String = "1GiB",
        free: @escaping @Sendable (Int) -> Int = { $0 },
        mayPack: @escaping @Sendable (ArchivePacking.Step) throws(SystemError) -> Bool = { _ in
            true
        }
    ) throws -> RotationRound {
        let settings = try Settings.parse(
            """
            data: \(directory.path("data"))
            inputs:
              - name: pods
                paths: ["\(directory.path("logs"))/*.log"]
                rotation: {size: \(size), keep: \(keep), \(more)}
            output: {kafka: {brokers: embedded, topic: logs}}

            """)
        var parts = RotationRun.Parts(registry: registry)
        parts.mayPack = mayPack
        parts.free = free
        return RotationRound(settings, parts, counters, log, zone: .utc, isNear: { _ in true })
    }

    /// Looks until nothing is left to be done at once.
    func look(
        _ round: RotationRound, from now: Int64 = 0, wall: Int64 = Clock.wallNanoseconds()
    ) {
        for number in 0..<1_000
        where round.look(now + Int64(number), wall: wall).isUnderWay == false { return }
        Issue.record("it does not end")
    }

    func names() throws -> [String] {
        try directory.names("logs").filter { $0 != "app.log" }.sorted()
    }

    @Test("O5: an archive is packed, and zcat gives its bytes; owner, mode and time are the same")
    func packed() throws {
        let registry = try open()
        try enter(registry, path, state: .active)
        let content = source.lines(10..<40_000)
        let old = try directory.write("logs/app.log.1", content)
        try setMode(old, 0o640)
        let isRoot = getuid() == 0
        if isRoot {
            try give(old, owner: 12, group: 34)
        }
        try Descriptor.open(old, O_RDWR).setTimes(FileTime(nanoseconds: 1_700_000_000_123_456_789))
        let before = try enter(registry, old)
        look(try keeper(registry))
        #expect(try names() == ["app.log.1.gz"], "\(lines.all)")
        #expect(try zcat(old + ".gz") == content)
        let status = try FileStatus.glance(at: Array((old + ".gz").utf8))
        #expect(status.mode & 0o777 == 0o640)
        #expect(status.modified == FileTime(nanoseconds: 1_700_000_000_123_456_789))
        if isRoot { #expect(status.owner == 12 && status.group == 34) }
        // What was known of the one is known of the other.
        let file = try Descriptor.open(old + ".gz", O.read)
        let match = registry.find(
            identity: FileIdentity(of: file, try file.status()), head: Array(content.prefix(1024)))
        guard case .same(let after) = match else {
            Issue.record("\(match)")
            return
        }
        #expect(after.hasContent(of: before) && after.path == old + ".gz")
        #expect(counters.packedArchives == 1)
        #expect(lines.all.contains { $0.contains("archive compressed") })
    }

    @Test("O5: delay_compress leaves the newest plain, and what is not delivered stays as it is")
    func delayed() throws {
        let registry = try open()
        try enter(registry, path, state: .active)
        for number in 1...4 {
            let old = try directory.write(
                "logs/app.log.\(number)", source.lines(100 * number..<100 * number + 100))
            switch number {
            case 3: try enter(registry, old, behind: 10)
            case 4: break
            default: try enter(registry, old)
            }
        }
        look(try keeper(registry, "compress: gzip, delay_compress: true"))
        #expect(try names() == ["app.log.1", "app.log.2.gz", "app.log.3", "app.log.4"])
        #expect(try zcat(path + ".2.gz") == source.lines(200..<300))
    }

    @Test("O5: max_total removes the oldest beyond so many bytes")
    func removedByBytes() throws {
        let registry = try open()
        try enter(registry, path, state: .active)
        for number in 1...3 {
            try enter(
                registry,
                try directory.write(
                    "logs/app.log.\(number)", [UInt8](repeating: 0x0A, count: 600 << 10)))
        }
        look(try keeper(registry, "max_total: 1300KiB", size: "64KiB"))
        #expect(try names() == ["app.log.1", "app.log.2"], "\(lines.all)")
        #expect(counters.removedArchives == 1)
    }

    enum Entry { case gone, deleted }

    /// A reader that listed the directory before, and looks at what it knows after.
    @Test(
        "A packed archive whose entry leaves or is marked while it gets its name is known all the same",
        arguments: [ArchivePacking.Step.place, .remove], [Entry.gone, .deleted])
    func confirmed(step: ArchivePacking.Step, entry: Entry) throws {
        let registry = try open()
        try enter(registry, path, state: .active)
        let content = source.lines(10..<3_000)
        try enter(registry, try directory.write("logs/app.log.1", content))
        let once = Once()
        let round = try keeper(
            registry,
            mayPack: { (now) throws(SystemError) in
                guard now == step, once.take() else { return true }
                for packed in registry.entries() where packed.path.hasSuffix(".gz") {
                    switch entry {
                    case .gone: registry.gone(packed.file)
                    case .deleted: registry.moved(packed.file, path: packed.path, state: .deleted)
                    }
                }
                return true
            })
        look(round)
        #expect(try names() == ["app.log.1.gz"], "\(lines.all)")
        let status = try FileStatus.glance(at: Array((path + ".1.gz").utf8))
        let known = try kill().entries().filter { $0.identity.hasNumbers(of: status) }
        #expect(known.count == 1 && known.first?.state == .archived, "\(known)")
        #expect(known.first?.path == path + ".1.gz")
        #expect(known.first.map { $0.offset == $0.end } == true)
    }

    @Test("O5: max_age removes the oldest, and nothing that is not delivered")
    func removed() throws {
        let registry = try open()
        try enter(registry, path, state: .active)
        for number in 1...3 {
            let old = try directory.write(
                "logs/app.log.\(number)", source.lines(100 * number..<100 * number + 100))
            try Descriptor.open(old, O_RDWR).setTimes(
                FileTime(nanoseconds: Clock.wallNanoseconds() - Int64(number) * 3_600_000_000_000))
            try enter(registry, old, behind: number == 2 ? 10 : 0)
        }
        look(try keeper(registry, "max_age: 90m"))
        #expect(try names() == ["app.log.1", "app.log.2"], "\(lines.all)")
        #expect(lines.all.contains { $0.contains("too old or too many") && $0.contains("log.2") })
        #expect(counters.removedArchives == 1)
    }

    private static let steps: [ArchivePacking.Step?] = [
        .pack, .prove, .enter, .place, .remove, nil,
    ]

    @Test(
        "O2: killed before any step of packing: every byte is there once after the next start",
        arguments: steps)
    func killed(before last: ArchivePacking.Step?) throws {
        let content = source.lines(10..<30_000)
        let old = try directory.write("logs/app.log.1", content)
        do {
            let registry = try open()
            try enter(registry, path, state: .active)
            try enter(registry, old)
            look(try keeper(registry, mayPack: { step throws(SystemError) in step != last }))
        }
        #expect(try names().contains("app.log.1") == (last != nil))
        #expect(try names().contains("app.log.1.gz") == (last == nil || last == .remove))
        let registry = try kill()
        // Every file that has a name an archive may have is known, and delivered.
        for name in try names() where name.hasPrefix("app") {
            let status = try FileStatus.glance(at: Array(directory.path("logs/\(name)").utf8))
            let known = registry.entries().filter { $0.identity.inode == status.inode }
            #expect(known.count == 1 && known.allSatisfy { $0.offset == $0.end }, "\(name)")
        }
        look(try keeper(registry))
        #expect(try names() == ["app.log.1.gz"], "\(lines.all)")
        #expect(try zcat(old + ".gz") == content)
    }

    @Test(
        "O2: any step of packing fails: the archive is as it was, nothing is left, and it is told",
        arguments: [ArchivePacking.Step.pack, .prove, .enter, .place, .remove])
    func failing(at last: ArchivePacking.Step) throws {
        let content = source.lines(10..<30_000)
        let old = try directory.write("logs/app.log.1", content)
        let registry = try open()
        try enter(registry, path, state: .active)
        try enter(registry, old)
        let isFirst = Once()
        let round = try keeper(
            registry,
            mayPack: { step throws(SystemError) in
                guard step == last, isFirst.take() else { return true }
                throw SystemError("test", code: .noSpace)
            })
        look(round)
        #expect(lines.all.contains { $0.contains("could not be compressed") }, "\(lines.all)")
        #expect(try readFile(old) == content)
        #expect(try names() == (last != .remove ? ["app.log.1"] : ["app.log.1", "app.log.1.gz"]))
        look(round, from: 700_000_000_000)
        #expect(try names() == ["app.log.1.gz"], "\(lines.all)")
        #expect(try zcat(old + ".gz") == content)
    }

    /// 1. An archive is being packed.
    /// 2. Its log is rotated, so it gets another number; or somebody who had it open writes to it.
    @Test(
        "O12: an archive that is moved, written to or removed while it is packed", arguments: 0...2)
    func changed(how: Int) throws {
        let content = source.lines(10..<30_000)
        let old = try directory.write("logs/app.log.1", content)
        let registry = try open()
        try enter(registry, path, state: .active)
        try enter(registry, old)
        let isFirst = Once()
        let second = path + ".2"
        let more = source.lines(0..<1)
        let round = try keeper(
            registry,
            mayPack: { step throws(SystemError) in
                guard step == .enter, isFirst.take() else { return true }
                switch how {
                case 0: try rename(old, second)
                case 1: try appendBytes(more, to: old)
                default: try remove(old)
                }
                return true
            })
        look(round)
        switch how {
        case 0:
            #expect(try names() == ["app.log.2.gz"], "\(lines.all)")
            #expect(try zcat(second + ".gz") == content)
        case 1:
            #expect(try names() == ["app.log.1"], "\(lines.all)")
            #expect(try readFile(old) == content + more)
        default: #expect(try names().isEmpty, "\(lines.all)")
        }
        #expect(
            !lines.all.contains { $0.contains("ERROR") || $0.contains("error") }, "\(lines.all)")
    }

    /// 1. A log is rotated, and its archive gets its entry.
    /// 2. The same look goes on to the archives, by what was known before: that one is a stranger.
    @Test(
        "O5: what was archived a moment ago is compressed at once, and not ten minutes later",
        .enabled(if: CollapsingDisk.isHere, "the file system of /tmp cannot collapse"))
    func atOnce() throws {
        let registry = try open()
        try appendBytes(source.lines(10..<3_000), to: path)
        try enter(registry, path, state: .active)
        let round = try keeper(registry)
        look(round)
        #expect(!round.fulfil(RotationWish(isForced: true)).isFault)
        look(round, from: 1)
        #expect(try names() == ["app.log.1.gz"], "\(lines.all)")
        // By a look that rotates by itself. The plain one's inode number is free, and is given
        // again.
        try appendBytes(source.lines(3_000..<9_000), to: path)
        let second = try keeper(registry, "age: 1m, compress: gzip")
        let known = try #require(registry.entries().first { $0.state == .active })
        let bytes = try readFile(path)
        registry.advance([
            Advance(
                file: known.file, generation: known.generation,
                offset: known.base.logical(PhysicalOffset(bytes.count)),
                anchor: Anchor(bytes: Array(bytes.suffix(64))), size: PhysicalOffset(bytes.count))
        ])
        let later = Clock.wallNanoseconds() + 3_600_000_000_000
        for number in 0..<20 { second.look(Int64(number), wall: later) }
        #expect(try names() == ["app.log.1.gz", "app.log.2.gz"], "\(lines.all)")
    }

    @Test("O9: too little room for the packed archive: nothing is begun, and it is told")
    func noRoom() throws {
        let registry = try open()
        try enter(registry, path, state: .active)
        let old = try directory.write("logs/app.log.1", source.lines(10..<30_000))
        try enter(registry, old)
        look(try keeper(registry, free: { _ in 1_000 }))
        #expect(try names() == ["app.log.1"])
        #expect(lines.all.contains { $0.contains("could not be compressed") })
    }

    @Test("O6: a directory that others may write to is left alone by root")
    func openToOthers() throws {
        guard getuid() == 0 else { return }
        let registry = try open()
        try enter(registry, path, state: .active)
        let old = try directory.write("logs/app.log.1", source.lines(10..<300))
        try enter(registry, old)
        try setMode(directory.path("logs"), 0o777)
        look(try keeper(registry))
        #expect(try names() == ["app.log.1"])
    }
}
