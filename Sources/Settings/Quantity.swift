/// Sizes and durations as the configuration writes them: one whole number and one unit.
package enum Quantity {
    /// Largest first, so that the first that divides is the one to print.
    static let sizeUnits: [(name: String, bytes: Int)] = [
        ("GiB", 1 << 30), ("GB", 1_000_000_000), ("MiB", 1 << 20), ("MB", 1_000_000),
        ("KiB", 1 << 10), ("KB", 1_000), ("B", 1),
    ]
    static let durationUnits: [(name: String, milliseconds: Int)] = [
        ("d", 86_400_000), ("h", 3_600_000), ("m", 60_000), ("s", 1_000), ("ms", 1),
    ]

    enum Refusal: Error, Hashable {
        /// No number, an unknown unit, a sign, a fraction.
        case malformed
        /// Digits alone where a unit is needed.
        case unitMissing
        /// More than 64 bits.
        case tooLarge
    }

    /// Bytes. A number without a unit is bytes.
    static func size(_ text: String) throws(Refusal) -> Int {
        try value(text, sizeUnits.map { ($0.name, $0.bytes) }, plainUnit: 1)
    }

    static func duration(_ text: String) throws(Refusal) -> Duration {
        let units = durationUnits.map { ($0.name, $0.milliseconds) }
        return .milliseconds(try value(text, units, plainUnit: nil))
    }

    /// As `size` reads it, in the largest binary unit that leaves a whole number.
    package static func text(bytes: Int) -> String {
        for (name, unit) in sizeUnits where name != "GB" && name != "MB" && name != "KB" {
            if bytes >= unit, bytes % unit == 0 { return "\(bytes / unit)\(name)" }
        }
        return "0B"
    }

    /// As `duration` reads it, in the largest unit that leaves a whole number; whole milliseconds.
    static func text(_ duration: Duration) -> String {
        let parts = duration.components
        let milliseconds =
            Int(parts.seconds) * 1_000 + Int(parts.attoseconds / 1_000_000_000_000_000)
        for (name, unit) in durationUnits where milliseconds >= unit && milliseconds % unit == 0 {
            return "\(milliseconds / unit)\(name)"
        }
        return "0s"
    }

    private static func value(
        _ text: String, _ units: [(String, Int)], plainUnit: Int?
    ) throws(Refusal) -> Int {
        let digits = text.utf8.prefix { (UInt8(ascii: "0")...UInt8(ascii: "9")).contains($0) }
        guard !digits.isEmpty else { throw .malformed }
        let name = String(text[digits.endIndex...])
        let factor: Int
        if name.isEmpty {
            guard let plainUnit else { throw .unitMissing }
            factor = plainUnit
        } else {
            guard let unit = units.first(where: { $0.0 == name }) else { throw .malformed }
            factor = unit.1
        }
        guard let number = Int(text[..<digits.endIndex]) else { throw .tooLarge }
        let (product, overflow) = number.multipliedReportingOverflow(by: factor)
        if overflow { throw .tooLarge }
        return product
    }
}

extension Settings {
    /// A duration as the configuration writes it, `90s`; nil for anything else.
    package static func duration(_ text: String) -> Duration? {
        do throws(Quantity.Refusal) {
            return try Quantity.duration(text)
        } catch {
            return nil
        }
    }
}
