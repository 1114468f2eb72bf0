import Model

/// One segment of a path pattern, matched against one name. Names are bytes, as the kernel has
/// them.
struct SegmentPattern: Hashable, Sendable {
    enum Token: Hashable, Sendable {
        case byte(UInt8)
        case anyByte
        case anyBytes
        case oneOf([ClosedRange<UInt8>], negated: Bool)
        /// One byte or more.
        case capture(String)
    }

    let tokens: [Token]

    /// The name itself when nothing in it is special.
    var literal: String? {
        var bytes: [UInt8] = []
        for token in tokens {
            guard case .byte(let byte) = token else { return nil }
            bytes.append(byte)
        }
        return String(decoding: bytes, as: UTF8.self)
    }

    var captures: [String] {
        tokens.compactMap { token in
            if case .capture(let name) = token { return name }
            return nil
        }
    }

    /// Matches this name alone.
    init(literal name: [UInt8]) { tokens = name.map(Token.byte) }

    /// Parses one segment of the pattern `whole`.
    init(_ part: Substring, in whole: String) throws(PathPatternError) {
        var tokens: [Token] = []
        var rest = Array(part.utf8)[...]
        while let byte = rest.popFirst() {
            switch byte {
            case UInt8(ascii: "*"):
                if tokens.last == .anyBytes { throw PathPatternError.partDoubleStar(whole) }
                tokens.append(.anyBytes)
            case UInt8(ascii: "?"):
                tokens.append(.anyByte)
            case UInt8(ascii: "["):
                tokens.append(try Self.bracket(&rest, in: whole))
            case UInt8(ascii: "{"):
                guard let end = rest.firstIndex(of: UInt8(ascii: "}")) else {
                    throw PathPatternError.openBracket(whole)
                }
                let name = String(decoding: rest[..<end], as: UTF8.self)
                let isWord =
                    name.first?.isNumber == false
                    && name.utf8.allSatisfy { $0 == UInt8(ascii: "_") || Self.isLetterOrDigit($0) }
                guard isWord else { throw PathPatternError.badCapture(name, in: whole) }
                rest = rest[(end + 1)...]
                tokens.append(.capture(name))
            case UInt8(ascii: "\\"):
                tokens.append(.byte(rest.popFirst() ?? byte))
            default:
                tokens.append(.byte(byte))
            }
        }
        self.tokens = tokens
    }

    private static func isLetterOrDigit(_ byte: UInt8) -> Bool {
        switch byte {
        case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"),
            UInt8(ascii: "0")...UInt8(ascii: "9"):
            true
        default:
            false
        }
    }

    private static func bracket(
        _ rest: inout ArraySlice<UInt8>, in whole: String
    ) throws(PathPatternError) -> Token {
        var negated = false
        if let first = rest.first, first == UInt8(ascii: "!") || first == UInt8(ascii: "^") {
            negated = true
            rest.removeFirst()
        }
        var ranges: [ClosedRange<UInt8>] = []
        while let low = rest.popFirst() {
            if low == UInt8(ascii: "]"), !ranges.isEmpty {
                return .oneOf(ranges, negated: negated)
            }
            if rest.count >= 2, rest.first == UInt8(ascii: "-"),
                rest[rest.startIndex + 1] != UInt8(ascii: "]")
            {
                let high = rest[rest.startIndex + 1]
                rest.removeFirst(2)
                guard low <= high else { throw PathPatternError.openBracket(whole) }
                ranges.append(low...high)
            } else {
                ranges.append(low...low)
            }
        }
        throw PathPatternError.openBracket(whole)
    }

    /// The parts of a pattern that stand for a leading dot.
    enum Dots: Hashable, Sendable {
        /// Only a dot, as in glob(7).
        case named
        /// Whatever stands for any other byte, too.
        case matched
    }

    /// Whether all of `name` matches; `captured` gets what the captures stand for.
    func matches(
        _ name: [UInt8], dots: Dots = .named, captured: inout [String: String]
    ) -> Bool {
        if dots == .named, name.first == UInt8(ascii: "."),
            tokens.first != .byte(UInt8(ascii: "."))
        {
            return false
        }
        guard let found = ranges(in: name) else { return false }
        for (key, range) in found { captured[key] = PathText.text(name[range]) }
        return true
    }

    /// The stretches that captures stand for, the shortest ones first; nil when `name` does not
    /// match.
    ///
    /// Names come from strangers, so nothing is tried twice: where what follows a star is found, no
    /// later place of it could lead to a match that this one does not, because the next star takes
    /// whatever lies between. So only the last star ever grows, and a name costs its length times
    /// that of the pattern at the most.
    private func ranges(in name: [UInt8]) -> [(key: String, range: Range<Int>)]? {
        var found: [(key: String, range: Range<Int>)] = []
        var token = 0
        var position = 0
        /// The last star or capture: its index, where it starts and where it ends for now.
        var star: (token: Int, start: Int, end: Int)?
        while true {
            if token < tokens.count, let least = leastLength(at: token) {
                if let star { close(star, &found) }
                star = (token, position, position + least)
                position += least
                guard position <= name.count else { return nil }
                token += 1
            } else if token == tokens.count ? position == name.count : takes(token, name, position)
            {
                if token == tokens.count {
                    if let star { close(star, &found) }
                    splitIDs(of: name, &found)
                    return found
                }
                token += 1
                position += 1
            } else {
                guard let last = star, last.end < name.count else { return nil }
                star = (last.token, last.start, last.end + 1)
                token = last.token + 1
                position = last.end + 1
            }
        }
    }

    private func close(
        _ star: (token: Int, start: Int, end: Int),
        _ found: inout [(key: String, range: Range<Int>)]
    ) {
        if case .capture(let key) = tokens[star.token] {
            found.append((key, star.start..<star.end))
        }
    }

    /// 1. `{container}-{container_id}` is how kubelet names its links.
    /// 2. A container is called `my-app`, and an id holds no `-`: the shortest `{container}` would
    ///    be `my`.
    ///
    /// So the last `-` of both is the one between them.
    private func splitIDs(
        of name: [UInt8], _ found: inout [(key: String, range: Range<Int>)]
    ) {
        for index in tokens.indices.dropFirst(2) where tokens[index] == .capture("container_id") {
            guard tokens[index - 1] == .byte(UInt8(ascii: "-")),
                case .capture(let before) = tokens[index - 2],
                let first = found.firstIndex(where: { $0.key == before }),
                first + 1 < found.count,
                let dash = name[found[first + 1].range].lastIndex(of: UInt8(ascii: "-")),
                dash + 1 < found[first + 1].range.upperBound
            else { continue }
            found[first].range = found[first].range.lowerBound..<dash
            found[first + 1].range = (dash + 1)..<found[first + 1].range.upperBound
        }
    }

    /// How many bytes what may be longer has at least; nil for what stands for one byte.
    private func leastLength(at token: Int) -> Int? {
        switch tokens[token] {
        case .byte, .anyByte, .oneOf: nil
        case .anyBytes: 0
        case .capture: 1
        }
    }

    /// Whether the byte at `position` is one that a token of one byte stands for.
    private func takes(_ token: Int, _ name: [UInt8], _ position: Int) -> Bool {
        guard position < name.count else { return false }
        switch tokens[token] {
        case .byte(let byte): return name[position] == byte
        case .anyByte: return true
        case .oneOf(let ranges, let negated):
            return ranges.contains { $0.contains(name[position]) } != negated
        case .anyBytes, .capture: return false
        }
    }
}
