import Model
import Platform
import TestSupport
import Testing

@testable import Tailer

/// What is known of a content, as values: no file is opened. `assertInvariants` is called by each of
/// its verbs, so what these do to it also holds to the relations between its fields.
@Suite("What is known of a file's bytes", .overBases)
struct FileContentTests {
    private let base: Base

    init() {
        var bases = Bases()
        base = bases.next()
    }

    private func content(
        _ head: String = "", position: PhysicalOffset = 0, size: PhysicalOffset = 100,
        anchor: String = ""
    ) -> TailedFile.Content {
        TailedFile.Content(
            id: FileID(number: 1), base: base, position: base.logical(position),
            size: base.logical(size), anchor: Array(anchor.utf8), expectedHead: Array(head.utf8),
            headLength: head.utf8.count, mayBeginWithZeros: false, changed: 10, intactAt: 10,
            begunAt: 10)
    }

    private func advance(_ content: inout TailedFile.Content, _ text: String) {
        let bytes = Array(text.utf8)
        content.advance(over: bytes.span, bytes.count)
    }

    /// A node has a hundred thousand files that are read and quiet.
    @Test("What few files have takes no room in a file that is read")
    func compact() {
        #expect(MemoryLayout<TailedFile.Content>.size <= 256)
        var content = content("one\n")
        content.wait(forFirstLine: FirstLineWait(since: .zero))
        #expect(content.hasExceptions && content.firstLineWait != nil)
        advance(&content, "one\n")
        #expect(!content.hasExceptions && content.firstLineWait == nil)
        content.tail = [1]
        let copy = content
        content.tail = []
        #expect(!content.hasExceptions && copy.tail == [1])
        content.sawFromOutside(size: 7)
        #expect(content.lastSize == base.logical(7) && content.hasExceptions)
        // It never has room for more than an anchor.
        for _ in 0..<100 { advance(&content, "one more\n") }
        #expect(content.anchor.count == 64 && content.anchor.capacity < 128)
        // Nor of its own while somebody else keeps the same one.
        let before = content.anchor
        content.share(anchor: Array(before.dropLast()))
        #expect(content.anchor == before)
        let kept = before.map(\.self)
        content.share(anchor: kept)
        #expect(content.anchor == kept)
        advance(&content, "another\n")
        #expect(kept == before && content.anchor != kept)
    }

    @Test("Bytes that are taken are before the position: as anchor, and as the file's beginning")
    func advance() {
        var content = content("one\n")
        advance(&content, "one\n")
        advance(&content, String(repeating: "x", count: 70))
        #expect(content.position == base.logical(74) && content.size == base.logical(100))
        #expect(content.anchor == Array(repeating: UInt8(ascii: "x"), count: 64))
        #expect(
            content.beginning.agrees(with: Array("one\nxxx".utf8)) && content.beginning.count == 64)
        #expect(content.expectedHead.isEmpty && content.continuesLine)
        advance(&content, String(repeating: "x", count: 69) + "\n")
        #expect(content.size == content.position && !content.continuesLine)
    }

    @Test(
        "What a file is expected to begin with is known while nothing of it was read, the longest of it"
    )
    func expected() {
        var content = content("one")
        content.expect(Array("one\ntwo".utf8))
        content.expect(Array("on".utf8))
        #expect(content.expectedHead == Array("one\ntwo".utf8))
        advance(&content, "one\n")
        content.expect(Array("one\ntwo".utf8))
        #expect(content.expectedHead.isEmpty)
    }

    @Test("Zeros that are passed begin no line, and are told once, where they are not told at once")
    func skip() {
        var content = content("", size: 10)
        advance(&content, "ab")
        content.skip(20)
        #expect(content.position == base.logical(22) && content.size == content.position)
        #expect(content.anchor == Array("ab".utf8) + Array(repeating: 0, count: 20))
        let hole = content.endHole()
        #expect(!content.continuesLine && hole == nil)
    }

    @Test("What a file grew by is its own content's only once that was seen to go on")
    func growth() {
        var content = content()
        content.waitForMore()
        content.grew(to: base.logical(150))
        content.grew(to: base.logical(180))
        #expect(content.hasUnprovenGrowth && !content.waitsForMore)
        var replaced = content
        replaced.forgetUnprovenGrowth()
        #expect(replaced.size == base.logical(100) && !replaced.hasUnprovenGrowth)
        content.sawIntact()
        content.forgetUnprovenGrowth()
        #expect(content.size == base.logical(180))
    }

    @Test("What is cut off behind the position is not waited for")
    func cut() {
        var content = content(size: 4)
        advance(&content, "one\n")
        content.grew(to: base.logical(30))
        content.waitForMore()
        content.cut(to: 6)
        #expect(content.position == base.logical(4) && content.size == base.logical(6))
        #expect(!content.waitsForMore && !content.hasUnprovenGrowth)
    }

    @Test("A position beyond the end of a file that nobody writes to is its end")
    func passEnd() {
        var content = content(size: 8)
        advance(&content, "one\ntwo\n")
        var shorter = self.content(position: 8, size: 5, anchor: "one\ntwo\n")
        shorter.passEnd()
        content.passEnd()
        #expect(shorter.position == base.logical(5) && shorter.size == shorter.position)
        #expect(content.position == base.logical(8) && shorter.anchor.isEmpty)
    }

    @Test("What another file reads on is passed, unless more was written here since")
    func elsewhere() {
        var content = content(size: 9)
        advance(&content, "one\n")
        var grown = content
        content.succeeded(at: 9)
        grown.succeeded(at: 8)
        content.passWhatIsElsewhere()
        grown.passWhatIsElsewhere()
        #expect(content.position == base.logical(9) && grown.position == base.logical(4))
    }

    @Test("A new time of the last write makes the beginning of a line worth another look")
    func modified() {
        var content = content()
        content.saw(modified: 20)
        content.waitForMore()
        content.saw(modified: 20)
        #expect(content.waitsForMore)
        content.saw(modified: 21)
        #expect(!content.waitsForMore && content.modified == 21)
    }

    @Test("A clock that was set back takes with it what is compared with later times")
    func clockSetBack() {
        var content = content()
        content.saw(changed: 30)
        #expect(content.begunAt == 10 && content.intactAt == 10)
        content.saw(changed: 5)
        #expect(content.begunAt == 5 && content.intactAt == 5 && content.changed == 5)
    }

    @Test("With --once nothing is read beyond what was there at the start")
    func once() {
        var content = content(size: 8)
        content.readNoFurther()
        content.grew(to: base.logical(20))
        #expect(content.end == base.logical(8) && content.readLimit == base.logical(8))
    }

    @Test("What is told once is news once")
    func toldOnce() {
        var content = content()
        let first = content.becomeTooLarge()
        let second = content.becomeTooLarge()
        let damaged = content.becomeDamaged()
        #expect(first && !second && content.isTooLarge && !damaged)
    }
}
