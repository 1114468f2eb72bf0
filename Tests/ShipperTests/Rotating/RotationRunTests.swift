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
    "A rotation that is killed", .overBases,
    .enabled(if: CollapsingDisk.isHere, "the file system of /tmp cannot collapse"))
struct RotationRunTests {
    private let directory: TemporaryDirectory
    private let settings: Settings
    private let source = LineSource("w", payload: 40...120)
    private let lines = LogLines()

    init() throws {
        directory = try TemporaryDirectory()
        settings = try Settings.parse(
            """
            data: \(directory.path("data"))
            inputs:
              - name: pods
                paths: ["\(directory.path("logs"))/*.log"]
                rotation: {size: 64KiB, keep: 50}
            output: {kafka: {brokers: embedded, topic: logs}}

            """)
    }

    /// Counts steps.
    private final class Countdown: Sendable {
        private let left: Mutex<Int>
        init(_ count: Int) { left = Mutex(count) }

        /// So many were taken.
        func isOver() -> Bool { next() < 0 }
        /// So many were taken, and no more.
        func isNow() -> Bool { next() == -1 }

        private func next() -> Int {
            left.withLock { left in
                left -= 1
                return left
            }
        }
    }

    private var path: String { directory.path("logs/app.log") }
    private var log: Log { Log(level: .debug, format: .text, sink: lines.add) }

    private func open(
        _ data: String = "data", witness: any FileStepWitness = SilentWitness()
    ) throws -> Registry {
        try Registry.open(
            directory: directory.path(data), observer: EventLog(log), allowsCuts: true,
            witness: witness, newBase: NewBase.now)
    }

    /// What a kill at this moment leaves of the registry: what was written, forced or not.
    private func kill(
        _ number: Int, witness: any FileStepWitness = SilentWitness()
    ) throws -> Registry {
        let from = number == 0 ? "data" : "data-\(number)"
        let to = "data-\(number + 1)"
        _ = try directory.makeDirectory("\(to)/registry")
        try setMode(directory.path(to), 0o700)
        for name in try directory.names("\(from)/registry") {
            _ = try directory.write(
                "\(to)/registry/\(name)", try readFile(directory.path("\(from)/registry/\(name)")))
        }
        return try open(to, witness: witness)
    }

    /// A log of which all but the last lines are delivered.
    private func enter(_ registry: Registry, behind: Int) throws -> FileEntry {
        let file = try Descriptor.open(path, O.read)
        let status = try file.status()
        let head = try file.read(count: Fingerprint.longest, at: 0)
        let entry = registry.see(
            NewFile(
                input: "pods", stream: path, path: path,
                identity: FileIdentity(of: file, status), fingerprint: .of(head: head),
                offset: .start, size: PhysicalOffset(status.size)))
        return try deliver(registry, entry, behind: behind)
    }

    /// All but so many bytes are delivered.
    @discardableResult
    private func deliver(
        _ registry: Registry, _ entry: FileEntry, behind: Int
    ) throws -> FileEntry {
        let bytes = try readFile(path)
        let known = try #require(registry.entry(entry.file))
        let position = bytes.count - behind
        registry.advance([
            Advance(
                file: known.file, generation: known.generation,
                offset: known.base.logical(PhysicalOffset(position)),
                anchor: Anchor(bytes: Array(bytes[max(0, position - 64)..<position])),
                size: PhysicalOffset(bytes.count))
        ])
        return try #require(registry.entry(entry.file))
    }

    private func rotate(
        _ registry: Registry, _ entry: FileEntry, witness: any FileStepWitness = SilentWitness(),
        mayTake: @escaping @Sendable (Rotation.Step) throws(SystemError) -> Bool = { _ in true }
    ) throws -> Rotation {
        var parts = RotationRun.Parts(registry: registry)
        parts.mayTake = mayTake
        let place = try #require(RotationPlace(entry.path, settings.inputs[0]))
        let rotated = try place.open(entry, witness: witness) { (_, _) in true }
        let length = FrontLength.of(
            delivered: entry.base.physical(entry.offset).bytes, size: try rotated.size(),
            alignment: 4096)
        let run = RotationRun(
            parts, entry, rotated, keep: 50,
            Rotation(length: length, block: 4096, chunk: 32 << 10))
        run.run()
        return run.rotation
    }

    private func recover(_ registry: Registry, _ other: Settings? = nil) {
        RotationRecovery(
            settings: other ?? settings, parts: RotationRun.Parts(registry: registry), log: log,
            isNear: { _ in true }
        ).run()
    }

    /// Archives from the oldest on, and the log without the hole at its front.
    private func everything() throws -> [UInt8] {
        let numbers = try directory.names("logs").compactMap { name in
            name.hasPrefix("app.log.") ? Int(name.dropFirst("app.log.".count)) : nil
        }
        var bytes: [UInt8] = []
        for number in numbers.sorted(by: >) {
            bytes += try readFile(directory.path("logs/app.log.\(number)"))
        }
        return bytes + (try readFile(path)).drop { $0 == 0 }
    }

    /// Steps: copy, lend, intend, shift, place, punch, settle, five times punch, settle, announce,
    /// collapse, resolve, giveBack.
    @Test(
        "O2: killed before any step, and the writer goes on: archives and log hold every byte once",
        arguments: 0...16)
    func killed(step: Int) throws {
        _ = try directory.write("logs/app.log", source.lines(0..<2000))
        var registry = try open()
        var entry = try enter(registry, behind: 10_000)
        let left = Countdown(step)
        // One that was whole, so that there is an archive to be moved.
        #expect(try rotate(registry, entry).sight == .collapsed)
        try appendBytes(source.lines(2000..<4000), to: path)
        entry = try deliver(registry, try #require(registry.entry(entry.file)), behind: 10_000)
        let before = entry
        _ = try rotate(registry, entry) { _ throws(SystemError) in
            !left.isOver()
        }
        registry = try kill(0)
        try appendBytes(source.lines(4000..<4100), to: path)
        recover(registry)
        #expect(try everything() == source.lines(0..<4100), "\(lines.all)")
        let after = try #require(registry.entry(entry.file))
        #expect(after.cut == nil)
        #expect(after.offset == before.offset && after.generation == before.generation)
        // It is the file that the entry says, and goes on where it was.
        let bytes = try readFile(path)
        let identity = try FileIdentity(
            of: Descriptor.open(path, O.read), FileStatus.glance(at: Array(path.utf8)))
        #expect(
            registry.find(identity: identity, head: Array(bytes.prefix(1024))) == .same(after))
        let position = after.base.physical(after.offset).bytes
        #expect(Array(bytes[..<position].suffix(64)) == after.anchor.bytes)
        // Every archive has an entry, delivered to its end; and nothing else lies there.
        let archives = registry.entries().filter { $0.state == .archived }
        #expect(archives.allSatisfy { $0.offset == $0.end })
        let names = try directory.names("logs").filter { !$0.hasPrefix(".shipper-rotating") }
        #expect(names.count == 1 + archives.count, "\(names)")
        // And the next one is as any other.
        let next = try deliver(registry, after, behind: 100)
        #expect(try rotate(registry, next).sight == .collapsed)
        #expect(try everything() == source.lines(0..<4100))
        #expect(try directory.names("logs").allSatisfy { !$0.hasPrefix(".") })
    }

    @Test(
        "O9: any step fails, as on a full disk: nothing is missing, and the next one is whole",
        arguments: 0...16)
    func failing(step: Int) throws {
        _ = try directory.write("logs/app.log", source.lines(0..<2000))
        let registry = try open()
        let entry = try enter(registry, behind: 10_000)
        let left = Countdown(step)
        let rotation = try rotate(registry, entry) { _ throws(SystemError) in
            if left.isNow() { throw SystemError("test", code: .noSpace) }
            return true
        }
        #expect(rotation.step == nil)
        recover(registry)
        if (5...11).contains(step) {
            // From the first hole on the archive stays, and what is no hole yet is in both.
            let length = rotation.length
            let whole = source.lines(0..<2000)
            #expect(try readFile(path + ".1") == Array(whole[..<length]))
            #expect(try readFile(path)[length...] == whole[length...])
            #expect(registry.entry(entry.file)?.cut == nil)
            #expect(registry.entry(entry.file)?.offset == entry.offset)
            return
        }
        #expect(try everything() == source.lines(0..<2000))
        var after = try #require(registry.entry(entry.file))
        #expect(after.cut == nil)
        #expect(after.offset == entry.offset)
        try appendBytes(source.lines(2000..<4000), to: path)
        after = try deliver(registry, after, behind: 5_000)
        #expect(try rotate(registry, after).sight == .collapsed)
        #expect(try everything() == source.lines(0..<4000))
    }

    /// 1. The copy is whole, and the reader has let go of the log.
    /// 2. A logrotate that was forgotten truncates it, and its writer goes on.
    @Test(
        "O11: somebody truncates the log in the middle of it: not a byte of the new content goes",
        arguments: [Rotation.Step.intend, .punch(0..<118_784), .collapse])
    func truncated(before: Rotation.Step) throws {
        _ = try directory.write("logs/app.log", source.lines(0..<2000))
        let registry = try open()
        let entry = try enter(registry, behind: 10_000)
        let fresh = source.lines(5000..<5600)
        let path = path
        let rotation = try rotate(registry, entry) { step throws(SystemError) in
            let isIt =
                switch (step, before) {
                case (.punch, .punch): true
                default: step == before
                }
            if isIt {
                try Descriptor.open(path, O_WRONLY).truncate(to: 0)
                try appendBytes(fresh, to: path)
            }
            return true
        }
        // Before the intent there is nothing that anybody would have to know.
        #expect(rotation.sight == (before == .intend ? .untouched : .other))
        #expect(try readFile(path) == fresh)
        #expect(registry.entry(entry.file)?.cut == nil)
    }

    /// What was taken, and forced to the disk, in order.
    private final class Trace: FileStepWitness {
        let taken = Mutex<[String]>([])
        func willTake(_ step: FileStep) throws(SystemError) {
            if case .synchronise(let name) = step { taken.withLock { $0.append("sync \(name)") } }
        }
        func note(_ step: Rotation.Step) {
            let name = if case .punch = step { "punch" } else { "\(step)" }
            taken.withLock { $0.append(name) }
        }
    }

    @Test func whatMustBeOnTheDiskIsThereBeforeWhatHangsOnIt() throws {
        _ = try directory.write("logs/app.log", source.lines(0..<2000))
        let trace = Trace()
        let registry = try open(witness: trace)
        let entry = try enter(registry, behind: 10_000)
        trace.taken.withLock { $0 = [] }
        #expect(
            try rotate(registry, entry, witness: trace) { step throws(SystemError) in
                trace.note(step)
                return true
            }.sight == .collapsed)
        #expect(
            trace.taken.withLock { $0 } == [
                "copy", "lend", "intend", "sync journal.jsonl", "shift", "place", "punch",
                "settle", "sync app.log", "punch", "punch", "punch", "punch", "punch", "settle",
                "sync app.log", "announce", "sync journal.jsonl", "collapse", "resolve", "giveBack",
            ])
    }

    /// File systems free a range from its end on, and in parts.
    @Test(
        "O9: the first hole fails and has taken what is behind the first block: the archive stays")
    func holeInTheMiddle() throws {
        let whole = source.lines(0..<2000)
        _ = try directory.write("logs/app.log", whole)
        let registry = try open()
        let entry = try enter(registry, behind: 10_000)
        let path = path
        let rotation = try rotate(registry, entry) { step throws(SystemError) in
            guard case .punch = step else { return true }
            try Descriptor.open(path, O_RDWR).punch(8192..<16384)
            throw SystemError("test", code: .inputOutput)
        }
        #expect(rotation.sight == .punched)
        let length = rotation.length
        #expect(try readFile(path + ".1") == Array(whole[..<length]))
        #expect(registry.entries().count == 2)
        #expect(registry.entry(entry.file)?.cut == nil)
        // And so after a power cut that had it so.
        try Descriptor.open(path, O_WRONLY).truncate(to: 0)
        try appendBytes(whole, to: path)
        _ = try Descriptor.open(directory.path("logs"), O.directory).remove(Array("app.log.1".utf8))
        _ = try rotate(registry, entry) { step throws(SystemError) in step != .shift }
        try Descriptor.open(path, O_RDWR).punch(8192..<16384)
        let next = try kill(0)
        recover(next)
        #expect(try everything() == whole, "\(lines.all)")
    }

    /// Sees whether the archive lies there when the registry is written.
    private final class Looker: FileStepWitness {
        let path: String
        let seen = Mutex<[Bool]>([])
        init(_ path: String) { self.path = path }
        func willTake(_ step: FileStep) throws(SystemError) {
            guard case .write("journal.jsonl", _) = step else { return }
            let isThere = (try? FileStatus.glance(at: Array(path.utf8))) != nil
            seen.withLock { $0.append(isThere) }
        }
    }

    /// Before shift, and before the first hole.
    @Test(
        "O2: killed, and nobody asks for it any more: taken back, and the archive goes first",
        arguments: [3, 5])
    func unwanted(step: Int) throws {
        let whole = source.lines(0..<2000)
        _ = try directory.write("logs/app.log", whole)
        var registry = try open()
        let entry = try enter(registry, behind: 10_000)
        let left = Countdown(step)
        _ = try rotate(registry, entry) { _ throws(SystemError) in !left.isOver() }
        let other = try Settings.parse(
            """
            data: \(directory.path("data"))
            inputs: [{name: pods, paths: ["\(directory.path("logs"))/*.log"]}]
            output: {kafka: {brokers: embedded, topic: logs}}

            """)
        let looker = Looker(path + ".1")
        registry = try kill(0, witness: looker)
        recover(registry, other)
        #expect(try directory.names("logs") == ["app.log"], "\(lines.all)")
        #expect(try readFile(path) == whole)
        #expect(registry.entries().map(\.file) == [entry.file])
        let seen = looker.seen.withLock { $0 }
        #expect(seen.allSatisfy { !$0 } && !seen.isEmpty)
    }

    /// Its bytes before the position are as they were, and it begins as it did.
    @Test("O11: somebody rewrites what stands behind the front: not a byte goes")
    func rewrittenBehind() throws {
        let whole = source.lines(0..<2000)
        _ = try directory.write("logs/app.log", whole)
        let registry = try open()
        let entry = try enter(registry, behind: 10_000)
        let path = path
        let length = FrontLength.of(
            delivered: whole.count - 10_000, size: whole.count, alignment: 4096)
        let rotation = try rotate(registry, entry) { step throws(SystemError) in
            guard case .punch(let range) = step, range.lowerBound == 0 else { return true }
            let file = try Descriptor.open(path, O_WRONLY)
            _ = file.withRawValue { lseek($0, length, SEEK_SET) }
            try file.write(Array("others".utf8))
            return true
        }
        #expect(rotation.failure?.code == .stale)
        #expect(try readFile(path)[..<length] == whole[..<length])
    }
}
