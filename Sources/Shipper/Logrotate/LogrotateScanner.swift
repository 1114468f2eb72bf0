/// Cuts a configuration of logrotate into what stands there, byte by byte; it goes forward only.
struct LogrotateScanner {
    enum Token: Hashable {
        /// The name or glob of a log, without its quotes.
        case path(String)
        case open
        case close
        /// A word, and the rest of its line; of a script, its lines.
        case directive(String, String)
        /// What stands in this line is none of them.
        case fault(String)
    }

    private let bytes: [UInt8]
    private var place = 0
    /// Of the token that was found last.
    private(set) var line = 1
    private var currentLine = 1

    private static let newline = UInt8(ascii: "\n")

    init(_ text: String) { bytes = Array(text.utf8) }

    private var byte: UInt8? { place < bytes.count ? bytes[place] : nil }

    private mutating func advance() {
        if bytes[place] == Self.newline { currentLine += 1 }
        place += 1
    }

    private static func isSpace(_ byte: UInt8) -> Bool {
        byte == UInt8(ascii: " ") || byte == UInt8(ascii: "\t") || byte == UInt8(ascii: "\r")
    }

    /// The next token; nil at the end.
    mutating func next(isInside: Bool) -> Token? {
        while let byte, Self.isSpace(byte) || byte == Self.newline || byte == UInt8(ascii: "#") {
            if byte == UInt8(ascii: "#") { _ = rest() } else { advance() }
        }
        line = currentLine
        guard let byte else { return nil }
        switch byte {
        case UInt8(ascii: "{"):
            advance()
            return .open
        case UInt8(ascii: "}"):
            advance()
            return .close
        case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"):
            return directive()
        case UInt8(ascii: "/"), UInt8(ascii: "\""), UInt8(ascii: "'"), UInt8(ascii: "~"):
            if isInside { return .fault("\"\(rest())\" is no directive") }
            return path()
        default: return .fault("\"\(rest())\" is neither a directive nor a log")
        }
    }

    /// To the end of the line, without the spaces at both ends.
    private mutating func rest() -> String {
        let start = place
        while let byte, byte != Self.newline { advance() }
        var part = bytes[start..<place]
        while let last = part.last, Self.isSpace(last) { part.removeLast() }
        while let first = part.first, Self.isSpace(first) { part.removeFirst() }
        return String(decoding: part, as: UTF8.self)
    }

    private mutating func path() -> Token {
        var name: [UInt8] = []
        guard let first = byte else { return .fault("nothing") }
        let isQuoted = first == UInt8(ascii: "\"") || first == UInt8(ascii: "'")
        if isQuoted { advance() }
        while let byte {
            if isQuoted
                ? byte == first
                : Self.isSpace(byte) || byte == Self.newline
                    || byte == UInt8(ascii: "{")
            {
                if isQuoted { advance() }
                return .path(String(decoding: name, as: UTF8.self))
            }
            if byte == UInt8(ascii: "\\"), place + 1 < bytes.count {
                advance()
                name.append(bytes[place])
            } else {
                name.append(byte)
            }
            advance()
        }
        return isQuoted
            ? .fault("a quote that does not end") : .path(String(decoding: name, as: UTF8.self))
    }

    private mutating func directive() -> Token {
        var name: [UInt8] = []
        while let byte, !Self.isSpace(byte), byte != Self.newline, byte != UInt8(ascii: "="),
            byte != UInt8(ascii: "}"), byte != UInt8(ascii: "#")
        {
            name.append(byte)
            advance()
        }
        let word = String(decoding: name, as: UTF8.self)
        if LogrotateReader.scripts.contains(word) { return script(word) }
        var argument = ""
        let start = place
        while let byte, byte != Self.newline {
            let isBehindSpace = place > start && Self.isSpace(bytes[place - 1])
            // A comment behind a directive, or the brace that ends a stanza of one line.
            if isBehindSpace || place == start,
                byte == UInt8(ascii: "#") || byte == UInt8(ascii: "}")
            {
                break
            }
            advance()
        }
        argument = String(decoding: bytes[start..<place], as: UTF8.self)
        var part = argument[...]
        while let first = part.first, first == " " || first == "\t" || first == "=" {
            part.removeFirst()
        }
        while let last = part.last, last == " " || last == "\t" || last == "\r" {
            part.removeLast()
        }
        return .directive(word, String(part))
    }

    /// The lines up to `endscript`.
    private mutating func script(_ name: String) -> Token {
        _ = rest()
        var lines: [String] = []
        while byte != nil {
            advance()
            let line = rest()
            if line == "endscript" { return .directive(name, lines.joined(separator: "\n")) }
            if !line.isEmpty { lines.append(line) }
        }
        return .fault("\(name) without endscript")
    }
}
