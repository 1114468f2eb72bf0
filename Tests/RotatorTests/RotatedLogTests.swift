import Platform
import TestSupport
import Testing

@testable import Rotator

@Suite("A log and what lies beside it")
struct RotatedLogTests {
    private let directory: TemporaryDirectory
    private let block = 4096
    init() throws { directory = try TemporaryDirectory() }

    private func open(
        _ name: String = "app.log", isRoot: Bool = true, inode: UInt64? = nil
    ) throws(RotatedLog.Refusal) -> RotatedLog {
        let opened: Descriptor
        do throws(SystemError) {
            opened = try Descriptor.open(directory.path, O.directory)
        } catch {
            throw .failed(error)
        }
        return try RotatedLog.open(Array(name.utf8), in: opened, isRoot: isRoot) {
            (_, status) in inode.map { $0 == status.inode } ?? true
        }
    }

    private func refusal(_ name: String = "app.log", isRoot: Bool = true) -> RotatedLog.Refusal? {
        do throws(RotatedLog.Refusal) {
            _ = try open(name, isRoot: isRoot)
            return nil
        } catch {
            return error
        }
    }

    @Test("O7: a link, a hard link, a FIFO in the log's place: refused, and untouched")
    func hostile() throws {
        let secret = try directory.write("secret", "root:x:0:0\n")
        try makeLink(directory.path("link.log"), to: secret)
        try makeHardLink(directory.path("hard.log"), to: secret)
        try makeFIFO(directory.path("fifo.log"))
        _ = try directory.makeDirectory("dir.log")
        #expect(refusal("link.log") == .isOther)
        #expect(refusal("hard.log") == .hasLinks(2))
        #expect(refusal("fifo.log") == .isOther)
        #expect(refusal("dir.log") == .isOther)
        #expect(try readFile(secret) == Array("root:x:0:0\n".utf8))
        // Another file than the one that is meant.
        let log = try directory.write("app.log", "one\n")
        let inode = try FileStatus.glance(at: Array(log.utf8)).inode
        #expect(throws: RotatedLog.Refusal.isOther) { _ = try open(inode: inode + 1) }
    }

    @Test("O6: root does nothing in a directory that others may write to")
    func openToOthers() throws {
        _ = try directory.write("app.log", "one\n")
        try setMode(directory.path, 0o777)
        #expect(refusal() == .isOpenToOthers)
        #expect(refusal(isRoot: false) == nil)
        try setMode(directory.path, 0o755)
        #expect(refusal() == nil)
    }

    /// 1. Two agents with two data directories run for a moment: the one follows the other.
    @Test func aLogIsRotatedByOneAtATime() throws {
        _ = try directory.write("app.log", "one\n")
        let log = try open()
        #expect(refusal() == .isLocked)
        withExtendedLifetime(log) {}
    }

    /// PHP's `file_put_contents(…, LOCK_EX)` locks for each line.
    @Test func aLogThatItsWriterLocksIsRotated() throws {
        let path = try directory.write("app.log", "one\n")
        let writer = try Descriptor.open(path, O.read)
        #expect(try writer.lock())
        #expect(refusal() == nil)
    }

    @Test func whatAnotherHasPutInTheCopysPlaceBecomesNoArchive() throws {
        let path = try directory.write("app.log", [UInt8](repeating: 1, count: 2 * block))
        let log = try open()
        try log.copy(0..<block, isOver: { false }) { (_, _) in }
        let inode = try FileStatus.glance(at: Array(path.utf8)).inode
        let hidden = ".shipper-rotating-\(inode)"
        // So that its inode number is not given out again.
        try makeHardLink(directory.path("kept"), to: directory.path(hidden))
        try Descriptor.open(directory.path, O.directory).remove(Array(hidden.utf8))
        _ = try directory.write(hidden, "half")
        try log.shift(keep: 2) { (_, _) in true }
        #expect(throws: SystemError.self) { try log.place() }
        try log.discard()
        #expect(try directory.names().sorted() == [hidden, "app.log", "kept"])
    }

    @Test(
        "O12: a logrotate renames the log meanwhile: it is neither removed nor moved",
        arguments: [1, 2])
    func renamed(keep: Int) throws {
        let path = try directory.write("app.log", [UInt8](repeating: 1, count: 2 * block))
        let log = try open()
        try log.copy(0..<block, isOver: { false }) { (_, _) in }
        try Descriptor.open(directory.path, O.directory)
            .renameToNew(Array("app.log".utf8), Array("app.log.1".utf8))
        _ = try directory.write("app.log", "new\n")
        #expect(throws: SystemError.self) { try log.shift(keep: keep) { (_, _) in true } }
        #expect(throws: SystemError.self) { try log.place() }
        try log.discard()
        #expect(try directory.names().sorted() == ["app.log", "app.log.1"])
        #expect(try readFile(path) == Array("new\n".utf8))
        #expect(try readFile(directory.path("app.log.1")).count == 2 * block)
    }

    @Test(.enabled(if: CollapsingDisk.isHere, "the file system of /tmp cannot collapse"))
    func theFrontGoesAndIsInTheArchiveWithOwnerAndMode() throws {
        let blocks = [UInt8](repeating: 1, count: block) + [UInt8](repeating: 2, count: block)
        let path = try directory.write("app.log", blocks + Array("rest\n".utf8))
        try setMode(path, 0o640)
        _ = try directory.write("app.log.1", "older\n")
        // What a killed run has left.
        let inode = try FileStatus.glance(at: Array(path.utf8)).inode
        _ = try directory.write(".shipper-rotating-\(inode)", "half")
        let log = try open()
        #expect(try log.probe() == .collapse(alignment: block))
        try log.copy(0..<block, isOver: { false }) { (copy, status) throws(SystemError) in
            #expect(status.size == block)
        }
        try log.shift(keep: 2) { (_, _) in false }
        try log.place()
        try log.punch(0..<block)
        try log.settle()
        #expect(try log.frontHole() == block)
        try log.collapse(block)
        #expect(try readFile(path) == Array(blocks[block...]) + Array("rest\n".utf8))
        #expect(try readFile(directory.path("app.log.1")) == Array(blocks[..<block]))
        #expect(try readFile(directory.path("app.log.2")) == Array("older\n".utf8))
        #expect(try directory.names().sorted() == ["app.log", "app.log.1", "app.log.2"])
        let archive = try FileStatus.glance(at: Array(directory.path("app.log.1").utf8))
        #expect(archive.mode & 0o777 == 0o640)
        #expect(archive.owner == log.status.owner)
    }

    @Test func whatMayNotGoStopsEverything() throws {
        _ = try directory.write("app.log", [UInt8](repeating: 1, count: 2 * block))
        _ = try directory.write("app.log.1", "unread\n")
        let log = try open()
        try log.copy(0..<block, isOver: { false }) { (_, _) in }
        #expect(throws: SystemError.self) { try log.shift(keep: 1) { (_, _) in false } }
        try log.discard()
        #expect(try directory.names().sorted() == ["app.log", "app.log.1"])
        #expect(try readFile(directory.path("app.log.1")) == Array("unread\n".utf8))
    }

    @Test func anEndThatIsAskedForLeavesTheLogAsItWas() throws {
        _ = try directory.write("app.log", [UInt8](repeating: 1, count: 2 * block))
        let log = try open()
        #expect(throws: SystemError("copy", code: .interrupted)) {
            try log.copy(0..<block, isOver: { true }) { (_, _) in }
        }
        try log.discard()
        #expect(try directory.names() == ["app.log"])
    }
}
