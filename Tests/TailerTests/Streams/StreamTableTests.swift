import Model
import Platform
import Synchronization
import TestSupport
import Testing

@testable import Tailer

@Suite("A look at an s6 log directory")
struct StreamTableTests {
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
        let opened = stream.files.map { String(decoding: $0.name ?? [], as: UTF8.self) }
        #expect(opened == [archive, "current"])
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

    private func names() throws -> DirectoryNames {
        DirectoryNames(try Descriptor.open(home.path("log"), O.directory).entries())
    }

    private func look(_ names: DirectoryNames) throws -> StreamTable.Verdict {
        let directory = try Descriptor.open(home.path("log"), O.directory)
        let match = DirectoryTree.Match(
            name: S6Name.current, kind: .regular, input: 0, captures: [:])
        let look = DirectoryTree.Look(
            node: node, device: try directory.status().device, names: names, matches: [match])
        return table.look(look, directory, 0)
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
