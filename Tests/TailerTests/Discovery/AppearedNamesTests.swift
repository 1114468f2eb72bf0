import Testing

@testable import Tailer

@Suite("Names that events told of")
struct AppearedNamesTests {
    private let live = Array("app.log".utf8)

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
}
