/// Text from outside as a terminal may be given it.
enum PrintableText {
    /// Over one character.
    private static let mostAccents = 2

    /// Control and format characters, unassigned ones and those of private use become `\u{…}`: a
    /// file's name must not move the cursor, clear the screen or turn the direction of the text. So
    /// do accents that stand over nothing or are heaped up.
    static func of(_ text: String) -> String {
        var safe = ""
        var accents = mostAccents
        for scalar in text.unicodeScalars {
            switch scalar.properties.generalCategory {
            case .nonspacingMark, .enclosingMark:
                accents += 1
                guard accents > mostAccents else { break }
                safe += "\\u{" + String(scalar.value, radix: 16) + "}"
                continue
            default: accents = 0
            }
            switch scalar.properties.generalCategory {
            case .control, .format, .lineSeparator, .paragraphSeparator, .surrogate, .unassigned,
                .privateUse:
                safe += "\\u{" + String(scalar.value, radix: 16) + "}"
            default: safe.unicodeScalars.append(scalar)
            }
        }
        return safe
    }

    /// Columns of a terminal that printable text takes: 2 for a wide character or an emoji, 0 for
    /// an accent that stands over the one before.
    static func width(_ text: String) -> Int {
        var width = 0
        for scalar in text.unicodeScalars {
            switch scalar.properties.generalCategory {
            case .nonspacingMark, .enclosingMark: continue
            default: width += isWide(scalar) ? 2 : 1
            }
        }
        return width
    }

    /// The end of `text` that takes at most `columns`, `…` in place of the rest.
    static func cutFront(_ text: String, to columns: Int) -> String {
        guard width(text) > columns else { return text }
        var kept: [Unicode.Scalar] = []
        var used = 1
        for scalar in text.unicodeScalars.reversed() {
            let next = width(String(scalar))
            if used + next > columns { break }
            kept.append(scalar)
            used += next
        }
        var result = "…"
        result.unicodeScalars.append(contentsOf: kept.reversed())
        return result
    }

    /// The beginning of `text` that takes at most `columns`, `…` in place of the rest.
    static func cutEnd(_ text: String, to columns: Int) -> String {
        guard width(text) > columns else { return text }
        var result = ""
        var used = 1
        for scalar in text.unicodeScalars {
            let next = width(String(scalar))
            if used + next > columns { break }
            result.unicodeScalars.append(scalar)
            used += next
        }
        return result + "…"
    }

    /// East Asian width W and F, by the blocks where they lie.
    private static func isWide(_ scalar: Unicode.Scalar) -> Bool {
        switch scalar.value {
        case 0x1100...0x115F, 0x2E80...0x303E, 0x3041...0x33FF, 0x3400...0x4DBF, 0x4E00...0x9FFF,
            0xA000...0xA4CF, 0xA960...0xA97F, 0xAC00...0xD7A3, 0xF900...0xFAFF, 0xFE30...0xFE6F,
            0xFF00...0xFF60, 0xFFE0...0xFFE6, 0x16FE0...0x18CFF, 0x1AFF0...0x1B2FF,
            0x1F300...0x1F64F, 0x1F680...0x1F6FF, 0x1F900...0x1F9FF, 0x1FA70...0x1FAFF,
            0x20000...0x3FFFD:
            true
        default: false
        }
    }
}

/// Rows of cells as lines of aligned columns.
enum TextColumns {
    /// `right`: columns that end together. Two blanks stand between columns, none at a line's end.
    static func lines(_ rows: [[String]], right: Set<Int>) -> [String] {
        var widths: [Int] = []
        for row in rows {
            for (column, cell) in row.enumerated() {
                if column == widths.count { widths.append(0) }
                widths[column] = max(widths[column], PrintableText.width(cell))
            }
        }
        return rows.map { row in
            var line = ""
            var gap = 0
            for (column, cell) in row.enumerated() {
                let space = widths[column] - PrintableText.width(cell)
                if right.contains(column) { gap += space }
                if !cell.isEmpty {
                    line += String(repeating: " ", count: gap) + cell
                    gap = 0
                }
                gap += (right.contains(column) ? 0 : space) + 2
            }
            return line
        }
    }
}
