/// A piece of heap memory that record values are encoded into, one after the other, and that the
/// Kafka producer reads without copying.
///
/// One owner fills it on the reader thread; after that its bytes never change until it is released,
/// so the sending threads may read it. The type cannot check this order, hence unchecked Sendable:
/// `append` after the slab was handed to a producer is a mistake of ours.
@safe
package final class PayloadSlab: @unchecked Sendable {
    /// Bytes that it can hold; fixed, so the memory never moves.
    package let capacity: Int
    /// Bytes filled so far.
    package var count: Int { filled }
    /// Invariant: `0...capacity`. Private, so that the optimiser sees every access and drops the
    /// run-time checks for exclusive ones, which would cost more than a record's constant bytes.
    private var filled = 0
    private let base: UnsafeMutableRawPointer

    /// `capacity` in bytes, above 0.
    package init(capacity: Int) {
        precondition(capacity > 0, "a slab of \(capacity) bytes")
        self.capacity = capacity
        unsafe base = .allocate(byteCount: capacity, alignment: 16)
    }

    deinit { unsafe base.deallocate() }

    /// Bytes that still fit.
    package var room: Int { capacity - count }

    /// Appends `bytes`; more than `room` is a mistake of ours.
    package func append(_ bytes: Span<UInt8>) {
        precondition(bytes.count <= capacity - count, "a slab overflowed")
        unsafe bytes.withUnsafeBufferPointer { source in
            guard let from = source.baseAddress else { return }
            unsafe (base + count).copyMemory(from: from, byteCount: source.count)
        }
        filled += bytes.count
    }

    /// Appends one byte.
    package func append(_ byte: UInt8) {
        precondition(count < capacity, "a slab overflowed")
        unsafe base.storeBytes(of: byte, toByteOffset: count, as: UInt8.self)
        filled += 1
    }

    /// Appends all of `bytes`.
    package func append(_ bytes: [UInt8]) { append(bytes.span) }

    /// Appends `number` in decimal digits, 20 bytes at most.
    package func appendDecimal(_ number: Int) {
        var rest = number.magnitude
        let digits = Self.digits(rest) + (number < 0 ? 1 : 0)
        precondition(digits <= capacity - count, "a slab overflowed")
        if number < 0 { unsafe base.storeBytes(of: 0x2D, toByteOffset: count, as: UInt8.self) }
        var place = filled + digits
        filled = place
        while rest >= 10 {
            let quotient = rest / 100
            let pair = UInt16(truncatingIfNeeded: rest &- quotient &* 100)
            let tens = pair / 10
            let text = (0x3030 &+ tens &+ (pair &- tens &* 10) &<< 8).littleEndian
            place -= 2
            unsafe base.storeBytes(of: text, toByteOffset: place, as: UInt16.self)
            rest = quotient
        }
        // A number of an odd number of digits, or 0 itself, has its first one left.
        if rest > 0 || number == 0 {
            let text = 0x30 + UInt8(truncatingIfNeeded: rest)
            unsafe base.storeBytes(of: text, toByteOffset: place - 1, as: UInt8.self)
        }
    }

    /// Decimal digits of `number`, from its bits: log10(2) is a little less than 1234 / 4096.
    private static func digits(_ number: UInt) -> Int {
        let bits = UInt.bitWidth - (number | 1).leadingZeroBitCount
        let least = (bits * 1233) >> 12
        return number < powers[least] ? max(least, 1) : least + 1
    }

    /// 10 to the power of the index.
    private static let powers: [20 of UInt] = [
        1, 10, 100, 1000, 10_000, 100_000, 1_000_000, 10_000_000, 100_000_000, 1_000_000_000,
        10_000_000_000, 100_000_000_000, 1_000_000_000_000, 10_000_000_000_000, 100_000_000_000_000,
        1_000_000_000_000_000, 10_000_000_000_000_000, 100_000_000_000_000_000,
        1_000_000_000_000_000_000, 10_000_000_000_000_000_000,
    ]

    /// Appends `number` as 16 lower-case hexadecimal digits.
    package func appendHex16(_ number: UInt64) {
        precondition(capacity - count >= 16, "a slab overflowed")
        filled += 16
        replaceHex16(at: count - 16, with: number)
    }

    /// Writes `number` as 16 lower-case hexadecimal digits over the bytes from `position` on, which
    /// were appended before.
    package func replaceHex16(at position: Int, with number: UInt64) {
        precondition(position >= 0 && position <= count - 16, "bytes beyond the slab")
        let high = Self.hex8(UInt32(truncatingIfNeeded: number >> 32))
        let low = Self.hex8(UInt32(truncatingIfNeeded: number))
        unsafe base.storeBytes(of: high, toByteOffset: position, as: UInt64.self)
        unsafe base.storeBytes(of: low, toByteOffset: position + 8, as: UInt64.self)
    }

    /// Writes `bytes` over those from `position` on, which were appended before.
    package func replace(at position: Int, with bytes: Span<UInt8>) {
        precondition(position >= 0 && position <= count - bytes.count, "bytes beyond the slab")
        unsafe bytes.withUnsafeBufferPointer { source in
            guard let from = source.baseAddress else { return }
            unsafe (base + position).copyMemory(from: from, byteCount: source.count)
        }
    }

    /// Eight digits in the order of memory: each nibble spread to a byte, the highest first, and
    /// moved to `0`...`9` or, from ten on, to `a`...`f`.
    @inline(__always)
    private static func hex8(_ number: UInt32) -> UInt64 {
        var spread = UInt64(number)
        spread = (spread | spread << 16) & 0x0000_FFFF_0000_FFFF
        spread = (spread | spread << 8) & 0x00FF_00FF_00FF_00FF
        spread = (spread | spread << 4) & 0x0F0F_0F0F_0F0F_0F0F
        let letters = (spread &+ 0x0606_0606_0606_0606) >> 4 & 0x0101_0101_0101_0101
        return (spread &+ 0x3030_3030_3030_3030 &+ letters &* 39).bigEndian
    }

    /// Where the next byte goes; at least `room` bytes from there are ours.
    var free: UnsafeMutableRawPointer { unsafe base + count }

    /// Counts bytes as appended that were written at `free`.
    func advance(by written: Int) {
        precondition(0 <= written && written <= capacity - count, "a slab overflowed")
        filled += written
    }

    /// Forgets what was appended after the first `length` bytes.
    package func cut(to length: Int) {
        precondition(0 <= length && length <= count, "a slab cannot be cut to \(length)")
        filled = length
    }

    /// A slab with the same bytes that is no larger than they need, for when much room is left
    /// over.
    package func fitted() -> PayloadSlab {
        let copy = PayloadSlab(capacity: max(1, count))
        withBytes(0..<count) { copy.append($0) }
        return copy
    }

    /// Lends the bytes of `range`, which lies in `0..<count`.
    package func withBytes<R>(_ range: Range<Int>, _ body: (Span<UInt8>) throws -> R) rethrows -> R
    {
        precondition(range.lowerBound >= 0 && range.upperBound <= count, "bytes beyond the slab")
        let start = unsafe base.assumingMemoryBound(to: UInt8.self) + range.lowerBound
        let bytes = unsafe UnsafeBufferPointer(start: start, count: range.count)
        return try body(unsafe Span(_unsafeElements: bytes))
    }

    /// The address of byte 0, for the C library that sends from here; valid while the slab lives.
    package var address: UnsafeMutableRawPointer { unsafe base }
}
