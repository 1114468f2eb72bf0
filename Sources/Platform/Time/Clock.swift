// `timespec` is of the C module that the compiler came upon first.
private import CLinux
private import Glibc

/// The kernel's clocks.
package enum Clock {
    /// Nanoseconds since 1970; jumps when somebody sets it.
    package static func wallNanoseconds() -> Int64 { read(CLOCK_REALTIME) }

    /// Nanoseconds that only grow; for time-outs and intervals.
    package static func monotonicNanoseconds() -> Int64 { read(CLOCK_MONOTONIC) }

    /// Nanoseconds that the calling thread has had a processor.
    package static func threadNanoseconds() -> Int64 { read(CLOCK_THREAD_CPUTIME_ID) }

    /// When the machine was started, by the wall clock as it goes now; nanoseconds since 1970.
    package static func bootNanoseconds() -> Int64 { wallNanoseconds() &- read(CLOCK_BOOTTIME) }

    /// The most by which the time of a file's change may lie behind the clock of its file system at
    /// that moment: kernels take it from the last tick. Nanoseconds. (How far that clock is from
    /// this one's nobody knows.)
    package static let fileTick: Int64 = 10_000_000

    /// Lets the thread sleep for about that long, or less where a signal wakes it.
    package static func sleep(nanoseconds: Int64) {
        guard nanoseconds > 0 else { return }
        var time = timespec()
        time.tv_sec = Int(nanoseconds / 1_000_000_000)
        time.tv_nsec = Int(nanoseconds % 1_000_000_000)
        unsafe nanosleep(&time, nil)
    }

    private static func read(_ clock: clockid_t) -> Int64 {
        var now = timespec()
        unsafe clock_gettime(clock, &now)
        return Int64(now.tv_sec) &* 1_000_000_000 &+ Int64(now.tv_nsec)
    }
}
