/// A table that reads well as it is and in Markdown.
package struct TextTable {
    private var rows: [[String]]

    package init(_ heads: [String]) { rows = [heads] }

    /// As many cells as there are heads.
    package mutating func add(_ cells: [String]) {
        precondition(cells.count == rows[0].count, "a row of another width")
        rows.append(cells)
    }

    /// The first column to the left, figures to the right.
    package var text: String {
        let widths = rows[0].indices.map { column in
            max(3, rows.map { $0[column].count }.max() ?? 0)
        }
        var lines = rows.map { row in
            "| "
                + row.indices.map { pad(row[$0], widths[$0], right: $0 > 0) }
                .joined(separator: " | ") + " |"
        }
        let rule = widths.indices.map { column in
            column == 0
                ? String(repeating: "-", count: widths[column])
                : String(repeating: "-", count: widths[column] - 1) + ":"
        }
        lines.insert("| " + rule.joined(separator: " | ") + " |", at: 1)
        return lines.joined(separator: "\n") + "\n"
    }

    private func pad(_ text: String, _ width: Int, right: Bool) -> String {
        let blanks = String(repeating: " ", count: width - text.count)
        return right ? blanks + text : text + blanks
    }
}
