import Testing

@testable import Tailer

@Suite("What is wrong with a name is told once, and counted while it lasts")
struct TroublesTests {
    /// In a box, for expectations look at values that stay as they are.
    private final class Box {
        private var troubles: Troubles

        init(_ troubles: Troubles = Troubles()) { self.troubles = troubles }

        var count: Int { troubles.count }
        var unreadable: Int { troubles.unreadable }
        var isEmpty: Bool { troubles.isEmpty }

        func note(_ path: String, _ kind: Troubles.Kind, _ reason: String) -> Bool {
            troubles.note(path, kind, reason)
        }

        func forget(_ path: String) -> Troubles.Kind? { troubles.forget(path) }
        func listed(_ directory: String, _ names: [[UInt8]]) { troubles.listed(directory, names) }
        func gone(_ directory: String) { troubles.gone(directory) }
    }

    private func bytes(_ texts: String...) -> [[UInt8]] { texts.map { Array($0.utf8) } }

    @Test("the same trouble of a name is no news, another one is")
    func news() {
        let troubles = Box()
        let link = "it is a symbolic link, not a regular file"
        #expect(troubles.note("/log/a", .refused, link))
        #expect(!troubles.note("/log/a", .refused, link))
        #expect(troubles.note("/log/a", .unreadable, "openat: Permission denied"))
        #expect(troubles.note("/log/b", .unreadable, "openat: Permission denied"))
        #expect(troubles.count == 2 && troubles.unreadable == 2)
        #expect(troubles.forget("/log/a") == .unreadable)
        #expect(troubles.forget("/log/a") == nil)
        #expect(troubles.note("/log/a", .refused, link))
        #expect(troubles.count == 2 && troubles.unreadable == 1)
    }

    @Test("every name in a directory full of links is news once, whatever else is met meanwhile")
    func many() {
        let troubles = Box()
        for round in 0..<3 {
            var news = 0
            for number in 0..<50_000 where troubles.note("/log/\(number)", .refused, "a link") {
                news += 1
            }
            #expect(news == (round == 0 ? 50_000 : 0))
        }
        #expect(troubles.count == 50_000 && troubles.unreadable == 0)
    }

    @Test("past the bound what is remembered is not forgotten, and not more is remembered")
    func bound() {
        let troubles = Box(Troubles(most: 2))
        for name in ["a", "b", "c"] { #expect(troubles.note("/log/\(name)", .unreadable, "EIO")) }
        #expect(troubles.unreadable == 2)
        #expect(!troubles.note("/log/a", .unreadable, "EIO"))
        #expect(troubles.note("/log/c", .unreadable, "EIO"))
        #expect(troubles.forget("/log/b") == .unreadable)
        #expect(troubles.note("/log/c", .unreadable, "EIO"))
        #expect(!troubles.note("/log/c", .unreadable, "EIO"))
    }

    @Test("what is not listed any more, or whose directory is gone, is not counted")
    func gone() {
        let troubles = Box()
        for name in ["a", "b", "c"] { _ = troubles.note("/log/x/\(name)", .unreadable, "EIO") }
        _ = troubles.note("/log/y/a", .unreadable, "EIO")
        troubles.listed("/log/x", bytes("b", "d"))
        #expect(troubles.unreadable == 2)
        #expect(!troubles.note("/log/x/b", .unreadable, "EIO"))
        troubles.gone("/log/x")
        #expect(troubles.unreadable == 1)
        troubles.listed("/log/y", bytes())
        #expect(troubles.count == 0 && troubles.isEmpty)
    }

    @Test("two spellings of one text are two names")
    func spellings() {
        let troubles = Box()
        #expect(troubles.note("/log/\u{e9}", .refused, "a link"))
        #expect(troubles.note("/log/e\u{301}", .refused, "a link"))
        #expect(troubles.count == 2)
    }
}
