import Encoding
import Expressions
import Model
import Platform
import TestSupport
import Testing

/// Lines that are nearly of a format: cut, doubled, with bytes that were changed. What comes of
/// them is to be documents, each within its bounds and at the beginning of one of the lines that it
/// is made of; and no line is missing.
@Suite("Whatever stands in a file, a format makes bounded documents of all of it")
struct FormatFuzzTests {
    private static let seeds: [String] = [
        "2026-11-23T05:00:00.123456789Z stdout F a line",
        "2026-11-23T05:00:00.1+02:00 stderr P a piece",
        "2026-11-23T05:00:00Z stdout P:x ",
        #"{"log":"a \u2603 line\n","stream":"stdout","time":"2026-11-23T05:00:00.1Z"}"#,
        #"{"log":"piece \\","stream":"stderr","attrs":{"a":"b"},"time":"2026-11-23T05:00:00Z"}"#,
        "@400000006b049b1025e51fbd a line", "2026-11-23 20:58:35.648969387  a line",
        "\tat org.example.C(C.java:1)", "Caused by: x", "☃ plain", "",
    ]

    private func bytes(_ random: inout SplitMix) -> [UInt8] {
        var text: [UInt8] = []
        for _ in 0..<Int.random(in: 1...60, using: &random) {
            var line = Array(Self.seeds.randomElement(using: &random).map { $0.utf8 } ?? "".utf8)
            for _ in 0..<Int.random(in: 0...3, using: &random) where !line.isEmpty {
                let place = Int.random(in: 0..<line.count, using: &random)
                switch Int.random(in: 0..<5, using: &random) {
                case 0: line[place] = UInt8.random(in: 0...255, using: &random)
                case 1: line.removeSubrange(place...)
                case 2: line.insert(contentsOf: line[place...], at: place)
                case 3: line.remove(at: place)
                default:
                    let special = Array(#""\{}:, @TZ+P"#.utf8).randomElement(using: &random)
                    line.insert(special ?? 0x22, at: place)
                }
            }
            line.removeAll { $0 == 0x0A }
            text += line + [0x0A]
        }
        return text
    }

    @Test(
        "F3, F13: with any format, and multiline or not, all of it comes",
        arguments: [nil, ContainerFormat.cri, .docker], [false, true])
    func formats(container: ContainerFormat?, isMultiline: Bool) throws {
        var random = SplitMix(seed: isMultiline ? 17 : 16)
        let multiline = Multiline(
            .pattern(try Expression(#"^\s|^Caused"#), negate: false, match: .after), mostLines: 7)
        for round in 0..<400 {
            let bytes = bytes(&random)
            let frames = Frame.lines(of: bytes)
            if container == nil, !isMultiline { continue }
            let longestRecord = [1_400, 4_000, 1_000_000].randomElement(using: &random) ?? 4_000
            let encoder = try RecordEncoder(
                codec: .json, template: EncodingFixture.template(), path: "/input/app.log",
                longestRecord: longestRecord, keepsEmptyLines: true,
                labels: container == nil
                    ? LabelFormat(tai64n: .skalibs, zone: .utc, takesT: true) : nil,
                container: container, multiline: isMultiline ? multiline : nil,
                longestMessage: [64, 4_096].randomElement(using: &random) ?? 64)
            let result = EventFixture.encode(
                encoder, bytes, frames,
                capacity: Int.random(in: 1_500...20_000, using: &random))
            let documents = try EventFixture.documents(result)
            #expect(result.records.allSatisfy { $0.count <= longestRecord }, "round \(round)")
            #expect(documents.map(\.log.offset) == result.offsets, "round \(round)")
            #expect(Set(result.offsets).count == documents.count, "round \(round)")
            #expect(result.offsets.allSatisfy { $0 < bytes.count }, "round \(round)")
            #expect(result.events.joiner.bytes <= 2 * 4_096)
            // Lines that are as they were written, and those that nobody understood.
            let open = result.events.joiner.low(of: EventFixture.generation)?.bytes ?? bytes.count
            let begun = frames.filter { $0.offset.bytes < open }.count
            #expect(documents.count + result.malformed >= (begun > 0 ? 1 : 0))
            let malformed = documents.filter { $0.log.flags?.contains("parse_error") ?? false }
            #expect(malformed.count >= result.malformed)
        }
    }

    @Test("Which format a file has is told of any first bytes")
    func guesses() {
        var random = SplitMix(seed: 18)
        for _ in 0..<2_000 {
            let bytes = bytes(&random)
            let head = bytes.prefix(Int.random(in: 0...1_024, using: &random))
            _ = ContainerFormat.guess(Array(head).span)
        }
        let cri = Array("2026-11-23T05:00:00Z stdout F a\n".utf8)
        #expect(ContainerFormat.guess(cri.span) == .cri)
    }
}
