import Encoding
import Model
import Platform
import TestSupport
import Testing

@Suite("Records of labelled lines") struct LabelledLineTests {
    private static let label = "@400000006b03bb0027d04f81 "
    private static let time = "2026-11-23T04:02:35.667Z"
    private static let readTime = "2026-11-23T03:38:00.123Z"

    private func encoder(
        _ codec: RecordCodec = .json, longestRecord: Int = 1_000_000, keepsEmptyLines: Bool = false
    ) throws -> RecordEncoder {
        try EncodingFixture.encoder(
            codec, longestRecord: longestRecord, keepsEmptyLines: keepsEmptyLines,
            labels: LabelFormat(tai64n: .skalibs, zone: .utc, takesT: true))
    }

    private func documents(
        _ encoder: RecordEncoder, _ bytes: [UInt8], _ frames: [Frame]? = nil,
        capacity: Int = 1 << 20
    ) throws -> [Document] {
        let frames = frames ?? Frame.lines(of: bytes, at: 900)
        return try EncodingFixture.records(encoder, bytes, frames, capacity: capacity).map(
            EncodingFixture.document)
    }

    @Test("A label becomes the time and leaves the message; a line without one has the read time")
    func labels() throws {
        let text = """
            before
            \(Self.label)one
            between
            2026-11-23 04:02:35.667382704  two
            @400000006b03bb0027d04fgg three
            \(Self.label)2026-11-23 04:02:35.667963265  four

            """
        let documents = try documents(encoder(), Array(text.utf8))
        #expect(
            documents.map(\.message) == [
                "before", "one", "between", "two", "@400000006b03bb0027d04fgg three", "four",
            ])
        #expect(
            documents.map(\.timestamp) == [
                Self.readTime, Self.time, Self.readTime, Self.time, Self.readTime, Self.time,
            ])
        // Offsets and ids are those of the lines, labels included.
        #expect(documents.map(\.log.offset) == [900, 907, 937, 945, 980, 1012])
        #expect(documents[1].metadata._id == "5f0c9be21a77d1c3-000000000000038b")
        #expect(documents.allSatisfy { $0.log.flags == nil })
    }

    @Test(
        "What is encoded ends before a line of another time, by its label or the read time",
        arguments: [RecordCodec.json, .raw])
    func until(codec: RecordCodec) throws {
        let text = "\(Self.label)one\n\(Self.label)two\nthree\n\(Self.label)four\n"
        let bytes = Array(text.utf8)
        let frames = Frame.lines(of: bytes, at: 0)
        let encoder = try encoder(codec)
        let labelled: Int64 = 1_795_406_555_667
        let read: Int64 = 1_795_405_080_123
        #expect(
            frames.map {
                encoder.time(
                    of: $0, in: bytes.span, readTime: read * 1_000_000, lineTime: nil)
            } == [labelled, labelled, read, labelled])
        func count(until: Int64) -> Int {
            let slab = PayloadSlab(capacity: 1 << 16)
            var ends: [UInt32] = []
            var offsets: [UInt32] = []
            let progress = encoder.encode(
                frames, from: .start, of: bytes.span, readTime: read * 1_000_000, until: until,
                into: slab, limit: 1 << 16, ends: &ends, offsets: &offsets)
            #expect(progress.needed == nil && !progress.isCut)
            #expect(progress.position.frame == ends.count)
            return ends.count
        }
        #expect(count(until: .max) == 4)
        #expect(count(until: labelled + 1) == 4)
        #expect(count(until: labelled) == 0)
    }

    @Test("A line with nothing behind its label is empty: skipped, or kept with its time")
    func emptyLines() throws {
        let bytes = Array("\(Self.label)\n\n\(Self.label)x\n".utf8)
        #expect(try documents(encoder(), bytes).map(\.message) == ["x"])
        let kept = try documents(encoder(keepsEmptyLines: true), bytes)
        #expect(kept.map(\.message) == ["", "", "x"])
        #expect(kept.map(\.timestamp) == [Self.time, Self.readTime, Self.time])
        #expect(kept.map(\.log.offset) == [900, 927, 928])
    }

    @Test("A raw value is the line as it is, with its label")
    func raw() throws {
        let bytes = Array("\(Self.label)one\n\(Self.label)\nplain\n".utf8)
        let records = EncodingFixture.records(
            try encoder(.raw), bytes, Frame.lines(of: bytes))
        #expect(
            records.map(EncodingFixture.text) == ["\(Self.label)one", Self.label, "plain"])
    }

    @Test("Parts of a line too long for one record know their offsets and have its time")
    func splitByRecord() throws {
        let message = String(repeating: "wörld \(Self.label)", count: 300)
        let bytes = Array("x\n\(Self.label)\(message)\nnext\n".utf8)
        let encoder = try encoder(longestRecord: 2000)
        let expected = try documents(encoder, bytes)
        #expect(expected.count > 6)
        let parts = expected.dropFirst().dropLast()
        #expect(parts.map(\.message).joined() == message)
        #expect(parts.allSatisfy { $0.timestamp == Self.time && $0.log.flags == ["split"] })
        #expect(expected[0].timestamp == Self.readTime)
        #expect(expected.last?.timestamp == Self.readTime)
        // The line's first byte, and then the byte of the file at which each part begins.
        #expect(parts.first?.log.offset == 902)
        var offset = 902 + Self.label.utf8.count
        for (part, next) in zip(parts, parts.dropFirst()) {
            offset += part.message.utf8.count
            #expect(next.log.offset == offset)
        }
        for capacity in [1, 1999, 2000, 2001, 3456, 7000] {
            #expect(try documents(encoder, bytes, capacity: capacity) == expected)
        }
    }

    @Test("Behind a byte order mark a label is one, and parts know where they are")
    func byteOrderMark() throws {
        let message = String(repeating: "a", count: 5000)
        let bytes = [0xEF, 0xBB, 0xBF] + Array("\(Self.label)\(message)\n".utf8)
        let frame = Frame(
            offset: 0, start: 3, count: bytes.count - 4, length: bytes.count, flags: .none,
            skipped: 3)
        let parts = try documents(encoder(longestRecord: 2000), bytes, [frame])
        #expect(parts.map(\.message).joined() == message)
        #expect(parts.allSatisfy { $0.timestamp == Self.time })
        #expect(parts[0].log.offset == 0)
        #expect(parts[1].log.offset == 3 + 26 + parts[0].message.utf8.count)
    }

    @Test("Parts of a line longer than max_line have its time; what looks like a label there stays")
    func splitByFrame() throws {
        let first = "\(Self.label)begin "
        let second = "\(Self.label)middle"
        let bytes = Array("\(first)\(second)\nnext\n".utf8)
        let frames = [
            Frame(offset: 0, start: 0, count: first.count, length: first.count, flags: .split),
            Frame(
                offset: LogicalOffset(first.count), start: first.count, count: second.count,
                length: second.count + 1, flags: .continuation),
            Frame(
                offset: LogicalOffset(bytes.count - 5), start: bytes.count - 5, count: 4, length: 5,
                flags: .none),
        ]
        for capacity in [1, 700, 1 << 20] {
            let documents = try documents(encoder(), bytes, frames, capacity: capacity)
            #expect(documents.map(\.message) == ["begin ", second, "next"])
            #expect(documents.map(\.timestamp) == [Self.time, Self.time, Self.readTime])
            #expect(documents.map(\.log.flags) == [["split"], ["split"], nil])
        }
        // Read on after a restart, with nothing known of the line's beginning.
        let rest = try documents(encoder(), bytes, Array(frames.dropFirst()))
        #expect(rest.map(\.message) == [second, "next"])
        #expect(rest.map(\.timestamp) == [Self.readTime, Self.readTime])
    }

    @Test("Without a format nothing is a label")
    func plain() throws {
        let line = "\(Self.label)one"
        let documents = try documents(EncodingFixture.encoder(), Array("\(line)\n".utf8))
        #expect(documents.map(\.message) == [line])
        #expect(documents.map(\.timestamp) == [Self.readTime])
    }
}
