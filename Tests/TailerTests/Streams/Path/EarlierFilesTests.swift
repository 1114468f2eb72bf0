import Glibc
import Model
import Platform
import TestSupport
import Testing

@testable import Tailer

@Suite("Earlier files of a log that wait for their turn", .overBases)
struct EarlierFilesTests {
    private let bench: ParkingBench
    private let stream: LogStream

    /// Forty rotated files, of which sixteen are taken up; a neighbour.
    init() throws {
        bench = try ParkingBench(mostOpen: 32)
        try bench.write("a.log", "line 0\n")
        try bench.write("b.log", "b\n")
        try bench.settle()
        stream = try #require(bench.node.streams[Array("a.log".utf8)])
        try rename(path(0), path(40))
        for line in 1...40 { try bench.write(name(40 - line), "line \(line)\n") }
        bench.table.mostEarlier = 16
        _ = try bench.lookInSlices()
        try #require(stream.earlier?.rest.count == 24)
        bench.table.mostEarlier = 4_096
    }

    private func name(_ number: Int) -> String { "a.log" + (number == 0 ? "" : ".\(number)") }

    private func path(_ number: Int) -> String { bench.home.path("log/\(name(number))") }

    private var lines: [String] { bench.output.texts().filter { $0 != "b" } }

    @Test(
        "Of many that cannot be read, one is waited for, the others are passed with it, and all are read or counted, once",
        arguments: [false, true])
    func passed(areBack: Bool) throws {
        var look = try bench.look(at: stream)
        let waiting = try #require(stream.earlier).rest.map {
            String(decoding: $0.name, as: UTF8.self)
        }
        for name in waiting { try rename(bench.home.path("log/\(name)"), bench.home.path(name)) }
        func goOn(_ now: MonotonicTime) -> LookEnd {
            var end = LookEnd.underWay
            while end == .underWay {
                look.now = now
                end = bench.table.goOnWithEarlier(look)
            }
            return end
        }
        #expect(goOn(bench.now) == .again)
        bench.now += Obstacles.mostPatience
        #expect(goOn(bench.now) == .fine)
        #expect(stream.earlier == nil)
        if areBack {
            for name in waiting {
                try rename(bench.home.path(name), bench.home.path("log/\(name)"))
            }
            try bench.settle()
            #expect(Set(lines) == Set((0...40).map { "line \($0)" }))
            #expect(lines.count == 41)
            for name in waiting { try remove(bench.home.path("log/\(name)")) }
            try bench.settle()
        } else {
            try bench.settle()
            #expect(lines == (0...15).map { "line \($0)" } + ["line 40"])
        }
        #expect(bench.lost.count == (areBack ? 0 : 24))
    }

    /// 1. One of them is removed.
    /// 2. Another log gets a new file, with its inode number, and that is open.
    @Test(
        "One whose inode number is an open neighbour's by now is counted, and takes nothing from that",
        arguments: [true, false])
    func sameNumber(hasBirth: Bool) throws {
        let earlier = try #require(stream.earlier)
        let next = try #require(earlier.rest.last)
        let status = try FileStatus.glance(at: Array(bench.home.path("log/b.log").utf8))
        let other = try bench.file("b.log")
        let birth = try #require(other.identity.birthTime)
        let reused = RotatedFile(
            name: Array("a.log.99".utf8), rotated: next.rotated, status: status,
            birth: hasBirth ? birth - 1 : nil)
        stream.earlier = EarlierFiles([reused] + earlier.rest.reversed(), earlier.rank)
        bench.cache.use(other)
        _ = try bench.lookInSlices()
        #expect(other.isOpen)
        try bench.settle()
        #expect(lines == (0...40).map { "line \($0)" })
        #expect(bench.lost == (hasBirth ? ["\(path(99)) 0..<2 deleted_unread"] : []))
    }

    private enum Endless: Error { case look }

    /// A look in slices that has to end.
    private func look(_ bench: ParkingBench, between: () throws -> Void = {}) throws {
        var slices = 0
        _ = try bench.lookInSlices {
            slices += 1
            if slices > 500 { throw Endless.look }
            try between()
        }
    }

    @Test("A log that is compressed in its place is read, though many files hold its first byte")
    func compressedInPlace() throws {
        let bench = try ParkingBench(mostOpen: 32)
        try bench.write("a.log", "line 0\n")
        try bench.settle()
        let path = bench.home.path("log/a.log")
        for number in 1...40 { try appendBytes([0x1F], to: "\(path).\(number)") }
        try bench.home.write("packed", "line 1\n")
        try compress(bench.home.path("packed"), .gzip)
        try Descriptor.open(path, O_WRONLY).truncate(to: 0)
        try appendBytes(readFile(bench.home.path("packed.gz")), to: path)
        for _ in 0..<10 {
            bench.readAll()
            try look(bench)
        }
        #expect(bench.output.texts() == ["line 0", "line 1"])
    }

    /// 1. A directory is listed when a log was renamed, and its successor is not there.
    /// 2. That comes, and is what many earlier files are copies of.
    @Test("A log that comes while its copies are taken up is listed, and its copies are not read")
    func listed() throws {
        let bench = try ParkingBench(mostOpen: 32)
        try bench.write("a.log", "line 0\n")
        try bench.settle()
        try rename(bench.home.path("log/a.log"), bench.home.path("log/a.log.41"))
        for number in 1...40 { try bench.write("a.log.\(number)", "line 1\n") }
        var isThere = false
        try look(bench) {
            if !isThere { try bench.write("a.log", "line 1\nline 2\n") }
            isThere = true
        }
        #expect(isThere)
        try bench.settle()
        #expect(bench.output.texts() == ["line 0", "line 1", "line 2"])
    }

    /// What is taken up beyond the first few is parked at once.
    @Test("One that is a copy of the one before it is not read again", arguments: [24, 6])
    func copied(_ number: Int) throws {
        let first = try readFile(path(number))
        try Descriptor.open(path(number - 1), O_WRONLY).truncate(to: 0)
        try appendBytes(first, to: path(number - 1))
        try bench.settle()
        #expect(lines == (0...40).filter { $0 != 41 - number }.map { "line \($0)" })
        #expect(bench.lost.isEmpty)
    }

    @Test("What was found out about copies is not remembered longer than they are there")
    func forgottenCopies() throws {
        let stamps = try [24, 5].map { number in
            LogStream.Stamp(try Descriptor.open(path(number), O_RDONLY).status())
        }
        for stamp in stamps { stream.freshCopies[stamp] = [] }
        stream.keepStamps([stamps[1]])
        #expect(Array(stream.freshCopies.keys) == [stamps[1]])
    }

    /// 1. A compressed file lies there, and is refused.
    /// 2. A file that waits for its turn, and was written to last in the same second, is removed.
    @Test("One that is gone is counted, though a compressed file of its time was refused before")
    func refusedBefore() throws {
        let bench = try ParkingBench(mostOpen: 32)
        try bench.write("a.log", "line 0\n")
        try bench.settle()
        let path = bench.home.path("log/a.log")
        try bench.home.write("log/a.log.99", "not a.log's\n")
        try compress("\(path).99", .gzip)
        try makeHardLink(bench.home.path("second"), to: "\(path).99.gz")
        try rename(path, "\(path).40")
        for line in 1...40 {
            try bench.write("a.log" + (line < 40 ? ".\(40 - line)" : ""), "line \(line)\n")
        }
        for name in ["99.gz", "5"] { try setTime(of: "\(path).\(name)", seconds: 2_000_000_000) }
        bench.table.mostEarlier = 16
        _ = try bench.lookInSlices()
        try #require(bench.streams.first?.earlier != nil)
        try remove("\(path).5")
        try bench.settle()
        #expect(bench.output.texts() == (0...40).filter { $0 != 35 }.map { "line \($0)" })
        #expect(bench.lost == ["\(path).5 0..<8 deleted_unread"])
    }

    @Test("One that a person has renamed is read, and not told as lost with one that is gone")
    func renamed() throws {
        try remove(path(24))
        try rename(path(5), bench.home.path("log/other~"))
        try bench.settle()
        #expect(lines == (0...40).filter { $0 != 16 }.map { "line \($0)" })
        #expect(bench.lost == ["\(path(24)) 0..<8 deleted_unread"])
    }

    /// 1. Programs leak a descriptor with each rotation: those files are never done with.
    /// 2. One log alone would have all that may be taken up.
    @Test(
        "Of all that may be taken up one log has half at most, and each has what it needs to go on")
    func shares() throws {
        let bench = try ParkingBench(mostOpen: 32)
        bench.table.mostEarlierOfAll = 40
        bench.table.leastEarlier = 4
        let names = ["a.log", "b.log", "c.log"]
        for name in names { try bench.write(name, "\(name) 0\n") }
        try bench.settle()
        var leaked: [SharedDescriptor] = []
        for name in names {
            let path = bench.home.path("log/\(name)")
            try rename(path, "\(path).60")
            for line in 1...60 {
                try bench.write(
                    line < 60 ? "\(name).\(60 - line)" : name, "\(name) \(line)\n")
                guard name == names[0], line < 60 else { continue }
                leaked.append(
                    SharedDescriptor(
                        try Descriptor.open("\(path).\(60 - line)", O_WRONLY | O_APPEND)))
            }
        }
        _ = try bench.lookInSlices()
        // With what they had before.
        #expect(bench.streams.map(\.files.count) == [21, 11, 6])
        #expect(bench.table.earlierFiles.total == 35)
        func read(until isDone: () -> Bool) throws {
            for _ in 0..<500 where !isDone() {
                bench.now += 1_000_000_000
                _ = try bench.lookInSlices(.endless)
                bench.readAll()
            }
        }
        func lines(_ name: String) -> [String] {
            bench.output.texts(bench.home.path("log/\(name)"))
        }
        func all(_ name: String) -> [String] { (0...60).map { "\(name) \($0)" } }
        try read { names[1...].allSatisfy { lines($0).count == 61 } }
        for name in names[1...] { #expect(lines(name) == all(name)) }
        // Its first one is done with, and makes room for one more.
        #expect(lines("a.log") == Array(all("a.log").prefix(22)))
        leaked = []
        try read { lines("a.log").count == 61 && bench.table.earlierFiles.total == 0 }
        #expect(lines("a.log") == all("a.log"))
        #expect(bench.table.earlierFiles.total == 0)
        #expect(bench.lost.isEmpty)
    }

    private enum Loss: CaseIterable { case removed, moved, directory }

    @Test(
        "A log that goes while what was copied from it is taken up is read",
        arguments: Loss.allCases)
    private func goneAfterCopies(_ loss: Loss) throws {
        let bench = try ParkingBench(mostOpen: 32)
        try bench.write("a.log", "line 0\n")
        try bench.settle()
        let path = bench.home.path("log/a.log")
        try appendBytes(readFile(path), to: "\(path).40")
        for line in 1...39 {
            try appendBytes(Array("line \(line)\n".utf8), to: "\(path).\(40 - line)")
        }
        try Descriptor.open(path, O_WRONLY).truncate(to: 0)
        try appendBytes(Array("line 40\n".utf8), to: path)
        bench.table.mostEarlier = 16
        for _ in 0..<2 where bench.streams.first?.earlier == nil { _ = try bench.lookInSlices() }
        try #require(bench.streams.first?.earlier != nil)
        switch loss {
        case .removed: try remove(path)
        case .moved: try rename(path, bench.home.path("elsewhere"))
        case .directory:
            let waiting = try #require(bench.streams.first?.earlier).rest.count
            let stream = try #require(bench.streams.first)
            try rename(bench.home.path("log"), bench.home.path("aside"))
            bench.table.gone(bench.node, bench.now)
            while bench.turn(stream) == .moved {}
            #expect(bench.output.texts() == (0...(39 - waiting)).map { "line \($0)" } + ["line 40"])
            return
        }
        try bench.settle()
        #expect(bench.output.texts() == (0...40).map { "line \($0)" })
        #expect(bench.lost.isEmpty)
    }
}
