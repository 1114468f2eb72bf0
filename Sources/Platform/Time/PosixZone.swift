/// A rule for setting clocks each year alike, as in POSIX's TZ with the extensions of RFC 8536:
/// `CET-1CEST,M3.5.0,M10.5.0/3`.
struct PosixZone {
    /// Seconds ahead of UTC.
    let standard: Int64
    /// Nil where clocks are never set.
    let daylight: Daylight?

    struct Daylight {
        /// Seconds ahead of UTC.
        let offset: Int64
        let start: Change
        let end: Change
    }

    /// A moment of each year.
    struct Change {
        let day: Day
        /// Seconds after the day's beginning, on clocks that are not set yet; -167 to 167 hours.
        let time: Int64
    }

    enum Day {
        /// 1...365, without the leap day: 60 is always March 1.
        case ofCommonYear(Int)
        /// 0...365, the leap day counted.
        case ofYear(Int)
        /// Weekday from Sunday, 0...6; the week 1...5, of which 5 is the month's last.
        case ofMonth(Int, week: Int, weekday: Int)
    }

    /// Nil for any other text.
    init?(_ text: [UInt8]) {
        var text = Text(rest: text[...])
        guard text.name(), let west = text.time(hours: 24) else { return nil }
        standard = -west
        if text.rest.isEmpty {
            daylight = nil
            return
        }
        guard text.name() else { return nil }
        var offset = standard + 3600
        if text.rest.first != UInt8(ascii: ",") {
            guard let west = text.time(hours: 24) else { return nil }
            offset = -west
        }
        guard let start = text.change(), let end = text.change(), text.rest.isEmpty else {
            return nil
        }
        daylight = Daylight(offset: offset, start: start, end: end)
    }

    /// When clocks are set after `moment`, seconds since 1970 of a year up to `lastYear`, in order.
    func transitions(after moment: Int64?, until lastYear: Int) -> [ZoneRules.Transition] {
        guard let daylight else { return [] }
        let after = moment ?? .min
        let day = Int(max(after, -62_000_000_000) / 86_400)
        // With 167 hours a change of the year before may fall into this one.
        let firstYear = CivilDate(daysSince1970: day).year - 1
        guard firstYear <= lastYear else { return [] }
        var transitions: [ZoneRules.Transition] = []
        for year in firstYear...lastYear {
            transitions.append(
                ZoneRules.Transition(
                    moment: daylight.end.moment(in: year, offset: daylight.offset),
                    offset: standard))
            transitions.append(
                ZoneRules.Transition(
                    moment: daylight.start.moment(in: year, offset: standard),
                    offset: daylight.offset))
        }
        // Daylight-saving time for a whole year ends when that of the next begins, and goes on.
        let isStart = { (transition: ZoneRules.Transition) in transition.offset != standard }
        return transitions.filter { $0.moment > after }.sorted { a, b in
            a.moment != b.moment ? a.moment < b.moment : !isStart(a) && isStart(b)
        }
    }

    private struct Text {
        var rest: ArraySlice<UInt8>

        mutating func take(_ letter: Unicode.Scalar) -> Bool {
            guard rest.first == UInt8(ascii: letter) else { return false }
            rest.removeFirst()
            return true
        }

        /// An abbreviation, which nobody needs.
        mutating func name() -> Bool {
            if take("<") {
                guard let end = rest.firstIndex(of: UInt8(ascii: ">")) else { return false }
                rest = rest[(end + 1)...]
                return true
            }
            let name = rest.prefix { byte in
                let letter = byte | 0x20
                return letter >= UInt8(ascii: "a") && letter <= UInt8(ascii: "z")
            }
            rest = rest[name.endIndex...]
            return name.count >= 3
        }

        /// Digits, at most three.
        mutating func number(_ range: ClosedRange<Int>) -> Int? {
            let digits = rest.prefix { $0 >= UInt8(ascii: "0") && $0 <= UInt8(ascii: "9") }
            guard (1...3).contains(digits.count) else { return nil }
            rest = rest[digits.endIndex...]
            let number = digits.reduce(0) { $0 * 10 + Int($1 - UInt8(ascii: "0")) }
            return range.contains(number) ? number : nil
        }

        /// `[+-]hh[:mm[:ss]]` in seconds.
        mutating func time(hours most: Int) -> Int64? {
            let isNegative = take("-")
            if !isNegative { _ = take("+") }
            guard let hours = number(0...most) else { return nil }
            var seconds = hours * 3600
            if take(":") {
                guard let minutes = number(0...59) else { return nil }
                seconds += minutes * 60
                if take(":") {
                    guard let rest = number(0...59) else { return nil }
                    seconds += rest
                }
            }
            return Int64(isNegative ? -seconds : seconds)
        }

        /// A comma, the day, and behind a slash the time, which else is two o'clock.
        mutating func change() -> Change? {
            guard take(","), let day = day() else { return nil }
            guard take("/") else { return Change(day: day, time: 7200) }
            return time(hours: 167).map { Change(day: day, time: $0) }
        }

        private mutating func day() -> Day? {
            if take("J") { return number(1...365).map(Day.ofCommonYear) }
            guard take("M") else { return number(0...365).map(Day.ofYear) }
            guard let month = number(1...12), take("."), let week = number(1...5), take("."),
                let weekday = number(0...6)
            else { return nil }
            return .ofMonth(month, week: week, weekday: weekday)
        }
    }
}

extension PosixZone.Change {
    /// Seconds since 1970; clocks are `offset` seconds ahead of UTC until then.
    fileprivate func moment(in year: Int, offset: Int64) -> Int64 {
        Int64(day.daysSince1970(in: year)) * 86_400 + time - offset
    }
}

extension PosixZone.Day {
    fileprivate func daysSince1970(in year: Int) -> Int {
        switch self {
        case .ofCommonYear(let day):
            let march = CivilDate(year: year, month: 3, day: 1).daysSince1970
            return march + day - 60 - (day < 60 ? leapDay(year) : 0)
        case .ofYear(let day):
            return CivilDate(year: year, month: 1, day: 1).daysSince1970 + day
        case .ofMonth(let month, let week, let weekday):
            let first = CivilDate(year: year, month: month, day: 1).daysSince1970
            // 1970-01-01 was a Thursday.
            let firstWeekday = ((first + 4) % 7 + 7) % 7
            var day = first + (weekday - firstWeekday + 7) % 7 + 7 * (week - 1)
            let next =
                month == 12
                ? CivilDate(year: year + 1, month: 1, day: 1)
                : CivilDate(year: year, month: month + 1, day: 1)
            while day >= next.daysSince1970 { day -= 7 }
            return day
        }
    }

    private func leapDay(_ year: Int) -> Int {
        CivilDate(year: year, month: 2, day: 29).isInCalendar ? 1 : 0
    }
}
