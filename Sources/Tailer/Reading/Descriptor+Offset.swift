package import Model
package import Platform

// The kernel's answers about a log file, as offsets: so that none is taken for a place in its
// content.

extension Descriptor {
    /// At most `count` bytes from `offset`, fewer only where the file ends.
    package borrowing func read(
        count: Int, at offset: PhysicalOffset
    ) throws(SystemError) -> [UInt8] {
        try read(count: count, at: offset.bytes)
    }

    /// Whether these few bytes lie at `offset`.
    borrowing func holds(
        _ bytes: Span<UInt8>, at offset: PhysicalOffset
    ) throws(SystemError) -> Bool {
        try holds(bytes, at: offset.bytes)
    }

    /// The bytes from `offset` that one read gives, into `bytes`; 0 at the end of the file.
    borrowing func read(
        into bytes: inout [UInt8], at offset: PhysicalOffset
    ) throws(SystemError) -> Int {
        try read(into: &bytes, at: offset.bytes)
    }

    /// Where the next hole begins, at the end of the file at the latest; nil when `offset` lies
    /// beyond it.
    borrowing func nextHole(from offset: PhysicalOffset) throws(SystemError) -> PhysicalOffset? {
        try nextHole(from: offset.bytes).map { PhysicalOffset($0) }
    }
}

extension FileStatus {
    /// Where the file ends; of a compressed one where that ends on the disk.
    package var end: PhysicalOffset { PhysicalOffset(size) }

    /// All bytes of a file that is nobody's yet: nothing was removed from it.
    var whole: ByteRange { ByteRange(start: Base.none.start, end: Base.none.logical(end)) }
}
