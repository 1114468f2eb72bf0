import Model
import TestSupport
import Testing

@Suite("Names as text, and back")
struct PathTextTests {
    @Test(
        "what is UTF-8 stays, other bytes and what looks like their spelling are spelled out",
        arguments: [
            (Array("plain.log".utf8), "plain.log"), ([], ""),
            (Array("\u{65e5}\u{672c}\n\"\\.log".utf8), "\u{65e5}\u{672c}\n\"\\.log"),
            ([0x61, 0xFF, 0x62], #"a\xffb"#), ([0x80], #"\x80"#),
            // Cut short, overlong, a surrogate, beyond the last code point.
            ([0xE2, 0x82], #"\xe2\x82"#), ([0xC0, 0xAF], #"\xc0\xaf"#),
            ([0xED, 0xA0, 0x80], #"\xed\xa0\x80"#),
            ([0xF4, 0x90, 0x80, 0x80], #"\xf4\x90\x80\x80"#),
            (Array(#"\xff"#.utf8), #"\x5cxff"#), (Array(#"\x5cxff"#.utf8), #"\x5cx5cxff"#),
            (Array(#"\\xff"#.utf8), #"\\x5cxff"#),
            // No spelling of ours: a unit's name as systemd escapes it, capitals, too short.
            (Array(#"a\x2db"#.utf8), #"a\x2db"#), (Array(#"\xFF\xf"#.utf8), #"\xFF\xf"#),
            (Array(#"\xf"#.utf8) + [0xFF], #"\xf\xff"#),
        ] as [([UInt8], String)])
    func spelling(name: [UInt8], text: String) {
        #expect(PathText.text(name) == text)
        #expect(PathText.bytes(of: text) == name)
    }

    @Test("any name comes back, and no two look alike")
    func anyName() {
        var random = SplitMix(seed: 7)
        // Few different bytes, so that what looks like a spelling is frequent.
        let bytes: [UInt8] = Array(#"\\\xxxf58bcé"#.utf8) + [0xFF, 0x80, 0xE2]
        var seen: [[UInt8]: [UInt8]] = [:]
        for _ in 0..<20_000 {
            let name = (0..<Int.random(in: 0...12, using: &random)).map { _ in
                bytes[Int.random(in: 0..<bytes.count, using: &random)]
            }
            let text = PathText.text(name)
            #expect(PathText.bytes(of: text) == name)
            let other = seen.updateValue(name, forKey: Array(text.utf8))
            #expect(other == nil || other == name)
        }
    }
}
