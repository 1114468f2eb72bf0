import Platform
import Testing

@testable import Tailer

@Suite("What is done about rotated files of a log that nothing is known of")
struct TakeUpPlanTests {
    private typealias Facts = TakeUpPlan.Facts

    private let isWithin: (Int) -> Bool = { _ in true }

    /// Nothing has to be closed, so nobody asks.
    private let unasked: (Int) -> Bool = { count in
        Issue.record("asked for \(count) descriptors")
        return false
    }

    private func file(
        _ name: String, modified: FileTime, birth: FileTime? = nil, size: Int = 1,
        isPacked: Bool = false
    ) throws -> TakeUpPlan.File {
        TakeUpPlan.File(
            rotated: try #require(RotatedName(Array(name.utf8), of: Array("app.log".utf8))),
            stranger: Stranger(modified: modified, birth: birth, isPacked: isPacked),
            modified: modified, size: size)
    }

    /// The newest file of which anything was read is `app.log.2` by now, and is from time 100 on what
    /// it is.
    private func reach(begun: FileTime = 1_000) throws -> TakeUpPlan.Reach {
        let name = try #require(RotatedName(Array("app.log.2".utf8), of: Array("app.log".utf8)))
        return TakeUpPlan.Reach(
            newest: NewestTakenUp(rotated: name, modified: 100, birth: 50), begun: begun)
    }

    @Test("what is newer than the newest file that was taken up is read, what is older is not")
    func newer() throws {
        let reach = try reach()
        #expect(reach.meaning(of: try file("app.log.1", modified: 90)) == .unread)
        #expect(reach.meaning(of: try file("app.log.3", modified: 90)) == .older)
        // Whatever the names are taken for.
        #expect(reach.meaning(of: try file("app.log.3", modified: 110, birth: 60)) == .unread)
        #expect(reach.meaning(of: try file("app.log.3", modified: 110, birth: 40)) == .older)
    }

    @Test("when the newest file is the live one, nothing beside it is newer")
    func live() throws {
        let newest = NewestTakenUp(isLive: true, modified: 100)
        let reach = TakeUpPlan.Reach(newest: newest, begun: 200)
        #expect(reach.meaning(of: try file("app.log.1", modified: 150)) == .older)
        #expect(reach.meaning(of: try file("app.log.1", modified: 200)) == .unread)
    }

    @Test("what may be a copy of what the newest file held is read, unless it lay there before")
    func copies() throws {
        let reach = try reach(begun: 80)
        var file = try file("app.log.3", modified: 90)
        #expect(reach.meaning(of: file) == .unread)
        file.isBeside = true
        #expect(reach.meaning(of: file) == .older)
    }

    @Test("what a pattern claims, or the stream had to go on without, is read whatever its age")
    func wanted() throws {
        let reach = try reach()
        var claimed = try file("app.log.3", modified: 90)
        claimed.isClaimed = true
        #expect(reach.meaning(of: claimed) == .unread)
        var passed = try file("app.log.3", modified: 90)
        passed.isWanted = true
        #expect(reach.meaning(of: passed) == .unread)
    }

    @Test("what is empty may be a copy that was just begun; what is older is older all the same")
    func empty() throws {
        let reach = try reach()
        #expect(reach.meaning(of: try file("app.log.1", modified: 120, size: 0)) == .empty)
        #expect(reach.meaning(of: try file("app.log.3", modified: 90, size: 0)) == .older)
    }

    @Test("the newest file, found in another directory, is no new one")
    func itself() throws {
        let reach = try reach()
        var file = try file("app.log.1", modified: 120)
        file.isNewest = true
        #expect(reach.meaning(of: file) == .itself)
    }

    // MARK: Order and number

    @Test("with nothing beside it, the live file is gone on with")
    func nothing() {
        #expect(
            TakeUpPlan.make(Facts(live: .listed), hasRoom: isWithin) == [
                .takeUp([]), .goOnWithLive,
            ])
        // Nothing is to be opened.
        #expect(TakeUpPlan.make(Facts(), hasRoom: unasked) == [.takeUp([]), .goOnWithLive])
    }

    @Test("rotated files come before the live one, and there is a descriptor for each")
    func rotated() {
        let facts = Facts(unread: [.init(birth: 1), .init(birth: 2)], live: .listed)
        var wanted: [Int] = []
        let plan = TakeUpPlan.make(facts) { count in
            wanted.append(count)
            return true
        }
        #expect(plan == [.takeUp([0, 1]), .goOnWithLive])
        #expect(wanted == [3])
    }

    @Test("without a descriptor for each, the oldest come first and the live file waits")
    func short() {
        let facts = Facts(unread: [.init(birth: 1), .init(birth: 2)], live: .listed)
        let plan = TakeUpPlan.make(facts, hasRoom: { _ in false })
        #expect(plan == [.takeUpWhileThereIsRoom([0, 1]), .end(.retry)])
    }

    @Test("while there are more in the archives than were opened, the live file waits")
    func partial() {
        let facts = Facts(unread: [.init(birth: 1)], isPartial: true, live: .listed)
        #expect(
            TakeUpPlan.make(facts, hasRoom: unasked)
                == [.takeUpWhileThereIsRoom([0]), .end(.retry)])
        // None of those is read: the next ones have their turn at once.
        #expect(
            TakeUpPlan.make(Facts(isPartial: true, live: .listed), hasRoom: unasked)
                == [.takeUpWhileThereIsRoom([]), .end(.again)])
    }

    @Test("a live file that was removed after it was opened has its place by its birth")
    func removed() {
        let facts = Facts(
            unread: [.init(birth: 5), .init(birth: 10), .init(birth: 11), .init(birth: nil)],
            live: .removed(birth: 10))
        #expect(
            TakeUpPlan.make(facts, hasRoom: unasked)
                == [.takeUp([0, 3]), .takeUpRemoved, .takeUpLast([1, 2]), .end(.again)])
    }

    @Test("of more than can be open all have their turn in order, and what lies elsewhere is open")
    func turns() {
        let unread: [TakeUpPlan.Unread] = [
            .init(birth: 1), .init(isElsewhere: true, birth: 2), .init(birth: 3),
        ]
        #expect(
            TakeUpPlan.make(
                Facts(unread: unread, hasClosed: true, isPartial: true, live: .listed),
                hasRoom: unasked)
                == [.takeUp([1]), .takeTurns([0, 2], beforeRemoved: false), .end(.underWay)])
        #expect(
            TakeUpPlan.make(
                Facts(unread: unread, hasClosed: true, live: .removed(birth: 9)), hasRoom: unasked)
                == [.takeUp([1]), .takeTurns([0, 2], beforeRemoved: true), .end(.underWay)])
    }
}
