/// A mistake that people make in YAML, in words of ours: libyaml tells where it stumbled, and
/// not what is wrong.
struct CommonMistake {
    let place: Mark
    let sentence: String

    /// What the parser met: its words, the byte there and the last one before it that is no
    /// blank, and where the thing begins that it was in.
    struct Stumble {
        let problem: String
        let context: String
        let place: Mark
        let start: Mark
        let byte: UInt8?
        let byteBefore: UInt8?
    }

    /// Nil where it is none of them.
    init?(_ found: Stumble) {
        switch found.problem {
        case "found unexpected end of stream" where found.context.contains("quoted scalar"):
            (place, sentence) = (found.start, "a quote begins here and is never closed")
        case "found unknown escape character":
            place = found.place
            sentence = "no escape of YAML; a \\ in double quotes is written \\\\, or use '…'"
        case "found character that cannot start any token":
            guard let byte = found.byte, byte < 128 else { return nil }
            place = found.place
            sentence = Self.begins(with: String(Unicode.Scalar(byte)))
        case "did not find expected alphabetic or numeric character":
            guard found.context.hasSuffix("alias") || found.context.hasSuffix("anchor") else {
                return nil
            }
            place = found.start
            sentence = Self.begins(with: found.context.hasSuffix("alias") ? "*" : "&")
        case "did not find expected comment or line break":
            (place, sentence) = (found.start, Self.begins(with: "> or |"))
        case "did not find expected ',' or ']'", "did not find expected ',' or '}'":
            if found.isAtBrace {
                (place, sentence) = (found.place, Self.braces)
            } else {
                let bracket = found.problem.contains("]") ? "[" : "{"
                let end = found.problem.contains("]") ? "]" : "}"
                place = found.start
                sentence =
                    "a \(bracket) begins here; a comma or \(end) is missing at"
                    + " \(found.place)"
            }
        case "did not find expected key" where found.isAtBrace:
            (place, sentence) = (found.place, Self.braces)
        case "did not find expected key" where found.isBehindQuote:
            place = found.place
            sentence =
                "nothing may follow a closing quote; '' is a quote within '…', \\\" one"
                + " within \"…\""
        case "did not find expected key", "did not find expected '-' indicator":
            place = found.place
            sentence =
                "this line is not indented as what begins at \(found.start) is, which it"
                + " must belong to"
        case "mapping values are not allowed in this context":
            place = found.place
            sentence =
                "no key can stand before this colon: a value with ': ' in it needs quotes;"
                + " else look at the indentation, and for a colon without a blank in the line above"
        default: return nil
        }
    }

    private static func begins(with characters: String) -> String {
        "a value that begins with \(characters) needs quotes"
    }

    private static let braces = "a value with { or } in it needs quotes, as in '/data/{pod}/*.log'"
}

extension CommonMistake.Stumble {
    /// It looked for the end of a list or map, and found one of the braces of a value.
    fileprivate var isAtBrace: Bool {
        byte == UInt8(ascii: "{") || byteBefore == UInt8(ascii: "}")
    }

    fileprivate var isBehindQuote: Bool {
        byteBefore == UInt8(ascii: "\"") || byteBefore == UInt8(ascii: "'")
    }
}
