import Platform
import TestSupport
import Testing

@testable import Tailer

@Suite("A log that is as it was needs no turn at a sweep", .overBases)
struct GlanceTests {
    let bench: ParkingBench
    let stream: LogStream

    init() throws {
        bench = try ParkingBench(mostOpen: 10)
        try bench.write("a.log", "one\ntwo\n")
        try bench.look()
        stream = try #require(bench.streams.first)
        bench.readAll()
    }

    private var isAsItWas: Bool { stream.asItWasRead(bench.table) != nil }

    /// A turn so long after the last change that it proves what it reads.
    private func prove() {
        bench.now = MonotonicTime.now() + 3_600_000_000_000
        #expect(bench.turn(stream) == .atEnd)
    }

    @Test("It is known by one call once its content was read again, and not before")
    func proven() throws {
        #expect(!isAsItWas)
        prove()
        #expect(isAsItWas)
        // To ask changes nothing.
        #expect(isAsItWas)
    }

    @Test("A line more, and one that is not finished, get a turn; after that it is as it was")
    func grows() throws {
        prove()
        try bench.home.append("log/a.log", "three\nfo")
        #expect(!isAsItWas)
        bench.readAll()
        #expect(!isAsItWas)
        prove()
        #expect(isAsItWas)
        try bench.home.append("log/a.log", "ur\n")
        #expect(!isAsItWas)
        bench.readAll()
        #expect(bench.output.texts() == ["one", "two", "three", "four"])
    }

    @Test("Another content of the very same size gets a turn, and is read")
    func replaced() throws {
        prove()
        try bench.write("a.log", "uno\ndos\n")
        #expect(!isAsItWas)
        bench.readAll()
        try bench.settle()
        #expect(bench.output.texts() == ["one", "two", "uno", "dos"])
    }

    @Test("One that has another name now, is parked, or cannot be read gets a turn")
    func elsewhere() throws {
        prove()
        let file = try bench.file("a.log")
        _ = file.failed(bench.now)
        #expect(!isAsItWas)
        file.wasRead()
        #expect(isAsItWas)
        bench.cache.close(file)
        #expect(!isAsItWas)
        prove()
        try rename(bench.home.path("log/a.log"), bench.home.path("log/a.log.1"))
        #expect(!isAsItWas, "its change time is another one")
        try bench.settle()
        prove()
        #expect(!isAsItWas, "somebody may still write to it, and nobody else to the log")
    }

    @Test("Where others write, whose changes are known late, it always gets a turn")
    func otherWriters() {
        prove()
        bench.node.hasOtherWriters = true
        #expect(!isAsItWas)
    }
}
