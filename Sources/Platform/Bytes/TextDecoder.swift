/// Makes UTF-8 of texts, each by itself. One thread at a time.
///
/// A byte that begins no character becomes one `0xFF`, which no UTF-8 has: whoever makes a document
/// of it puts U+FFFD there, and says so.
package final class TextDecoder {
    private let encoding: TextEncoding
    private let converter: TextConverter?

    /// What stands for a byte that is none of a character.
    private static let invalid: UInt8 = 0xFF

    /// Nil where the system has lost what it had of an encoding when that was loaded.
    package init?(_ encoding: TextEncoding) {
        self.encoding = encoding
        if case .converter(let name) = encoding.kind {
            guard let converter = TextConverter(name) else { return nil }
            self.converter = converter
        } else {
            converter = nil
        }
    }

    /// Appends what `bytes` are, at most `room` bytes of whole characters, and tells how many of
    /// `bytes` that were. `room` is 8 at least.
    package func decode(_ bytes: Span<UInt8>, room: Int, into text: inout [UInt8]) -> Int {
        precondition(room >= 8, "no room for a character")
        switch encoding.kind {
        case .utf8:
            let count = ByteSearch.boundary(in: bytes, upTo: min(bytes.count, room))
            text.append(bytes.extracting(0..<count))
            return count
        case .utf16(let isBig): return decodeWide(bytes, isBig, room, &text)
        case .table(let table): return decode(bytes, by: table, room, &text)
        case .converter: return convert(bytes, room, &text)
        }
    }

    private func decode(
        _ bytes: Span<UInt8>, by table: [UInt32], _ room: Int, _ text: inout [UInt8]
    ) -> Int {
        let end = text.count + room
        var index = 0
        while index < bytes.count {
            let special = ByteSearch.beyondASCII(in: bytes, from: index)
            if special > index {
                let count = min(special - index, end - text.count)
                text.append(bytes.extracting(index..<index + count))
                index += count
                if index < special { return index }
                continue
            }
            guard end - text.count >= 4 else { return index }
            Self.append(table[Int(bytes[index])], to: &text)
            index += 1
        }
        return index
    }

    private func decodeWide(
        _ bytes: Span<UInt8>, _ isBig: Bool, _ room: Int, _ text: inout [UInt8]
    ) -> Int {
        let end = text.count + room
        func unit(_ index: Int) -> UInt32 {
            let (first, second) = (UInt32(bytes[index]), UInt32(bytes[index + 1]))
            return isBig ? first << 8 | second : second << 8 | first
        }
        var index = 0
        while index + 1 < bytes.count, end - text.count >= 4 {
            let first = unit(index)
            index += 2
            guard first & 0xF800 == 0xD800 else {
                Self.append(first, to: &text)
                continue
            }
            if first < 0xDC00, index + 1 < bytes.count, unit(index) & 0xFC00 == 0xDC00 {
                Self.append(
                    0x10000 + (first & 0x3FF) << 10 + (unit(index) & 0x3FF), to: &text)
                index += 2
            } else {
                text.append(Self.invalid)
            }
        }
        if index + 1 == bytes.count, text.count < end {
            text.append(Self.invalid)
            index += 1
        }
        return index
    }

    private func convert(_ bytes: Span<UInt8>, _ room: Int, _ text: inout [UInt8]) -> Int {
        guard let converter else { return 0 }
        let end = text.count + room
        var index = 0
        while index < bytes.count, end - text.count >= 8 {
            let rest = bytes.extracting(index..<bytes.count)
            // No character takes more bytes than that.
            let room = min(end - text.count, rest.count * 4 + 16)
            let done = converter.convert(rest, room: room, into: &text)
            index += done.read
            switch done.stop {
            case .end: return index
            case .full: if done.read == 0 { return index }
            case .invalid, .incomplete:
                guard index < bytes.count else { return index }
                text.append(Self.invalid)
                index += 1
            }
        }
        return index
    }

    private static func append(_ scalar: UInt32, to text: inout [UInt8]) {
        switch scalar {
        case 0xFFFD: text.append(invalid)
        case ..<0x80: text.append(UInt8(truncatingIfNeeded: scalar))
        case ..<0x800:
            text.append(UInt8(truncatingIfNeeded: 0xC0 | scalar >> 6))
            text.append(UInt8(truncatingIfNeeded: 0x80 | scalar & 0x3F))
        case ..<0x10000:
            text.append(UInt8(truncatingIfNeeded: 0xE0 | scalar >> 12))
            text.append(UInt8(truncatingIfNeeded: 0x80 | scalar >> 6 & 0x3F))
            text.append(UInt8(truncatingIfNeeded: 0x80 | scalar & 0x3F))
        default:
            text.append(UInt8(truncatingIfNeeded: 0xF0 | scalar >> 18))
            text.append(UInt8(truncatingIfNeeded: 0x80 | scalar >> 12 & 0x3F))
            text.append(UInt8(truncatingIfNeeded: 0x80 | scalar >> 6 & 0x3F))
            text.append(UInt8(truncatingIfNeeded: 0x80 | scalar & 0x3F))
        }
    }
}
