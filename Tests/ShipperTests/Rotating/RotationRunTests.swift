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

@Suite("A rotation that is killed", .overBases)
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

    private func open(_ data: String = "data") throws -> Registry {
        try Registry.open(
            directory: directory.path(data), observer: EventLog(log), newBase: NewBase.now)
    }

    /// What a kill at this moment leaves of the registry: what was written, forced or not.
    private func kill(_ number: Int) throws -> Registry {
        let from = number == 0 ? "data" : "data-\(number)"
        let to = "data-\(number + 1)"
        _ = try directory.makeDirectory("\(to)/registry")
        try setMode(directory.path(to), 0o700)
        for name in try directory.names("\(from)/registry") {
            _ = try directory.write(
                "\(to)/registry/\(name)", try readFile(directory.path("\(from)/registry/\(name)")))
        }
        return try open(to)
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
        _ registry: Registry, _ entry: FileEntry,
        mayTake: @escaping @Sendable (Rotation.Step) throws(SystemError) -> Bool = { _ in true }
    ) throws -> Rotation {
        var parts = RotationRun.Parts(registry: registry)
        parts.mayTake = mayTake
        let place = try #require(RotationPlace(entry.path, settings.inputs[0]))
        let rotated = try place.open(entry) { (_, _) in true }
        let length = FrontLength.of(
            delivered: entry.base.physical(entry.offset).bytes, size: try rotated.size(),
            alignment: 4096)
        let run = RotationRun(parts, entry, rotated, keep: 50, Rotation(length: length))
        run.run()
        return run.rotation
    }

    private func recover(_ registry: Registry) {
        RotationRecovery(
            settings: settings, parts: RotationRun.Parts(registry: registry), log: log,
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

    /// Whether fronts can be collapsed here; a rotation is punched, or nothing, elsewhere.
    private func canCollapse() throws -> Bool {
        let scratch = try Descriptor.open(directory.path, O.directory)
        if case .collapse(let alignment) = try FrontRemoval.probe(in: scratch) {
            return alignment == 4096
        }
        return false
    }

    /// Steps: copy, lend, intend, shift, place, punch, settle, announce, collapse, resolve, giveBack.
    @Test(
        "O2: killed before any step, and the writer goes on: archives and log hold every byte once",
        arguments: 0...11)
    func killed(step: Int) throws {
        guard try canCollapse() else { return }
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
        arguments: 0...11)
    func failing(step: Int) throws {
        guard try canCollapse() else { return }
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
        guard try canCollapse() else { return }
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
}
