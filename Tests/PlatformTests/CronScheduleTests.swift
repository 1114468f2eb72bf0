import Platform
import TestSupport
import Testing

@Suite("O10: a schedule as of crontab, in local time")
struct CronScheduleTests {
    private let berlin: ZoneRules

    init() throws { berlin = .local("CET-1CEST,M3.5.0,M10.5.0/3") }

    /// Seconds since 1970, of a time in UTC.
    private func utc(
        _ year: Int, _ month: Int, _ day: Int, _ hour: Int = 0, _ minute: Int = 0
    ) -> Int64 {
        let date = CivilDate(year: year, month: month, day: day)
        return Int64(date.daysSince1970) * 86_400 + Int64(hour * 3_600 + minute * 60)
    }

    /// The next times after a moment.
    private func times(
        _ text: String, _ count: Int, after moment: Int64, _ zone: ZoneRules = .utc
    ) throws -> [Int64] {
        let schedule = try CronSchedule(text)
        var found: [Int64] = []
        for _ in 0..<count {
            guard let next = schedule.next(after: found.last ?? moment, in: zone) else { break }
            found.append(next)
        }
        return found
    }

    // The type is written down: to find it out takes the compiler many minutes.
    private static let cases: [(text: String, expected: [(Int, Int, Int, Int, Int)])] = [
        ("0 3 * * *", [(2026, 11, 30, 3, 0), (2026, 12, 1, 3, 0)]),
        ("*/20 2-3 * * *", [(2026, 11, 30, 2, 0), (2026, 11, 30, 2, 20)]),
        ("5,10 0 1 jan-mar *", [(2027, 1, 1, 0, 5), (2027, 1, 1, 0, 10)]),
        ("0 0 * * mon-fri", [(2026, 12, 1, 0, 0), (2026, 12, 2, 0, 0)]),
        ("0 0 * * 7", [(2026, 12, 6, 0, 0), (2026, 12, 13, 0, 0)]),
        ("0 0 29 2 *", [(2028, 2, 29, 0, 0), (2032, 2, 29, 0, 0)]),
        // Both fields are given: one of them is enough.
        ("0 0 1 * fri", [(2026, 12, 1, 0, 0), (2026, 12, 4, 0, 0)]),
        // One begins with a star: both have to be right.
        ("0 0 */2 * tue", [(2026, 12, 1, 0, 0), (2026, 12, 15, 0, 0)]),
        ("1-10/4 12 * * *", [(2026, 11, 30, 12, 1), (2026, 11, 30, 12, 5)]),
        ("@monthly", [(2026, 12, 1, 0, 0), (2027, 1, 1, 0, 0)]),
    ]

    @Test(arguments: cases)
    func next(text: String, expected: [(Int, Int, Int, Int, Int)]) throws {
        let expected = expected.map { utc($0.0, $0.1, $0.2, $0.3, $0.4) }
        #expect(try times(text, 2, after: utc(2026, 11, 30, 0, 30)) == expected)
    }

    @Test("O10: a time that the clocks leave out comes once, afterwards")
    func spring() throws {
        // 2026-03-29, 2:00 CET is 3:00 CEST.
        #expect(
            try times("30 2 * * *", 3, after: utc(2026, 3, 28, 0), berlin)
                == [utc(2026, 3, 28, 1, 30), utc(2026, 3, 29, 1, 30), utc(2026, 3, 30, 0, 30)])
        // What is left out and what is there may be one moment.
        #expect(
            try times("0 2,3,4 * * *", 4, after: utc(2026, 3, 29, 0), berlin)
                == [
                    utc(2026, 3, 29, 1), utc(2026, 3, 29, 2), utc(2026, 3, 30, 0),
                    utc(2026, 3, 30, 1),
                ])
        #expect(
            try times("0,30 2-3 * * *", 3, after: utc(2026, 3, 29, 0), berlin)
                == [utc(2026, 3, 29, 1), utc(2026, 3, 29, 1, 30), utc(2026, 3, 30, 0)])
    }

    @Test("O10: a time that the clocks show twice comes once")
    func autumn() throws {
        // 2026-10-25, 3:00 CEST is 2:00 CET.
        #expect(
            try times("30 2 * * *", 3, after: utc(2026, 10, 24, 12), berlin)
                == [utc(2026, 10, 25, 0, 30), utc(2026, 10, 26, 1, 30), utc(2026, 10, 27, 1, 30)])
        // Somebody rotated by hand in the second of the two hours.
        #expect(
            try times("30 2 * * *", 1, after: utc(2026, 10, 25, 1, 10), berlin)
                == [utc(2026, 10, 26, 1, 30)])
    }

    /// Whatever is asked, it is later; and of all minutes of a year in which it could be asked, the
    /// answer is the same until it has come.
    @Test(arguments: ["17 * * * *", "30 2 * * *", "*/7 1-3 * * *", "0 0 1 * mon"])
    func isLaterAndStays(text: String) throws {
        let schedule = try CronSchedule(text)
        var moment = utc(2026, 3, 27)
        var next = try #require(schedule.next(after: moment, in: berlin))
        while moment < utc(2026, 3, 31) {
            moment += 60 * 13
            if moment >= next { next = try #require(schedule.next(after: moment, in: berlin)) }
            #expect(schedule.next(after: moment, in: berlin) == next && next > moment)
        }
    }

    @Test(arguments: [
        ("", "it has 0 fields in place of five"),
        ("0 3 * *", "it has 4 fields in place of five"),
        ("60 3 * * *", "its minute \"60\""),
        ("0 24 * * *", "its hour \"24\""),
        ("0 3 0 * *", "its day of the month \"0\""),
        ("0 3 * feber *", "its month \"feber\""),
        ("0 3 * * 8", "its day of the week \"8\""),
        ("0 3 * * fri-mon", "runs backwards"),
        ("5/10 3 * * *", "a step without a range"),
        ("*/0 3 * * *", "a step that is none"),
        ("0,,5 3 * * *", "its minute \"\""),
        ("0 3 30 2 *", "no year has such a time"),
        ("-1 3 * * *", "its minute \"-1\""),
        ("99999999999999999999 3 * * *", "its minute"),
        ("@reboot", "it has 1 field in place of five"),
    ])
    func refused(text: String, why: String) {
        do throws(CronSchedule.Malformed) {
            _ = try CronSchedule(text)
            Issue.record("\(text) is taken")
        } catch {
            #expect("\(error)".contains(why), "\(error)")
        }
    }

    @Test func clocksOfThisMachineAreAsTZSays() {
        let noon = CronScheduleTests.noon
        #expect(noon(.local("UTC")) == noon(.utc))
        #expect(noon(.local("")) == noon(.utc))
        #expect(noon(.local("no such place")) == noon(.utc))
        #expect(noon(.local("/dev/null")) == noon(.utc))
        #expect(noon(.local("XYZ-2")) == noon(.utc).map { $0 - 2 * 3_600 })
    }

    private static func noon(_ zone: ZoneRules) -> Int64? {
        (try? CronSchedule("0 12 * * *"))?.next(after: 1_800_000_000, in: zone)
    }
}
