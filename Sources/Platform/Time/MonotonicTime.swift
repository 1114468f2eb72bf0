/// A moment by the machine's clock that only grows: for time-outs and intervals, which are plain
/// nanoseconds. It says nothing about files' times.
///
/// It is one number, and costs what that costs. Arithmetic stops at the ends of the number, so
/// that `never` stays what it is.
@frozen package struct MonotonicTime: Hashable, Comparable, Sendable, BitwiseCopyable {
    /// Since the clock began, which is not before the machine was started.
    package let nanoseconds: Int64

    @inlinable package init(nanoseconds: Int64) { self.nanoseconds = nanoseconds }

    /// The moment at which this is called.
    package static func now() -> MonotonicTime {
        MonotonicTime(nanoseconds: Clock.monotonicNanoseconds())
    }

    /// When the clock began: before everything that happens.
    @inlinable package static var zero: MonotonicTime { MonotonicTime(nanoseconds: 0) }

    /// Long over, whatever the time is.
    @inlinable package static var min: MonotonicTime { MonotonicTime(nanoseconds: .min) }

    /// What falls due then never does.
    @inlinable package static var never: MonotonicTime { MonotonicTime(nanoseconds: .max) }

    @inlinable package static func < (a: MonotonicTime, b: MonotonicTime) -> Bool {
        a.nanoseconds < b.nanoseconds
    }

    /// So many nanoseconds later.
    @inlinable package static func + (time: MonotonicTime, nanoseconds: Int64) -> MonotonicTime {
        MonotonicTime(nanoseconds: time.nanoseconds +| nanoseconds)
    }

    /// The first moment after this one that is so many nanoseconds, or a multiple of them, after
    /// the clock began; `length` is above 0.
    @inlinable package func next(multipleOf length: Int64) -> MonotonicTime {
        let part = nanoseconds % length
        return self + (length - (part < 0 ? part + length : part))
    }

    /// Nanoseconds from `since` to `time`; below 0 where that is not over yet.
    @inlinable package static func - (time: MonotonicTime, since: MonotonicTime) -> Int64 {
        time.nanoseconds -| since.nanoseconds
    }
}
