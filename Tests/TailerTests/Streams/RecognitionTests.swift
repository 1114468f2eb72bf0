import Testing

@testable import Tailer

@Suite("Whether a candidate was made of a file that was read, and what follows")
struct RecognitionTests {
    private typealias Source = Recognition.Source

    private let compressed = Recognition.Making()
    private let processed = Recognition.Making(isProcessed: true)
    /// A processor may leave bytes as they were.
    private let plain = Recognition.Making(isProcessed: true, isPlain: true)

    private func origin(
        _ making: Recognition.Making, _ source: Source, isS6: Bool = false, begins: Bool = true,
        name: Recognition.Name = .none, ends: Bool = true, isWritten: Bool = false
    ) -> Recognition.Origin {
        Recognition.origin(
            of: making, source, isS6: isS6, beginsAlike: { begins }, name: { name },
            endsAlike: { ends }, isWritten: { isWritten })
    }

    @Test("a compressed file is made of one that begins alike and that no name leads to any more")
    func made() {
        #expect(origin(compressed, Source(isSought: true)) == .made)
        #expect(origin(compressed, Source(isSought: true), begins: false) == .another)
        #expect(origin(compressed, Source(isSought: true, isAwaitingCopy: true)) == .made)
    }

    @Test("what the stream is through with, or looks for itself, is not asked for its content")
    func another() {
        for source in [Source(), Source(isReplaced: true, isSought: true)] {
            let origin = Recognition.origin(
                of: compressed, source, isS6: false,
                beginsAlike: {
                    Issue.record("it was read")
                    return true
                }, name: { .none }, endsAlike: { true }, isWritten: { false })
            #expect(origin == .another)
        }
    }

    @Test("until the compressor has removed what it read, nothing is decided")
    func undecided() {
        let source = Source(isSought: true)
        #expect(origin(compressed, source, name: .there(isArchive: false)) == .undecided)
        #expect(origin(compressed, source, name: .moved(isArchive: false)) == .undecided)
        #expect(origin(compressed, Source(isSought: true, isElsewhere: true)) == .undecided)
        // Whatever has its number by now.
        let removed = Source(isSought: true, isAwaitingCopy: true, isElsewhere: true)
        #expect(origin(compressed, removed, name: .there(isArchive: false)) == .made)
        let open = Source(isSought: true, isNameless: true, isOpen: true)
        #expect(origin(compressed, open, name: .there(isArchive: false)) == .made)
    }

    @Test(
        "in a directory of s6-log an archive stays what it is, and a name that moves holds up what is newer"
    )
    func s6() {
        let source = Source(isSought: true)
        #expect(origin(compressed, source, isS6: true, name: .there(isArchive: true)) == .another)
        #expect(origin(compressed, source, isS6: true, name: .moved(isArchive: true)) == .another)
        #expect(origin(compressed, source, isS6: true, name: .moved(isArchive: false)) == .holdsUp)
        // What was renamed or removed since it was listed is not there.
        #expect(origin(processed, source, isS6: true, name: .moved(isArchive: false)) == .made)
        #expect(
            origin(processed, source, isS6: true, name: .there(isArchive: false)) == .undecided)
    }

    @Test("what is not compressed has to end alike")
    func plainEnd() {
        #expect(origin(plain, Source(isSought: true)) == .made)
        #expect(origin(plain, Source(isSought: true), ends: false) == .another)
        #expect(origin(compressed, Source(isSought: true), ends: false) == .made)
    }

    @Test("a removed file that somebody still writes to is read to its end before its copy is")
    func written() {
        let open = Source(isSought: true, isNameless: true, isOpen: true)
        #expect(origin(compressed, open, isWritten: true) == .undecided)
        // s6-log never writes to what it has renamed.
        #expect(origin(processed, open, isWritten: true) == .made)
        // Without a descriptor there is nothing to be asked.
        #expect(origin(compressed, Source(isSought: true), isWritten: true) == .made)
    }

    @Test("what is open is read on by its descriptor, whatever was made of it")
    func descriptor() {
        let open = Source(isSought: true, isOpen: true)
        #expect(Recognition.sequel(of: compressed, open, isRead: { true }) == .goOnByDescriptor)
        #expect(Recognition.sequel(of: processed, open, isRead: { true }) == .settleLater)
    }

    @Test("of what is closed the rest is read in its copy, if there may be any")
    func rest() {
        let closed = Source(isSought: true)
        #expect(Recognition.sequel(of: compressed, closed, isRead: { true }) == .isRead)
        #expect(Recognition.sequel(of: compressed, closed, isRead: { false }) == .goOnInCopy)
        // That two archives begin alike is no proof.
        #expect(Recognition.sequel(of: processed, closed, isRead: { true }) == .goOnInCopy)
    }
}
