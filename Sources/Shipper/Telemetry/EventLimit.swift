/// How many events that anybody with a file name can cause get a line of their own. The rest of an
/// interval are told in sum at its end: how many, in which directory, of how many bytes. A value
/// without a clock of its own.
///
/// 1. A pod makes 12,000 links that match, or 100 holes a second.
/// 2. A line for each fills the disk, and whoever looks for another line does not find it.
package struct EventLimit: Sendable {
    /// Lines for one place in an interval.
    static let mostPerPlace = 10
    /// Lines of one kind in an interval: places are made by anybody, too.
    static let mostPerKind = 100
    /// Places of one kind whose events are counted apart, and that get a line for what was left out
    /// of it.
    static let mostPlaces = 20

    /// The events that were left out in an interval.
    package struct Omission: Hashable, Sendable {
        /// The events' message, which is one text for each kind.
        package let kind: String
        /// The level at which they would have been told.
        package let level: Log.Level
        /// The directory, or the topic; nil for all others together.
        package let place: String?
        /// How many there were.
        package let count: Int
        /// Bytes that they were about, all together; 0 where they are about none.
        package let bytes: Int
    }

    private struct Sum: Sendable {
        var told = 0
        var count = 0
        var bytes = 0

        mutating func leaveOut(_ more: Int, _ bytes: Int) {
            count += more
            let (sum, overflow) = self.bytes.addingReportingOverflow(bytes)
            self.bytes = overflow ? .max : sum
        }
    }

    private struct Window: Sendable {
        let level: Log.Level
        let begun: Int64
        var told = 0
        /// Bounded by `mostPerKind`, as each was told once, and `mostPlaces` that never were.
        var places: [String: Sum] = [:]
        var elsewhere = Sum()
    }

    private let interval: Int64
    /// By kind, of which there are as many as the code has words for.
    private var windows: [String: Window] = [:]
    private var ended: [Omission] = []

    /// Counts begin anew after each interval, in which each kind and place has its few lines.
    package init(interval: Duration = .seconds(30)) {
        let (seconds, attoseconds) = interval.components
        self.interval = seconds * 1_000_000_000 + attoseconds / 1_000_000_000
    }

    /// An event at `now`, in monotonic nanoseconds; whether it gets its line. `bytes` are those it
    /// is about, if it is about any.
    package mutating func happened(
        _ kind: String, in place: String, _ level: Log.Level, bytes: Int = 0, at now: Int64
    ) -> Bool {
        if let window = windows[kind], now - window.begun >= interval { end(kind, window) }
        var window = windows.removeValue(forKey: kind) ?? Window(level: level, begun: now)
        defer { windows[kind] = window }
        var sum = window.places[place] ?? Sum()
        if window.told < Self.mostPerKind, sum.told < Self.mostPerPlace {
            window.told += 1
            sum.told += 1
            window.places[place] = sum
            return true
        }
        if window.places[place] == nil,
            window.places.count >= Self.mostPerKind + Self.mostPlaces
        {
            window.elsewhere.leaveOut(1, bytes)
            return false
        }
        sum.leaveOut(1, bytes)
        window.places[place] = sum
        return false
    }

    /// The events that were left out in intervals that are over at `now`, or with `all` in those
    /// that are not, too. To be called from time to time.
    package mutating func due(at now: Int64, all: Bool = false) -> [Omission] {
        for (kind, window) in windows where all || now - window.begun >= interval {
            end(kind, window)
        }
        defer { ended = [] }
        return ended
    }

    private mutating func end(_ kind: String, _ window: Window) {
        windows[kind] = nil
        var others = window.elsewhere
        let places = window.places.filter { $0.value.count > 0 }.sorted {
            $0.value.count == $1.value.count ? $0.key < $1.key : $0.value.count > $1.value.count
        }
        for (index, (place, sum)) in places.enumerated() {
            if index < Self.mostPlaces {
                ended.append(
                    Omission(
                        kind: kind, level: window.level, place: place, count: sum.count,
                        bytes: sum.bytes))
            } else {
                others.leaveOut(sum.count, sum.bytes)
            }
        }
        if others.count > 0 {
            ended.append(
                Omission(
                    kind: kind, level: window.level, place: nil, count: others.count,
                    bytes: others.bytes))
        }
    }
}
