/// Names as text for people, logs, records and the registry, and back again.
///
/// A name is bytes, and a text is UTF-8. What is UTF-8 stands as it is; each other byte, all of
/// which are 0x80 or above, as `\xHH` in lower-case hex. A backslash that would begin such a
/// spelling by itself, `\x80` to `\xff` or `\x5c`, is written as `\x5c`; every other one stays
/// (systemd's `\x2d` does). So the text is always valid, two names never look alike, and
/// `bytes(of:)` gives back the name.
package enum PathText {
    private static let backslash = UInt8(ascii: "\\")

    /// The text of a name or of a part of one.
    package static func text(_ name: some Sequence<UInt8>) -> String {
        let bytes = Array(name)
        // Names without either are the rule.
        if !bytes.contains(backslash), let valid = String(validating: bytes, as: UTF8.self) {
            return valid
        }
        var spelled: [UInt8] = []
        spelled.reserveCapacity(bytes.count + 16)
        var index = 0
        while index < bytes.count {
            var rest = bytes[index...].makeIterator()
            var decoder = UTF8()
            switch decoder.decode(&rest) {
            case .scalarValue(let scalar):
                let width = UTF8.width(scalar)
                if escape(bytes[index...]) != nil {
                    spell(backslash, into: &spelled)
                } else {
                    spelled += bytes[index..<(index + width)]
                }
                index += width
            case .emptyInput, .error:
                spell(bytes[index], into: &spelled)
                index += 1
            }
        }
        return String(decoding: spelled, as: UTF8.self)
    }

    /// The name that `text` is the text of.
    package static func bytes(of text: String) -> [UInt8] {
        let spelled = Array(text.utf8)
        var bytes: [UInt8] = []
        bytes.reserveCapacity(spelled.count)
        var index = 0
        while index < spelled.count {
            if let byte = escape(spelled[index...]) {
                bytes.append(byte)
                index += 4
            } else {
                bytes.append(spelled[index])
                index += 1
            }
        }
        return bytes
    }

    /// The byte that the first four bytes spell, if they spell one.
    private static func escape(_ bytes: ArraySlice<UInt8>) -> UInt8? {
        guard bytes.first == backslash, bytes.count >= 4,
            bytes[bytes.startIndex + 1] == UInt8(ascii: "x"),
            let high = digit(bytes[bytes.startIndex + 2]),
            let low = digit(bytes[bytes.startIndex + 3])
        else { return nil }
        let byte = high << 4 | low
        return byte >= 0x80 || byte == backslash ? byte : nil
    }

    private static func digit(_ byte: UInt8) -> UInt8? {
        switch byte {
        case UInt8(ascii: "0")...UInt8(ascii: "9"): byte - UInt8(ascii: "0")
        case UInt8(ascii: "a")...UInt8(ascii: "f"): byte - UInt8(ascii: "a") + 10
        default: nil
        }
    }

    private static func spell(_ byte: UInt8, into spelled: inout [UInt8]) {
        let digits = Array("0123456789abcdef".utf8)
        spelled += [
            backslash, UInt8(ascii: "x"), digits[Int(byte >> 4)], digits[Int(byte & 15)],
        ]
    }
}
