import CAllocationCounter
import Encoding
import Expressions
import Model
import Platform
import TestSupport
import Testing

@Suite("Events whose lines lie in one chunk are those that joining line by line makes")
struct LineGroupTests {
    private func encoder(
        _ multiline: Multiline, labels: LabelFormat? = nil, rules: LineRules = LineRules(),
        longestMessage: Int = 256 * 1024, keepsEmptyLines: Bool = false
    ) throws -> RecordEncoder {
        try RecordEncoder(
            codec: .json, template: EncodingFixture.template(), path: "/input/app.log",
            longestRecord: 1_000_000, keepsEmptyLines: keepsEmptyLines, labels: labels,
            rules: rules, multiline: multiline, longestMessage: longestMessage)
    }

    private var labels: LabelFormat { LabelFormat(tai64n: .skalibs, zone: .utc, takesT: true) }

    /// Encodes `bytes` in so many lines at a time as `next` says; what is open at the end stays so.
    private func records(
        _ encoder: RecordEncoder, _ bytes: [UInt8], capacity: Int, _ next: () -> Int
    ) -> (records: [[UInt8]], offsets: [Int]) {
        let frames = Frame.lines(of: bytes)
        var (records, offsets): ([[UInt8]], [Int]) = ([], [])
        var events = OpenEvents()
        var index = 0
        while index < frames.count {
            let end = min(frames.count, index + max(1, next()))
            let result = EventFixture.encode(
                encoder, bytes, Array(frames[index..<end]), capacity: capacity, after: events)
            records += result.records
            offsets += result.offsets
            events = result.events
            index = end
        }
        return (records, offsets)
    }

    @Test("The same records come whatever lies in one chunk", arguments: 0..<40)
    func chunks(_ seed: Int) throws {
        var random = SplitMix(seed: UInt64(seed))
        let words = [
            "begin", " b", "", "é☃", "\"", "\tat x", "end", "\u{1}", " \u{FFFD}", "a;",
            String(repeating: "long ", count: 30),
        ]
        let kinds = [
            Multiline(
                .pattern(try Expression(#"^\s"#), negate: false, match: .after), mostLines: 5),
            Multiline(
                .pattern(try Expression("^begin"), negate: true, match: .after),
                flush: try Expression("^end"), mostLines: 20),
            Multiline(.pattern(try Expression(";$"), negate: false, match: .before)),
            Multiline(.pattern(try Expression("x$"), negate: true, match: .before)),
            Multiline(.count(3)),
            Multiline(
                .pattern(try Expression(#"^\s"#), negate: false, match: .after),
                skipsNewline: true),
        ]
        let rules = [
            LineRules(),
            LineRules(
                exclude: [try Expression("(?s)begin.*end")],
                masks: [.init(pattern: try Expression("[ax]"), replacement: Array("**".utf8))]),
        ]
        let label = "@400000006b03bb0027d04f81 "
        for multiline in kinds {
            var text = ""
            for _ in 0..<Int.random(in: 1...80, using: &random) {
                if Bool.random(using: &random) { text += label }
                text += words.randomElement(using: &random) ?? ""
                text += Int.random(in: 0..<8, using: &random) == 0 ? "\r\n" : "\n"
            }
            let bytes = Array(text.utf8)
            let encoder = try encoder(
                multiline, labels: Bool.random(using: &random) ? labels : nil,
                rules: rules.randomElement(using: &random) ?? LineRules(),
                longestMessage: [70, 300, 256 * 1024].randomElement(using: &random) ?? 70,
                keepsEmptyLines: Bool.random(using: &random))
            let single = records(encoder, bytes, capacity: 1 << 20) { 1 }
            let whole = records(encoder, bytes, capacity: 1 << 20) { .max / 2 }
            #expect(whole.records == single.records)
            #expect(whole.offsets == single.offsets)
            let tight = records(encoder, bytes, capacity: 800) {
                Int.random(in: 1...30, using: &random)
            }
            #expect(tight.records == single.records)
            #expect(tight.offsets == single.offsets)
        }
    }

    @Test("So it is where a container's runtime wrote them", arguments: 0..<40)
    func containers(_ seed: Int) throws {
        var random = SplitMix(seed: UInt64(seed))
        let words = ["begin", " b", "", "é☃", "\tat x", "end", "a;", "a longer line of it"]
        let kinds = [
            nil,
            Multiline(
                .pattern(try Expression(#"^\s"#), negate: false, match: .after), mostLines: 5),
            Multiline(
                .pattern(try Expression("^begin"), negate: true, match: .after),
                flush: try Expression("^end")),
            Multiline(.pattern(try Expression(";$"), negate: false, match: .before)),
            Multiline(.count(3)),
        ]
        for (multiline, format) in kinds.flatMap({ kind in
            [(kind, ContainerFormat.cri), (kind, .docker)]
        }) {
            let oneChannel = Bool.random(using: &random)
            var text = ""
            for second in 0..<Int.random(in: 1...80, using: &random) {
                let message = words.randomElement(using: &random) ?? ""
                let isOther = !oneChannel && Int.random(in: 0..<4, using: &random) == 0
                text += ContainerText.line(
                    format, second % 60, isOther ? "stderr" : "stdout", message,
                    isPartial: Int.random(in: 0..<12, using: &random) == 0,
                    isMalformed: Int.random(in: 0..<20, using: &random) == 0,
                    attributes: Int.random(in: 0..<3, using: &random))
            }
            let bytes = Array(text.utf8)
            let encoder = try RecordEncoder(
                codec: .json, template: EncodingFixture.template(), path: "/input/app.log",
                longestRecord: 1_000_000, keepsEmptyLines: Bool.random(using: &random),
                rules: Bool.random(using: &random)
                    ? LineRules() : LineRules(exclude: [try Expression("(?s)begin.*end")]),
                container: format, multiline: multiline,
                channel: [nil, .stdout].randomElement(using: &random) ?? nil,
                longestMessage: [30, 256 * 1024].randomElement(using: &random) ?? 30)
            let single = records(encoder, bytes, capacity: 1 << 20) { 1 }
            let whole = records(encoder, bytes, capacity: 1 << 20) { .max / 2 }
            #expect(whole.records == single.records)
            #expect(whole.offsets == single.offsets)
            let tight = records(encoder, bytes, capacity: 900) {
                Int.random(in: 1...30, using: &random)
            }
            #expect(tight.records == single.records)
            #expect(tight.offsets == single.offsets)
        }
    }

    @Test(
        "Joining a million lines allocates no more than joining a thousand",
        arguments: ["", "@400000006b049b1025e51fbd "])
    func allocations(label: String) throws {
        var text = ""
        for number in 0..<500 {
            text += "\(label)level=info msg=\"a line\" number=\(number)\n"
            if number % 5 == 0 {
                text += "\(label)Oops: no\n\(label)\tat a.b.C(C.java:1)\n\(label)\t... 3 more\n"
            }
        }
        let chunk = Array(text.utf8)
        let encoder = try encoder(
            Multiline(.pattern(try Expression(#"^\s"#), negate: false, match: .after)),
            labels: labels)
        let frames = Frame.lines(of: chunk)
        let slab = PayloadSlab(capacity: 1 << 20)
        var (ends, offsets): ([UInt32], [UInt32]) = ([], [])
        ends.reserveCapacity(1000)
        offsets.reserveCapacity(1000)
        var records = 0
        func allocations(batches: Int) -> UInt64 {
            allocation_counter_start()
            for _ in 0..<batches {
                var events = OpenEvents()
                slab.cut(to: 0)
                ends.removeAll(keepingCapacity: true)
                offsets.removeAll(keepingCapacity: true)
                _ = encoder.encodeEvents(
                    frames, from: 0, of: chunk.span, events: &events,
                    origin: EventPlace(
                        file: EventFixture.file, generation: EventFixture.generation,
                        offset: LogicalOffset(0)),
                    readTime: EncodingFixture.readTime, now: .zero, into: slab,
                    limit: slab.capacity, ends: &ends, offsets: &offsets)
                records += ends.count
            }
            return allocation_counter_stop()
        }
        _ = allocations(batches: 1)
        let one = allocations(batches: 1)
        let many = allocations(batches: 1000)
        // What the last event of each chunk takes, and nothing for those before it.
        #expect(records == 1002 * 599)
        #expect(one <= 40, "\(one) for a thousand lines")
        #expect(many <= 1000 * one, "\(one) for a thousand lines, \(many) for a million")
    }
}

/// Lines as a container's runtime writes them.
private enum ContainerText {
    static func line(
        _ format: ContainerFormat, _ second: Int, _ channel: String, _ message: String,
        isPartial: Bool, isMalformed: Bool, attributes: Int
    ) -> String {
        let time = "2026-11-23T05:00:\(second < 10 ? "0" : "")\(second).5Z"
        if isMalformed { return "\(time) \(message)\n" }
        switch format {
        case .cri: return "\(time) \(channel) \(isPartial ? "P" : "F") \(message)\n"
        case .docker:
            let text = message.map { $0 == "\t" ? "\\t" : String($0) }.joined()
            let more = attributes == 0 ? #""attrs":{"tag":"x"},"# : ""
            return #"{"log":"\#(text)\#(isPartial ? "" : #"\n"#)","stream":"\#(channel)","#
                + "\(more)\"time\":\"\(time)\"}\n"
        }
    }
}
