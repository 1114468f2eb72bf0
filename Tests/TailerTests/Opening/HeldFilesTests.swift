import Model
import Platform
import Synchronization
import TestSupport
import Testing

@testable import Tailer

@Suite("Removed and rotated files are held open within a share", .overBases)
struct HeldFilesTests {
    /// `most` unread logs, each in a stream of its own, that were removed while they were open.
    private func removed(_ names: [String], _ bench: ParkingBench, bytes: Int = 7) throws {
        bench.output.state.withLock { $0.hasRoom = false }
        for name in names {
            try bench.write(name, String(repeating: "x", count: bytes - 1) + "\n")
        }
        try bench.look()
        for name in names { try remove(bench.home.path("log/\(name)")) }
        try bench.look()
        bench.table.keepShares()
        // What was let go may have been compressed: the next look tells that it was not.
        try bench.look()
    }

    /// One log that is rotated `rotations` times and removed each time, while nothing of it is taken.
    private func rotate(_ rotations: Int, _ bench: ParkingBench, bytes: Int = 7) throws {
        bench.output.state.withLock { $0.hasRoom = false }
        for number in 0..<rotations {
            let text = String(number)
            try bench.write(
                "a", text + String(repeating: "x", count: bytes - 1 - text.count) + "\n")
            try bench.look()
            bench.table.keepShares()
            try rename(bench.home.path("log/a"), bench.home.path("log/a.1"))
        }
        try bench.look()
        bench.table.keepShares()
        try bench.look()
    }

    @Test(
        "one stream takes all descriptors: past its share the oldest is let go, and told in bytes")
    func descriptors() throws {
        let bench = try ParkingBench(mostOpen: 16)
        try rotate(40, bench)
        let stream = try #require(bench.streams.first)
        // A quarter of sixteen is never held, and of the rest one stream has half.
        #expect(stream.files.count { $0.held.files > 0 } == 6)
        #expect(bench.cache.count <= 8)
        #expect(bench.lost.count >= 32 && bench.lost.count <= 34)
        #expect(Set(bench.lost).isSubset(of: ["\(bench.home.path("log/a.1")) 0..<7 held_limit"]))
        // What is held is read, oldest first, when there is room; and another log is opened now.
        try bench.write("b", "other\n")
        try bench.look()
        bench.output.state.withLock { $0.hasRoom = true }
        bench.readAll()
        let texts = bench.output.texts("\(bench.home.path("log/a"))").map {
            $0.prefix { $0 != "x" }
        }
        #expect(texts.map { Int($0) } == Array((40 - texts.count)..<40))
        #expect(texts.count + bench.lost.count == 40)
        #expect(bench.output.texts("\(bench.home.path("log/b"))") == ["other"])
    }

    @Test("one stream takes all held bytes: past its share the oldest is let go")
    func bytes() throws {
        let bench = try ParkingBench(mostOpen: 1000, heldBytes: 64 << 10)
        try rotate(100, bench, bytes: 4096)
        #expect(bench.cache.holds.shares.total.bytes <= 32 << 10)
        #expect(bench.cache.holds.shares.total.bytes >= 24 << 10)
        #expect(bench.lost.count >= 90 && bench.lost.count <= 94)
        bench.output.state.withLock { $0.hasRoom = true }
        bench.readAll()
        // Lines of 4,096 bytes come in four pieces.
        #expect(bench.output.count == 4 * (100 - bench.lost.count))
        #expect(bench.cache.holds.shares.total == HeldShares.Amount())
    }

    @Test("more streams with a removed file than may be held: each beyond is told, the others read")
    func manyStreams() throws {
        let bench = try ParkingBench(mostOpen: 16)
        try removed((0..<16).map { "log\($0)x" }, bench)
        #expect(bench.cache.holds.shares.total.files == 12)
        #expect(bench.lost.count == 4)
        #expect(bench.lost.allSatisfy { $0.hasSuffix("x 0..<7 held_limit") })
        bench.output.state.withLock { $0.hasRoom = true }
        bench.readAll()
        #expect(bench.output.count == 12)
        #expect(bench.cache.holds.shares.total == HeldShares.Amount())
    }

    /// Their directory may be back: then they are read on where they were.
    @Test("X2: unread files that were moved away, more than may be held, are let go of, not lost")
    func movedAway() throws {
        let bench = try ParkingBench(mostOpen: 16)
        let names = (0..<16).map { "log\($0)x" }
        bench.output.state.withLock { $0.hasRoom = false }
        for name in names { try bench.write(name, "begun\n") }
        try bench.look()
        // What is written after the last look counts as unread, too.
        for name in names { try bench.home.append("log/\(name)", "on\n") }
        try bench.home.makeDirectory("away")
        for name in names {
            try rename(bench.home.path("log/\(name)"), bench.home.path("away/\(name)"))
        }
        try bench.look()
        bench.table.keepShares()
        try bench.look()
        let state = bench.output.state.withLock { $0 }
        #expect(bench.lost.isEmpty)
        #expect(state.unfollowed.count == 4 && state.gone == 0)
        for file in state.unfollowed.map({ state.files[$0.number] }) {
            #expect(file.end == file.base.logical(9))
        }
    }

    @Test("what has a name is closed and not let go, and read when its turn comes")
    func namedFirst() throws {
        let bench = try ParkingBench(mostOpen: 16)
        bench.output.state.withLock { $0.hasRoom = false }
        for number in 10..<22 { try bench.write("log\(number)x", "line \(number)\n") }
        try bench.look()
        // Each is final, and unread: what rotated it may remove it.
        for file in bench.files { file.becomeFinal() }
        for number in 22..<26 { try bench.write("log\(number)x", "line \(number)\n") }
        try bench.look()
        for file in bench.files { file.becomeFinal() }
        #expect(bench.cache.holds.shares.total.files == 16)
        bench.table.keepShares()
        #expect(bench.cache.holds.shares.total.files == 12)
        #expect(bench.lost.isEmpty)
        bench.output.state.withLock { $0.hasRoom = true }
        bench.readAll()
        #expect(bench.output.count == 16 && bench.lost.isEmpty)
    }

    @Test("an archive that is removed while it is closed is told with all that was in it")
    func removedWhileClosed() throws {
        let bench = try ParkingBench(mostOpen: 16)
        bench.output.state.withLock { $0.hasRoom = false }
        try bench.write("a", "one\n")
        try bench.look()
        let file = try bench.file("a")
        // Written after the last look, and seen only when it is closed.
        try bench.home.append("log/a", "two\n")
        file.becomeFinal()
        bench.cache.close(file)
        file.sawFromOutside(size: 8)
        try remove(bench.home.path("log/a"))
        try bench.look()
        bench.now += bench.table.patience
        try bench.look()
        try bench.look()
        #expect(bench.lost == ["\(bench.home.path("log/a")) 0..<8 deleted_unread"])
        #expect(bench.files.isEmpty)
    }

    @Test("a removed log that is being read is not let go, however large, within the limit")
    func largeAlone() throws {
        let bench = try ParkingBench(mostOpen: 16, heldBytes: 64 << 10)
        try removed(["a"], bench, bytes: 60 << 10)
        #expect(bench.lost.isEmpty && bench.cache.count == 1)
        let other = try ParkingBench(mostOpen: 16, heldBytes: 64 << 10)
        try removed(["a"], other, bytes: 80 << 10)
        #expect(other.lost == ["\(other.home.path("log/a")) 0..<81920 held_limit"])
        #expect(other.cache.count == 0)
    }
}
