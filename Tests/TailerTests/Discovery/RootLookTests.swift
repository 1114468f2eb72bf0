import Model
import Patterns
import Platform
import TestSupport
import Testing

@testable import Tailer

@Suite("Where a prefix leads is looked at again") struct RootLookTests {
    let directory: TemporaryDirectory
    let output = RecordingOutput()

    init() throws { directory = try TemporaryDirectory() }

    private func start(_ pattern: String) throws -> Tailer {
        // No scan by the clock helps.
        try startTailer(output, [directory.path(pattern)]) { $0.watchedScan = .max / 4 }
    }

    private func expect(_ lines: [String]) throws {
        try eventually("\(lines)") { output.texts().count >= lines.count }
        #expect(output.texts() == lines)
    }

    @Test("a link on the way to a log leads elsewhere: what is there is read")
    func link() throws {
        try directory.write("releases/1/log/app.log", "one\n")
        try directory.write("releases/2/log/app.log", "two\n")
        try makeLink(directory.path("current"), to: "releases/1")
        let tailer = try start("current/log/*.log")
        defer { tailer.stop() }
        try expect(["one"])
        try makeLink(directory.path("next"), to: "releases/2")
        try rename(directory.path("next"), directory.path("current"))
        try expect(["one", "two"])
    }

    @Test("a directory above was renamed, and another one made: its logs are read")
    func above() throws {
        try directory.write("app/log/app.log", "one\n")
        let tailer = try start("app/log/*.log")
        defer { tailer.stop() }
        try expect(["one"])
        try rename(directory.path("app"), directory.path("old"))
        try directory.write("app/log/app.log", "two\n")
        try expect(["one", "two"])
        try rename(directory.path("app"), directory.path("other"))
        try rename(directory.path("old"), directory.path("app"))
        try directory.append("app/log/app.log", "three\n")
        try expect(["one", "two", "three"])
    }

    @Test("of many prefixes some are looked at at a time, and each once as much has moved")
    func turns() throws {
        let nodes = try (0..<RootLook.most + 100).map { number in
            try directory.makeDirectory("d\(number)")
            let text = directory.path("d\(number)")
            return DirectoryNode(root: number, prefix: text, path: [], text: text, places: [])
        }
        var look = RootLook(due: .zero)
        let intervals = TailerIntervals()
        var now = MonotonicTime.zero
        var moved: [String] = []
        for _ in 0..<2 {
            moved += look.moved(among: nodes, now, intervals).map(\.text)
            #expect(look.moved(among: nodes, now, intervals).isEmpty)
            now = look.due
        }
        // The second time some are looked at again, and have not moved.
        #expect(moved.count == nodes.count && Set(moved).count == nodes.count)
        #expect(look.moved(among: nodes, now, intervals).isEmpty)
        #expect(look.moved(among: [], look.due, intervals).isEmpty && look.due == .never)
    }

    @Test("one that was gone and is back is told, and one on another device waits for its scan")
    func elsewhere() throws {
        try directory.makeDirectory("d")
        let text = directory.path("d")
        let node = DirectoryNode(root: 0, prefix: text, path: [], text: text, places: [])
        let status = try FileStatus.glance(at: Array(text.utf8))
        node.inode = InodeKey(status)
        var look = RootLook(due: .zero)
        let intervals = TailerIntervals()
        func moved() -> Int { look.moved(among: [node], look.due, intervals).count }
        #expect(moved() == 0)
        try rename(text, text + "2")
        #expect(moved() == 1)
        #expect(moved() == 0)
        try directory.makeDirectory("e")
        try rename(directory.path("e"), text)
        #expect(moved() == 1)
        node.inode = InodeKey(device: status.device + 1, inode: status.inode)
        node.leadsTo = nil
        #expect(moved() == 0)
    }

    @Test("where another reader has the file system, which may hang, nothing is touched")
    func territory() throws {
        let inputs = [
            TailerInput(
                name: "in",
                paths: [
                    try PathPattern("/nowhere/far/logs/*.log"),
                    try PathPattern(directory.path("*.log")),
                ], exclude: [], maxLine: 1024)
        ]
        let territories = Territories(inputs)
        let table =
            "22 1 8:1 / / rw - ext4 r rw\n60 22 0:7 / /nowhere/far rw - nfs4 server:/a rw\n"
        _ = territories.update(MountTable(text: Array(table.utf8)))
        let intervals = TailerIntervals()
        let tree = DirectoryTree(
            inputs: inputs, intervals: intervals,
            watches: Watches(limit: 10, intervals: intervals, report: { _ in }),
            territory: Territory(territories, reader: 0), report: { _ in })
        var touched: [String] = []
        tree.touches = { touched.append($0.text) }
        tree.advance(MonotonicTime.now())
        #expect(tree.roots.count == 2)
        #expect(touched == [directory.path])
    }
}
