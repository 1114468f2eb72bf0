import Testing

@testable import Tailer

@Suite("Names that events told of")
struct AppearedNamesTests {
    private let live = Array("app.log".utf8)

    private func archive(_ number: Int) -> [UInt8] {
        let digits = String(number, radix: 16)
        return Array("@4000000067".utf8)
            + Array((String(repeating: "0", count: 14 - digits.count) + digits + ".s").utf8)
    }

    @Test("a rotated name is news of its log, until the directory is listed")
    func rotation() throws {
        var names = AppearedNames()
        names.add(Array("other.log".utf8))
        var isNews = names.isRotation(of: live)
        #expect(!isNews)
        names.add(Array("app.log.1".utf8))
        isNews = names.isRotation(of: live)
        #expect(isNews)
        let taken = names.takeNames()
        #expect(taken == [Array("other.log".utf8), Array("app.log.1".utf8)])
        isNews = names.isRotation(of: live)
        #expect(!isNews)
    }

    @Test("where more names appear than are remembered, it may have been any")
    func forgotten() throws {
        var names = AppearedNames()
        for number in 0..<100_000 { names.add(Array("stranger-\(number)".utf8)) }
        let isNews = names.isRotation(of: live)
        #expect(isNews)
        let (taken, rest) = (names.takeNames(), names.takeNames())
        #expect(taken == nil)
        #expect(rest == [])
    }

    @Test("the same two names again and again are two names")
    func again() throws {
        var names = AppearedNames()
        for number in 0..<10_000 { names.add(Array((number % 2 == 0 ? "a" : "b").utf8)) }
        let taken = names.takeNames()
        #expect(taken == [Array("a".utf8), Array("b".utf8)])
    }

    /// 1. Files with names like those of s6-log's archives come and go in a directory without one.
    /// 2. Two thousand directories with a thousand such names each had 150 MB for good.
    @Test("names like those of archives are remembered for a look, where there is no s6-log")
    func strangeArchives() {
        var names = AppearedNames()
        for number in 0..<2_000 { names.add(archive(number), isS6: false) }
        #expect(names.archives.count == 1_024)
        _ = names.takeNames()
        // One that begins after the listing may be an s6-log's.
        names.forgetListedArchives()
        #expect(names.archives.isEmpty)
        names.add(archive(1), isS6: false)
        _ = names.takeNames()
        names.add(archive(2), isS6: false)
        names.forgetListedArchives()
        #expect(names.archives == [archive(2)])
        _ = names.takeNames()
        let (_, forgotten) = names.takeArchives()
        #expect(forgotten == 0)
    }

    @Test("archives beyond those that are remembered are counted, once")
    func forgottenArchives() {
        var names = AppearedNames()
        for number in 0..<70_000 { names.add(archive(number), isS6: true) }
        _ = names.takeNames()
        let (taken, forgotten) = names.takeArchives()
        #expect(taken.count == 65_536)
        #expect(forgotten == 70_000 - 65_536)
        _ = names.takeNames()
        let (rest, again) = names.takeArchives()
        #expect(rest.isEmpty && again == 0)
    }

    @Test("archives that appear after the listing are for the next one, each once")
    func afterTheListing() {
        var names = AppearedNames()
        names.add(archive(1))
        _ = names.takeNames()
        for number in 2..<65_540 { names.add(archive(number)) }
        var (taken, forgotten) = names.takeArchives()
        #expect(taken == [archive(1)] && forgotten == 0)
        (taken, forgotten) = names.takeArchives()
        #expect(taken.isEmpty && forgotten == 0)
        _ = names.takeNames()
        (taken, forgotten) = names.takeArchives()
        #expect(taken == (2...65_536).map(archive) && forgotten == 3)
        #expect(names.archives.isEmpty)
    }

    @Test("what was not remembered before a listing without s6-log is nobody's, either")
    func forgottenStrangers() {
        var names = AppearedNames()
        for number in 0..<1_030 { names.add(archive(number), isS6: false) }
        _ = names.takeNames()
        for number in 0..<3 { names.add(archive(number), isS6: false) }
        names.forgetListedArchives()
        _ = names.takeNames()
        let (taken, forgotten) = names.takeArchives()
        #expect(taken.isEmpty && forgotten == 3)
    }
}
