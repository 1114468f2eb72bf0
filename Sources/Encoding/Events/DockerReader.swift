import Platform

/// Reads lines of Docker's json-file, one after the other.
///
/// ```
/// {"log":"a whole line\n","stream":"stdout","time":"2026-11-23T05:00:00.123456789Z"}
/// {"log":"a piece of 16 KiB","stream":"stderr","attrs":{"tag":"x"},"time":"…"}
/// ```
///
/// The members may come in any order; of one that comes twice the last counts. Others there are
/// none: who writes them is not Docker, and they would be lost. A text that ends in no newline goes
/// on in the next line. The text is lent as it stands, unless it has escapes beside its newline:
/// then it is `decoded`.
struct DockerReader {
    private var clock = RFC3339Clock()
    /// The text of the last line, if that `isDecoded`. Its memory is used again.
    private(set) var decoded: [UInt8] = []
    private(set) var isDecoded = false
    /// The last line's `attrs`, an object of strings, as they stand there; none where it has none.
    /// A container has the same in all of its lines, so they are kept.
    private(set) var attributes: [UInt8] = []
    private var known: [UInt8] = []
    /// Bytes that they may have.
    private let mostAttributes: Int

    /// Labels and variables that somebody has chosen to have in each line of a log.
    static let mostAttributes = 4096

    init(mostAttributes: Int = Self.mostAttributes) {
        self.mostAttributes = min(mostAttributes, Self.mostAttributes)
    }

    /// A string, without its quotes.
    private struct Text {
        var bytes: Range<Int>
        var hasEscapes: Bool
    }

    /// Nil for what is no such line.
    mutating func read(_ line: Span<UInt8>) -> ContainerLine? {
        isDecoded = false
        if !attributes.isEmpty { attributes = [] }
        var index = Self.blanks(line, 0)
        guard index < line.count, line[index] == UInt8(ascii: "{") else { return nil }
        var log: Text?
        var channel: Channel?
        var time: Int64?
        repeat {
            index = Self.blanks(line, index + 1)
            guard let name = Self.string(line, &index) else { return nil }
            index = Self.blanks(line, index)
            guard index < line.count, line[index] == UInt8(ascii: ":") else { return nil }
            index = Self.blanks(line, index + 1)
            switch Self.member(line, name) {
            case .log:
                guard let text = Self.string(line, &index) else { return nil }
                log = text
            case .stream:
                guard let text = Self.string(line, &index),
                    let known = Self.channel(line, text)
                else { return nil }
                channel = known
            case .time:
                guard let text = Self.string(line, &index), !text.hasEscapes,
                    let known = clock.time(
                        line.extracting(0..<text.bytes.upperBound), from: text.bytes.lowerBound),
                    known.end == text.bytes.upperBound
                else { return nil }
                time = known.milliseconds
            case .attributes:
                guard let object = Self.object(line, &index), object.count <= mostAttributes
                else { return nil }
                keep(line.extracting(object))
            case .other: return nil
            }
            index = Self.blanks(line, index)
            guard index < line.count else { return nil }
        } while line[index] == UInt8(ascii: ",")
        guard line[index] == UInt8(ascii: "}"), Self.blanks(line, index + 1) == line.count,
            var text = log, let channel, let time
        else { return nil }
        let isPartial = !Self.cutNewline(line, &text)
        if text.hasEscapes {
            decoded.removeAll(keepingCapacity: true)
            guard JSONString.decode(line.extracting(text.bytes), into: &decoded) else {
                return nil
            }
            isDecoded = true
        }
        return ContainerLine(
            channel: channel, milliseconds: time, isPartial: isPartial, text: text.bytes)
    }

    // MARK: Members

    private enum Member { case log, stream, time, attributes, other }

    private static func member(_ line: Span<UInt8>, _ name: Text) -> Member {
        guard name.bytes.count <= 6 else { return .other }
        switch word(line, name.bytes) {
        case 0x6C_6F67: return .log
        case 0x7469_6D65: return .time
        case 0x7374_7265_616D: return .stream
        case 0x61_7474_7273: return .attributes
        default: return .other
        }
    }

    private static func channel(_ line: Span<UInt8>, _ text: Text) -> Channel? {
        guard text.bytes.count == 6 else { return nil }
        switch word(line, text.bytes) {
        case 0x7374_646F_7574: return .stdout
        case 0x7374_6465_7272: return .stderr
        default: return nil
        }
    }

    /// Up to eight bytes as one number: the letters of `log`, `time`, `attrs`, `stream`.
    private static func word(_ line: Span<UInt8>, _ bytes: Range<Int>) -> UInt64 {
        var word: UInt64 = 0
        for index in bytes { word = word << 8 | UInt64(line[index]) }
        return word
    }

    /// Cuts the newline that ends a line off its text, with a CR before it; false where there is
    /// none. What is left has escapes if there are others.
    private static func cutNewline(_ line: Span<UInt8>, _ text: inout Text) -> Bool {
        guard endsInEscape(line, text.bytes, UInt8(ascii: "n")) else { return false }
        text.bytes = text.bytes.lowerBound..<text.bytes.upperBound - 2
        if endsInEscape(line, text.bytes, UInt8(ascii: "r")) {
            text.bytes = text.bytes.lowerBound..<text.bytes.upperBound - 2
        }
        let rest = line.extracting(text.bytes)
        text.hasEscapes = ByteSearch.quoteOrBackslash(in: rest, from: 0) < rest.count
        return true
    }

    private static func endsInEscape(
        _ line: Span<UInt8>, _ text: Range<Int>, _ letter: UInt8
    ) -> Bool {
        guard text.count >= 2, line[text.upperBound - 1] == letter else { return false }
        // The backslash before it may be the second of a pair.
        var backslashes = 0
        var index = text.upperBound - 2
        while index >= text.lowerBound, line[index] == UInt8(ascii: "\\") {
            backslashes += 1
            index -= 1
        }
        return backslashes % 2 == 1
    }

    // MARK: JSON

    private static func blanks(_ line: Span<UInt8>, _ start: Int) -> Int {
        var index = start
        while index < line.count, line[index] == 0x20 || line[index] == 0x09 { index += 1 }
        return index
    }

    /// The string that begins at `index`, which is moved behind it.
    private static func string(_ line: Span<UInt8>, _ index: inout Int) -> Text? {
        guard index < line.count, line[index] == UInt8(ascii: "\"") else { return nil }
        let start = index + 1
        var hasEscapes = false
        index = start
        while true {
            index = ByteSearch.quoteOrBackslash(in: line, from: index)
            guard index < line.count else { return nil }
            if line[index] == UInt8(ascii: "\"") { break }
            hasEscapes = true
            index += 2
            guard index <= line.count else { return nil }
        }
        index += 1
        return Text(bytes: start..<index - 1, hasEscapes: hasEscapes)
    }

    /// The object of strings that begins at `index`, which is moved behind it. It is to stand in a
    /// document as it is, so all in it is looked at.
    private static func object(_ line: Span<UInt8>, _ index: inout Int) -> Range<Int>? {
        let start = index
        guard index < line.count, line[index] == UInt8(ascii: "{") else { return nil }
        index = blanks(line, index + 1)
        if index < line.count, line[index] == UInt8(ascii: "}") {
            index += 1
            return start..<index
        }
        while true {
            guard let name = string(line, &index), isValid(line.extracting(name.bytes)) else {
                return nil
            }
            index = blanks(line, index)
            guard index < line.count, line[index] == UInt8(ascii: ":") else { return nil }
            index = blanks(line, index + 1)
            guard let value = string(line, &index), isValid(line.extracting(value.bytes)) else {
                return nil
            }
            index = blanks(line, index)
            guard index < line.count else { return nil }
            index += 1
            if line[index - 1] == UInt8(ascii: "}") { return start..<index }
            guard line[index - 1] == UInt8(ascii: ",") else { return nil }
            index = blanks(line, index)
        }
    }

    /// Whether a string is one as it stands.
    private static func isValid(_ text: Span<UInt8>) -> Bool {
        var index = 0
        while true {
            index = ByteSearch.special(in: text, from: index)
            guard index < text.count else { return true }
            switch text[index] {
            case UInt8(ascii: "\\"):
                guard let escape = JSONString.escape(text, at: index) else { return false }
                index += escape.bytes
            case 0x80...:
                let length = ByteSearch.sequence(in: text, at: index)
                guard length > 0 else { return false }
                index += length
            default: return false
            }
        }
    }

    private mutating func keep(_ object: Span<UInt8>) {
        var isSame = known.count == object.count
        if isSame {
            for index in object.indices where object[index] != known[index] { isSame = false }
        }
        if !isSame {
            known = []
            known.append(object)
        }
        attributes = known
    }
}
