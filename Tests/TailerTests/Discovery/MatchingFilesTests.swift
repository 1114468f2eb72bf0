import Patterns
import Platform
import TestSupport
import Testing

@testable import Tailer

@Suite("Files that match at one moment") struct MatchingFilesTests {
    let directory: TemporaryDirectory

    init() throws { directory = try TemporaryDirectory() }

    private func now(
        _ inputs: (paths: [String], exclude: [String])...
    ) throws -> (files: [String], events: [String]) {
        var events: [String] = []
        let files = MatchingFiles.now(
            try inputs.map {
                TailerInput(
                    name: "i", paths: try $0.paths.map { try PathPattern(directory.path($0)) },
                    exclude: try $0.exclude.map { try PathGlob($0) }, maxLine: 1)
            }
        ) { events.append("\($0)") }
        let prefix = directory.path.utf8.count + 1
        return (files.map { "\($0.input) \($0.path.dropFirst(prefix))" }, events)
    }

    @Test("Captures, globs and ** find regular files, in the order of inputs and paths")
    func found() throws {
        for name in ["l/b/current", "l/a/current", "l/a/x/y/z.log", "l/z.log", "l/q.txt"] {
            try directory.write(name, "")
        }
        let (files, events) = try now(
            (["l/**/z.log"], []), (["l/{app}/current", "l/*.txt"], []), (["none/x/*"], []))
        #expect(
            files == [
                "0 l/a/x/y/z.log", "0 l/z.log", "1 l/a/current", "1 l/b/current", "1 l/q.txt",
            ])
        #expect(events.isEmpty)
    }

    @Test("A file belongs to the first input that matches; an exclusion leaves it to the next")
    func first() throws {
        for name in ["a.log", "b.log"] { try directory.write("l/\(name)", "") }
        let (files, _) = try now((["l/*.log"], ["b.*"]), (["l/*"], []))
        #expect(files == ["0 l/a.log", "1 l/b.log"])
    }

    @Test("An exclusion that names a directory leaves out nothing there, and is told once")
    func excludedDirectory() throws {
        for name in ["l/old/a.log", "l/x/old/b.log", "l/x/old.log"] {
            try directory.write(name, "")
        }
        let (files, events) = try now((["l/**/*"], ["old", "old/**/*", "x*", "old.log"]))
        #expect(files == [])
        #expect(
            events == [
                "excludedDirectory(path: \"\(directory.path("l/old"))\", exclusion: \"old\")"
            ])
    }

    @Test("A path that two patterns match is there once, whatever their fixed prefixes are")
    func once() throws {
        try directory.write("l/a/b.log", "")
        #expect(try now((["l/a/*.log", "l/a/b.*"], [])).files == ["0 l/a/b.log"])
        #expect(try now((["l/**/*.log", "l/a/b.log"], [])).files == ["0 l/a/b.log"])
        #expect(try now((["l/a/b.log"], []), (["l/*/*.log"], [])).files == ["0 l/a/b.log"])
        #expect(try now((["l/*/*.log"], []), (["l/a/b.log"], [])).files == ["0 l/a/b.log"])
    }

    @Test("Links, FIFOs and directories are not files, and no link leads further down")
    func others() throws {
        try directory.write("elsewhere/a.log", "")
        try directory.makeDirectory("l/directory.log")
        try makeLink(directory.path("l/link.log"), to: directory.path("elsewhere/a.log"))
        try makeLink(directory.path("l/down"), to: directory.path("elsewhere"))
        try makeFIFO(directory.path("l/fifo.log"))
        #expect(try now((["l/*.log", "l/*/a.log"], [])).files.isEmpty)
    }
}
