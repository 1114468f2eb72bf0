import Glibc
import Model
import Patterns
import Platform
import Settings
import Synchronization
import TestSupport
import Testing

@testable import Registry
@testable import Shipper
@testable import Tailer

@Suite("Entries of files that are gone with their directory") struct OutOfSightFilesTests {
    let directory: TemporaryDirectory
    let registry: Registry
    let ledger: DeliveryLedger
    let settings: Settings
    private let lost = Lost()

    private final class Lost: Sendable {
        let ranges = Mutex<[String: ByteRange]>([:])
        let reasons = Mutex<[String: LossReason]>([:])
        let places = Mutex<[String: String]>([:])
        let forgotten = Mutex<[String]>([])
        let kept = Mutex<[Int]>([])
        let goneUnseen = Mutex<[String]>([])
    }

    init() throws {
        directory = try TemporaryDirectory()
        try directory.makeDirectory("logs")
        registry = try Registry.open(
            directory: directory.path("data"),
            observer: EventLog(Log(level: .error, format: .text) { _ in }))
        ledger = DeliveryLedger(
            registry: registry, budget: InFlightBudget(limit: 10_000), counters: Counters(),
            roomCameBack: {}, allDelivered: {})
        settings = try Settings.parse(
            """
            data: \(directory.path("data"))
            inputs: [{name: pods, paths: ["\(directory.path("logs"))/{pod}/log/*.log"]}]
            output: {kafka: {brokers: embedded, topic: logs}}

            """)
    }

    private func outOfSight(
        most: Int = OutOfSightFiles.most, of inputs: [TailerInput]? = nil,
        volumes: VolumeNumbers = .sure
    ) -> OutOfSightFiles {
        OutOfSightFiles(
            inputs ?? tailing, registry: registry, ledger: ledger, most: most,
            volumes: volumes
        ) {
            [lost] event in
            switch event {
            case .tailer(.lost(let path, let range, let reason)):
                lost.ranges.withLock { $0[path] = range }
                lost.reasons.withLock { $0[path] = reason }
            case .tailer(.foundElsewhere(let path, let place)):
                lost.places.withLock { $0[path] = place }
            case .tailer(.goneUnseen(let path, _)): lost.goneUnseen.withLock { $0.append(path) }
            case .tailer: break
            case .forgotten(let entry): lost.forgotten.withLock { $0.append(entry.path) }
            case .kept(let files, _, _): lost.kept.withLock { $0.append(files) }
            }
        }
    }

    private var tailing: [TailerInput] {
        settings.inputs.map { InputPlan($0, settings.output.kafka).tailing }
    }

    /// Calls `body` with what is told as lost.
    private func outOfSight(
        _ body: @escaping @Sendable (_ path: String, ByteRange) -> Void
    ) -> OutOfSightFiles {
        OutOfSightFiles(tailing, registry: registry, ledger: ledger) { event in
            if case .tailer(.lost(let path, let range, _)) = event { body(path, range) }
        }
    }

    /// A file of 10 bytes, of which `delivered` are; on its own device, or on another one.
    private func make(
        _ name: String, delivered: Int = 10, elsewhere: Bool = false, input: String = "pods"
    ) throws -> FileID {
        let path = try directory.write("logs/\(name)", "123456789\n")
        let status = try FileStatus.glance(at: Array(path.utf8))
        let entry = registry.see(
            NewFile(
                input: input, stream: path, path: path,
                identity: FileIdentity(
                    handle: nil, device: status.device + (elsewhere ? 1 : 0), inode: status.inode,
                    birth: nil), fingerprint: .of(head: []), offset: 0, size: 10))
        registry.advance([
            Advance(
                file: entry.file, generation: entry.generation, offset: LogicalOffset(delivered),
                anchor: .none)
        ])
        return entry.file
    }

    private func removeTree(_ relative: String) throws {
        for name in try directory.names("logs/\(relative)/log") {
            try remove(directory.path("logs/\(relative)/log/\(name)"))
        }
        for path in ["logs/\(relative)/log", "logs/\(relative)"] {
            try removeDirectory(directory.path(path))
        }
    }

    @Test("They leave at the second look, and bytes that were never read are reported as lost")
    func gone() throws {
        let whole = try make("a/log/x.log")
        let half = try make("a/log/y.log", delivered: 4)
        let there = try make("b/log/x.log")
        try removeTree("a")
        var outOfSight = outOfSight()
        outOfSight.look()
        #expect(registry.entries().map(\.file) == [whole, half, there])
        outOfSight.look()
        #expect(registry.entries().map(\.file) == [there])
        let path = directory.path("logs/a/log/y.log")
        #expect(lost.ranges.withLock { $0 } == [path: ByteRange(start: 4, end: 10)])
        #expect(try #require(registry.entry(there)).state == .active)
    }

    /// 1. Of three files in such a directory one is removed, one renamed, one moved away.
    /// 2. Then the directory goes with what is left.
    @Test("They leave, and only they, where their directory's name is no text")
    func namedInBytes() throws {
        let pod = Array(directory.path("logs/").utf8) + [0x70, 0xFF, 0x5C, 0x78, 0x66, 0x66]
        let log = pod + Array("/log".utf8)
        try makeDirectory(named: pod)
        try makeDirectory(named: log)
        func path(_ name: String) -> [UInt8] { log + Array("/\(name)".utf8) }
        let files = try ["there.log", "removed.log", "renamed.log"].map { name in
            try appendBytes(Array("123456789\n".utf8), toName: path(name))
            let status = try FileStatus.glance(at: path(name))
            let text = PathText.text(path(name))
            return registry.see(
                NewFile(
                    input: "pods", stream: text, path: text,
                    identity: FileIdentity(
                        handle: nil, device: status.device, inode: status.inode, birth: nil),
                    fingerprint: .of(head: []), offset: 0, size: 10, state: .deleted)
            ).file
        }
        try remove(named: path("removed.log"))
        try rename(named: path("renamed.log"), to: path("renamed.log.1"))
        var outOfSight = outOfSight()
        for _ in 0..<3 { outOfSight.look() }
        #expect(registry.entries().map(\.file) == [files[0], files[2]])
        #expect(registry.entry(files[0])?.state == .active)
        for name in ["there.log", "renamed.log.1"] { try remove(named: path(name)) }
        try remove(named: log)
        try remove(named: pod)
        for _ in 0..<3 { outOfSight.look() }
        #expect(registry.entries().isEmpty)
        #expect(
            lost.ranges.withLock { $0 } == [
                PathText.text(path("there.log")): ByteRange(start: 0, end: 10)
            ])
    }

    @Test(
        "Of two directories that differ in the spelling of a character, the one that is there stays"
    )
    func spellings() throws {
        let composed = try make("caf\u{E9}/log/x.log")
        let decomposed = try make("cafe\u{301}/log/x.log")
        try removeTree("cafe\u{301}")
        var outOfSight = outOfSight()
        outOfSight.look()
        outOfSight.look()
        #expect(registry.entries().map(\.file) == [composed])
        #expect(registry.entry(decomposed) == nil)
    }

    @Test(
        "They leave as well where a link has the directory's name by now: no pattern leads through it"
    )
    func linked() throws {
        let file = try make("a/log/x.log", delivered: 4)
        let other = try make("b/log/x.log", delivered: 4)
        try rename(directory.path("logs/a"), directory.path("aside"))
        try makeLink(directory.path("logs/a"), to: directory.path("aside"))
        var outOfSight = outOfSight()
        for _ in 0..<2 { outOfSight.look() }
        #expect(registry.entry(file) == nil)
        #expect(registry.entry(other) != nil)
        let path = directory.path("logs/a/log/x.log")
        #expect(lost.ranges.withLock { $0 } == [path: ByteRange(start: 4, end: 10)])
    }

    /// A link that a pattern's own beginning has is followed, also where others begin before it.
    @Test("They stay where a link has the directory's name to which a pattern leads by itself")
    func linkedPrefix() throws {
        let file = try make("a/log/x.log", delivered: 4)
        try rename(directory.path("logs/a"), directory.path("aside"))
        try makeLink(directory.path("logs/a"), to: directory.path("aside"))
        let above = Array(directory.path.split(separator: "/"))
        let prefixes = (1...above.count).map { "/" + above.prefix($0).joined(separator: "/") }
        let patterns = prefixes.map { "\($0)/**/*.log" } + [directory.path("logs/a/*/*.log")]
        let inputs = [
            TailerInput(
                name: "pods", paths: try patterns.map { try PathPattern($0) }, exclude: [],
                maxLine: 1024)
        ]
        var outOfSight = outOfSight(of: inputs)
        for _ in 0..<2 { outOfSight.look() }
        #expect(registry.entry(file) != nil)
        #expect(lost.ranges.withLock { $0.isEmpty })
    }

    /// Two disks may have each other's numbers, and one of them not be mounted yet.
    @Test(
        "What was saved before the machine was started leaves only where its device has another such file",
        arguments: [true, false])
    func otherVolume(isProven: Bool) throws {
        let half = try makeKnown("a/log/x.log", delivered: 4)
        let whole = try make("a/log/y.log")
        let beside = try makeKnown("b/log/x.log", delivered: 10)
        let volumes = doubtful
        try removeTree("a")
        let path = directory.path("logs/b/log/x.log")
        if !isProven {
            try rename(path, directory.path("aside"))
            try directory.write("logs/b/log/x.log", "another\n")
        }
        var outOfSight = outOfSight(volumes: volumes)
        for _ in 0..<4 { outOfSight.look() }
        #expect(
            registry.entries().map(\.file) == (isProven ? [beside] : [half, whole, beside]))
        // It may be gone, and is told.
        let lost = lost.ranges.withLock { $0 }
        #expect(lost == [directory.path("logs/a/log/x.log"): ByteRange(start: 4, end: 10)])
    }

    @Test("What is back at the second look stays")
    func back() throws {
        let file = try make("a/log/x.log")
        try rename(directory.path("logs/a"), directory.path("aside"))
        var outOfSight = outOfSight()
        outOfSight.look()
        try rename(directory.path("aside"), directory.path("logs/a"))
        outOfSight.look()
        try rename(directory.path("logs/a"), directory.path("aside"))
        outOfSight.look()
        #expect(registry.entry(file) != nil)
    }

    @Test("A file that this run follows stays, however its directory went")
    func followed() throws {
        let entry = try #require(registry.entry(try make("a/log/x.log", delivered: 0)))
        _ = ledger.begin(entry.file, entry.generation, at: 0, anchor: .none)
        try removeTree("a")
        var outOfSight = outOfSight()
        for _ in 0..<3 { outOfSight.look() }
        #expect(registry.entry(entry.file) != nil)
        // It is the Tailer that says when it is read to its end.
        ledger.leave(entry.file)
        #expect(registry.entry(entry.file) == nil)
    }

    @Test("A file that is found again while the others are let go is not told as lost")
    func followedMeanwhile() throws {
        let entries = try ["x", "y"].map { name in
            try #require(registry.entry(try make("a/log/\(name).log", delivered: 4)))
        }
        try removeTree("a")
        // When one is told as lost, the reader has just found the other one.
        let told = Mutex<[FileID]>([])
        let ledger = self.ledger
        var outOfSight = outOfSight { path, _ in
            guard let entry = entries.first(where: { $0.path == path }) else { return }
            told.withLock { $0.append(entry.file) }
            for other in entries where other.file != entry.file {
                _ = ledger.begin(other.file, other.generation, at: 4, anchor: .none)
            }
        }
        outOfSight.look()
        outOfSight.look()
        let first = try #require(told.withLock { $0 }.first)
        #expect(told.withLock { $0 } == [first])
        #expect(registry.entries().map(\.file) == entries.map(\.file).filter { $0 != first })
    }

    enum Meanwhile: CaseIterable { case left, moved, replaced, advanced }

    /// A look hangs with a disk, and takes minutes. What the reader has done by then is true.
    @Test(
        "A file counts as it is when it leaves, and not as it was when the look began",
        arguments: Meanwhile.allCases)
    func changedMeanwhile(meanwhile: Meanwhile) throws {
        let entries = try ["x", "y"].map { name in
            try #require(self.registry.entry(try make("a/log/\(name).log", delivered: 4)))
        }
        let (first, other) = (entries[0], entries[1])
        try removeTree("a")
        let told = Mutex<[FileID: ByteRange]>([:])
        let (ledger, registry) = (self.ledger, self.registry)
        @Sendable func advance(to end: Int) {
            registry.advance([
                Advance(
                    file: other.file, generation: other.generation, offset: LogicalOffset(end),
                    anchor: .none)
            ])
        }
        // It hangs when the first one is told as lost.
        var outOfSight = outOfSight { path, range in
            guard let entry = entries.first(where: { $0.path == path }) else { return }
            told.withLock { $0[entry.file] = range }
            guard entry.file == first.file else { return }
            switch meanwhile {
            case .left:
                _ = ledger.begin(other.file, other.generation, at: 4, anchor: .none)
                advance(to: 10)
                ledger.leave(other.file)
            case .moved: registry.moved(other.file, path: "/b/log/y.log", state: .archived)
            case .replaced:
                _ = registry.truncated(
                    other.file, identity: other.identity, fingerprint: .of(head: []))
            case .advanced: advance(to: 7)
            }
        }
        outOfSight.look()
        outOfSight.look()
        let range = told.withLock { $0[other.file] }
        switch meanwhile {
        case .left: #expect(range == nil && registry.entry(other.file) == nil)
        case .moved: #expect(range == nil && registry.entry(other.file)?.path == "/b/log/y.log")
        case .replaced: #expect(range == nil && registry.entry(other.file) != nil)
        case .advanced: #expect(range == ByteRange(start: 7, end: 10))
        }
    }

    @Test("On a volume that is not mounted they stay, as unreachable, until it is back")
    func unmounted() throws {
        // Neither an empty mount point nor what is above a missing one has the device of the files beneath.
        let file = try make("a/log/x.log", elsewhere: true)
        try removeTree("a")
        var outOfSight = outOfSight()
        for _ in 0..<3 { outOfSight.look() }
        #expect(try #require(registry.entry(file)).state == .unreachable)
        try rename(directory.path("logs"), directory.path("aside"))
        for _ in 0..<3 { outOfSight.look(isLast: true) }
        #expect(try #require(registry.entry(file)).state == .unreachable)
        #expect(lost.ranges.withLock { $0 }.isEmpty)
        // Its device has another number by now, and it is there.
        try rename(directory.path("aside"), directory.path("logs"))
        let path = try directory.write("logs/a/log/x.log", "123456789\n")
        let status = try FileStatus.glance(at: Array(path.utf8))
        registry.gone(file)
        let back = registry.see(
            NewFile(
                input: "pods", stream: path, path: path,
                identity: FileIdentity(
                    handle: nil, device: status.device, inode: status.inode, birth: nil),
                fingerprint: .of(head: []), offset: 0, size: 10, state: .unreachable))
        outOfSight.look()
        #expect(try #require(registry.entry(back.file)).state == .active)
    }

    @Test(
        "Where everything up to a pattern's prefix was removed they leave as well, and are counted")
    func prefixGone() throws {
        let file = try make("a/log/x.log", delivered: 4)
        try removeTree("a")
        try removeDirectory(directory.path("logs"))
        var outOfSight = outOfSight()
        outOfSight.look()
        #expect(registry.entry(file) != nil)
        outOfSight.look()
        #expect(registry.entry(file) == nil)
        let path = directory.path("logs/a/log/x.log")
        #expect(lost.ranges.withLock { $0 } == [path: ByteRange(start: 4, end: 10)])
    }

    @Test(
        "The last look of a run counts at once what is out of sight, and the next run not once more"
    )
    func lastLook() throws {
        let file = try make("a/log/x.log", delivered: 4)
        let path = directory.path("logs/a/log/x.log")
        try rename(directory.path("logs/a"), directory.path("aside"))
        var first = outOfSight()
        first.look(isLast: true)
        #expect(lost.ranges.withLock { $0 } == [path: ByteRange(start: 4, end: 10)])
        #expect(try #require(registry.entry(file)).state == .deleted)
        // Should it come back, it goes on where it was.
        try rename(directory.path("aside"), directory.path("logs/a"))
        var second = outOfSight()
        second.look()
        #expect(try #require(registry.entry(file)).state == .active)
        try removeTree("a")
        second.look(isLast: true)
        lost.ranges.withLock { $0 = [:] }
        var third = outOfSight()
        third.look()
        #expect(registry.entry(file) == nil)
        #expect(lost.ranges.withLock { $0 }.isEmpty)
    }

    /// The same as `make`, known by its handle.
    private func makeKnown(_ name: String, delivered: Int) throws -> FileID {
        let path = try directory.write("logs/\(name)", "123456789\n")
        let opened = try Descriptor.open(path, O_RDONLY)
        let identity = FileIdentity(of: opened, try opened.status())
        let entry = registry.see(
            NewFile(
                input: "pods", stream: path, path: path, identity: identity,
                fingerprint: .of(head: []), offset: 0, size: 10))
        registry.advance([
            Advance(
                file: entry.file, generation: entry.generation, offset: LogicalOffset(delivered),
                anchor: .none)
        ])
        return entry.file
    }

    @Test(
        "What its handle says was deleted leaves at the first look; what was moved with its directory stays",
        .enabled(if: MachineFacts.mayAskByHandle, "\(MachineFacts.askingNeeded)"))
    func byHandle() throws {
        _ = try makeKnown("a/log/x.log", delivered: 4)
        let moved = try makeKnown("b/log/x.log", delivered: 4)
        let read = try makeKnown("b/log/y.log", delivered: 10)
        try removeTree("a")
        try rename(directory.path("logs/b"), directory.path("aside"))
        var outOfSight = outOfSight()
        outOfSight.look()
        #expect(registry.entries().map(\.file) == [moved, read])
        let paths = ["a/log/x.log", "b/log/x.log"].map { directory.path("logs/\($0)") }
        #expect(lost.reasons.withLock { $0 } == [paths[0]: .deletedUnread])
        for _ in 0..<3 { outOfSight.look() }
        #expect(lost.reasons.withLock { $0 } == [paths[0]: .deletedUnread, paths[1]: .movedAway])
        #expect(lost.places.withLock { $0 } == [paths[1]: directory.path("aside/log/x.log")])
        #expect(registry.entries().map(\.file) == [moved, read])
        lost.reasons.withLock { $0 = [:] }
        for name in ["x.log", "y.log"] { try remove(directory.path("aside/log/\(name)")) }
        outOfSight.look()
        #expect(registry.entries().isEmpty)
        #expect(lost.reasons.withLock { $0 }.isEmpty)
    }

    @Test(
        "Nothing is lost of what no pattern leads to: it is kept while it may be there, and else forgotten"
    )
    func noPattern() throws {
        let path = try directory.write("other/x.log", "123456789\n")
        let status = try FileStatus.glance(at: Array(path.utf8))
        let entry = registry.see(
            NewFile(
                input: "removed", stream: path, path: path,
                identity: FileIdentity(
                    handle: nil, device: status.device, inode: status.inode, birth: nil),
                fingerprint: .of(head: []), offset: 0, size: 10))
        // That its input has another name now makes no difference.
        let renamed = try make("a/log/x.log", delivered: 4, input: "renamed")
        var outOfSight = outOfSight()
        for _ in 0..<2 { outOfSight.look(isLast: true) }
        #expect(lost.kept.withLock { $0 } == [1])
        #expect(registry.entries().map(\.file) == [entry.file, renamed])
        try remove(path)
        try removeDirectory(directory.path("other"))
        try removeTree("a")
        outOfSight.look()
        #expect(lost.forgotten.withLock { $0 }.isEmpty)
        outOfSight.look()
        #expect(registry.entries().isEmpty)
        #expect(lost.forgotten.withLock { $0 } == [path])
        #expect(lost.ranges.withLock { Array($0.keys) } == [directory.path("logs/a/log/x.log")])
    }

    @Test(
        "Beneath a root of links, where none leads any more: told as kept, or as lost when gone"
    )
    func beneathLinkRoot() throws {
        let kept = try make("a/log/x.log", delivered: 4)
        _ = try make("b/log/y.log", delivered: 4)
        let inputs = [
            TailerInput(
                name: "pods", paths: [try PathPattern(directory.path("containers/*.log"))],
                exclude: [], maxLine: 1024, linkRoots: [directory.path("logs")])
        ]
        try removeTree("b")
        var outOfSight = outOfSight(of: inputs)
        for _ in 0..<3 { outOfSight.look() }
        #expect(registry.entries().map(\.file) == [kept])
        #expect(!lost.kept.withLock { $0 }.isEmpty && lost.forgotten.withLock { $0 }.isEmpty)
        #expect(
            lost.ranges.withLock { $0 }
                == [directory.path("logs/b/log/y.log"): ByteRange(start: 4, end: 10)])
    }

    @Test(
        "A missing name in a directory that is there is left to the Tailer, and so is another file's"
    )
    func renamed() throws {
        let file = try make("a/log/x.log")
        let replaced = try make("a/log/y.log")
        try rename(directory.path("logs/a/log/x.log"), directory.path("logs/a/log/x.log.1"))
        try directory.write("logs/a/log/new", "another\n")
        try rename(directory.path("logs/a/log/new"), directory.path("logs/a/log/y.log"))
        var outOfSight = outOfSight()
        for _ in 0..<3 { outOfSight.look() }
        for file in [file, replaced] {
            #expect(try #require(registry.entry(file)).state == .active)
        }
    }

    @Test("An entry that left between its finding and its beginning is entered again")
    func kept() throws {
        let entry = try #require(registry.entry(try make("a/log/x.log", delivered: 7)))
        registry.gone(entry.file)
        registry.keep(entry)
        #expect(registry.entry(entry.file) == entry)
        let length = registry.health.journalBytes
        registry.keep(entry)
        #expect(registry.health.journalBytes == length)
    }

    @Test(
        "Who has files looked for does not wait for a look that hangs, and begins no other beside it"
    )
    func hangs() throws {
        _ = try make("a/log/x.log", delivered: 4)
        try removeTree("a")
        // A look hangs in its first loss as it would in a call on a dead file system.
        let answers = try Wakeup()
        let losses = Atomic(0)
        let looks = OutOfSightLooks(
            outOfSight { _, _ in
                losses.add(1, ordering: .relaxed)
                answers.wait(nanoseconds: nil)
            })
        try eventually("the second look that sees it") {
            looks.begin()
            return losses.load(ordering: .relaxed) == 1
        }
        _ = try make("b/log/x.log", delivered: 4)
        try removeTree("b")
        // Two looks would lose it.
        for _ in 0..<3 { looks.begin() }
        #expect(registry.entries().count == 1)
        answers.wake()
        try eventually("the looks go on") {
            looks.begin()
            return losses.load(ordering: .relaxed) == 2
        }
        answers.wake()
        try eventually("it is gone as well") { registry.entries().isEmpty }
    }

    @Test("What was read to its end before its directory went leaves as well, once it is delivered")
    func unfollowed() throws {
        let file = try make("a/log/x.log")
        let entry = try #require(registry.entry(file))
        _ = ledger.begin(file, entry.generation, at: 10, anchor: .none)
        ledger.sent(file, entry.generation, ByteRange(start: 10, end: 12), anchor: .none)
        ledger.unfollow(file)
        try removeTree("a")
        var outOfSight = outOfSight()
        for _ in 0..<3 { outOfSight.look() }
        #expect(registry.entry(file) != nil)
        // What was sent is known when it is found once more, and then somebody follows it.
        #expect(ledger.begin(file, entry.generation, at: 10, anchor: .none).position == 12)
        ledger.leave(file)
        let other = try make("b/log/x.log")
        let found = try #require(registry.entry(other))
        _ = ledger.begin(other, found.generation, at: 10, anchor: .none)
        try removeTree("b")
        for _ in 0..<3 { outOfSight.look() }
        #expect(registry.entry(other) != nil)
        ledger.unfollow(other)
        for _ in 0..<2 { outOfSight.look() }
        #expect(registry.entry(other) == nil)
        #expect(!ledger.isFollowed(other))
    }

    /// As the Tailer does with what it has read to its end.
    private func letGo(_ file: FileID) throws {
        let entry = try #require(registry.entry(file))
        _ = ledger.begin(file, entry.generation, at: entry.offset, anchor: .none)
        ledger.unfollow(file)
    }

    @Test(
        "What was read to its end, moved away alone and deleted leaves as its handle tells, and is no loss",
        .enabled(if: MachineFacts.mayAskByHandle, "\(MachineFacts.askingNeeded)"))
    func letGoAndDeleted() throws {
        let file = try makeKnown("a/log/x.log", delivered: 10)
        let other = try makeKnown("a/log/y.log", delivered: 10)
        try letGo(file)
        try rename(directory.path("logs/a/log/x.log"), directory.path("aside"))
        try remove(directory.path("aside"))
        // The Tailer has that one, and says what becomes of it.
        try remove(directory.path("logs/a/log/y.log"))
        var outOfSight = outOfSight()
        outOfSight.look()
        #expect(registry.entries().map(\.file) == [other])
        #expect(lost.ranges.withLock { $0.isEmpty } && lost.goneUnseen.withLock { $0.isEmpty })
    }

    @Test(
        "Without a handle what was read to its end and let go leaves at the second look that misses it"
    )
    func letGoAndMissing() throws {
        let file = try make("a/log/x.log")
        let renamed = try make("a/log/y.log")
        let followed = try make("a/log/z.log")
        for file in [file, renamed] { try letGo(file) }
        let entry = try #require(registry.entry(followed))
        _ = ledger.begin(followed, entry.generation, at: 10, anchor: .none)
        for name in ["x", "z"] {
            try rename(directory.path("logs/a/log/\(name).log"), directory.path(name))
        }
        // It has another name in its directory, and may come back.
        try rename(directory.path("logs/a/log/y.log"), directory.path("logs/a/log/y.old"))
        var outOfSight = outOfSight()
        outOfSight.look()
        #expect(registry.entries().map(\.file) == [file, renamed, followed])
        try rename(directory.path("x"), directory.path("logs/a/log/x.log"))
        outOfSight.look()
        #expect(try #require(registry.entry(file)).state == .active)
        try rename(directory.path("logs/a/log/x.log"), directory.path("x"))
        outOfSight.look()
        // The last one may come a moment after another one.
        outOfSight.look(isLast: true)
        #expect(registry.entries().map(\.file) == [file, renamed, followed])
        outOfSight.look()
        #expect(registry.entries().map(\.file) == [renamed, followed])
        #expect(lost.ranges.withLock { $0.isEmpty } && lost.goneUnseen.withLock { $0.isEmpty })
    }

    /// 1. A rotated file is moved to where `archives` leads, and is compressed there at night.
    /// 2. Its stream looks there when it rotates next.
    /// 3. Whose entry is gone by then is sent again, compressed.
    @Test("What was read to its end and went to an archive stays known until its log looks there")
    func letGoToArchive() throws {
        let removed = try makeKnown("a/log/x.log", delivered: 10)
        let moved = try makeKnown("a/log/y.log", delivered: 10)
        let unhandled = try make("a/log/z.log")
        for file in [removed, moved, unhandled] { try letGo(file) }
        for name in ["x", "y", "z"] {
            try rename(directory.path("logs/a/log/\(name).log"), directory.path(name))
        }
        try remove(directory.path("x"))
        let input = try #require(tailing.first)
        let archiving = TailerInput(
            name: input.name, paths: input.paths, exclude: [], maxLine: input.maxLine,
            archives: [try PathPattern(directory.path("old/*"))])
        var outOfSight = outOfSight(of: [archiving])
        for _ in 0..<3 { outOfSight.look() }
        #expect(registry.entries().map(\.file) == [removed, moved, unhandled])
        // But not for ever.
        let later = Timestamp(
            nanoseconds: Timestamp.now().nanoseconds + OutOfSightFiles.longestAbsence
                + 1_000_000_000)
        for _ in 0..<2 { outOfSight.look(now: later) }
        #expect(registry.entries().isEmpty)
        #expect(lost.ranges.withLock { $0.isEmpty } && lost.goneUnseen.withLock { $0.isEmpty })
    }

    @Test(
        "What went to an archive stays known as long as it is there, with its place",
        .enabled(if: MachineFacts.mayAskByHandle, "\(MachineFacts.askingNeeded)"),
        arguments: [true, false])
    func inArchive(wasLetGo: Bool) throws {
        let file = try makeKnown("a/log/x.log", delivered: 10)
        try directory.write("logs/a/log/y.log", "another\n")
        if wasLetGo { try letGo(file) }
        try directory.makeDirectory("old")
        try rename(directory.path("logs/a/log/x.log"), directory.path("old/x.log.1"))
        let input = try #require(tailing.first)
        let archiving = TailerInput(
            name: input.name, paths: input.paths, exclude: [], maxLine: input.maxLine,
            archives: [try PathPattern(directory.path("old/*"))])
        var outOfSight = outOfSight(of: [archiving])
        let later = Timestamp(
            nanoseconds: Timestamp.now().nanoseconds + 12 * OutOfSightFiles.longestAbsence)
        for _ in 0..<3 { outOfSight.look(now: later) }
        let entry = try #require(registry.entry(file))
        #expect(entry.path == directory.path("old/x.log.1"))
        #expect(entry.state == .archived)
        // It is moved on there.
        try rename(directory.path("old/x.log.1"), directory.path("old/x.log.2"))
        for _ in 0..<3 { outOfSight.look(now: later) }
        #expect(registry.entry(file)?.path == directory.path("old/x.log.2"))
        #expect(lost.ranges.withLock { $0.isEmpty } && lost.goneUnseen.withLock { $0.isEmpty })
    }

    @Test("What is out of reach for thirty days leaves, and what is unread of it counts as lost")
    func longAbsence() throws {
        let away = try make("a/log/x.log", delivered: 4, elsewhere: true)
        let there = try make("a/log/y.log")
        try rename(directory.path("logs/a/log/x.log"), directory.path("aside"))
        var outOfSight = outOfSight()
        let now = Timestamp.now()
        func look(days: Int64) {
            outOfSight.look(
                now: Timestamp(nanoseconds: now.nanoseconds + days * 86_400_000_000_000))
        }
        look(days: 0)
        #expect(try #require(registry.entry(away)).state == .unreachable)
        for _ in 0..<3 { look(days: 29) }
        #expect(registry.entry(away) != nil)
        // A clock that is wrong for a moment does nothing.
        look(days: 31)
        look(days: 1)
        look(days: 31)
        #expect(registry.entry(away) != nil)
        look(days: 31)
        #expect(registry.entries().map(\.file) == [there])
        let path = directory.path("logs/a/log/x.log")
        #expect(lost.ranges.withLock { $0 } == [path: ByteRange(start: 4, end: 10)])
    }

    /// Each device may be another one since: the machine was started again after all of it was saved.
    private var doubtful: VolumeNumbers {
        let booted = Timestamp(nanoseconds: Timestamp.now().nanoseconds + 3_600_000_000_000)
        return VolumeNumbers(registry.entries(), booted: booted)
    }

    @Test(
        "What no pattern leads to and is out of sight stays for thirty days, be its device in doubt or another one",
        arguments: [true, false])
    func longAbsenceWithoutPattern(hasDirectory: Bool) throws {
        var inputs: [TailerInput] = []
        for input in tailing {
            inputs.append(
                TailerInput(
                    name: input.name, paths: [try PathPattern(directory.path("others/*.log"))],
                    exclude: [], maxLine: input.maxLine))
        }
        let doubted = try makeKnown("a/log/x.log", delivered: 4)
        let unhandled = try make("a/log/y.log", delivered: 4)
        let elsewhere = try make("a/log/z.log", delivered: 4, elsewhere: true)
        let there = try make("b/log/x.log", elsewhere: true)
        let volumes = doubtful
        try removeTree("a")
        if hasDirectory { try directory.makeDirectory("logs/a/log") }
        var outOfSight = outOfSight(of: inputs, volumes: volumes)
        let now = Timestamp.now()
        func look(days: Int64) {
            outOfSight.look(
                now: Timestamp(nanoseconds: now.nanoseconds + days * 86_400_000_000_000))
        }
        for _ in 0..<4 { look(days: 29) }
        #expect(registry.entries().map(\.file) == [doubted, unhandled, elsewhere, there])
        // What is back is in sight from then on.
        let status = try FileStatus.glance(at: Array(directory.path("logs/b/log/x.log").utf8))
        registry.renumbered([
            there: FileIdentity(
                handle: nil, device: status.device, inode: status.inode, birth: nil)
        ])
        for _ in 0..<2 { look(days: 31) }
        #expect(registry.entries().map(\.file) == [there])
        #expect(try #require(registry.entry(there)).state == .active)
        let names = ["x", "y", "z"].map { directory.path("logs/a/log/\($0).log") }
        #expect(lost.forgotten.withLock { $0.sorted() } == names)
        #expect(lost.kept.withLock { $0 } == [4])
        #expect(lost.ranges.withLock { $0.isEmpty })
    }

    /// Whoever rotates the log gives that one other names while the agent runs.
    @Test("One file that was opened on a device in doubt proves it, whatever its name is by then")
    func proof() throws {
        let missing = try #require(registry.entry(try make("a/log/x.log", delivered: 4)))
        let other = try #require(registry.entry(try make("a/log/y.log", elsewhere: true)))
        let found = try #require(registry.entry(try make("b/log/x.log")))
        let volumes = doubtful
        try removeTree("a")
        try rename(directory.path("logs/b/log/x.log"), directory.path("logs/b/log/x.log.1"))
        #expect(!volumes.isSure(of: missing, mayLook: { _ in true }))
        volumes.opened(found)
        #expect(volumes.isSure(of: missing, mayLook: { _ in true }))
        #expect(!volumes.isSure(of: other, mayLook: { _ in true }))
    }

    /// 1. A disk is not mounted yet when the agent begins, and something else has its number.
    /// 2. What is missing is noted, and the agent is started anew, again and again.
    @Test("A device stays in doubt over any number of runs, until something on it is seen")
    func doubtAfterNote() throws {
        let booted = Timestamp(nanoseconds: Timestamp.now().nanoseconds + 3_600_000_000_000)
        func begin() -> VolumeNumbers { VolumeNumbers(registry.entries(), booted: booted) }
        let noted = try make("a/log/x.log", delivered: 4)
        let seen = try make("b/log/x.log")
        let elsewhere = try make("c/log/x.log", delivered: 4, elsewhere: true)
        for name in ["a", "b", "c"] {
            try rename(directory.path("logs/\(name)"), directory.path("aside-\(name)"))
        }
        for state in [FileState.unreachable, .deleted, .deleted] {
            let volumes = begin()
            var outOfSight = outOfSight(volumes: volumes)
            outOfSight.look()
            outOfSight.look(isLast: state == .deleted)
            for file in [noted, elsewhere] {
                let entry = try #require(registry.entry(file))
                #expect(!begin().isSure(of: entry, mayLook: { _ in false }))
            }
        }
        #expect(try #require(registry.entry(noted)).state == .deleted)
        // From then on what is noted is the truth.
        let volumes = begin()
        volumes.opened(try #require(registry.entry(seen)))
        let now = Timestamp(nanoseconds: booted.nanoseconds + 1_000_000_000)
        #expect(volumes.timeOfNote(on: try #require(registry.entry(noted)), now: now) == now)
        let away = try #require(registry.entry(elsewhere))
        #expect(volumes.timeOfNote(on: away, now: now) < booted)
    }

    @Test("What is out of sight of a machine that is up for a year is not forgotten at once")
    func lateNote() throws {
        let day: Int64 = 86_400_000_000_000
        let entry = try #require(registry.entry(try make("a/log/x.log")))
        let booted = Timestamp(nanoseconds: entry.updated.nanoseconds + 1)
        let volumes = VolumeNumbers(
            [entry], booted: Timestamp(milliseconds: booted.milliseconds + 1))
        for days in [Int64(0), 1, 14, 365] {
            let now = Timestamp(nanoseconds: entry.updated.nanoseconds + days * day)
            let time = volumes.timeOfNote(on: entry, now: now)
            #expect(
                time.nanoseconds
                    == max(entry.updated.nanoseconds, now.nanoseconds - 15 * day))
        }
    }

    @Test("That nothing proves a device is not found out for each of its missing files once more")
    func refusal() throws {
        let entries = try (0..<5).map { number in
            try #require(registry.entry(try make("a/log/\(number).log")))
        }
        let volumes = doubtful
        try rename(directory.path("logs/a"), directory.path("aside"))
        let looks = Mutex(0)
        func areSure(now: Int64, mayLook: Bool = true) -> [Bool] {
            entries.map { entry in
                volumes.isSure(of: entry, now: now) { _ in
                    looks.withLock { $0 += 1 }
                    return mayLook
                }
            }
        }
        // Who may look nowhere has found out nothing.
        #expect(areSure(now: 0, mayLook: false) == Array(repeating: false, count: 5))
        #expect(looks.withLock { $0 } == 25)
        #expect(areSure(now: 1) == Array(repeating: false, count: 5))
        #expect(looks.withLock { $0 } == 30)
        try rename(directory.path("aside"), directory.path("logs/a"))
        #expect(areSure(now: VolumeNumbers.refusal) == Array(repeating: false, count: 5))
        #expect(looks.withLock { $0 } == 30)
        #expect(areSure(now: VolumeNumbers.refusal + 1) == Array(repeating: true, count: 5))
        #expect(looks.withLock { $0 } == 35)
    }

    /// Its directory was listed without it, and what is unread of it was told then. No handle tells more.
    @Test(
        "What was found missing on a device in doubt leaves once that is proven, or after thirty days",
        arguments: [true, false])
    func missingOnDoubtfulDevice(isProven: Bool) throws {
        let missing = try make("a/log/x.log", delivered: 4)
        let renamed = try make("a/log/y.log", delivered: 4)
        let beside = try make("b/log/x.log")
        var outOfSight = outOfSight(volumes: doubtful)
        try remove(directory.path("logs/a/log/x.log"))
        try rename(directory.path("logs/a/log/y.log"), directory.path("logs/a/log/y.old"))
        for file in [missing, renamed] {
            let path = try #require(registry.entry(file)).path
            registry.moved(file, path: path, state: .deleted)
        }
        if !isProven { try rename(directory.path("logs/b"), directory.path("aside")) }
        for _ in 0..<3 { outOfSight.look() }
        #expect(
            registry.entries().map(\.file)
                == (isProven ? [renamed, beside] : [missing, renamed, beside]))
        let later = Timestamp(
            nanoseconds: Timestamp.now().nanoseconds + OutOfSightFiles.longestAbsence
                + 1_000_000_000)
        for _ in 0..<2 { outOfSight.look(now: later) }
        #expect(registry.entry(missing) == nil && registry.entry(renamed) != nil)
        // It was told before.
        #expect(lost.ranges.withLock { $0.isEmpty })
    }

    @Test("Of more than so many that are out of reach those stay that went last")
    func manyAbsent() throws {
        let files = try (0..<5).map { try make("a/log/\($0).log", elsewhere: true) }
        for index in 0..<5 { try remove(directory.path("logs/a/log/\(index).log")) }
        var outOfSight = outOfSight(most: 3)
        for _ in 0..<4 { outOfSight.look() }
        #expect(registry.entries().map(\.file) == Array(files[2...]))
    }

    @Test(
        "What was moved alone stays until it is deleted, as its handle tells",
        .enabled(if: MachineFacts.mayAskByHandle, "\(MachineFacts.askingNeeded)"))
    func movedAlone() throws {
        let path = try directory.write("logs/a/log/x.log", "123456789\n")
        let file = try Descriptor.open(path, 0)
        let status = try file.status()
        let identity = FileIdentity(
            handle: file.handle(), device: status.device, inode: status.inode,
            birth: file.birth()?.nanoseconds)
        let entry = registry.see(
            NewFile(
                input: "pods", stream: path, path: path, identity: identity,
                fingerprint: .of(head: []), offset: 10, size: 10))
        try rename(path, directory.path("aside"))
        var outOfSight = outOfSight()
        for _ in 0..<3 { outOfSight.look() }
        #expect(try #require(registry.entry(entry.file)).state == .unreachable)
        try remove(directory.path("aside"))
        outOfSight.look()
        #expect(registry.entry(entry.file) == nil)
        #expect(lost.ranges.withLock { $0.isEmpty })
    }

    /// 1. The last delivery of a file that is out of sight comes in; it is not saved yet.
    /// 2. A look finds that the file is gone.
    @Test("What was delivered a moment ago and is not saved yet is not counted as lost")
    func deliveredMeanwhile() throws {
        let files = try ["x", "y"].map { try make("a/log/\($0).log", delivered: 4) }
        for (file, end) in zip(files, [10, 7]) {
            let entry = try #require(registry.entry(file))
            _ = ledger.begin(file, entry.generation, at: LogicalOffset(end), anchor: .none)
            ledger.unfollow(file)
        }
        try removeTree("a")
        var outOfSight = outOfSight()
        for _ in 0..<2 { outOfSight.look() }
        #expect(registry.entries().isEmpty)
        let path = directory.path("logs/a/log/y.log")
        #expect(lost.ranges.withLock { $0 } == [path: ByteRange(start: 7, end: 10)])
    }
}
