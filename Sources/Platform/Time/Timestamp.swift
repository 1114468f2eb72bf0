/// A wall clock time to the millisecond, as records, the log and the registry carry it: UTC,
/// `2026-11-23T03:38:00.123Z`.
package struct Timestamp: Hashable, Sendable, Comparable, CustomStringConvertible {
    /// Milliseconds since 1970. Invariant: within `range`.
    package let milliseconds: Int64

    /// Bytes of the text form.
    package static let textCount = 24

    /// 0001-01-01T00:00:00.000Z to 9999-12-31T23:59:59.999Z: four digits hold no other year.
    static let range: ClosedRange<Int64> = -62_135_596_800_000...253_402_300_799_999

    /// Milliseconds since 1970; a clock that is set outside the years 1...9999 gives the nearest
    /// time within.
    package init(milliseconds: Int64) {
        self.milliseconds = min(max(milliseconds, Self.range.lowerBound), Self.range.upperBound)
    }

    /// Nanoseconds since 1970, as `Clock` gives them; what is finer than a millisecond is cut off
    /// towards the past.
    package init(nanoseconds: Int64) {
        self.init(milliseconds: Self.floorDivide(nanoseconds, 1_000_000).quotient)
    }

    /// Nanoseconds since 1970, within the bounds of `OutsideNumber`: a saved time may be of any
    /// year.
    package var nanoseconds: Int64 {
        OutsideNumber.time(seconds: 0, nanoseconds: milliseconds *| 1_000_000)
    }

    /// Days since 1970-01-01 in UTC, and 0 on that; negative before.
    package var day: Int { Int(Self.floorDivide(milliseconds, 86_400_000).quotient) }

    /// When a day of these begins.
    package init(day: Int) { self.init(milliseconds: Int64(day) *| 86_400_000) }

    /// The wall clock's time, to the millisecond.
    package static func now() -> Timestamp { Timestamp(nanoseconds: Clock.wallNanoseconds()) }

    package static func < (a: Timestamp, b: Timestamp) -> Bool { a.milliseconds < b.milliseconds }

    /// The text form, without a place on the heap.
    package var text: [24 of UInt8] {
        var text: [24 of UInt8] = .init(repeating: 0x2D)
        let (day, inDay) = Self.floorDivide(milliseconds, 86_400_000)
        let date = CivilDate(daysSince1970: Int(day))
        let rest = Int(inDay)
        Self.put(date.year, digits: 4, at: 0, in: &text)
        Self.put(date.month, digits: 2, at: 5, in: &text)
        Self.put(date.day, digits: 2, at: 8, in: &text)
        text[10] = 0x54
        Self.put(rest / 3_600_000, digits: 2, at: 11, in: &text)
        text[13] = 0x3A
        Self.put(rest / 60_000 % 60, digits: 2, at: 14, in: &text)
        text[16] = 0x3A
        Self.put(rest / 1_000 % 60, digits: 2, at: 17, in: &text)
        text[19] = 0x2E
        Self.put(rest % 1_000, digits: 3, at: 20, in: &text)
        text[23] = 0x5A
        return text
    }

    private static func put(
        _ number: Int, digits: Int, at position: Int, in text: inout [24 of UInt8]
    ) {
        var rest = number
        for place in stride(from: position + digits - 1, through: position, by: -1) {
            text[place] = 0x30 + UInt8(rest % 10)
            rest /= 10
        }
    }

    package var description: String {
        var bytes: [UInt8] = []
        append(to: &bytes)
        return String(decoding: bytes, as: UTF8.self)
    }

    /// Appends the text form to `bytes`.
    package func append(to bytes: inout [UInt8]) {
        let text = text
        for index in text.indices { bytes.append(text[index]) }
    }

    private static let pattern = Array("dddd-dd-ddTdd:dd:dd.dddZ".utf8)

    /// Reads the text form and nothing else; nil for any other text and for a date that is none.
    package init?(text: Span<UInt8>) {
        guard text.count == Self.pattern.count else { return nil }
        var fields: [7 of Int] = .init(repeating: 0)
        var field = 0
        for index in text.indices {
            let (byte, expected) = (text[index], Self.pattern[index])
            if expected == UInt8(ascii: "d") {
                guard byte >= UInt8(ascii: "0"), byte <= UInt8(ascii: "9") else { return nil }
                fields[field] = fields[field] * 10 + Int(byte - UInt8(ascii: "0"))
            } else {
                guard byte == expected else { return nil }
                field += 1
            }
        }
        let date = CivilDate(year: fields[0], month: fields[1], day: fields[2])
        let (hour, minute, second, fraction) = (fields[3], fields[4], fields[5], fields[6])
        guard date.year >= 1, date.isInCalendar, hour < 24, minute < 60, second < 60 else {
            return nil
        }
        let minutes = (date.daysSince1970 * 24 + hour) * 60 + minute
        milliseconds = Int64(minutes * 60_000 + second * 1000 + fraction)
    }

    private static func floorDivide(
        _ number: Int64, _ divisor: Int64
    ) -> (quotient: Int64, remainder: Int64) {
        let (quotient, remainder) = number.quotientAndRemainder(dividingBy: divisor)
        return remainder < 0 ? (quotient - 1, remainder + divisor) : (quotient, remainder)
    }
}
