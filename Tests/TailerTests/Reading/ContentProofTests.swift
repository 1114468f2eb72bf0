import Platform
import Testing

@testable import Tailer

@Suite("What makes it needless to read a file's content again") struct ContentProofTests {
    private static func at(_ milliseconds: Int64) -> MonotonicTime {
        MonotonicTime(nanoseconds: 1_000_000_000 + milliseconds * 1_000_000)
    }
    private static let fine = FileTime(nanoseconds: 1_700_000_000_123_456_789)

    @Test("Its content was what it was a tick after its change time was seen first")
    func proven() {
        var proof = ContentProof()
        proof.saw(changed: Self.fine, Self.at(0))
        proof.sawIntact(Self.at(600))
        #expect(proof.isProven)
        proof.saw(changed: Self.fine, Self.at(800))
        #expect(proof.isProven)
    }

    /// It may be changed once more within the tick, and have the same change time.
    @Test("Within the tick nothing is proven")
    func sameTick() {
        var proof = ContentProof()
        proof.saw(changed: Self.fine, Self.at(0))
        proof.sawIntact(Self.at(1))
        #expect(!proof.isProven)
    }

    @Test("Another change time, be it an earlier one, is news")
    func changed() {
        for step: Int64 in [1, -1, 3_600_000_000_000] {
            var proof = ContentProof()
            proof.saw(changed: Self.fine, Self.at(0))
            proof.sawIntact(Self.at(600))
            let later = FileTime(nanoseconds: Self.fine.nanoseconds + step)
            proof.saw(changed: later, Self.at(700))
            #expect(!proof.isProven)
            proof.sawIntact(Self.at(701))
            #expect(!proof.isProven)
        }
    }

    @Test("A file system that counts seconds has longer ticks")
    func coarse() {
        let whole = FileTime(nanoseconds: 1_700_000_000_000_000_000)
        var proof = ContentProof()
        proof.saw(changed: whole, Self.at(0))
        proof.sawIntact(Self.at(2_000))
        #expect(!proof.isProven)
        proof.sawIntact(Self.at(5_000))
        #expect(proof.isProven)
    }
}
