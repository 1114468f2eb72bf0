import Model
import Platform
import Synchronization
import TestSupport
import Testing

@testable import Tailer

@Suite("The bound on descriptors", .overBases)
struct DescriptorCacheTests {
    private let bench: ParkingBench

    init() throws { bench = try ParkingBench(mostOpen: 3) }

    private func names(_ files: [TailedFile]) -> [String] {
        files.filter(\.isOpen).map { String(decoding: $0.name ?? [], as: UTF8.self) }
    }

    @Test("one file more than the bound parks the one that was not used for longest")
    func leastUsed() throws {
        for name in ["a", "b", "c"] { try bench.write(name, "") }
        try bench.look()
        #expect(bench.cache.count == 3)
        // The hand passes every file once: each is new.
        try bench.write("d", "")
        try bench.look()
        #expect(bench.cache.count == 3)
        let parked = try #require(bench.files.first { !$0.isOpen })
        // What is used stays, what is not goes.
        bench.forgetUses()
        let used = try #require(bench.open().last)
        bench.cache.use(used)
        #expect(bench.cache.parkOne() && bench.cache.parkOne())
        #expect(used.isOpen && !parked.isOpen)
        #expect(bench.cache.count == 1)
    }

    @Test("a file with unread bytes is parked only where no other is read to its end")
    func unreadLast() throws {
        try bench.write("a", "unread\n")
        try bench.write("b", "")
        try bench.write("c", "unread\n")
        try bench.look()
        #expect(bench.cache.parkOne())
        #expect(names(bench.files) == ["a", "c"])
        #expect(bench.cache.parkOne())
        #expect(bench.cache.count == 1)
    }

    @Test("a file that has just grown counts as unread, though nobody has looked at it yet")
    func grownMeanwhile() throws {
        try bench.write("a", "")
        try bench.write("b", "")
        try bench.look()
        bench.forgetUses()
        try bench.home.append("log/a", "new\n")
        #expect(bench.cache.parkOne())
        #expect(names(bench.files) == ["a"])
    }

    @Test(
        "what has no name, or another file has its name, and what is final and unread is never parked"
    )
    func neverParked() throws {
        for name in ["deleted", "moved", "final"] { try bench.write(name, "unread\n") }
        try bench.look()
        let deleted = try bench.file("deleted")
        // No scan has told of these yet.
        try remove(bench.home.path("log/deleted"))
        try rename(bench.home.path("log/moved"), bench.home.path("elsewhere"))
        try bench.file("final").becomeFinal()
        #expect(!bench.cache.parkOne())
        #expect(bench.cache.count == 3)
        // There is no room for a fourth, which is not an error of that file.
        try bench.write("fourth", "")
        try bench.look(expecting: .retry)
        #expect(bench.files.count == 3)
        let errors = bench.output.state.withLock { state in
            state.events.compactMap {
                if case .unreadable(let path, let error) = $0 { "\(path) \(error)" } else { nil }
            }
        }
        #expect(errors == ["\(bench.home.path("log/fourth")) open: Too many open files"])
        // It is opened as soon as one is let go.
        bench.cache.close(deleted)
        try bench.look()
        #expect(try bench.file("fourth").isOpen)
    }

    @Test("the file whose turn it is stays open whatever is opened meanwhile")
    func current() throws {
        for name in ["a", "b"] { try bench.write(name, "") }
        try bench.look()
        bench.cache.current = try bench.file("a")
        #expect(bench.cache.parkOne())
        #expect(!bench.cache.parkOne())
        #expect(names(bench.files) == ["a"])
    }

    @Test("files that come and go leave nothing behind")
    func turnover() throws {
        for round in 0..<500 {
            try bench.write("a", "\(round)\n")
            try bench.look()
            try remove(bench.home.path("log/a"))
            for stream in bench.streams {
                for file in stream.files { bench.table.release(file, of: stream) }
            }
            try bench.look()
        }
        #expect(bench.cache.count == 0)
        #expect(bench.cache.remembered <= 64)
    }
}
