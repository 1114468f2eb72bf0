package import Model
package import Platform

/// When the logs are due that are rotated by the clock. A pure value.
///
/// When a log was rotated last is told by its newest archive, whose last change that was: of what
/// is on the disk anyway nothing has to be saved, it is what `ls` shows, and what is restored from
/// a backup or was left by logrotate tells it, too.
package struct RotationClock: Sendable {
    private let zone: ZoneRules
    private var times: [FileID: Time] = [:]

    private struct Time {
        /// Nil where that is not known.
        var rotated: Int64?
        let birth: Int64?
        /// Nil where that never comes.
        var due: Int64?
        /// What the clock showed when that was found out.
        var asOf: Int64
    }

    /// What lies further in the future was told by a clock that was wrong; nanoseconds. A clock
    /// that is set back by less does not bring the same time twice.
    private static let leeway: Int64 = 3 * 3_600_000_000_000

    package init(_ zone: ZoneRules) { self.zone = zone }

    /// The moment at which a log was to be rotated, if that is over; all in nanoseconds since 1970.
    /// `rotated` is asked once of each.
    package mutating func due(
        _ file: FileID, _ policy: RotationPolicy, birth: Int64?, now: Int64,
        rotated: () -> Int64?
    ) -> Int64? {
        guard policy.isTimed else { return nil }
        var time: Time
        if let known = times[file] {
            time = known
            if now < known.asOf -| Self.leeway { time = found(known.rotated, birth, policy, now) }
        } else {
            time = found(rotated(), birth, policy, now)
        }
        time.asOf = max(time.asOf, now)
        times[file] = time
        return time.due.flatMap { $0 <= now ? $0 : nil }
    }

    private func found(
        _ rotated: Int64?, _ birth: Int64?, _ policy: RotationPolicy, _ now: Int64
    ) -> Time {
        let rotated = rotated.map { $0 > now +| Self.leeway ? now : $0 }
        return Time(
            rotated: rotated, birth: birth,
            due: policy.due(rotated: rotated, birth: birth, now: now, in: zone), asOf: now)
    }

    /// It was rotated, or has too little for that and waits for the next time.
    package mutating func passed(_ file: FileID, _ policy: RotationPolicy, now: Int64) {
        guard policy.isTimed else { return }
        times[file] = found(now, times[file]?.birth, policy, now)
    }

    /// Forgets all others.
    package mutating func keep(_ files: Set<FileID>) {
        guard times.count > files.count else { return }
        times = times.filter { files.contains($0.key) }
    }
}
