/// A point in time as records carry it: UTC with milliseconds, `2026-11-23T03:38:00.123Z`.
package struct Timestamp: Sendable {
    /// The 24 characters.
    package private(set) var text: [24 of UInt8]

    package static let count = 24

    /// 0001-01-01T00:00:00.000Z and 9999-12-31T23:59:59.999Z in milliseconds since 1970: four digits
    /// hold no other year.
    static let earliest: Int64 = -62_135_596_800_000
    static let latest: Int64 = 253_402_300_799_999

    /// Milliseconds since 1970; a clock that is set outside the years 1...9999 gives the nearest
    /// time within.
    package init(milliseconds: Int64) {
        let time = min(max(milliseconds, Self.earliest), Self.latest)
        let (day, inDay) = Self.floorDivide(time, 86_400_000)
        let date = CivilDate(daysSince1970: Int(day))
        let rest = Int(inDay)
        text = .init(repeating: 0x2D)
        put(date.year, digits: 4, at: 0)
        put(date.month, digits: 2, at: 5)
        put(date.day, digits: 2, at: 8)
        text[10] = 0x54
        put(rest / 3_600_000, digits: 2, at: 11)
        text[13] = 0x3A
        put(rest / 60_000 % 60, digits: 2, at: 14)
        text[16] = 0x3A
        put(rest / 1_000 % 60, digits: 2, at: 17)
        text[19] = 0x2E
        put(rest % 1_000, digits: 3, at: 20)
        text[23] = 0x5A
    }

    /// Nanoseconds since 1970, as `Platform.Clock` gives them; what is finer than a millisecond is
    /// cut off towards the past.
    package init(nanoseconds: Int64) {
        self.init(milliseconds: Self.floorDivide(nanoseconds, 1_000_000).quotient)
    }

    private mutating func put(_ number: Int, digits: Int, at position: Int) {
        var rest = number
        for place in stride(from: position + digits - 1, through: position, by: -1) {
            text[place] = 0x30 + UInt8(rest % 10)
            rest /= 10
        }
    }

    private static func floorDivide(
        _ number: Int64, _ divisor: Int64
    ) -> (quotient: Int64, remainder: Int64) {
        let (quotient, remainder) = number.quotientAndRemainder(dividingBy: divisor)
        return remainder < 0 ? (quotient - 1, remainder + divisor) : (quotient, remainder)
    }
}

/// A day of the Gregorian calendar, carried on before its introduction.
struct CivilDate: Equatable {
    let year: Int
    /// 1...12.
    let month: Int
    /// 1...31.
    let day: Int

    init(year: Int, month: Int, day: Int) {
        self.year = year
        self.month = month
        self.day = day
    }

    /// Counts in eras of 400 years, which all have 146,097 days, and in years that start in March,
    /// so that the leap day is a year's last.
    init(daysSince1970 days: Int) {
        let shifted = days + 719_468
        let era = (shifted >= 0 ? shifted : shifted - 146_096) / 146_097
        let inEra = shifted - era * 146_097
        let yearOfEra = (inEra - inEra / 1_460 + inEra / 36_524 - inEra / 146_096) / 365
        let inYear = inEra - (365 * yearOfEra + yearOfEra / 4 - yearOfEra / 100)
        let marchMonth = (5 * inYear + 2) / 153
        day = inYear - (153 * marchMonth + 2) / 5 + 1
        month = marchMonth < 10 ? marchMonth + 3 : marchMonth - 9
        year = yearOfEra + era * 400 + (month <= 2 ? 1 : 0)
    }
}
