import Model
import Platform
import TestSupport
import Testing

@testable import Tailer

@Suite("Files that stand in a log's way for a while, and no longer")
struct ObstaclesTests {
    private let home: TemporaryDirectory
    private var obstacles = Obstacles()
    private static let second: Int64 = 1_000_000_000

    init() throws { home = try TemporaryDirectory() }

    private func rotated(_ name: String) throws -> RotatedName {
        try #require(RotatedName(Array(name.utf8), of: Array("a.log".utf8)))
    }

    private func passed(
        _ name: String, since: MonotonicTime = 0, after: NewestTakenUp? = nil,
        status: FileStatus? = nil
    ) -> Obstacles.Passed {
        Obstacles.Passed(
            name: Array(name.utf8), path: "/log/\(name)",
            rotated: RotatedName(Array(name.utf8), of: Array("a.log".utf8)), since: since,
            after: after, status: status)
    }

    private mutating func waits(_ seconds: Int64, whole: Bool = false) -> Bool {
        obstacles.beginLook()
        defer { if whole { obstacles.endLook() } }
        return obstacles.hasToWait(MonotonicTime(nanoseconds: seconds * Self.second))
    }

    @Test("it waits for five seconds, whichever of them it waits for, and then for none")
    mutating func patience() {
        for time in 100...104 as ClosedRange<Int64> { #expect(waits(time)) }
        for time in 105...200 as ClosedRange<Int64> { #expect(!waits(time)) }
    }

    @Test("a look that has nothing to wait for ends the wait, and the next has its own time")
    mutating func ended() {
        #expect(waits(100))
        obstacles.beginLook()
        obstacles.endLook()
        #expect(waits(104))
        #expect(waits(108))
        #expect(!waits(109))
    }

    @Test("a whole look in which it still has to wait does not")
    mutating func goesOn() {
        #expect(waits(100, whole: true))
        #expect(waits(104, whole: true))
        #expect(!waits(105, whole: true))
    }

    /// 1. Hundreds of files are taken up, which takes minutes. One is renamed while it is opened.
    /// 2. So is another one, long after, and would be passed over at once.
    @Test("what stands in the way after the log has come on is another thing")
    mutating func cameOn() {
        #expect(waits(100))
        obstacles.comeOn()
        #expect(waits(160))
        #expect(waits(164))
        #expect(!waits(165))
    }

    @Test("what was passed over is tried often for a minute")
    mutating func zeal() {
        #expect(!obstacles.isZealous(0))
        obstacles.pass(1, passed("a.log.1", since: 0))
        obstacles.pass(2, passed("a.log.2", since: MonotonicTime(nanoseconds: 30 * Self.second)))
        #expect(obstacles.isZealous(MonotonicTime(nanoseconds: 89 * Self.second)))
        #expect(!obstacles.isZealous(MonotonicTime(nanoseconds: 90 * Self.second)))
    }

    @Test("a file that can be read again is wanted if it comes after what was taken up without it")
    mutating func wanted() throws {
        let stranger = Stranger(modified: 50, birth: 50, isPacked: false)
        obstacles.pass(1, passed("a.log.1"))
        obstacles.pass(3, passed("a.log.3"))
        obstacles.pass(9, passed("elsewhere"))
        // Nothing was found out about what came before.
        #expect(!obstacles.wants(1, stranger))
        let newest = NewestTakenUp(rotated: try rotated("a.log.2"), modified: 60, birth: 40)
        obstacles.settle(after: newest)
        #expect(obstacles.wants(1, stranger))
        #expect(!obstacles.wants(3, stranger))
        // Its name says nothing, and it is not of the stream's alone.
        #expect(obstacles.wants(9, stranger))
        #expect(!obstacles.wants(2, stranger))
        // Only the first that was taken up counts: what came since is newer.
        obstacles.settle(after: NewestTakenUp(isLive: true, modified: 99))
        obstacles.settle(1, after: NewestTakenUp(isLive: true, modified: 99))
        #expect(obstacles.wants(1, stranger))
    }

    @Test("under another name it is the same, by the mark that it had when it was passed over")
    mutating func renamed() throws {
        let newest = NewestTakenUp(rotated: try rotated("a.log.2"), modified: 60, birth: 40)
        obstacles.pass(1, passed("a.log.1", after: newest))
        obstacles.rename(1, to: Array("a.log.3".utf8), path: "/log/a.log.3")
        #expect(obstacles.passed[1]?.name == Array("a.log.3".utf8))
        #expect(obstacles.passed[1]?.path == "/log/a.log.3")
        #expect(obstacles.wants(1, Stranger(modified: 50, birth: 50, isPacked: false)))
        obstacles.forget(1)
        #expect(obstacles.isEmpty)
    }

    @Test("of one that is gone before it could be read, all is lost that was to be read")
    func lost() throws {
        try home.write("a.log.1", "one\n")
        let status = try FileStatus.glance(at: Array(home.path("a.log.1").utf8))
        let (before, after) = (status.modified - 1, status.modified - -1)
        func newest(_ name: String?, _ modified: FileTime) throws -> NewestTakenUp {
            NewestTakenUp(rotated: try name.map { try rotated($0) }, modified: modified)
        }
        func wasWanted(_ after: NewestTakenUp?, _ status: FileStatus?) -> Bool {
            passed("a.log.1", after: after, status: status).wasWanted
        }
        // Nothing was taken up without it, or the live file was.
        #expect(!wasWanted(nil, status))
        #expect(!wasWanted(NewestTakenUp(isLive: true, modified: before), status))
        // Names tell; and where it was written later, no name matters.
        #expect(try wasWanted(newest("a.log.2", after), status))
        #expect(try !wasWanted(newest("a.log.0", after), status))
        #expect(try wasWanted(newest("a.log.0", before), status))
        #expect(try !wasWanted(newest("a.log.0", before), nil))
        // Without names, the time of its last change does; what nobody could see is counted.
        #expect(try wasWanted(newest(nil, before), status))
        #expect(try wasWanted(newest(nil, status.modified), status))
        #expect(try !wasWanted(newest(nil, after), status))
        #expect(try wasWanted(newest(nil, after), nil))
    }

    @Test("two logs that become one keep what stood in the way of each, once")
    mutating func joined() {
        obstacles.pass(1, passed("a.log.1"))
        var others = Obstacles()
        others.pass(1, passed("b.log.1"))
        others.pass(2, passed("b.log.2"))
        obstacles.join(others)
        #expect(obstacles.passed.count == 2)
        #expect(obstacles.passed[1]?.name == Array("a.log.1".utf8))
    }
}
