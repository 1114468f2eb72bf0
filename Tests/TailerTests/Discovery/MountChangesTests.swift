import Patterns
import Platform
import TestSupport
import Testing

@testable import Tailer

@Suite("A mount that comes or goes has what patterns lead to there looked at, and nothing else")
struct MountChangesTests {
    private func table(_ mounts: String...) -> MountTable {
        let lines = mounts.map { "60 22 0:\($0) rw - tmpfs t rw\n" }
        return MountTable(text: Array(("22 1 8:1 / / rw - ext4 r rw\n" + lines.joined()).utf8))
    }

    /// What is told when one table comes after another, for a pattern with this prefix.
    private func told(_ earlier: MountTable?, _ later: MountTable) throws -> MountChanges {
        let territories = Territories([
            TailerInput(
                name: "test", paths: [try PathPattern("/nowhere/logs/*/*.log")], exclude: [],
                maxLine: 1024)
        ])
        if let earlier { _ = territories.update(earlier) }
        var told = MountChanges()
        _ = territories.update(later, changed: { told = $0 })
        return told
    }

    private func places(_ paths: String...) -> MountChanges {
        MountChanges(paths.map { Array($0.utf8) })
    }

    @Test("Told are those above a prefix and beneath it that are another thing than before")
    func told() throws {
        let some = table("5 / /nowhere/logs/a", "6 / /home")
        #expect(try told(nil, some).isEmpty)
        #expect(try told(some, some).isEmpty)
        #expect(try told(table(), some) == places("/nowhere/logs/a"))
        #expect(try told(some, table()) == places("/nowhere/logs/a"))
        // The same place, another volume, another directory of it, or one volume over the other.
        for other in ["7 /", "5 /sub"] {
            let later = table("\(other) /nowhere/logs/a", "6 / /home")
            #expect(try told(some, later) == places("/nowhere/logs/a"))
        }
        let covered = table("5 / /nowhere/logs/a", "6 / /home", "5 / /nowhere/logs/a")
        #expect(try told(some, covered) == places("/nowhere/logs/a"))
        let above = table("5 / /nowhere/logs/a", "6 / /home", "7 / /nowhere", "8 / /nowhere/logsx")
        #expect(try told(some, above) == places("/nowhere"))
    }

    @Test("What is beneath a place is looked at with it, and once")
    func outermost() throws {
        let changes = places("/a", "/a/b", "/a/b/c", "/a-b", "/d/e", "/d/e-f")
        let paths = changes.outermost.map { String(decoding: $0, as: UTF8.self) }
        #expect(paths.sorted() == ["/a", "/a-b", "/d/e", "/d/e-f"])
        #expect(MountChanges([[], Array("/a".utf8)]).outermost == [[]])
    }

    @Test(
        "Scanned are the directories at the place and beneath it; of what is none, the one that it is in",
        arguments: [
            (["logs/a"], ["a", "x", "y"]), (["logs/a/x"], ["x"]), (["logs/a/app.log"], ["a"]),
            (["logs/new"], ["logs"]), (["logs/new/deep"], []),
            (["logs/a/x", "logs/b"], ["b", "x"]),
            (["logs"], ["a", "b", "logs", "x", "y"]), (["log"], []), (["logsx"], []), ([], []),
        ])
    func scanned(at places: [String], expected: [String]) throws {
        let bench = try Bench()
        let at = places.map { Array(bench.home.path($0).utf8) }
        #expect(bench.scanned(for: MountChanges(at)) == expected)
        #expect(bench.scanned(for: MountChanges()) == [])
    }

    @Test("The root of all is above everything")
    func root() throws {
        #expect(try Bench().scanned(for: MountChanges([[]])) == ["a", "b", "logs", "x", "y"])
    }

    @Test("More than a reader keeps: all that it has is looked at")
    func bound() throws {
        var changes = MountChanges()
        for number in 0..<MountChanges.most { changes.add(places("/elsewhere/\(number)")) }
        let bench = try Bench()
        #expect(bench.scanned(for: changes) == [])
        changes.add(places("/elsewhere/one more"))
        #expect(changes.isAll && changes.places.isEmpty)
        changes.add(places("/elsewhere/another"))
        #expect(changes.places.isEmpty)
        #expect(bench.scanned(for: changes) == ["a", "b", "logs", "x", "y"])
    }

    private final class Bench {
        let home: TemporaryDirectory
        let tree: DirectoryTree

        init() throws {
            home = try TemporaryDirectory()
            for name in ["a/x", "a/y", "b"] { try home.makeDirectory("logs/\(name)") }
            let intervals = TailerIntervals()
            tree = DirectoryTree(
                inputs: [
                    TailerInput(
                        name: "in", paths: [try PathPattern(home.path("logs/**/*.log"))],
                        exclude: [], maxLine: 1024)
                ], intervals: intervals,
                watches: Watches(limit: 100, intervals: intervals, report: { _ in }),
                report: { _ in })
            _ = scan()
        }

        /// All that waits to be scanned, by the clock's kind of scan.
        private func scan() -> [String] {
            var scanned: [String] = []
            let handlers = DirectoryTree.Handlers(
                look: { _, _, _ in true },
                ended: {
                    if $0.isByClock {
                        scanned.append(String($0.node.text.split(separator: "/").last ?? ""))
                    }
                })
            var slice = Slice.endless
            while tree.scanSome(&slice, handlers) {}
            return scanned.sorted()
        }

        /// So late that none of them rests.
        func scanned(for changes: MountChanges) -> [String] {
            tree.remounted(changes, .never)
            return scan()
        }
    }
}
