import Encoding
import Model
import Platform
import TestSupport
import Testing

@Suite("The room that lines are expected to take") struct ExpectedSizeTests {
    @Test(
        "Ordinary lines fit into it, and it is less than twice what they take",
        arguments: [RecordCodec.json, .raw], [1, 3, 200])
    func ordinary(codec: RecordCodec, lines: Int) throws {
        let line = #"time="2026-11-23" level=info msg="a line of the usual length" took=3ms"#
        let chunk = Array(String(repeating: line + "\n", count: lines).utf8)
        let encoder = try EncodingFixture.encoder(codec)
        let overhead = 216
        let expected = encoder.expectedSize(lines: lines, bytes: chunk.count, overhead: overhead)
        let slab = PayloadSlab(capacity: expected)
        var (ends, offsets): ([UInt32], [UInt32]) = ([], [])
        let progress = encoder.encode(
            Frame.lines(of: chunk, at: 0), from: .start, of: chunk.span,
            readTime: EncodingFixture.readTime, into: slab, limit: expected, overhead: overhead,
            ends: &ends, offsets: &offsets)
        #expect(progress.needed == nil && ends.count == lines)
        #expect(expected < 2 * (slab.count + lines * overhead))
    }
}
