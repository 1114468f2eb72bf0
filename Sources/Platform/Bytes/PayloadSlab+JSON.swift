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
            let size = JSONEscape.size(of: text, at: index, length)
            if size > limit - total { return limit }
            total += size
            index += max(length, 1)
        }
        return total
    }
}

/// How much of a text went into a slab as the inside of a JSON string.
package struct JSONFit: Hashable, Sendable, BitwiseCopyable {
    /// Bytes of the text that are in; less than all of them when the limit was reached.
    package let consumed: Int
    /// Whether a byte among them was no UTF-8 and stands as U+FFFD.
    package let replaced: Bool
}

/// The inner loop of `appendJSONString`. Words of eight bytes, because SSE2 from C would save 0.09
/// s of CPU time in a gigabyte of lines: too little to keep two forms of it for two architectures.
private enum JSONEscape {
    static func write(
        _ source: UnsafeRawPointer, _ count: Int, to target: UnsafeMutableRawPointer, _ limit: Int,
        written: inout Int
    ) -> JSONFit {
        var read = 0
        var wrote = 0
        var replaced = false
        while true {
            let free = min(count &- read, limit &- wrote)
            let plain = unsafe copyPlain(source + read, to: target + wrote, free)
            read &+= plain
            wrote &+= plain
            guard read < count, wrote < limit else { break }
            let from = unsafe source + read
            let into = unsafe target + wrote
            let first = unsafe from.load(as: UInt8.self)
            if first < 0x80 {
                let size = unsafe escapeASCII(first, to: into, limit &- wrote)
                if size == 0 { break }
                read &+= 1
                wrote &+= size
                continue
            }
            let length = unsafe ByteSearch.sequence(from, count &- read)
            let separator = unsafe isSeparator(from, length)
            let size = length == 0 || separator ? 6 : length
            guard size <= limit &- wrote else { break }
            if length == 0 {
                unsafe escape(0xFFFD, to: into)
                replaced = true
            } else if separator {
                let last = unsafe from.load(fromByteOffset: 2, as: UInt8.self)
                unsafe escape(0x2000 | UInt16(last & 0x3F), to: into)
            } else {
                for index in 0..<length {
                    let byte = unsafe from.load(fromByteOffset: index, as: UInt8.self)
                    unsafe into.storeBytes(of: byte, toByteOffset: index, as: UInt8.self)
                }
            }
            read &+= max(length, 1)
            wrote &+= size
        }
        written = wrote
        return JSONFit(consumed: read, replaced: replaced)
    }

    /// Copies up to `count` bytes, as many as stand before the first special one, and returns how
    /// many. Words are copied first and looked at afterwards, so bytes behind those that count may
    /// be written too, but none beyond `count`.
    @inline(__always)
    private static func copyPlain(
        _ source: UnsafeRawPointer, to target: UnsafeMutableRawPointer, _ count: Int
    ) -> Int {
        var done = 0
        while count &- done >= 16 {
            let low = unsafe source.loadUnaligned(fromByteOffset: done, as: UInt64.self)
            let high = unsafe source.loadUnaligned(fromByteOffset: done &+ 8, as: UInt64.self)
            unsafe target.storeBytes(of: low, toByteOffset: done, as: UInt64.self)
            unsafe target.storeBytes(of: high, toByteOffset: done &+ 8, as: UInt64.self)
            let inLow = ByteSearch.specials(UInt64(littleEndian: low))
            if inLow != 0 { return done &+ inLow.trailingZeroBitCount / 8 }
            let inHigh = ByteSearch.specials(UInt64(littleEndian: high))
            if inHigh != 0 { return done &+ 8 &+ inHigh.trailingZeroBitCount / 8 }
            done &+= 16
        }
        if count &- done >= 8 {
            let word = unsafe source.loadUnaligned(fromByteOffset: done, as: UInt64.self)
            unsafe target.storeBytes(of: word, toByteOffset: done, as: UInt64.self)
            let found = ByteSearch.specials(UInt64(littleEndian: word))
            if found != 0 { return done &+ found.trailingZeroBitCount / 8 }
            done &+= 8
        }
        while done < count {
            let byte = unsafe source.load(fromByteOffset: done, as: UInt8.self)
            if ByteSearch.isSpecial(byte) { break }
            unsafe target.storeBytes(of: byte, toByteOffset: done, as: UInt8.self)
            done &+= 1
        }
        return done
    }

    /// Escapes a special byte below 0x80 and returns the bytes that took, 0 if more than `limit`.
    @inline(__always)
    private static func escapeASCII(
        _ byte: UInt8, to target: UnsafeMutableRawPointer, _ limit: Int
    ) -> Int {
        let letter = shortEscape(byte)
        if letter != 0 {
            guard limit >= 2 else { return 0 }
            let pair = (UInt16(letter) << 8 | 0x5C).littleEndian
            unsafe target.storeBytes(of: pair, as: UInt16.self)
            return 2
        }
        guard limit >= 6 else { return 0 }
        unsafe escape(UInt16(byte), to: target)
        return 6
    }

    /// The letter behind the backslash, or 0 for what has no short form.
    @inline(__always)
    private static func shortEscape(_ byte: UInt8) -> UInt8 {
        switch byte {
        case 0x22, 0x5C: byte
        case 0x0A: 0x6E
        case 0x0D: 0x72
        case 0x09: 0x74
        default: 0
        }
    }

    /// Whether the sequence at `start` is U+2028 or U+2029, which end a line in JavaScript.
    @inline(__always)
    private static func isSeparator(_ start: UnsafeRawPointer, _ length: Int) -> Bool {
        guard length == 3, unsafe start.load(as: UInt8.self) == 0xE2 else { return false }
        let second = unsafe start.load(fromByteOffset: 1, as: UInt8.self)
        let third = unsafe start.load(fromByteOffset: 2, as: UInt8.self)
        return second == 0x80 && third & 0xFE == 0xA8
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

    /// Bytes that one character takes; `length` as `ByteSearch.sequence` tells it.
    static func size(of text: Span<UInt8>, at index: Int, _ length: Int) -> Int {
        let first = text[index]
        if length == 0 { return 6 }
        if length == 1, ByteSearch.isSpecial(first) { return shortEscape(first) == 0 ? 6 : 2 }
        let separator =
            length == 3 && first == 0xE2 && text[index + 1] == 0x80
            && text[index + 2] & 0xFE == 0xA8
        return separator ? 6 : length
    }
}
