internal import CMachine
internal import Glibc

/// A point of the machine's monotonic clock.
package struct Instant: Comparable, Hashable, Sendable {
    /// Since some point in the past that all processes of the machine share.
    package let nanoseconds: Int64

    package init(nanoseconds: Int64) { self.nanoseconds = nanoseconds }

    package static var now: Instant { Instant(nanoseconds: cmachine_monotonic()) }

    package static func < (one: Instant, other: Instant) -> Bool {
        one.nanoseconds < other.nanoseconds
    }

    package func secondsSince(_ other: Instant) -> Double {
        Double(nanoseconds - other.nanoseconds) / 1e9
    }

    package func advanced(bySeconds seconds: Double) -> Instant {
        Instant(nanoseconds: nanoseconds + Int64(seconds * 1e9))
    }

    /// Sleeps until then.
    package func sleep() { cmachine_sleep_until(nanoseconds) }

    /// Lets sleeps of the calling thread end within microseconds of their time.
    package static func awaitPrecisely() { cmachine_precise_sleep() }
}

/// Now, in UTC, as `2026-11-23T18:00:00Z`.
package func utcDate() -> String {
    var seconds = time(nil)
    var parts = unsafe tm()
    unsafe gmtime_r(&seconds, &parts)
    let fields = unsafe [
        parts.tm_year + 1_900, parts.tm_mon + 1, parts.tm_mday, parts.tm_hour, parts.tm_min,
        parts.tm_sec,
    ].map { $0 < 10 ? "0\($0)" : "\($0)" }
    return fields[..<3].joined(separator: "-") + "T" + fields[3...].joined(separator: ":") + "Z"
}
