import Encoding
import Model
import Platform
import TestSupport
import Testing

@Suite("Lines of Docker's json-file are read") struct DockerLineTests {
    private func encode(_ bytes: [UInt8], capacity: Int = 1 << 20) throws -> EventFixture.Result {
        EventFixture.encode(
            try EventFixture.encoder(.docker), bytes, Frame.lines(of: bytes), capacity: capacity)
    }

    private func encode(_ lines: String..., capacity: Int = 1 << 20) throws -> EventFixture.Result {
        try encode(Array(lines.map { $0 + "\n" }.joined().utf8), capacity: capacity)
    }

    private static let long = String(repeating: "x", count: 5_000)
    private static let time = #""time":"2026-11-23T05:00:00.123456789Z""#

    @Test(
        "Text, stream and time, whatever else is in the line and in which order",
        arguments: [
            (#"{"log":"hello\n","stream":"stdout",\#(time)}"#, "hello"),
            (#"{"log":"\n","stream":"stdout",\#(time)}"#, ""),
            (#"{"log":"a\r\n","stream":"stdout",\#(time)}"#, "a"),
            (#"{"log":"a\\n\n","stream":"stdout",\#(time)}"#, #"a\n"#),
            (
                #"{"log":"q \" s \/ b \\ t\tn\nr\rb\bf\f\n","stream":"stdout",\#(time)}"#,
                "q \" s / b \\ t\tn\nr\rb\u{8}f\u{C}"
            ),
            (
                #"{"log":"\u003ca\u003e \u2603 \ud83d\ude00\n","stream":"stdout",\#(time)}"#,
                "<a> ☃ 😀"
            ),
            (
                #"{"log":"half \ud83d and \ude00 \ud83dx\n","stream":"stdout",\#(time)}"#,
                "half \u{FFFD} and \u{FFFD} \u{FFFD}x"
            ),
            (
                #"{"log":"☃\n","stream":"stdout","attrs":{"a":"}","b":"\u2603☃"},\#(time)}"#,
                "☃"
            ),
            (#" { \#(time) , "attrs" : { } , "stream" : "stdout" , "log" : "b\n" } "#, "b"),
            (#"{"log":"first\n","log":"last\n","stream":"stdout",\#(time)}"#, "last"),
        ])
    func lines(_ line: String, text: String) throws {
        let documents = try EventFixture.documents(encode(line))
        #expect(documents.map(\.message) == [text])
        #expect(documents.first?.stream == "stdout")
        #expect(documents.first?.timestamp == "2026-11-23T05:00:00.123Z")
        #expect(documents.first?.log.flags == nil)
    }

    @Test(
        "What is no such line is shipped as it is, and flagged",
        arguments: [
            "plain", "{", "{}", #"{"log":"a\n"}"#, #"{"log":"a\n","stream":"stdout"}"#,
            #"{"log":"a\n","stream":"stdin",\#(time)}"#, #"{"log":1,"stream":"stdout",\#(time)}"#,
            #"{"log":"a\n","stream":"stdout","time":"today"}"#,
            #"{"log":"a\n","stream":"stdout","time":"2026-11-23T05:00:00Z "}"#,
            #"{"log":"a\n","stream":"stdout",\#(time)} x"#,
            #"{"log":"a\n","stream":"stdout",\#(time)"#,
            #"{"log":"\x\n","stream":"stdout",\#(time)}"#,
            #"{"log":"\u12g4\n","stream":"stdout",\#(time)}"#,
            #"{"log":"a\"#, #"{"log":"a\n","x":,"stream":"stdout",\#(time)}"#,
            #"{"log":"a\n","more":"x","stream":"stdout",\#(time)}"#,
            #"{"log":"a\n","attrs":{"a":1},"stream":"stdout",\#(time)}"#,
            #"{"log":"a\n","attrs":{"a":"\x"},"stream":"stdout",\#(time)}"#,
            #"{"log":"a\n","attrs":{"a":"b",},"stream":"stdout",\#(time)}"#,
            #"{"log":"a\n","attrs":{"a":"\#(long)"},"stream":"stdout",\#(time)}"#,
        ])
    func others(_ line: String) throws {
        let result = try encode(line)
        let documents = try EventFixture.documents(result)
        #expect(documents.map(\.message) == [line])
        #expect(documents.first?.log.flags == ["parse_error"])
        #expect(documents.first?.stream == nil)
        #expect(result.malformed == 1)
    }

    @Test("Labels and variables that Docker was told to log are docker.attrs, in each part")
    func attributes() throws {
        let attributes = #"{"tag":"☃ \"a\"","stage":""}"#
        let piece = String(repeating: "x", count: 300)
        let lines = (0..<4).map { number in
            #"{"log":"\#(piece)\#(number == 3 ? #"\n"# : "")","stream":"stderr","attrs":\#(attributes),"#
                + #"\#(Self.time)}"# + "\n"
        }
        let bytes = Array(lines.joined().utf8)
        for longest in [2_000, 1_000_000] {
            let result = EventFixture.encode(
                try EventFixture.encoder(.docker, longestRecord: longest, longestMessage: 500),
                bytes, Frame.lines(of: bytes))
            let texts = result.records.map { EncodingFixture.text($0) }
            #expect(texts.count == 4)
            for text in texts {
                #expect(
                    text.contains(#"","stream":"stderr","docker":{"attrs":\#(attributes)},"log":{"#)
                )
                #expect(text.utf8.count <= longest)
            }
            #expect(try EventFixture.documents(result).map(\.message).joined().utf8.count == 1_200)
        }
    }

    @Test("F2: a line in pieces of 16 KiB, with escapes, is one message")
    func pieces() throws {
        let piece = String(repeating: #"\u003c\"\\x☃"#, count: 2_048)
        let text = String(repeating: "<\"\\x☃", count: 2_048)
        let documents = try EventFixture.documents(
            encode(
                #"{"log":"\#(piece)","stream":"stdout",\#(Self.time)}"#,
                #"{"log":"between\n","stream":"stderr",\#(Self.time)}"#,
                #"{"log":"\#(piece)","stream":"stdout",\#(Self.time)}"#,
                #"{"log":"end\n","stream":"stdout",\#(Self.time)}"#))
        #expect(documents.map(\.message) == ["between", text + text + "end"])
        #expect(documents.map(\.stream) == ["stderr", "stdout"])
        #expect(documents[1].log.offset == 0)
        #expect(documents.allSatisfy { $0.log.flags == nil })
    }

    @Test("A long line with escapes comes in parts that are the same however much room there is")
    func parts() throws {
        let bytes =
            Array(
                #"{"log":"\#(String(repeating: #"\u0001é"#, count: 2_000))\n","stream":"stdout",\#(Self.time)}"#
                    .utf8) + [0x0A]
        func parts(_ capacity: Int) throws -> EventFixture.Result {
            EventFixture.encode(
                try EventFixture.encoder(.docker, longestRecord: 2_000, longestMessage: 1_000),
                bytes, Frame.lines(of: bytes), capacity: capacity)
        }
        let whole = try parts(1 << 20)
        let documents = try EventFixture.documents(whole)
        #expect(
            documents.map(\.message).joined() == String(repeating: "\u{1}é", count: 2_000))
        #expect(Set(whole.offsets).count == documents.count)
        #expect(whole.offsets.allSatisfy { $0 < bytes.count })
        for capacity in [2_000, 3_500] {
            let other = try parts(capacity)
            #expect(other.records == whole.records && other.offsets == whole.offsets)
        }
    }

    @Test(
        "Whatever bytes come, each line is a document, and no larger than it may be",
        arguments: 0..<50)
    func random(_ seed: Int) throws {
        var random = SplitMix(seed: UInt64(seed))
        let good = Array(
            #"{"log":"a \u00e9\ud83d\ude00\\ \"q\" \n","stream":"stdout","attrs":{"a":"b \u2603"},\#(Self.time)}"#
                .utf8)
        var bytes: [UInt8] = []
        var lines = 0
        for _ in 0..<1_000 {
            var line = Array(good.prefix(Int.random(in: 1...(2 * good.count), using: &random)))
            for _ in 0..<Int.random(in: 0...3, using: &random) where !line.isEmpty {
                let place = Int.random(in: 0..<line.count, using: &random)
                let byte = Array(#"\"{}[],:u0n"#.utf8).randomElement(using: &random) ?? 0x5C
                switch Int.random(in: 0..<4, using: &random) {
                case 0: line[place] = UInt8.random(in: 0x20...255, using: &random)
                case 1: line.remove(at: place)
                case 2: line.insert(byte, at: place)
                default: line[place] = byte
                }
            }
            lines += 1
            bytes += line + [0x0A]
        }
        let result = try encode(bytes, capacity: Int.random(in: 2_000...20_000, using: &random))
        let documents = try EventFixture.documents(result)
        #expect(documents.count <= lines)
        #expect(
            documents.filter { $0.log.flags?.contains("parse_error") ?? false }.count
                == result.malformed)
        #expect(result.records.reduce(0) { $0 + $1.count } <= lines * 1_000 + 6 * bytes.count)
        let whole = try encode(bytes)
        #expect(whole.records == result.records && whole.offsets == result.offsets)
    }
}
