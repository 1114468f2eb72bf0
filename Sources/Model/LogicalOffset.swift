/// A place in one generation of a file's content, counted from the first byte ever written to it:
/// it stays what it is when a prefix of the file is removed in place. Records, ranges and the
/// registry count so.
///
/// What the kernel counts, from the first byte that is there, is a `PhysicalOffset`: only a file's
/// `Base` makes one of the other. It is one number, and costs what that costs.
/// Arithmetic stops at the ends of the number.
@frozen
package struct LogicalOffset: Hashable, Comparable, Sendable, BitwiseCopyable,
    CustomStringConvertible
{
    /// Bytes before it, whether they are still there or not.
    package let bytes: Int

    /// `bytes` is logical already: as saved, or as a frame or a range has it.
    @inlinable package init(_ bytes: Int) { self.bytes = bytes }

    /// Behind every byte that a file may have.
    @inlinable package static var max: LogicalOffset { LogicalOffset(.max) }

    /// The number, as messages and tables have it.
    package var description: String { bytes.description }

    /// Whether `a` comes before `b` in the content.
    @inlinable package static func < (a: LogicalOffset, b: LogicalOffset) -> Bool {
        a.bytes < b.bytes
    }

    /// So many bytes further on.
    @inlinable package static func + (a: LogicalOffset, count: Int) -> LogicalOffset {
        let (sum, isBeyond) = a.bytes.addingReportingOverflow(count)
        return LogicalOffset(isBeyond ? (count < 0 ? .min : .max) : sum)
    }

    /// Bytes from `b` to `a`; below 0 where `b` comes later.
    @inlinable package static func - (a: LogicalOffset, b: LogicalOffset) -> Int {
        let (difference, isBeyond) = a.bytes.subtractingReportingOverflow(b.bytes)
        return isBeyond ? (b.bytes < 0 ? .max : .min) : difference
    }

    /// So many bytes before.
    @inlinable package static func - (a: LogicalOffset, count: Int) -> LogicalOffset {
        LogicalOffset(a - LogicalOffset(count))
    }

    /// Moves on by so many bytes.
    @inlinable package static func += (a: inout LogicalOffset, count: Int) { a = a + count }
}

/// How many bytes were removed from the front of a file: what lies between an offset as the
/// kernel counts and a `LogicalOffset`, and the only way from one to the other.
@frozen package struct Base: Hashable, Sendable, BitwiseCopyable {
    /// Logical minus physical offset.
    package let bytes: Int

    /// `bytes` as saved.
    @inlinable package init(_ bytes: Int) { self.bytes = bytes }

    /// All that was ever written is there.
    @inlinable package static var none: Base { Base(0) }

    /// Where the first byte is that is there.
    @inlinable package var start: LogicalOffset { LogicalOffset(bytes) }

    /// The place of the byte that the kernel has at `physical`.
    @inlinable package func logical(_ physical: PhysicalOffset) -> LogicalOffset {
        start + physical.bytes
    }

    /// Where the kernel has the byte at `offset`; below 0 where that is not there any more.
    @inlinable package func physical(_ offset: LogicalOffset) -> PhysicalOffset {
        PhysicalOffset(offset - start)
    }
}
