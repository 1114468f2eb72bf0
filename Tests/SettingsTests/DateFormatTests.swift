import Testing

@testable import Settings

@Suite("Dates in the names of topics") struct DateFormatTests {
    @Test(
        "a date is written as its letters say, in UTC",
        arguments: [
            ("yyyy.MM.dd", "2024.02.29"), ("yyyy-MM", "2024-02"), ("yyyyMMdd", "20240229"),
            ("dd_MM_yyyy", "29_02_2024"), ("yyyy", "2024"),
        ])
    func writes(format: String, text: String) throws {
        // 2024-02-29
        #expect(try #require(DateFormat(format[...])).text(ofDay: 19_782) == text)
    }

    @Test("years have four digits, whatever they are")
    func years() throws {
        let format = try #require(DateFormat("yyyy.MM.dd"))
        #expect(format.text(ofDay: 0) == "1970.01.01")
        #expect(format.text(ofDay: -1) == "1969.12.31")
        #expect(format.text(ofDay: -719_162) == "0001.01.01")
        #expect(format.text(ofDay: 2_932_896) == "9999.12.31")
    }

    @Test(
        "other letters, hours and halves of a date are none",
        arguments: [
            "", "YYYY.MM.dd", "yyyy.MM.dd.HH", "xxxx.ww", "yy.MM.dd", "yyyy.dd", "MM.dd", "yyy",
            "yyyy.yyyy", "yyyy.MM.dd ", "yyyy/MM/dd", "yyyyy", "dd.MM", ".", "yyyy.MM.d", "é",
        ])
    func refuses(format: String) { #expect(DateFormat(format[...]) == nil) }
}
