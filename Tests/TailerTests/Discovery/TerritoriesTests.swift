import Patterns
import Platform
import TestSupport
import Testing

@testable import Tailer

@Suite("Each file system that may not answer has a reader of its own") struct TerritoriesTests {
    private func territories(_ paths: String...) throws -> Territories {
        Territories([
            TailerInput(
                name: "test", paths: try paths.map { try PathPattern($0) }, exclude: [],
                maxLine: 1024)
        ])
    }

    /// Mount points by the number of what is mounted there.
    private func table(_ mounts: [(Int, String)]) -> MountTable {
        let lines = mounts.map { "60 22 0:\($0.0) / \($0.1) rw - nfs4 server:/a rw\n" }
        return MountTable(text: Array(("22 1 8:1 / / rw - ext4 r rw\n" + lines.joined()).utf8))
    }

    @Test("What no pattern leads into has none, and everything else is the first one's")
    func relevant() throws {
        let territories = try territories("/nowhere/{app}/log/*.log", "/nowhere/one/two/*.log")
        #expect(
            territories.update(
                table([
                    (1, "/nowhere/a"), (2, "/nowhere/b/log"), (3, "/nowhere/c/data"), (4, "/home"),
                    (5, "/nowhere/one/two/three"),
                ])))
        #expect(territories.readers == [1, 2])
        #expect(territories.reader(of: "/nowhere/a/log/x.log") == 1)
        #expect(territories.reader(of: "/nowhere/b/log/x.log") == 2)
        #expect(territories.reader(of: "/nowhere/c/data/x.log") == 0)
        #expect(territories.reader(of: "/nowhere/d/log/x.log") == 0)
        let root = try #require(territories.roots(of: 2).first)
        #expect(root.prefix == "/nowhere" && root.path == Array("b/log".utf8))
        // What it captures on the way stays captured.
        #expect(root.places.first?.places.first?.captured == ["app": "b"])
        // Of what is told of mounts, mostly nothing is about logs.
        #expect(territories.update(table([(1, "/nowhere/a"), (2, "/nowhere/b/log")])))
        #expect(!territories.update(table([(1, "/nowhere/a"), (2, "/nowhere/b/log")])))
    }

    @Test("One that is mounted twice has one reader, so that no file is read twice")
    func shared() throws {
        let territories = try territories("/nowhere/*/*.log")
        _ = territories.update(table([(7, "/nowhere/a"), (7, "/nowhere/b"), (8, "/nowhere/c")]))
        #expect(territories.reader(of: "/nowhere/a/x.log") == 1)
        #expect(territories.reader(of: "/nowhere/b/x.log") == 1)
        #expect(territories.reader(of: "/nowhere/c/x.log") == 2)
        #expect(
            territories.roots(of: 1).map { String(decoding: $0.path, as: UTF8.self) } == ["a", "b"])
    }

    @Test("A prefix that lies on one is its reader's as a whole")
    func prefix() throws {
        let territories = try territories("/nowhere/far/logs/*.log", "/nowhere/near/*.log")
        _ = territories.update(table([(7, "/nowhere/far")]))
        #expect(territories.roots(of: 1).map(\.prefix) == ["/nowhere/far/logs"])
        #expect(territories.roots(of: 1).map(\.path) == [[]])
        #expect(territories.reader(of: "/nowhere/far/logs/x.log") == 1)
        #expect(territories.reader(of: "/nowhere/near/x.log") == 0)
    }

    @Test("A reader whose mount has gone gets another one, unless it hangs there")
    func again() throws {
        let territories = try territories("/nowhere/*/*.log")
        _ = territories.update(table([(1, "/nowhere/a"), (2, "/nowhere/b")]))
        #expect(territories.update(table([(2, "/nowhere/b")])))
        #expect(territories.readers == [2])
        #expect(
            territories.update(table([(2, "/nowhere/b"), (3, "/nowhere/c")]), isFree: { $0 != 1 }))
        #expect(territories.reader(of: "/nowhere/c/x.log") == 3)
        _ = territories.update(table([(3, "/nowhere/c"), (4, "/nowhere/d")]))
        #expect(territories.reader(of: "/nowhere/d/x.log") == 1)
    }

    @Test("Past the bound they are the first one's, and told")
    func bound() throws {
        let territories = try territories("/nowhere/*/*.log")
        var told: [String] = []
        let mounts = (0...Territories.most).map { (100 + $0, "/nowhere/\(100 + $0)") }
        _ = territories.update(table(mounts), tooMany: { told.append($0) })
        #expect(territories.readers == Array(1...Territories.most))
        #expect(told == ["/nowhere/\(100 + Territories.most)"])
        #expect(territories.reader(of: told[0] + "/x.log") == 0)
    }

    @Test("A mount that comes and goes changes who reads what, and each line is read once")
    func handedOver() throws {
        let home = try TemporaryDirectory()
        for name in ["near", "far"] { try home.write("log/\(name)/a.log", "\(name) 1\n") }
        let input = TailerInput(
            name: "test", paths: [try PathPattern(home.path("log/*/*.log"))], exclude: [],
            maxLine: 1024)
        let territories = Territories([input])
        let mounted = table([(7, home.path("log/far"))])
        _ = territories.update(mounted)
        let outputs = [RecordingOutput(), RecordingOutput()]
        let tailers = try outputs.enumerated().map { number, output in
            try Tailer(
                inputs: [input], openFiles: 100, heldBytes: 1 << 30, watches: 100,
                territory: Territory(territories, reader: number), output: { output },
                ended: { _ in })
        }
        defer { for tailer in tailers { tailer.stop() } }
        try eventually("each reads its own") { outputs[0].count == 1 && outputs[1].count == 1 }
        #expect(outputs[1].texts(home.path("log/far/a.log")) == ["far 1"])
        // Behind the mount lies an empty directory, into which something is written later.
        try rename(home.path("log/far"), home.path("away"))
        try home.makeDirectory("log/far")
        _ = territories.update(table([]))
        for tailer in tailers { tailer.redistributed() }
        try home.write("log/far/b.log", "far 2\n")
        try eventually("the first one has it") { outputs[0].count == 2 }
        #expect(outputs[0].texts(home.path("log/far/b.log")) == ["far 2"])
        try rename(home.path("log/far"), home.path("behind"))
        _ = territories.update(mounted)
        try home.write("away/c.log", "far 3\n")
        try rename(home.path("away"), home.path("log/far"))
        for tailer in tailers { tailer.redistributed() }
        try eventually("the other one has it again") {
            outputs[1].texts(home.path("log/far/c.log")) == ["far 3"]
        }
        #expect(outputs[0].count == 2)
    }
}
