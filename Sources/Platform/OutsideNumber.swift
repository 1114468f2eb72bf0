/// Numbers that others choose: a file system's sizes and times, a saved or foreign registry's
/// positions, a broker's offsets. A pod may make a file of 2^63 - 1 bytes whose last change was in
/// the year 292 billion.
///
/// Such a number passes a door once, and is bounded from then on: `FileStatus` for what the kernel
/// says of files, the registry's `LineScanner`, the import's rows, the audit's consumer. Behind the
/// doors plain arithmetic on a few of them is safe; whatever adds up *many* of them (all files, all
/// losses of a run) or has not passed a door uses the operators below, which stop at the ends of a
/// type.
package enum OutsideNumber {
    /// Sizes, offsets and counts lie in 0...`most`. 2^60 bytes are 65,536 times what ext4 can hold
    /// in a file, and the sum of seven of them is an `Int`; no expression of one file has more
    /// terms.
    package static let most = 1 << 60

    /// Nanoseconds since 1970 lie in `-mostTime...mostTime`, years 1824 to 2116: the difference of
    /// any two of them is an `Int64`.
    package static let mostTime: Int64 = 1 << 62 - 1

    /// The nearest number in 0...`most`.
    @inlinable package static func count(_ number: some BinaryInteger) -> Int {
        min(max(Int(clamping: number), 0), most)
    }

    /// The nearest time within `mostTime`, of seconds and nanoseconds since 1970.
    package static func time(seconds: Int64, nanoseconds: Int64 = 0) -> Int64 {
        min(max(seconds *| 1_000_000_000 +| nanoseconds, -mostTime), mostTime)
    }
}

infix operator +| : AdditionPrecedence
infix operator -| : AdditionPrecedence
infix operator *| : MultiplicationPrecedence
infix operator +|= : AssignmentPrecedence

/// Arithmetic that stops at the smallest and the largest number of its type.
extension FixedWidthInteger {
    /// The sum, or the end of the type that it lies beyond.
    @inlinable package static func +| (a: Self, b: Self) -> Self {
        let (sum, isBeyond) = a.addingReportingOverflow(b)
        guard isBeyond else { return sum }
        return b < 0 ? .min : .max
    }

    /// The difference, or the end of the type that it lies beyond.
    @inlinable package static func -| (a: Self, b: Self) -> Self {
        let (difference, isBeyond) = a.subtractingReportingOverflow(b)
        guard isBeyond else { return difference }
        return b < 0 ? .max : .min
    }

    /// The product, or the end of the type that it lies beyond.
    @inlinable package static func *| (a: Self, b: Self) -> Self {
        let (product, isBeyond) = a.multipliedReportingOverflow(by: b)
        guard isBeyond else { return product }
        return (a < 0) == (b < 0) ? .max : .min
    }

    /// Adds in place, up to the end of the type.
    @inlinable package static func +|= (a: inout Self, b: Self) { a = a +| b }
}
