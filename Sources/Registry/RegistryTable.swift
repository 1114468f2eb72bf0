package import Model
package import Platform

/// What `shipper registry show` prints: pure functions of the entries, the sizes that the files have
/// now and the time.
package struct RegistryTable: Sendable {
    /// In the order in which they are printed.
    package let entries: [FileEntry]
    /// Physical bytes of files that could be looked at now; the others count with their saved size.
    package let sizes: [FileID: Int]
    package let now: Timestamp

    package init(entries: [FileEntry], sizes: [FileID: Int] = [:], now: Timestamp) {
        self.entries = entries
        self.sizes = sizes
        self.now = now
    }

    private func size(_ entry: FileEntry) -> Int { sizes[entry.file] ?? entry.size }

    /// A heading, one line per entry with aligned columns, and a summary; without line ends. Whatever
    /// in a name could steer a terminal is escaped.
    package func text() -> [String] {
        var rows = [["STREAM", "PATH", "STATE", "SIZE", "OFFSET", "LAG", "AGE"]]
        var behind = 0
        for entry in entries {
            let lag = entry.lag(size: size(entry))
            behind += lag
            rows.append([
                Self.printable(entry.stream), Self.printable(entry.path), entry.state.rawValue,
                Self.bytes(size(entry)), Self.bytes(entry.offset), Self.bytes(lag),
                Self.age(from: entry.updated, to: now),
            ])
        }
        var widths = [Int](repeating: 0, count: rows[0].count)
        for row in rows {
            for (column, cell) in row.enumerated() {
                widths[column] = max(widths[column], cell.count)
            }
        }
        var lines = rows.map { row in
            var line = ""
            for (column, cell) in row.enumerated() {
                let space = String(repeating: " ", count: widths[column] - cell.count)
                if column > 0 { line += "  " }
                line += column < 3 ? cell + space : space + cell
            }
            return line
        }
        let files = entries.count == 1 ? "1 file" : "\(entries.count) files"
        lines.append("\(files), \(Self.bytes(behind)) behind")
        return lines
    }

    /// One JSON object per entry, without line ends: stream, path, identity (device and inode as
    /// decimal strings; birth in nanoseconds since 1970 and handle in hex, or null), generation (16
    /// hex digits), base, offset, size, lag_bytes, state, updated.
    package func json() -> [String] { entries.map(line) }

    private func line(_ entry: FileEntry) -> String {
        var bytes: [UInt8] = []
        func raw(_ text: String) { bytes += text.utf8 }
        func text(_ value: String) { LineWriter.quote(value, into: &bytes) }
        raw("{\"stream\":")
        text(entry.stream)
        raw(",\"path\":")
        text(entry.path)
        raw(",\"identity\":{\"device\":\"\(entry.identity.device)\"")
        raw(",\"inode\":\"\(entry.identity.inode)\"")
        raw(",\"birth\":" + (entry.identity.birth.map { String($0) } ?? "null"))
        raw(",\"handle\":")
        if let handle = entry.identity.handle {
            raw("\"")
            for byte in handle { LineWriter.hex(UInt64(byte), digits: 2, into: &bytes) }
            raw("\"")
        } else {
            raw("null")
        }
        raw("},\"generation\":\"")
        LineWriter.hex(entry.generation.value, digits: 16, into: &bytes)
        raw("\",\"base\":\(entry.base),\"offset\":\(entry.offset),\"size\":\(size(entry))")
        raw(",\"lag_bytes\":\(entry.lag(size: size(entry))),\"state\":\"\(entry.state.rawValue)\"")
        raw(",\"updated\":\"\(entry.updated)\"}")
        return String(decoding: bytes, as: UTF8.self)
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

    /// Control and format characters become `\u{…}`: a file's name must not move the cursor, clear the
    /// screen or turn the direction of the text.
    static func printable(_ text: String) -> String {
        var safe = ""
        for scalar in text.unicodeScalars {
            switch scalar.properties.generalCategory {
            case .control, .format, .lineSeparator, .paragraphSeparator, .surrogate:
                safe += "\\u{" + String(scalar.value, radix: 16) + "}"
            default: safe.unicodeScalars.append(scalar)
            }
        }
        return safe
    }
}
