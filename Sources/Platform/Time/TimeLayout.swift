/// A form in which times are written, as Go and Filebeat have it: how the moment
/// `Mon Jan 2 15:04:05 -0700 2006` would be written, or one of the names in `names`, or `UNIX` and
/// `UNIX_MS` for seconds and milliseconds since 1970.
///
/// A fraction may stand behind the seconds whatever the layout says, behind a `.` or a `,`.
package struct TimeLayout: Hashable, Sendable {
    /// As it was written down.
    package let text: String
    let elements: [TimeElement]

    /// Bytes of a layout, and of a text that may be a time.
    static let longest = 128

    /// Names that stand for layouts: Go's constants, and Filebeat's own.
    package static let names: [String: String] = [
        "ANSIC": "Mon Jan _2 15:04:05 2006",
        "UnixDate": "Mon Jan _2 15:04:05 MST 2006",
        "RubyDate": "Mon Jan 02 15:04:05 -0700 2006",
        "RFC822": "02 Jan 06 15:04 MST",
        "RFC822Z": "02 Jan 06 15:04 -0700",
        "RFC850": "Monday, 02-Jan-06 15:04:05 MST",
        "RFC1123": "Mon, 02 Jan 2006 15:04:05 MST",
        "RFC1123Z": "Mon, 02 Jan 2006 15:04:05 -0700",
        "RFC3339": "2006-01-02T15:04:05Z07:00",
        "RFC3339Nano": "2006-01-02T15:04:05.999999999Z07:00",
        "ISO8601": "2006-01-02T15:04:05.000Z0700",
    ]

    /// Throws where nothing in it stands for a day.
    package init(_ text: String) throws(TimeLayoutError) {
        self.text = text
        guard text.utf8.count <= Self.longest else { throw .tooLong }
        switch text {
        case "UNIX": elements = [.unix(1000)]
        case "UNIX_MS": elements = [.unix(1)]
        default:
            elements = TimeElement.all(in: Array((Self.names[text] ?? text).utf8))
            let hasDay = elements.contains(.day(2)) || elements.contains(.day(1))
            let hasMonth = elements.contains { element in
                switch element {
                case .month, .monthName: true
                default: false
                }
            }
            guard hasDay && hasMonth || elements.contains(.dayOfYear) else { throw .noDate }
        }
    }

    /// Milliseconds since 1970 of the time that `text` is; nil where it is none of this form, or
    /// one before 1970. `clock` tells of those that name no zone; a date without a year is of the
    /// last one in which it was not after `now`, milliseconds since 1970, and a day.
    package func time(
        _ text: Span<UInt8>, _ clock: inout LocalClock, now: Int64
    ) -> Int64? {
        guard text.count <= Self.longest else { return nil }
        if case .unix(let unit)? = elements.first { return Self.sinceEpoch(text, unit: unit) }
        var reader = TimeReader(place: 0)
        for (index, element) in elements.enumerated() {
            let next = index + 1 < elements.count ? elements[index + 1] : nil
            guard reader.read(element, before: next, of: text) else { return nil }
        }
        guard reader.place == text.count else { return nil }
        return reader.moment(&clock, now: now)
    }

    /// A number, with a fraction or not, in so many milliseconds.
    private static func sinceEpoch(_ text: Span<UInt8>, unit: Int64) -> Int64? {
        var reader = TimeReader(place: 0)
        guard let whole = reader.digits(text, 1...15) else { return nil }
        var milliseconds = Int64(whole) * unit
        if reader.place < text.count {
            guard text[reader.place] == UInt8(ascii: ".") else { return nil }
            reader.place += 1
            var scale = unit
            let start = reader.place
            while reader.place < text.count, text[reader.place] &- 0x30 <= 9 {
                scale /= 10
                milliseconds += Int64(text[reader.place] &- 0x30) * scale
                reader.place += 1
            }
            guard reader.place > start, reader.place == text.count else { return nil }
        }
        return milliseconds <= TimeReader.last ? milliseconds : nil
    }
}

/// Why a text is no layout of times.
package enum TimeLayoutError: Error, Hashable, Sendable, CustomStringConvertible {
    /// Nothing in it stands for the day of a year.
    case noDate
    /// It has more bytes than a time takes.
    case tooLong

    package var description: String {
        switch self {
        case .noDate:
            "it has no day and month; expected the moment 2006-01-02 15:04:05 -0700 written as"
                + " yours are, or a name, as in RFC3339, UNIX or UNIX_MS"
        case .tooLong: "it is longer than \(TimeLayout.longest) bytes"
        }
    }
}

/// One part of a layout. Numbers are those of its digits; 1 where there may be one or two.
enum TimeElement: Hashable, Sendable {
    case literal(UInt8)
    case year(Int)
    case month(Int)
    /// `Jan`, or `January` where it is long.
    case monthName(isLong: Bool)
    case day(Int)
    /// `_2`: a blank in the place of a first digit.
    case paddedDay
    case dayOfYear
    case weekday(isLong: Bool)
    case hour(Int)
    /// Of twelve.
    case halfHour(Int)
    case half
    case minute(Int)
    case second(Int)
    /// With so many digits; 0 for any number of them, or none at all.
    case fraction(Int)
    /// `Z` may stand for UTC; a colon between hours and minutes; minutes at all.
    case zone(hasZ: Bool, hasColon: Bool, hasMinutes: Bool)
    case zoneName
    /// Milliseconds of its unit.
    case unix(Int64)

    /// What stands for what, the longest first where one begins with another.
    private static let texts: [(text: [UInt8], elements: [TimeElement])] = [
        ("January", [.monthName(isLong: true)]), ("Jan", [.monthName(isLong: false)]),
        ("Monday", [.weekday(isLong: true)]), ("Mon", [.weekday(isLong: false)]),
        ("MST", [.zoneName]), ("002", [.dayOfYear]), ("01", [.month(2)]), ("02", [.day(2)]),
        ("03", [.halfHour(2)]), ("04", [.minute(2)]), ("05", [.second(2)]), ("06", [.year(2)]),
        ("15", [.hour(2)]), ("1", [.month(1)]), ("2006", [.year(4)]), ("2", [.day(1)]),
        ("_2006", [.literal(UInt8(ascii: "_")), .year(4)]), ("_2", [.paddedDay, .day(1)]),
        ("3", [.halfHour(1)]), ("4", [.minute(1)]), ("5", [.second(1)]), ("PM", [.half]),
        ("pm", [.half]),
        ("-07:00", [.zone(hasZ: false, hasColon: true, hasMinutes: true)]),
        ("-0700", [.zone(hasZ: false, hasColon: false, hasMinutes: true)]),
        ("-07", [.zone(hasZ: false, hasColon: false, hasMinutes: false)]),
        ("Z07:00", [.zone(hasZ: true, hasColon: true, hasMinutes: true)]),
        ("Z0700", [.zone(hasZ: true, hasColon: false, hasMinutes: true)]),
        ("Z07", [.zone(hasZ: true, hasColon: false, hasMinutes: false)]),
    ].map { (Array($0.0.utf8), $0.1) }

    static func all(in layout: [UInt8]) -> [TimeElement] {
        var elements: [TimeElement] = []
        var place = 0
        while place < layout.count {
            if let (digits, isExact) = fraction(layout, at: place) {
                elements.append(.fraction(isExact ? digits : 0))
                place += digits + 1
            } else if let known = texts.first(where: { layout[place...].starts(with: $0.text) }) {
                elements += known.elements
                place += known.text.count
            } else {
                elements.append(.literal(layout[place]))
                place += 1
            }
        }
        return elements
    }

    /// `.000` or `,999`, with no digit behind.
    private static func fraction(
        _ layout: [UInt8], at place: Int
    ) -> (digits: Int, isExact: Bool)? {
        guard layout[place] == UInt8(ascii: ".") || layout[place] == UInt8(ascii: ","),
            place + 1 < layout.count
        else { return nil }
        let digit = layout[place + 1]
        guard digit == UInt8(ascii: "0") || digit == UInt8(ascii: "9") else { return nil }
        var end = place + 1
        while end < layout.count, layout[end] == digit { end += 1 }
        if end < layout.count, layout[end] &- 0x30 <= 9 { return nil }
        return (end - place - 1, digit == UInt8(ascii: "0"))
    }
}
