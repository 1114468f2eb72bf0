import Glibc
import Platform
import TestSupport
import Testing

@testable import Tailer

@Suite("A directory is listed for all its logs together")
struct SharedListingTests {
    private func restarted(_ bench: ParkingBench) throws -> ParkingBench {
        // Whoever restarts an agent takes longer than a tick of the file system's clock.
        let directory = try bench.node.open()
        let changed = try directory.status().changed
        try eventually("a tick has passed") {
            try bench.home.write("clock", "")
            let path = Array(bench.home.path("clock").utf8)
            return try FileStatus.glance(at: path).changed > changed + 50_000_000
        }
        let next = try ParkingBench(mostOpen: 32, after: bench)
        try next.look()
        return next
    }

    @Test("After a restart the files of 2,000 logs that are as they were are opened at once")
    func known() throws {
        let bench = try ParkingBench(mostOpen: 32)
        for number in 0..<2_000 { try bench.write("\(number).log", "line 0 of \(number)\n") }
        try bench.settle()
        let next = try restarted(bench)
        #expect(next.files.count == 2_000)
        #expect(next.table.listings == 0)
        for number in 0..<2_000 {
            try appendBytes(Array("line 1\n".utf8), to: next.home.path("log/\(number).log"))
        }
        try next.settle()
        #expect(next.output.count == 4_000)
    }

    @Test("After a restart the rotated files of 400 logs are found by a few listings")
    func rotated() throws {
        let bench = try ParkingBench(mostOpen: 32)
        for number in 0..<400 { try bench.write("\(number).log", "line 0\n") }
        try bench.settle()
        for number in 0..<400 {
            let path = bench.home.path("log/\(number).log")
            try appendBytes(Array("line 1\n".utf8), to: path)
            try rename(path, "\(path).1")
            try appendBytes(Array("line 2\n".utf8), to: path)
        }
        let next = try restarted(bench)
        // As many as there is time for before a tick has passed, and one.
        #expect((1...40).contains(next.table.listings))
        try next.settle()
        for number in 0..<400 {
            let texts = next.output.texts(next.home.path("log/\(number).log"))
            #expect(texts == ["line 0", "line 1", "line 2"])
        }
    }

    @Test("What comes into a directory between two of its logs is in a new listing")
    func changed() throws {
        let home = try TemporaryDirectory()
        try home.makeDirectory("log")
        let directory = try Descriptor.open(home.path("log"), O.directory)
        var shared = SharedListing()
        func stamp() throws -> SharedListing.Stamp { .init(try directory.status()) }
        let first = try stamp()
        let names = DirectoryNames([])
        #expect(shared.listing(of: first) == nil)
        _ = shared.keep(names, first, 0)
        // Something of the same tick may be missing in it.
        #expect(shared.listing(of: first) == nil)
        _ = shared.keep(names, first, 19_000_000)
        #expect(shared.listing(of: first) == nil)
        _ = shared.keep(names, first, 20_000_000)
        #expect(shared.listing(of: first) != nil)
        try eventually("the directory has another time") {
            try home.write("log/a", "")
            try remove(home.path("log/a"))
            return try stamp() != first
        }
        let second = try stamp()
        #expect(shared.listing(of: second) == nil)
        _ = shared.keep(names, second, 40_000_000)
        #expect(shared.listing(of: second) == nil)
        #expect(shared.listing(of: first) == nil)
    }
}
