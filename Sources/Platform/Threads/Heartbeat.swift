import Synchronization

/// By when a thread that works in rounds is to be heard of again. One that waits says how long, so
/// that silence is told from quiet. Sendable; the thread beats, any other may ask.
package final class Heartbeat: Sendable {
    /// Monotonic nanoseconds.
    private let due = Atomic<Int64>(.max)

    /// A round that takes longer, in nanoseconds, is no round: something hangs.
    package static let longestRound: Int64 = 60_000_000_000

    package init() {}

    /// A round begins after a wait of `nanoseconds`; nil is for ever. Until the first one nobody is
    /// late.
    package func beat(waiting nanoseconds: Int64? = 0) {
        guard let nanoseconds else { return due.store(.max, ordering: .relaxed) }
        let begin = Clock.monotonicNanoseconds().addingReportingOverflow(nanoseconds)
        let end = begin.partialValue.addingReportingOverflow(Self.longestRound)
        due.store(
            begin.overflow || end.overflow ? .max : end.partialValue, ordering: .relaxed)
    }

    /// Whether the thread should have been heard of by `now`, monotonic nanoseconds.
    package func isLate(_ now: Int64) -> Bool { due.load(ordering: .relaxed) < now }
}
