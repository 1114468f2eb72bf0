import Model
import Platform
import TestSupport
import Testing

@testable import Registry
@testable import Shipper
@testable import Tailer

@Suite("What is told of a file that is not where it was") struct GoneFileTests {
    let directory: TemporaryDirectory

    init() throws { directory = try TemporaryDirectory() }

    private func entry(
        _ path: String, _ identity: FileIdentity? = nil, head: String = "", size: Int,
        offset: LogicalOffset, base: Base = .none
    ) -> FileEntry {
        FileEntry(
            file: FileID(number: 1), input: "pods", stream: path, path: path,
            identity: identity ?? FileIdentity(handle: nil, device: 1, inode: 2, birth: nil),
            fingerprint: .of(head: Array(head.utf8)), generation: GenerationID(value: 1),
            generationCount: 0, base: base, offset: offset, anchor: .none,
            size: PhysicalOffset(size),
            state: .archived, updated: .now())
    }

    private func lost(_ entry: FileEntry, _ whereabouts: Whereabouts) -> ByteRange? {
        let events = GoneFile.events(entry, delivered: entry.offset, whereabouts)
        for case .lost(_, let range, _) in events { return range }
        return nil
    }

    /// 1. A file is moved away, with bytes that are not delivered.
    /// 2. There it gets more, or is cut.
    @Test(
        "Of one that was moved away all that was seen, or is there, and was not delivered is lost",
        arguments: [
            (size: 20, end: 20 as Int?), (size: 10, end: 10), (size: 6, end: 10),
            (size: 0, end: 10),
        ])
    func movedAway(size: Int, end: Int?) throws {
        let place = Whereabouts.at(path: Array("/aside".utf8), size: size)
        let range = end.map { ByteRange(start: 4, end: LogicalOffset($0)) }
        #expect(lost(entry("/a", size: 10, offset: 4), place) == range)
        let shifted = end.map { ByteRange(start: 104, end: LogicalOffset(100 + $0)) }
        #expect(lost(entry("/a", size: 10, offset: 104, base: 100), place) == shifted)
        #expect(lost(entry("/a", size: 10, offset: 20), place) == nil)
    }

    private func identity(_ path: [UInt8]) throws -> FileIdentity {
        let opened = try Descriptor.open(path, O.read)
        return FileIdentity(of: opened, try opened.status())
    }

    private let line = "what it holds is longer when it is compressed\n"

    /// The entry of a compressed file that was read.
    private func compressedEntry() throws -> FileEntry {
        let path = try compress(try directory.write("a.log.1", line), .gzip)
        return entry(
            path, try identity(Array(path.utf8)), head: line, size: line.utf8.count,
            offset: LogicalOffset(line.utf8.count))
    }

    @Test(
        "Bytes on the disk of what is compressed are no bytes of the log",
        .enabled(if: MachineFacts.mayAskByHandle, "\(MachineFacts.askingNeeded)"))
    func compressed() throws {
        let read = try compressedEntry()
        let size = try FileStatus.glance(at: Array(read.path.utf8)).size
        #expect(size > line.utf8.count)
        try directory.makeDirectory("aside")
        let aside = directory.path("aside/a.log.1.gz")
        try rename(read.path, aside)
        let whereabouts = Whereabouts.of(read, from: Array(directory.path.utf8))
        #expect(whereabouts == .at(path: Array(aside.utf8), size: line.utf8.count))
        #expect(lost(read, whereabouts) == nil)
    }

    @Test(
        "A directory's name need not be text, nor that of the place where the file is",
        .enabled(if: MachineFacts.mayAskByHandle, "\(MachineFacts.askingNeeded)"))
    func names() throws {
        let path = Array(directory.path("d").utf8) + [0xFF]
        try makeDirectory(named: path)
        let file = path + Array("/a.log".utf8)
        try appendBytes(Array("12345".utf8), toName: file)
        let identity = try identity(file)
        let mine = entry(PathText.text(file), identity, head: "12345", size: 5, offset: 0)
        let whereabouts = Whereabouts.of(mine, from: path)
        #expect(whereabouts == .at(path: file, size: 5))
        let events = GoneFile.events(mine, delivered: 0, whereabouts)
        var places: [String] = []
        for case .foundElsewhere(_, let place) in events { places.append(place) }
        #expect(places == [directory.path("d") + "\\xff/a.log"])
    }

    /// What is mounted over a directory on the way may hang; a path that is too long leads nowhere either.
    @Test(
        "What was moved away is looked at without going there by its path",
        .enabled(if: MachineFacts.mayAskByHandle, "\(MachineFacts.askingNeeded)"))
    func unreachablePlace() throws {
        let read = try compressedEntry()
        let long = Array(repeating: String(repeating: "x", count: 250), count: 9)
            .joined(separator: "/")
        for half in ["upper", "lower"] { try directory.makeDirectory("\(half)/\(long)") }
        try rename(read.path, directory.path("lower/\(long)/a.log.1.gz"))
        try rename(directory.path("lower"), directory.path("upper/\(long)/lower"))
        let whereabouts = Whereabouts.of(read, from: Array(directory.path.utf8))
        // It can be removed again.
        try rename(directory.path("upper/\(long)/lower"), directory.path("lower"))
        guard case .at(_, let size) = whereabouts else {
            Issue.record("it is there, and found \(whereabouts)")
            return
        }
        #expect(size == line.utf8.count)
        #expect(lost(read, whereabouts) == nil)
    }
}
