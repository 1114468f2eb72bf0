import CAllocationCounter
import Encoding
import Model
import Platform
import Testing

@Suite struct AllocationTests {
    @Test func theCounterSeesWhatIsAllocated() {
        allocation_counter_start()
        allocation_counter_probe(1000)
        #expect(allocation_counter_stop() >= 1000)
        allocation_counter_start()
        // Swift's own allocations too, which come from another library.
        var boxes: [PayloadSlab] = []
        for _ in 0..<100 { boxes.append(PayloadSlab(capacity: 64)) }
        let seen = allocation_counter_stop()
        #expect(boxes.count == 100)
        #expect(seen >= 200)
        allocation_counter_start()
        #expect(allocation_counter_stop() == 0)
    }

    @Test(
        arguments: [RecordCodec.json, .raw],
        ["", "@400000006b049b1025e51fbd ", "2026-11-23 20:58:35.648969387  "])
    func encodingAMillionLinesAllocatesNoMoreThanEncodingAThousand(
        codec: RecordCodec, label: String
    ) throws {
        let line = Array((label + "level=info msg=\"☃ a line\"\ttook=3ms \u{2028} end\n").utf8)
        let chunk = Array(repeatElement(line, count: 1000).joined())
        let labels = LabelFormat(
            tai64n: .skalibs, zone: try ZoneRules.load("Europe/Berlin"), takesT: true)
        let encoder = try EncodingFixture.encoder(codec, labels: labels)
        let slab = PayloadSlab(capacity: 1 << 20)
        var frames: [Frame] = []
        frames.reserveCapacity(1000)
        var ends: [UInt32] = []
        ends.reserveCapacity(1000)
        var offsets: [UInt32] = []
        offsets.reserveCapacity(1000)
        var lines = 0
        func allocations(batches: Int) -> UInt64 {
            allocation_counter_start()
            for _ in 0..<batches {
                frames.removeAll(keepingCapacity: true)
                var start = 0
                while let end = ByteSearch.newline(in: chunk.span, from: start) {
                    frames.append(
                        Frame(
                            offset: LogicalOffset(start), start: start, count: end - start,
                            length: end - start + 1, flags: .none))
                    start = end + 1
                }
                slab.cut(to: 0)
                ends.removeAll(keepingCapacity: true)
                offsets.removeAll(keepingCapacity: true)
                let progress = encoder.encode(
                    frames, from: .start, of: chunk.span, readTime: EncodingFixture.readTime,
                    into: slab, limit: slab.capacity, ends: &ends, offsets: &offsets)
                lines += progress.needed == nil ? ends.count : 0
            }
            return allocation_counter_stop()
        }
        // The first run pays for what is made once.
        _ = allocations(batches: 1)
        let few = allocations(batches: 1)
        let many = allocations(batches: 1000)
        #expect(lines == 1_002_000)
        #expect(many <= few, "\(few) for a thousand lines, \(many) for a million")
    }
}
