import Glibc
import Model
import Platform
import Synchronization
import TestSupport
import Testing

@testable import Tailer

@Suite("Zeros: written, not written yet, and nobody's", .overAllBases)
struct ZerosTests {
    let bench: ParkingBench
    let path: String

    init() throws {
        bench = try ParkingBench(mostOpen: 10)
        path = bench.home.path("log/a.log")
    }

    private func make(_ text: String, size: Int) throws {
        try bench.write("a.log", text)
        try Descriptor.open(path, O_WRONLY).truncate(to: size)
    }

    private func put(_ text: String, at offset: Int) throws {
        try overwrite(path, at: offset, Array(text.utf8))
    }

    private func settle() throws {
        try bench.look()
        bench.readAll()
    }

    private var holes: [ByteRange] {
        bench.output.state.withLock { state in
            state.events.compactMap {
                guard case .hole(_, let range) = $0 else { return nil }
                return range
            }
        }
    }

    @Test(
        "What a writer fills into a file that it made large comes line by line, and nothing is passed",
        arguments: [100, 4096, 100_000, 1_000_000])
    func filled(size: Int) throws {
        try make("", size: size)
        try settle()
        var end = 0
        for number in 0..<5 {
            let line = "line \(number)\n"
            // In two pieces.
            try put(String(line.prefix(3)), at: end)
            bench.readAll()
            #expect(bench.output.count == number)
            try put(String(line.dropFirst(3)), at: end + 3)
            bench.readAll()
            end += line.utf8.count
            #expect(bench.output.count == number + 1)
            let file = try bench.file("a.log")
            #expect(file.physicalPosition.bytes == end)
            #expect(file.base.physical(file.written).bytes == end)
        }
        #expect(holes.isEmpty)
        // It is cut to its real length, and is the same file.
        try Descriptor.open(path, O_WRONLY).truncate(to: end)
        bench.readAll()
        try put("behind\n", at: end)
        bench.readAll()
        #expect(bench.output.texts() == (0..<5).map { "line \($0)" } + ["behind"])
        #expect(bench.lost.isEmpty)
    }

    @Test("A mapped file's lines are found at the next look, though its times do not change")
    func mapped() throws {
        let size = 1 << 20
        let map = try MappedFile(path, size: size)
        map.put("first\n", at: 0)
        try settle()
        #expect(bench.output.texts() == ["first"])
        let file = try bench.file("a.log")
        #expect(file.needsLooks)
        map.put("second\n", at: 6)
        bench.readAll()
        #expect(bench.output.texts() == ["first", "second"])
        #expect(holes.isEmpty)
    }

    @Test("Zeros up to the end are read once, and not with each look")
    func readOnce() throws {
        let size = 8 << 20
        try bench.home.write("log/a.log", [UInt8](repeating: 0, count: size))
        try settle()
        let file = try bench.file("a.log")
        let cost = try #require(file.zeros?.cost)
        #expect(cost <= size)
        for number in 0..<10 {
            // Which changes its times, too.
            bench.now += 1_000_000
            try put("\(number)\n", at: number * 2)
            bench.readAll()
        }
        #expect(bench.output.count == 10)
        #expect(file.zeros?.cost == cost)
        // More zeros cost what they are.
        try appendBytes([UInt8](repeating: 0, count: 1 << 20), to: path)
        bench.readAll()
        #expect(try #require(file.zeros?.cost) <= cost + (1 << 20))
        // What is written far behind is found after a while.
        bench.now += 10_000_000_000
        try put("far\n", at: 4 << 20)
        bench.readAll()
        #expect(bench.output.texts().last?.hasSuffix("far") == true)
    }

    @Test("A hole of any size is one step and one event", arguments: [100_000, 1 << 40])
    func hole(size: Int) throws {
        try make("before\n", size: size)
        try put("behind\n", at: size)
        try bench.look()
        var turns = 0
        while bench.streams.contains(where: { bench.turn($0) == .moved }) { turns += 1 }
        #expect(bench.output.texts() == ["before", "behind"])
        #expect(holes == [ByteRange(7..<size)])
        #expect(turns < 6)
    }

    /// What a pod does with one call in a volume that lies in memory.
    @Test(
        "A line behind the largest holes is read, and what is remembered of its file stays small",
        .enabled("no file system here holds such files") { GiantHoles.canBeHeld() },
        arguments: [1 << 48, 1 << 58, 1 << 59, 1 << 60 - 16], [true, false])
    func giantHole(size: Int, wasRead: Bool) throws {
        let bench = try ParkingBench(mostOpen: 10, inMemory: true)
        let path = bench.home.path("log/a.log")
        try bench.write("a.log", wasRead ? "before\n" : "")
        if wasRead {
            try bench.look()
            bench.readAll()
        }
        try Descriptor.open(path, O_WRONLY).truncate(to: size)
        for text in ["behind\n", "again\n"] {
            try appendBytes(Array(text.utf8), to: path)
            try bench.look()
            var turns = 0
            while turns < 10, bench.streams.contains(where: { bench.turn($0) == .moved }) {
                turns += 1
            }
            #expect(turns < 10)
        }
        #expect(bench.output.texts() == (wasRead ? ["before"] : []) + ["behind", "again"])
        let file = try bench.file("a.log")
        #expect(file.content.landmarks.isWhole)
        #expect(file.content.landmarks.spread.count <= Landmarks.mostSpread)
    }

    @Test(
        "Of a file that reaches beyond what is ever read, what lies before that comes once, and then it is left",
        .enabled("no file system here holds such files") { GiantHoles.canBeHeld() })
    func acrossTheBound() throws {
        let bench = try ParkingBench(mostOpen: 10, inMemory: true)
        let path = bench.home.path("log/a.log")
        // A file of that size is not opened; one that grows to it is read up to there.
        try bench.write("a.log", "")
        try bench.look()
        try Descriptor.open(path, O_WRONLY).truncate(to: OutsideNumber.most - 10)
        try appendBytes(Array("within\nacross\nbehind\n".utf8), to: path)
        for _ in 0..<5 {
            try bench.look()
            var turns = 0
            while turns < 10, bench.streams.contains(where: { bench.turn($0) == .moved }) {
                turns += 1
            }
            #expect(turns < 10)
        }
        #expect(bench.output.texts() == ["within"])
        #expect(bench.lost.isEmpty)
    }

    @Test(
        "What stands behind the largest offset is not looked for again and again",
        .enabled("no file system here holds such files") { GiantHoles.canBeHeld() },
        arguments: [OutsideNumber.most, OutsideNumber.most + 1, 1 << 62, Int.max - 10])
    func behindTheBound(size: Int) throws {
        let bench = try ParkingBench(mostOpen: 10, inMemory: true)
        let path = bench.home.path("log/a.log")
        try bench.write("a.log", "before\n")
        try bench.look()
        bench.readAll()
        try Descriptor.open(path, O_WRONLY).truncate(to: size)
        try appendBytes(Array("behind\n".utf8), to: path)
        for _ in 0..<5 {
            try bench.look()
            var turns = 0
            while turns < 10, bench.streams.contains(where: { bench.turn($0) == .moved }) {
                turns += 1
            }
            #expect(turns < 10)
        }
        #expect(bench.output.texts() == ["before"])
        let file = try bench.file("a.log")
        #expect(file.physicalPosition == 7)
    }

    @Test("A hole behind half a line ends it")
    func holeInLine() throws {
        try make("half a line", size: 1 << 30)
        try settle()
        #expect(bench.output.count == 0)
        try put("behind\n", at: 1 << 30)
        bench.readAll()
        #expect(bench.output.texts() == ["half a line", "behind"])
        #expect(holes == [ByteRange(11..<1 << 30)])
    }

    /// The buffer has room for 256 KiB: what is read at once, and what is not.
    @Test(
        "A gap within a line that nobody wrote is no part of it, wherever reads begin and end",
        arguments: [0, 150_000, 200_000, 250_000, 262_000, 262_140], [1 << 16, 1 << 17, 1 << 20])
    func gapWithinLine(before: Int, size: Int) throws {
        let lines = (0..<before / 50).map { "\(100_000 + $0)" + String(repeating: "x", count: 43) }
        let text = lines.map { $0 + "\n" }.joined() + "abc"
        let end = text.utf8.count
        try bench.write("a.log", text)
        try put("def\nwith \0 in it\nx", at: end + size)
        try put("ghi\n", at: end + 2 * size)
        try settle()
        #expect(bench.output.texts() == lines + ["abc", "def", "with \0 in it", "x", "ghi"])
        #expect(
            holes == [
                ByteRange(end..<end + size),
                ByteRange(end + size + 18..<end + 2 * size),
            ])
        // And a compact line goes on as ever.
        try appendBytes(Array("half ".utf8), to: path)
        bench.readAll()
        try appendBytes(Array("and half\n".utf8), to: path)
        bench.readAll()
        #expect(bench.output.texts().last == "half and half")
    }

    @Test("Zeros that were written and that something follows are text, wherever they stand")
    func text() throws {
        let zeros = String(repeating: "\0", count: 500)
        try bench.write("a.log", "\(zeros)head\nx\n\(zeros)\n\(zeros)middle\nend\n")
        try settle()
        #expect(bench.output.texts() == ["\(zeros)head", "x", zeros, "\(zeros)middle", "end"])
        #expect(holes.isEmpty)
    }

    @Test("When nobody writes any more, zeros at the end are passed and told of")
    func final() throws {
        try make("line\nlast", size: 50_000)
        try settle()
        #expect(bench.output.texts() == ["line"])
        try rename(path, bench.home.path("log/a.log.1"))
        for _ in 0..<3 { try settle() }
        #expect(bench.output.texts() == ["line", "last"])
        #expect(holes == [ByteRange(start: 9, end: 50_000)])
        #expect(bench.lost.isEmpty)
    }

    @Test("A file that is deleted while its zeros are awaited has lost nothing")
    func deleted() throws {
        try make("line\n", size: 50_000)
        try settle()
        bench.forgetUses()
        bench.parkAll()
        try remove(path)
        bench.now += ParkingBench.patience
        for _ in 0..<3 {
            try settle()
            bench.now += ParkingBench.patience
        }
        #expect(bench.gone == 1)
        #expect(bench.lost.isEmpty)
    }

    /// 1. Bytes are in memory: a line with a zero in it, and zeros where a line is to be.
    /// 2. That is written before they are looked at.
    @Test("zeros in memory are read once more, wherever they stand: they may be filled by now")
    func filledMeanwhile() throws {
        let bench = try ParkingBench(mostOpen: 10)
        let zeros = String(repeating: "\0", count: "written, all of them".utf8.count)
        // More than a file is known by.
        let lines = (0..<50).map { "line \($0) of what does not change" }
        let begin = lines.joined(separator: "\n") + "\na\0b\n"
        try bench.write("a.log", "\(begin)\(zeros)\nlast\n")
        try bench.look()
        let stream = try #require(bench.streams.first)
        bench.hasNews = true
        #expect(bench.turn(stream) == .news)
        bench.hasNews = false
        let file = try Descriptor.open(bench.home.path("log/a.log"), O_WRONLY)
        try file.write(Array("\(begin)written, all of them".utf8))
        try bench.look()
        bench.readAll()
        #expect(bench.output.texts() == lines + ["a\0b", "written, all of them", "last"])
    }
}

private enum GiantHoles {
    static func canBeHeld() -> Bool {
        do {
            let place = try TemporaryDirectory(inMemory: true)
            try Descriptor.open(place.path("giant"), O_WRONLY | O_CREAT).truncate(to: Int.max)
            return true
        } catch {
            return false
        }
    }
}
