import Encoding
import Model
import Platform
import TestSupport

/// What tests of events share.
enum EventFixture {
    static let generation = GenerationID(value: 0x5F0C_9BE2_1A77_D1C3)
    static let file = FileID(number: 1)

    static func encoder(
        _ format: ContainerFormat, longestRecord: Int = 1_000_000, longestMessage: Int = 256 * 1024,
        keepsEmptyLines: Bool = true, path: String = "/input/app.log"
    ) throws -> RecordEncoder {
        try RecordEncoder(
            codec: .json, template: EncodingFixture.template(path: path), path: path,
            longestRecord: longestRecord, keepsEmptyLines: keepsEmptyLines, container: format,
            longestMessage: longestMessage)
    }

    /// All that became of `bytes`, and what is open at the end.
    struct Result {
        var records: [[UInt8]] = []
        var offsets: [Int] = []
        var malformed = 0
        /// Lines that rules or the wanted stream left out.
        var leftOut = 0
        var events = OpenEvents()
    }

    /// Encodes `frames` in slabs of `capacity` bytes, or of what one record takes.
    static func encode(
        _ encoder: RecordEncoder, _ bytes: [UInt8], _ frames: [Frame], capacity: Int = 1 << 20,
        after events: OpenEvents = OpenEvents(), now: MonotonicTime = .zero
    ) -> Result {
        var result = Result(events: events)
        var index = 0
        var size = capacity
        while index < frames.count {
            let slab = PayloadSlab(capacity: size)
            let origin = result.events.joiner.low(of: generation) ?? frames[index].offset
            var (ends, offsets): ([UInt32], [UInt32]) = ([], [])
            let progress = encoder.encodeEvents(
                frames, from: index, of: bytes.span, events: &result.events,
                origin: EventPlace(file: file, generation: generation, offset: origin),
                readTime: EncodingFixture.readTime, now: now, into: slab, limit: size, ends: &ends,
                offsets: &offsets)
            var start = 0
            for (end, offset) in zip(ends, offsets) {
                result.records.append(
                    slab.withBytes(start..<Int(end)) { bytes in bytes.indices.map { bytes[$0] } })
                result.offsets.append(origin.bytes + Int(offset))
                start = Int(end)
            }
            result.malformed += progress.malformed
            result.leftOut += progress.counts.leftOut
            index = progress.frame
            size = capacity
            if case .full(let needed) = progress.stop, ends.isEmpty { size = max(needed, capacity) }
        }
        return result
    }

    static func documents(_ result: Result) throws -> [Document] {
        try result.records.map { try EncodingFixture.document($0) }
    }
}
