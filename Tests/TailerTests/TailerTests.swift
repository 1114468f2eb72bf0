import Glibc
import Model
import Platform
import Synchronization
import TestSupport
import Testing

@testable import Tailer

@Suite("Tailing", .overBases)
struct TailerTests {
    let directory: TemporaryDirectory
    let output = RecordingOutput()

    init() throws { directory = try TemporaryDirectory() }

    private func expect(
        _ lines: [String], _ comment: Comment? = nil,
        sourceLocation: SourceLocation = #_sourceLocation
    ) throws {
        try eventually("\(lines.count) lines") { output.count >= lines.count }
        #expect(output.texts() == lines, comment, sourceLocation: sourceLocation)
    }

    @Test("T1: a line written in two halves is one record")
    func twoHalves() throws {
        let path = try directory.write("log/a.log", "first\nhal")
        let tailer = try startTailer(output, [directory.path("log/*.log")])
        defer { tailer.stop() }
        try expect(["first"])
        try directory.append("log/a.log", "f\n")
        try expect(["first", "half"])
        #expect(output.texts(path) == ["first", "half"])
    }

    @Test("T2: half a line, stop, start, other half: one whole record")
    func acrossRestart() throws {
        _ = try directory.write("log/a.log", "first\nhal")
        var tailer = try startTailer(output, [directory.path("log/*.log")])
        try expect(["first"])
        tailer.stop()
        try directory.append("log/a.log", "f\nthird\n")
        tailer = try startTailer(output, [directory.path("log/*.log")])
        defer { tailer.stop() }
        try expect(["first", "half", "third"])
    }

    /// The next sweep is in an hour.
    @Test("N2: an s6 log that rotates is read on at once, however long a sweep is")
    func rotatesBeforeSweep() throws {
        let archive = "log/pod/@4000000065e07a152f072f40.s"
        _ = try directory.write("log/pod/current", "one\n")
        let tailer = try startTailer(
            output, [directory.path("log/*/current")], sweep: 3_600_000_000_000)
        defer { tailer.stop() }
        try expect(["one"])
        try directory.append("log/pod/current", "two\n")
        try rename(directory.path("log/pod/current"), directory.path("log/pod/previous"))
        _ = try directory.write("log/pod/current", "three\n")
        try rename(directory.path("log/pod/previous"), directory.path(archive))
        try expect(["one", "two", "three"])
    }

    /// 1. The next sweep is in an hour. A log is put down for it, or it is quiet and watched.
    /// 2. logrotate copies it. What is written before it truncates the log would be lost.
    @Test(
        "a log that is copied is looked at until it is truncated, be it quiet or not, however long a sweep is",
        arguments: [0, 3_600_000_000_000] as [Int64])
    func copied(idle: Int64) throws {
        _ = try directory.write("log/a.log", "one\n")
        let tailer = try startTailer(
            output, [directory.path("log/*.log")], sweep: 3_600_000_000_000
        ) {
            $0.idle = idle
            $0.truncationPatience = 3_600_000_000_000
        }
        defer { tailer.stop() }
        try expect(["one"])
        _ = try directory.write("log/a.log.1", "one\n")
        try directory.append("log/a.log", "two\n")
        try expect(["one", "two"])
        try directory.append("log/a.log", "three\n")
        try expect(["one", "two", "three"])
    }

    @Test("directories and files that appear later are found; a quiet file is woken by a write")
    func appearLater() throws {
        let tailer = try startTailer(output, [directory.path("log/{a}/**/*.log")])
        defer { tailer.stop() }
        try eventually("a first scan") { output.state.withLock { $0.scans == 1 } }
        _ = try directory.write("log/x/y/z/a.log", "one\n")
        try expect(["one"])
        try eventually("it is quiet") {
            output.state.withLock { $0.scans == 1 }
        }
        for number in 0..<20 {
            try directory.append("log/x/y/z/a.log", "line \(number)\n")
            try eventually("line \(number)") { output.count == number + 2 }
        }
    }

    @Test("a log of which nothing comes is said to rest, and its next line is handed over")
    func rests() throws {
        let tailer = try startTailer(output, [directory.path("log/*.log")])
        defer { tailer.stop() }
        for number in 0..<3 {
            let line = "line \(number)\n"
            if number == 0 {
                _ = try directory.write("log/a.log", line)
            } else {
                try directory.append("log/a.log", line)
            }
            try expect((0...number).map { "line \($0)" })
            try eventually("it rests") { output.state.withLock { !$0.resting.isEmpty } }
            output.state.withLock { $0.resting = [] }
        }
    }

    @Test("a renamed file is read to its end before the one that took its place")
    func renamed() throws {
        let path = try directory.write("log/a.log", "one\n")
        let tailer = try startTailer(output, [directory.path("log/*.log")])
        defer { tailer.stop() }
        try expect(["one"])
        for round in 0..<20 {
            try directory.append("log/a.log", "old \(round)\n")
            try rename(path, directory.path("log/a.log.\(round)"))
            _ = try directory.write("log/a.log", "new \(round)\n")
            try eventually("round \(round)") { output.count == round * 2 + 3 }
        }
        try expect(["one"] + (0..<20).flatMap { ["old \($0)", "new \($0)"] })
    }

    @Test("T9: renamed while stopped: the rest of the old file first, then the new one")
    func renamedWhileStopped() throws {
        let path = try directory.write("log/a.log", "one\n")
        var tailer = try startTailer(output, [directory.path("log/*.log")])
        try expect(["one"])
        tailer.stop()
        try directory.append("log/a.log", "two\n")
        try rename(path, directory.path("log/a.log.1"))
        _ = try directory.write("log/a.log", "three\n")
        tailer = try startTailer(output, [directory.path("log/*.log")])
        defer { tailer.stop() }
        try expect(["one", "two", "three"])
    }

    /// What is mounted over a directory is another directory under its name, of which there is no event.
    @Test(
        "another directory in the place of one that was looked at: what was left unread in it comes",
        arguments: ["a.log", "b.log"])
    func mountedOver(stray: String) throws {
        let path = try directory.write("log/a.log", "one\n")
        var tailer = try startTailer(output, [directory.path("log/*.log")])
        try expect(["one"])
        tailer.stop()
        try directory.append("log/a.log", "two\n")
        try rename(path, directory.path("log/a.log.1"))
        try rename(directory.path("log"), directory.path("volume"))
        try directory.makeDirectory("log")
        try directory.write("log/\(stray)", "on the mount point\n")
        tailer = try startTailer(
            output, [directory.path("log/*.log")], watchedScan: 100_000_000)
        defer { tailer.stop() }
        try eventually("a scan") { output.count == 2 }
        try rename(directory.path("log"), directory.path("mount point"))
        try rename(directory.path("volume"), directory.path("log"))
        try eventually("the rest") { output.count == 3 }
        #expect(output.texts(path).filter { $0 != "on the mount point" } == ["one", "two"])
    }

    @Test(
        "a dated or numbered log beside one without that is written to, too: found once, then as any other",
        arguments: ["a-2026-11-28.log", "a.1.log"])
    func besidePlain(name: String) throws {
        _ = try directory.write("log/a.log", "plain\n")
        let path = try directory.write("log/\(name)", "dated\n")
        // No scan by the clock has anything to do with what comes after the first one.
        let tailer = try startTailer(
            output, [directory.path("log/*.log")], watchedScan: 3_000_000_000)
        defer { tailer.stop() }
        try eventually("both") { output.count == 2 }
        try directory.append("log/a.log", "more\n")
        try eventually("both go on") { output.count == 3 }
        try eventually("it is taken for rotated") {
            output.state.withLock { $0.files.contains { $0.path == path && $0.isFinished } }
        }
        try directory.append("log/\(name)", "found\n")
        try eventually("what is found by the clock") { output.count == 4 }
        for round in 0..<20 {
            try directory.append("log/\(name)", "left \(round), ")
            try directory.append("log/a.log", "after \(round)\n")
            try eventually("the other log") { output.count == 5 + 2 * round }
            try directory.append("log/\(name)", "right \(round)\n")
            try eventually("round \(round)") { output.count == 6 + 2 * round }
        }
        #expect(
            output.texts().sorted()
                == (["plain", "more", "dated", "found"]
                + (0..<20).flatMap { ["after \($0)", "left \($0), right \($0)"] }).sorted())
    }

    @Test("truncation starts again at the first byte")
    func truncated() throws {
        _ = try directory.write("log/a.log", "one\ntwo\n")
        let tailer = try startTailer(output, [directory.path("log/*.log")])
        defer { tailer.stop() }
        try expect(["one", "two"])
        _ = try directory.write("log/a.log", "x\n")
        try expect(["one", "two", "x"])
    }

    @Test(
        "T15: truncated and filled beyond the old position between two looks: read from the first byte"
    )
    func refilled() throws {
        _ = try directory.write("log/a.log", "one\ntwo\n")
        let tailer = try startTailer(output, [directory.path("log/*.log")])
        defer { tailer.stop() }
        try expect(["one", "two"])
        // No size that was ever seen is larger than what is there now.
        _ = try directory.write("log/a.log", "three\nfour\nfive\n")
        try expect(["one", "two", "three", "four", "five"])
    }

    /// 1. A file is read to its end.
    /// 2. It grows, is truncated, and is refilled to the size of step 1, all between two looks.
    /// 3. Its size said that nothing had happened, and the new content was never read.
    @Test("T15: the same when it has the very size that it had before")
    func refilledToTheSameSize() throws {
        let path = try directory.write("log/a.log", "one\ntwo\n")
        let tailer = try startTailer(output, [directory.path("log/*.log")])
        defer { tailer.stop() }
        try expect(["one", "two"])
        // One write, so that no look comes in between.
        try Descriptor.open(path, O_WRONLY).write(Array("six\nten\n".utf8))
        try expect(["one", "two", "six", "ten"])
        // The same with the beginning of a line.
        try directory.append("log/a.log", "half")
        try Descriptor.open(path, O_WRONLY).write(Array("six\nten\nend\n".utf8))
        try expect(["one", "two", "six", "ten", "end"])
    }

    /// A program in a crash loop: each of its logs has one banner, and lines that end alike.
    @Test("T15: the same when it begins and ends alike, too, and each line ends as it did")
    func refilledToTheSameEnds() throws {
        let banner = (0..<30).map { "banner \($0) " + String(repeating: "=", count: 60) }
        let ending = String(repeating: "-", count: 80)
        let names = [("a", 1...20), ("b", 1...20), ("c", 1...200), ("d", 1...200)]
        let contents = names.map { name, numbers in
            numbers.map { number in
                let digits = String(number)
                return name + String(repeating: "0", count: 4 - digits.utf8.count) + digits + ending
            }
        }
        for pair in [contents[..<2], contents[2...]] {
            let log = "log/\(pair.startIndex).log"
            let path = directory.path(log)
            var expected: [String] = []
            var tailer: Tailer?
            for lines in pair {
                let text = (banner + lines).map { $0 + "\n" }.joined()
                if tailer == nil {
                    _ = try directory.write(log, text)
                    tailer = try startTailer(output, [path])
                } else {
                    // One write, so that no look comes in between.
                    try Descriptor.open(path, O_WRONLY).write(Array(text.utf8))
                }
                expected += banner + lines
                try eventually("\(expected.count) lines") {
                    output.texts(path).count >= expected.count
                }
            }
            #expect(output.texts(path) == expected)
            tailer?.stop()
        }
    }

    @Test("T16: the same when the first 1024 bytes are the same, and while the stream had no room")
    func refilledAlike() throws {
        let head = String(repeating: "same\n", count: 300)
        _ = try directory.write("log/a.log", head + "old\n")
        let tailer = try startTailer(output, [directory.path("log/*.log")])
        defer { tailer.stop() }
        try eventually("the first content") { output.count == 301 }
        output.state.withLock { $0.hasRoom = false }
        try directory.append("log/a.log", "unread\n")
        _ = try directory.write("log/a.log", head + "new\nnewer\n")
        output.state.withLock { $0.hasRoom = true }
        tailer.wake()
        try eventually("the second content") { output.count >= 603 }
        #expect(output.texts().suffix(3) == ["same", "new", "newer"])
        #expect(output.count == 603)
    }

    @Test("room that came back and that nobody told of is found by asking")
    func untoldRoom() throws {
        _ = try directory.write("log/a.log", "one\n")
        output.state.withLock { $0.hasRoom = false }
        let tailer = try startTailer(output, [directory.path("log/*.log")])
        defer { tailer.stop() }
        try eventually("it waits for room") { tailer.figures.starvedStreams == 1 }
        output.state.withLock { $0.hasRoom = true }
        try expect(["one"])
    }

    @Test("an s6 directory without current is read: archives by label, then previous")
    func withoutCurrent() throws {
        let label = "@400000006b03bb0027d04f8"
        _ = try directory.write("log/svc/\(label)2.s", "three\n")
        _ = try directory.write("log/svc/\(label)1.u", "one\ntwo\n")
        _ = try directory.write("log/svc/previous", "four\n")
        let tailer = try startTailer(output, [directory.path("log/**/current")])
        defer { tailer.stop() }
        try expect(["one", "two", "three", "four"])
        _ = try directory.write("log/svc/current", "five\n")
        try expect(["one", "two", "three", "four", "five"])
    }

    @Test("a current that is no file holds up neither its archives nor the first scan")
    func linkedCurrent() throws {
        _ = try directory.write("secret", "secret\n")
        _ = try directory.write("log/svc/@400000006b03bb0027d04f81.s", "one\n")
        try makeLink(directory.path("log/svc/current"), to: directory.path("secret"))
        let tailer = try startTailer(output, [directory.path("log/**/current")])
        defer { tailer.stop() }
        try expect(["one"])
        try eventually("a first scan") { output.state.withLock { $0.scans == 1 } }
    }

    @Test("one directory by two patterns is read once")
    func overlapping() throws {
        _ = try directory.write("log/svc/current", "one\n")
        let tailer = try startTailer(
            output, [directory.path("log/**/current"), directory.path("log/svc/current")])
        defer { tailer.stop() }
        try eventually("a first scan") { output.state.withLock { $0.scans == 1 } }
        try directory.append("log/svc/current", "two\n")
        try expect(["one", "two"])
    }

    @Test("T12: what is unread in a deleted file is read, and the file is let go")
    func deleted() throws {
        let path = try directory.write("log/a.log", "one\n")
        output.state.withLock { $0.hasRoom = false }
        let tailer = try startTailer(output, [directory.path("log/*.log")])
        defer { tailer.stop() }
        try eventually("it is open") {
            output.state.withLock {
                $0.events.contains { if case .opened = $0 { true } else { false } }
            }
        }
        try directory.append("log/a.log", "two\nrest")
        try remove(path)
        output.state.withLock { $0.hasRoom = true }
        tailer.wake()
        try expect(["one", "two", "rest"])
        try eventually("it is gone") { output.state.withLock { $0.gone == 1 } }
    }

    @Test("X1: links, FIFOs and directories are never opened for content, and named once")
    func refused() throws {
        _ = try directory.write("secret", "secret\n")
        _ = try directory.write("log/good.log", "good\n")
        _ = try directory.makeDirectory("log/directory.log")
        try makeLink(directory.path("log/symbolic.log"), to: directory.path("secret"))
        try makeHardLink(directory.path("log/hard.log"), to: directory.path("secret"))
        try makeFIFO(directory.path("log/fifo.log"))
        let tailer = try startTailer(output, [directory.path("log/*.log")])
        defer { tailer.stop() }
        try expect(["good"])
        try directory.append("log/good.log", "better\n")
        try expect(["good", "better"])
        let refused = output.state.withLock { state in
            state.events.compactMap { event -> String? in
                guard case .refused(let path, let reason) = event else { return nil }
                return "\(path.split(separator: "/").last ?? "") \(reason)"
            }
        }
        #expect(
            refused.sorted() == [
                "fifo.log it is a FIFO, not a regular file", "hard.log it has 2 hard links",
                "symbolic.log it is a symbolic link, not a regular file",
            ])
    }

    @Test("--once ends at what was there at the start, without the unterminated tail")
    func once() throws {
        _ = try directory.write("log/a.log", "one\ntwo\ntail")
        _ = try directory.write("log/b.log", "three\n")
        let ended = try startTailer(output, [directory.path("log/*.log")], once: true)
        try eventually("it has ended") { output.count == 3 }
        ended.stop()
        #expect(output.texts() == ["one", "two", "three"])
    }

    @Test("a last line without a newline is not among what waits to be read, until it has one")
    func unfinishedLine() throws {
        _ = try directory.write("log/a.log", "one\nrest")
        output.state.withLock { $0.hasRoom = false }
        let tailer = try startTailer(output, [directory.path("log/*.log")])
        defer { tailer.stop() }
        try eventually("all of it waits") { tailer.figures.unreadBytes == 8 }
        output.state.withLock { $0.hasRoom = true }
        tailer.wake()
        try expect(["one"])
        try eventually("nothing can be read") { tailer.figures.unreadBytes == 0 }
        output.state.withLock { $0.hasRoom = false }
        try directory.append("log/a.log", " two\n")
        try eventually("a line waits") { tailer.figures.unreadBytes == 9 }
    }
}
