/// A place in a file as the kernel counts, from the first byte that is there: what one reads at.
/// Where a file ends is one, too, which is its size.
///
/// A `LogicalOffset` is another thing, and only a file's `Base` makes one of the other. It is one
/// number, and costs what that costs. Arithmetic stops at the ends of the number.
@frozen
package struct PhysicalOffset: Hashable, Comparable, Sendable, BitwiseCopyable,
    CustomStringConvertible
{
    /// Bytes before it that are there. Below 0 it is that of a byte that is not there any more.
    package let bytes: Int

    /// `bytes` is physical already: as a call of the kernel has it, or a look at a file.
    @inlinable package init(_ bytes: Int) { self.bytes = bytes }

    /// At the first byte that is there.
    @inlinable package static var start: PhysicalOffset { PhysicalOffset(0) }

    /// Behind every byte that a file may have.
    @inlinable package static var max: PhysicalOffset { PhysicalOffset(.max) }

    /// The number, as messages and tables have it.
    package var description: String { bytes.description }

    /// Whether `a` comes before `b` in the file.
    @inlinable package static func < (a: PhysicalOffset, b: PhysicalOffset) -> Bool {
        a.bytes < b.bytes
    }

    /// So many bytes further on.
    @inlinable package static func + (a: PhysicalOffset, count: Int) -> PhysicalOffset {
        let (sum, isBeyond) = a.bytes.addingReportingOverflow(count)
        return PhysicalOffset(isBeyond ? (count < 0 ? .min : .max) : sum)
    }

    /// Bytes from `b` to `a`; below 0 where `b` comes later.
    @inlinable package static func - (a: PhysicalOffset, b: PhysicalOffset) -> Int {
        let (difference, isBeyond) = a.bytes.subtractingReportingOverflow(b.bytes)
        return isBeyond ? (b.bytes < 0 ? .max : .min) : difference
    }

    /// So many bytes before.
    @inlinable package static func - (a: PhysicalOffset, count: Int) -> PhysicalOffset {
        PhysicalOffset(a - PhysicalOffset(count))
    }

    /// Moves on by so many bytes.
    @inlinable package static func += (a: inout PhysicalOffset, count: Int) { a = a + count }
}
