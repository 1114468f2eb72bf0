import Model
import TestSupport
import Testing

@Suite("Byte ranges") struct ByteRangeTests {
    @Test("A range counts the bytes between its ends, and may be empty")
    func counts() {
        let range = ByteRange(start: 3, end: 10)
        #expect((range.start, range.end, range.count) == (3, 10, 7))
        #expect(ByteRange(start: 5, end: 5).count == 0)
        #expect(ByteRange(start: 0, end: .max).count == .max)
    }

    @Test("A range that ends before it starts stops the process")
    func reversed() async {
        await #expect(processExitsWith: .failure) { _ = ByteRange(start: 2, end: 1) }
    }

    @Test("A range before the first byte stops the process")
    func negative() async {
        await #expect(processExitsWith: .failure) { _ = ByteRange(start: -1, end: 1) }
    }
}
