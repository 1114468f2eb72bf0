/// Times of the day as a line of crontab(5) has them: minute, hour, day of the month, month, day of
/// the week, in local time.
///
/// Clocks that are set forward leave times out: such a time comes once, as much later as they were
/// set. Clocks that are set back show times twice: such a time comes once, the first time.
package struct CronSchedule: Hashable, Sendable {
    /// As it was written.
    package let text: String
    /// Bits of what matches.
    private let minutes: UInt64
    private let hours: UInt64
    private let days: UInt64
    private let months: UInt64
    /// From Sunday, 0...6.
    private let weekdays: UInt64
    /// As crontab(5) has it: a day has to match both fields where one of them begins with `*`, and
    /// else one of them.
    private let needsBoth: Bool

    /// Why a text is no schedule.
    package enum Malformed: Error, Hashable, Sendable, CustomStringConvertible {
        case fieldCount(Int)
        /// What is wrong with this part of this field.
        case field(String, part: String, problem: String)
        /// No year has such a time.
        case never

        package var description: String {
            switch self {
            case .fieldCount(let count):
                "it has \(count) \(count == 1 ? "field" : "fields") in place of five"
            case .field(let name, let part, let problem): "its \(name) \(part) \(problem)"
            case .never: "no year has such a time"
            }
        }
    }

    private struct Field {
        let name: String
        let range: ClosedRange<Int>
        var names: [String] = []
    }

    private static let fields = [
        Field(name: "minute", range: 0...59), Field(name: "hour", range: 0...23),
        Field(name: "day of the month", range: 1...31),
        Field(
            name: "month", range: 1...12,
            names: [
                "jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec",
            ]),
        Field(
            name: "day of the week", range: 0...7,
            names: ["sun", "mon", "tue", "wed", "thu", "fri", "sat"]),
    ]

    private static let words = [
        "@hourly": "0 * * * *", "@daily": "0 0 * * *", "@midnight": "0 0 * * *",
        "@weekly": "0 0 * * 0", "@monthly": "0 0 1 * *", "@yearly": "0 0 1 1 *",
        "@annually": "0 0 1 1 *",
    ]

    /// Five fields, or one of crontab's words (`@daily`).
    package init(_ text: String) throws(Malformed) {
        self.text = text
        let parts = (Self.words[text] ?? text).split { $0 == " " || $0 == "\t" }
        guard parts.count == Self.fields.count else { throw .fieldCount(parts.count) }
        var bits: [UInt64] = []
        for (part, field) in zip(parts, Self.fields) { bits.append(try Self.bits(part, field)) }
        minutes = bits[0]
        hours = bits[1]
        days = bits[2]
        months = bits[3]
        // 7 is Sunday, too.
        weekdays = (bits[4] & 0x7F) | (bits[4] >> 7 & 1)
        needsBoth = parts[2].first == "*" || parts[4].first == "*"
        // February has a 29th within eight years at any time but around 2100.
        guard (0..<Self.mostDays).contains(where: matches(day:)) else { throw .never }
    }

    private static let mostDays = 8 * 366 + 1

    private static func bits(_ text: Substring, _ field: Field) throws(Malformed) -> UInt64 {
        var bits: UInt64 = 0
        for part in text.split(separator: ",", omittingEmptySubsequences: false) {
            bits |= try Self.bits(item: part, field)
        }
        return bits
    }

    private static func bits(item: Substring, _ field: Field) throws(Malformed) -> UInt64 {
        func refuse(_ problem: String) -> Malformed {
            .field(field.name, part: "\"\(item)\"", problem: problem)
        }
        let halves = item.split(separator: "/", maxSplits: 1, omittingEmptySubsequences: false)
        let ends = halves[0].split(separator: "-", maxSplits: 1, omittingEmptySubsequences: false)
        let range: ClosedRange<Int>
        if halves[0] == "*" {
            range = field.range
        } else {
            guard let first = value(ends[0], field), let last = value(ends[ends.count - 1], field)
            else {
                throw refuse(
                    "is none: numbers from \(field.range.lowerBound) to \(field.range.upperBound)"
                        + (field.names.isEmpty ? "" : " and names of three letters")
                        + ", ranges, lists and steps are")
            }
            guard first <= last else { throw refuse("runs backwards") }
            range = first...last
        }
        var step = 1
        if halves.count == 2 {
            guard halves[0] == "*" || ends.count == 2 else {
                throw refuse("has a step without a range")
            }
            guard let number = number(halves[1]), (1...field.range.upperBound).contains(number)
            else { throw refuse("has a step that is none") }
            step = number
        }
        return stride(from: range.lowerBound, through: range.upperBound, by: step)
            .reduce(0) { $0 | 1 << UInt64($1) }
    }

    private static func value(_ text: Substring, _ field: Field) -> Int? {
        if let index = field.names.firstIndex(of: text.lowercased()) {
            return index + (field.range.lowerBound == 1 ? 1 : 0)
        }
        return number(text).flatMap { field.range.contains($0) ? $0 : nil }
    }

    private static func number(_ text: Substring) -> Int? {
        let isNumber =
            (1...4).contains(text.utf8.count)
            && text.utf8.allSatisfy { (UInt8(ascii: "0")...UInt8(ascii: "9")).contains($0) }
        return isNumber ? Int(text) : nil
    }

    private func matches(day: Int) -> Bool {
        let date = CivilDate(daysSince1970: day)
        guard months >> UInt64(date.month) & 1 == 1 else { return false }
        let isDay = days >> UInt64(date.day) & 1 == 1
        // 1970-01-01 was a Thursday.
        let weekday = ((day + 4) % 7 + 7) % 7
        let isWeekday = weekdays >> UInt64(weekday) & 1 == 1
        return needsBoth ? isDay && isWeekday : isDay || isWeekday
    }

    /// Seconds since 1970 of the first of its times after `moment`; nil where there is none within
    /// eight years.
    package func next(after moment: Int64, in zone: ZoneRules) -> Int64? {
        let moment = min(max(moment, 0), 1 << 37)
        var clock = LocalClock(zone)
        // Clocks show about this, within what any was ever set by.
        let shown = moment + (moment - clock.moment(local: moment))
        let first = shown - 26 * 3_600
        var best: Int64?
        // Times that were left out come after some that are later on the clock.
        var last = Int64.max
        var day = Int(first.quotientAndRemainder(dividingBy: 86_400).quotient) - 1
        let end = day + Self.mostDays + 3
        while day < end, Int64(day) * 86_400 <= last {
            if matches(day: day) {
                for hour in 0..<24 where hours >> UInt64(hour) & 1 == 1 {
                    for minute in 0..<60 where minutes >> UInt64(minute) & 1 == 1 {
                        let local = Int64(day) * 86_400 + Int64(hour * 3_600 + minute * 60)
                        guard local >= first, local <= last else { continue }
                        let time = clock.moment(local: local)
                        guard time > moment else { continue }
                        if last == .max { last = local + 4 * 3_600 }
                        best = min(best ?? time, time)
                    }
                }
            }
            day += 1
        }
        return best
    }
}
