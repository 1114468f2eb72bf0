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
    /// Bytes filled so far. Invariant: `0...capacity`.
    package private(set) var count = 0
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
        count += bytes.count
    }

    /// Forgets what was appended after the first `length` bytes.
    package func cut(to length: Int) {
        precondition(0 <= length && length <= count, "a slab cannot be cut to \(length)")
        count = length
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
