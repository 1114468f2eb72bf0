import Model
import Platform
import Synchronization
import TestSupport
import Testing

@testable import Tailer

@Suite("Dormant streams: one record for a quiet log, and nothing of it is missed", .overAllBases)
struct DormantStreamTests {
    private let bench: ParkingBench

    init() throws { bench = try ParkingBench(mostOpen: 10) }

    /// A log of this name, read to its end and parked.
    private func parked(_ name: String, _ text: String) throws -> LogStream {
        try bench.write(name, text)
        try bench.look()
        bench.readAll()
        bench.parkAll()
        let stream = try #require(bench.node.streams[Array(name.utf8)])
        while bench.turn(stream) == .moved {}
        _ = bench.table.agenda.take()
        bench.parkAll()
        return stream
    }

    private func dormant(_ name: String = "a", _ text: String = "one\n") throws -> DormantStream {
        let stream = try parked(name, text)
        return try #require(bench.table.sleep(stream, bench.now))
    }

    /// All that is known of a stream and its file that may be dormant, but for the proof that its
    /// content was read again.
    private func knowledge(of stream: LogStream) throws -> [String] {
        let file = try #require(stream.files.first)
        let content = file.content
        return [
            "\(stream.id) \(stream.name) \(stream.liveName) \(stream.input) \(stream.captures)",
            "\(stream.isReconciled) \(stream.isOrphan) \(stream.hasMoreRotated)",
            "\(String(describing: stream.newest)) \(stream.lastGrowth) \(stream.savedTime)",
            "\(file.phase) \(file.isOpen) \(file.isReplaced) \(file.key) \(file.identity)",
            "\(String(describing: file.name)) \(file.lastName) \(file.path)",
            "\(file.id) \(file.base) \(file.position) \(file.size) \(file.anchor)",
            "\(file.expectedHead) \(file.headLength) \(content.beginning.known)",
            "\(content.landmarks) \(file.waitsForMore) \(file.mayBeginWithZeros)",
            "\(content.changed) \(content.modified) \(content.intactAt) \(content.begunAt)",
            "\(content.hasExceptions) \(content.readLimit) \(file.diskSize)",
        ]
    }

    @Test(
        "A stream that was dormant is what it was",
        arguments: ["", "one\n", "one\ntwo\nthree\n", String(repeating: "line\n", count: 900)])
    func same(text: String) throws {
        let stream = try parked("a", text)
        let before = try knowledge(of: stream)
        let dormant = try #require(bench.table.sleep(stream, bench.now))
        #expect(bench.streams.isEmpty && bench.node.dormant.count == 1)
        #expect(bench.opener.open.isEmpty && dormant.isUnchanged(in: bench.node))
        let again = try #require(bench.table.wake(dormant))
        #expect(try knowledge(of: again) == before)
        #expect(bench.node.dormant.isEmpty && bench.opener.dormant.isEmpty)
        #expect(bench.streams.count == 1 && bench.table.wake(dormant) == nil)
        // It has its turn, in which nothing is to be done.
        #expect(bench.table.agenda.take().woken.contains { $0 === again })
        #expect(bench.turn(again) == .atEnd)
        #expect(again.files.first?.isOpen == false)
    }

    enum Hindrance: CaseIterable {
        case isOpen, isOnItsWay, halfLine, rotatedFile, hasTurn, truncation
    }

    @Test(
        "What is more than one record has, or has something to do, is not dormant",
        arguments: Hindrance.allCases)
    func hindered(by hindrance: Hindrance) throws {
        let stream = try parked("a", hindrance == .halfLine ? "one\ntw" : "one\n")
        switch hindrance {
        case .isOpen: _ = try bench.opener.reopen(try #require(stream.live))
        case .isOnItsWay: bench.output.state.withLock { $0.isOnItsWay = true }
        case .halfLine: break
        case .rotatedFile:
            try bench.write("a.1", "none of its business\n")
            try bench.look()
            _ = bench.table.agenda.take()
            bench.parkAll()
        case .hasTurn: bench.table.agenda.wake(stream)
        case .truncation: stream.expectsTruncationUntil = bench.now + 1
        }
        #expect(bench.table.sleep(stream, bench.now) == nil)
        #expect(bench.node.streams.count == 1 && bench.node.dormant.isEmpty)
        #expect(bench.output.state.withLock { $0.asleep.isEmpty })
    }

    @Test("Looks at a directory in which nothing happens to it leave it dormant")
    func untouched() throws {
        _ = try dormant()
        try bench.write("b", "two\n")
        for _ in 0..<3 { try bench.settle() }
        #expect(bench.node.dormant.count == 1 && bench.output.state.withLock { $0.woken } == 0)
        #expect(bench.output.texts() == ["one", "two"])
    }

    /// As the loop does when a look finds that something happened.
    private func lookAtIt(_ dormant: DormantStream) throws {
        #expect(!dormant.isUnchanged(in: bench.node))
        bench.table.wake(dormant)
        try bench.settle()
    }

    @Test("It grows, and is read on from where it was")
    func grows() throws {
        let dormant = try dormant()
        try bench.home.append("log/a", "two\n")
        try lookAtIt(dormant)
        #expect(bench.output.texts() == ["one", "two"])
    }

    @Test("It is written anew, and read from its first byte")
    func truncated() throws {
        let dormant = try dormant("a", "one\ntwo\n")
        try bench.write("a", "other\n")
        try lookAtIt(dormant)
        // It may have been cut off, and be about to be written on.
        bench.now += 2_000_000_000
        try bench.settle()
        #expect(bench.output.texts() == ["one", "two", "other"])
    }

    @Test("Its last line is overwritten: the lines before it do not come again")
    func rewritten() throws {
        let dormant = try dormant("a", "<log>\n<e>1</e>\n</log>\n")
        try bench.write("a", "<log>\n<e>1</e>\n<e>2</e>\n</log>\n")
        try lookAtIt(dormant)
        #expect(
            bench.output.texts() == ["<log>", "<e>1</e>", "</log>", "<e>2</e>", "</log>"])
    }

    @Test("It is rotated: what was written late to the old file comes first")
    func rotated() throws {
        _ = try dormant()
        try rename(bench.home.path("log/a"), bench.home.path("log/a.1"))
        try bench.home.append("log/a.1", "late\n")
        try bench.write("a", "two\n")
        try bench.settle()
        #expect(bench.output.texts() == ["one", "late", "two"])
    }

    @Test("It is copied and truncated: what came between is read in the copy")
    func copied() throws {
        let dormant = try dormant()
        try bench.home.append("log/a", "two\n")
        try bench.write("a.1", "one\ntwo\n")
        try bench.write("a", "three\n")
        try lookAtIt(dormant)
        #expect(bench.output.texts() == ["one", "two", "three"])
    }

    @Test("A look at its directory is under way while it falls asleep, and finds it removed")
    func asleepDuringLook() throws {
        let stream = try parked("a", "one\n")
        try bench.write("b", "two\n")
        try remove(bench.home.path("log/a"))
        // Each step of a look is a slice.
        _ = try bench.lookInSlices(between: {
            if bench.node.dormant.isEmpty { _ = bench.table.sleep(stream, bench.now) }
        })
        try bench.settle()
        try bench.settle()
        #expect(bench.node.dormant.isEmpty && bench.gone == 1)
        #expect(bench.output.texts() == ["one", "two"])
    }

    @Test("It is removed, and leaves")
    func removed() throws {
        _ = try dormant()
        try remove(bench.home.path("log/a"))
        try bench.settle()
        try bench.settle()
        #expect(bench.node.dormant.isEmpty && bench.streams.isEmpty && bench.gone == 1)
        #expect(bench.lost.isEmpty)
    }

    @Test("It is another log by its new name, and goes on as that, once")
    func renamed() throws {
        _ = try dormant()
        try rename(bench.home.path("log/a"), bench.home.path("log/b"))
        try bench.home.append("log/b", "two\n")
        try bench.settle()
        try bench.settle()
        #expect(bench.output.texts() == ["one", "two"])
        #expect(bench.output.state.withLock { $0.files.count } == 1)
    }

    @Test("Its directory leaves, and it waits for it like any other log")
    func directoryGone() throws {
        _ = try dormant()
        bench.node.isGone = true
        bench.table.gone(bench.node, bench.now)
        var slice = Slice.endless
        #expect(bench.table.letDormantGo(&slice))
        #expect(bench.node.dormant.isEmpty && bench.table.orphans.count == 1)
        #expect(bench.table.orphans.first?.files.first?.name == nil)
        #expect(bench.streams.isEmpty)
    }

    @Test("A directory leaves with hundreds of them: they are let go of in slices, each once")
    func manyGone() throws {
        let names = (0..<200).map { "\($0).log" }
        for name in names { try bench.write(name, "one\n") }
        try bench.look()
        bench.readAll()
        bench.parkAll()
        _ = bench.table.agenda.take()
        for stream in bench.streams { _ = bench.table.sleep(stream, bench.now) }
        #expect(bench.node.dormant.count == 200)
        bench.node.isGone = true
        bench.table.gone(bench.node, bench.now)
        var slices = 1
        while true {
            var slice = Slice(until: 0)
            if bench.table.letDormantGo(&slice) { break }
            slices += 1
            // One of the others is found elsewhere meanwhile.
            if slices == 2, let next = bench.node.dormant.values.first { bench.table.wake(next) }
        }
        #expect(slices > 200 / 64 && bench.table.forsaken.isEmpty)
        #expect(bench.table.orphans.count == 200 && bench.streams.isEmpty)
        #expect(bench.output.state.withLock { $0.asleep.isEmpty && $0.woken == 200 })
    }

    @Test("Its directory is not there for a moment, as a prefix: it stays what it is")
    func prefixGone() throws {
        let dormant = try dormant()
        bench.table.gone(bench.node, bench.now)
        #expect(bench.node.dormant.count == 1 && bench.table.forsaken.isEmpty)
        #expect(dormant.isUnchanged(in: bench.node))
        try bench.settle()
        #expect(bench.output.texts() == ["one"] && bench.gone == 0)
    }

    /// 1. A quiet log is compressed, and what was made of it has its entry.
    /// 2. Awake with that entry, each of the two would move the other's position.
    @Test("An entry that is another file's by now is left alone", arguments: [true, false])
    func entryOfAnother(isElsewhere: Bool) throws {
        let dormant = try dormant()
        bench.output.state.withLock { state in
            let saved = state.files[dormant.file.number]
            if isElsewhere {
                state.files[dormant.file.number].identity = FileIdentity(
                    handle: saved.identity.handle, device: saved.identity.device,
                    inode: saved.identity.inode + 1, birth: saved.identity.birth)
            } else {
                state.files[dormant.file.number].base = Base(saved.base.bytes + 512)
            }
        }
        #expect(bench.table.wake(dormant) == nil)
        let (ended, asleep, woken) = bench.output.state.withLock {
            ($0.ended, $0.asleep, $0.woken)
        }
        #expect(ended == [dormant.id] && asleep.isEmpty && woken == 0)
        #expect(bench.streams.isEmpty && bench.opener.open.isEmpty)
        #expect(bench.table.agenda.take().changed.contains { $0 === bench.node })
    }

    @Test("What may have been made of it waits: it is woken, and finds out whether it is there")
    func origin() throws {
        let dormant = try dormant()
        let saved = bench.output.state.withLock { $0.files[dormant.file.number] }
        let origin = FileOrigin(
            file: dormant.file, identity: saved.identity, path: saved.path, hasLeft: false,
            position: saved.physicalOffset, anchor: .none, unread: nil, isNamesake: true)
        #expect(bench.opener.isThere(origin))
        #expect(bench.node.dormant.isEmpty && bench.streams.count == 1)
    }

    @Test("It is found through a link, and has that link when it is awake")
    func linked() throws {
        let link = FollowedLink(
            FollowedLink.Origin(path: "/links/a", input: 0, pattern: 0, captures: [:]),
            path: "/links/a", text: Array("log/a".utf8), depth: 1, home: nil)
        try bench.write("a", "one\n")
        let match = DirectoryTree.Match(
            name: Array("a".utf8), kind: .regular, input: 0, captures: [:], link: link)
        _ = bench.table.begin(match, in: bench.node)
        let dormant = try dormant()
        #expect(dormant.link == "/links/a")
        #expect(try #require(bench.table.wake(dormant)).link == "/links/a")
        #expect(bench.output.state.withLock { $0.wokenBy } == ["/links/a"])
    }

    @Test("Whoever asks for it to remove its front gets it")
    func lent() throws {
        let dormant = try dormant("a", "one\ntwo\n")
        let saved = bench.output.state.withLock { $0.files[dormant.file.number] }
        let lender = FileLender(
            opener: bench.opener, output: bench.output, agenda: bench.table.agenda)
        let loan = try FileLoan(
            saved.id, saved.identity, upTo: saved.base.logical(PhysicalOffset(4)))
        lender.take(.lend(loan))
        #expect(loan.isLent(within: 0))
        #expect(bench.files.map(\.isLent) == [true] && bench.node.dormant.isEmpty)
        #expect(bench.table.sleep(bench.streams[0], bench.now) == nil)
        lender.take(.giveBack(saved.id, saved.identity, saved.base, nil))
        #expect(bench.files.map(\.isLent) == [false])
    }

    @Test("An entry that left meanwhile is no stream's: what is there is found as if it were new")
    func entryLeft() throws {
        let dormant = try dormant()
        bench.output.state.withLock { $0.files[dormant.file.number].isGone = true }
        #expect(bench.table.wake(dormant) == nil)
        #expect(bench.output.state.withLock { $0.ended } == [dormant.id])
        #expect(bench.output.state.withLock { $0.asleep.isEmpty && $0.woken == 0 })
        #expect(bench.node.dormant.isEmpty && bench.opener.dormant.isEmpty)
        #expect(bench.table.agenda.take().changed.contains { $0 === bench.node })
    }
}
