import Platform
import TestSupport
import Testing

@Suite("Times are read as Go's layouts have them") struct TimeLayoutTests {
    /// 2026-11-23T05:00:00Z.
    private static let now: Int64 = 1_795_410_000_000

    private func time(_ layout: String, _ text: String, zone: String = "UTC") throws -> String? {
        var clock = LocalClock(try ZoneRules.load(zone))
        let bytes = Array(text.utf8)
        return try TimeLayout(layout).time(bytes.span, &clock, now: Self.now).map {
            Timestamp(milliseconds: $0).description
        }
    }

    @Test(arguments: [
        ("RFC3339", "2020-01-02T03:04:05Z", "2020-01-02T03:04:05.000Z"),
        ("RFC3339", "2020-01-02T03:04:05.6789+01:00", "2020-01-02T02:04:05.678Z"),
        ("RFC3339Nano", "2020-01-02T03:04:05.123456789Z", "2020-01-02T03:04:05.123Z"),
        ("ISO8601", "2020-01-02T03:04:05.123+0100", "2020-01-02T02:04:05.123Z"),
        ("2006-01-02 15:04:05,000", "2020-01-02 03:04:05,678", "2020-01-02T03:04:05.678Z"),
        ("2006-01-02 15:04:05", "2020-01-02 03:04:05.6", "2020-01-02T03:04:05.600Z"),
        ("02/Jan/2006:15:04:05 -0700", "29/Feb/2024:10:00:00 -0530", "2024-02-29T15:30:00.000Z"),
        ("RFC1123", "Mon, 02 Jan 2006 15:04:05 GMT", "2006-01-02T15:04:05.000Z"),
        ("ANSIC", "Mon Jan  2 15:04:05 2006", "2006-01-02T15:04:05.000Z"),
        ("1/2/06 3:04 PM", "7/4/26 9:05 pm", "2026-07-04T21:05:00.000Z"),
        ("Jan _2 15:04:05", "Nov 22 10:00:00", "2026-11-22T10:00:00.000Z"),
        ("Jan _2 15:04:05", "Dec  1 10:00:00", "2025-12-01T10:00:00.000Z"),
        ("2006-002", "2024-366", "2024-12-31T00:00:00.000Z"),
        ("UNIX", "1577934245", "2020-01-02T03:04:05.000Z"),
        ("UNIX", "1577934245.678", "2020-01-02T03:04:05.678Z"),
        ("UNIX_MS", "1577934245678", "2020-01-02T03:04:05.678Z"),
        ("20060102150405", "20200102030405", "2020-01-02T03:04:05.000Z"),
        ("January 2, 2006", "february 29, 2024", "2024-02-29T00:00:00.000Z"),
    ])
    func read(layout: String, text: String, expected: String) throws {
        #expect(try time(layout, text) == expected)
    }

    @Test func clocksOfAPlaceAreReadWhereNoZoneIsNamed() throws {
        let layout = "2006-01-02 15:04:05"
        #expect(
            try time(layout, "2020-07-02 03:04:05", zone: "Europe/Berlin")
                == "2020-07-02T01:04:05.000Z")
    }

    @Test func aZoneIsNamedAsThePlacesOwnClocksAreOrTheTimeIsNone() throws {
        func time(_ name: String, _ zone: String, _ layout: String = "2006-01-02 15:04 MST") throws
            -> String?
        {
            try self.time(layout, "2020-07-02 05:00 \(name)", zone: zone)
        }
        let place = "America/New_York"
        #expect(try time("EDT", place) == "2020-07-02T09:00:00.000Z")
        // As Go has it, whatever the season.
        #expect(try time("EST", place) == "2020-07-02T10:00:00.000Z")
        #expect(try time("UTC", place) == "2020-07-02T05:00:00.000Z")
        #expect(try time("GMT", place) == "2020-07-02T05:00:00.000Z")
        #expect(try time("CEST", "Europe/Berlin") == "2020-07-02T03:00:00.000Z")
        #expect(try time("CET", place) == nil)
        #expect(try time("CET", "UTC") == nil)
        // A number beside it says all.
        #expect(
            try time("+0200 XYZ", place, "2006-01-02 15:04 -0700 MST")
                == "2020-07-02T03:00:00.000Z")
    }

    @Test(arguments: [
        ("RFC3339", "2020-01-02 03:04:05Z"), ("RFC3339", "2020-02-30T03:04:05Z"),
        ("RFC3339", "2020-01-02T24:04:05Z"), ("RFC3339", "2020-01-02T03:04:05Z "),
        ("RFC3339", ""), ("RFC3339", "2020"), ("2006-002", "2023-366"), ("UNIX", "soon"),
        ("UNIX", "1."), ("UNIX", "-1"), ("UNIX_MS", "999999999999999"), ("UNIX", "1e9"),
        ("Mon Jan 2 2006", "Nix Jan 2 2006"), ("1/2/06 3PM", "1/2/06 13PM"),
        ("2006-01-02", "1969-12-31"), ("15:04:05.000 2006-01-02", "03:04:05.12 2020-01-02"),
    ])
    func refused(layout: String, text: String) throws {
        #expect(try time(layout, text) == nil)
    }

    @Test(arguments: ["yyyy-MM-dd HH:mm:ss", "%Y-%m-%d", "15:04:05", "", "RFC"])
    func whatHasNoDateIsNoLayout(text: String) {
        #expect(throws: TimeLayoutError.noDate) { try TimeLayout(text) }
    }

    @Test func anyTextIsATimeOrNone() throws {
        var random = SplitMix(seed: 3)
        let alphabet = Array("0123456789-:T Z+.,JanMon/PM".utf8)
        var clock = LocalClock(.utc)
        for name in TimeLayout.names.keys.sorted() {
            let layout = try TimeLayout(name)
            for _ in 0..<300 {
                let bytes = (0..<Int.random(in: 0...40, using: &random)).map { _ in
                    alphabet.randomElement(using: &random) ?? 0x30
                }
                if let time = layout.time(bytes.span, &clock, now: Self.now) { #expect(time >= 0) }
            }
        }
    }
}
