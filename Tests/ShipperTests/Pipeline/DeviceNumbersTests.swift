import Model
import Platform
import Synchronization
import TestSupport
import Testing

@testable import Registry
@testable import Shipper

/// A machine started again, and its disks have other numbers. A look at a directory hangs where the test
/// says so, as it would on a server that is away.
@Suite("Files are known again when their disks have other numbers") struct DeviceNumbersTests {
    let directory: TemporaryDirectory
    let registry: Registry
    private let story = Story()

    private final class Story: Sendable {
        let answers: Mutex<[Wakeup]> = Mutex([])
        let silent = Mutex<[String]>([])
    }

    init() throws {
        directory = try TemporaryDirectory()
        registry = try Registry.open(
            directory: directory.path("data"),
            observer: EventLog(Log(level: .error, format: .text) { _ in }))
    }

    /// A file as it is, but for its device, which had `shift` added to its number when it was saved.
    private func make(_ name: String, shift: UInt64) throws -> FileEntry {
        let path = try directory.write("logs/\(name)", "\(name)\n")
        let identity = try identity(path)
        return registry.see(
            NewFile(
                input: "pods", stream: path, path: path,
                identity: FileIdentity(
                    handle: identity.handle, device: identity.device + shift,
                    inode: identity.inode, birth: identity.birth),
                fingerprint: .of(head: Array("\(name)\n".utf8)), offset: 0, size: 0))
    }

    private func identity(_ path: String) throws -> FileIdentity {
        let file = try Descriptor.open(path, O.read)
        let status = try file.status()
        return FileIdentity(
            handle: file.handle(), device: status.device, inode: status.inode,
            birth: file.birth()?.nanoseconds)
    }

    /// The names of files whose new numbers are found while looks at `dead` directories hang.
    private func found(dead: Set<String>) throws -> [String] {
        let paths = Set(dead.map { directory.path("logs/\($0)") })
        let changed = DeviceNumbers.changedInTime(
            registry.entries(), patience: 1_500_000_000,
            touches: { [story] place in
                guard paths.contains(place), let answer = try? Wakeup() else { return }
                story.answers.withLock { $0.append(answer) }
                answer.wait(nanoseconds: nil)
            }
        ) { [story, directory] place in
            let name = String(place.dropFirst(directory.path("logs/").utf8.count))
            story.silent.withLock { $0.append(name) }
        }
        for answer in story.answers.withLock({ $0 }) { answer.wake() }
        var names: [String] = []
        for entry in registry.entries() {
            guard let new = changed[entry.file] else { continue }
            let now = try identity(entry.path)
            #expect(new == now)
            names.append(String(entry.path.dropFirst(directory.path("logs/").utf8.count)))
        }
        return names.sorted()
    }

    @Test("A directory that does not answer keeps its numbers, and all others are found")
    func oneIsSilent() throws {
        for index in 0..<8 { _ = try make("good\(index)/a.log", shift: 1) }
        _ = try make("dead/a.log", shift: 2)
        #expect(try found(dead: ["dead"]) == (0..<8).map { "good\($0)/a.log" })
        #expect(story.silent.withLock { $0 } == ["dead"])
    }

    @Test("A disk that does not answer is waited for once, however many directories it has")
    func oneDiskIsSilent() throws {
        let dead = (0..<20).map { "dead\($0)" }
        for name in dead { _ = try make("\(name)/a.log", shift: 2) }
        for index in 0..<20 { _ = try make("good\(index)/a.log", shift: 1) }
        #expect(try found(dead: Set(dead)) == (0..<20).map { "good\($0)/a.log" }.sorted())
        #expect(story.silent.withLock { $0.count } == 1)
    }

    @Test(
        "However many disks do not answer, the start waits for a few of them, and keeps what it has"
    )
    func allAreSilent() throws {
        let dead = (0..<10).map { "dead\($0)" }
        for (index, name) in dead.enumerated() {
            _ = try make("\(name)/a.log", shift: 2 + UInt64(index))
        }
        #expect(try found(dead: Set(dead)) == [])
        #expect(story.silent.withLock { $0.count } == DeviceNumbers.mostSilent)
    }

    @Test("Where all answer, all are found, and who has the same number keeps it")
    func allAnswer() throws {
        for index in 0..<5 { _ = try make("good\(index)/a.log", shift: UInt64(index)) }
        #expect(try found(dead: []) == (1..<5).map { "good\($0)/a.log" })
        #expect(story.silent.withLock { $0 } == [])
    }

    /// What is found of `now`, the identity of `logs/a.log`, by an entry that differs from it in this and that.
    private func found(
        _ now: FileIdentity, inode: UInt64? = nil, birth: Int64?? = nil, handle: [UInt8]?? = nil,
        device: UInt64? = nil, head: String = "a.log\n", anchor: String = ""
    ) throws -> FileIdentity? {
        let path = directory.path("logs/a.log")
        let new = NewFile(
            input: "pods", stream: path, path: path,
            identity: FileIdentity(
                handle: handle ?? now.handle, device: device ?? now.device + 1,
                inode: inode ?? now.inode, birth: birth ?? now.birth),
            fingerprint: .of(head: Array(head.utf8)), offset: 0, size: 6)
        let entry = registry.see(new)
        registry.advance([
            Advance(
                file: entry.file, generation: entry.generation,
                offset: LogicalOffset(anchor.utf8.count),
                anchor: Anchor(bytes: Array(anchor.utf8)), size: 6)
        ])
        let saved = try #require(registry.entry(entry.file))
        let identity = try DeviceNumbers.identity(of: saved)
        registry.gone(entry.file)
        return identity
    }

    /// What another volume has there, whose inode numbers are the same.
    @Test("A file is another one by its birth or its content, whatever its inode number is")
    func otherVolume() throws {
        let now = try identity(directory.write("logs/a.log", "a.log\n"))
        #expect(try found(now) == now)
        #expect(try found(now, head: "a.l") == now)
        #expect(try found(now, birth: (now.birth ?? 0) + 1) == nil)
        #expect(try found(now, inode: now.inode + 1) == nil)
        #expect(try found(now, device: now.device) == nil)
        #expect(try found(now, head: "b.log\n") == nil)
        #expect(try found(now, head: "") == nil)
        #expect(try found(now, birth: .some(nil), handle: .some(nil)) == nil)
    }

    @Test(
        "A file is another one by its handle, and without a birth by what was read of it",
        .enabled(if: MachineFacts.hasHandles, "\(MachineFacts.handlesNeeded)"))
    func otherHandle() throws {
        let now = try identity(directory.write("logs/a.log", "a.log\n"))
        let handle = try #require(now.handle)
        #expect(try found(now, handle: handle + [0]) == nil)
        #expect(try found(now, birth: .some(nil), anchor: "a.lo") == now)
        #expect(try found(now, birth: .some(nil), anchor: "b.lo") == nil)
    }
}
