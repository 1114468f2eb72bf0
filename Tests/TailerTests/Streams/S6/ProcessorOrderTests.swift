import Model
import Testing

@testable import Tailer

@Suite("Which file a processor's archive was made of")
struct ProcessorOrderTests {
    private var order = ProcessorOrder()

    private static func name(_ number: Int) -> [UInt8] { Array("@\(1_000 + number)".utf8) }

    /// `after`: of the last archive that there was.
    private mutating func follow(_ file: Int?, after: Int?, watching: Int? = 1) {
        order.follow(
            .init(
                file: file.map(FileID.init(number:)), after: after.map(Self.name) ?? [],
                watching: watching))
    }

    /// All that were followed but the last are rotated, unless `rotated` says otherwise.
    private mutating func match(
        _ archive: Int, there: ClosedRange<Int>, watching: Int? = 1, rotated: Set<Int>? = nil
    ) -> ProcessorOrder.Match {
        let live = order.sources.last?.file
        let names = Set(there.map(Self.name))
        return order.match(
            Self.name(archive), oldest: Self.name(there.lowerBound), watching: watching,
            isThere: { names.contains($0) },
            isRotated: { file in rotated.map { $0.contains(file.number) } ?? (file != live) })
    }

    @Test("archives are the files', in their order, while one is there that is older than they are")
    mutating func inOrder() {
        for file in 1...4 { follow(file, after: 1, watching: nil) }
        #expect(match(2, there: 1...4) == .file(FileID(number: 1)))
        #expect(match(3, there: 1...4) == .file(FileID(number: 2)))
        #expect(match(4, there: 3...4) == .file(FileID(number: 3)))
    }

    @Test(
        "a file is not rotated by its log's end: what is newer was made of one that was never followed"
    )
    mutating func liveIsNone() {
        follow(1, after: 1)
        #expect(match(2, there: 1...2) == .unseen)
        #expect(match(3, there: 1...3, rotated: [1]) == .file(FileID(number: 1)))
    }

    @Test("what was there when a file was first seen was made of older ones")
    mutating func olderThanSeen() {
        follow(1, after: 1)
        // Between those two came and went one that nobody saw.
        follow(3, after: 3)
        follow(4, after: 4)
        #expect(match(2, there: 1...4) == .file(FileID(number: 1)))
        #expect(match(3, there: 1...4) == .unseen)
        #expect(match(4, there: 1...4) == .file(FileID(number: 3)))
    }

    @Test("the first archive of a log is its first file's, as soon as its event is read")
    mutating func first() {
        follow(1, after: nil)
        follow(2, after: nil)
        #expect(match(1, there: 1...1) == .awaited)
        #expect(order.sources.count == 2)
        order.appeared([Self.name(1)])
        #expect(match(1, there: 1...1) == .file(FileID(number: 1)))
    }

    @Test("archives that were removed before they were seen had a file each")
    mutating func removed() {
        for file in 1...4 { follow(file, after: nil) }
        order.appeared([Self.name(1), Self.name(2), Self.name(3)])
        #expect(match(3, there: 3...3) == .file(FileID(number: 3)))
    }

    @Test("an archive that is removed has its file, be it told of before that is followed")
    mutating func toldBeforeFollowed() {
        order.appeared([Self.name(1)])
        follow(1, after: nil)
        follow(2, after: nil)
        order.appeared([Self.name(3)])
        #expect(match(3, there: 3...3, rotated: [1, 2]) == .file(FileID(number: 2)))
    }

    @Test("an archive that a listing is too old for is not forgotten by it")
    mutating func listedBeforeRotated() {
        follow(1, after: nil)
        follow(2, after: nil)
        order.appeared([Self.name(1)])
        // That listing has the first file as `current` yet.
        order.removed(isThere: { _ in false }, isRotated: { _ in false })
        order.appeared([Self.name(3)])
        #expect(match(3, there: 3...3, rotated: [1, 2]) == .file(FileID(number: 2)))
    }

    @Test("where events are not heard, an archive behind removed ones may be any file's")
    mutating func unheard() {
        follow(1, after: nil)
        follow(2, after: nil)
        #expect(match(1, there: 1...1, watching: nil) == .unknown)
        // Nor where they were not for a while.
        order = ProcessorOrder()
        follow(1, after: nil)
        follow(2, after: nil)
        order.appeared([Self.name(1)])
        #expect(match(1, there: 1...1, watching: 2) == .unknown)
    }

    @Test("where one archive may be any file's, those behind it may be, too")
    mutating func unheardForAll() {
        for file in 1...3 { follow(file, after: nil) }
        #expect(match(2, there: 2...3, watching: nil) == .unknown)
        #expect(match(3, there: 2...3, watching: nil) == .unseen)
        #expect(order.sources.map(\.file) == [FileID(number: 3)])
    }

    @Test("files before one that is an archive itself have had theirs")
    mutating func itself() {
        follow(1, after: nil)
        follow(2, after: nil)
        order.appeared([Self.name(1), Self.name(2), Self.name(3)])
        order.isItself(FileID(number: 2), Self.name(2))
        order.pass(Self.name(2))
        #expect(match(3, there: 2...3, rotated: [1, 2]) == .unseen)
    }

    @Test("one that is older than that, and is there, has its file all the same")
    mutating func beforeItself() {
        follow(1, after: nil)
        follow(2, after: nil)
        order.appeared([Self.name(1), Self.name(2)])
        order.isItself(FileID(number: 2), Self.name(2))
        #expect(match(1, there: 1...2, rotated: [1, 2]) == .file(FileID(number: 1)))
        order.pass(Self.name(2))
        #expect(order.sources.isEmpty)
    }

    @Test("a file that was there and could not be followed has an archive, too")
    mutating func ghost() {
        follow(nil, after: 1)
        follow(2, after: 1)
        follow(3, after: 2)
        #expect(match(2, there: 1...3) == .unseen)
        #expect(match(3, there: 1...3) == .file(FileID(number: 2)))
    }

    @Test("an archive that is known otherwise does not stand for one that was removed")
    mutating func knownOtherwise() {
        follow(1, after: nil)
        follow(2, after: nil)
        follow(3, after: 1)
        order.appeared([Self.name(1)])
        // Nobody has processed this one: it is the file itself, under another name.
        order.isItself(FileID(number: 1), Self.name(1))
        order.pass(Self.name(1))
        order.appeared([Self.name(2)])
        #expect(match(2, there: 2...2) == .file(FileID(number: 2)))
    }

    @Test("a file whose archive was found is not followed once more, whatever a listing shows")
    mutating func onlyOnce() {
        follow(1, after: 1)
        follow(2, after: 1)
        #expect(match(2, there: 1...2) == .file(FileID(number: 1)))
        follow(1, after: 2)
        #expect(order.sources.map(\.file) == [FileID(number: 2)])
    }

    @Test(
        "names that nobody deals with are not kept without bound, and then nothing is taken for known"
    )
    mutating func bounded() {
        follow(1, after: nil)
        order.appeared((1...2_000).map(Self.name))
        #expect(order.sources.isEmpty)
    }
}
