import Glibc
import Model
import Platform
import TestSupport
import Testing

@testable import Tailer

/// What is opened is compared by its bytes before it is taken for a file that was read.
@Suite("A file that was opened and is nobody's yet") struct CandidateTests {
    private let bench: ParkingBench

    init() throws { bench = try ParkingBench(mostOpen: 10) }

    private func candidate(_ name: String, mayBePacked: Bool = false) throws -> Candidate {
        let stream = LogStream(
            id: StreamID(number: 9), kind: .path, name: bench.home.path("log/b.log"),
            liveName: Array("b.log".utf8), input: 0, captures: [:])
        let request = FileOpener.Request(
            stream: stream, name: Array(name.utf8), path: bench.home.path("log/\(name)"),
            isArchived: true, mayBePacked: mayBePacked)
        guard
            case .candidate(let candidate) = bench.opener.examine(
                request, in: try bench.node.open())
        else { throw Unexpected(description: "\(name) was not opened") }
        return candidate
    }

    private struct Unexpected: Error { let description: String }

    private let long = (0..<2_000).map { "line \($0)\n" }.joined()

    @Test("it goes on where another one was read to, if the bytes before that are the same")
    func continues() throws {
        try bench.write("a.log.1", "one\ntwo\nthree\n")
        let file = try candidate("a.log.1")
        #expect(try file.continues(at: 8, after: Array("one\ntwo\n".utf8)))
        #expect(try file.continues(at: 8, after: Array("two\n".utf8)))
        #expect(try !file.continues(at: 8, after: Array("one\ntwO\n".utf8)))
        #expect(try !file.continues(at: 9, after: Array("one\ntwo\n".utf8)))
        // The whole of it.
        #expect(try file.continues(at: 14, after: Array("three\n".utf8)))
        #expect(try !file.continues(at: 14, after: Array("thRee\n".utf8)))
    }

    /// The front of a file was removed: its position is smaller than what is known of before.
    @Test("of the bytes before a position those count that are there")
    func continuesAfterFewerBytes() throws {
        try bench.write("a.log.1", "two\nthree\n")
        let file = try candidate("a.log.1")
        #expect(try file.continues(at: 4, after: Array("one\ntwo\n".utf8)))
        #expect(try !file.continues(at: 4, after: Array("one\ntwO\n".utf8)))
    }

    @Test("one that ends before the position has nothing that was not read")
    func shorter() throws {
        try bench.write("a.log.1", "one\n")
        let file = try candidate("a.log.1")
        #expect(try file.continues(at: 5, after: Array("two\n!".utf8)))
        #expect(try file.continues(at: 0, after: []))
    }

    @Test("it is the beginning of a followed file when all of its bytes begin that one")
    func beginning() throws {
        try bench.write("a.log", long)
        try bench.settle()
        let live = try bench.file("a.log")
        let cases: [(String, Bool)] = [
            (long, true), (String(long.prefix(5_000)), true), ("line 0\n", true),
            ("", false), (long + "more\n", false), ("line 1\n", false),
            // The same head, and another end.
            (String(long.prefix(5_000)) + "other\n", false),
        ]
        for (number, (text, expected)) in cases.enumerated() {
            try bench.write("copy.\(number)", text)
            #expect(
                try candidate("copy.\(number)").isBeginning(of: live) == expected, "\(number)")
        }
    }

    @Test("and was that of another one as long as that was not truncated")
    func wasBeginning() throws {
        try bench.write("whole.1", long)
        let whole = try candidate("whole.1")
        try bench.write("copy.1", String(long.prefix(5_000)))
        let copy = try candidate("copy.1")
        #expect(try copy.wasBeginning(of: whole))
        #expect(try !whole.wasBeginning(of: copy))
        #expect(try whole.wasBeginning(of: whole))
        try bench.write("other.1", String(long.prefix(5_000)) + "other\n")
        let other = try candidate("other.1")
        #expect(try !other.wasBeginning(of: whole))
        try bench.write("empty.1", "")
        let empty = try candidate("empty.1")
        #expect(try !empty.wasBeginning(of: whole))
        // Where it was truncated since, nothing but their heads can be compared.
        try Descriptor.open(bench.home.path("log/whole.1"), O_WRONLY).truncate(to: 0)
        #expect(try copy.wasBeginning(of: whole))
        #expect(try other.wasBeginning(of: whole))
        #expect(try !empty.wasBeginning(of: whole))
    }

    @Test("what is compressed is not compared by its bytes, but is known by its content's head")
    func packed() throws {
        try bench.write("a.log", long)
        try bench.settle()
        let live = try bench.file("a.log")
        try bench.write("a.log.1", long)
        try compress(bench.home.path("log/a.log.1"), .gzip)
        let packed = try candidate("a.log.1.gz", mayBePacked: true)
        #expect(packed.head == Array(long.utf8.prefix(1024)))
        #expect(try !packed.isBeginning(of: live))
        #expect(try packed.continues(at: 8, after: Array("another\n".utf8)))
        // Not asked for: a file like any other.
        let plain = try candidate("a.log.1.gz")
        #expect(plain.packed == nil && plain.head.starts(with: [0x1F, 0x8B]))
    }
}
