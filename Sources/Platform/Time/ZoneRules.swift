private import Glibc

/// How the clocks of a place are set, past and future, from the tz database of the system
/// (`/usr/share/zoneinfo`, Debian's package tzdata).
package struct ZoneRules: Hashable, Sendable {
    /// As it was asked for, `Europe/Berlin`.
    package let name: String

    /// By start; the first one starts before every date there is.
    let periods: [Period]
    /// Seconds ahead of UTC by what its clocks' times are called (`CET`, `CEST`).
    let abbreviations: [[UInt8]: Int64]

    /// A time during which clocks are ahead of UTC by one and the same number of seconds.
    struct Period: Hashable, Sendable {
        /// The first second that clocks show in it and in no earlier one, counted as if they showed
        /// UTC.
        let start: Int64
        /// Seconds ahead of UTC.
        let offset: Int64
    }

    /// A moment from which clocks are set otherwise.
    struct Transition: Hashable, Sendable {
        /// Seconds since 1970, without leap seconds.
        let moment: Int64
        /// Seconds ahead of UTC from then on.
        let offset: Int64
    }

    /// No database is needed for it.
    package static let utc = ZoneRules(name: "UTC", first: 0, transitions: [])

    /// `first` holds before the transitions, which are in order.
    ///
    /// Clocks that are set back show an hour twice, and clocks that are set forward leave one out.
    /// A time in such an hour is read as if they had not been set yet, which is what most libraries
    /// do: of two moments it is the earlier, and one that clocks never showed is moved by as much
    /// as they were.
    init(
        name: String, first: Int64, transitions: [Transition],
        abbreviations: [[UInt8]: Int64] = [:]
    ) {
        var periods = [Period(start: .min, offset: first)]
        var offset = first
        for transition in transitions where transition.offset != offset {
            // Moments in order, with offsets of a day at most, could still swap two starts.
            let shown = transition.moment + max(offset, transition.offset)
            let start = max(shown, periods[periods.count - 1].start)
            periods.append(Period(start: start, offset: transition.offset))
            offset = transition.offset
        }
        self.name = name
        self.periods = periods
        self.abbreviations = abbreviations
    }

    private static let database = "/usr/share/zoneinfo"
    /// The largest file of the database has 4 KB.
    private static let longestFile = 1 << 20

    /// The rules of a place, by its name in the database.
    package static func load(_ name: String) throws(ZoneError) -> ZoneRules {
        if name == utc.name { return utc }
        let parts = name.split(separator: "/", omittingEmptySubsequences: false)
        guard name.utf8.count <= 100, parts.allSatisfy(isName) else { throw .name }
        let path = "\(database)/\(name)"
        let bytes: [UInt8]
        do throws(SystemError) {
            let file = try Descriptor.open(path, O_RDONLY | O_NONBLOCK)
            guard try file.status().isRegular else {
                throw SystemError("open", path: path, code: .invalid)
            }
            bytes = try file.read(count: longestFile, at: 0)
        } catch {
            switch error.code {
            case .notFound, .notDirectory, .isDirectory, .invalid:
                throw .absent(database: database)
            default: throw .unreadable(error)
            }
        }
        do throws(ZoneInfoFile.Malformed) {
            let file = try ZoneInfoFile(bytes)
            return ZoneRules(
                name: name, first: file.first, transitions: file.transitions,
                abbreviations: file.abbreviations)
        } catch {
            throw .malformed(path: path, error)
        }
    }

    /// As the clocks of this machine are set: by the variable TZ (a place of the database or a
    /// rule as `CET-1CEST,M3.5.0,M10.5.0/3`), or where that is not set by /etc/localtime. UTC where
    /// there is neither, or it cannot be read, as in the C library.
    package static func local(_ variable: String?) -> ZoneRules {
        guard var name = variable else { return read("/etc/localtime") ?? utc }
        if name.hasPrefix(":") { name.removeFirst() }
        if name.hasPrefix("/") { return read(name) ?? utc }
        do throws(ZoneError) {
            return try load(name)
        } catch {
            guard let zone = PosixZone(Array(name.utf8)) else { return utc }
            return ZoneRules(
                name: name, first: zone.standard,
                transitions: zone.transitions(after: nil, until: ZoneInfoFile.lastYear)
                    .sorted { $0.moment < $1.moment })
        }
    }

    private static func read(_ path: String) -> ZoneRules? {
        do {
            let file = try Descriptor.open(path, O_RDONLY | O_NONBLOCK)
            guard try file.status().isRegular else { return nil }
            let parsed = try ZoneInfoFile(try file.read(count: longestFile, at: 0))
            return ZoneRules(
                name: path, first: parsed.first, transitions: parsed.transitions,
                abbreviations: parsed.abbreviations)
        } catch {
            return nil
        }
    }

    /// Whether it can be a part of a place's name; none leads out of the database.
    private static func isName(_ part: Substring) -> Bool {
        !part.isEmpty
            && part.utf8.allSatisfy { byte in
                switch byte {
                case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"),
                    UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "_"), UInt8(ascii: "-"),
                    UInt8(ascii: "+"):
                    true
                default: false
                }
            }
    }
}

/// Why there are no rules for a time zone.
package enum ZoneError: Error, Hashable, Sendable, CustomStringConvertible {
    /// No place can have such a name.
    case name
    /// The database has no such place, or is not there.
    case absent(database: String)
    case unreadable(SystemError)
    case malformed(path: String, ZoneInfoFile.Malformed)

    package var description: String {
        switch self {
        case .name: "it is not formed as the names of time zones are"
        case .absent(let database): "not found in \(database), which Debian's package tzdata fills"
        case .unreadable(let error): error.description
        case .malformed(let path, let problem): "\(path): \(problem)"
        }
    }
}

/// Turns what clocks show into moments; remembers the period of the last one, which that of the
/// next most often is.
package struct LocalClock: Sendable {
    private let rules: ZoneRules
    /// The period that was found last: from its start to the next one's.
    private var start = Int64.max
    private var end = Int64.max
    private var offset: Int64 = 0

    package init(_ rules: ZoneRules) { self.rules = rules }

    /// Seconds since 1970 at which clocks show `local`: seconds since 1970 as if they showed UTC,
    /// of a year from 1 to 9999.
    package mutating func moment(local: Int64) -> Int64 {
        if local < start || local >= end { find(local) }
        return local - offset
    }

    /// Seconds ahead of UTC of the times that these clocks show under that name; `UTC` and `GMT`
    /// mean what they say.
    func offset(of name: [UInt8]) -> Int64? {
        Self.ofUTC.contains(name) ? 0 : rules.abbreviations[name]
    }

    private static let ofUTC = [Array("UTC".utf8), Array("GMT".utf8)]

    private mutating func find(_ local: Int64) {
        let periods = rules.periods
        // Invariant: the period sought is in low..<high.
        var low = 0
        var high = periods.count
        while high - low > 1 {
            let middle = (low + high) / 2
            if periods[middle].start <= local { low = middle } else { high = middle }
        }
        start = periods[low].start
        end = high < periods.count ? periods[high].start : .max
        offset = periods[low].offset
    }
}
