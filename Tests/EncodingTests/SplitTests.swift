import Encoding
import Model
import Platform
import Tailer
import TestSupport
import Testing

@Suite struct SplitTests {
    private let text = String(repeating: "wörld ☃ 😀 \"quoted\"\t", count: 400)

    private var line: [UInt8] { Array(text.utf8) + [0x0A] }

    @Test func aLineTooLongForARecordArrivesInPartsThatJoin() throws {
        for longest in [700, 1000, 1001, 1002, 1003, 5000, 20_000] {
            let encoder = try EncodingFixture.encoder(longestRecord: longest)
            let bytes = line
            let frames = Frame.lines(of: bytes, at: 900)
            let records = EncodingFixture.records(encoder, bytes, frames)
            let documents = try records.map(EncodingFixture.document)
            #expect(records.allSatisfy { $0.count <= longest })
            #expect(documents.map(\.message).joined() == text)
            var offset = 900
            for document in documents {
                #expect(document.log.flags == (documents.count > 1 ? ["split"] : nil))
                #expect(document.log.offset == offset)
                #expect(document.metadata._id?.hasSuffix(hex(offset)) == true)
                offset += document.message.utf8.count
            }
            #expect(offset == 900 + text.utf8.count)
        }
    }

    @Test func partsAreTheSameWhateverRoomEachBatchHas() throws {
        let bytes = Array("before\n".utf8) + line + Array("after\n".utf8)
        let frames = Frame.lines(of: bytes)
        let encoder = try EncodingFixture.encoder(longestRecord: 2000)
        let expected = EncodingFixture.records(encoder, bytes, frames)
        #expect(expected.count >= 10)
        for capacity in [1, 600, 1999, 2000, 2001, 3456, 7000, 20_000] {
            #expect(
                EncodingFixture.records(encoder, bytes, frames, capacity: capacity) == expected,
                "room for \(capacity) bytes")
        }
    }

    @Test func readingOnBetweenTwoPartsGivesTheSameRecords() throws {
        let bytes = line
        let frames = Frame.lines(of: bytes)
        let encoder = try EncodingFixture.encoder(longestRecord: 2000)
        let expected = EncodingFixture.records(encoder, bytes, frames)
        let slab = PayloadSlab(capacity: 4500)
        var ends: [UInt32] = []
        let progress = encoder.encode(
            frames, from: .start, of: bytes.span, readTime: EncodingFixture.readTime, into: slab,
            limit: slab.capacity, ends: &ends)
        let place = try #require(progress.position.offset(in: frames)).bytes
        #expect(ends.count == 2 && place > 0)
        // As after a restart: the rest of the line is read again, known to be no line's start.
        let rest = Array(bytes[place...])
        let frame = Frame(
            offset: LogicalOffset(place), start: 0, count: rest.count - 1, length: rest.count,
            flags: .split)
        #expect(EncodingFixture.records(encoder, rest, [frame]) == Array(expected[2...]))
    }

    /// 1. A line is cut where the longest one would end, and its first part, which is too long for a
    ///    record, is cut once more.
    /// 2. The agent ends between these two.
    /// 3. The next one counted the longest line from there: other parts, other ids.
    @Test(arguments: [RecordCodec.json, .raw], [300, 1000, 1500, 100_000])
    func partsAreTheSameFromWhicheverOneReadingBegins(codec: RecordCodec, maxLine: Int) throws {
        let control = [UInt8](repeating: 1, count: 3000)
        let bytes = control + Array(text.utf8) + control + [10] + Array("next\n".utf8)
        let encoder = try EncodingFixture.encoder(codec, longestRecord: 2000)
        let framer = LineFramer(maxLine: maxLine)

        /// The offsets and ends of all parts from a place in the file on.
        func parts(from place: Int) -> [[Int]] {
            var (place, parts) = (place, [[Int]]())
            while place < bytes.count {
                let rest = Array(bytes[place...])
                let continues = place > 0 && bytes[place - 1] != 10
                var frames: [Frame] = []
                framer.frame(
                    rest.span,
                    within: .init(
                        offset: LogicalOffset(place), continuesLine: continues, isFinal: false),
                    into: &frames)
                // A batch or less at a time, as when credit is short.
                let slab = PayloadSlab(capacity: 2000)
                var ends: [UInt32] = []
                let progress = encoder.encode(
                    frames, from: .start, of: rest.span, readTime: EncodingFixture.readTime,
                    into: slab, limit: 2000, ends: &ends)
                guard let end = progress.position.offset(in: frames)?.bytes, end > place else {
                    break
                }
                parts.append([place, end])
                place = end
            }
            return parts
        }

        let whole = parts(from: 0)
        #expect(whole.last?[1] == bytes.count)
        #expect(whole.count > 5)
        for index in whole.indices {
            #expect(parts(from: whole[index][0]) == Array(whole[index...]))
        }
    }

    @Test func aRenamedFileHasItsLinesCutInTheSamePlaces() throws {
        let bytes = line
        let frames = Frame.lines(of: bytes)
        let messages = try ["/log/current", "/log/@4000000065e07a152f072f40.s"].map { path in
            let encoder = try EncodingFixture.encoder(
                .json, EncodingFixture.template(path: path), longestRecord: 9000)
            return try EncodingFixture.records(encoder, bytes, frames).map {
                try EncodingFixture.document($0).message
            }
        }
        #expect(messages[0].count > 1)
        #expect(messages[0] == messages[1])
    }

    @Test func partsBehindAByteOrderMarkKnowWhereTheyAre() throws {
        let mark: [UInt8] = [0xEF, 0xBB, 0xBF]
        let bytes = mark + line
        let frame = Frame(
            offset: 0, start: 3, count: bytes.count - 4, length: bytes.count, flags: .none,
            skipped: 3)
        let encoder = try EncodingFixture.encoder(longestRecord: 2000)
        let documents = try EncodingFixture.records(encoder, bytes, [frame]).map(
            EncodingFixture.document)
        #expect(documents[0].log.offset == 0)
        #expect(documents[1].log.offset == 3 + documents[0].message.utf8.count)
        #expect(documents.map(\.message).joined() == text)
    }

    @Test func badBytesInPartsAreFlaggedWhereTheyAre() throws {
        var bytes = [UInt8](repeating: 0x61, count: 4000)
        bytes[3999] = 0xFF
        let frames = Frame.lines(of: bytes + [0x0A])
        let encoder = try EncodingFixture.encoder(longestRecord: 2000)
        let documents = try EncodingFixture.records(encoder, bytes + [0x0A], frames).map(
            EncodingFixture.document)
        #expect(documents.dropLast().allSatisfy { $0.log.flags == ["split"] })
        #expect(documents.last?.log.flags == ["split", "invalid_utf8"])
    }

    @Test func framesThatWereCutBeforeAreFlagged() throws {
        let bytes = Array("part".utf8)
        let frame = Frame(offset: 8, start: 0, count: 4, length: 4, flags: .split)
        let documents = try EncodingFixture.records(
            try EncodingFixture.encoder(), bytes, [frame]
        ).map(EncodingFixture.document)
        #expect(documents.map(\.log.flags) == [["split"]])
    }

    @Test func rawLinesAreCutBetweenCharactersAndJoin() throws {
        let bytes = line
        let frames = Frame.lines(of: bytes)
        for longest in [64, 65, 66, 67, 1000] {
            let encoder = try EncodingFixture.encoder(.raw, longestRecord: longest)
            let records = EncodingFixture.records(encoder, bytes, frames, capacity: 3000)
            #expect(records.allSatisfy { $0.count <= longest })
            #expect(records.allSatisfy { String(validating: $0, as: UTF8.self) != nil })
            #expect(Array(records.joined()) == Array(text.utf8))
        }
    }

    @Test func aBatchEndsBeforeTheRecordThatDoesNotFitAndSaysWhatItNeeds() throws {
        let bytes = Array("one\ntwo\nthree\n".utf8)
        let frames = Frame.lines(of: bytes)
        let encoder = try EncodingFixture.encoder()
        let sizes = EncodingFixture.records(encoder, bytes, frames).map(\.count)
        let slab = PayloadSlab(capacity: 1 << 16)
        var ends: [UInt32] = []
        let first = encoder.encode(
            frames, from: .start, of: bytes.span, readTime: 0, into: slab,
            limit: sizes[0] + sizes[1] + 60, ends: &ends)
        #expect(ends == [UInt32(sizes[0]), UInt32(sizes[0] + sizes[1])])
        #expect(slab.count == sizes[0] + sizes[1])
        #expect(first.position == FramePosition(frame: 2, byte: 0))
        #expect(first.position.offset(in: frames) == 8)
        let needed = try #require(first.needed)
        #expect(needed >= sizes[2] && needed <= sizes[2] + 60)
        let second = encoder.encode(
            frames, from: first.position, of: bytes.span, readTime: 0, into: slab,
            limit: slab.count + needed, ends: &ends)
        #expect(second.needed == nil)
        #expect(ends.count == 3)
    }

    @Test func anEnvelopeThatFillsTheRecordIsRefusedWithItsPathAndSizes() throws {
        let template = EncodingFixture.template(tags: [String(repeating: "t", count: 900)])
        let error = #expect(throws: EncodingError.self) {
            try EncodingFixture.encoder(.json, template, longestRecord: 1000)
        }
        let message = try #require(error).description
        #expect(message.hasPrefix("/input/app.log: a record takes "))
        #expect(message.contains("of the 1000 that a record may have; raise message.max.bytes"))
    }

    private func hex(_ offset: Int) -> String {
        let digits = String(offset, radix: 16)
        return "-" + String(repeating: "0", count: 16 - digits.count) + digits
    }
}
