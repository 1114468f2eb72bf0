/// A half-open range of bytes in one generation of a file. Invariant: `0 <= start <= end`.
package struct ByteRange: Hashable, Sendable {
    /// Where the first byte lies.
    package let start: LogicalOffset
    /// Behind the last byte.
    package let end: LogicalOffset

    /// Bytes covered.
    package var count: Int { end - start }

    /// `end` before `start`, or a negative `start`, is a mistake of ours and stops the process.
    package init(start: LogicalOffset, end: LogicalOffset) {
        precondition(
            LogicalOffset(0) <= start && start <= end,
            "byte range \(start.bytes)..<\(end.bytes) is not a range")
        self.start = start
        self.end = end
    }
}
