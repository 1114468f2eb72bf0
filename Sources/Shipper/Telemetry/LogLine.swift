import Platform

/// One line of the log while it is written, as text or as a JSON object. Whatever the values hold,
/// it is one line, of at most `limit` bytes.
struct LogLine {
    /// Bytes of a line with its newline: PIPE_BUF, up to which the kernel writes to a pipe in one
    /// piece, whoever else writes to it.
    static let limit = 4096
    /// Bytes of one value; what is longer is cut and ends with "…".
    static let valueLimit = 1024

    /// The finished line with its newline.
    static func render(
        _ level: Log.Level, _ message: StaticString, _ data: KeyValuePairs<String, Log.Value>,
        repeated: Int, at wallNanoseconds: Int64, as format: Log.Format
    ) -> [UInt8] {
        var line = LogLine(format: format)
        line.open(level, message, Timestamp(nanoseconds: wallNanoseconds))
        for (key, value) in data where !line.isFull { line.add(key, value) }
        if repeated > 0 { line.add("repeated", .integer(Int64(repeated))) }
        return line.close()
    }

    /// Room kept for `repeated`, `truncated` and the end of the line.
    private static let reserve = 96
    private let format: Log.Format
    private var bytes: [UInt8] = []
    /// A value did not fit: nothing of the data is added any more.
    private var isFull = false

    private init(format: Log.Format) {
        self.format = format
        bytes.reserveCapacity(256)
    }

    private mutating func open(_ level: Log.Level, _ message: StaticString, _ time: Timestamp) {
        var stamp: [UInt8] = []
        time.append(to: &stamp)
        switch format {
        case .text:
            bytes += stamp
            bytes.append(0x20)
            bytes += level.rawValue.utf8
            for _ in level.rawValue.utf8.count..<6 { bytes.append(0x20) }
            bytes += message.description.utf8
        case .json:
            var object = JSONText()
            object.openObject()
            object.key("ts")
            object.string(stamp)
            object.key("level")
            object.string(level.rawValue)
            object.key("msg")
            object.string(message.description)
            bytes = object.bytes
        }
    }

    private mutating func add(_ key: String, _ value: Log.Value) {
        var pair: [UInt8] = []
        switch format {
        case .text:
            pair.append(0x20)
            Self.appendWord(key, to: &pair)
            pair.append(0x3D)
            Self.appendText(of: value, to: &pair)
        case .json:
            var member = JSONText()
            member.key(key)
            Self.appendJSON(of: value, to: &member)
            pair = [0x2C] + member.bytes
        }
        // `repeated` comes when the data is full, too: the reserve is for it.
        let room = Self.limit - (key == "repeated" ? 0 : Self.reserve)
        if bytes.count + pair.count > room { isFull = true } else { bytes += pair }
    }

    private mutating func close() -> [UInt8] {
        switch format {
        case .text: bytes += (isFull ? " truncated=true\n" : "\n").utf8
        case .json: bytes += (isFull ? ",\"truncated\":true}\n" : "}\n").utf8
        }
        return bytes
    }

    /// `text` as a value of a line: one printable word, quoted where it has to be.
    static func word(_ text: String) -> String {
        var bytes: [UInt8] = []
        appendWord(text, to: &bytes)
        return String(decoding: bytes, as: UTF8.self)
    }

    private static func appendJSON(of value: Log.Value, to text: inout JSONText) {
        switch value {
        case .text(let string): text.string(cut(Array(string.utf8)))
        case .bytes(let raw): text.string(cut(raw))
        case .integer(let number): text.integer(number)
        case .flag(let flag): text.boolean(flag)
        case .duration(let duration): text.number(seconds(duration))
        }
    }

    private static func appendText(of value: Log.Value, to bytes: inout [UInt8]) {
        switch value {
        case .text(let string):
            appendWord(String(decoding: cut(Array(string.utf8)), as: UTF8.self), to: &bytes)
        case .bytes(let raw): appendWord(String(decoding: cut(raw), as: UTF8.self), to: &bytes)
        case .integer(let number): bytes += String(number).utf8
        case .flag(let flag): bytes += String(flag).utf8
        case .duration(let duration): bytes += "\(seconds(duration))s".utf8
        }
    }

    /// Milliseconds are as fine as a person reads.
    private static func seconds(_ duration: Duration) -> Double {
        let (seconds, attoseconds) = duration.components
        let milliseconds = attoseconds / 1_000_000_000_000_000
        return (Double(seconds) * 1000 + Double(milliseconds)) / 1000
    }

    /// `value` within the limit, cut between two characters of UTF-8.
    private static func cut(_ value: [UInt8]) -> [UInt8] {
        guard value.count > valueLimit else { return value }
        var end = valueLimit
        // Three continuation bytes at most belong to one character; more are no UTF-8 anyway.
        while end > valueLimit - 4, value[end] & 0xC0 == 0x80 { end -= 1 }
        return Array(value[..<end]) + "…".utf8
    }

    /// `text` as it is, or as a quoted JSON string when it would not be one plain word. Invisible
    /// characters that move the cursor or turn the direction are escaped: names of files are chosen
    /// by anybody, and this line is read on a terminal.
    private static func appendWord(_ text: String, to bytes: inout [UInt8]) {
        let isPlain =
            !text.isEmpty
            && text.unicodeScalars.allSatisfy {
                $0 != " " && $0 != "\"" && $0 != "=" && $0 != "\\" && !isInvisible($0)
            }
        if isPlain {
            bytes += text.utf8
            return
        }
        bytes.append(0x22)
        for scalar in text.unicodeScalars {
            switch scalar {
            case "\"": bytes += "\\\"".utf8
            case "\\": bytes += "\\\\".utf8
            case "\n": bytes += "\\n".utf8
            case "\r": bytes += "\\r".utf8
            case "\t": bytes += "\\t".utf8
            case _ where isInvisible(scalar):
                for unit in UTF16.encode(scalar).map(Array.init) ?? [] {
                    let digits = String(unit, radix: 16)
                    bytes += "\\u".utf8
                    bytes += String(repeating: "0", count: 4 - digits.utf8.count).utf8
                    bytes += digits.utf8
                }
            default: bytes += UTF8.encode(scalar).map(Array.init) ?? []
            }
        }
        bytes.append(0x22)
    }

    private static func isInvisible(_ scalar: Unicode.Scalar) -> Bool {
        if scalar.isASCII { return scalar.value < 0x20 || scalar.value == 0x7F }
        switch scalar.properties.generalCategory {
        case .control, .format, .lineSeparator, .paragraphSeparator, .spaceSeparator,
            .unassigned:
            return true
        default:
            return false
        }
    }
}
