import YAML

/// YAML as it is written for people: block style, two spaces a level, quotes only where the value
/// would be another without them.
package struct YAMLText {
    private(set) var text = ""
    private var level = 0
    /// Whether the line is begun already by the dash of a list's item.
    private var isAfterDash = false

    mutating func comment(_ comment: String) { line("# " + comment) }

    /// A key whose value follows below it.
    mutating func key(_ name: String) { line(Self.scalar(name) + ":") }

    mutating func indented(_ body: (inout YAMLText) -> Void) {
        level += 1
        body(&self)
        level -= 1
    }

    /// One item of the list whose key was written last.
    mutating func item(_ body: (inout YAMLText) -> Void) {
        text += String(repeating: "  ", count: level + 1) + "- "
        isAfterDash = true
        level += 2
        body(&self)
        level -= 2
    }

    mutating func pair(_ name: String, _ value: String) { pair(name, .string(value)) }

    mutating func list(_ name: String, _ items: [String]) {
        pair(name, .list(items.map { .string($0) }))
    }

    mutating func pair(_ name: String, _ value: FieldValue) {
        switch value {
        case .list(let items) where !items.isEmpty:
            key(name)
            for value in items { item { $0.value(value) } }
        case .map(let fields) where !fields.isEmpty:
            key(name)
            indented { text in for field in fields { text.pair(field.name, field.value) } }
        case .string, .int, .double, .bool, .null, .list, .map:
            line(Self.scalar(name) + ": " + Self.flow(value))
        }
    }

    /// An item's value, after its dash.
    private mutating func value(_ value: FieldValue) {
        switch value {
        case .map(let fields) where !fields.isEmpty:
            for field in fields { pair(field.name, field.value) }
        case .string, .int, .double, .bool, .null, .list, .map:
            line(Self.flow(value))
        }
    }

    private mutating func line(_ content: String) {
        if !isAfterDash { text += String(repeating: "  ", count: level) }
        isAfterDash = false
        text += content + "\n"
    }

    /// On one line.
    private static func flow(_ value: FieldValue) -> String {
        switch value {
        case .string(let text): scalar(text)
        case .int, .double, .bool: value.text ?? "null"
        case .null: "null"
        case .list(let items): "[" + items.map(flow).joined(separator: ", ") + "]"
        case .map(let fields):
            "{" + fields.map { "\(scalar($0.name)): \(flow($0.value))" }.joined(separator: ", ")
                + "}"
        }
    }

    /// A text, in quotes where it needs them.
    package static func scalar(_ text: String) -> String {
        let isWord = text.unicodeScalars.allSatisfy { scalar in
            switch scalar {
            case "a"..."z", "A"..."Z", "0"..."9", "_", ".", "/", "-", ":": true
            default: false
            }
        }
        let starts = text.unicodeScalars.first.map { $0 != "-" && $0 != ":" } ?? false
        if isWord, starts, text.last != ":" {
            do throws(FieldValue.Refusal) {
                let plain = try FieldValue(Node.Scalar(text: text, isPlain: true))
                if plain == .string(text) { return text }
            } catch {
                // It looks like a number that we refuse, so as a text it needs its quotes.
                return quoted(text)
            }
        }
        return quoted(text)
    }

    /// A text in double quotes, whatever is in it.
    package static func quoted(_ text: String) -> String {
        var result = "\""
        for scalar in text.unicodeScalars {
            switch scalar {
            case "\"": result += "\\\""
            case "\\": result += "\\\\"
            case "\n": result += "\\n"
            case "\t": result += "\\t"
            case "\r": result += "\\r"
            default:
                switch scalar.properties.generalCategory {
                case .control, .format, .lineSeparator, .paragraphSeparator, .unassigned,
                    .privateUse:
                    let digits = String(scalar.value, radix: 16)
                    result += "\\U" + String(repeating: "0", count: 8 - digits.count) + digits
                default:
                    result.unicodeScalars.append(scalar)
                }
            }
        }
        return result + "\""
    }
}
