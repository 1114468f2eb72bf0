import Glibc
import Synchronization
import TestSupport
import Testing

@testable import Tailer

@Suite("A log that is copied and truncated again and again between two looks", .overBases)
struct CopiedFileTests {
    private let bench: ParkingBench

    init() throws { bench = try ParkingBench(mostOpen: 10) }

    /// Earlier copies get the next number, the log is copied, truncated, and written to.
    private func rotate(thenWrite text: String) throws {
        let numbers = try bench.home.names("log").compactMap { Int($0.dropFirst("a.log.".count)) }
        for number in numbers.sorted(by: >) {
            try rename(
                bench.home.path("log/a.log.\(number)"), bench.home.path("log/a.log.\(number + 1)"))
        }
        try bench.write("a.log.1", String(decoding: readFile(log), as: UTF8.self))
        try bench.write("a.log", text)
    }

    private var log: String { bench.home.path("log/a.log") }

    /// The log is read, was truncated, and is known to be empty.
    private func begin() throws {
        try bench.write("a.log", "one\n")
        try bench.look()
        bench.readAll()
        try rotate(thenWrite: "")
        bench.readAll()
        try bench.look()
        bench.readAll()
        #expect(bench.output.texts() == ["one"])
    }

    private func goOn() throws {
        for _ in 0..<3 {
            bench.readAll()
            try bench.look()
        }
    }

    /// 1. A line is seen, and there is no room for it.
    /// 2. It is copied and truncated away, and so is what follows it.
    @Test("what was seen of a content and not read is what its copy is known by")
    func seenAndNotRead() throws {
        try begin()
        try bench.write("a.log", "two\n")
        bench.output.state.withLock { $0.hasRoom = false }
        bench.readAll()
        bench.output.state.withLock { $0.hasRoom = true }
        try rotate(thenWrite: "three\n")
        try rotate(thenWrite: "fourth\n")
        try goOn()
        #expect(bench.output.texts() == ["one", "two", "three", "fourth"])
    }

    /// 1. Nobody tells of a copy in time, and what the log held after it is read first.
    /// 2. That is copied and truncated away too, and its copy is found.
    @Test("a copy that was overtaken comes late, and comes")
    func overtaken() throws {
        try begin()
        try bench.write("a.log", "two\n")
        try rotate(thenWrite: "three\n")
        bench.readAll()
        try rotate(thenWrite: "fourth\n")
        try goOn()
        #expect(bench.output.texts() == ["one", "three", "two", "fourth"])
    }

    /// 1. A log's bytes are in memory. Its first line waits for a look.
    /// 2. It is copied, written to, and truncated. The copy goes on under the log's id.
    @Test("bytes that are in memory are those of the log, and not of what became its copy")
    func inMemory() throws {
        try bench.write("a.log", "one\ntwo\n")
        try bench.look()
        let stream = try #require(bench.streams.first)
        try bench.write("a.log.1", "one\n")
        bench.hasNews = true
        #expect(bench.turn(stream) == .news)
        bench.hasNews = false
        try bench.write("a.log", "")
        try bench.look()
        try goOn()
        #expect(bench.output.texts() == ["one"])
        #expect(bench.lost == ["\(log) 4..<8 truncated"])
    }

    @Test("where there is news, its first line waits for a look, however many turns there are")
    func turnsBeforeTheLook() throws {
        try begin()
        try bench.write("a.log", "two\n")
        try rotate(thenWrite: "three\n")
        let stream = try #require(bench.streams.first)
        bench.hasNews = true
        for _ in 0..<100 { #expect(bench.turn(stream) == .news) }
        bench.hasNews = false
        try bench.look()
        try goOn()
        #expect(bench.output.texts() == ["one", "two", "three"])
    }
}
