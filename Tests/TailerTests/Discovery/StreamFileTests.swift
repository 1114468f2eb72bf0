import Model
import Patterns
import Platform
import TestSupport
import Testing

@testable import Tailer

@Suite("An import looks at files that it has just found") struct StreamFileTests {
    let directory: TemporaryDirectory

    init() throws { directory = try TemporaryDirectory() }

    /// The one file that is there: `text` in `pod/a.log`.
    private func find(_ pod: [UInt8], _ text: String) throws -> (StreamFile, path: [UInt8]) {
        try makeDirectory(named: pod)
        let path = pod + Array("/a.log".utf8)
        try appendBytes(Array(text.utf8), toName: path)
        let input = TailerInput(
            name: "pods", paths: [try PathPattern(directory.path("{pod}/*.log"))], exclude: [],
            maxLine: 1024)
        let found = StreamFiles.now([input], report: { Issue.record("\($0)") })
        #expect(found.map { PathText.bytes(of: $0.path) } == [path])
        return (try #require(found.first), path)
    }

    @Test(
        "What was replaced, removed or moved behind a link meanwhile is that, and no file that cannot be read",
        arguments: [Array("pod".utf8), [0x70, 0xFF, 0x5C, 0x78]] as [[UInt8]])
    func looks(name: [UInt8]) throws {
        let pod = Array(directory.path("").utf8) + name
        let (file, path) = try find(pod, "one\ntwo\n")
        guard case .found(let look) = file.look(before: [4, 8, 9]) else {
            Issue.record("not found: \(file)")
            return
        }
        #expect(look.size == 8 && !look.isPacked && look.head == Array("one\ntwo\n".utf8))
        #expect(look.before == [4: Array("one\n".utf8), 8: Array("one\ntwo\n".utf8)])

        let aside = Array(directory.path("aside").utf8)
        try rename(named: path, to: aside)
        #expect(isMissing(file.look(before: [])))
        try appendBytes(Array("one\ntwo\n".utf8), toName: path)
        guard case .other = file.look(before: []) else {
            Issue.record("another file is taken for it")
            return
        }
        try rename(named: aside, to: path)
        let behind = Array(directory.path("behind").utf8)
        try rename(named: pod, to: behind)
        #expect(isMissing(file.look(before: [])))
        try makeLink(named: pod, to: behind)
        #expect(isMissing(file.look(before: [])))
        try remove(named: pod)
        try rename(named: behind, to: pod)
        guard case .found = file.look(before: []) else {
            Issue.record("not found where it is again")
            return
        }
    }

    private func isMissing(_ look: PlaceLook<StreamFile.Excerpt>) -> Bool {
        if case .missing = look { true } else { false }
    }
}
