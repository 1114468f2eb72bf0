import Model
import Platform
import TestSupport
import Testing

@testable import Tailer

@Suite("What a log knows of its files")
struct LogStreamTests {
    private let home: TemporaryDirectory
    private let stream = LogStream(
        id: StreamID(number: 1), kind: .path, name: "/log/app.log",
        liveName: Array("app.log".utf8), input: 0, captures: [:])

    init() throws { home = try TemporaryDirectory() }

    private func status(_ name: String, _ text: String) throws -> FileStatus {
        try home.write(name, text)
        return try FileStatus.glance(at: Array(home.path(name).utf8))
    }

    private func closed(_ number: Int, inode: UInt64) -> LogStream.ClosedFile {
        LogStream.ClosedFile(
            identity: FileIdentity(handle: nil, device: 1, inode: inode, birth: nil),
            id: FileID(number: number), modified: nil)
    }

    private func inodes(_ name: String) -> [UInt64] {
        stream.closed.filter { $0.key.starts(with: name.utf8) }.map(\.value.inode).sorted()
    }

    /// A node has a hundred thousand quiet logs that were never rotated while anybody looked.
    @Test(
        "what is known of files beside a log has no room while that is nothing, and once it is again"
    )
    func surroundings() throws {
        let stamp = LogStream.Stamp(try status("app.log.1", "one\n"))
        // Asked for, gone through, and changed to what it was.
        #expect(!stream.judged.contains(stamp) && stream.obstacles.isEmpty)
        stream.claimed = []
        stream.judged.formIntersection([stamp])
        stream.obstacles.beginLook()
        stream.keepStamps([stamp])
        #expect(stream.surroundings == nil)
        stream.judged.insert(stamp)
        stream.refused[stamp] = .zero
        stream.settle()
        #expect(stream.judged == [stamp] && stream.refused == [stamp: .zero])
        #expect(stream.hasLookedAt(try status("app.log.1", "one\n")) == false)
        stream.keepStamps([])
        #expect(stream.surroundings != nil)
        stream.settle()
        #expect(stream.surroundings == nil && stream.judged.isEmpty)
    }

    @Test("what is found out before an error, of files beside a log, is known")
    func surroundingsOfFailure() {
        func change(_ names: inout Set<[UInt8]>) throws(SystemError) {
            names.insert([1])
            // Of the others something is found out meanwhile.
            stream.surveyed += 1
            throw SystemError("read", path: "/log", code: .badDescriptor)
        }
        #expect(throws: SystemError.self) { try change(&stream.phantoms) }
        #expect(stream.phantoms == [[1]] && stream.surveyed == 1)
    }

    /// 1. A file is read to its end as `previous`. A processor has made an archive of it that was not
    ///    looked at yet.
    /// 2. The next one is read to its end as `previous`. With the first forgotten, its archive would be
    ///    read as a new file.
    @Test("two files that were closed under one name, one after the other, are both known")
    func sameName() {
        let previous = S6Name.previous
        stream.keep(closed(1, inode: 11), as: previous)
        stream.keep(closed(2, inode: 12), as: previous)
        #expect(stream.closed[previous]?.inode == 12)
        #expect(inodes("previous") == [11, 12])
        stream.keep(closed(3, inode: 13), as: previous)
        #expect(stream.closed[previous]?.inode == 13)
        #expect(inodes("previous") == [11, 12, 13])
        // Seen once more it is no other file.
        stream.keep(closed(3, inode: 13), as: previous)
        #expect(inodes("previous") == [11, 12, 13])
        // No file can have the name of those that stay known.
        #expect(stream.closed.keys.filter { $0 != previous }.allSatisfy { $0.contains(0x2F) })
    }

    @Test("what a compressor made of a file may hold more where its time is another one")
    func grown() throws {
        let archive = try status("a.log.1.gz", "packed")
        var file = closed(1, inode: 1)
        #expect(!file.mayHaveGrown(before: archive))
        file.modified = archive.modified
        #expect(!file.mayHaveGrown(before: archive))
        file.modified = archive.modified - 1
        #expect(file.mayHaveGrown(before: archive))
    }

    @Test("a log that is renamed in many ways is learnt from sixteen times, and then no more")
    func shapes() {
        func name(_ letter: Int, _ number: Int) -> [UInt8] {
            Array("kept\(UnicodeScalar(UInt8(0x41 + letter)))\(number)".utf8)
        }
        for letter in 0..<20 { stream.learn(name(letter, 1)) }
        for letter in 0..<20 {
            #expect(stream.hasLearnt(name(letter, 22)) == (letter < 16), "\(letter)")
        }
        // What rotation gives is nothing to be learnt.
        #expect(!stream.hasLearnt(Array("app.log.1".utf8)))
        #expect(stream.rotated(Array("app.log.1".utf8)) != nil)
    }

    @Test("what was found out of a rotated file holds for that file as it was then, and no other")
    func stamps() throws {
        let first = try status("app.log.1", "one\n")
        #expect(!stream.hasLookedAt(first))
        let found: [(LogStream.Stamp) -> Void] = [
            { stream.judged.insert($0) }, { stream.beside.insert($0) },
            { stream.copies.insert($0) }, { stream.freshCopies[$0] = [] },
            { stream.refused[$0] = first.changed },
            {
                stream.strangers[$0] = Stranger(
                    modified: first.modified, birth: nil, isPacked: false)
            },
        ]
        for found in found {
            found(LogStream.Stamp(first))
            #expect(stream.hasLookedAt(first))
            // As long as it is there.
            stream.keepStamps([LogStream.Stamp(first)])
            #expect(stream.hasLookedAt(first))
            stream.keepStamps([])
            #expect(!stream.hasLookedAt(first))
        }
        for found in found { found(LogStream.Stamp(first)) }
        let grown = try status("app.log.1", "one\ntwo\n")
        #expect(!stream.hasLookedAt(grown))
    }

    /// It was refused for its rights or a second name, which change without its content.
    @Test("what was refused is asked again when anything of it has changed")
    func refused() throws {
        let first = try status("app.log.1", "one\n")
        stream.refused[LogStream.Stamp(first)] = first.changed - 1
        #expect(!stream.hasLookedAt(first))
        stream.refused[LogStream.Stamp(first)] = first.changed
        #expect(stream.hasLookedAt(first))
    }

    @Test("what is found out about strangers is void when something else is looked for")
    func sought() throws {
        let first = LogStream.Stamp(try status("app.log.1", "one\n"))
        let (one, two) = (FileID(number: 1), FileID(number: 2))
        stream.seek([one, two])
        let stranger = Stranger(modified: 1, birth: nil, isPacked: false)
        stream.strangers[first] = stranger
        stream.strangersElsewhere[first] = stranger
        stream.seek([two])
        #expect(stream.strangers.count == 1 && stream.strangersElsewhere.count == 1)
        stream.seek([two, FileID(number: 3)])
        #expect(stream.strangers.isEmpty && stream.strangersElsewhere.isEmpty)
    }

    /// 1. Two files are looked for, then one of them: what is found meanwhile is held against that alone.
    /// 2. Both are looked for again. Taken for a stranger to both, a copy of the second is sent again.
    @Test("what was found out while less was looked for says nothing about more")
    func soughtAgain() throws {
        let first = LogStream.Stamp(try status("app.log.1", "one\n"))
        let (one, two) = (FileID(number: 1), FileID(number: 2))
        stream.seek([one, two])
        stream.seek([one])
        stream.strangers[first] = Stranger(modified: 1, birth: nil, isPacked: false)
        stream.seek([one])
        #expect(stream.strangers.count == 1)
        stream.seek([one, two])
        #expect(stream.strangers.isEmpty)
    }
}
