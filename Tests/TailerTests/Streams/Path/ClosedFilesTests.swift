import Model
import Platform
import Synchronization
import TestSupport
import Testing

@testable import Tailer

@Suite("Files that were read to their ends and closed are known until they are gone", .overBases)
struct ClosedFilesTests {
    private let kept = 8
    private let rounds = 12
    /// Rounds until a number has come back: other tests make files, too, and may be given it.
    private let mostRounds = 500

    /// What a rotation with numbers does: the oldest file is removed, each other one takes the name of the
    /// one before it.
    private func rotate(_ bench: ParkingBench) throws {
        let path = bench.home.path("log/app.log")
        if try bench.home.names("log").contains("app.log.\(kept)") {
            try remove("\(path).\(kept)")
        }
        for number in (1..<kept).reversed()
        where try bench.home.names("log").contains("app.log.\(number)") {
            try rename("\(path).\(number)", "\(path).\(number + 1)")
        }
        try rename(path, "\(path).1")
    }

    private func lookTwice(_ bench: ParkingBench) throws {
        for _ in 0..<2 {
            try bench.look()
            bench.readAll()
        }
    }

    private func inode(_ path: String) throws -> UInt64 {
        try FileStatus.glance(at: Array(path.utf8)).inode
    }

    /// Each is told of as gone when it is removed, and no other: what is not told of would stay in the
    /// registry until the next start.
    @Test("files that all move on by one number in each rotation leave with their own removal")
    func numbered() throws {
        let bench = try ParkingBench(mostOpen: 100)
        for round in 0..<rounds {
            try bench.write("app.log", "round \(round)\n")
            try lookTwice(bench)
            try rotate(bench)
            try lookTwice(bench)
        }
        #expect(bench.output.texts() == (0..<rounds).map { "round \($0)" })
        let stream = try #require(bench.streams.first)
        #expect(
            stream.closed.keys.map { String(decoding: $0, as: UTF8.self) }.sorted()
                == (1...kept).map { "app.log.\($0)" })
        #expect(bench.gone == rounds - kept)
        let left = bench.output.state.withLock { $0.files.filter { !$0.isGone }.map(\.id.number) }
        #expect(left == Array(rounds - kept..<rounds))
    }

    @Test(
        "one whose inode number is the next log's at once has left nevertheless",
        .enabled(if: MachineFacts.givesNumbersAgain, "\(MachineFacts.numbersNeeded)"))
    func numberComesBack() throws {
        let bench = try ParkingBench(mostOpen: 100)
        let log = bench.home.path("log/app.log")
        var came = 0
        var round = 0
        while round < rounds || (came == 0 && round < mostRounds) {
            try bench.write("app.log", "round \(round)\n")
            try bench.look()
            bench.readAll()
            let isFull = try bench.home.names("log").contains("app.log.\(kept)")
            let removed = isFull ? try inode("\(log).\(kept)") : nil
            try rotate(bench)
            try bench.write("app.log", "more of \(round)\n")
            if try inode(log) == removed { came += 1 }
            try lookTwice(bench)
            try rotate(bench)
            try lookTwice(bench)
            round += 1
        }
        #expect(came > 0, "no number came back")
        #expect(bench.output.count == 2 * round)
        #expect(bench.streams.first?.closed.count == kept)
        #expect(bench.gone == 2 * round - kept)
    }

    /// An s6-log that removes its oldest archive, and whose next `current` gets the number of that.
    @Test(
        "an archive whose inode number is current's at once has left nevertheless",
        .enabled(if: MachineFacts.givesNumbersAgain, "\(MachineFacts.numbersNeeded)"))
    func numberIsCurrents() throws {
        let bench = try ParkingBench(mostOpen: 100)
        var came = 0
        let path = bench.home.path("log/")
        let archives = (0..<mostRounds).map { "@400000006b03bb0000000\(100 + $0).s" }
        var round = 0
        while round < rounds || (came == 0 && round < mostRounds) {
            try bench.write("current", "round \(round)\n")
            try bench.look()
            bench.readAll()
            var removed: UInt64?
            if round >= kept {
                removed = try inode(path + archives[round - kept])
                try remove(path + archives[round - kept])
            }
            try rename(path + "current", path + archives[round])
            try bench.write("current", "")
            if try inode(path + "current") == removed { came += 1 }
            try bench.look()
            bench.readAll()
            round += 1
        }
        #expect(came > 0, "no number came back")
        #expect(bench.output.texts() == (0..<round).map { "round \($0)" })
        let stream = try #require(bench.streams.first)
        #expect(
            stream.closed.keys.map { String(decoding: $0, as: UTF8.self) }.sorted()
                == archives.prefix(round).suffix(kept))
        #expect(bench.gone == round - kept)
    }

    /// Whoever looks after what nobody follows has its entry leave when it is deleted there.
    @Test(
        "a rotated file that was moved to where no pattern leads is let go with its last byte read")
    func movedAway() throws {
        let bench = try ParkingBench(mostOpen: 100)
        try bench.write("app.log", "one\n")
        try bench.settle()
        let file = try bench.file("app.log")
        try bench.home.write("log/app.log", "one\ntwo\n")
        try rename(bench.home.path("log/app.log"), bench.home.path("aside"))
        try bench.settle()
        #expect(bench.output.texts() == ["one", "two"])
        #expect(bench.output.state.withLock { $0.unfollowed } == [file.id])
        #expect(bench.gone == 0 && bench.files.isEmpty)
    }

    @Test("what was compressed where rotated files go is let go when its log has found it")
    func compressedElsewhere() throws {
        let bench = try ParkingBench(mostOpen: 100, archives: true)
        try bench.home.makeDirectory("old")
        try bench.write("app.log", "one\n")
        try bench.settle()
        let file = try bench.file("app.log")
        let old = bench.home.path("old/app.log.1")
        try rename(bench.home.path("log/app.log"), old)
        try bench.write("app.log", "two\n")
        try bench.settle()
        #expect(bench.output.state.withLock { $0.unfollowed } == [file.id])
        let exit = try ChildProcess(try findProgram("gzip", package: "gzip"), [old]).wait()
        #expect(exit == .code(0))
        try rename(bench.home.path("log/app.log"), old)
        try bench.write("app.log", "three\n")
        try bench.settle()
        #expect(bench.output.texts() == ["one", "two", "three"])
        let (unfollowed, places) = bench.output.state.withLock { state in
            (state.unfollowed, state.files.map(\.path))
        }
        #expect(unfollowed.count { $0 == file.id } == 2)
        #expect(places[file.id.number] == old + ".gz")
        #expect(bench.gone == 0)
    }
}
