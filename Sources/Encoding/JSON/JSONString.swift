import Platform

/// What stands between the quotes of JSON's strings.
enum JSONString {
    /// The escape at `index`, where a backslash stands: its bytes, a pair of surrogates counted as
    /// one escape, and whether it is a surrogate without the other. Nil where it is none.
    static func escape(
        _ text: Span<UInt8>, at index: Int
    ) -> (bytes: Int, isAlone: Bool)? {
        guard index + 1 < text.count else { return nil }
        switch text[index + 1] {
        case UInt8(ascii: "\""), UInt8(ascii: "\\"), UInt8(ascii: "/"), UInt8(ascii: "b"),
            UInt8(ascii: "f"), UInt8(ascii: "n"), UInt8(ascii: "r"), UInt8(ascii: "t"):
            return (2, false)
        case UInt8(ascii: "u"):
            var end = index + 2
            guard let scalar = scalar(text, &end) else { return nil }
            return (end - index, scalar == nil)
        default: return nil
        }
    }

    /// Appends the text without its escapes; half a pair of surrogates becomes U+FFFD. False where
    /// an escape is none.
    static func decode(_ text: Span<UInt8>, into decoded: inout [UInt8]) -> Bool {
        var index = 0
        while true {
            let escape = ByteSearch.quoteOrBackslash(in: text, from: index)
            if escape > index { decoded.append(text.extracting(index..<escape)) }
            guard escape < text.count else { return true }
            guard escape + 1 < text.count else { return false }
            index = escape + 2
            switch text[escape + 1] {
            case UInt8(ascii: "\""), UInt8(ascii: "\\"), UInt8(ascii: "/"):
                decoded.append(text[escape + 1])
            case UInt8(ascii: "n"): decoded.append(0x0A)
            case UInt8(ascii: "t"): decoded.append(0x09)
            case UInt8(ascii: "r"): decoded.append(0x0D)
            case UInt8(ascii: "b"): decoded.append(0x08)
            case UInt8(ascii: "f"): decoded.append(0x0C)
            case UInt8(ascii: "u"):
                guard let scalar = scalar(text, &index) else { return false }
                append(scalar ?? 0xFFFD, to: &decoded)
            default: return false
            }
        }
    }

    /// Appends `text` with what has to be escaped in a string, and U+FFFD for what is no UTF-8.
    static func encode(_ text: Span<UInt8>, into encoded: inout [UInt8]) {
        var index = 0
        while true {
            let special = ByteSearch.special(in: text, from: index)
            if special > index { encoded.append(text.extracting(index..<special)) }
            guard special < text.count else { return }
            let byte = text[special]
            index = special + 1
            switch byte {
            case UInt8(ascii: "\""), UInt8(ascii: "\\"):
                encoded.append(UInt8(ascii: "\\"))
                encoded.append(byte)
            case 0x80...:
                let length = ByteSearch.sequence(in: text, at: special)
                if length == 0 {
                    encoded.append(contentsOf: replacement)
                } else {
                    encoded.append(text.extracting(special..<special + length))
                    index = special + length
                }
            default:
                encoded.append(contentsOf: #"\u00"#.utf8)
                encoded.append(digit(byte >> 4))
                encoded.append(digit(byte & 0xF))
            }
        }
    }

    /// Appends what stands in a string, escapes as they are, with U+FFFD for what is no UTF-8 and
    /// for half a pair of surrogates.
    static func repair(_ text: Span<UInt8>, into repaired: inout [UInt8]) {
        var index = 0
        while true {
            let special = ByteSearch.special(in: text, from: index)
            if special > index { repaired.append(text.extracting(index..<special)) }
            guard special < text.count else { return }
            var length = 1
            var isWrong = false
            if text[special] == UInt8(ascii: "\\") {
                let escape = escape(text, at: special)
                length = escape?.bytes ?? 1
                isWrong = escape?.isAlone ?? true
            } else {
                length = text[special] < 0x80 ? 0 : ByteSearch.sequence(in: text, at: special)
                isWrong = length == 0
                length = max(length, 1)
            }
            if isWrong {
                repaired.append(contentsOf: replacement)
            } else {
                repaired.append(text.extracting(special..<special + length))
            }
            index = special + length
        }
    }

    private static let replacement = Array(#"\ufffd"#.utf8)

    private static func digit(_ number: UInt8) -> UInt8 {
        number < 10 ? 0x30 + number : 0x57 + number
    }

    /// The character whose four digits begin at `index`, and where it is the first half of a pair,
    /// with the second: `.some(nil)` for half a pair, nil where there are no digits.
    private static func scalar(_ text: Span<UInt8>, _ index: inout Int) -> UInt32?? {
        guard let first = unit(text, index) else { return nil }
        index += 4
        guard first & 0xF800 == 0xD800 else { return first }
        guard first < 0xDC00, index + 6 <= text.count, text[index] == UInt8(ascii: "\\"),
            text[index + 1] == UInt8(ascii: "u"), let second = unit(text, index + 2),
            second & 0xFC00 == 0xDC00
        else { return .some(nil) }
        index += 6
        return 0x10000 + (first & 0x3FF) << 10 + (second & 0x3FF)
    }

    private static func unit(_ text: Span<UInt8>, _ start: Int) -> UInt32? {
        guard start + 4 <= text.count else { return nil }
        var number: UInt32 = 0
        for index in start..<start + 4 {
            let digit: UInt8
            switch text[index] {
            case let byte where byte &- 0x30 <= 9: digit = byte &- 0x30
            case let byte where (byte | 0x20) &- 0x61 <= 5: digit = (byte | 0x20) &- 0x61 + 10
            default: return nil
            }
            number = number << 4 | UInt32(digit)
        }
        return number
    }

    private static func append(_ scalar: UInt32, to decoded: inout [UInt8]) {
        func rest(_ shift: UInt32) -> UInt8 { UInt8(0x80 | scalar >> shift & 0x3F) }
        switch scalar {
        case ..<0x80: decoded.append(UInt8(scalar))
        case ..<0x800:
            decoded.append(UInt8(0xC0 | scalar >> 6))
            decoded.append(rest(0))
        case ..<0x10000:
            decoded.append(UInt8(0xE0 | scalar >> 12))
            decoded.append(rest(6))
            decoded.append(rest(0))
        default:
            decoded.append(UInt8(0xF0 | scalar >> 18))
            decoded.append(rest(12))
            decoded.append(rest(6))
            decoded.append(rest(0))
        }
    }
}
