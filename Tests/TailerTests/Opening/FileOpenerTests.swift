import Model
import Platform
import Synchronization
import TestSupport
import Testing

@testable import Tailer

@Suite("Opening", .overBases)
struct FileOpenerTests {
    private let home: TemporaryDirectory
    private let opener: FileOpener
    private let stream: LogStream

    init() throws {
        home = try TemporaryDirectory()
        opener = FileOpener(output: RecordingOutput(), mostOpen: 10, once: false)
        stream = LogStream(
            id: StreamID(number: 1), kind: .s6, name: home.path("log"), liveName: S6Name.current,
            input: 0, captures: [:])
    }

    /// 1. A listing showed `previous` (the older) and `current` (the newer).
    /// 2. s6-log rotated twice; `previous` was the newest file of all when it was opened.
    /// 3. It was read in the older one's place: its lines came before those of `current`.
    @Test("a name that leads to another file than the listing showed is not taken for that file")
    func anotherFile() throws {
        try home.write("log/previous", "older\n")
        let directory = try Descriptor.open(home.path("log"), O.directory)
        let listing = S6Listing(try directory.entries())
        let item = try #require(listing.items.first)
        let request = FileOpener.Request(
            stream: stream, name: item.name, path: home.path("log/previous"), isArchived: true,
            mostLinks: item.mostLinks, inode: item.inode)
        try home.write("log/newest", "newest\n")
        try rename(home.path("log/newest"), home.path("log/previous"))
        guard case .missing = opener.open(request, in: directory) else {
            Issue.record("the newest file was taken for the older one")
            return
        }
    }

    /// 1. `current` was held while it was empty; s6-log filled it and rotated it away.
    /// 2. The listing that followed showed it as an archive, which is read to its end at 0 bytes of 0:
    ///    it was closed unread, and found again by the next start only.
    @Test("a file that was held while it was empty has the size that it has when it is taken up")
    func sizeWhenTakenUp() throws {
        try home.write("log/current", "")
        let directory = try Descriptor.open(home.path("log"), O.directory)
        let archive = Array("@400000006b03bb0027d04f81.s".utf8)
        var request = FileOpener.Request(
            stream: stream, name: S6Name.current, path: home.path("log/current"),
            isArchived: false)
        switch opener.hold(request, in: directory) {
        case .held(let held):
            try home.append("log/current", "one\ntwo\n")
            try rename(home.path("log/current"), home.path("log/@400000006b03bb0027d04f81.s"))
            request = FileOpener.Request(
                stream: stream, name: archive, path: home.path("log/archive"), isArchived: true)
            guard case .opened(let file) = opener.adopt(request, held) else {
                Issue.record("not opened")
                return
            }
            #expect(file.isFinal && file.isAtStart && file.diskSize == 8)
        case .failed:
            Issue.record("not held")
        }
    }

    @Test("newer files wait where no descriptor is to be had, and only there")
    func exhaustion() {
        func result(_ code: Errno) -> FileOpener.OpenResult {
            FileOpener.OpenResult(SystemError("open", code: code))
        }
        for code in [Errno.processLimit, .systemLimit, .outOfMemory] {
            guard case .exhausted = result(code) else {
                Issue.record("\(code) is taken for a fault of the file")
                return
            }
        }
        for code in [Errno.permission, .inputOutput, .stale, .tooManyLinks] {
            guard case .nothing(retry: true) = result(code) else {
                Issue.record("\(code) is taken for a want of descriptors")
                return
            }
        }
    }

    /// Nothing is decided by what was told already, nor told because something is decided.
    @Test("what is wrong with a path is told once, and what follows from it each time")
    func toldOnce() {
        let output = RecordingOutput()
        let opener = FileOpener(output: output, mostOpen: 10, once: false)
        let error = SystemError("open", code: .permission)
        for _ in 0..<2 { opener.tell("/log/a", error) }
        #expect(opener.unreadableCount == 1)
        var told: [String] = []
        for case .unreadable(let path, _) in output.state.withLock({ $0.events }) {
            told.append(path)
        }
        #expect(told == ["/log/a"])
        opener.mended("/log/a")
        #expect(opener.unreadableCount == 0)
        opener.tell("/log/a", error)
        #expect(opener.unreadableCount == 1)
    }
}
