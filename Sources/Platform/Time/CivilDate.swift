/// A day of the Gregorian calendar, carried on before its introduction. It is counted in eras of
/// 400 years, which all have 146,097 days, and in years that start in March, so that the leap day
/// is a year's last.
package struct CivilDate: Equatable, Sendable {
    /// Of the Christian era; 0 is the year before year 1.
    package let year: Int
    /// 1 to 12 in a date that is in the calendar.
    package let month: Int
    /// 1 to 31 in a date that is in the calendar, as the month has it.
    package let day: Int

    /// Any three numbers; `isInCalendar` tells whether they are a date.
    package init(year: Int, month: Int, day: Int) {
        self.year = year
        self.month = month
        self.day = day
    }

    /// Days before 1970-01-01 are negative. A day is of any year that a `Timestamp` can have.
    package init(daysSince1970 days: Int) {
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

    /// Days from 1970-01-01 on. Meant for dates that are in the calendar; others give the
    /// days of another date.
    package var daysSince1970: Int {
        let shifted = month <= 2 ? year - 1 : year
        let era = (shifted >= 0 ? shifted : shifted - 399) / 400
        let yearOfEra = shifted - era * 400
        let marchMonth = month > 2 ? month - 3 : month + 9
        let inYear = (153 * marchMonth + 2) / 5 + day - 1
        return era * 146_097 + yearOfEra * 365 + yearOfEra / 4 - yearOfEra / 100 + inYear - 719_468
    }

    /// Whether there is such a day.
    package var isInCalendar: Bool {
        (1...12).contains(month) && (1...31).contains(day)
            && self == CivilDate(daysSince1970: daysSince1970)
    }
}
