package import Platform

/// The time that a logger wrote before a line's message.
package struct LineLabel: Hashable, Sendable {
    /// Bytes that it takes, with the blanks behind it.
    package let length: Int
    /// Since 1970; what is finer is cut off.
    package let milliseconds: Int64
}

/// Which labels a file's lines may begin with, and what they mean.
///
/// ```
/// @400000006b049b1025e51fbd message                 s6-log t, multilog t, svlogd -t: TAI64N
/// 2026-11-23 20:58:35.648969387  message            s6-log T: what clocks show, two blanks
/// @400000006b0…ad3 2026-11-23 20:58:35.669433050  message   s6-log t T: both, of one moment
/// 2026-11-23_19:58:35.64896 message                 svlogd -tt: UTC
/// 2026-11-23T19:58:35.64896 message                 svlogd -ttt: UTC
/// ```
///
/// What differs from these in a single byte, or is no time since 1970, is no label but text.
package struct LabelFormat: Hashable, Sendable {
    /// The seconds that a TAI64N label counts.
    package let tai64n: TAI64N
    /// Of the clocks that s6-log's `T` reads.
    package let zone: ZoneRules
    /// Whether svlogd's `-ttt` is a label: an application's own time could look like it.
    package let takesT: Bool

    /// The two ways in which loggers count.
    package enum TAI64N: Hashable, Sendable, CaseIterable {
        /// Leap seconds are counted, as skalibs does by default: 37 seconds from UTC since 2017.
        case skalibs
        /// 10 seconds from UTC, always.
        case daemontools
    }

    package init(tai64n: TAI64N, zone: ZoneRules, takesT: Bool) {
        self.tai64n = tai64n
        self.zone = zone
        self.takesT = takesT
    }
}

/// Reads the labels of lines, one line after the other.
package struct LabelReader {
    private let format: LabelFormat
    private var clock: LocalClock
    /// Of the last line with a calendar's label: the next one mostly has the same.
    private var lastSecond: KnownSecond?

    /// Keeps the zone's present period, so that a line costs one comparison.
    package init(_ format: LabelFormat) {
        self.format = format
        clock = LocalClock(format.zone)
    }

    /// 9999-12-31T23:59:59Z: a record's time has a year of four digits.
    private static let lastSecond: Int64 = 253_402_300_799
    /// Bytes of the shortest labels.
    private static let shortest = 26

    /// The label that `line` begins with.
    package mutating func label(of line: Span<UInt8>) -> LineLabel? {
        guard line.count >= Self.shortest else { return nil }
        let first = line[0]
        if first == UInt8(ascii: "@") { return tai64n(line) }
        guard first >= UInt8(ascii: "1"), first <= UInt8(ascii: "9") else { return nil }
        if let label = lastSecond?.label(of: line) { return label }
        guard let date = CalendarLabel(line, at: 0), let seconds = seconds(date) else { return nil }
        lastSecond = KnownSecond(line, seconds)
        return LineLabel(
            length: date.length,
            milliseconds: seconds * 1000 + Int64(date.nanoseconds / 1_000_000))
    }

    private mutating func tai64n(_ line: Span<UInt8>) -> LineLabel? {
        guard line[25] == UInt8(ascii: " "), let label = Self.hex(line, 1..<17),
            let nanoseconds = Self.hex(line, 17..<25), nanoseconds < 1_000_000_000
        else { return nil }
        // 2^62 is the beginning of 1970 in TAI, 10 seconds before that in UTC.
        let elapsed = Int64(truncatingIfNeeded: label &- (1 << 62 + 10))
        guard elapsed >= 0 else { return nil }
        let seconds =
            switch format.tai64n {
            case .skalibs: elapsed - LeapSeconds.count(elapsed: elapsed)
            case .daemontools: elapsed
            }
        guard seconds <= Self.lastSecond else { return nil }
        var length = Self.shortest
        // s6-log reads its clock once for both.
        if line.count > length, let date = CalendarLabel(line, at: length),
            date.separator == UInt8(ascii: " "), date.nanoseconds == Int(nanoseconds)
        {
            length += date.length
        }
        return LineLabel(
            length: length, milliseconds: seconds * 1000 + Int64(nanoseconds / 1_000_000))
    }

    /// Seconds since 1970; nil where the format or the calendar does not have it.
    private mutating func seconds(_ date: CalendarLabel) -> Int64? {
        let isLeap = date.second == 60
        let shown = date.secondsShown - (isLeap ? 1 : 0)
        let seconds: Int64
        switch date.separator {
        case UInt8(ascii: " "): seconds = clock.moment(local: shown)
        case UInt8(ascii: "_"): seconds = shown
        case UInt8(ascii: "T"):
            guard format.takesT else { return nil }
            seconds = shown
        default: return nil
        }
        guard seconds >= 0, seconds <= Self.lastSecond else { return nil }
        // Seconds since 1970 have no other number for a leap second than that of the one before.
        return isLeap && !LeapSeconds.precedes(seconds + 1) ? nil : seconds
    }

    /// Lower-case digits, sixteen at most.
    private static func hex(_ line: Span<UInt8>, _ digits: Range<Int>) -> UInt64? {
        var number: UInt64 = 0
        for index in digits {
            let byte = line[index]
            let digit: UInt8
            switch byte {
            case UInt8(ascii: "0")...UInt8(ascii: "9"): digit = byte &- UInt8(ascii: "0")
            case UInt8(ascii: "a")...UInt8(ascii: "f"): digit = byte &- UInt8(ascii: "a") &+ 10
            default: return nil
            }
            number = number << 4 | UInt64(digit)
        }
        return number
    }
}

/// The text of a second, and which one it is: what is finer is all that the next line has of its
/// own.
private struct KnownSecond {
    /// `2026-11-23 20:58:35`, with any separator: 8, 8 and 3 bytes.
    private let text: (UInt64, UInt64, UInt64)
    private let form: CalendarLabel.Form
    private let milliseconds: Int64

    /// `line` begins with a label of that second, which is one since 1970.
    init(_ line: Span<UInt8>, _ seconds: Int64) {
        text = (Self.word(line, 0, 8), Self.word(line, 8, 8), Self.word(line, 16, 3))
        form = CalendarLabel.Form(separator: line[10])
        milliseconds = seconds * 1000
    }

    /// The label of a line, 26 bytes long at least, that begins with one of this second.
    func label(of line: Span<UInt8>) -> LineLabel? {
        // Seconds change before minutes do.
        guard Self.word(line, 16, 3) == text.2, Self.word(line, 8, 8) == text.1,
            Self.word(line, 0, 8) == text.0,
            let nanoseconds = form.nanoseconds(of: line, at: 0)
        else { return nil }
        return LineLabel(
            length: form.length, milliseconds: milliseconds + Int64(nanoseconds / 1_000_000))
    }

    /// So many bytes, eight at most, as one number.
    private static func word(_ line: Span<UInt8>, _ start: Int, _ count: Int) -> UInt64 {
        var word: UInt64 = 0
        for index in start..<start + count { word = word << 8 | UInt64(line[index]) }
        return word
    }
}

/// A date and a time as clocks show them, with the blanks behind them.
private struct CalendarLabel {
    /// svlogd writes five digits of a second, s6-log nine.
    struct Form {
        let isLong: Bool

        init(separator: UInt8) { isLong = separator == UInt8(ascii: " ") }

        var length: Int { isLong ? 31 : 26 }

        /// The fraction of a second, and that blanks follow, of a label that begins at `start`; at
        /// least 26 bytes do.
        func nanoseconds(of line: Span<UInt8>, at start: Int) -> Int? {
            guard line.count - start >= length, line[start + 19] == UInt8(ascii: "."),
                line[start + length - 1] == UInt8(ascii: " "),
                !isLong || line[start + length - 2] == UInt8(ascii: " "),
                let fraction = CalendarLabel.decimal(line, start + 20, isLong ? 9 : 5)
            else { return nil }
            return isLong ? fraction : fraction * 10_000
        }
    }

    let date: CivilDate
    let hour: Int
    let minute: Int
    /// 60 in a leap second.
    let second: Int
    let nanoseconds: Int
    /// Between date and time: a blank (s6-log), `_` or `T` (svlogd).
    let separator: UInt8
    let length: Int

    /// Nil where there is none at `start`, or a month 13.
    init?(_ line: Span<UInt8>, at start: Int) {
        let rest = line.count - start
        guard rest >= 26 else { return nil }
        separator = line[start + 10]
        let form = Form(separator: separator)
        length = form.length
        guard let nanoseconds = form.nanoseconds(of: line, at: start),
            line[start + 4] == UInt8(ascii: "-"),
            line[start + 7] == UInt8(ascii: "-"), line[start + 13] == UInt8(ascii: ":"),
            line[start + 16] == UInt8(ascii: ":"),
            let year = Self.decimal(line, start, 4), let month = Self.decimal(line, start + 5, 2),
            let day = Self.decimal(line, start + 8, 2),
            let hour = Self.decimal(line, start + 11, 2),
            let minute = Self.decimal(line, start + 14, 2),
            let second = Self.decimal(line, start + 17, 2)
        else { return nil }
        date = CivilDate(year: year, month: month, day: day)
        guard year >= 1, date.isInCalendar, hour < 24, minute < 60, second <= 60 else {
            return nil
        }
        self.hour = hour
        self.minute = minute
        self.second = second
        self.nanoseconds = nanoseconds
    }

    /// Since 1970, if clocks show UTC.
    var secondsShown: Int64 {
        Int64(((date.daysSince1970 * 24 + hour) * 60 + minute) * 60 + second)
    }

    fileprivate static func decimal(_ line: Span<UInt8>, _ start: Int, _ count: Int) -> Int? {
        var number = 0
        for index in start..<start + count {
            let digit = line[index] &- UInt8(ascii: "0")
            guard digit <= 9 else { return nil }
            number = number * 10 + Int(digit)
        }
        return number
    }
}
