import Glibc
import Model
import Platform
import Synchronization
import TestSupport
import Testing

@testable import Tailer

@Suite("A file that is replaced by the same content in a new inode goes on", .overAllBases)
struct SuccessorTests {
    let bench: ParkingBench
    let path: String
    let lines = (0..<400).map { "line \($0) of what does not change" }

    init() throws {
        bench = try ParkingBench(mostOpen: 10)
        path = bench.home.path("log/a.log")
    }

    private func settle() throws {
        for _ in 0..<3 {
            try bench.look()
            bench.readAll()
        }
    }

    private func text(_ lines: some Sequence<String>) -> String {
        lines.joined(separator: "\n") + "\n"
    }

    /// As rsync and editors do: a new file is renamed over the old one.
    private func replace(_ text: String) throws {
        try bench.home.write("new", text)
        try rename(bench.home.path("new"), path)
    }

    @Test(
        "Renamed over by its like, whatever was read of it, and appended to",
        arguments: [false, true])
    func renamedOver(isUnread: Bool) throws {
        try bench.write("a.log", text(lines))
        try settle()
        if isUnread { try bench.home.append("log/a.log", "unread\n") }
        for round in 0..<3 {
            try replace(String(decoding: try readFile(path), as: UTF8.self))
            try settle()
            try bench.home.append("log/a.log", "round \(round)\n")
            try settle()
        }
        #expect(
            bench.output.texts()
                == lines + (isUnread ? ["unread"] : []) + (0..<3).map { "round \($0)" })
        #expect(bench.output.state.withLock { $0.files.count } == 1)
        #expect(bench.lost.isEmpty)
    }

    @Test(
        "A file that is closed before what took its place is looked at goes on, too",
        arguments: [true, false])
    func closedBefore(isBackup: Bool) throws {
        try bench.write("a.log", text(lines))
        try settle()
        let content = String(decoding: try readFile(path), as: UTF8.self)
        if isBackup {
            try rename(path, path + "~")
            try lookAgain()
            try remove(path + "~")
            try bench.home.write("log/a.log", content + "new\n")
        } else {
            try replace(content + "new\n")
        }
        // As far as a look comes that is to be made once more.
        let stream = try #require(bench.streams.first)
        bench.table.leavePath(try bench.look(at: stream))
        bench.readAll()
        #expect(stream.files.isEmpty && stream.awaitingCopy.count == 1)
        try settle()
        #expect(bench.output.texts() == lines + ["new"])
        #expect(bench.output.state.withLock { $0.files.count } == 1)
        #expect(bench.gone == 0 && bench.lost.isEmpty)
    }

    @Test("What somebody goes on to write to the old inode comes, too, once")
    func writerOfOld() throws {
        try bench.write("a.log", text(lines))
        let writer = try Descriptor.open(path, O_WRONLY | O_APPEND)
        try settle()
        try replace(text(lines))
        try settle()
        try bench.home.append("log/a.log", "to the new one\n")
        try writer.write(Array("to the old one\n".utf8))
        try settle()
        #expect(Set(bench.output.texts()) == Set(lines + ["to the old one", "to the new one"]))
        #expect(bench.output.count == lines.count + 2)
        #expect(bench.lost.isEmpty)
    }

    /// Its writer has a line half done when the two are compared, and goes on before anything is made of
    /// that.
    @Test(
        "What is written to the old inode while it is succeeded comes, in whole lines",
        arguments: [false, true])
    func writtenMeanwhile(leaves: Bool) throws {
        try bench.write("a.log", text(lines) + "half of ")
        let writer = Writer(try Descriptor.open(path, O_WRONLY | O_APPEND))
        try settle()
        bench.output.state.withLock {
            $0.whenSucceeded = {
                writer.write("a line\nand another\n")
                if leaves { writer.close() }
            }
        }
        try replace(text(lines) + "half of ")
        try settle()
        if !leaves { writer.write("and more\n") }
        try bench.home.append("log/a.log", "one in the new file\n")
        try settle()
        let old = ["half of a line", "and another"] + (leaves ? [] : ["and more"])
        let texts = bench.output.texts()
        #expect(texts.filter { !$0.hasSuffix("new file") } == lines + old)
        #expect(texts.filter { $0.hasSuffix("new file") } == ["half of one in the new file"])
        #expect(bench.lost.isEmpty)
    }

    @Test("A line that was not finished is the new inode's where nobody goes on in the old one")
    func unfinished() throws {
        try bench.write("a.log", text(lines) + "half of ")
        let writer = Writer(try Descriptor.open(path, O_WRONLY | O_APPEND))
        try settle()
        try replace(text(lines) + "half of ")
        try settle()
        writer.close()
        try settle()
        #expect(bench.files.count == 1)
        try bench.home.append("log/a.log", "a line\n")
        try settle()
        #expect(bench.output.texts() == lines + ["half of a line"])
        #expect(bench.lost.isEmpty)
    }

    @Test("A parked file is succeeded as well")
    func parked() throws {
        try bench.write("a.log", text(lines))
        try settle()
        bench.forgetUses()
        bench.parkAll()
        try replace(text(lines + ["new"]))
        try settle()
        #expect(bench.output.texts() == lines + ["new"])
    }

    /// A look after each of an editor's steps.
    private func save(_ texts: [String], removes: Bool, parks: Bool = false) throws {
        try rename(path, path + "~")
        try settle()
        if parks {
            bench.forgetUses()
            bench.parkAll()
        }
        try bench.home.write("log/a.log", "")
        try lookAgain()
        for text in texts {
            try bench.home.append("log/a.log", text)
            try lookAgain()
        }
        if removes { try remove(path + "~") }
        try lookAgain()
        bench.now += 2_000_000_000
        try settle()
    }

    /// What may be saved at the moment is looked at once more.
    private func lookAgain() throws {
        _ = try bench.lookInSlices(.endless)
        bench.readAll()
    }

    @Test(
        "An editor that renames the old file, writes the new one and removes or keeps the old one",
        arguments: [true, false], [true, false])
    func backup(removes: Bool, parks: Bool) throws {
        try bench.write("a.log", text(lines))
        try settle()
        let halves = [text(lines.prefix(200)), text(lines.dropFirst(200)) + "appended\n"]
        try save(halves, removes: removes, parks: parks)
        try bench.home.append("log/a.log", "later\n")
        try settle()
        #expect(bench.output.texts() == lines + ["appended", "later"])
        #expect(bench.lost.isEmpty)
        #expect(bench.files.count == 1)
        // The old one is known for what it is.
        try bench.home.append("log/a.log~", removes ? "" : "somebody's\n")
        try settle()
        #expect(
            bench.output.texts() == lines + ["appended", "later"] + (removes ? [] : ["somebody's"]))
    }

    @Test("A short one, too, where the old one is removed")
    func shortBackup() throws {
        try bench.write("a.log", text(["one", "two"]))
        try settle()
        try save([text(["one"]), text(["two", "three"])], removes: true)
        #expect(bench.output.texts() == ["one", "two", "three"])
        // And a new log with the same first lines, where it stays, is a new log.
        try save([text(["one"]), text(["two", "three"])], removes: false)
        #expect(bench.output.texts() == ["one", "two", "three", "one", "two", "three"])
        #expect(bench.lost.isEmpty)
    }

    @Test("A log that is written to under such a name without end is waited for no longer")
    func writtenBackup() throws {
        try bench.write("a.log", text(["banner", "one"]))
        try settle()
        try rename(path, path + "~")
        try bench.home.write("log/a.log", text(["banner"]))
        for round in 0..<4 {
            try bench.home.append("log/a.log~", "round \(round)\n")
            try lookAgain()
            bench.now += 1_000_000_000
        }
        #expect(
            bench.output.texts()
                == ["banner", "one"] + ["round 0", "round 1", "round 2", "banner", "round 3"])
    }

    @Test("A log that is rotated to such a name is read to its end, and the new one at once")
    func rotatedToBackup() throws {
        try bench.write("a.log", text(["one", "two"]))
        try settle()
        try bench.home.append("log/a.log", "three\n")
        try rename(path, path + "~")
        try bench.home.write("log/a.log", text(["other"]))
        try settle()
        #expect(bench.output.texts() == ["one", "two", "three", "other"])
    }

    @Test("A new log that begins as the old one did is read from its first line")
    func newLog() throws {
        try bench.write("a.log", text(["banner", "one"]))
        try settle()
        // A banner, and more of it than was read.
        try remove(path)
        try bench.write("a.log", text(["banner", "one", "two"]))
        try settle()
        #expect(bench.output.texts() == ["banner", "one", "banner", "one", "two"])
        // As long as can be, and other lines before the position.
        try bench.write("b.log", text(lines + ["old"]))
        try settle()
        try bench.home.write("new", text(lines + ["new"]))
        try rename(bench.home.path("new"), bench.home.path("log/b.log"))
        try settle()
        #expect(
            bench.output.texts(bench.home.path("log/b.log")) == lines + ["old"] + lines + ["new"])
        // And shorter than what was read.
        try bench.home.write("new", text(lines.prefix(300)))
        try rename(bench.home.path("new"), bench.home.path("log/b.log"))
        try settle()
        #expect(bench.output.texts(bench.home.path("log/b.log")).count == 401 * 2 + 300)
    }
}

/// A program that has a log open.
private final class Writer: Sendable {
    private let file: Mutex<Descriptor?>

    init(_ descriptor: consuming Descriptor) { file = Mutex(descriptor) }

    func write(_ text: String) {
        file.withLock { file in
            do throws(SystemError) {
                try file?.write(Array(text.utf8))
            } catch {
                Issue.record("\(error)")
            }
        }
    }

    func close() { file.withLock { $0 = nil } }
}

@Suite("Second names of a log", .overAllBases)
struct SecondNameTests {
    @Test("Moved over another one, again and again: what is written to each of them comes")
    func movedOver() throws {
        let bench = try ParkingBench(mostOpen: 10)
        let (a, b) = (bench.home.path("log/a.log"), bench.home.path("log/b.log"))
        try bench.write("b.log", "b\n")
        var expected = ["b"]
        for round in 0..<3 {
            try bench.write("a.log", "a\(round)\n")
            try bench.settle()
            let old = try Descriptor.open(b, O_WRONLY | O_APPEND)
            try rename(a, b)
            try bench.settle()
            try old.write(Array("to what it was \(round)\n".utf8))
            try bench.home.append("log/b.log", "b\(round)\n")
            try bench.settle()
            expected += ["a\(round)", "to what it was \(round)", "b\(round)"]
            #expect(bench.output.texts().sorted() == expected.sorted())
            let left = bench.output.state.withLock { state in
                bench.files.filter { state.files[$0.id.number].isGone }.map(\.path)
            }
            #expect(left == [])
        }
        #expect(bench.lost.isEmpty)
    }

    /// It had no name when it was looked for, and was found where another pattern leads.
    @Test("What another stream reads by now is not told as lost by the one that had it")
    func foundByAnother() throws {
        let bench = try ParkingBench(mostOpen: 10)
        try bench.write("a.log", "a\n")
        try bench.write("b.log", "b\n")
        try bench.settle()
        let stream = try #require(bench.streams.first)
        let file = try bench.file("b.log")
        stream.awaitingCopy = [
            LogStream.FileAwaitingCopy(
                id: file.id, identity: file.identity, path: bench.home.path("log/a.log.1"),
                unread: ByteRange(start: 0, end: 2), reason: .deletedUnread, isRead: false,
                end: 0, anchor: [])
        ]
        bench.table.giveUpCopies(stream)
        #expect(stream.awaitingCopy.isEmpty && bench.lost.isEmpty && bench.gone == 0)
    }

    /// Nobody sees what is written to it between the two.
    @Test("Moved over another one, it is that one's as soon as its own stream has done with it")
    func handedOver() throws {
        let bench = try ParkingBench(mostOpen: 10)
        try bench.write("a.log", "a\n")
        try bench.write("b.log", "b\n")
        try bench.settle()
        try rename(bench.home.path("log/a.log"), bench.home.path("log/b.log"))
        #expect(try bench.lookInSlices(.endless).0 == .retry)
        #expect(bench.table.agenda.take().changed.isEmpty)
        bench.readAll()
        #expect(bench.table.agenda.take().changed.contains { $0 === bench.node })
        try bench.look()
        #expect(bench.files.map(\.path) == [bench.home.path("log/b.log")])
    }

    @Test("A log that was read goes on when it gets a second name; one that was not is refused")
    func secondName() throws {
        let bench = try ParkingBench(mostOpen: 10)
        try bench.write("a.log", "one\n")
        try bench.look()
        bench.readAll()
        // As between two runs.
        for file in bench.files { bench.opener.close(file) }
        bench.node.streams = [:]
        try makeHardLink(bench.home.path("elsewhere"), to: bench.home.path("log/a.log"))
        try bench.home.append("log/a.log", "two\n")
        try bench.home.write("secret", "secret\n")
        try makeHardLink(bench.home.path("log/b.log"), to: bench.home.path("secret"))
        // Nor is what one stream has read another one's.
        try makeHardLink(bench.home.path("log/c.log"), to: bench.home.path("elsewhere"))
        try remove(bench.home.path("elsewhere"))
        for _ in 0..<2 {
            try bench.look()
            bench.readAll()
        }
        #expect(bench.output.texts() == ["one", "two"])
        let refused = bench.output.state.withLock { state in
            state.events.compactMap { event in
                if case .refused(let path, _) = event { path.suffix(5) } else { nil }
            }
        }
        #expect(refused == ["b.log", "c.log"])
    }
}
