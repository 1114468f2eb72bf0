import Glibc
import Platform
import Synchronization
import TestSupport
import Testing

@testable import Tailer

@Suite("Any number of files beside a log")
struct ManyRotatedFilesTests {
    /// Rotated files are opened sixteen at a time.
    private static let counts = [1, 15, 16, 17, 18, 33, 100]

    private let bench: ParkingBench

    init() throws {
        bench = try ParkingBench(mostOpen: 32)
        try bench.write("a.log", "line 0\n")
        try bench.settle()
    }

    private func path(_ number: Int) -> String {
        bench.home.path("log/a.log" + (number == 0 ? "" : ".\(number)"))
    }

    /// As logrotate does it, `copytruncate` or not; the next line is that of the number behind.
    private func rotate(_ lines: ClosedRange<Int>, copies: Bool) throws {
        for line in lines {
            let names = try Set(directoryNames(bench.home.path("log")))
            for number in (1..<line).reversed() where names.contains("a.log.\(number)") {
                try rename(path(number), path(number + 1))
            }
            if copies {
                try appendBytes(readFile(path(0)), to: path(1))
                try Descriptor.open(path(0), O_WRONLY).truncate(to: 0)
            } else {
                try rename(path(0), path(1))
            }
            try appendBytes(Array("line \(line)\n".utf8), to: path(0))
        }
    }

    /// The same, all at once.
    private func rotateAtOnce(_ count: Int, copies: Bool) throws {
        if copies {
            try appendBytes(readFile(path(0)), to: path(count))
        } else {
            try rename(path(0), path(count))
        }
        for line in 1..<count {
            try appendBytes(Array("line \(line)\n".utf8), to: path(count - line))
        }
        if copies { try Descriptor.open(path(0), O_WRONLY).truncate(to: 0) }
        try appendBytes(Array("line \(count)\n".utf8), to: path(0))
    }

    private func expectAll(_ count: Int, _ bench: ParkingBench) {
        #expect(bench.output.texts() == (0...count).map { "line \($0)" })
        #expect(bench.lost.isEmpty)
        #expect(bench.streams.allSatisfy { $0.earlier == nil && !$0.hasMoreRotated })
    }

    @Test(
        "All that was rotated between two looks is read, once and in its order",
        arguments: counts, [true, false])
    func betweenTwoLooks(_ count: Int, copies: Bool) throws {
        try rotate(1...count, copies: copies)
        try bench.settle()
        expectAll(count, bench)
    }

    @Test(
        "All that was rotated between two runs is read, once and in its order",
        arguments: counts, [true, false])
    func betweenTwoRuns(_ count: Int, copies: Bool) throws {
        try rotate(1...count, copies: copies)
        let next = try ParkingBench(mostOpen: 32, after: bench)
        try next.settle()
        expectAll(count, next)
    }

    @Test(
        "A rotation while earlier files wait for their turn loses neither a line nor the order",
        arguments: [true, false])
    func rotatedMeanwhile(copies: Bool) throws {
        try rotate(1...40, copies: copies)
        let next = try ParkingBench(mostOpen: 32, after: bench)
        next.table.mostEarlier = 16
        _ = try next.lookInSlices()
        if next.streams.first?.earlier == nil { _ = try next.lookInSlices() }
        #expect(try #require(next.streams.first).earlier != nil)
        try rotate(41...41, copies: copies)
        try next.settle()
        expectAll(41, next)
    }

    private enum Kill: Error { case now }

    /// What the registry has of the log is what the next run goes by.
    @Test(
        "A run that is killed among a thousand earlier files leaves none of them out for the next",
        arguments: [(true, true), (true, false), (false, true)], [true, false])
    func killed(_ kind: (copies: Bool, hasFirst: Bool), isRestart: Bool) throws {
        try rotateAtOnce(1_000, copies: kind.copies)
        if !kind.hasFirst { try remove(path(1_000)) }
        let first = isRestart ? try ParkingBench(mostOpen: 32, after: bench) : bench
        #expect(throws: Kill.self) {
            _ = try first.lookInSlices {
                let count = first.streams.first?.files.count ?? 0
                if (20..<980).contains(count) { throw Kill.now }
            }
        }
        first.readAll()
        let next = try ParkingBench(mostOpen: 32, after: first)
        try next.settle()
        expectAll(1_000, next)
    }

    @Test(
        "What was copied from a log that was empty before and after the run is read",
        arguments: [1, 5, 40])
    func emptyBetween(_ count: Int) throws {
        try appendBytes(readFile(path(0)), to: path(count + 1))
        try Descriptor.open(path(0), O_WRONLY).truncate(to: 0)
        try bench.settle()
        for line in 1...count {
            let text = Array("line \(line)\n".utf8)
            try appendBytes(text, to: path(0))
            try appendBytes(text, to: path(count + 1 - line))
            try Descriptor.open(path(0), O_WRONLY).truncate(to: 0)
        }
        let next = try ParkingBench(mostOpen: 32, after: bench)
        try next.settle()
        expectAll(count, next)
    }

    /// 1. A log is copied while a thousand earlier files are taken up, and is not read yet.
    /// 2. It is truncated.
    @Test("A log that is copied while earlier files are taken up is read in its copy")
    func copiedMeanwhile() throws {
        try rotateAtOnce(100, copies: false)
        for number in (1...100).reversed() { try rename(path(number), path(number + 1)) }
        try appendBytes(readFile(path(0)), to: path(1))
        let next = try ParkingBench(mostOpen: 32, after: bench)
        var isTruncated = false
        _ = try next.lookInSlices {
            let stream = next.streams.first
            guard !isTruncated, stream?.earlier == nil, stream?.files.count ?? 0 > 90 else {
                return
            }
            isTruncated = true
            try Descriptor.open(path(0), O_WRONLY).truncate(to: 0)
            try appendBytes(Array("line 101\n".utf8), to: path(0))
        }
        #expect(isTruncated)
        try next.settle()
        expectAll(101, next)
    }

    /// 1. One of a hundred earlier files is out of reach when it is its turn, and nobody waits for it any more.
    /// 2. It can be read again, or is removed, when all that is newer was taken up.
    @Test(
        "An earlier file that the log has gone on without is read or counted, once",
        arguments: [true, false])
    func passedOver(isBack: Bool) throws {
        try rotateAtOnce(100, copies: false)
        let next = try ParkingBench(mostOpen: 32, after: bench)
        next.now = 100_000_000_000
        var hidden: [UInt8]?
        _ = try next.lookInSlices {
            guard hidden == nil, let stream = next.streams.first,
                let rotatedFile = stream.earlier?.rest.last
            else { return }
            hidden = rotatedFile.name
            _ = stream.obstacles.hasToWait(next.now + -Obstacles.mostPatience)
            let name = String(decoding: rotatedFile.name, as: UTF8.self)
            try rename(next.home.path("log/\(name)"), next.home.path("hidden"))
        }
        let name = String(decoding: try #require(hidden), as: UTF8.self)
        if isBack { try rename(next.home.path("hidden"), next.home.path("log/\(name)")) }
        try next.settle()
        let number = try #require(Int(name.dropFirst("a.log.".count)))
        let late = "line \(100 - number)"
        let texts = next.output.texts()
        #expect(texts.filter { $0 != late } == (0...100).map { "line \($0)" }.filter { $0 != late })
        #expect(texts.count { $0 == late } == (isBack ? 1 : 0))
        #expect(next.lost.count == (isBack ? 0 : 1))
        #expect(next.lost.allSatisfy { $0.hasPrefix("\(path(number)) 0..<") })
    }

    @Test("Each thing that a log has to wait for is waited for as long")
    func patience() {
        var obstacles = Obstacles()
        let first = obstacles.hasToWait(0)
        let last = obstacles.hasToWait(.zero + Obstacles.mostPatience)
        obstacles.comeOn()
        let next = obstacles.hasToWait(.zero + 2 * Obstacles.mostPatience)
        #expect(first && !last && next)
    }

    @Test("What could not be read was wanted if it was written last, whatever its name says")
    func wanted() throws {
        try bench.write("a.log.3", "x\n")
        let status = try FileStatus.glance(at: Array(path(3).utf8))
        func wasWanted(after name: String, _ modified: FileTime) -> Bool {
            func rotated(_ name: String) -> RotatedName? {
                RotatedName(Array(name.utf8), of: Array("a.log".utf8))
            }
            return Obstacles.Passed(
                name: Array("a.log.3".utf8), path: path(3), rotated: rotated("a.log.3"), since: 0,
                after: NewestTakenUp(rotated: rotated(name), modified: modified), status: status
            ).wasWanted
        }
        #expect(wasWanted(after: "a.log.2", status.modified - 1))
        #expect(wasWanted(after: "a.log.4", status.modified + 1))
        #expect(!wasWanted(after: "a.log.2", status.modified + 1))
    }

    @Test("An earlier file that gets a second name from elsewhere is refused, and the log goes on")
    func refusedMeanwhile() throws {
        try rotateAtOnce(100, copies: false)
        let next = try ParkingBench(mostOpen: 32, after: bench)
        var refused: String?
        var line = 0
        var slices = 0
        let (end, _) = try next.lookInSlices {
            slices += 1
            if slices > 2_000 { throw Kill.now }
            guard refused == nil, let rotatedFile = next.streams.first?.earlier?.rest.last else {
                return
            }
            let name = String(decoding: rotatedFile.name, as: UTF8.self)
            refused = next.home.path("log/\(name)")
            line = 100 - (try #require(Int(name.split(separator: ".").last ?? "")))
            try makeHardLink(next.home.path("second"), to: next.home.path("log/\(name)"))
        }
        guard case .fine = end else { throw Kill.now }
        try next.settle()
        #expect(next.output.texts() == (0...100).filter { $0 != line }.map { "line \($0)" })
        #expect(
            next.output.state.withLock { state in
                state.events.contains {
                    if case .refused(let path, _) = $0 { path == refused } else { false }
                }
            })
    }

    /// Beside thousands of files a search goes on in another slice, and that one in the next.
    @Test(
        "An earlier file whose content was replaced, and that cannot be read, does not make a look endless"
    )
    func unreadableReplaced() throws {
        for number in 2...2_100 {
            try appendBytes(Array("not a.log's \(number)\n".utf8), to: path(number))
            try setTime(of: path(number), seconds: 1_000_000)
        }
        try bench.settle()
        let file = try bench.file("a.log")
        try rename(path(0), bench.home.path("moved"))
        try bench.write("a.log", "line 1\n")
        try bench.look()
        // It cannot be opened again where it is.
        bench.cache.close(file)
        file.becomeReplaced()
        #expect(file.passOver(bench.now))
        var slices = 0
        _ = try bench.lookInSlices {
            slices += 1
            if slices > 2_000 { throw Kill.now }
        }
        #expect(slices > 0, "it was searched in one piece")
        bench.readAll()
        #expect(bench.output.texts() == ["line 0", "line 1"])
    }

    @Test("What is removed while it waits for its turn holds nobody up for long")
    func removedMeanwhile() throws {
        try rotate(1...40, copies: false)
        let next = try ParkingBench(mostOpen: 32, after: bench)
        next.table.mostEarlier = 16
        _ = try next.lookInSlices()
        #expect(try #require(next.streams.first).earlier != nil)
        for number in 3...7 { try remove(path(number)) }
        for _ in 0..<50 {
            next.now += 1_000_000_000
            _ = try next.lookInSlices(.endless)
            next.readAll()
        }
        let texts = next.output.texts()
        #expect(texts == (0...40).filter { !(33...37).contains($0) }.map { "line \($0)" })
    }

    /// A program that leaks one descriptor with each rotation: whether more comes of them is never known.
    @Test("Rotated files that somebody has open yet keep none of the newer ones from its turn")
    func leaked() throws {
        var leaked: [SharedDescriptor] = []
        for line in 1...100 {
            leaked.append(SharedDescriptor(try Descriptor.open(path(0), O_WRONLY | O_APPEND)))
            try rotate(line...line, copies: false)
        }
        try bench.settle()
        expectAll(100, bench)
        #expect(try #require(bench.streams.first).files.count == leaked.count + 1)
    }

    /// In none of them is a line of the log, and what became of its content is looked for in all.
    @Test(
        "A search in thousands of files is cut, and has few of them open", arguments: [true, false])
    func survey(isRestart: Bool) throws {
        for number in 1...3_000 {
            try appendBytes(Array("not a.log's \(number)\n".utf8), to: path(number))
            try setTime(of: path(number), seconds: 1_000_000)
        }
        let next = isRestart ? try ParkingBench(mostOpen: 32, after: bench) : bench
        try Descriptor.open(path(0), O_WRONLY).truncate(to: 0)
        try appendBytes(Array("line 1\n".utf8), to: path(0))
        var isCut = false
        let mostOpen = try next.watchOpenFiles(beneath: "log") {
            for _ in 0..<10 {
                _ = try next.lookInSlices {
                    let known = next.streams.map(\.strangers.count).max() ?? 0
                    if (1..<2_900).contains(known) { isCut = true }
                }
            }
        }
        #expect(isCut)
        #expect((1..<64).contains(mostOpen))
        try next.settle()
        #expect(next.output.texts() == ["line 0", "line 1"])
    }

    @Test("What is pruned while it waits for its turn is counted, and what is compressed is read")
    func prunedMeanwhile() throws {
        try rotate(1...40, copies: false)
        let next = try ParkingBench(mostOpen: 32, after: bench)
        next.table.mostEarlier = 16
        _ = try next.lookInSlices()
        #expect(try #require(next.streams.first).earlier != nil)
        try remove(path(5))
        try compress(path(4), .gzip)
        try next.settle()
        #expect(next.output.texts() == (0...40).filter { $0 != 35 }.map { "line \($0)" })
        #expect(next.lost == ["\(path(5)) 0..<8 deleted_unread"])
    }

    /// logrotate's `delaycompress`: by the time that a file is compressed it has another number.
    @Test(
        "What is renamed and compressed while it waits for its turn is read, and not told as lost",
        arguments: [(true, true), (true, false), (false, true)])
    func compressedMeanwhile(_ kind: (copies: Bool, hasFirst: Bool)) throws {
        try rotate(1...40, copies: kind.copies)
        if !kind.hasFirst { try remove(path(40)) }
        bench.table.mostEarlier = 16
        _ = try bench.lookInSlices()
        if bench.streams.first?.earlier == nil { _ = try bench.lookInSlices() }
        #expect(try #require(bench.streams.first).earlier != nil)
        try rotate(41...41, copies: kind.copies)
        for number in [2, 4, 5] { try compress(path(number), .gzip) }
        try bench.settle()
        expectAll(41, bench)
    }

    @Test(
        "What waits for its turn in a directory that is removed is counted, file by file",
        arguments: [true, false])
    func directoryGone(isMadeAnew: Bool) throws {
        try rotate(1...40, copies: false)
        bench.table.mostEarlier = 16
        _ = try bench.lookInSlices()
        let waiting = try #require(bench.streams.first?.earlier).rest.map(\.name)
        #expect(waiting.count == 24)
        try ChildProcess("/bin/rm", ["-r", bench.home.path("log")]).wait()
        if isMadeAnew {
            try bench.home.makeDirectory("log")
            bench.table.swapped(bench.node, bench.now)
        } else {
            bench.table.gone(bench.node, bench.now)
        }
        #expect(
            bench.lost
                == waiting.reversed().map {
                    "\(bench.home.path("log"))/\(String(decoding: $0, as: UTF8.self)) 0..<8 "
                        + "deleted_unread"
                })
    }

    /// A block of bzip2's takes as long to unpack as a thousand lines to ship.
    @Test(
        "Of a compressed file that is known by its identity nothing is unpacked", arguments: [1, 2])
    func known(run: Int) throws {
        try rotate(1...1, copies: false)
        try compress(path(1), .bzip2)
        try bench.settle()
        let runs = run == 1 ? bench : try ParkingBench(mostOpen: 32, after: bench)
        try runs.settle()
        let directory = try runs.node.open()
        let request = FileOpener.Request(
            stream: try #require(runs.streams.first), name: Array("a.log.1.bz2".utf8),
            path: path(1) + ".bz2", isArchived: false, mayBePacked: true, mayBeKnown: true)
        guard case .candidate(let candidate) = runs.opener.examine(request, in: directory) else {
            Issue.record("it could not be opened")
            return
        }
        #expect(candidate.packed != nil)
        #expect(candidate.head.isEmpty)
        try candidate.completeHead()
        #expect(candidate.head == Array("line 0\n".utf8))
        expectAll(1, runs)
    }

    /// Each of them was opened again with every look.
    @Test("What has a second name from elsewhere is refused once, and read when that is gone")
    func refused() throws {
        try bench.home.makeDirectory("other")
        for number in 1...3 {
            try appendBytes(Array("none of a.log's\n".utf8), to: bench.home.path("other/\(number)"))
            try makeHardLink(path(number), to: bench.home.path("other/\(number)"))
        }
        try bench.settle()
        let stream = try #require(bench.streams.first)
        #expect(stream.refused.count == 3)
        try remove(bench.home.path("other/2"))
        try bench.settle()
        #expect(stream.refused.count == 2)
        #expect(bench.output.texts() == ["line 0", "none of a.log's"])
    }
}
