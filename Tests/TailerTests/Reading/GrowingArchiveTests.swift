import Glibc
import Platform
import TestSupport
import Testing

@testable import Tailer

@Suite("A compressed file that may grow", .overBases)
struct GrowingArchiveTests {
    private let bench: ParkingBench
    private let path: String
    private let second: Int64 = 1_000_000_000

    init() throws {
        bench = try ParkingBench(mostOpen: 10)
        path = bench.home.path("log/a.log")
    }

    private func compressed(_ text: String) throws -> [UInt8] {
        try readFile(try compress(try bench.home.write("content", text), .gzip, []))
    }

    /// A program that writes its log compressed, one member after another.
    @Test(
        "is unpacked once, and again only when there is more of it; a line in two members is one",
        arguments: ["", "half "])
    func unpackedOnce(unfinished: String) throws {
        try bench.home.write("log/a.log", try compressed("one\ntwo\n\(unfinished)"))
        let writer = try Descriptor.open(path, O_WRONLY | O_APPEND)
        for _ in 0..<2 {
            try bench.look()
            bench.readAll()
        }
        #expect(bench.output.texts() == ["one", "two"])
        let stream = try #require(bench.streams.first)
        let packed = try #require(try bench.file("a.log").packed)
        for _ in 0..<5 {
            // Its memory is given back after a while.
            bench.now += 6 * second
            try bench.look()
            #expect(bench.turn(stream) == .atEnd)
            #expect(!packed.isActive)
        }
        try writer.write(try compressed("a line\nthree\n"))
        bench.readAll()
        #expect(bench.output.texts() == ["one", "two", "\(unfinished)a line", "three"])
        for _ in 0..<5 {
            bench.now += 6 * second
            #expect(bench.turn(stream) == .atEnd)
            #expect(!packed.isActive)
        }
        #expect(bench.lost.isEmpty)
    }
}
