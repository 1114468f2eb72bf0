import Glibc
import Platform
import TestSupport
import Testing

@testable import Tailer

@Suite("Any number of files where rotated ones go")
struct ManyArchivesTests {
    private let bench: ParkingBench

    init() throws {
        bench = try ParkingBench(mostOpen: 200, archives: true)
        try bench.home.makeDirectory("old")
    }

    /// The log's first line is read, with so many older files in the archives.
    private func begin(_ strangers: Int) throws {
        try addStrangers(strangers)
        // Files' times go by the kernel's ticks.
        let earlier = try FileStatus.glance(at: Array(bench.home.path("old").utf8)).modified
        try eventually("time goes on") {
            let tick = try bench.home.write("tick", "x")
            return try FileStatus.glance(at: Array(tick.utf8)).modified > earlier
        }
        try bench.write("a.log", "line 0\n")
        try bench.settle()
    }

    private func old(_ number: Int) -> String { bench.home.path("old/a.log.\(number)") }

    private func addStrangers(_ count: Int) throws {
        for number in 1_000..<1_000 + count {
            try appendBytes(Array("not a.log's \(number)\n".utf8), to: old(number))
            try setTime(of: old(number), seconds: 1_000_000)
        }
    }

    @Test(
        "A search among thousands of them is cut, has few of them open, and finds what it looks for",
        arguments: [true, false])
    func survey(isCompressed: Bool) throws {
        try begin(3_000)
        try appendBytes(Array("line 1\n".utf8), to: bench.home.path("log/a.log"))
        try rename(bench.home.path("log/a.log"), old(1))
        if isCompressed { try compress(old(1), .gzip) }
        try bench.write("a.log", "line 2\n")
        let next = try ParkingBench(mostOpen: 200, archives: true, after: bench)
        var isCut = false
        let mostOpen = try next.watchOpenFiles(beneath: "old") {
            _ = try next.lookInSlices {
                let known = next.streams.map(\.strangersElsewhere.count).max() ?? 0
                if (1..<2_900).contains(known) { isCut = true }
            }
        }
        #expect(isCut)
        // Some more than are kept: the directory, twice, and what is looked at.
        #expect((1..<80).contains(mostOpen))
        try next.settle()
        #expect(next.output.texts() == ["line 0", "line 1", "line 2"])
        #expect(next.lost.isEmpty)
        #expect(next.gone == 0)
        let stream = try #require(next.streams.first)
        #expect(stream.isReconciled && stream.portions == nil && !stream.hasMoreRotated)
    }

    /// 1. Thousands of files there were read, or are none of the log's.
    /// 2. The log is truncated, and written to.
    @Test(
        "A search for what a truncated log held is cut, goes on where it was, and is no change",
        arguments: [true, false])
    func truncated(isKnown: Bool) throws {
        try begin(3_000)
        if isKnown {
            // As if an earlier run had read them.
            for number in 1_000..<4_000 {
                try bench.output.know(old(number), stream: bench.home.path("log/a.log"))
            }
        }
        try Descriptor.open(bench.home.path("log/a.log"), O_WRONLY).truncate(to: 0)
        try appendBytes(Array("line 1\n".utf8), to: bench.home.path("log/a.log"))
        bench.readAll()
        var isCut = false
        let (end, _) = try bench.lookInSlices {
            let stream = bench.streams.first
            let count = isKnown ? stream?.judgedArchives.count : stream?.strangersElsewhere.count
            if (1..<2_900).contains(count ?? 0) { isCut = true }
        }
        #expect(isCut)
        guard case .fine = end else {
            Issue.record("\(end)")
            return
        }
        try bench.settle()
        #expect(bench.output.texts() == ["line 0", "line 1"])
    }

    @Test(
        "What was rotated to there between two looks is read in portions and in order",
        arguments: [63, 64, 65, 128, 129, 200])
    func portions(_ count: Int) throws {
        try begin(70)
        for line in 1...count {
            try rename(bench.home.path("log/a.log"), old(999 - line))
            try bench.write("a.log", "line \(line)\n")
        }
        try bench.settle()
        #expect(bench.output.texts() == (0...count).map { "line \($0)" })
        #expect(bench.lost.isEmpty)
        let stream = try #require(bench.streams.first)
        #expect(stream.portions == nil && !stream.hasMoreRotated)
    }

    /// 1. Nothing is read yet of what lies there, and it is no other file's copy.
    /// 2. With each look the same files were open, and those behind them had no turn.
    @Test("Copies of what is read do not keep a log from its turn", arguments: [70, 200])
    func copies(_ count: Int) throws {
        try begin(0)
        try rename(bench.home.path("log/a.log"), old(1))
        for number in 0..<count {
            try appendBytes(Array("line 1\n".utf8), to: old(2_000 + number))
        }
        try bench.write("a.log", "line 1\nline 2\n")
        try bench.settle()
        #expect(bench.output.texts() == ["line 0", "line 1", "line 2"])
        #expect(bench.lost.isEmpty)
    }
}
