import Glibc
import Platform
import Synchronization
import TestSupport
import Testing

@testable import Tailer

@Suite("A file whose end changes and whose beginning does not goes on", .overAllBases)
struct LookBackTests {
    let bench: ParkingBench
    let path: String
    let lines = (0..<400).map { "line \($0) of what does not change" }

    init() throws {
        bench = try ParkingBench(mostOpen: 10)
        path = bench.home.path("log/a.log")
    }

    private func write(_ text: String) throws {
        try bench.write("a.log", text)
        try settle()
    }

    /// Long enough for every doubt to end.
    private func settle() throws {
        for _ in 0..<3 {
            try bench.look()
            bench.readAll()
            bench.now += 1_000_000_000
        }
    }

    private func cut(to size: Int) throws {
        try Descriptor.open(path, O_WRONLY).truncate(to: size)
    }

    private func append(_ text: String) throws { try bench.home.append("log/a.log", text) }

    private func all() -> String { lines.joined(separator: "\n") + "\n" }

    @Test("After its last line was rewritten, a refill to its size with the same ends is seen")
    func refilledAfterRewriting() throws {
        let ending = String(repeating: "-", count: 80)
        func content(_ name: String) -> [String] {
            ["banner" + ending] + (101...160).map { "\(name) \($0)" + ending }
        }
        func text(_ name: String) -> String { content(name).map { $0 + "\n" }.joined() }
        try write(text("a") + "</end>\n")
        let size = text("a").utf8.count
        // The closing tag goes, and comes again behind another line.
        let file = try Descriptor.open(path, O_RDWR)
        try file.truncate(to: size)
        try append("a 161\(ending)\n</end>\n")
        try settle()
        let first = content("a") + ["</end>", "a 161" + ending, "</end>"]
        #expect(bench.output.texts() == first)
        let second = content("b") + ["b 161" + ending, "</end>"]
        try Descriptor.open(path, O_WRONLY).write(
            Array(second.map { $0 + "\n" }.joined().utf8))
        try settle()
        #expect(bench.output.texts() == first + second)
    }

    @Test("Half a line that is cut off again: nothing is sent twice or lost", arguments: [1, 400])
    func tornTail(count: Int) throws {
        let text = lines.prefix(count).joined(separator: "\n") + "\n"
        try write(text)
        for round in 0..<3 {
            let size = try bench.file("a.log").diskSize
            try append("half a li")
            try settle()
            try cut(to: size)
            try settle()
            try append("whole \(round)\n")
            try settle()
        }
        #expect(bench.output.texts() == lines.prefix(count) + (0..<3).map { "whole \($0)" })
        #expect(bench.lost.isEmpty)
        // What the beginning is known by is what is there.
        let head = bench.output.state.withLock { $0.files[0].head }
        #expect(try readFile(path).starts(with: head))
    }

    @Test("A closing tag that each entry overwrites: each entry once", arguments: [true, false])
    func closingTag(isRead: Bool) throws {
        try write("<log>\n</log>\n")
        var end = 6
        for number in 0..<30 {
            let entry = "<entry number='\(number)'/>\n"
            try overwrite(path, at: end, Array("\(entry)</log>\n".utf8))
            end += entry.utf8.count
            if isRead || number % 3 == 0 { try settle() }
        }
        try settle()
        let texts = bench.output.texts().filter { $0 != "</log>" }
        #expect(texts == ["<log>"] + (0..<30).map { "<entry number='\($0)'/>" })
        #expect(bench.lost.isEmpty)
    }

    @Test("A JSON array: the entry before gets a comma and is sent once more, and no other")
    func array() throws {
        try write("[\n{\"n\":0}\n]\n")
        var end = 9
        for number in 1..<20 {
            let entry = ",\n{\"n\":\(number)}"
            try overwrite(path, at: end, Array("\(entry)\n]\n".utf8))
            end += entry.utf8.count
            try settle()
        }
        let texts = bench.output.texts()
        #expect(texts.count { $0 == "[" } == 1)
        for number in 0..<19 {
            #expect(texts.count { $0 == "{\"n\":\(number)}" } == 1)
            #expect(texts.count { $0 == "{\"n\":\(number)}," } == 1)
        }
    }

    @Test("A last line that is rewritten is sent as what it became")
    func lastLine() throws {
        try write(all() + "10 percent\n")
        let place = all().utf8.count
        try overwrite(path, at: place, Array("20 percent\n".utf8))
        try settle()
        try overwrite(path, at: place, Array("30 percent and more\nnext\n".utf8))
        try settle()
        #expect(
            bench.output.texts()
                == lines + ["10 percent", "20 percent", "30 percent and more", "next"])
        // The same of a line that is cut off whole.
        try cut(to: place)
        try settle()
        try append("other\n")
        try settle()
        #expect(bench.output.texts().suffix(2) == ["next", "other"])
        #expect(bench.lost.isEmpty)
    }

    @Test("What is on its way is delivered before the rewritten lines are read")
    func onItsWay() throws {
        try write(all() + "old\n")
        bench.output.state.withLock { $0.isOnItsWay = true }
        try overwrite(path, at: all().utf8.count, Array("new\n".utf8))
        for _ in 0..<5 { try settle() }
        #expect(bench.output.texts().last == "old")
        #expect(try bench.file("a.log").needsLooks)
        bench.output.state.withLock { $0.isOnItsWay = false }
        try settle()
        #expect(bench.output.texts() == lines + ["old", "new"])
    }

    /// Nothing but what stands there tells a truncation from a tail that was rewritten.
    @Test(
        "T16: the same beginning, and then something else, is another content",
        arguments: [3, 30, 100, 300])
    func refilled(same: Int) throws {
        let head = lines.prefix(same).joined(separator: "\n") + "\n"
        try write(head + "old 1\nold 2\nold 3\n")
        try bench.write("a.log", head + "new 1\nnew 2\nnew 3\nnew 4\n")
        try settle()
        let all = lines.prefix(same)
        let expected =
            same < 200
            ? all + ["old 1", "old 2", "old 3"] + all + ["new 1", "new 2", "new 3", "new 4"]
            : all + ["old 1", "old 2", "old 3", "new 1", "new 2", "new 3", "new 4"]
        #expect(bench.output.texts() == Array(expected))
    }

    @Test("A few lines of a banner and one more: another content, after a moment of doubt")
    func banner() throws {
        try write("banner\nstarted at 12:00\n")
        try bench.write("a.log", "banner\nstarted at 13:00\n")
        try bench.look()
        bench.readAll()
        #expect(bench.output.count == 2)
        #expect(try bench.file("a.log").needsLooks)
        try settle()
        #expect(
            bench.output.texts()
                == ["banner", "started at 12:00", "banner", "started at 13:00"])
    }

    @Test("A last line that was rewritten between two runs, as far as the anchor reaches")
    func betweenRuns() throws {
        try write(all() + "</log>\n")
        for stream in bench.streams {
            for file in stream.files { bench.opener.close(file) }
        }
        bench.node.streams = [:]
        try overwrite(path, at: all().utf8.count, Array("<entry/>\n</log>\n".utf8))
        try settle()
        #expect(bench.output.texts() == lines + ["</log>", "<entry/>", "</log>"])
    }
}
