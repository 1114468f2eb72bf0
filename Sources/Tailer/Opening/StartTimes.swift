package import Platform

/// When this agent started, by the clock of each file system that it reads from.
///
/// A file's time is the file system's: a server's clock may be seconds or days from ours, and may
/// tell whole seconds alone. So it is never compared with our clock, but with times that were seen
/// on the same file system:
///
/// 1. A directory was changed at 12:00:00 by the clock there, which is seen 40 ms after the start.
/// 2. When the agent started, it was 40 ms before that, or later.
///
/// The latest such time is the best one. It may be too early, where nothing was written for long:
/// then files count as written after the start that were not, and are read rather than left.
package struct StartTimes: Sendable {
    private let start: MonotonicTime
    private var times: [UInt64: FileTime] = [:]
    /// Everything was looked at once. A clock that is set from now on says nothing of the start.
    var isSettled = false

    /// Every volume of a pod may be one; of what is beyond, everything counts as written since the
    /// start.
    private static let mostDevices = 4096
    /// Nanoseconds.
    private static let second: Int64 = 1_000_000_000

    init(start: MonotonicTime) { self.start = start }

    /// The agent starts now; `witness` is something that it has just written to, and tells what
    /// time it is on that device.
    package init(witness: FileStatus? = nil) {
        start = MonotonicTime.now()
        if let witness { saw(witness.device, changed: witness.changed, start) }
    }

    /// Something on `device` was last changed at `changed`, by the clock there, and that is seen
    /// now: `now` is monotonic.
    mutating func saw(_ device: UInt64, changed: FileTime, _ now: MonotonicTime) {
        let known = times[device]
        guard known == nil ? times.count < Self.mostDevices : !isSettled else { return }
        let time = changed - max(0, now - start) - Self.tick(of: changed)
        times[device] = max(known ?? .min, time)
    }

    /// No file of `device` that was written since the start has an earlier time than this.
    func time(on device: UInt64) -> FileTime { times[device] ?? .min }

    /// How much earlier than a time that is seen on a file it may have been given: kernels take it
    /// from the last tick of their clock, and some file systems keep whole seconds, or every other
    /// one.
    private static func tick(of time: FileTime) -> Int64 {
        time.isWholeSecond ? 2 * second : Clock.fileTick
    }
}
