import Glibc
import Model
import Patterns
import Platform
import Synchronization
import TestSupport
import Testing

@testable import Tailer

/// The stock layout: `containers` holds links to files in `pods`, which may be links to files in
/// `docker`.
@Suite("Followed links") struct LinkTests {
    let directory: TemporaryDirectory
    let output = RecordingOutput()

    init() throws {
        directory = try TemporaryDirectory()
        try directory.makeDirectory("containers")
    }

    private func start(
        _ paths: [String] = ["containers/*.log"], roots: [String] = ["pods", "docker"],
        exclude: [String] = [], once: Bool = false,
        _ change: (inout TailerIntervals) -> Void = { _ in }
    ) throws -> Tailer {
        try startTailer(
            output, paths.map { directory.path($0) }, exclude: exclude, once: once,
            linkRoots: roots.map { directory.path($0) }, change)
    }

    private func link(_ name: String, to target: String) throws {
        try makeLink(directory.path(name), to: directory.path(target))
    }

    private func expect(
        _ lines: [String], of stream: String? = nil,
        sourceLocation: SourceLocation = #_sourceLocation
    ) throws {
        try eventually("\(lines)") {
            output.texts(stream.map { directory.path($0) }).count >= lines.count
        }
        #expect(
            output.texts(stream.map { directory.path($0) }) == lines, sourceLocation: sourceLocation
        )
    }

    private var told: [String] {
        output.state.withLock { state in
            state.events.compactMap { event in
                switch event {
                case .linkNotFollowed(let path, let reason):
                    "\(path) not followed: \(reason)"
                case .linkDangles(let path, let target): "\(path) dangles: \(target)"
                case .linkLeads(let path, let target): "\(path) leads: \(target)"
                default: nil
                }
            }.map { $0.replacing(directory.path + "/", with: "") }
        }
    }

    /// The path and captures of each file's last sighting are the stream's link, which is the one of
    /// fewest steps, whatever is listed first.
    @Test(
        "F6: a link to a link to a file is that file, which is read once, whatever else leads to it"
    )
    func chain() throws {
        try directory.write("docker/id/id-json.log", "one\n")
        try directory.makeDirectory("pods/a_b_c/x")
        try link("pods/a_b_c/x/0.log", to: "docker/id/id-json.log")
        try link("containers/a.log", to: "pods/a_b_c/x/0.log")
        try makeLink(directory.path("containers/b.log"), to: "../pods/a_b_c/x/0.log")
        try link("containers/c.log", to: "docker/id/id-json.log")
        let tailer = try start()
        defer { tailer.stop() }
        try expect(["one"], of: "docker/id/id-json.log")
        try directory.append("docker/id/id-json.log", "two\n")
        try expect(["one", "two"], of: "docker/id/id-json.log")
        #expect(output.count == 2)
        #expect(
            output.state.withLock { $0.links.values.first } == directory.path("containers/c.log"))
    }

    @Test("F6: two pods whose names are two spellings of one: each has its own log, and all of it")
    func spellings() throws {
        for (name, pod) in [("a", "\u{E9}"), ("b", "e\u{301}")] {
            try directory.write("pods/\(pod)/0.log", "\(name)\n")
            try link("containers/\(name).log", to: "pods/\(pod)/0.log")
        }
        let tailer = try start()
        defer { tailer.stop() }
        try eventually("both are read") { output.count >= 2 }
        #expect(output.texts().sorted() == ["a", "b"])
    }

    @Test("F6: what a pattern leads to by itself is that pattern's, in whatever order they stand")
    func direct() throws {
        try directory.write("pods/x/0.log", "one\n")
        try directory.write("pods/y/0.txt", "two\n")
        try link("containers/x.log", to: "pods/x/0.log")
        try link("containers/y.log", to: "pods/y/0.txt")
        let tailer = try start(["containers/*.log", "pods/*/*.log"])
        defer { tailer.stop() }
        try expect(["one", "two"])
        #expect(
            output.state.withLock { $0.links }
                == [directory.path("pods/y/0.txt"): directory.path("containers/y.log")])
    }

    @Test("F6: kubelet rotates where a link leads: nothing is lost, nothing comes twice")
    func rotation() throws {
        try directory.write("pods/x/0.log", "one\n")
        try link("containers/x.log", to: "pods/x/0.log")
        var tailer = try start()
        try expect(["one"])
        func rotate(_ round: Int) throws {
            try directory.append("pods/x/0.log", "old \(round)\n")
            try rename(
                directory.path("pods/x/0.log"),
                directory.path("pods/x/0.log.20260101-00000\(round)"))
            try directory.write("pods/x/0.log", "new \(round)\n")
        }
        try rotate(0)
        try expect(["one", "old 0", "new 0"])
        tailer.stop()
        try rotate(1)
        tailer = try start()
        try expect(["one", "old 0", "new 0", "old 1", "new 1"], of: "pods/x/0.log")
        tailer.stop()
    }

    @Test(
        "F6: a link leads to a container's next log: the rest of the first is read",
        arguments: [false, true])
    func pointedElsewhere(whileStopped: Bool) throws {
        try directory.write("pods/x/0.log", "one\n")
        try link("containers/x.log", to: "pods/x/0.log")
        var tailer = try start()
        defer { tailer.stop() }
        try expect(["one"])
        if whileStopped { tailer.stop() }
        try directory.append("pods/x/0.log", "two\n")
        try directory.write("pods/x/1.log", "three\n")
        try link("new", to: "pods/x/1.log")
        try rename(directory.path("new"), directory.path("containers/x.log"))
        if whileStopped { tailer = try start() }
        try expect(["one", "two"], of: "pods/x/0.log")
        try expect(["three"], of: "pods/x/1.log")
    }

    @Test("F6: a link and its target go while lines are unread: they are read, and all is let go")
    func removed() throws {
        try directory.write("pods/x/0.log", "one\n")
        try directory.write("pods/y/0.log", "two\n")
        for name in ["x", "y"] { try link("containers/\(name).log", to: "pods/\(name)/0.log") }
        let tailer = try start {
            $0.drain = 0; $0.watchedScan = 100_000_000
        }
        defer { tailer.stop() }
        try expect(["one", "two"])
        let before = tailer.figures.directories
        output.state.withLock { $0.hasRoom = false }
        try directory.append("pods/x/0.log", "rest\n")
        try directory.append("pods/y/0.log", "rest\n")
        try eventually("it is seen") { tailer.figures.unreadBytes == 10 }
        try remove(directory.path("containers/x.log"))
        try remove(directory.path("containers/y.log"))
        try remove(directory.path("pods/y/0.log"))
        try remove(directory.path("pods/y"))
        output.state.withLock { $0.hasRoom = true }
        tailer.wake()
        try expect(["one", "rest"], of: "pods/x/0.log")
        try expect(["two", "rest"], of: "pods/y/0.log")
        try eventually("both have ended") { output.state.withLock { $0.ended.count == 2 } }
        try eventually("their directories are let go; before \(before)") {
            tailer.figures.directories == 1
        }
    }

    @Test("F6: a link that comes before its target, a loop, and what is no file: told once, each")
    func toldOnce() throws {
        try directory.write("secret/x.log", "secret\n")
        try directory.makeDirectory("pods/d.log")
        try link("containers/late.log", to: "pods/late/0.log")
        try link("containers/loop.log", to: "pods/loop.log")
        try link("pods/loop.log", to: "containers/loop.log")
        try link("containers/self.log", to: "containers/self.log")
        try link("containers/secret.log", to: "secret/x.log")
        try link("containers/up.log", to: "pods/../secret/x.log")
        try link("containers/dir.log", to: "pods/d.log")
        try link("pods/way", to: "secret")
        try link("containers/way.log", to: "pods/way/x.log")
        try link("containers/left.log", to: "pods/left.log")
        try directory.write("pods/left.log", "left\n")
        let tailer = try start(
            roots: ["pods", "containers"], exclude: ["**/pods/left.log"])
        defer { tailer.stop() }
        let outside = "beneath none of follow_symlinks"
        let expected = [
            "containers/dir.log not followed: it leads to pods/d.log, which is a directory",
            "containers/late.log dangles: pods/late/0.log",
            "containers/left.log not followed: it leads to pods/left.log, which exclude "
                + "**/pods/left.log leaves out",
            "containers/secret.log not followed: it leads to secret/x.log, \(outside)",
            "containers/self.log not followed: it is one of a loop of links",
            "containers/up.log not followed: it leads to pods/../secret/x.log, \(outside)",
            "containers/way.log dangles: pods/way/x.log",
            "pods/loop.log not followed: it is one of a loop of links",
        ]
        try eventually("all is told: \(told)") { told.count >= expected.count }
        #expect(told.sorted() == expected)
        try directory.write("pods/late/0.log", "late\n")
        try expect(["late"])
        try eventually("that is told") { told.count > expected.count }
        #expect(told.last == "containers/late.log leads: pods/late/0.log")
    }

    @Test("A chain of nine links is not followed, and one of eight is")
    func depth() throws {
        try directory.write("pods/0.log", "one\n")
        try directory.makeDirectory("docker")
        for number in 1...8 {
            try link("pods/\(number).log", to: "pods/\(number - 1).log")
            let last = number == 1 ? "pods/0.log" : "docker/\(number - 1).log"
            if number < 8 { try link("docker/\(number).log", to: last) }
        }
        try link("containers/long.log", to: "pods/8.log")
        try link("containers/short.log", to: "docker/7.log")
        let tailer = try start()
        defer { tailer.stop() }
        try expect(["one"])
        try eventually("the other is told") { !told.isEmpty }
        #expect(
            told == ["pods/1.log not followed: it is the end of a chain of more than 8 links"])
    }

    @Test("With --once what links lead to is read, and one that dangles holds nothing up")
    func once() throws {
        try directory.write("pods/x/0.log", "one\n")
        try link("containers/x.log", to: "pods/x/0.log")
        try link("containers/y.log", to: "pods/y/0.log")
        let tailer = try start(once: true)
        try expect(["one"])
        tailer.stop()
        #expect(told == ["containers/y.log dangles: pods/y/0.log"])
    }

    @Test("A link to `current` is an s6 log, with its archives")
    func s6() throws {
        try directory.write("pods/x/@4000000065e07a152f072f40.s", "zero\n")
        try directory.write("pods/x/current", "one\n")
        try link("containers/x.log", to: "pods/x/current")
        let tailer = try start()
        defer { tailer.stop() }
        try expect(["zero", "one"], of: "pods/x")
    }

    @Test("X2, F6: a link that is swapped for one to a secret all the time: never a byte of that")
    func swapped() throws {
        try directory.write("secret/x.log", "secret\n")
        try directory.write("secret/0.log", "secret\n")
        try directory.write("pods/x/0.log", "own\n")
        let (here, away) = (directory.path("pods/x"), directory.path("pods/away"))
        try link("containers/x.log", to: "pods/x/0.log")
        try directory.write("pods/y/0.log", "other 0\n")
        try link("containers/y.log", to: "pods/y/0.log")
        let tailer = try start()
        defer { tailer.stop() }
        try expect(["own", "other 0"])
        for round in 1...300 {
            // The link itself, the file where it leads, and the directory of that.
            try link("new", to: "secret/x.log")
            try rename(directory.path("new"), directory.path("containers/x.log"))
            try link("new", to: "pods/x/0.log")
            try rename(directory.path("new"), directory.path("containers/x.log"))
            try rename("\(here)/0.log", "\(here)/kept")
            try link("pods/x/0.log", to: "secret/x.log")
            try remove("\(here)/0.log")
            try rename("\(here)/kept", "\(here)/0.log")
            try rename(here, away)
            try link("pods/x", to: "secret")
            try remove(here)
            try rename(away, here)
            if round % 100 == 0 {
                try directory.append("pods/y/0.log", "other \(round)\n")
                try eventually("the other goes on") {
                    output.texts(directory.path("pods/y/0.log")).last == "other \(round)"
                }
            }
        }
        try directory.append("pods/x/0.log", "at last\n")
        try eventually("it is read on") { output.texts().contains("at last") }
        #expect(!output.texts().contains("secret"))
        #expect(output.texts(directory.path("pods/x/0.log")) == ["own", "at last"])
    }
}
