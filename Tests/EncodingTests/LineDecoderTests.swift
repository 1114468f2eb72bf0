import Encoding
import Expressions
import Model
import Platform
import Tailer
import TestSupport
import Testing

@Suite("Lines in other encodings become UTF-8, and lie where they lay") struct LineDecoderTests {
    private static let texts: [(name: String, bytes: [UInt8], text: String)] = [
        ("latin-1", [0x61, 0xE4, 0xDF, 0x0A, 0x80, 0x0A], "aäß\n\u{80}\n"),
        ("windows-1252", [0x80, 0xE9, 0x0A], "€é\n"),
        ("iso8859-15", [0xA4, 0x0A], "€\n"),
        ("windows-1251", [0xCF, 0xF0, 0xE8, 0x0A], "При\n"),
        ("koi8r", [0xF0, 0xD2, 0x0A], "Пр\n"),
        ("utf-16le", [0x61, 0, 0xE4, 0, 0x0A, 0, 0x3D, 0xD8, 0, 0xDE, 0x0A, 0], "aä\n😀\n"),
        ("utf-16be", [0, 0x61, 0x0A, 0x0B, 0, 0x0D, 0, 0x0A], "a\u{A0B}\n"),
        ("gbk", [0xC4, 0xE3, 0x81, 0x5C, 0x0A], "你乗\n"),
        ("gb18030", [0x81, 0x30, 0x81, 0x30, 0x0A], "\u{80}\n"),
        ("big5", [0xA7, 0x41, 0xB3, 0x5C, 0x0A], "你許\n"),
        ("shift_jis", [0x95, 0x5C, 0xB1, 0x0A], "表ｱ\n"),
        ("euc-jp", [0xC6, 0xFC, 0x0A], "日\n"), ("euc-kr", [0xC7, 0xD1, 0x0A], "한\n"),
        // What Windows and browsers write in these.
        ("euc-jp", [0xAD, 0xA1, 0xB4, 0xC1, 0x0A], "①漢\n"),
        ("big5", [0xC7, 0x46, 0xC6, 0xE7, 0xA7, 0xDA, 0x0A], "たぁ我\n"),
    ]

    private func form(_ encoding: TextEncoding) -> LineForm {
        encoding.isWide ? .wide : encoding.hasLongCharacters ? .longCharacters : .ascii
    }

    private func frames(
        _ bytes: [UInt8], _ form: LineForm, maxLine: Int = 1 << 20, isFinal: Bool = true
    ) -> [Frame] {
        var frames: [Frame] = []
        LineFramer(maxLine: maxLine, form: form).frame(
            bytes.span,
            within: .init(
                offset: LogicalOffset(0), continuesLine: false, isFinal: isFinal, hasText: true),
            into: &frames)
        return frames
    }

    /// Lines, and where each of the records begins.
    private func lines(
        _ bytes: [UInt8], _ encoding: TextEncoding, maxLine: Int = 1 << 20, longest: Int = 1 << 20
    ) throws -> (texts: [[UInt8]], frames: [Frame]) {
        var decoder = LineDecoder()
        let resolved = encoding.resolved(head: bytes.span)
        let isDecoded = decoder.decode(
            frames(bytes, form(encoding), maxLine: maxLine), of: bytes.span, from: resolved,
            longest: longest, codec: .json)
        try #require(isDecoded)
        return (
            decoder.frames.map { Array(decoder.text[$0.start..<$0.start + $0.count]) },
            decoder.frames
        )
    }

    @Test("F11: each encoding that has a name of Filebeat's", arguments: texts)
    func encodings(name: String, bytes: [UInt8], text: String) throws {
        let encoding = try TextEncoding.load(name)
        let (lines, frames) = try lines(bytes, encoding)
        #expect(
            lines.map { String(decoding: $0, as: UTF8.self) }
                == text.split(separator: "\n").map(String.init))
        #expect(frames.first?.offset.bytes == 0)
        #expect(frames.reduce(0) { $0 + $1.length } == bytes.count)
    }

    @Test("F11: a byte order mark knows which byte comes first")
    func marks() throws {
        let big: [UInt8] = [0xFE, 0xFF, 0, 0x61, 0, 0x0D, 0, 0x0A, 0, 0x62, 0, 0x0A]
        let little: [UInt8] = [0xFF, 0xFE, 0x61, 0, 0x0D, 0, 0x0A, 0, 0x62, 0, 0x0A, 0]
        for name in ["utf-16", "utf-16le", "utf-16be-bom"] {
            for bytes in [big, little] {
                let (lines, frames) = try lines(bytes, try TextEncoding.load(name))
                #expect(lines == [[0x61], [0x62]])
                #expect(frames.map(\.offset.bytes) == [0, 8])
            }
        }
    }

    @Test("F11: a newline of two bytes that two reads divide ends a line all the same")
    func divided() {
        let bytes: [UInt8] = [0x61, 0, 0x0A, 0, 0x62, 0, 0x0A]
        let open = frames(bytes, .wide, isFinal: false)
        #expect(open.map(\.length) == [4])
        // U+0A61 and U+610A have such a byte, and end nothing.
        #expect(frames([0x61, 0x0A, 0x0A, 0x61], .wide).map(\.length) == [4])
    }

    @Test("F11: what is no character is one replacement for each byte, and no state is left of it")
    func invalid() throws {
        for (name, bytes, bad) in [
            ("gbk", [0xC4, 0x0A, 0xC4, 0xE3, 0xFF, 0x61, 0x0A], 2),
            ("shift_jis", [0x95, 0x0A, 0x95, 0x5C, 0x0A], 1),
            ("utf-16le", [0, 0xD8, 0x0A, 0, 0x61, 0, 0x0A, 0, 0x62], 2),
            ("windows-1252", [0x81, 0x0A, 0x61, 0x0A], 1),
        ] as [(String, [UInt8], Int)] {
            let (lines, frames) = try lines(bytes, try TextEncoding.load(name))
            #expect(lines.joined().count { $0 == 0xFF } == bad, "\(name)")
            #expect(frames.reduce(0) { $0 + $1.length } == bytes.count, "\(name)")
        }
        let latin = try EncodingFixture.encoder()
        let bytes: [UInt8] = [0xC4, 0x0A]
        var decoder = LineDecoder()
        let isDecoded = decoder.decode(
            frames(bytes, .longCharacters), of: bytes.span, from: try TextEncoding.load("gbk"),
            longest: 1_000, codec: .json)
        #expect(isDecoded)
        let record = try #require(
            EncodingFixture.records(latin, decoder.text, decoder.frames).first)
        let document = try EncodingFixture.document(record)
        #expect(document.message == "\u{FFFD}" && document.log.flags == ["invalid_utf8"])
        let isRaw = decoder.decode(
            frames(bytes, .longCharacters), of: bytes.span, from: try TextEncoding.load("gbk"),
            longest: 1_000, codec: .raw)
        #expect(isRaw && decoder.text == Array("\u{FFFD}".utf8))
    }

    @Test("F11: the parts of a long line are of whole characters, and each knows its place")
    func parts() throws {
        var random = SplitMix(seed: 11)
        let characters = ["a", "\"", "é", "表", "你", " ", "\u{1}", "0", "\\"]
        for name in ["utf-16be", "utf-16le", "gbk", "shift_jis", "latin-1"] {
            let encoding = try TextEncoding.load(name)
            for round in 0..<60 {
                var bytes: [UInt8] = []
                var texts: [String] = []
                for _ in 0..<4 {
                    var text = ""
                    for _ in 0..<Int.random(in: 0...400, using: &random) {
                        let next = characters.randomElement(using: &random) ?? "a"
                        if encode(next, name) != nil { text += next }
                    }
                    texts.append(text)
                    bytes += try #require(encode(text + "\n", name))
                }
                let maxLine = [50, 1 << 20].randomElement(using: &random) ?? 50
                let (lines, frames) = try lines(bytes, encoding, maxLine: maxLine, longest: 200)
                var place = 0
                for frame in frames {
                    #expect(frame.offset.bytes == place, "\(name) \(round)")
                    place += frame.length
                }
                #expect(place == bytes.count)
                #expect(
                    frames.allSatisfy { frame in
                        !frame.flags.contains(.continuation) || frame.flags.contains(.decoded)
                    })
                let all = lines.map { String(decoding: $0, as: UTF8.self) }.joined()
                #expect(all == texts.joined(), "\(name) \(round)")
                // A run that begins with any of the parts goes on with the same ones.
                guard maxLine > 50, let later = frames.dropFirst().first else { continue }
                var again = LineDecoder()
                let from = later.offset.bytes
                var rest: [Frame] = []
                LineFramer(maxLine: maxLine, form: form(encoding)).frame(
                    bytes.span.extracting(from..<bytes.count),
                    within: .init(
                        offset: later.offset, continuesLine: false, isFinal: true, hasText: true),
                    into: &rest)
                let isDecoded = again.decode(
                    rest, of: bytes.span.extracting(from..<bytes.count), from: encoding,
                    longest: 200, codec: .json)
                #expect(isDecoded)
                #expect(
                    again.frames.map { Array(again.text[$0.start..<$0.start + $0.count]) }.joined()
                        .elementsEqual(lines.dropFirst().joined()))
            }
        }
    }

    /// The bytes of a text of the characters above; nil where it has one that the encoding has not.
    private func encode(_ text: String, _ name: String) -> [UInt8]? {
        var bytes: [UInt8] = []
        for scalar in text.unicodeScalars {
            switch (name, scalar) {
            case ("utf-16be", _): bytes += [UInt8(scalar.value >> 8), UInt8(scalar.value & 0xFF)]
            case ("utf-16le", _): bytes += [UInt8(scalar.value & 0xFF), UInt8(scalar.value >> 8)]
            case (_, let scalar) where scalar.value < 0x80: bytes.append(UInt8(scalar.value))
            case ("latin-1", "é"): bytes.append(0xE9)
            case ("gbk", "你"): bytes += [0xC4, 0xE3]
            case ("gbk", "表"): bytes += [0xB1, 0xED]
            case ("shift_jis", "表"): bytes += [0x95, 0x5C]
            default: return nil
            }
        }
        return bytes
    }

    @Test("F11: masks that make a part longer than a record leave no position within it")
    func masked() throws {
        let rules = LineRules(masks: [
            .init(pattern: try Expression("a"), replacement: Array(repeating: 0x2A, count: 900))
        ])
        let encoder = try EncodingFixture.encoder(
            .json, EncodingFixture.template(), longestRecord: 3_000, rules: rules)
        let line = Array(repeating: UInt8(0x61), count: 12)
        let bytes = line + [0x0A, 0x62, 0x0A]
        var decoder = LineDecoder()
        let isDecoded = decoder.decode(
            frames(bytes, .ascii), of: bytes.span, from: try TextEncoding.load("latin-1"),
            longest: 5, codec: .json)
        #expect(isDecoded)
        let records = EncodingFixture.records(
            encoder, decoder.text, decoder.frames, capacity: 4_000)
        let documents = try records.map { try EncodingFixture.document($0) }
        #expect(documents.last?.message == "b")
        #expect(Set(documents.map(\.log.offset)).count == documents.count || documents.count > 12)
    }

    @Test(
        "F11: what nobody has a module for, or has no newline that can be found, is refused",
        arguments: [
            "klingon", "utf-32", "iso-2022-jp", "iso2022jp", "csiso2022kr", "hz-gb-2312",
            "EBCDIC-US", "a b", "",
        ])
    func refused(name: String) {
        #expect(throws: TextEncodingError.self) { try TextEncoding.load(name) }
    }

    @Test(
        "F11: whatever bytes there are, all of them are of some line",
        arguments: texts.map(\.name))
    func random(name: String) throws {
        var random = SplitMix(seed: 12)
        let encoding = try TextEncoding.load(name)
        for _ in 0..<200 {
            var bytes: [UInt8] = []
            for _ in 0..<Int.random(in: 0...300, using: &random) {
                let isLine = Int.random(in: 0..<12, using: &random) == 0
                bytes.append(isLine ? 0x0A : UInt8.random(in: 0...255, using: &random))
            }
            let (_, frames) = try lines(
                bytes, encoding, maxLine: Int.random(in: 2...80, using: &random),
                longest: Int.random(in: 1...200, using: &random))
            var place = 0
            for frame in frames {
                #expect(frame.offset.bytes == place && frame.length > 0)
                place += frame.length
            }
            #expect(place == bytes.count, "\(name)")
        }
    }

    @Test("F11: letters that stand where ASCII has others are those letters")
    func nearlyASCII() throws {
        let (lines, _) = try lines(
            [0x7B, 0x7C, 0x7D, 0x0A], try TextEncoding.load("iso646-de"))
        #expect(lines.map { String(decoding: $0, as: UTF8.self) } == ["äöü"])
    }

    @Test("F11: max_line counts bytes of the file, and is no limit of what is made of them")
    func longText() throws {
        let encoder = try RecordEncoder(
            codec: .json, template: EncodingFixture.template(), path: "/input/app.log",
            longestRecord: 1_000_000, keepsEmptyLines: false, longestMessage: 4_096)
        #expect(encoder.longestText >= 700_000)
        let bytes = [UInt8](repeating: 0xCF, count: 4_000) + [0x0A]
        let (lines, frames) = try lines(
            bytes, try TextEncoding.load("windows-1251"), longest: encoder.longestText)
        #expect(lines.map(\.count) == [8_000] && frames.map(\.flags) == [.none])
    }

    @Test("F11: of a long chunk no more is decoded than is soon taken, and at least a line")
    func portions() throws {
        let encoding = try TextEncoding.load("windows-1251")
        let line = [UInt8](repeating: 0xCF, count: 999) + [0x0A]
        let bytes = Array(repeatElement(line, count: 500).joined())
        var left = frames(bytes, .ascii)
        var calls = 0
        while !left.isEmpty {
            var decoder = LineDecoder()
            let isDecoded = decoder.decode(
                left, of: bytes.span, from: encoding, longest: 1 << 20, codec: .json)
            try #require(isDecoded && !decoder.frames.isEmpty)
            #expect(decoder.text.count <= 64 * 1024 + 2_000)
            #expect(decoder.frames.map(\.offset) == left.prefix(decoder.frames.count).map(\.offset))
            left.removeFirst(decoder.frames.count)
            calls += 1
        }
        #expect(calls < 20)
    }
}
