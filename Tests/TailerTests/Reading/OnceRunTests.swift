import Model
import Platform
import TestSupport
import Testing

@testable import Tailer

@Suite("--once ends when its work is done", .overBases)
struct OnceRunTests {
    @Test("nothing is left: it is over at once")
    func settled() {
        var run = OnceRun()
        #expect(run.pauses(isSettled: true) == .isOver)
    }

    @Test("what brings nothing is tried ten times, and then left")
    func futile() {
        var run = OnceRun()
        for _ in 0..<OnceRun.mostFutileLooks { #expect(run.pauses(isSettled: false) == .isNot) }
        #expect(run.pauses(isSettled: false) == .isOver)
    }

    @Test("as long as anything moves it is not over, however long it takes")
    func moving() {
        var run = OnceRun()
        for _ in 0..<10_000 {
            for _ in 0..<OnceRun.mostFutileLooks {
                #expect(run.pauses(isSettled: false) == .isNot)
            }
            run.moved()
        }
        #expect(run.pauses(isSettled: false) == .isNot)
        #expect(run.pauses(isSettled: true) == .isOver)
    }

    @Test("a look that brings something gives ten more, and no second time for what it brought")
    func movedOnce() {
        var run = OnceRun()
        for _ in 0..<5 { #expect(run.pauses(isSettled: false) == .isNot) }
        run.moved()
        for _ in 0...OnceRun.mostFutileLooks { #expect(run.pauses(isSettled: false) == .isNot) }
        #expect(run.pauses(isSettled: false) == .isOver)
    }

    @Test("what several readers have left is left, and it is over when it is for all of them")
    func readers() {
        var one = TailerLeftovers()
        (one.isOver, one.isScanned) = (true, true)
        #expect(one.isNothing)
        // A last line that waits for its newline is nothing that was left.
        one.unfinishedLines = 2
        #expect(one.isNothing)
        var all = one
        all.add(one)
        #expect(all.isNothing && all.isScanned && all.unfinishedLines == 4)
        let (first, second) = (FileID(number: 1), FileID(number: 2))
        let leave: [(inout TailerLeftovers) -> Void] = [
            { $0.files = [first: 5] }, { $0.directories = 1 }, { $0.names = 1 },
            { $0.isOver = false },
        ]
        for leave in leave {
            var other = one
            leave(&other)
            #expect(!other.isNothing)
            var (before, after) = (one, other)
            before.add(other)
            after.add(one)
            #expect(!before.isNothing && !after.isNothing)
            #expect(before.isOver == other.isOver && after.isOver == other.isOver)
        }
        // A file whose name lies on one reader's volume and then on another's.
        var (here, there) = (one, one)
        here.files = [first: 5, second: 1]
        there.files = [first: .max]
        there.isScanned = false
        here.add(there)
        #expect(here.files == [first: .max, second: 1])
        #expect(!here.isScanned)
    }

    /// 1. Files wait for a descriptor, with bytes that are not read.
    /// 2. Their volume is unmounted.
    @Test("what is unread of files that are out of reach is left, unless they are back")
    func outOfReach() throws {
        let bench = try ParkingBench(mostOpen: 100, once: true)
        try bench.write("a.log", "one\n")
        try bench.settle()
        let file = try bench.file("a.log")
        try bench.write("a.log", "one\ntwo\nthree\n")
        let stream = try #require(bench.streams.first)
        file.sawFromOutside(size: 14)
        bench.cache.close(file)
        file.lead(
            to: FileIdentity(
                handle: nil, device: file.identity.device + 1, inode: file.identity.inode,
                birth: nil))
        bench.table.missing(file, of: stream)
        #expect(bench.files.isEmpty && bench.gone == 0 && bench.lost.isEmpty)
        var left = TailerLeftovers()
        left.isOver = true
        bench.table.addOutOfReach(to: &left)
        #expect(left.files == [file.id: 10])
        #expect(!left.isNothing)
        // Under the number that it had, it is read on.
        try bench.settle()
        #expect(bench.output.texts() == ["one", "two", "three"])
        left = TailerLeftovers()
        left.isOver = true
        bench.table.addOutOfReach(to: &left)
        for stream in bench.streams { left.add(stream) }
        #expect(left.isNothing)
    }
}
