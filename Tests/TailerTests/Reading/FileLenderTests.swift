import Glibc
import Model
import Platform
import Synchronization
import TestSupport
import Testing

@testable import Tailer

@Suite(
    "A file whose front is removed while it is read", .overBases,
    .enabled(if: CollapsingDisk.isHere, "the file system of /tmp cannot collapse"))
struct FileLenderTests {
    private let directory: TemporaryDirectory
    private let output = RecordingOutput()
    private let lines = (0..<800).map { "line \($0) of a log that is long enough" }

    init() throws { directory = try TemporaryDirectory() }

    private func text(_ range: Range<Int>) -> String {
        lines[range].map { $0 + "\n" }.joined()
    }

    private var saved: RecordingOutput.Saved { output.state.withLock { $0.files[0] } }

    private func lend(_ tailer: Tailer, _ length: Int) throws -> Bool {
        let saved = saved
        return try tailer.lend(
            saved.id, saved.identity, upTo: saved.base.logical(PhysicalOffset(length)),
            within: 30_000_000_000)
    }

    private func remove(front length: Int, of path: String) throws {
        let file = try Descriptor.open(path, O_RDWR)
        try file.punch(0..<length)
        try file.synchroniseData()
        try file.collapse(front: length)
    }

    private func head(_ path: String) throws -> [UInt8] {
        try Descriptor.open(path, O_RDONLY).read(count: Fingerprint.longest, at: 0)
    }

    private func readTo(_ count: Int) throws {
        try eventually("\(count) lines; there are \(output.count)") { output.count >= count }
        #expect(output.texts() == Array(lines[..<count]))
    }

    @Test("O1: it goes on where it was, whatever is written meanwhile, and three times over")
    func goesOn() throws {
        let length = 4096
        let path = try directory.write("log/a.log", text(0..<300))
        let tailer = try startTailer(output, [directory.path("log/*.log")])
        defer { tailer.stop() }
        try readTo(300)
        let first = saved.base
        for round in 1...3 {
            #expect(try lend(tailer, length))
            // Before who has asked for it goes on.
            #expect(output.state.withLock { $0.leaving.count } == round)
            // Nobody else gets it meanwhile.
            #expect(try !lend(tailer, length))
            try directory.append("log/a.log", text(200 + 100 * round..<250 + 100 * round))
            try remove(front: length, of: path)
            try directory.append("log/a.log", text(250 + 100 * round..<300 + 100 * round))
            let base = Base(first.bytes + round * length)
            tailer.giveBack(saved.id, saved.identity, base: base, beginsWith: try head(path))
            try readTo(300 + 100 * round)
            #expect(saved.base == base)
        }
        #expect(output.state.withLock { $0.files.count } == 1)
        let events = output.state.withLock { $0.events }
        #expect(!events.contains { if case .truncated = $0 { true } else { false } }, "\(events)")
    }

    @Test("O1: a truncation after that is one, and is seen")
    func truncatedLater() throws {
        let length = 4096
        let path = try directory.write("log/a.log", text(0..<300))
        let tailer = try startTailer(output, [directory.path("log/*.log")])
        defer { tailer.stop() }
        try readTo(300)
        #expect(try lend(tailer, length))
        try remove(front: length, of: path)
        tailer.giveBack(
            saved.id, saved.identity, base: Base(saved.base.bytes + length),
            beginsWith: try head(path))
        try Descriptor.open(path, O_WRONLY).truncate(to: 0)
        try directory.append("log/a.log", text(300..<400))
        try readTo(400)
    }

    /// A program in a crash loop: nothing but its first bytes tells one of its logs from another.
    @Test(
        "O3: what was refilled to its size since it was looked at, with the same ends, is not lent")
    func refilled() throws {
        func lines(_ name: String) -> [String] {
            let ending = String(repeating: "-", count: 80)
            return ["banner" + ending] + (101...200).map { "\(name) \($0)" + ending }
        }
        func text(_ name: String) -> String { lines(name).map { $0 + "\n" }.joined() }
        let path = try directory.write("log/a.log", text("a"))
        let tailer = try startTailer(output, [directory.path("log/*.log")])
        defer { tailer.stop() }
        try eventually("the first content") { output.count == 101 }
        // Nothing is read, whoever looks first.
        output.state.withLock { $0.hasRoom = false }
        try Descriptor.open(path, O_WRONLY).write(Array(text("b").utf8))
        #expect(try !lend(tailer, 4096))
        output.state.withLock { $0.hasRoom = true }
        tailer.wake()
        try eventually("the second content") { output.count >= 202 }
        #expect(output.texts() == lines("a") + lines("b"))
    }

    @Test func aFileThatComesBackAsItWasIsReadOn() throws {
        _ = try directory.write("log/a.log", text(0..<300))
        let tailer = try startTailer(output, [directory.path("log/*.log")])
        defer { tailer.stop() }
        try readTo(300)
        #expect(try lend(tailer, 4096))
        try directory.append("log/a.log", text(300..<400))
        tailer.giveBack(saved.id, saved.identity, base: saved.base, beginsWith: nil)
        try readTo(400)
    }

    /// 1. A file is lent. Its application renames it, and begins another one.
    /// 2. What is newer must not come first.
    @Test("O12: the application renames it meanwhile: both complete, and in order")
    func renamed() throws {
        let length = 4096
        let path = try directory.write("log/a.log", text(0..<300))
        let tailer = try startTailer(output, [directory.path("log/*.log")])
        defer { tailer.stop() }
        try readTo(300)
        #expect(try lend(tailer, length))
        try directory.append("log/a.log", text(300..<350))
        let moved = directory.path("log/a.log.1")
        try rename(path, moved)
        _ = try directory.write("log/a.log", text(350..<400))
        try remove(front: length, of: moved)
        tailer.giveBack(
            saved.id, saved.identity, base: Base(saved.base.bytes + length),
            beginsWith: try head(moved))
        try readTo(400)
    }

    @Test("O3: what was not read so far is not lent, and neither is what nobody reads")
    func refused() throws {
        let path = try directory.write("log/a.log", text(0..<300) + "half a line")
        let tailer = try startTailer(output, [directory.path("log/*.log")])
        defer { tailer.stop() }
        try readTo(300)
        let size = try FileStatus.glance(at: Array(path.utf8)).size
        #expect(try !lend(tailer, size))
        let saved = saved
        #expect(
            try !tailer.lend(
                FileID(number: 4711), saved.identity, upTo: 0, within: 30_000_000_000))
        // It is another content.
        #expect(try lend(tailer, 4096))
        tailer.giveBack(saved.id, saved.identity, base: saved.base, beginsWith: nil)
        try directory.append("log/a.log", "\n")
    }
}
