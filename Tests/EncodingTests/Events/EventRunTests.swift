import Encoding
import Expressions
import Model
import Platform
import TestSupport
import Testing

@Suite("What container runtimes wrote becomes events") struct EventRunTests {
    private func line(_ second: Int, _ stream: String, _ tag: String, _ text: String) -> String {
        let seconds = second < 10 ? "0\(second)" : "\(second)"
        return "2026-11-23T05:00:\(seconds).5Z \(stream) \(tag) \(text)\n"
    }

    private func encode(
        _ text: String, longestMessage: Int = 256 * 1024, longestRecord: Int = 1_000_000,
        capacity: Int = 1 << 20
    ) throws -> EventFixture.Result {
        let bytes = Array(text.utf8)
        let encoder = try EventFixture.encoder(
            .cri, longestRecord: longestRecord, longestMessage: longestMessage,
            keepsEmptyLines: false)
        return EventFixture.encode(encoder, bytes, Frame.lines(of: bytes), capacity: capacity)
    }

    @Test("Pieces of two streams that come mixed are two messages, each with its stream and time")
    func mixed() throws {
        let text =
            line(1, "stdout", "P", "out ") + line(2, "stderr", "P", "err ")
            + line(3, "stderr", "F", "two") + line(4, "stdout", "F", "one")
        let result = try encode(text)
        let documents = try EventFixture.documents(result)
        #expect(documents.map(\.message) == ["err two", "out one"])
        #expect(documents.map(\.stream) == ["stderr", "stdout"])
        #expect(
            documents.map(\.timestamp) == ["2026-11-23T05:00:02.500Z", "2026-11-23T05:00:01.500Z"])
        let second = line(1, "stdout", "P", "out ").utf8.count
        #expect(documents.map(\.log.offset) == [second, 0])
        #expect(result.offsets == [second, 0])
        #expect(result.events.joiner.isEmpty)
        #expect(documents.allSatisfy { $0.log.flags == nil })
    }

    @Test("What is not finished is kept, and no position moves over its beginning")
    func unfinished() throws {
        let first = line(1, "stdout", "F", "whole")
        let result = try encode(
            first + line(2, "stdout", "P", "begun") + line(3, "stderr", "F", "between"))
        #expect(try EventFixture.documents(result).map(\.message) == ["whole", "between"])
        #expect(
            result.events.joiner.low(of: EventFixture.generation)
                == LogicalOffset(first.utf8.count))
        #expect(result.events.joiner.bytes == 5)
    }

    @Test("F3: a line that is none of the format is shipped as it is, flagged, and joins nothing")
    func malformed() throws {
        let result = try encode(
            line(1, "stdout", "P", "a") + "no such line\n" + line(2, "stdout", "F", "b"))
        let documents = try EventFixture.documents(result)
        #expect(documents.map(\.message) == ["no such line", "ab"])
        #expect(documents.map(\.log.flags) == [["parse_error"], nil])
        #expect(documents.map(\.stream) == [nil, "stdout"])
        #expect(documents[0].timestamp == "2026-11-23T03:38:00.123Z")
        #expect(result.malformed == 1)
    }

    @Test(
        "A message that is too long comes in parts, which are the same however much room there is")
    func long() throws {
        var text = ""
        for index in 0..<40 {
            text += line(
                1, "stdout", index % 20 == 19 ? "F" : "P", String(repeating: "x\"", count: 50))
            text += line(2, "stderr", "F", "between \(index)")
        }
        let whole = try encode(text, longestMessage: 1_000)
        let documents = try EventFixture.documents(whole)
        let parts = documents.filter { $0.stream == "stdout" }
        #expect(parts.count == 4)
        #expect(parts.allSatisfy { $0.message.utf8.count == 1_000 && $0.log.flags == ["split"] })
        #expect(parts.map(\.message).joined() == String(repeating: "x\"", count: 2_000))
        #expect(Set(documents.map(\.log.offset)).count == documents.count)
        for capacity in [1_200, 2_100, 5_000] {
            let other = try encode(text, longestMessage: 1_000, capacity: capacity)
            #expect(other.records == whole.records)
            #expect(other.offsets == whole.offsets)
        }
        // A record's bound is one, too.
        let short = try encode(text, longestRecord: 1_500)
        let pieces = try EventFixture.documents(short).filter { $0.stream == "stdout" }
        #expect(pieces.map(\.message).joined() == String(repeating: "x\"", count: 2_000))
        #expect(short.records.allSatisfy { $0.count <= 1_500 })
    }

    @Test("A single line that is longer than a message may be comes in parts, with other offsets")
    func longLine() throws {
        let text =
            line(1, "stdout", "F", String(repeating: "é", count: 1_000))
            + line(2, "stdout", "F", "x")
        for capacity in [900, 1_300, 1 << 20] {
            let result = try encode(text, longestMessage: 333, capacity: capacity)
            let documents = try EventFixture.documents(result)
            #expect(
                documents.dropLast().map(\.message).joined() == String(repeating: "é", count: 1_000)
            )
            #expect(
                documents.dropLast().allSatisfy {
                    $0.log.flags == ["split"] && $0.stream == "stdout"
                })
            #expect(documents.last?.message == "x" && documents.last?.log.flags == nil)
            #expect(documents.map(\.log.offset) == documents.map(\.log.offset).sorted())
            #expect(Set(documents.map(\.log.offset)).count == documents.count)
        }
    }

    @Test("A line that is longer than what is read as one keeps its stream and time in all parts")
    func cutLine() throws {
        let bytes = Array(
            (line(1, "stderr", "F", String(repeating: "y", count: 500))
                + line(2, "stdout", "F", "x")).utf8)
        var frames: [Frame] = []
        // As `LineFramer` cuts it where a line has 200 bytes at most.
        let end = ByteSearch.newline(in: bytes.span, from: 0) ?? 0
        for start in stride(from: 0, to: end, by: 200) {
            let count = min(200, end - start)
            frames.append(
                Frame(
                    offset: LogicalOffset(start), start: start, count: count,
                    length: start + count == end ? count + 1 : count,
                    flags: start == 0 ? .split : .continuation))
        }
        frames.append(
            Frame(
                offset: LogicalOffset(end + 1), start: end + 1, count: bytes.count - end - 2,
                length: bytes.count - end - 1, flags: .none))
        let result = EventFixture.encode(try EventFixture.encoder(.cri), bytes, frames)
        let documents = try EventFixture.documents(result)
        #expect(documents.map(\.message) == [String(repeating: "y", count: 500), "x"])
        #expect(documents[0].stream == "stderr")
        #expect(result.malformed == 0)
    }

    @Test("Each event has its own time, of one second as the one before or of another")
    func times() throws {
        let times = [
            "05:00:00.000", "05:00:00.001", "05:00:00.999", "05:00:01.010", "05:00:00.100",
            "05:00:00.100", "04:59:59.007",
        ]
        let text = times.map { "2026-11-23T\($0)Z stdout F x\n" }.joined() + "bad\n"
        let documents = try EventFixture.documents(
            try encode(text + "2026-11-23T04:59:59.123456Z stdout F x\n"))
        #expect(
            documents.map(\.timestamp)
                == times.map { "2026-11-23T\($0)Z" }
                + ["2026-11-23T03:38:00.123Z", "2026-11-23T04:59:59.123Z"])
    }

    @Test("A piece that is taken back and comes again is a piece as before, and no new line")
    func takenBack() throws {
        let begun = Array(line(1, "stdout", "P", "a").utf8)
        let encoder = try EventFixture.encoder(.cri)
        var events = EventFixture.encode(encoder, begun, Frame.lines(of: begun)).events
        // In the next file, where the event does not begin: it is to be handed over by itself.
        let rest = Array(line(2, "stdout", "F", "b").utf8)
        for _ in 0..<2 {
            var (ends, offsets): ([UInt32], [UInt32]) = ([], [])
            let progress = encoder.encodeEvents(
                Frame.lines(of: rest), from: 0, of: rest.span, events: &events,
                origin: EventPlace(
                    file: FileID(number: 2), generation: GenerationID(value: 2),
                    offset: LogicalOffset(0)),
                readTime: EncodingFixture.readTime, now: .zero,
                into: PayloadSlab(capacity: 1 << 16), limit: 1 << 16, ends: &ends,
                offsets: &offsets)
            #expect(progress.stop == .foreign(.stdout, isAtEnd: true, isTaken: true))
            let event = try #require(events.joiner.event(.stdout))
            #expect(event.text == Array("ab".utf8))
            #expect(event.lines == 1 && !event.isOfLines)
            events.takeBack(.stdout)
        }
    }

    @Test("A line in two frames whose end is taken back goes on with its beginning once more")
    func takenBackWithinLine() throws {
        let begun = Array(line(1, "stdout", "P", "a").utf8)
        let encoder = try EventFixture.encoder(.cri)
        var events = EventFixture.encode(encoder, begun, Frame.lines(of: begun)).events
        let bytes = Array(line(2, "stdout", "F", "bc").utf8)
        let cut = bytes.count - 2
        let frames = [
            Frame(offset: LogicalOffset(0), start: 0, count: cut, length: cut, flags: .split),
            Frame(
                offset: LogicalOffset(cut), start: cut, count: 1, length: 2, flags: .continuation),
        ]
        var index = 0
        for _ in 0..<3 {
            var (ends, offsets): ([UInt32], [UInt32]) = ([], [])
            let progress = encoder.encodeEvents(
                frames, from: index, of: bytes.span, events: &events,
                origin: EventPlace(
                    file: FileID(number: 2), generation: GenerationID(value: 2),
                    offset: LogicalOffset(0)),
                readTime: EncodingFixture.readTime, now: .zero,
                into: PayloadSlab(capacity: 1 << 16), limit: 1 << 16, ends: &ends,
                offsets: &offsets)
            #expect(progress.stop == .foreign(.stdout, isAtEnd: true, isTaken: true))
            #expect(progress.malformed == 0)
            #expect(events.joiner.event(.stdout)?.text == Array("abc".utf8))
            events.takeBack(.stdout)
            index = progress.frame - 1
            #expect(index == 1)
        }
    }

    @Test("An event by itself for which the slab is too short leaves nothing there, and says so")
    func tooShort() throws {
        let begun = Array(line(1, "stdout", "P", String(repeating: "x", count: 500)).utf8)
        let encoder = try EventFixture.encoder(.cri)
        var events = EventFixture.encode(encoder, begun, Frame.lines(of: begun)).events
        let event = try #require(events.joiner.event(.stdout))
        var size = 100
        for isLast in [false, true] {
            let slab = PayloadSlab(capacity: size)
            var (ends, offsets): ([UInt32], [UInt32]) = ([], [])
            let part = encoder.encode(
                event, of: &events, isAtEnd: true, readTime: EncodingFixture.readTime, into: slab,
                ends: &ends, offsets: &offsets)
            #expect(ends.count == (isLast ? 1 : 0) && offsets.count == ends.count)
            switch part {
            case .encoded: #expect(isLast)
            case .full(let needed):
                #expect(!isLast && slab.count == 0 && needed > size)
                size = needed
            }
        }
        #expect(encoder.size(of: event).bytes >= size)
    }

    @Test("An empty message is skipped, or kept where that is wanted")
    func empty() throws {
        let text =
            line(1, "stdout", "F", "") + line(2, "stdout", "P", "") + line(3, "stdout", "F", "")
        #expect(try encode(text).records.isEmpty)
        let bytes = Array(text.utf8)
        let kept = EventFixture.encode(
            try EventFixture.encoder(.cri), bytes, Frame.lines(of: bytes))
        #expect(try EventFixture.documents(kept).map(\.message) == ["", ""])
    }

    /// The model: each stream's text, with the ends of its lines.
    @Test(
        "However pieces come, each message arrives once, whole or in flagged parts",
        arguments: 0..<30)
    func model(_ seed: Int) throws {
        var random = SplitMix(seed: UInt64(seed))
        var text = ""
        var expected: [String: [String]] = ["stdout": [""], "stderr": [""]]
        var garbage: [String] = []
        for _ in 0..<400 {
            if Int.random(in: 0..<20, using: &random) == 0 {
                let junk = "junk \(Int.random(in: 0..<1000, using: &random))"
                text += junk + "\n"
                garbage.append(junk)
                continue
            }
            let stream = ["stdout", "stderr"].randomElement(using: &random) ?? "stdout"
            let ends = Int.random(in: 0..<3, using: &random) == 0
            let piece = String(
                (0..<Int.random(in: 1...40, using: &random)).map { _ in
                    "ab\"\\é☃\u{1}".randomElement(using: &random) ?? "a"
                })
            text += line(Int.random(in: 0..<60, using: &random), stream, ends ? "F" : "P", piece)
            let last = (expected[stream]?.count ?? 1) - 1
            expected[stream]?[last] += piece
            if ends { expected[stream]?.append("") }
        }
        for stream in ["stdout", "stderr"] { text += line(0, stream, "F", "end") }
        let result = try encode(
            text, longestMessage: Int.random(in: 60...400, using: &random),
            capacity: Int.random(in: 700...4_000, using: &random))
        let documents = try EventFixture.documents(result)
        for stream in ["stdout", "stderr"] {
            let arrived = documents.filter { $0.stream == stream }.map(\.message).joined()
            #expect(arrived == (expected[stream] ?? []).joined() + "end")
        }
        #expect(documents.filter { $0.stream == nil }.map(\.message) == garbage)
        #expect(Set(documents.map(\.log.offset)).count == documents.count)
        #expect(result.events.joiner.isEmpty)
    }

    @Test("F3: of one stream alone lines become records, and what is no line of a container")
    func oneStream() throws {
        let bytes = Array(
            """
            2026-11-23T05:00:00Z stdout P a
            2026-11-23T05:00:00Z stderr F no
            2026-11-23T05:00:00Z stdout F b
            2026-11-23T05:00:00Z stderr P no
            no line of a container
            2026-11-23T05:00:00Z stderr F no

            """.utf8)
        let encoder = try RecordEncoder(
            codec: .json, template: EncodingFixture.template(), path: "/input/app.log",
            longestRecord: 1_000_000, keepsEmptyLines: false, container: .cri, channel: .stdout)
        let result = EventFixture.encode(encoder, bytes, Frame.lines(of: bytes))
        let documents = try EventFixture.documents(result)
        #expect(documents.map(\.message) == ["ab", "no line of a container"])
        #expect(result.malformed == 1)
        #expect(result.events.joiner.isEmpty)
    }

    @Test("What is no container's has no streams: of its events none is left out")
    func filterWithoutContainer() throws {
        let bytes = Array("a\nb\n b\nc\n".utf8)
        let multiline = Multiline(
            .pattern(try Expression(#"^\s"#), negate: false, match: .after))
        let encoder = try RecordEncoder(
            codec: .json, template: EncodingFixture.template(), path: "/input/app.log",
            longestRecord: 1_000_000, keepsEmptyLines: false, multiline: multiline,
            channel: .stdout)
        let result = EventFixture.encode(encoder, bytes, Frame.lines(of: bytes))
        let messages = try EventFixture.documents(result).map(\.message)
        #expect(messages == ["a", "b\n b"] && result.events.joiner.event(.log) != nil)
    }
}
