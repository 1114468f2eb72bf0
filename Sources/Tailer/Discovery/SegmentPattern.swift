/// One segment of a path pattern, matched against one name. Names are bytes, as the kernel has them.
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

    /// Whether all of `name` matches; `captured` gets what the captures stand for. A leading dot is
    /// matched only by a dot, as in glob(7).
    func matches(_ name: [UInt8], captured: inout [String: String]) -> Bool {
        if name.first == UInt8(ascii: "."), tokens.first != .byte(UInt8(ascii: ".")) {
            return false
        }
        var found: [String: Range<Int>] = [:]
        guard matches(token: 0, name, 0, &found) else { return false }
        for (key, range) in found { captured[key] = PathText.text(name[range]) }
        return true
    }

    /// Shortest stretches first. Names are at most 255 bytes and patterns come from the
    /// configuration, so plain backtracking is bounded well enough.
    private func matches(
        token: Int, _ name: [UInt8], _ position: Int, _ found: inout [String: Range<Int>]
    ) -> Bool {
        guard token < tokens.count else { return position == name.count }
        switch tokens[token] {
        case .byte(let byte):
            return position < name.count && name[position] == byte
                && matches(token: token + 1, name, position + 1, &found)
        case .anyByte:
            return position < name.count && matches(token: token + 1, name, position + 1, &found)
        case .oneOf(let ranges, let negated):
            return position < name.count
                && ranges.contains { $0.contains(name[position]) } != negated
                && matches(token: token + 1, name, position + 1, &found)
        case .anyBytes:
            for end in position...name.count
            where matches(token: token + 1, name, end, &found) { return true }
            return false
        case .capture(let key):
            guard position < name.count else { return false }
            for end in (position + 1)...name.count
            where matches(token: token + 1, name, end, &found) {
                found[key] = position..<end
                return true
            }
            return false
        }
    }
}
