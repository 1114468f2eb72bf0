import Model
import Platform
import Registry

/// `shipper registry show` as text for people: pure, so that it can be drawn again and again.
struct FileTable {
    /// How files are ordered.
    enum Order: String, CaseIterable {
        /// By stream and path.
        case path
        /// The file that is most bytes behind comes first.
        case lag
        /// The file that has not moved for the longest time comes first.
        case age
    }

    let files: [ShownFile]
    let now: Timestamp
    let look: TerminalLook

    init(_ files: [ShownFile], order: Order, now: Timestamp, look: TerminalLook) {
        self.files = Self.sorted(files, order)
        self.now = now
        self.look = look
    }

    static func sorted(_ files: [ShownFile], _ order: Order) -> [ShownFile] {
        files.sorted { a, b in
            switch order {
            case .path: break
            case .lag: if a.lag != b.lag { return a.lag > b.lag }
            case .age:
                if a.entry.updated != b.entry.updated { return a.entry.updated < b.entry.updated }
            }
            return (a.entry.stream, a.entry.path, a.entry.file)
                < (b.entry.stream, b.entry.path, b.entry.file)
        }
    }

    private static let heading = [
        "STREAM", "FILE", "STATE", "FORMAT", "SIZE", "DELIVERED", "LAG", "AGE",
    ]
    private static let barWidth = 10
    /// Columns that a stream's and a file's name keep on a narrow screen.
    private static let leastName = 8

    /// A heading, a line per file and a summary; without line ends. On a screen no line is longer
    /// than it is wide, and where it has fewer rows, the last files are left out and counted.
    func lines() -> [String] {
        let shown = fitting()
        var rows = [Self.heading]
        for file in shown { rows.append(cells(file)) }
        shorten(&rows)
        var text = TextColumns.lines(rows, right: [4, 5, 6, 7])
        if let screen = look.screen {
            let most = files.map(\.lag).max() ?? 0
            let width = text.map(PrintableText.width).max() ?? 0
            let hasBar = most > 0 && width + 2 + Self.barWidth <= screen.columns
            for (index, file) in shown.enumerated() {
                let line = text[index + 1]
                text[index + 1] = drawn(
                    line, file, to: width, bar: hasBar ? Self.bar(file.lag, of: most) : "")
            }
            text[0] = coloured(text[0], .bold)
        }
        if shown.count < files.count { text.append("… and \(files.count - shown.count) more") }
        text.append(summary())
        return text
    }

    private func cells(_ file: ShownFile) -> [String] {
        let entry = file.entry
        return [
            PrintableText.of(entry.stream), PrintableText.of(Self.name(entry)),
            file.state.rawValue, file.format?.rawValue ?? "-", Self.bytes(file.size.bytes),
            Self.bytes(entry.offset.bytes),
            file.lag == 0 ? "-" : Self.bytes(file.lag), Self.age(from: entry.updated, to: now),
        ]
    }

    /// The name that tells the file apart in its stream: the path beneath the stream's directory.
    private static func name(_ entry: FileEntry) -> String {
        let path = Array(entry.path.utf8)
        let slash = UInt8(ascii: "/")
        var directory = Array(entry.stream.utf8) + [slash]
        if !path.starts(with: directory) {
            // The stream is a path itself.
            directory = Array(directory.dropLast())
            while let last = directory.last, last != slash { directory.removeLast() }
        }
        guard !directory.isEmpty, path.starts(with: directory), path.count > directory.count
        else { return entry.path }
        return String(decoding: path[directory.count...], as: UTF8.self)
    }

    // MARK: The screen

    private func fitting() -> ArraySlice<ShownFile> {
        guard let rows = look.screen?.rows,
            let most = look.screen.map({ $0.isScrolled ? nil : rows })
        else { return files[...] }
        // Heading, summary, and where something is left out the line that says so.
        guard let most, files.count + 2 > most else { return files[...] }
        return files.prefix(max(1, most - 3))
    }

    /// Cuts streams, and then files, until the lines fit.
    private func shorten(_ rows: inout [[String]]) {
        guard let screen = look.screen else { return }
        for column in [0, 1] {
            let widths = (0..<Self.heading.count).map { column in
                rows.map { PrintableText.width($0[column]) }.max() ?? 0
            }
            let excess = widths.reduce(0, +|) + 2 * (widths.count - 1) - screen.columns
            guard excess > 0 else { return }
            let room = max(Self.leastName, widths[column] - excess)
            for row in rows.indices {
                // The end of a path says more than its beginning.
                rows[row][column] = PrintableText.cutFront(rows[row][column], to: room)
            }
        }
    }

    private enum Colour: String {
        case bold = "1"
        case faint = "2"
        case red = "31"
        case yellow = "33"
    }

    private func coloured(_ text: String, _ colour: Colour) -> String {
        look.hasColour && !text.isEmpty ? "\u{1B}[\(colour.rawValue)m\(text)\u{1B}[0m" : text
    }

    private func drawn(_ line: String, _ file: ShownFile, to width: Int, bar: String) -> String {
        let whole: String =
            switch file.state {
            case .unreachable, .gone: coloured(line, .red)
            case .active, .archived, .deleted: file.lag == 0 ? coloured(line, .faint) : line
            }
        guard !bar.isEmpty else { return whole }
        let gap = String(repeating: " ", count: width - PrintableText.width(line) + 2)
        return whole + gap + coloured(bar, .yellow)
    }

    /// The share of the largest lag, in eighths of a cell; what is behind at all shows at least
    /// one.
    static func bar(_ lag: Int, of most: Int) -> String {
        guard lag > 0, most > 0 else { return "" }
        let eighths = max(1, Int(Double(lag) / Double(most) * Double(barWidth * 8)))
        let part = ["", "▏", "▎", "▍", "▌", "▋", "▊", "▉"][eighths % 8]
        return String(repeating: "█", count: eighths / 8) + part
    }

    // MARK: Words

    private func summary() -> String {
        let streams = Set(files.map { Array($0.entry.stream.utf8) }).count
        var text = "\(Self.count(files.count, "file")) in \(Self.count(streams, "stream"))"
        let behind = files.filter { $0.lag > 0 }
        if behind.isEmpty {
            text += ", all delivered"
        } else {
            let lag = behind.reduce(0) { $0 +| $1.lag }
            let oldest = behind.map(\.entry.updated).min() ?? now
            text +=
                ", \(behind.count) behind by \(Self.bytes(lag)) in all, the oldest for "
                + Self.age(from: oldest, to: now)
        }
        for state in [ShownFile.State.unreachable, .gone] {
            let count = files.count { $0.state == state }
            if count > 0 { text += ", \(count) \(state.rawValue)" }
        }
        return files.isEmpty ? "0 files" : text
    }

    static func count(_ count: Int, _ noun: String) -> String {
        count == 1 ? "1 \(noun)" : "\(count) \(noun)s"
    }

    /// `4711 B`, `9.5 KiB`, `12 MiB`: three digits are enough for people; JSON has them all.
    static func bytes(_ count: Int) -> String {
        guard count >= 1024 else { return "\(count) B" }
        var value = Double(count)
        var unit = ""
        for name in ["KiB", "MiB", "GiB", "TiB", "PiB", "EiB"] {
            value /= 1024
            unit = name
            // 1023.5 would be printed as 1024.
            if value < 1023.5 { break }
        }
        if value >= 9.95 { return "\(Int(value.rounded())) \(unit)" }
        let tenths = Int((value * 10).rounded())
        return "\(tenths / 10).\(tenths % 10) \(unit)"
    }

    /// The time between, in the largest unit that fits; `0s` where the clock was set back.
    static func age(from then: Timestamp, to now: Timestamp) -> String {
        let seconds = max(0, (now.milliseconds - then.milliseconds) / 1000)
        switch seconds {
        case ..<60: return "\(seconds)s"
        case ..<3600: return "\(seconds / 60)m"
        case ..<86_400: return "\(seconds / 3600)h"
        default: return "\(seconds / 86_400)d"
        }
    }
}

/// The abilities of the output.
struct TerminalLook: Hashable {
    /// Columns and rows; nil where nobody looks at a screen, and lines may have any length.
    var screen: TerminalSize?
    var hasColour = false

    static let plain = TerminalLook()
}
