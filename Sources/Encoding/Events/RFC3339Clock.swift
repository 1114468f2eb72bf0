import Platform

/// Reads times as container runtimes write them: `2026-11-23T05:00:00.123456789Z`, with any number
/// of digits behind the second, or none, and `Z` or a zone of hours and minutes.
///
/// It remembers the last second: the next line mostly has the same.
package struct RFC3339Clock: Sendable {
    /// The first 16 and the next 3 bytes of that, as numbers; 0 before the first.
    private var minute: (UInt64, UInt64) = (0, 0)
    private var second: UInt32 = 0
    /// Of it, since 1970, as if its zone were UTC.
    private var seconds: Int64 = 0

    package init() {}

    /// 9999-12-31T23:59:59Z: a record's time has a year of four digits.
    private static let lastSecond: Int64 = 253_402_300_799
    /// More digits are no time that anybody writes.
    private static let mostDigits = 12

    /// The time that begins at `start`, in milliseconds since 1970, and where it ends; nil where
    /// there is none, or one before 1970.
    package mutating func time(
        _ line: Span<UInt8>, from start: Int
    ) -> (milliseconds: Int64, end: Int)? {
        // `2026-11-23T05:00:00` and a zone.
        guard line.count - start >= 20, readSecond(line, start) else { return nil }
        var index = start + 19
        var fraction: Int64 = 0
        if line[index] == UInt8(ascii: ".") {
            index += 1
            let first = index
            while index < line.count, line[index] &- 0x30 <= 9 {
                if index < first + 3 { fraction = fraction * 10 + Int64(line[index] &- 0x30) }
                index += 1
            }
            let digits = index - first
            guard digits > 0, digits <= Self.mostDigits, index < line.count else { return nil }
            if digits < 3 { fraction *= digits == 1 ? 100 : 10 }
        }
        var moment = seconds
        if line[index] == UInt8(ascii: "Z") {
            index += 1
        } else {
            guard let zone = Self.zone(line, index) else { return nil }
            moment -= zone
            index += 6
        }
        guard moment >= 0, moment <= Self.lastSecond else { return nil }
        return (moment * 1000 + fraction, index)
    }

    private mutating func readSecond(_ line: Span<UInt8>, _ start: Int) -> Bool {
        let minute = (Self.word(line, start), Self.word(line, start + 8))
        let second =
            UInt32(line[start + 16]) << 16 | UInt32(line[start + 17]) << 8
            | UInt32(line[start + 18])
        if second == self.second, minute.1 == self.minute.1, minute.0 == self.minute.0 {
            return true
        }
        guard let moment = Self.moment(line, start) else { return false }
        (self.minute, self.second, seconds) = (minute, second, moment)
        return true
    }

    @inline(__always)
    private static func word(_ line: Span<UInt8>, _ start: Int) -> UInt64 {
        var word: UInt64 = 0
        for index in start..<start + 8 { word = word << 8 | UInt64(line[index]) }
        return word
    }

    /// `+02:00`, in seconds.
    private static func zone(_ line: Span<UInt8>, _ start: Int) -> Int64? {
        guard line.count - start >= 6, line[start + 3] == UInt8(ascii: ":"),
            let hours = decimal(line, start + 1, 2), let minutes = decimal(line, start + 4, 2),
            hours < 24, minutes < 60
        else { return nil }
        let zone = Int64(hours * 3600 + minutes * 60)
        switch line[start] {
        case UInt8(ascii: "+"): return zone
        case UInt8(ascii: "-"): return -zone
        default: return nil
        }
    }

    /// Seconds since 1970 of `2026-11-23T05:00:00`; a leap second is the one before it.
    private static func moment(_ line: Span<UInt8>, _ start: Int) -> Int64? {
        guard line[start + 4] == UInt8(ascii: "-"), line[start + 7] == UInt8(ascii: "-"),
            line[start + 10] == UInt8(ascii: "T"), line[start + 13] == UInt8(ascii: ":"),
            line[start + 16] == UInt8(ascii: ":"), let year = decimal(line, start, 4),
            let month = decimal(line, start + 5, 2), let day = decimal(line, start + 8, 2),
            let hour = decimal(line, start + 11, 2), let minute = decimal(line, start + 14, 2),
            let second = decimal(line, start + 17, 2)
        else { return nil }
        let date = CivilDate(year: year, month: month, day: day)
        guard year >= 1, date.isInCalendar, hour < 24, minute < 60, second <= 60 else {
            return nil
        }
        let shown = ((date.daysSince1970 * 24 + hour) * 60 + minute) * 60 + min(second, 59)
        return Int64(shown)
    }

    private static func decimal(_ line: Span<UInt8>, _ start: Int, _ count: Int) -> Int? {
        var number = 0
        for index in start..<start + count {
            let digit = line[index] &- UInt8(ascii: "0")
            guard digit <= 9 else { return nil }
            number = number * 10 + Int(digit)
        }
        return number
    }
}
