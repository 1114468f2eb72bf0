package import Platform

/// What an input asks for of the logs that its patterns lead to.
package struct RotationPolicy: Hashable, Sendable {
    /// Bytes of a log from which on its front is removed.
    package let size: Int?
    /// Times at which it is, whatever it has.
    package let schedule: CronSchedule?
    /// The time after the last rotation after which it is, nanoseconds.
    package let age: Int64?
    /// Archives that are kept; at least one, for what is removed is in one.
    package let keep: Int
    /// What becomes of those.
    package let archives: ArchivePolicy

    package init(
        size: Int?, schedule: CronSchedule? = nil, age: Int64? = nil, keep: Int,
        archives: ArchivePolicy = ArchivePolicy()
    ) {
        self.size = size
        self.schedule = schedule
        self.age = age
        self.keep = max(1, keep)
        self.archives = archives
    }

    /// Whether the clock tells when a log is rotated.
    package var isTimed: Bool { schedule != nil || age != nil }

    /// The moment from which on a log is to be rotated, nanoseconds since 1970, that was `rotated`
    /// last, or of which that is not known, and which is there since `birth`. Nil where that never
    /// comes.
    ///
    /// A log that was never rotated waits for the next time of the schedule: nobody wants all logs
    /// of a node to be rotated in the moment in which the key is set.
    package func due(rotated: Int64?, birth: Int64?, now: Int64, in zone: ZoneRules) -> Int64? {
        let scheduled = schedule?.next(
            after: (rotated ?? now) / 1_000_000_000, in: zone
        ).map { $0 *| 1_000_000_000 }
        let aged = age.map { (rotated ?? birth ?? now) +| $0 }
        return [scheduled, aged].compactMap { $0 }.min()
    }
}
