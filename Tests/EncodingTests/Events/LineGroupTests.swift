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
        _ multiline: Multiline?, labels: LabelFormat? = nil, rules: LineRules = LineRules(),
        container: ContainerFormat? = nil, channel: Channel? = nil,
        longestMessage: Int = 256 * 1024, keepsEmptyLines: Bool = false
    ) throws -> RecordEncoder {
        try RecordEncoder(
            codec: .json, template: EncodingFixture.template(), path: "/input/app.log",
            longestRecord: 1_000_000, keepsEmptyLines: keepsEmptyLines, labels: labels,
            rules: rules, container: container, multiline: multiline, channel: channel,
            longestMessage: longestMessage)
    }

    private var labels: LabelFormat { LabelFormat(tai64n: .skalibs, zone: .utc, takesT: true) }

    /// Encodes `bytes` in so many lines at a time as `next` says; what is open at the end stays so.
    private func records(
        _ encoder: RecordEncoder, _ bytes: [UInt8], capacity: Int, _ next: () -> Int
    ) -> (records: [[UInt8]], offsets: [Int], leftOut: Int) {
        let frames = Frame.lines(of: bytes)
        var (records, offsets): ([[UInt8]], [Int]) = ([], [])
        var events = OpenEvents()
        var index = 0
        var leftOut = 0
        while index < frames.count {
            let end = min(frames.count, index + max(1, next()))
            let result = EventFixture.encode(
                encoder, bytes, Array(frames[index..<end]), capacity: capacity, after: events)
            records += result.records
            offsets += result.offsets
            leftOut += result.leftOut
            events = result.events
            index = end
        }
        return (records, offsets, leftOut)
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

    /// A line of a container, of one stream mostly, seldom in pieces, with attributes or malformed.
    private func line(
        _ text: String, as format: ContainerFormat, _ random: inout SplitMix
    ) -> String {
        let stream = Int.random(in: 0..<20, using: &random) == 0 ? "stderr" : "stdout"
        let isPiece = Int.random(in: 0..<20, using: &random) == 0
        if Int.random(in: 0..<40, using: &random) == 0 { return "no such line\n" }
        let time = "2026-11-23T05:00:0\(Int.random(in: 0...9, using: &random))Z"
        switch format {
        case .cri: return "\(time) \(stream) \(isPiece ? "P" : "F") \(text)\n"
        case .docker:
            let attributes =
                Int.random(in: 0..<20, using: &random) == 0 ? #","attrs":{"a":"b"}"# : ""
            var json = JSONText()
            json.string(text + (isPiece ? "" : "\n"))
            return #"{"log":"# + String(decoding: json.bytes, as: UTF8.self)
                + #","stream":"\#(stream)"\#(attributes),"time":"\#(time)"}"# + "\n"
        }
    }

    @Test("The same of what a container's runtime wrote", arguments: 0..<30)
    func containers(_ seed: Int) throws {
        var random = SplitMix(seed: UInt64(seed))
        let words = ["begin", " b", "", "é☃ \"q\"", "\tat x", "end", "\u{1}", " long \(seed)"]
        let kinds = [
            nil,
            Multiline(
                .pattern(try Expression(#"^\s"#), negate: false, match: .after), mostLines: 5),
            Multiline(
                .pattern(try Expression("^begin"), negate: true, match: .after),
                flush: try Expression("^end"), mostLines: 20, skipsNewline: true),
            Multiline(.pattern(try Expression("x$"), negate: true, match: .before)),
            Multiline(.count(3)),
        ]
        let rules = [LineRules(), LineRules(exclude: [try Expression("(?s)begin.*end")])]
        for multiline in kinds {
            for format in ContainerFormat.allCases {
                var text = ""
                for _ in 0..<Int.random(in: 1...80, using: &random) {
                    text += line(words.randomElement(using: &random) ?? "", as: format, &random)
                }
                let bytes = Array(text.utf8)
                let encoder = try encoder(
                    multiline, rules: rules.randomElement(using: &random) ?? LineRules(),
                    container: format,
                    channel: [nil, .stdout, .stderr].randomElement(using: &random) ?? nil,
                    longestMessage: [70, 256 * 1024].randomElement(using: &random) ?? 70,
                    keepsEmptyLines: Bool.random(using: &random))
                let single = records(encoder, bytes, capacity: 1 << 20) { 1 }
                let whole = records(encoder, bytes, capacity: 1 << 20) { .max / 2 }
                #expect(whole.records == single.records)
                #expect(whole.offsets == single.offsets)
                #expect(whole.leftOut == single.leftOut)
                let tight = records(encoder, bytes, capacity: 800) {
                    Int.random(in: 1...30, using: &random)
                }
                #expect(tight.records == single.records)
                #expect(tight.offsets == single.offsets)
                #expect(tight.leftOut == single.leftOut)
            }
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
