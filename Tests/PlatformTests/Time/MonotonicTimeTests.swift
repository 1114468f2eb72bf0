import Platform
import Testing

@Suite("Moments that all have in common") struct MonotonicTimeTests {
    @Test(
        "The next multiple of a length comes after a moment, and not more than the length after it",
        arguments: [1, 7, 200_000_000, 8_000_000_000, Int64.max] as [Int64])
    func next(length: Int64) {
        for nanoseconds in [0, 1, 6, 7, 199_999_999, 200_000_000, 1 << 50, -1, -200_000_000] {
            let moment = MonotonicTime(nanoseconds: Int64(nanoseconds))
            let next = moment.next(multipleOf: length)
            #expect(next > moment)
            #expect(next - moment <= length)
            #expect(next.nanoseconds % length == 0)
        }
    }

    @Test("At the clock's end there is no next one, and no trap")
    func end() {
        #expect(MonotonicTime.never.next(multipleOf: 200_000_000) == .never)
        #expect(MonotonicTime.min.next(multipleOf: .max) > .min)
    }
}
