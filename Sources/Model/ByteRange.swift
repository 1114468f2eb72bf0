/// A half-open range of logical byte positions in one generation of a file.
///
/// Positions count from the first byte ever written to the generation, so they stay when a prefix
/// is removed in place. Invariant: `0 <= start <= end`.
package struct ByteRange: Hashable, Sendable {
    /// The first byte's position.
    package let start: Int
    /// The position behind the last byte.
    package let end: Int

    /// Bytes covered.
    package var count: Int { end - start }

    /// `end` before `start`, or a negative `start`, is a mistake of ours and stops the process.
    package init(start: Int, end: Int) {
        precondition(0 <= start && start <= end, "byte range \(start)..<\(end) is not a range")
        self.start = start
        self.end = end
    }
}
