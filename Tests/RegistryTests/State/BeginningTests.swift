import Model
import Platform
import Testing

@testable import Registry

@Suite("Files are found by how they begin") struct BeginningTests {
    private func entry(_ number: Int, _ head: String, path: String = "/log/a") -> FileEntry {
        FileEntry(
            file: FileID(number: number), input: "pods", stream: path, path: path,
            identity: FileIdentity(handle: nil, device: 1, inode: UInt64(number), birth: nil),
            fingerprint: .of(head: Array(head.utf8)),
            generation: GenerationID(value: UInt64(number)), generationCount: 0, base: .none,
            offset: Base.none.start, anchor: .none, size: .start, state: .active, updated: .now())
    }

    private func beginnings(_ head: String) -> Beginnings {
        Beginnings(of: Array(head.utf8), lengths: Set(0...1_024))
    }

    private func take(_ change: Change, _ state: inout RegistryState) {
        let isNews = state.apply(change)
        #expect(isNews)
    }

    private func numbers(_ entries: [FileEntry]) -> [Int] { entries.map(\.file.number) }

    @Test("as far as that is known of them, and when it changes")
    func known() {
        var state = RegistryState()
        for entry in [entry(1, "one\n"), entry(2, "one\ntwo\n"), entry(3, "other\n"), entry(4, "")]
        { take(.seen(entry), &state) }
        func found(_ head: String) -> [Int] {
            numbers(state.table.entries(beginningAs: beginnings(head)))
        }
        #expect(found("one\ntwo\nthree\n") == [1, 2])
        #expect(found("one\n") == [1])
        #expect(found("one").isEmpty && found("").isEmpty)
        #expect(state.table.lengthsOfBeginnings == [4, 6, 8])
        // Its fingerprint grows.
        let grown = Fingerprint.of(head: Array("one\nx\n".utf8))
        take(.head(FileID(number: 1), GenerationID(value: 1), grown, at: .now()), &state)
        #expect(found("one\ntwo\n") == [2] && found("one\nx\ny\n") == [1])
        // It is left, and its place is another's.
        take(.gone(FileID(number: 2)), &state)
        take(.seen(entry(5, "five\n")), &state)
        #expect(found("one\ntwo\n").isEmpty && found("five\n") == [5])
    }

    @Test("and so are those that left lately, until they are known again")
    func departed() {
        var state = RegistryState()
        func found(_ head: String) -> [Int] {
            numbers(state.departed.entries(beginningAs: beginnings(head)))
        }
        take(.seen(entry(1, "one\n")), &state)
        take(.seen(entry(2, "")), &state)
        #expect(found("one\n").isEmpty)
        take(.gone(FileID(number: 1)), &state)
        take(.gone(FileID(number: 2)), &state)
        #expect(found("one\nmore\n") == [1] && found("on").isEmpty && found("").isEmpty)
        #expect(state.departed[FileID(number: 1)] != nil)
        take(.seen(entry(1, "one\n")), &state)
        #expect(found("one\n").isEmpty && state.departed[FileID(number: 1)] == nil)
    }

    @Test("One directory whose files go all the time makes little of what others' are forgotten")
    func oneTakesItAll() {
        var departed = DepartedEntries()
        let others = (1...100).map { entry($0, "other \($0)\n", path: "/pod-\($0)/log/a") }
        for other in others { departed.add(other) }
        for number in 1_000..<20_000 {
            departed.add(entry(number, "busy \(number)\n", path: "/busy/log/\(number)"))
        }
        func isKnown(_ text: String) -> Bool {
            !departed.entries(beginningAs: beginnings(text)).isEmpty
        }
        let kept = (1...100).count { isKnown("other \($0)\n") }
        // Those whose directories share a group with the busy one: 1 in 64 of them.
        #expect(kept >= 80, "\(kept) of 100")
        #expect(isKnown("busy 19999\n") && isKnown("busy 19936\n") && !isKnown("busy 19935\n"))
        // Each place is given back.
        for number in 19_936..<20_000 { departed.remove(FileID(number: number)) }
        #expect(!isKnown("busy 19999\n"))
        departed.add(entry(1_000, "busy 1000\n", path: "/busy/log/1000"))
        #expect(isKnown("busy 1000\n"))
    }
}
