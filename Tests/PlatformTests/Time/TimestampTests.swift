import Platform
import Testing

@Suite struct TimestampTests {
    private func text(_ milliseconds: Int64) -> String {
        let text = Timestamp(milliseconds: milliseconds).text
        return String(decoding: text.indices.map { text[$0] }, as: UTF8.self)
    }

    private func parsed(_ text: String) -> Int64? {
        Timestamp(text: Array(text.utf8).span)?.milliseconds
    }

    @Test(arguments: [
        (0, "1970-01-01T00:00:00.000Z"),
        (-1, "1969-12-31T23:59:59.999Z"),
        (951_782_399_999, "2000-02-28T23:59:59.999Z"),
        (951_782_400_000, "2000-02-29T00:00:00.000Z"),
        (951_868_800_000, "2000-03-01T00:00:00.000Z"),
        (1_709_210_096_789, "2024-02-29T12:34:56.789Z"),
        (1_483_228_800_000, "2017-01-01T00:00:00.000Z"),
        (1_795_405_080_123, "2026-11-23T03:38:00.123Z"),
        (4_107_542_399_000, "2100-02-28T23:59:59.000Z"),
        (4_107_542_400_000, "2100-03-01T00:00:00.000Z"),
        (-2_203_891_200_000, "1900-03-01T00:00:00.000Z"),
        (-2_203_891_200_001, "1900-02-28T23:59:59.999Z"),
        (-62_135_596_800_000, "0001-01-01T00:00:00.000Z"),
        (253_402_300_799_999, "9999-12-31T23:59:59.999Z"),
    ])
    func knownTimesHaveTheirText(milliseconds: Int64, expected: String) {
        #expect(text(milliseconds) == expected)
        #expect(Timestamp(milliseconds: milliseconds).description == expected)
        #expect(parsed(expected) == milliseconds)
    }

    @Test(
        "What is no time in this very form is none",
        arguments: [
            "", "2026-11-23T03:38:00.123", "2026-11-23T03:38:00.123ZZ", "2026-11-23 03:38:00.123Z",
            "2026-11-23T03:38:00,123Z", "2026-11-23T24:00:00.000Z", "2026-11-23T23:60:00.000Z",
            "2026-11-23T23:59:60.000Z", "2026-13-01T00:00:00.000Z", "2026-00-01T00:00:00.000Z",
            "2026-11-31T00:00:00.000Z", "2026-11-00T00:00:00.000Z", "2100-02-29T00:00:00.000Z",
            "0000-12-31T00:00:00.000Z", "+026-11-23T03:38:00.123Z", "2026-11-23T03:38:00.12 Z",
        ])
    func otherTextIsRefused(text: String) { #expect(parsed(text) == nil) }

    @Test func timesNoFourDigitsHoldBecomeTheNearest() {
        #expect(text(.min) == "0001-01-01T00:00:00.000Z")
        #expect(text(-62_135_596_800_001) == "0001-01-01T00:00:00.000Z")
        #expect(text(.max) == "9999-12-31T23:59:59.999Z")
    }

    /// Walks the calendar by its own rules, day after day, from the first year to the last.
    @Test func everyDayOfTheCalendarIsRight() {
        var milliseconds: Int64 = -62_135_596_800_000
        var wrong: [String] = []
        for year in 1...9999 {
            let leap = year % 4 == 0 && (year % 100 != 0 || year % 400 == 0)
            // The ends of a year and of its February tell whether the days between are right.
            for (month, days) in [31, leap ? 29 : 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31]
                .enumerated()
            {
                let checked = [0: [1], 1: [days], 2: [1], 11: [days]][month, default: []]
                for day in checked {
                    let time = milliseconds + Int64(day - 1) * 86_400_000
                    let expected =
                        "\(pad(year, 4))-\(pad(month + 1, 2))-\(pad(day, 2))T00:00:00.000Z"
                    if text(time) != expected || parsed(expected) != time {
                        wrong.append(expected)
                    }
                }
                milliseconds += Int64(days) * 86_400_000
            }
        }
        #expect(wrong.isEmpty)
        #expect(milliseconds - 1 == 253_402_300_799_999)
    }

    @Test func nanosecondsAreCutTowardsThePast() {
        #expect(Timestamp(nanoseconds: 1_999_999).milliseconds == 1)
        #expect(Timestamp(nanoseconds: -1).description == "1969-12-31T23:59:59.999Z")
    }

    private func pad(_ number: Int, _ digits: Int) -> String {
        let text = String(number)
        return String(repeating: "0", count: digits - text.utf8.count) + text
    }
}
