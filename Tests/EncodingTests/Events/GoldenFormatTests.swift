import Encoding
import Expressions
import Model
import Platform
import TestSupport
import Testing

/// `formats/NAME.log` is what stands in a file, and `NAME.out` what comes of it, one document a
/// line: offset, time, stream, flags, message as JSON; `-` for what it has none of. A time of 03:38
/// is the read time.
@Suite("Each format: what goes in, and what comes out") struct GoldenFormatTests {
    private func encoder(_ name: String) throws -> RecordEncoder {
        let multiline = Multiline(
            .pattern(
                try Expression(#"^\s|^Caused by: |^(?:[a-z]\w*\.)+[A-Z]\w*Exception\b"#),
                negate: false, match: .after))
        return try RecordEncoder(
            codec: .json, template: EncodingFixture.template(), path: "/input/app.log",
            longestRecord: 1_000_000, keepsEmptyLines: false,
            container: ContainerFormat(rawValue: name),
            multiline: name == "java" ? multiline : nil)
    }

    private func line(_ document: Document) -> String {
        var message = JSONText()
        message.string(document.message)
        return [
            "\(document.log.offset)", document.timestamp, document.stream ?? "-",
            document.log.flags?.joined(separator: ",") ?? "-",
            String(decoding: message.bytes, as: UTF8.self),
        ].joined(separator: " ")
    }

    @Test("F2, F3: golden pairs", arguments: ["cri", "docker", "java"])
    func pairs(name: String) throws {
        let input = try EncodingFixture.bytes("formats/\(name).log")
        let encoder = try encoder(name)
        var result = EventFixture.encode(encoder, input, Frame.lines(of: input))
        if let event = result.events.joiner.event(.log) {
            let slab = PayloadSlab(capacity: encoder.size(of: event).bytes)
            var (ends, offsets): ([UInt32], [UInt32]) = ([], [])
            _ = encoder.encode(
                event, of: &result.events, isAtEnd: true, readTime: EncodingFixture.readTime,
                into: slab, ends: &ends, offsets: &offsets)
            result.records.append(
                slab.withBytes(0..<slab.count) { bytes in bytes.indices.map { bytes[$0] } })
        }
        let expected = String(
            decoding: try EncodingFixture.bytes("formats/\(name).out"), as: UTF8.self)
        let lines = try EventFixture.documents(result).map { line($0) + "\n" }.joined()
        #expect(lines == expected)
    }

    /// `json.out` has whole documents.
    @Test("F10: a golden pair of lines of JSON")
    func linesOfJSON() throws {
        let input = try EncodingFixture.bytes("formats/json.log")
        let fields = JSONFields(
            messageKey: "msg", overwritesKeys: true, expandsKeys: true, addsError: true)
        let records = EncodingFixture.records(
            try JSONFixture.encoder(fields), input, Frame.lines(of: input))
        let expected = try EncodingFixture.bytes("formats/json.out")
        #expect(records.flatMap { $0 + [0x0A] } == expected)
        #expect(records.allSatisfy { StrictJSON($0) != nil })
    }
}
