/// The mark that rotation puts into a name, without the separator before it: `1`, `2026-11-23`,
/// `2026-11-28T10:15:30.123Z`, `28-Nov-2026`, `bak1`, `r00001`.
///
/// Names come from strangers: what reading one costs grows with its length, and that is bounded.
enum RotationMark {
    /// More digits are a date, a time or a number that goes up.
    private static let mostDigits = 4
    /// Bytes of a mark. A date with the names of day and month, a time to the nanosecond, a zone
    /// and a number come to fewer.
    static let longest = 48
    /// Separators in one, that before it included: a name that is all digits and dots has no more
    /// bases than this.
    static let mostSeparators = 10
    static let separators = Array(".-_".utf8)
    /// Signs that stand beside digits and letters in a date and a time.
    private static let signs = Array("-_.:+,".utf8)
    private static let months = [
        "jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec",
    ]
    private static let longMonths = [
        "january", "february", "march", "april", "may", "june", "july", "august", "september",
        "october", "november", "december",
    ]
    /// Letters that may stand in a mark; any others are of a name. `app-v2.log` is a log of its
    /// own.
    private static let words: Set<String> = Set(
        months + longMonths + [
            "sept", "mon", "tue", "wed", "thu", "fri", "sat", "sun", "monday", "tuesday",
            "wednesday", "thursday", "friday", "saturday", "sunday", "t", "z", "utc", "gmt", "h",
            "m", "s", "am", "pm", "old", "bak", "backup", "prev", "r", "rot", "rotated", "roll",
            "part", "seq",
        ])
    private enum Run {
        case digits(ArraySlice<UInt8>)
        case month(Int)
        case word(String)
    }

    /// Whether a byte may stand in a mark.
    static func mayHold(_ byte: UInt8) -> Bool {
        isDigit(byte) || isLetter(byte) || signs.contains(byte)
    }

    /// The order that follows from a mark; nil where it is none.
    static func order(_ mark: ArraySlice<UInt8>) -> RotatedName.Order? {
        guard !mark.isEmpty, mark.count <= longest else { return nil }
        if mark.elementsEqual("old".utf8) { return .number(1) }
        guard let first = mark.first, isDigit(first) || isLetter(first), let runs = runs(mark),
            let number = runs.lazy.compactMap(digits).first
        else { return nil }
        return order(of: runs, number) ?? .unknown(Array(mark))
    }

    private static func runs(_ mark: ArraySlice<UInt8>) -> [Run]? {
        var runs: [Run] = []
        var separators = 0
        var index = mark.startIndex
        while index < mark.endIndex {
            let start = index
            if isDigit(mark[index]) {
                while index < mark.endIndex, isDigit(mark[index]) { index += 1 }
                runs.append(.digits(mark[start..<index]))
            } else if isLetter(mark[index]) {
                while index < mark.endIndex, isLetter(mark[index]) { index += 1 }
                let word = String(decoding: mark[start..<index], as: UTF8.self).lowercased()
                guard words.contains(word) else { return nil }
                let month =
                    months.firstIndex(of: String(word.prefix(3))).flatMap {
                        months[$0] == word || longMonths[$0] == word || word == "sept" ? $0 : nil
                    }
                runs.append(month.map { .month($0 + 1) } ?? .word(word))
            } else {
                guard signs.contains(mark[index]) else { return nil }
                if Self.separators.contains(mark[index]) { separators += 1 }
                index += 1
            }
        }
        return separators < mostSeparators ? runs : nil
    }

    /// Nil where it does not tell which file is older.
    private static func order(
        of runs: [Run], _ first: ArraySlice<UInt8>
    ) -> RotatedName.Order? {
        if runs.count == 1, first.count <= mostDigits {
            return .number(first.reduce(0) { $0 * 10 + Int($1 - UInt8(ascii: "0")) })
        }
        // Only what begins with the year, or counts up, is in order from left to right.
        guard case .digits = runs[0] else { return nil }
        let isYear = first.starts(with: "19".utf8) || first.starts(with: "20".utf8)
        switch first.count {
        case 5: break
        case mostDigits, 8: guard isYear else { return nil }
        case 9...: break
        default: return nil
        }
        var parts: [UInt8] = []
        for run in runs {
            switch run {
            case .digits(let digits): parts += sortable(digits)
            case .month(let month): parts += sortable(Array("\(month)".utf8)[...])
            case .word: break
            }
        }
        return .date(parts)
    }

    private static func digits(_ run: Run) -> ArraySlice<UInt8>? {
        if case .digits(let digits) = run { digits } else { nil }
    }

    /// A number as bytes that sort as it does: how many digits, and those.
    private static func sortable(_ digits: ArraySlice<UInt8>) -> [UInt8] {
        let significant = digits.drop { $0 == UInt8(ascii: "0") }
        return [UInt8(significant.count)] + significant
    }

    private static func isDigit(_ byte: UInt8) -> Bool {
        (UInt8(ascii: "0")...UInt8(ascii: "9")).contains(byte)
    }

    private static func isLetter(_ byte: UInt8) -> Bool {
        (UInt8(ascii: "a")...UInt8(ascii: "z")).contains(byte | 0x20)
    }
}

/// The names that a rotation gives which nothing is known of in advance: what one of a stream's
/// files was seen to become, with any digits for its digits and any month for its month.
///
/// 1. `app_rCURRENT.log` was read, and is rotated twice while nobody looks.
/// 2. It is found again by its identity, as `app_r00001.log`. What came between has a name of the
///    same kind.
enum NameShape {
    /// Nil for a name without digits: it stands for itself alone.
    static func of(_ name: [UInt8]) -> [UInt8]? {
        var shape: [UInt8] = []
        shape.reserveCapacity(name.count)
        var hasDigits = false
        for byte in name {
            if (UInt8(ascii: "0")...UInt8(ascii: "9")).contains(byte) {
                hasDigits = true
                // No name holds a NUL.
                if shape.last != 0 { shape.append(0) }
            } else {
                shape.append(byte)
            }
        }
        return hasDigits ? shape : nil
    }
}
