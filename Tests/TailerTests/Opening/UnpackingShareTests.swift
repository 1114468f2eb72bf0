import Testing

@testable import Tailer

@Suite("Who of the compressed files may be read at a time")
struct UnpackingShareTests {
    /// 1. A pod has many archives under way, others one small one after another.
    /// 2. The last of the many loses its place to each of those.
    @Test("however often a file loses its place, its time is a time")
    func evictions() {
        var time = UnpackingShare.firstTime
        var longest: Int64 = 0
        for _ in 0..<1_000 {
            let longer = UnpackingShare.longerTime(than: time)
            #expect(longer >= time)
            time = longer
            longest = max(longest, time)
        }
        #expect(longest == 3_600_000_000_000)
    }
}
