import Model
import Platform
import Synchronization
import TestSupport
import Testing

@testable import Tailer

/// Counted, and not timed.
@Suite("Looks at dormant logs: when, how many, and who hears of them", .overBases)
struct DormantLooksTests {
    private let bench: ParkingBench
    private let watches: Watches
    private let dormancy: Dormancy
    private let touched: Counter
    private let sweep: Int64 = 250_000_000
    private let intervals = TailerIntervals()

    private final class Counter {
        var count = 0
    }

    init() throws {
        let touched = Counter()
        self.touched = touched
        var intervals = intervals
        intervals.mostAwake = 0
        bench = try ParkingBench(mostOpen: 10)
        watches = Watches(limit: 100, intervals: intervals, report: { _ in })
        var steps = [intervals.slowestPoll]
        while let last = steps.last, last < 1 << 42 { steps.append(2 * last) }
        dormancy = Dormancy(
            bench.table, watches, intervals, pollIntervals: steps,
            sweeps: ([sweep], [0]), touches: { _ in touched.count += 1 })
        bench.now = MonotonicTime.now()
    }

    /// Logs that were read to their ends, and sleep; so long after their last lines.
    private func sleep(_ count: Int, after quiet: Int64) throws {
        for index in 0..<count { try bench.write("\(index).log", "one\n") }
        try bench.look()
        for stream in bench.streams {
            while bench.turn(stream) == .moved {}
        }
        bench.parkAll()
        _ = bench.table.agenda.take()
        for stream in bench.streams {
            stream.lastGrowth = bench.now + -quiet
            stream.attention = .polled(due: bench.now)
            dormancy.consider(stream)
        }
        dormancy.fallAsleep(bench.now)
        #expect(bench.node.dormant.count == count)
    }

    /// As many passes as it takes to look at all that are due by then.
    private func lookAll(_ time: MonotonicTime) {
        while let due = dormancy.nextDue, due <= time { _ = dormancy.look(time) }
    }

    @Test("What was written to a moment ago has its next sweep, and no later look")
    func sweeps() throws {
        try sleep(3, after: 0)
        let due = try #require(dormancy.nextDue)
        #expect(due == bench.now.next(multipleOf: sweep))
        lookAll(due)
        #expect(touched.count == 3)
        // And again, until it was quiet for long.
        #expect(dormancy.nextDue == due.next(multipleOf: sweep))
        try bench.home.append("log/1.log", "two\n")
        lookAll(due + sweep)
        #expect(bench.streams.map(\.liveName) == [Array("1.log".utf8)])
    }

    @Test("X3: quiet ones are looked at so often in sum and no more, and each look is told of")
    func quiet() throws {
        dormancy.round.count = 100_000
        dormancy.round.shares = 1
        bench.node.quietBelow = 100_000
        try sleep(50, after: intervals.idle)
        let due = try #require(dormancy.nextDue)
        let length = dormancy.round.length(for: bench.node)
        #expect(due >= bench.now + length && due <= bench.now + 2 * length)
        #expect(100_000 * intervals.slowestPoll / length <= Dormancy.mostQuietLooks)
        lookAll(due)
        #expect(touched.count == 50)
    }

    @Test("X3: a thousand are due: no pass takes longer than a slice or so many looks")
    func passes() throws {
        try sleep(1_100, after: 0)
        let due = try #require(dormancy.nextDue)
        _ = dormancy.look(due)
        #expect((1...512).contains(touched.count))
        lookAll(due)
        #expect(touched.count == 1_100)
    }

    /// 1. Quiet ones are due at all times: their files are far away.
    /// 2. One is written to all the same.
    @Test("X3: thousands of quiet ones that are due keep none from its look that is written to")
    func quietOnesFirst() throws {
        try sleep(1_100, after: intervals.idle)
        let quiet = try #require(dormancy.nextDue)
        try bench.write("new.log", "one\n")
        bench.now = quiet
        try bench.look()
        let stream = try #require(bench.streams.first)
        while bench.turn(stream) == .moved {}
        bench.parkAll()
        _ = bench.table.agenda.take()
        stream.lastGrowth = quiet
        stream.attention = .polled(due: quiet)
        dormancy.consider(stream)
        dormancy.fallAsleep(quiet)
        #expect(bench.node.dormant.count == 1_101)
        try bench.home.append("log/new.log", "two\n")
        _ = dormancy.look(quiet.next(multipleOf: sweep))
        #expect(bench.streams.map(\.liveName) == [Array("new.log".utf8)])
        #expect(touched.count < 1_100)
    }

    @Test("Hints of one that waits for its look already are no more looks")
    func hints() throws {
        try sleep(4, after: intervals.idle)
        lookAll(try #require(dormancy.nextDue))
        #expect(watches.fileCount == 4 && touched.count == 4)
        for _ in 0..<100 {
            dormancy.hint(bench.node)
            dormancy.hint(Array("1.log".utf8), in: bench.node)
        }
        #expect(dormancy.isBusy)
        lookAll(bench.now)
        #expect(touched.count == 8 && !dormancy.isBusy)
    }

    /// 1. A quiet log is watched, and its watch is taken for another, or void after an overflow.
    /// 2. Before it is woken for that, its file is parked to make room.
    @Test("D9: what is about to be woken does not fall asleep", arguments: [true, false])
    func aboutToBeWoken(isTaken: Bool) throws {
        try bench.write("a.log", "one\n")
        try bench.look()
        let stream = try #require(bench.streams.first)
        while bench.turn(stream) == .moved {}
        let file = try bench.file("a.log")
        #expect(watches.watchOnce(stream, file, try file.opened().descriptor, bench.now))
        stream.attention = .watched
        bench.parkAll()
        _ = bench.table.agenda.take()
        if isTaken { watches.unwatch(stream) } else { watches.distrust(bench.now) }
        dormancy.consider(stream)
        dormancy.fallAsleep(bench.now)
        #expect(bench.node.dormant.isEmpty && stream.attention == .watched)
        // As one that is polled it has its next look.
        stream.attention = .polled(due: bench.now)
        dormancy.consider(stream)
        dormancy.fallAsleep(bench.now)
        #expect(bench.node.dormant.count == 1 && dormancy.nextDue != nil)
        #expect(watches.fileCount == 0)
    }

    @Test("One whose entry is gone leaves no watch behind")
    func watch() throws {
        try sleep(1, after: intervals.idle)
        lookAll(try #require(dormancy.nextDue))
        let dormant = try #require(bench.node.dormant.values.first)
        #expect(watches.fileCount == 1 && bench.node.watchesBelow == 1)
        bench.output.state.withLock { $0.files[dormant.file.number].isGone = true }
        #expect(bench.table.wake(dormant) == nil)
        #expect(watches.fileCount == 0 && bench.node.watchesBelow == 0)
    }
}
