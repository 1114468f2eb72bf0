/// A JSON value, to be written.
package indirect enum JSON: Sendable {
    case null
    case bool(Bool)
    case text(String)
    case count(Int)
    /// Rounded to this many digits after the point.
    case number(Double, Int)
    case list([JSON])
    /// In their order.
    case object([(String, JSON)])

    static func optional(_ text: String?) -> JSON { text.map(JSON.text) ?? .null }

    /// Indented by two blanks; lists of plain values and what holds nothing stand on one line.
    package func text(indent: String = "") -> String {
        switch self {
        case .null: return "null"
        case .bool(let value): return value ? "true" : "false"
        case .text(let value): return Self.quoted(value)
        case .count(let value): return String(value)
        case .number(let value, let digits):
            return value.isFinite ? Number.fixed(value, digits) : "null"
        case .list(let values):
            return Self.block("[", values.map { $0.text(indent: indent + "  ") }, "]", indent)
        case .object(let members):
            return Self.block(
                "{",
                members.map { "\(Self.quoted($0)): \($1.text(indent: indent + "  "))" },
                "}", indent)
        }
    }

    private static func block(
        _ begin: String, _ items: [String], _ end: String, _ indent: String
    ) -> String {
        if items.isEmpty { return begin + end }
        let line = begin + items.joined(separator: ", ") + end
        if line.utf8.count < 80, !line.contains("\n") { return line }
        let separator = ",\n" + indent + "  "
        return begin + "\n" + indent + "  " + items.joined(separator: separator) + "\n" + indent
            + end
    }

    private static func quoted(_ text: String) -> String {
        var out = "\""
        for scalar in text.unicodeScalars {
            switch scalar {
            case "\"": out += "\\\""
            case "\\": out += "\\\\"
            case "\n": out += "\\n"
            case "\t": out += "\\t"
            case "\u{0}"..<"\u{20}":
                let digits = String(scalar.value, radix: 16)
                out += "\\u" + String(repeating: "0", count: 4 - digits.count) + digits
            default: out.unicodeScalars.append(scalar)
            }
        }
        return out + "\""
    }
}
