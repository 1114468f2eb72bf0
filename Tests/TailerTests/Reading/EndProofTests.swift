import Glibc
import Platform
import TestSupport
import Testing

@testable import Tailer

/// A program leaks a descriptor with each rotation: whether more comes of those files is never known.
@Suite("Files that were rotated away and are still open somewhere", .overBases)
struct EndProofTests {
    private let bench: ParkingBench

    init() throws { bench = try ParkingBench(mostOpen: 32) }

    /// So many, all read; who writes to them, the oldest first.
    private func rotate(_ count: Int) throws -> [SharedDescriptor] {
        try bench.write("a.log", "line 0\n")
        try bench.settle()
        var writers: [SharedDescriptor] = []
        for line in 1...count {
            let path = bench.home.path("log/a.log")
            writers.append(SharedDescriptor(try Descriptor.open(path, O_WRONLY | O_APPEND)))
            try rename(path, "\(path).\(count + 1 - line)")
            try bench.write("a.log", "line \(line)\n")
        }
        try bench.settle()
        try #require(bench.output.texts() == (0...count).map { "line \($0)" })
        try #require(bench.files.count == count + 1)
        return writers
    }

    /// Nobody has these rotated files open for writing any more: a program that another test starts has their
    /// descriptors until it runs.
    private func awaitEnd(of numbers: ClosedRange<Int>) throws {
        try eventually("nobody writes to them") {
            try numbers.allSatisfy { number in
                let path = bench.home.path("log/a.log.\(number)")
                return try Descriptor.open(path, O_RDONLY).hasNoWriter() == true
            }
        }
    }

    private var stream: LogStream { get throws { try #require(bench.streams.first) } }

    /// Files that a turn without anything to read asks whether they have reached their ends.
    private func asked() throws -> Int {
        let before = bench.files.map(\.phase)
        let result = bench.turn(try stream)
        #expect(result == .atEnd)
        return zip(before, bench.files.map(\.phase)).count { $0 != $1 }
    }

    @Test("A turn asks few of many for the proof of their ends, and takes no descriptor for that")
    func many() throws {
        let writers = try rotate(200)
        bench.now += 15_000_000_000
        let open = Set(bench.open().map(\.path))
        var counts: [Int] = []
        for _ in 0..<10 { counts.append(try asked()) }
        #expect(counts == [64, 64, 64, 8, 0, 0, 0, 0, 0, 0])
        // The next rotation changes nothing of those.
        let path = bench.home.path("log/a.log")
        try rename(path, "\(path).0")
        try bench.write("a.log", "line 201\n")
        try bench.settle()
        #expect(bench.output.texts().last == "line 201")
        #expect(try asked() <= 1)
        // That of the first made room for the others.
        #expect(open.subtracting(bench.open().map(\.path)).count <= 1)
        #expect(bench.files.count == writers.count + 1)
    }

    @Test("What is written late to one of many is read, and all that have reached their ends end")
    func late() throws {
        var writers = try rotate(100)
        #expect(writers.count == 100)
        try appendBytes(Array("late\n".utf8), to: bench.home.path("log/a.log.50"))
        bench.now += 15_000_000_000
        for _ in 0..<3 { _ = bench.turn(try stream) }
        #expect(bench.output.texts().last == "late")
        writers.removeAll()
        try awaitEnd(of: 1...100)
        bench.now += 15_000_000_000
        bench.readAll()
        #expect(bench.files.map(\.name) == [Array("a.log".utf8)])
        #expect(bench.lost.isEmpty)
    }

    @Test("One of a few ends with the turn after its writer has closed it", arguments: [1, 16])
    func few(_ count: Int) throws {
        var writers = try rotate(count)
        for _ in 0..<10 {
            let result = bench.turn(try stream)
            #expect(result == .atEnd)
        }
        writers.removeLast()
        try awaitEnd(of: 1...1)
        let result = bench.turn(try stream)
        #expect(result == .moved)
        bench.readAll()
        #expect(bench.files.count == count)
    }

    @Test("A parked one is not opened before time may prove anything, where nothing else does")
    func blind() throws {
        let writers = try rotate(1)
        let file = try bench.file("a.log.1")
        bench.parkAll()
        file.sawWriting(bench.now)
        file.proofFailed(bench.now, isBlind: true)
        #expect(bench.turn(try stream) == .atEnd)
        #expect(!file.isOpen)
        bench.now += 1_000
        #expect(bench.turn(try stream) == .atEnd)
        #expect(file.isOpen && writers.count == 1)
    }

    @Test("One that grows is asked soon again, and one that does not ever more seldom")
    func pauses() {
        var proof = EndProof()
        var now = MonotonicTime.zero
        var pauses: [Int64] = []
        for _ in 0..<14 {
            proof.failed(now, isBlind: false)
            let from = now
            while !proof.isDue(now) { now += 5_000_000 }
            pauses.append((now - from) / 1_000_000)
        }
        #expect(
            pauses == [5, 10, 20, 40, 80, 160, 320, 640, 1280, 2560, 5120, 10240, 15000, 15000])
        proof.failed(now, isBlind: true, latest: now + 1_000)
        #expect(!proof.isDue(now + 999) && proof.isDue(now + 1_000))
    }
}
