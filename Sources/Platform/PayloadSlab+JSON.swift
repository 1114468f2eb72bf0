/// How much of a text went into a slab as the inside of a JSON string.
package struct JSONFit: Hashable, Sendable, BitwiseCopyable {
    /// Bytes of the text that are in; less than all of them when the limit was reached.
    package let consumed: Int
    /// Whether a byte among them was no UTF-8 and stands as U+FFFD.
    package let replaced: Bool
}

extension PayloadSlab {
    /// Appends `text` as the inside of a JSON string, without quotes, in at most `limit` bytes;
    /// `limit` above `room` is a mistake of ours. Where it does not fit whole it is cut between two
    /// characters, and what fits stays.
    ///
    /// Escapes are Filebeat's: `"` and `\`, `\n` `\r` `\t`, all else below 0x20 as `\u00xx`, U+2028
    /// and U+2029; each byte that is no UTF-8 becomes `\ufffd`, one by one; all else stays.
    package func appendJSONString(_ text: Span<UInt8>, limit: Int) -> JSONFit {
        precondition(0 <= limit && limit <= room, "a slab overflowed")
        var written = 0
        let fit = unsafe text.withUnsafeBufferPointer { source in
            guard let from = unsafe UnsafeRawPointer(source.baseAddress) else {
                return JSONFit(consumed: 0, replaced: false)
            }
            return unsafe JSONEscape.write(
                from, source.count, to: free, limit, written: &written)
        }
        advance(by: written)
        return fit
    }

    /// Bytes that `text` takes as the inside of a JSON string, or `limit` where they are more.
    package static func jsonStringCount(_ text: Span<UInt8>, limit: Int) -> Int {
        var total = 0
        var index = 0
        while index < text.count {
            let special = ByteSearch.special(in: text, from: index)
            if special - index >= limit - total { return limit }
            total += special - index
            index = special
            guard index < text.count else { break }
            let length = ByteSearch.sequence(in: text, at: index)
            let size = JSONEscape.size(of: text[index], length, second: { text[index + $0] })
            if size > limit - total { return limit }
            total += size
            index += max(length, 1)
        }
        return total
    }
}

/// The inner loop of `appendJSONString`: copies eight bytes first and looks at them afterwards, so
/// that a line without anything special costs little more than its copy.
private enum JSONEscape {
    /// Bytes that one character takes: `length` as `ByteSearch.sequence` tells it.
    @inline(__always)
    static func size(of first: UInt8, _ length: Int, second byte: (Int) -> UInt8) -> Int {
        switch length {
        case 0: 6
        case 1:
            switch first {
            case 0x22, 0x5C, 0x0A, 0x0D, 0x09: 2
            case 0..<0x20: 6
            default: 1
            }
        case 3 where first == 0xE2 && byte(1) == 0x80 && byte(2) & 0xFE == 0xA8: 6
        default: length
        }
    }

    static func write(
        _ source: UnsafeRawPointer, _ count: Int, to target: UnsafeMutableRawPointer, _ limit: Int,
        written: inout Int
    ) -> JSONFit {
        var read = 0
        var wrote = 0
        var replaced = false
        scan: while read < count {
            // Bytes that need nothing, as long as eight of them exist and fit.
            while min(count - read, limit - wrote) >= 8 {
                let raw = unsafe source.loadUnaligned(fromByteOffset: read, as: UInt64.self)
                unsafe target.storeBytes(of: raw, toByteOffset: wrote, as: UInt64.self)
                let found = ByteSearch.specials(UInt64(littleEndian: raw))
                let plain = found == 0 ? 8 : found.trailingZeroBitCount / 8
                read += plain
                wrote += plain
                if found != 0 { break }
            }
            guard read < count else { break }
            let first = unsafe source.load(fromByteOffset: read, as: UInt8.self)
            if !ByteSearch.isSpecial(first) {
                guard wrote < limit else { break }
                unsafe target.storeBytes(of: first, toByteOffset: wrote, as: UInt8.self)
                read += 1
                wrote += 1
                continue
            }
            let length = unsafe ByteSearch.sequence(source + read, count - read)
            let at = unsafe source + read
            let size = size(of: first, length) {
                unsafe at.load(fromByteOffset: $0, as: UInt8.self)
            }
            guard size <= limit - wrote else { break scan }
            let into = unsafe target + wrote
            switch (length, size) {
            case (0, _):
                unsafe escape(0xFFFD, to: into)
                replaced = true
            case (1, 2):
                unsafe into.storeBytes(of: 0x5C, as: UInt8.self)
                unsafe into.storeBytes(of: short(first), toByteOffset: 1, as: UInt8.self)
            case (1, _):
                unsafe escape(UInt16(first), to: into)
            case (_, 6):
                let last = unsafe at.load(fromByteOffset: 2, as: UInt8.self)
                unsafe escape(0x2000 | UInt16(last & 0x3F), to: into)
            case (_, _):
                unsafe into.copyMemory(from: at, byteCount: length)
            }
            read += max(length, 1)
            wrote += size
        }
        written = wrote
        return JSONFit(consumed: read, replaced: replaced)
    }

    private static func short(_ byte: UInt8) -> UInt8 {
        switch byte {
        case 0x0A: 0x6E
        case 0x0D: 0x72
        case 0x09: 0x74
        default: byte
        }
    }

    /// `\uXXXX` with lower-case digits.
    private static func escape(_ unit: UInt16, to target: UnsafeMutableRawPointer) {
        unsafe target.storeBytes(of: 0x5C, as: UInt8.self)
        unsafe target.storeBytes(of: 0x75, toByteOffset: 1, as: UInt8.self)
        for place in 0..<4 {
            let digit = UInt8(truncatingIfNeeded: unit >> UInt16(12 - 4 * place)) & 0xF
            let text = digit < 10 ? 0x30 + digit : 0x57 + digit
            unsafe target.storeBytes(of: text, toByteOffset: 2 + place, as: UInt8.self)
        }
    }
}
