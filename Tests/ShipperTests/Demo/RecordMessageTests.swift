import Testing

@testable import Shipper

@Suite("A consumer takes the line out of its document")
struct RecordMessageTests {
    private func line(_ document: String) -> String? {
        RecordMessage.line(Array(document.utf8).span).map { String(decoding: $0, as: UTF8.self) }
    }

    @Test("It is the value of the first message")
    func message() {
        #expect(line(#"{"@timestamp":"t","message":"a 1 x","log":{"message":"y"}}"#) == "a 1 x")
        #expect(line(#"{"message":""}"#)?.isEmpty == true)
        #expect(line(#"{"a":"message","message":"z"}"#) == "z")
        #expect(line(#"{"x":"message"message":"z"}"#) == "z")
    }

    @Test("What is cut off or escaped is no line")
    func strange() {
        #expect(line(#"{"message":"a"#) == nil)
        #expect(line(#"{"message":"a\"b"}"#) == nil)
        #expect(line(#"{"mess"#) == nil)
        #expect(line("") == nil)
    }
}
