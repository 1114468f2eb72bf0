import Model
import Testing

@Suite("Texts that stand for bytes") struct ExactTextTests {
    private let composed = "caf\u{E9}"
    private let decomposed = "cafe\u{301}"

    @Test("Two spellings of one character are two keys, and one spelling is one")
    func spellings() {
        #expect(composed == decomposed)
        #expect(ExactText(composed) != ExactText(decomposed))
        #expect(ExactText(composed) == ExactText("caf\u{E9}"))
        let keys: Set = [ExactText(composed), ExactText(decomposed), ExactText("caf\u{E9}")]
        #expect(keys.count == 2)
        #expect(
            [ExactText(composed), ExactText(decomposed)].sorted().map(\.text.utf8.count) == [6, 5])
    }

    @Test("What lies beneath a directory is told by bytes")
    func beneath() {
        #expect(ExactText("/a/\(composed)/x").isBeneath("/a/\(composed)"))
        #expect(!ExactText("/a/\(composed)/x").isBeneath("/a/\(decomposed)"))
        #expect(!ExactText("/a/\(composed)").isBeneath("/a/\(composed)"))
        #expect(!ExactText("/a/\(composed)s/x").isBeneath("/a/\(composed)"))
        #expect(ExactText("/a/b/c").parent == ExactText("/a/b"))
        #expect(ExactText("/a").parent == ExactText(""))
        #expect(ExactText("a").parent == nil)
    }
}
