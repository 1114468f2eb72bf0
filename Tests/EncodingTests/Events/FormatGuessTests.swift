import Encoding
import Testing

@Suite("First lines tell what wrote a file") struct FormatGuessTests {
    private func guess(_ text: String) -> ContainerFormat? {
        let head = Array(text.utf8.prefix(ContainerFormat.headLength))
        return ContainerFormat.guess(head.span)
    }

    private static let cri = "2026-11-23T05:00:00.123456789Z stdout F a line\n"
    private static let docker =
        #"{"log":"a\n","stream":"stdout","time":"2026-11-23T05:00:00Z"}"# + "\n"

    @Test("A container runtime's lines are known, whole or cut, also behind one that is none")
    func known() {
        #expect(guess(Self.cri) == .cri)
        #expect(guess(Self.docker) == .docker)
        #expect(guess(String(Self.cri.dropLast())) == .cri)
        #expect(guess("rest of a line\n" + Self.cri + Self.cri) == .cri)
        #expect(guess(Self.cri + Self.cri + "junk\n") == .cri)
        #expect(guess(Self.cri + Self.cri + "2026-11") == .cri)
        let long = String(repeating: "x", count: 16_384)
        #expect(
            guess(#"{"log":"\#(long)","stream":"stdout","time":"2026-11-23T05:00:00Z"}"#) == .docker
        )
        #expect(guess("2026-11-23T05:00:00Z stdout P \(long)") == .cri)
    }

    @Test("All else is nobody's format")
    func unknown() {
        for text in [
            "", "plain\n", "{", #"{"level":"info","log":"x"}"# + "\n",
            "2026-11-23T05:00:00Z INFO stdout F\n", Self.cri + "plain\n", Self.cri + Self.docker,
            "plain\nplain\n" + Self.cri,
        ] {
            #expect(guess(text) == nil, "\(text)")
        }
    }
}
