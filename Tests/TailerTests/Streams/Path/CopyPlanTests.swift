import Platform
import Testing

@testable import Tailer

@Suite("What is done about a file whose content was replaced")
struct CopyPlanTests {
    private typealias File = CopyPlan.File

    /// The file has held what was read of it since 100, and was seen to hold it at 200.
    private func plan(
        _ files: [File], isInPlace: Bool = true, rotated: RotatedName? = nil
    ) -> [CopyPlan.Action] {
        CopyPlan.make(
            CopyPlan.Facts(
                files: files, begun: 100, intact: 200, isInPlace: isInPlace, rotated: rotated))
    }

    @Test("with nothing beside it, it begins anew, and what it held is lost")
    func alone() {
        #expect(plan([]) == [.takeUp([]), .restart(copy: nil, later: [])])
        #expect(
            plan([File(content: .nothing, modified: 300)])
                == [.takeUp([]), .restart(copy: nil, later: [])])
    }

    @Test("what it held goes on in the copy, and what was copied of it later comes after that")
    func copy() {
        let files = [
            File(content: .past, modified: 210), File(modified: 220),
            File(content: .nothing, modified: 230),
        ]
        #expect(plan(files) == [.takeUp([]), .restart(copy: 0, later: [1])])
    }

    @Test("of two that hold it, the older one is the copy")
    func twoCopies() {
        let files = [File(content: .past, modified: 210), File(content: .past, modified: 220)]
        #expect(plan(files) == [.takeUp([]), .restart(copy: 0, later: [1])])
    }

    @Test("what was copied before it held that was read before; what was missed then comes first")
    func missed() {
        let files = [
            File(modified: 90), File(modified: 110), File(content: .past, modified: 210),
        ]
        #expect(plan(files) == [.takeUp([1]), .restart(copy: 2, later: [])])
    }

    @Test("without a copy, what is older than when it was last seen to be the same is none of it")
    func noCopy() {
        let files = [File(modified: 150), File(modified: 200)]
        #expect(plan(files) == [.takeUp([]), .restart(copy: nil, later: [1])])
    }

    @Test("once another file has its place, what was copied since is that one's")
    func rotatedAway() throws {
        let files = [File(content: .past, modified: 210), File(modified: 220)]
        #expect(plan(files, isInPlace: false) == [.takeUp([]), .restart(copy: 0, later: [])])
    }

    @Test("what is newer than it by its name has its turn with what took its place")
    func newer() throws {
        func rotated(_ number: Int) throws -> RotatedName {
            try #require(RotatedName(Array("app.log.\(number)".utf8), of: Array("app.log".utf8)))
        }
        let files = [
            File(modified: 220, rotated: try rotated(3)), File(modified: 230),
            File(modified: 240, rotated: try rotated(1)),
        ]
        #expect(
            plan(files, rotated: try rotated(2))
                == [.takeUp([]), .restart(copy: nil, later: [0, 1])])
    }

    @Test("of more than can be open all have their turn in order, and what lies elsewhere is open")
    func turns() {
        let files = [
            File(content: .past, modified: 210), File(modified: 220),
            File(modified: 230, isElsewhere: true), File(modified: 240, isOpen: false),
        ]
        #expect(
            plan(files) == [.takeUp([]), .takeTurns(copy: 0, elsewhere: [2], here: [1, 3])])
    }

    @Test("what is closed and older than the copy has its turn after it: late, but whole")
    func closedBefore() {
        let files = [
            File(modified: 110, isOpen: false), File(modified: 120),
            File(content: .past, modified: 210),
        ]
        #expect(
            plan(files) == [.takeUp([1]), .takeTurns(copy: 2, elsewhere: [], here: [0])])
    }
}
