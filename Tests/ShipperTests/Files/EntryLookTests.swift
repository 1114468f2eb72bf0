import Glibc
import Model
import Platform
import TestSupport
import Testing

@testable import Registry
@testable import Shipper
@testable import Tailer

/// One table for all who ask what stands at an entry's path: each case beneath a directory whose name
/// is text, and beneath one whose name is none.
@Suite("Whoever looks at an entry's path gets the same answer") struct EntryLookTests {
    let directory: TemporaryDirectory

    init() throws { directory = try TemporaryDirectory() }

    /// The story of a file since its entry was saved.
    enum Story: CaseIterable {
        case stayed, grew, renamed, compressed, replaced, rewritten, removed, directoryRemoved
        case directoryReplaced, behindLoop, behindLink, volumeAway, volumeRenumbered

        /// A look that opens: the file, by its content.
        var opened: Answer {
            switch self {
            case .stayed, .grew, .behindLink: .found
            case .volumeRenumbered: .renumbered
            case .renamed, .removed, .directoryRemoved, .directoryReplaced, .volumeAway: .missing
            case .compressed: .packed
            case .replaced, .rewritten: .other
            case .behindLoop: .failed
            }
        }

        /// The same, but also beside its path, and with the directory asked what volume it is.
        var searched: Answer {
            switch self {
            case .renamed: .found
            case .volumeAway: .away
            default: opened
            }
        }

        /// A look that opens nothing goes by numbers: what the file holds now is not known.
        var glanced: Answer {
            switch self {
            case .compressed, .rewritten: .found
            case .volumeRenumbered: .other
            default: opened
            }
        }

        var shown: ShownFile.State {
            switch self {
            case .stayed, .grew, .renamed, .compressed, .rewritten, .behindLink, .volumeRenumbered:
                .active
            case .replaced, .removed, .directoryRemoved, .directoryReplaced: .gone
            case .behindLoop, .volumeAway: .unreachable
            }
        }

        /// The reason for which a position does not go to the end; nil where it does.
        var refusal: String? {
            switch self {
            case .stayed, .grew, .renamed, .behindLink, .volumeRenumbered: nil
            case .compressed: "it is compressed"
            case .replaced, .rewritten: "another file, or other content, has its name"
            case .removed, .directoryRemoved, .directoryReplaced: "it is not there"
            case .behindLoop: "it cannot be opened: open"
            case .volumeAway: "the volume that it was on is not mounted"
            }
        }
    }

    enum Answer { case found, renumbered, packed, other, missing, failed, away }

    private func answer(_ look: PlaceLook<EntryFile>) -> Answer {
        switch look {
        case .found(let file):
            file.isPacked ? .packed : file.isRenumbered ? .renumbered : .found
        case .other: .other
        case .missing: .missing
        case .unreachable(.failed): .failed
        case .unreachable(.away): .away
        }
    }

    private func answer(_ look: PlaceLook<FileStatus>) -> Answer {
        switch look {
        case .found: .found
        case .other: .other
        case .missing: .missing
        case .unreachable(.failed): .failed
        case .unreachable(.away): .away
        }
    }

    private static let content = Array("one\ntwo\n".utf8)

    /// The entry of a file, half delivered, to which that has happened.
    private func make(_ name: [UInt8], _ story: Story) throws -> FileEntry {
        let place = Array(directory.path("").utf8) + name
        try makeDirectory(named: place)
        let path = place + Array("/a.log".utf8)
        try appendBytes(Self.content, toName: path)
        let opened = try Descriptor.open(path, O.read)
        var identity = FileIdentity(of: opened, try opened.status())
        switch story {
        case .stayed: break
        case .grew: try appendBytes(Array("three\nfo".utf8), toName: path)
        case .renamed:
            try rename(named: path, to: path + Array(".1".utf8))
            try appendBytes(Self.content, toName: path)
            try remove(named: path)
        case .compressed:
            // Where it begins is enough to tell that it is gzip's.
            try overwrite(path, [0x1F, 0x8B, 8])
        case .replaced:
            try rename(named: path, to: Array(directory.path("kept").utf8))
            try appendBytes(Self.content, toName: path)
        case .rewritten: try overwrite(path, Array("other\n".utf8))
        case .removed: try remove(named: path)
        case .directoryRemoved, .directoryReplaced:
            try remove(named: path)
            try remove(named: place)
            if story == .directoryReplaced { try appendBytes([], toName: place) }
        case .behindLoop, .behindLink:
            let aside = Array(directory.path("aside").utf8)
            try rename(named: place, to: aside)
            try makeLink(named: place, to: story == .behindLoop ? place : aside)
        case .volumeAway, .volumeRenumbered:
            if story == .volumeAway { try remove(named: path) }
            identity = FileIdentity(
                handle: identity.handle, device: identity.device + 1, inode: identity.inode,
                birth: identity.birth)
        }
        return FileEntry(
            file: FileID(number: 1), input: "pods", stream: PathText.text(path),
            path: PathText.text(path), identity: identity, fingerprint: .of(head: Self.content),
            generation: GenerationID(value: 1), generationCount: 0, base: 0, offset: 4,
            anchor: Anchor(bytes: Array("one\n".utf8)), size: 8, state: .active, updated: .now())
    }

    private func overwrite(_ path: [UInt8], _ bytes: [UInt8]) throws {
        // The same inode, as a program that truncates its log and begins anew.
        let file = try Descriptor.open(path, O_RDWR)
        try file.truncate(to: 0)
        try file.write(bytes)
    }

    static let names: [[UInt8]] = [Array("pod".utf8), [0x70, 0xFF, 0x5C, 0x78, 0x66, 0x66]]

    @Test("It is the file, another one, missing, or out of reach", arguments: names, Story.allCases)
    func looks(name: [UInt8], story: Story) throws {
        let entry = try make(name, story)
        var search = EntrySearch()
        #expect(answer(EntryLook.open(entry)) == story.opened)
        #expect(answer(search.open(entry)) == story.searched)
        #expect(answer(EntryLook.glance(entry)) == story.glanced)
        let identity = try? DeviceNumbers.identity(of: entry)
        #expect((identity != nil) == (story == .volumeRenumbered))
    }

    @Test(
        "`registry show` and `registry rewind` agree about it", arguments: names, Story.allCases)
    func commands(name: [UInt8], story: Story) throws {
        let entry = try make(name, story)
        var glance = FileGlance()
        let shown = glance.look(at: entry)
        #expect(shown.state == story.shown)
        #expect(shown.size == (story == .grew ? 16 : story == .rewritten ? 6 : 8))
        // What was counted as lost is so until it is there again.
        var lost = entry
        lost.state = .deleted
        if story.shown == .gone || story == .volumeAway {
            #expect(glance.look(at: lost).state == .deleted)
        }
        let item = try #require(Rewind([entry], .end).items.first)
        switch item.move {
        case .moved(let offset, let anchor, let size):
            #expect(story.refusal == nil)
            #expect(offset == (story == .grew ? 14 : 8))
            #expect(size == (story == .grew ? 16 : 8))
            #expect(anchor.bytes.suffix(4) == Array((story == .grew ? "ree\n" : "two\n").utf8))
        case .unchanged: Issue.record("it was half delivered")
        case .refused(let reason):
            #expect(reason.hasPrefix(story.refusal ?? "no reason"), "\(reason)")
        }
        // The middle of a line is found wherever the file is.
        if story.refusal == nil {
            let item = try #require(Rewind([entry], .offset(5)).items.first)
            guard case .refused(let reason) = item.move else {
                Issue.record("a line may not be cut in two")
                return
            }
            #expect(reason.contains("in the middle of a line"))
        }
    }

    @Test("A device has its number where a file on it is proven to be one that was saved")
    func volumes() throws {
        for (story, isSure) in [
            (.stayed, true), (.replaced, false), (.rewritten, false), (.removed, false),
            (.volumeRenumbered, false), (.behindLoop, false),
        ] as [(Story, Bool)] {
            let other = try TemporaryDirectory()
            let entry = try EntryLookTests(directory: other).make(Array("pod".utf8), story)
            let later = Timestamp(nanoseconds: entry.updated.nanoseconds + 1_000_000_000)
            let volumes = VolumeNumbers([entry], booted: later)
            #expect(volumes.isSure(of: entry) { _ in true } == isSure, "\(story)")
        }
    }

    private init(directory: TemporaryDirectory) { self.directory = directory }

    @Test("A compressed file that was renamed has the size of its content all the same")
    func packedBeside() throws {
        let name = Array("pod".utf8)
        let entry = try make(name, .compressed)
        let path = PathText.bytes(of: entry.path)
        try rename(named: path, to: path + Array(".1.gz".utf8))
        try appendBytes(Array("new\n".utf8), toName: path)
        var search = EntrySearch()
        #expect(answer(search.open(entry)) == .packed)
        var glance = FileGlance()
        let shown = glance.look(at: entry)
        #expect(shown.state == .active && shown.size == 8)
    }
}
