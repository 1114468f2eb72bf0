private import Glibc

/// Questions about bytes that are asked of every byte shipped, eight or more of them at a time.
///
/// Pure functions; any thread. Indices are those of the span that is handed in.
package enum ByteSearch {
    /// The first newline at or after `start`, or nil. `start` lies in `0...bytes.count`.
    package static func newline(in bytes: Span<UInt8>, from start: Int) -> Int? {
        precondition(0 <= start && start <= bytes.count, "a search from beyond its bytes")
        return unsafe bytes.withUnsafeBufferPointer { buffer in
            guard let base = buffer.baseAddress else { return nil }
            guard let hit = unsafe memchr(base + start, 0x0A, buffer.count - start) else {
                return nil
            }
            return unsafe UnsafeRawPointer(hit) - UnsafeRawPointer(base)
        }
    }

    /// The first zero, or nil.
    package static func zero(in bytes: Span<UInt8>) -> Int? {
        unsafe bytes.withUnsafeBufferPointer { buffer in
            guard let base = buffer.baseAddress, let hit = unsafe memchr(base, 0, buffer.count)
            else { return nil }
            return unsafe UnsafeRawPointer(hit) - UnsafeRawPointer(base)
        }
    }

    /// How many zeros `bytes` begins with.
    package static func leadingZeros(in bytes: Span<UInt8>) -> Int {
        unsafe bytes.withUnsafeBufferPointer { unsafe leadingZeros(UnsafeRawBufferPointer($0)) }
    }

    static func leadingZeros(_ bytes: UnsafeRawBufferPointer) -> Int {
        guard let base = bytes.baseAddress, unsafe bytes[0] == 0 else { return 0 }
        // All are equal to the first one where each is equal to the next.
        if unsafe memcmp(base, base + 1, bytes.count - 1) == 0 { return bytes.count }
        var index = 0
        while bytes.count - index >= 8 {
            let word = unsafe bytes.loadUnaligned(fromByteOffset: index, as: UInt64.self)
            if word != 0 { return index + UInt64(littleEndian: word).trailingZeroBitCount / 8 }
            index += 8
        }
        while index < bytes.count, unsafe bytes[index] == 0 { index += 1 }
        return index
    }

    /// How many zeros `bytes` ends with.
    package static func trailingZeros(in bytes: Span<UInt8>) -> Int {
        unsafe bytes.withUnsafeBufferPointer { buffer in
            let raw = UnsafeRawBufferPointer(buffer)
            var end = raw.count
            while end >= 8 {
                let word = unsafe raw.loadUnaligned(fromByteOffset: end - 8, as: UInt64.self)
                if word != 0 {
                    end -= UInt64(littleEndian: word).leadingZeroBitCount / 8
                    return raw.count - end
                }
                end -= 8
            }
            while end > 0, unsafe raw[end - 1] == 0 { end -= 1 }
            return raw.count - end
        }
    }

    /// The first byte at or after `start` that cannot stand in a JSON string as it is, or that is
    /// not ASCII and has to be looked at more closely; `bytes.count` if there is none.
    package static func special(in bytes: Span<UInt8>, from start: Int) -> Int {
        first(in: bytes, from: start, specials, isSpecial)
    }

    /// The first byte at or after `start` that is not ASCII; `bytes.count` if there is none.
    package static func beyondASCII(in bytes: Span<UInt8>, from start: Int) -> Int {
        first(in: bytes, from: start, { $0 & highBits }, { $0 >= 0x80 })
    }

    /// The first quote or backslash at or after `start`, as end or escape in a JSON string;
    /// `bytes.count` if there is none.
    package static func quoteOrBackslash(in bytes: Span<UInt8>, from start: Int) -> Int {
        first(in: bytes, from: start, quotes, { $0 == 0x22 || $0 == 0x5C })
    }

    /// The first byte at or after `start` that is sought: by words of eight bytes, of which `marks`
    /// has the high bit of the first such byte, and of none before it; and one by one at the end.
    @inline(__always)
    private static func first(
        in bytes: Span<UInt8>, from start: Int, _ marks: (UInt64) -> UInt64,
        _ isSought: (UInt8) -> Bool
    ) -> Int {
        precondition(0 <= start && start <= bytes.count, "a search from beyond its bytes")
        return unsafe bytes.withUnsafeBufferPointer { buffer in
            guard let base = unsafe UnsafeRawPointer(buffer.baseAddress) else {
                return buffer.count
            }
            var index = start
            while buffer.count - index >= 8 {
                let word = unsafe base.loadUnaligned(fromByteOffset: index, as: UInt64.self)
                let found = marks(UInt64(littleEndian: word))
                if found != 0 { return index + found.trailingZeroBitCount / 8 }
                index += 8
            }
            while index < buffer.count, unsafe !isSought(buffer[index]) { index += 1 }
            return index
        }
    }

    /// Bytes of the valid UTF-8 sequence that starts at `index`, 1...4, or 0 when the byte there
    /// starts none: too short, overlong, a surrogate, beyond U+10FFFF or a stray continuation.
    package static func sequence(in bytes: Span<UInt8>, at index: Int) -> Int {
        precondition(0 <= index && index < bytes.count, "a look beyond the bytes")
        return unsafe bytes.withUnsafeBufferPointer { buffer in
            guard let base = unsafe UnsafeRawPointer(buffer.baseAddress) else { return 0 }
            return unsafe sequence(base + index, buffer.count - index)
        }
    }

    /// The largest index up to `limit` that does not lie inside a valid UTF-8 sequence, so that a
    /// cut there leaves every character whole. `limit` lies in `0...bytes.count`.
    package static func boundary(in bytes: Span<UInt8>, upTo limit: Int) -> Int {
        precondition(0 <= limit && limit <= bytes.count, "a cut beyond the bytes")
        guard limit < bytes.count, bytes[limit] & 0xC0 == 0x80 else { return limit }
        var start = limit - 1
        while start >= 0, limit - start <= 3 {
            if bytes[start] & 0xC0 != 0x80 {
                return start + sequence(in: bytes, at: start) > limit ? start : limit
            }
            start -= 1
        }
        return limit
    }

    private static let highBits: UInt64 = 0x8080_8080_8080_8080
    private static let ones: UInt64 = 0x0101_0101_0101_0101

    /// A word whose lowest set bit is the high bit of the first special byte of `word`, taken as
    /// little endian; 0 if there is none. Bits above the lowest may be wrong: a borrow runs
    /// upwards, and only out of a byte that was special itself.
    @inline(__always)
    static func specials(_ word: UInt64) -> UInt64 {
        let control = word &- (ones &* 0x20)
        let quote = (word ^ (ones &* 0x22)) &- ones
        let backslash = (word ^ (ones &* 0x5C)) &- ones
        return (control | quote | backslash | word) & highBits
    }

    /// As `specials`, of quotes and backslashes alone.
    @inline(__always)
    private static func quotes(_ word: UInt64) -> UInt64 {
        let quote = word ^ (ones &* 0x22)
        let backslash = word ^ (ones &* 0x5C)
        return ((quote &- ones) & ~quote | (backslash &- ones) & ~backslash) & highBits
    }

    @inline(__always)
    static func isSpecial(_ byte: UInt8) -> Bool {
        byte < 0x20 || byte == 0x22 || byte == 0x5C || byte >= 0x80
    }

    /// `sequence(in:at:)` of the `available` bytes, at least 1, from `start` on.
    static func sequence(_ start: UnsafeRawPointer, _ available: Int) -> Int {
        let first = unsafe start.load(as: UInt8.self)
        if first < 0x80 { return 1 }
        guard first >= 0xC2, first <= 0xF4, available >= 2 else { return 0 }
        let second = unsafe start.load(fromByteOffset: 1, as: UInt8.self)
        if first < 0xE0 { return second & 0xC0 == 0x80 ? 2 : 0 }
        // The second byte alone tells overlong forms, surrogates and values that are too large.
        let lowest: UInt8 = first == 0xE0 ? 0xA0 : first == 0xF0 ? 0x90 : 0x80
        let highest: UInt8 = first == 0xED ? 0x9F : first == 0xF4 ? 0x8F : 0xBF
        guard second >= lowest, second <= highest, available >= 3 else { return 0 }
        let third = unsafe start.load(fromByteOffset: 2, as: UInt8.self)
        guard third & 0xC0 == 0x80 else { return 0 }
        if first < 0xF0 { return 3 }
        guard available >= 4 else { return 0 }
        return unsafe start.load(fromByteOffset: 3, as: UInt8.self) & 0xC0 == 0x80 ? 4 : 0
    }
}
