/// A demo in words: plain lines for a terminal or a file, in columns.
package enum DemoText {
    private static let progressColumns = [
        ("seconds", 9), ("written", 14), ("delivered", 14), ("behind", 11), ("rotations", 12),
        ("in flight", 14),
    ]
    private static let writerColumns = [
        ("written", 11), ("delivered", 11), ("lost", 7), ("duplicated", 12), ("out of order", 14),
    ]

    /// Before it starts.
    package static func beginning(_ plan: DemoPlan) -> String {
        let time = plan.seconds.map { ", for \($0) s at the most" } ?? ""
        return """
            \(plan.writers.count) s6-log writers -> shipper -> broker in this process -> audit
            \(grouped(plan.lines)) lines of about 194 bytes\(time)

            \(row(progressColumns, progressColumns.map(\.0)))

            """
    }

    /// One line a second.
    package static func progress(_ progress: DemoProgress) -> String {
        let cells = [
            tenths(progress.nanoseconds, 100_000_000), grouped(progress.written),
            grouped(progress.delivered), grouped(max(0, progress.written - progress.delivered)),
            grouped(progress.rotations), tenths(Int64(progress.inFlight), 100_000) + " MB",
        ]
        return row(progressColumns, cells) + "\n"
    }

    /// The table, what was wrong, and the verdict.
    package static func result(_ result: DemoResult) -> String {
        let report = result.report
        let rate = Int(Double(report.delivered) * 1e9 / Double(max(1, result.nanoseconds)))
        var rows = [
            ("written", grouped(report.written)), ("delivered", grouped(report.delivered)),
            ("lost", grouped(report.lost)), ("duplicated", grouped(report.duplicated)),
            ("out of order", grouped(report.outOfOrder)),
        ]
        if report.foreign > 0 { rows.append(("never written", grouped(report.foreign))) }
        rows += [
            ("rotations", grouped(result.rotations)),
            ("seconds", tenths(result.nanoseconds, 100_000_000)), ("lines a second", grouped(rate)),
        ]
        var text = "\n" + rows.map { left($0, 16) + right($1, 11) + "\n" }.joined() + "\n"
        if !report.isClean { text += writers(result) }
        for fault in result.faults { text += "fault: \(fault)\n" }
        guard result.isClean else {
            return text + "FAILED: not every line is known to have arrived once and in order\n"
        }
        return text + "Every line arrived once and in order.\n"
    }

    private static func writers(_ result: DemoResult) -> String {
        let width = result.writers.map(\.name.count).max() ?? 0
        var text = left("", width) + row(writerColumns, writerColumns.map(\.0)) + "\n"
        for writer in result.writers {
            let report = writer.report
            let counts = [
                report.written, report.delivered, report.lost, report.duplicated,
                report.outOfOrder,
            ]
            text += left(writer.name, width) + row(writerColumns, counts.map(grouped)) + "\n"
        }
        text += "\n"
        for example in result.report.examples { text += "\(example)\n" }
        return text + "\n"
    }

    private static func row(_ columns: [(String, Int)], _ cells: [String]) -> String {
        zip(columns, cells).map { right($1, $0.1) }.joined()
    }

    // MARK: Figures

    private static func grouped(_ number: Int) -> String {
        let digits = Array(String(number))
        var text = ""
        for (index, digit) in digits.enumerated() {
            if index > 0, (digits.count - index) % 3 == 0 { text += "," }
            text.append(digit)
        }
        return text
    }

    /// With one digit behind the point; `tenth` is a tenth of the unit.
    private static func tenths(_ number: Int64, _ tenth: Int64) -> String {
        let count = (number + tenth / 2) / tenth
        return "\(grouped(Int(count / 10))).\(count % 10)"
    }

    private static func left(_ text: String, _ width: Int) -> String {
        text + String(repeating: " ", count: max(0, width - text.count))
    }

    private static func right(_ text: String, _ width: Int) -> String {
        String(repeating: " ", count: max(0, width - text.count)) + text
    }
}
