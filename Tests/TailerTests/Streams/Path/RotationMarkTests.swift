import Testing

@testable import Tailer

@Suite("Marks that rotation puts into names")
struct RotationMarkTests {
    private func order(_ mark: String) -> RotatedName.Order? {
        RotationMark.order(Array(mark.utf8)[...])
    }

    private func date(_ mark: String) throws -> [UInt8] {
        guard case .date(let date) = order(mark) else {
            throw NoDate(mark: mark)
        }
        return date
    }

    private struct NoDate: Error { let mark: String }

    @Test(
        "up to four digits alone are a number, whatever zeros are before it",
        arguments: [("0", 0), ("1", 1), ("007", 7), ("9999", 9999), ("2026", 2026)])
    func numbers(mark: String, number: Int) { #expect(order(mark) == .number(number)) }

    @Test(
        "dates that begin with the year, and numbers of more digits, are in the order of time",
        arguments: [
            ["2026-02-28", "2026-10-01", "2026-11-28", "2027-01-01"],
            ["20261128", "20261129", "20270101"],
            ["2026-Feb-03", "2026-sept-01", "2026-October-12", "2026-Dec-01"],
            ["2026-11-28.1", "2026-11-28.9", "2026-11-28.10"],
            ["2026-11-28.009", "2026-11-28.10", "2026-11-28.011"],
            ["2026-09-05", "2026-Sept-06", "2026-9-7"],
            ["2026-11-28", "2026-11-28T10", "2026-11-28T10:15", "2026-11-28T10:15:30Z"],
            ["1764324930", "1764324931", "1764324930123"],
            ["00009", "00010", "10000"],
        ])
    func ordered(marks: [String]) throws {
        let dates = try marks.map(date)
        for (older, newer) in zip(dates, dates.dropFirst()) {
            #expect(older.lexicographicallyPrecedes(newer))
        }
    }

    @Test(
        "what begins otherwise is of rotation, and says nothing of its order",
        arguments: [
            "28-11-2026", "28112026", "112826", "11-28", "Nov-28-2026", "bak1", "r00001", "1-2",
            "Sat_28_Nov_2026", "123456", "1234567", "12-30-00",
        ])
    func unknown(mark: String) { #expect(order(mark) == .unknown(Array(mark.utf8))) }

    @Test(
        "what has no digit, another word or another sign is none",
        arguments: [
            "", "bak", "may", "old-", "oldest", "-1", ".1", "1 2", "v2", "1x", "eu1", "1/2", "1é",
            "2026-Novem-28", "2026-mai-28", "marc1", "septem1",
        ])
    func none(mark: String) { #expect(order(mark) == nil) }

    @Test("old is the last one before the live file")
    func old() {
        #expect(order("old") == .number(1))
        #expect(order("old2") == .unknown(Array("old2".utf8)))
    }

    @Test("a mark is of 48 bytes at the most, and of nine separators")
    func bounds() {
        #expect(order(String(repeating: "1", count: 48)) != nil)
        #expect(order(String(repeating: "1", count: 49)) == nil)
        #expect(order(Array(repeating: "1", count: 10).joined(separator: ".")) != nil)
        #expect(order(Array(repeating: "1", count: 11).joined(separator: ".")) == nil)
        // Other signs are counted as bytes.
        #expect(order(Array(repeating: "1", count: 24).joined(separator: ":")) != nil)
    }

    @Test("names of one shape differ in their digits alone, of which each run stands for any")
    func shapes() {
        func shape(_ name: String) -> [UInt8]? { NameShape.of(Array(name.utf8)) }
        #expect(shape("app_r00001.log") == shape("app_r2.log"))
        #expect(shape("a1b2") == shape("a99b100"))
        #expect(shape("a1b2") != shape("a12b"))
        #expect(shape("a1") != shape("1a"))
        #expect(shape("app.log") == nil)
        #expect(shape("") == nil)
    }
}
