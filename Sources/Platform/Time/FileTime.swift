/// A time that a file system has given to a file or a directory: by its own clock, which may be
/// anywhere, and maybe in whole seconds. It is compared with times of the same file system alone
/// (decision 12), and never with a `MonotonicTime`.
///
/// It is one number, and costs what that costs. Arithmetic stops at the ends of the number's type.
@frozen package struct FileTime: Hashable, Comparable, Sendable, BitwiseCopyable {
    /// Since 1970; of what a file system says, within `OutsideNumber.mostTime`.
    package let nanoseconds: Int64

    @inlinable package init(nanoseconds: Int64) { self.nanoseconds = nanoseconds }

    /// 1970, which stands for no time at all where none was seen yet.
    @inlinable package static var zero: FileTime { FileTime(nanoseconds: 0) }

    /// Before every time of a file.
    @inlinable package static var min: FileTime { FileTime(nanoseconds: .min) }

    /// After every time of a file.
    @inlinable package static var max: FileTime { FileTime(nanoseconds: .max) }

    /// Whole seconds since 1970, which is what many file systems and compressors keep.
    @inlinable package var seconds: Int64 { nanoseconds / 1_000_000_000 }

    /// Nothing says that its file system counts anything less than seconds.
    @inlinable package var isWholeSecond: Bool { nanoseconds % 1_000_000_000 == 0 }

    @inlinable package static func < (a: FileTime, b: FileTime) -> Bool {
        a.nanoseconds < b.nanoseconds
    }

    /// So many nanoseconds before.
    @inlinable package static func - (time: FileTime, nanoseconds: Int64) -> FileTime {
        FileTime(nanoseconds: time.nanoseconds -| nanoseconds)
    }
}
