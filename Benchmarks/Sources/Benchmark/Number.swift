/// How numbers are written for people and in JSON.
package enum Number {
    /// With so many digits after the point, rounded; "inf" and "nan" cannot come out of a
    /// measurement and are told as they are.
    package static func fixed(_ value: Double, _ digits: Int) -> String {
        guard value.isFinite, abs(value) < 1e15 else { return "\(value)" }
        var scale = 1
        for _ in 0..<digits { scale *= 10 }
        let whole = Int((abs(value) * Double(scale)).rounded())
        var fraction = String(whole % scale)
        while fraction.utf8.count < digits { fraction = "0" + fraction }
        let sign = value < 0 && whole > 0 ? "-" : ""
        return sign + String(whole / scale) + (digits > 0 ? "." + fraction : "")
    }

    /// With a comma before each group of three digits.
    package static func grouped(_ value: Int) -> String {
        var digits = Array(String(value.magnitude))
        var place = digits.count - 3
        while place > 0 {
            digits.insert(",", at: place)
            place -= 3
        }
        return (value < 0 ? "-" : "") + String(digits)
    }

    /// Three significant digits or all before the point: 0.0123, 1.23, 12.3, 1,234.
    package static func short(_ value: Double) -> String {
        switch abs(value) {
        case 100...: grouped(Int(value.rounded()))
        case 10...: fixed(value, 1)
        case 0.1...: fixed(value, 2)
        default: fixed(value, 4)
        }
    }

    /// `1GB`, `500 MB`, `2000000`, `64MiB` as bytes; nil: no such thing.
    package static func bytes(_ text: String) -> Int? {
        let digits = text.prefix { $0.isASCII && $0.isNumber }
        guard let number = Int(digits), number > 0 else { return nil }
        let units = [
            "": 1, "B": 1, "KB": 1_000, "MB": 1_000_000, "GB": 1_000_000_000, "KiB": 1 << 10,
            "MiB": 1 << 20, "GiB": 1 << 30,
        ]
        let rest = text.dropFirst(digits.count).drop { $0 == " " }
        guard let unit = units[String(rest)] else { return nil }
        let (product, overflow) = number.multipliedReportingOverflow(by: unit)
        return overflow ? nil : product
    }
}
