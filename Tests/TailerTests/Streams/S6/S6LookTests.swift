import Model
import Platform
import Synchronization
import TestSupport
import Testing

@testable import Tailer

@Suite("A look at an s6 log directory", .overBases)
struct S6LookTests {
    private let home: TemporaryDirectory
    private let output = RecordingOutput()
    private let table: StreamTable
    private let node: DirectoryNode
    private let archive = "@400000006b03bb0027d04f81.s"

    init() throws {
        home = try TemporaryDirectory()
        let opener = FileOpener(output: output, mostOpen: 10, once: false)
        opener.isFirstScan = false
        table = StreamTable(output: output, opener: opener)
        node = DirectoryNode(root: 0, path: [], text: home.path("log"), places: [])
        try home.write("log/current", "newer\n")
    }

    /// 1. A listing showed `previous` and `current`.
    /// 2. s6-log gave `previous` its archive's name before it was opened.
    /// 3. It was reported as removed unread, and taken up after `current`, by the next look.
    @Test("previous that becomes an archive under the look is neither missed nor overtaken")
    func renamedUnderTheLook() throws {
        _ = try look(try names())
        try home.write("log/previous", "older\n")
        let stale = try names()
        try rename(home.path("log/previous"), home.path("log/\(archive)"))
        guard case .fine = try look(stale) else {
            Issue.record("it was not found under its new name")
            return
        }
        let stream = try #require(node.streams[S6Name.current])
        #expect(opened(stream) == [archive, "current"])
        #expect(missed().isEmpty)
    }

    @Test("previous that is removed under the look is reported as missed")
    func removedUnderTheLook() throws {
        _ = try look(try names())
        try home.write("log/previous", "older\n")
        let stale = try names()
        try remove(home.path("log/previous"))
        guard case .again = try look(stale) else {
            Issue.record("a directory that changed is looked at again")
            return
        }
        #expect(missed() == [home.path("log/previous")])
    }

    /// 1. A directory is listed. Before that is looked through, s6-log rotates `current`, and the event
    ///    of the archive is read.
    /// 2. The listing does not have it: told as missed, it would be counted as lost though it was open.
    @Test("an archive that comes between the listing and the look is not missed")
    func archivedAfterTheListing() throws {
        _ = try look(try names())
        let stale = try names()
        try rename(home.path("log/current"), home.path("log/\(archive)"))
        try home.write("log/current", "newest\n")
        node.appeared.add(Array(archive.utf8))
        _ = try look(stale)
        #expect(missed().isEmpty)
        _ = try look(try names())
        let stream = try #require(node.streams[S6Name.current])
        #expect(opened(stream) == [archive, "current"])
        #expect(missed().isEmpty)
    }

    @Test("more archives between two looks than are remembered are told of, once")
    func forgottenArchives() throws {
        _ = try look(try names())
        for number in 0..<65_539 {
            let digits = String(number, radix: 16)
            let zeros = String(repeating: "0", count: 14 - digits.count)
            node.appeared.add(Array("@4000000067\(zeros)\(digits).s".utf8))
        }
        _ = try look(try names())
        _ = try look(try names())
        #expect(missed().count == 65_536)
        let forgotten = output.state.withLock { state in
            state.events.compactMap { event -> String? in
                guard case .archivesForgotten(let path, let count) = event else { return nil }
                return "\(path) \(count)"
            }
        }
        #expect(forgotten == ["\(home.path("log")) 3"])
    }

    /// What is newer waits for the next look as long as it is `.again`.
    @Test("previous that a disk goes on listing, and that is not there, is looked for eight times")
    func listedForEver() throws {
        _ = try look(try names())
        try home.write("log/previous", "older\n")
        let stale = try names()
        try remove(home.path("log/previous"))
        var looks = 0
        while case .again = try look(stale), looks < 100 { looks += 1 }
        #expect(looks == 8)
        #expect(missed() == [home.path("log/previous")])
        // Another one of that name is looked for anew.
        try home.write("log/previous", "newer than that\n")
        _ = try look(try names())
        let stream = try #require(node.streams[S6Name.current])
        #expect(stream.files.contains { $0.name == S6Name.previous })
        #expect(stream.missingPrevious == nil)
    }

    /// 1. A listing shows `previous` alone: s6-log is about to make the next file.
    /// 2. A processor makes an archive of it, and it is removed. The next file gets its inode number.
    /// 3. That one is rotated, too, and read before the archive.
    @Test("what has the name and the number of previous by now is read when its turn comes")
    func numberGivenAgain() throws {
        try home.write("log/previous", "newer\n")
        try home.write("log/\(archive)", "older\n")
        let previous = try entry("previous")
        guard case .again = try look(DirectoryNames([previous])) else {
            Issue.record("what is newer than the listing is looked for again")
            return
        }
        let stream = try #require(node.streams[S6Name.current])
        #expect(opened(stream) == [archive, "previous"])
        _ = try look(try names())
        #expect(opened(stream) == [archive, "previous", "current"])
    }

    /// 1. `current` is read, and the `previous` that a listing shows beside it could not be until now.
    /// 2. The latter is an archive, and the former, and a later file has the number of the latter.
    @Test("what has the name and the number of previous by now does not come before what is read")
    func numberGivenAgainLater() throws {
        _ = try look(try names())
        let current = try entry("current")
        let next = "@400000006b03bb0027d04f82.s"
        try rename(home.path("log/current"), home.path("log/\(next)"))
        try home.write("log/\(archive)", "older\n")
        try home.write("log/previous", "newest\n")
        _ = try look(DirectoryNames([current, try entry("previous")]))
        let stream = try #require(node.streams[S6Name.current])
        #expect(opened(stream) == [archive, next, "previous"])
    }

    /// 1. s6-log removes `previous`, of which a processor has made `processed`.
    /// 2. The agent starts, and lists the directory: what is newer would be read first.
    @Test("what is newer waits until what a processor made has an archive's name")
    func processedFirst() throws {
        try home.write("log/processed", "older\n")
        try home.write("log/state", "")
        guard case .again = try look(try names()) else {
            Issue.record("it was not waited for")
            return
        }
        let stream = try #require(node.streams[S6Name.current])
        #expect(stream.files.isEmpty)
        try rename(home.path("log/processed"), home.path("log/\(archive)"))
        _ = try look(try names())
        #expect(opened(stream) == [archive, "current"])
    }

    @Test("what a processor never finishes holds up what is newer for five seconds")
    func processedForEver() throws {
        try home.write("log/processed", "older\n")
        try home.write("log/state", "")
        _ = try look(try names(), 1)
        _ = try look(try names(), 4_999_999_999)
        let stream = try #require(node.streams[S6Name.current])
        #expect(stream.files.isEmpty)
        _ = try look(try names(), 5_000_000_001)
        #expect(stream.files.count == 1)
    }

    /// 1. A listing is read. It has gone beyond where the archive will be, and s6-log renames `processed`.
    /// 2. It shows neither.
    /// 3. The file that was read was forgotten, and its archive shipped as a new one.
    @Test("a file whose archive no listing shows yet is not forgotten")
    func betweenTwoNames() throws {
        node.watchNumber = 1
        try home.write("log/state", "")
        _ = try look(try names())
        let stream = try #require(node.streams[S6Name.current])
        try remove(home.path("log/current"))
        try home.write("log/current", "newest\n")
        try home.write("log/newstate", "")
        try rename(home.path("log/newstate"), home.path("log/state"))
        guard case .again = try look(try names()) else {
            Issue.record("its archive was not looked for")
            return
        }
        try home.write("log/\(archive)", "in other words\n")
        try home.write("log/newstate", "")
        try rename(home.path("log/newstate"), home.path("log/state"))
        guard case .again = try look(try names()) else {
            Issue.record("its event was not waited for")
            return
        }
        node.appeared.add(Array(archive.utf8))
        _ = try look(try names())
        #expect(
            stream.processing.archives.keys.map { String(decoding: $0, as: UTF8.self) } == [archive]
        )
        #expect(output.state.withLock { $0.files.count } == 2)
    }

    private func opened(_ stream: LogStream) -> [String] {
        stream.files.map { String(decoding: $0.name ?? [], as: UTF8.self) }
    }

    private func entry(_ name: String) throws -> DirectoryEntry {
        try #require(try names().entries.first { $0.name == Array(name.utf8) })
    }

    /// As a scan lists it.
    private func names() throws -> DirectoryNames {
        _ = node.appeared.takeNames()
        return DirectoryNames(try Descriptor.open(home.path("log"), O.directory).entries())
    }

    private func look(
        _ names: DirectoryNames, _ now: MonotonicTime = 0
    ) throws -> LookEnd {
        let look = try DirectoryLook(
            node, names, matches: [S6Name.current],
            watching: node.watchNumber > 0 ? node.watchNumber : nil, now: now)
        return table.look(look)
    }

    private func missed() -> [String] {
        output.state.withLock { state in
            state.events.compactMap { event in
                if case .missed(let path) = event { return path }
                return nil
            }
        }
    }
}
