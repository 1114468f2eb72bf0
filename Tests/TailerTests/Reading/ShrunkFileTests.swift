import Model
import Synchronization
import TestSupport
import Testing

@testable import Tailer

@Suite("A file that shrinks between two looks", .overBases)
struct ShrunkFileTests {
    /// 1. A look saw that an empty file had become 2,500 bytes long.
    /// 2. It was truncated, and filled with less.
    /// 3. That was read as if it were the content of step 1, found shorter than it was by the next
    ///    look, and read once more as another content.
    @Test("What is read after a truncation is read once, whatever size was seen before it")
    func readOnce() throws {
        let bench = try ParkingBench(mostOpen: 10)
        try bench.write("a.log", "")
        try bench.look()
        let file = try bench.file("a.log")
        file.grew(to: file.base.logical(2500))
        try bench.write("a.log", "one\ntwo\n")
        for _ in 0..<3 {
            bench.readAll()
            try bench.look()
        }
        #expect(bench.output.texts() == ["one", "two"])
    }

    /// 1. A job overwrites its log whole, by more than it held.
    /// 2. What the new content is longer by was counted as lost of the old one.
    @Test(
        "What a log is overwritten with is no loss, however long it is; what was unread of it before is",
        arguments: [true, false])
    func overwrittenByMore(isRead: Bool) throws {
        let bench = try ParkingBench(mostOpen: 10)
        try bench.write("a.log", "one\n")
        try bench.look()
        bench.readAll()
        if !isRead {
            try bench.write("a.log", "one\ntwo\n")
            // It is seen, and there is no room for it.
            bench.output.state.withLock { $0.hasRoom = false }
            bench.readAll()
            bench.output.state.withLock { $0.hasRoom = true }
        }
        try bench.write("a.log", "uno\ndos\ntres\n")
        for _ in 0..<3 {
            bench.readAll()
            try bench.look()
        }
        #expect(bench.output.texts() == ["one", "uno", "dos", "tres"])
        let path = bench.home.path("log/a.log")
        #expect(bench.lost == (isRead ? [] : ["\(path) 4..<8 truncated"]))
    }
}
