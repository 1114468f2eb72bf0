/// Decides which of many equal faults are told: of each key the first at once, then one in each
/// interval, with the number of those kept back. A value without a clock of its own.
package struct RateLimit<Fault: Sendable>: Sendable {
    /// The decision about one fault.
    package enum Decision: Hashable, Sendable {
        /// To be told, with the number of equal ones kept back since the last that was told.
        case tell(repeated: Int)
        case keepBack
    }

    /// A fault that was kept back and is due now.
    package struct Due: Sendable {
        /// The last of them.
        package let fault: Fault
        /// How many were kept back, this one included.
        package let repeated: Int
    }

    private struct Entry {
        /// Monotonic nanoseconds when the key was told last.
        var told: Int64
        /// Invariant: the number of faults kept back since; `last` is there when it is not 0.
        var keptBack = 0
        var last: Fault?
    }

    private let interval: Int64
    private let capacity: Int
    private var entries: [String: Entry] = [:]
    /// Faults kept back that will not be told, because their key gave its place to another.
    package private(set) var forgotten = 0

    /// `capacity` keys are remembered, then the one told longest ago goes; a key may be a file's
    /// path, so there is no other bound on their number.
    package init(interval: Duration = .seconds(30), capacity: Int = 1024) {
        precondition(capacity > 0, "a rate limit without room for a key")
        let (seconds, attoseconds) = interval.components
        self.interval = seconds * 1_000_000_000 + attoseconds / 1_000_000_000
        self.capacity = capacity
    }

    /// Takes a fault that happened at `now`, in monotonic nanoseconds.
    package mutating func happened(_ fault: Fault, key: String, at now: Int64) -> Decision {
        guard var entry = entries[key] else {
            if entries.count >= capacity { forgetOldest() }
            entries[key] = Entry(told: now)
            return .tell(repeated: 0)
        }
        if now - entry.told < interval {
            entry.keptBack += 1
            entry.last = fault
            entries[key] = entry
            return .keepBack
        }
        entries[key] = Entry(told: now)
        return .tell(repeated: entry.keptBack)
    }

    /// The faults kept back whose interval is over at `now`; they count as told then. To be called
    /// from time to time, so that the last of a series are told, too, when no other follows.
    package mutating func due(at now: Int64) -> [Due] {
        var due: [Due] = []
        for (key, entry) in entries where now - entry.told >= interval {
            if let last = entry.last {
                due.append(Due(fault: last, repeated: entry.keptBack))
                entries[key] = Entry(told: now)
            } else {
                // Quiet for an interval: the next one is news again.
                entries[key] = nil
            }
        }
        return due
    }

    private mutating func forgetOldest() {
        guard let oldest = entries.min(by: { $0.value.told < $1.value.told }) else { return }
        forgotten += oldest.value.keptBack
        entries[oldest.key] = nil
    }
}
