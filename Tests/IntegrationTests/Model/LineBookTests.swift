import TestSupport
import Testing

@Suite("The model catches what it is there to catch")
struct LineBookTests {
    private let place = LineBook.Place(stream: "app", life: 1)

    private func arrival(_ text: String, run: Int = 1) -> LineBook.Arrival {
        LineBook.Arrival(text: text, id: "id of \(text)", run: run)
    }

    /// A book of lines of one life, and what came of them.
    private func book(_ written: [String], _ arrived: [String]) -> LineBook {
        var book = LineBook()
        for text in written { book.wrote(text, at: place) }
        for text in arrived { book.arrived(arrival(text)) }
        return book
    }

    @Test("All lines once and in order: nothing to say")
    func clean() {
        let book = book(["a", "b", "c"], ["a", "b", "c"])
        #expect(book.isComplete && book.verdict.isEmpty)
    }

    @Test("A lost line")
    func lost() {
        let book = book(["a", "b", "c"], ["a", "c"])
        #expect(!book.isComplete)
        #expect(book.verdict == ["1 lost: \"b\""])
    }

    @Test("A line that may be lost, and no other")
    func excused() {
        var book = book(["a", "b", "c"], ["a"])
        book.excuse([0, 1], "deleted unread")
        #expect(book.hasExcuses)
        #expect(book.verdict == ["1 lost: \"c\""])
        book.arrived(arrival("b"))
        book.arrived(arrival("c"))
        #expect(book.verdict.isEmpty)
    }

    @Test("A line that comes twice in one run, or after a clean stop")
    func duplicate() {
        #expect(book(["a", "b"], ["a", "a", "b"]).verdict == ["again, by run 1 after 1: \"a\""])
        var book = book(["a"], ["a"])
        book.arrived(arrival("a", run: 2))
        #expect(book.verdict == ["again, by run 2 after 1: \"a\""])
    }

    @Test("After a kill a line may come again, once for the kill, with the same _id, if unsaved")
    func killed() {
        var clean = book(["a", "b"], ["a", "b"])
        clean.kill(run: 1)
        clean.arrived(arrival("b", run: 2))
        #expect(clean.verdict.isEmpty)
        clean.arrived(arrival("b", run: 3))
        #expect(clean.verdict == ["again, by run 3 after 2: \"b\""])

        var other = book(["a"], ["a"])
        other.kill(run: 1)
        other.arrived(LineBook.Arrival(text: "a", id: "another", run: 2))
        #expect(other.verdict == ["again, with _id another after id of a: \"a\""])

        var saved = book(["a", "b"], ["a"])
        saved.saved(run: 1)
        saved.kill(run: 1)
        saved.arrived(arrival("a", run: 2))
        saved.arrived(arrival("b", run: 2))
        #expect(saved.verdict == ["again, though it was acknowledged and saved: \"a\""])
    }

    @Test("Lines in another order than they were written")
    func swapped() {
        #expect(book(["a", "b", "c"], ["a", "c", "b"]).verdict == ["\"b\" after \"c\""])
        // In another life of the same stream, not in another stream.
        for (stream, isFault) in [("app", true), ("other", false)] {
            var book = book(["a"], [])
            book.wrote("b", at: LineBook.Place(stream: stream, life: 2))
            book.arrived(arrival("b"))
            book.arrived(arrival("a"))
            #expect(book.verdict.isEmpty != isFault)
        }
    }

    @Test("A late line has its place in its own life alone")
    func late() {
        let late = LineBook.Place(stream: "app", life: 1, isLate: true)
        var book = book(["a"], ["a"])
        book.wrote("late", at: late)
        book.wrote("later", at: late)
        book.wrote("next", at: LineBook.Place(stream: "app", life: 2))
        for text in ["next", "late", "later"] { book.arrived(arrival(text)) }
        #expect(book.verdict.isEmpty)
        var swapped = self.book(["a"], ["a"])
        for text in ["late", "later"] { swapped.wrote(text, at: late) }
        for text in ["later", "late"] { swapped.arrived(arrival(text)) }
        #expect(swapped.verdict == ["\"late\" after \"later\""])
    }

    @Test("What nobody wrote: a split line, a foreign one, a NUL")
    func foreign() {
        let book = book(["whole line"], ["whole", "line", "secret", "\u{0}whole line"])
        #expect(book.complaints.count == 4 && !book.isComplete)
    }
}

@Suite("A failing sequence is made short")
struct ShrinkerTests {
    @Test("To the steps that it takes, in their order")
    func steps() {
        let shrunk = Shrinker.shrink(Array(0..<40), limit: 1000) { steps in
            guard let first = steps.firstIndex(of: 7) else { return false }
            return steps[first...].contains(31) && steps.contains(3)
        }
        #expect(shrunk == [3, 7, 31])
    }

    @Test("To one step, and no further; within the limit")
    func limits() {
        #expect(Shrinker.shrink(Array(0..<9), limit: 1000) { $0.contains(4) } == [4])
        var asked = 0
        let shrunk = Shrinker.shrink(Array(0..<100), limit: 10) { steps in
            asked += 1
            return steps.contains(4) && steps.contains(90)
        }
        #expect(asked == 10 && shrunk.contains(4) && shrunk.contains(90))
    }

    @Test("A seed gives the same sequence, another one another")
    func seeds() {
        func sequence(_ seed: UInt64) -> [Operation] {
            var generator = SequenceGenerator(seed: seed, abilities: Set(Ability.allCases))
            return generator.sequence()
        }
        #expect(sequence(1) == sequence(1))
        #expect(sequence(1) != sequence(2))
    }
}
