import Encoding
import Model
import Platform
import TestSupport
import Testing

@Suite("The line that a record holds") struct RecordLineTests {
    private func document(of line: [UInt8]) throws -> [UInt8] {
        let encoder = try EncodingFixture.encoder()
        let frames = Frame.lines(of: line + [10])
        return try #require(EncodingFixture.records(encoder, line + [10], frames).first)
    }

    @Test(
        "A document gives back the line that it was made of",
        arguments: [
            "plain", "\\ \" / < > & \u{2028} \u{2029} \u{1} \u{1F} \t \r end", "Zürich 😀",
            #"","message":"no key"#, #"\u0041 \n"#,
        ])
    func wholeLine(line: String) throws {
        let value = try document(of: Array(line.utf8))
        let head = RecordLine.head(of: value.span, codec: .json, limit: 1_000)
        #expect(String(decoding: head, as: UTF8.self) == line)
        let raw = Array(line.utf8)
        #expect(RecordLine.head(of: raw.span, codec: .raw, limit: 1_000) == raw)
    }

    @Test("A long line is cut, and not within a character", arguments: [RecordCodec.json, .raw])
    func head(codec: RecordCodec) throws {
        let line = Array(String(repeating: "é", count: 500).utf8)
        let value = codec == .json ? try document(of: line) : line
        let head = RecordLine.head(of: value.span, codec: codec, limit: 101)
        #expect(head == Array(line.prefix(100)))
        #expect(RecordLine.head(of: value.span, codec: codec, limit: 1_000) == line)
    }

    @Test(
        "What is no document is taken as it is, however it ends",
        arguments: [
            "", "{}", #"{"message":""#, #"{"message":"\u00"#, #"{"message":"a\"#,
        ])
    func noDocument(text: String) {
        let head = RecordLine.head(of: Array(text.utf8).span, codec: .json, limit: 5)
        #expect(head.count <= 5)
    }
}
