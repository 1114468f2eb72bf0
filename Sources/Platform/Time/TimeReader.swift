/// Reads a time, one element of its layout after the other.
struct TimeReader {
    /// The next byte.
    var place: Int
    private var year: Int?
    private var month = 1
    private var day = 1
    private var dayOfYear: Int?
    private var hour = 0
    private var isAfternoon: Bool?
    private var minute = 0
    private var second = 0
    private var milliseconds: Int64 = 0
    /// Seconds ahead of UTC, where the time names a zone.
    private var offset: Int64?
    /// What it calls its zone; none where it does not.
    private var zoneName: [UInt8] = []

    init(place: Int) { self.place = place }

    /// 9999-12-31T23:59:59.999Z: a record's time has a year of four digits.
    static let last: Int64 = 253_402_300_799_999

    /// The digits from here on, as many of them as may be.
    mutating func digits(_ text: Span<UInt8>, _ count: ClosedRange<Int>) -> Int? {
        var number = 0
        let start = place
        while place < text.count, place - start < count.upperBound, text[place] &- 0x30 <= 9 {
            number = number * 10 + Int(text[place] &- 0x30)
            place += 1
        }
        return place - start >= count.lowerBound ? number : nil
    }

    /// A number of two digits, or of one where the layout has one, within `range`.
    private mutating func number(
        _ text: Span<UInt8>, _ digits: Int, _ range: ClosedRange<Int>
    ) -> Int? {
        self.digits(text, digits...2).flatMap { range.contains($0) ? $0 : nil }
    }

    /// False where the text has no such element.
    mutating func read(
        _ element: TimeElement, before next: TimeElement?, of text: Span<UInt8>
    ) -> Bool {
        switch element {
        case .literal(let byte):
            guard place < text.count, text[place] == byte else { return false }
            place += 1
        case .year(let count):
            guard let number = digits(text, count...count) else { return false }
            year = count == 4 ? number : number + (number < 69 ? 2000 : 1900)
        case .month(let digits):
            guard let number = number(text, digits, 1...12) else { return false }
            month = number
        case .monthName(let isLong):
            guard let number = name(Self.months, isLong, text) else { return false }
            month = number + 1
        case .day(let digits):
            guard let number = number(text, digits, 1...31) else { return false }
            day = number
        case .paddedDay:
            if place < text.count, text[place] == UInt8(ascii: " ") { place += 1 }
        case .dayOfYear:
            guard let number = digits(text, 3...3), (1...366).contains(number) else {
                return false
            }
            dayOfYear = number
        case .weekday(let isLong): return name(Self.weekdays, isLong, text) != nil
        case .hour:
            guard let number = number(text, 1, 0...23) else { return false }
            hour = number
        case .halfHour(let digits):
            guard let number = number(text, digits, 0...12) else { return false }
            hour = number
        case .half: return half(text)
        case .minute(let digits):
            guard let number = number(text, digits, 0...59) else { return false }
            minute = number
        case .second(let digits):
            guard let number = number(text, digits, 0...60) else { return false }
            second = number
            if case .fraction? = next { return true }
            return fraction(text, nil)
        case .fraction(let digits): return fraction(text, digits)
        case .zone(let hasZ, let hasColon, let hasMinutes):
            return zone(text, hasZ, hasColon, hasMinutes)
        case .zoneName: return readZoneName(text)
        case .unix: return false
        }
        return true
    }

    // MARK: Names

    private static let months = [
        "January", "February", "March", "April", "May", "June", "July", "August", "September",
        "October", "November", "December",
    ].map { Array($0.lowercased().utf8) }
    private static let weekdays = [
        "Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday",
    ].map { Array($0.lowercased().utf8) }

    private mutating func name(
        _ names: [[UInt8]], _ isLong: Bool, _ text: Span<UInt8>
    ) -> Int? {
        for (index, name) in names.enumerated() {
            let count = isLong ? name.count : 3
            guard text.count - place >= count else { continue }
            var isSame = true
            for byte in 0..<count where text[place + byte] | 0x20 != name[byte] { isSame = false }
            guard isSame else { continue }
            place += count
            return index
        }
        return nil
    }

    private mutating func half(_ text: Span<UInt8>) -> Bool {
        guard text.count - place >= 2, text[place + 1] | 0x20 == UInt8(ascii: "m") else {
            return false
        }
        switch text[place] | 0x20 {
        case UInt8(ascii: "a"): isAfternoon = false
        case UInt8(ascii: "p"): isAfternoon = true
        default: return false
        }
        place += 2
        return true
    }

    // MARK: Fractions and zones

    /// So many digits; any number of them for 0, and for nil where there are some.
    private mutating func fraction(_ text: Span<UInt8>, _ count: Int?) -> Bool {
        let isThere =
            place + 1 < text.count
            && (text[place] == UInt8(ascii: ".") || text[place] == UInt8(ascii: ","))
            && text[place + 1] &- 0x30 <= 9
        guard isThere else { return count ?? 0 == 0 }
        place += 1
        let start = place
        var scale: Int64 = 100
        while place < text.count, text[place] &- 0x30 <= 9 {
            milliseconds += Int64(text[place] &- 0x30) * scale
            scale /= 10
            place += 1
        }
        guard let count, count > 0 else { return true }
        return place - start == count
    }

    private mutating func zone(
        _ text: Span<UInt8>, _ hasZ: Bool, _ hasColon: Bool, _ hasMinutes: Bool
    ) -> Bool {
        guard place < text.count else { return false }
        if hasZ, text[place] == UInt8(ascii: "Z") {
            place += 1
            offset = 0
            return true
        }
        let sign = text[place]
        guard sign == UInt8(ascii: "+") || sign == UInt8(ascii: "-") else { return false }
        place += 1
        guard let hours = digits(text, 2...2), hours < 24 else { return false }
        var minutes = 0
        if hasMinutes {
            if hasColon {
                guard place < text.count, text[place] == UInt8(ascii: ":") else { return false }
                place += 1
            }
            guard let number = digits(text, 2...2), number < 60 else { return false }
            minutes = number
        }
        offset = Int64(hours * 3600 + minutes * 60) * (sign == UInt8(ascii: "-") ? -1 : 1)
        return true
    }

    private mutating func readZoneName(_ text: Span<UInt8>) -> Bool {
        let start = place
        while place < text.count, text[place] &- UInt8(ascii: "A") < 26, place - start < 5 {
            place += 1
        }
        guard place - start >= 3 else { return false }
        zoneName = (start..<place).map { text[$0] }
        return true
    }

    // MARK: The moment

    /// Milliseconds since 1970; nil where the calendar does not have it, or before 1970, and where
    /// its zone is named, and nothing like what the place's own clocks are called: the same letters
    /// mean other hours elsewhere.
    mutating func moment(_ clock: inout LocalClock, now: Int64) -> Int64? {
        if let isAfternoon {
            guard (1...12).contains(hour) else { return nil }
            hour = hour % 12 + (isAfternoon ? 12 : 0)
        }
        if offset == nil, !zoneName.isEmpty {
            guard let known = clock.offset(of: zoneName) else { return nil }
            offset = known
        }
        if let year { return moment(year, &clock) }
        // The day of a log's line may begin earlier than ours.
        let latest = now + 86_400_000
        let present = CivilDate(daysSince1970: Int(max(0, latest) / 86_400_000)).year
        for year in [present, present - 1] {
            if let moment = moment(year, &clock), moment <= latest { return moment }
        }
        // 29 February may be four years ago.
        for year in 2...8 {
            if let moment = moment(present - year, &clock) { return moment }
        }
        return nil
    }

    private func moment(_ year: Int, _ clock: inout LocalClock) -> Int64? {
        var days: Int
        if let dayOfYear {
            days = CivilDate(year: year, month: 1, day: 1).daysSince1970 + dayOfYear - 1
            guard CivilDate(daysSince1970: days).year == year else { return nil }
        } else {
            let date = CivilDate(year: year, month: month, day: day)
            guard date.isInCalendar else { return nil }
            days = date.daysSince1970
        }
        guard (1...9999).contains(year) else { return nil }
        let shown = Int64(((days * 24 + hour) * 60 + minute) * 60 + min(second, 59))
        let moment = (offset.map { shown - $0 } ?? clock.moment(local: shown)) * 1000 + milliseconds
        return (0...Self.last).contains(moment) ? moment : nil
    }
}
