import Model
import Platform
import Registry
import TestSupport
import Testing

@testable import Shipper
@testable import Tailer

@Suite("Of which file a compressed one may have been made") struct FileOriginsTests {
    private static let head = Array(String(repeating: "banner ", count: 100).utf8)

    private func entry(
        _ number: Int, _ path: String, stream: String? = nil, head: [UInt8] = head, read: Int = 700,
        updated: Int = 0
    ) -> FileEntry {
        FileEntry(
            file: FileID(number: number), input: "pods", stream: stream ?? path, path: path,
            identity: FileIdentity(handle: nil, device: 1, inode: UInt64(number), birth: nil),
            fingerprint: .of(head: head), generation: GenerationID(value: 1), generationCount: 0,
            base: .none, offset: Base.none.logical(PhysicalOffset(read)), anchor: .none,
            size: PhysicalOffset(read), state: .active,
            updated: Timestamp(milliseconds: Int64(updated)))
    }

    private func sighting(
        _ path: String, stream: String? = nil, head: [UInt8] = head, hasKnownSize: Bool = false
    ) -> FileSighting {
        FileSighting(
            input: 0, stream: StreamID(number: 1), streamName: stream ?? path, isS6: false,
            path: path, captures: [:],
            identity: FileIdentity(handle: nil, device: 1, inode: 99, birth: nil), head: head,
            begin: head, size: PhysicalOffset(head.count), hasKnownSize: hasKnownSize,
            archived: false, firstScan: false)
    }

    private func origins(
        _ sighting: FileSighting, _ known: [FileEntry], departed: [FileEntry] = []
    ) -> [Int] {
        FileOrigins(of: sighting, known, departed: departed).origins.map(\.entry.file.number)
    }

    @Test("One whose name its begins with comes first, then one beside it, then the latest")
    func order() {
        let known = [
            entry(1, "/pod/log/b.log", updated: 1), entry(2, "/pod/log/c.log", updated: 2),
            entry(3, "/pod/log/a.log"), entry(4, "/pod/old/a.log", updated: 9),
        ]
        #expect(origins(sighting("/pod/log/a.log.gz"), known) == [3, 2, 1, 4])
        let gone = [entry(5, "/pod/log/d.log", updated: 5)]
        #expect(origins(sighting("/pod/log/a.log.gz"), known, departed: gone) == [3, 5, 2, 1, 4])
    }

    @Test("Where one of the stream's own files begins so, the stream finds out by itself")
    func own() {
        let known = [entry(1, "/log/a.log"), entry(2, "/log/a.log.1", stream: "/log/b.log")]
        #expect(origins(sighting("/log/b.log.1.gz", stream: "/log/b.log"), known).isEmpty)
        #expect(origins(sighting("/log/c.log.1.gz", stream: "/log/c.log"), known) == [1, 2])
    }

    @Test(
        "Only what lies near it may be that",
        arguments: [
            ("/data/pod/log/a.log", true), ("/data/pod/archive/a.log", true),
            ("/data/pod/log/app/old/a.log", true), ("/data/a.log", true),
            ("/data/pod-2/log/a.log", true), ("/other/pod/log/a.log", false),
            ("/a.log", false),
        ])
    func near(_ path: String, isNear: Bool) {
        #expect(origins(sighting("/data/pod/log/x.gz"), [entry(1, path)]) == (isNear ? [1] : []))
    }

    @Test("A few bytes of one beginning say nothing, unless they are all that there is")
    func short() {
        let text = Array("one\ntwo\n".utf8)
        let short = [entry(1, "/log/a.log", head: text, read: 8)]
        let partly = [entry(1, "/log/a.log", head: text, read: 4)]
        let whole = sighting("/log/x.gz", head: text, hasKnownSize: true)
        #expect(origins(whole, short) == [1])
        #expect(origins(whole, partly).isEmpty)
        #expect(origins(sighting("/log/x.gz", head: text), short).isEmpty)
        let more = sighting("/log/x.gz", head: text + text, hasKnownSize: true)
        #expect(origins(more, short).isEmpty)
    }

    @Test("Of thousands that begin alike a few are asked about")
    func many() {
        let known = (1...5_000).map { entry($0, "/log/\($0).log", updated: $0) }
        #expect(origins(sighting("/log/x.gz"), known) == Array((4_985...5_000).reversed()))
    }

    @Test("What is unread of it is told, but of one that left, which was counted")
    func unread() throws {
        let known = entry(1, "/log/a.log", read: 700)
        var more = known
        more.size = PhysicalOffset(900)
        let here = sighting("/log/a.log.gz")
        let found = try #require(FileOrigins(of: here, [more], departed: []).origins.first?.origin)
        #expect(found.unread.map(\.count) == 200 && found.isNamesake && !found.hasLeft)
        #expect(found.position == PhysicalOffset(700))
        let whole = FileOrigins(of: here, [known], departed: []).origins.first?.origin
        #expect(whole?.unread == nil)
        let left = FileOrigins(of: here, [], departed: [more]).origins.first?.origin
        #expect(left?.hasLeft == true && left?.unread == nil)
    }
}
