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
        let nodes = try (0..<100).map { number in
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
        #expect(Set(moved).count == 100)
        // Nothing has moved since, whatever was listed.
        for _ in 0..<2 {
            #expect(look.moved(among: nodes, now, intervals).isEmpty)
            now = look.due
        }
    }
}
