import Model
import TestSupport
import Testing

@testable import Tailer

@Suite("Zeros that are followed")
struct ZeroRunTests {
    private var run = ZeroRun(start: 1000, end: 2000, 0)

    @Test("how far they reach is never less than what was seen")
    mutating func reach() {
        run.reach(5000, isFollowed: false, cost: 4096)
        run.reach(3000, isFollowed: true, cost: 4096)
        #expect(run.start == 1000 && run.end == 5000)
        #expect(run.isFollowed && run.cost == 8192)
        run.begin(at: 1500)
        #expect(run.start == 1500 && run.end == 5000)
    }

    /// What a writer puts at their beginning is seen at once; a region of gigabytes must not be read
    /// anew with each of its writes.
    @Test("they are followed anew when something was written, after twenty nanoseconds for a byte")
    mutating func due() {
        run.reach(1_002_000, isFollowed: false, cost: 1_000_000)
        #expect(!run.isDue(1_000_000_000))
        run.isOld = true
        #expect(!run.isDue(19_999_999))
        #expect(run.isDue(20_000_000))
    }
}
