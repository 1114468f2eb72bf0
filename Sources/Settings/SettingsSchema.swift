import YAML

/// A JSON Schema of the configuration, out of the table, for editors and for whoever makes
/// configurations by program. What it takes is right in its keys and forms; `check` says more.
package enum SettingsSchema {
    /// Draft 7, which editors know; with a newline at its end.
    package static func text() -> String {
        let head = [
            Field(name: "$schema", value: .string("http://json-schema.org/draft-07/schema#")),
            Field(name: "title", value: .string("shipper.yaml")),
        ]
        return JSONText.text(.map(head + map(SettingsKeys.root))) + "\n"
    }

    /// A part of a text that the environment fills in: nobody knows its form.
    private static let reference = "\\$\\{"

    private static func map(_ keys: SettingsKeys) -> [Field] {
        let required = keys.keys.filter { if case .required = $0.standard { true } else { false } }
        var fields = [
            Field(name: "type", value: .string("object")),
            Field(name: "additionalProperties", value: .bool(false)),
            Field(
                name: "properties",
                value: .map(keys.keys.map { Field(name: $0.name, value: .map(key($0))) })),
        ]
        if !required.isEmpty {
            fields.append(
                Field(name: "required", value: .list(required.map { .string($0.name) })))
        }
        return fields
    }

    private static func key(_ key: SettingsKeys.Key) -> [Field] {
        var help = "\(key.help)."
        let words = key.form.words
        if !words.isEmpty { help += " \(words.prefix(1).uppercased())\(words.dropFirst())." }
        if case .none(_, let without?) = key.standard { help += " Without it: \(without)." }
        var fields = [Field(name: "description", value: .string(help))]
        if case .value(let standard) = key.standard {
            fields.append(Field(name: "default", value: value(standard)))
        }
        return fields + form(key.form)
    }

    private static func form(_ form: SettingsKeys.Form) -> [Field] {
        switch form {
        case .text: types("string", "number", "boolean")
        case .truth: any([types("boolean"), words(["true", "false"]), pattern("^\(reference)")])
        case .choice(let choices):
            any([words(choices), pattern(reference)] + natural(choices))
        case .count(let range): any([number(range), pattern("^[0-9]+$|\(reference)")])
        case .size(let range):
            any([
                number(range),
                pattern("^[0-9]+(\(units(Quantity.sizeUnits.map(\.name))))?$|\(reference)"),
            ])
        case .duration:
            pattern("^[0-9]+(\(units(Quantity.durationUnits.map(\.name))))$|\(reference)")
        case .texts: types("array") + [Field(name: "items", value: .map(self.form(.text)))]
        case .names:
            types("object")
                + [Field(name: "additionalProperties", value: .map(self.form(.text)))]
        case .values: types("object")
        case .map(let keys): map(keys)
        case .list(let keys): types("array") + [Field(name: "items", value: .map(map(keys)))]
        case .either(let one, let other): any([self.form(one), self.form(other)])
        case .nothing, .later: types("null")
        }
    }

    private static func types(_ names: String...) -> [Field] {
        let values = names.map { FieldValue.string($0) }
        return [Field(name: "type", value: values.count == 1 ? values[0] : .list(values))]
    }

    private static func any(_ forms: [[Field]]) -> [Field] {
        [Field(name: "anyOf", value: .list(forms.map { .map($0) }))]
    }

    private static func words(_ words: [String]) -> [Field] {
        [Field(name: "enum", value: .list(words.map { .string($0) }))]
    }

    /// Words that YAML takes for something else than texts.
    private static func natural(_ words: [String]) -> [[Field]] {
        let values = words.map(value).filter { if case .string = $0 { false } else { true } }
        return values.isEmpty ? [] : [[Field(name: "enum", value: .list(values))]]
    }

    private static func pattern(_ pattern: String) -> [Field] {
        types("string") + [Field(name: "pattern", value: .string(pattern))]
    }

    private static func number(_ range: ClosedRange<Int>) -> [Field] {
        types("integer") + [
            Field(name: "minimum", value: .int(range.lowerBound)),
            Field(name: "maximum", value: .int(range.upperBound)),
        ]
    }

    private static func units(_ names: [String]) -> String { names.joined(separator: "|") }

    /// A default of the table, as a parser of YAML has it.
    private static func value(_ text: String) -> FieldValue {
        do {
            let document = try Document(Array(text.utf8), file: "default")
            return try document.root.map(value) ?? .null
        } catch {
            preconditionFailure("the default \(text) of the table is no YAML: \(error)")
        }
    }

    private static func value(_ node: Node) throws(FieldValue.Refusal) -> FieldValue {
        switch node.content {
        case .scalar(let scalar): return try FieldValue(scalar)
        case .list(let nodes):
            return .list(try nodes.map { (node) throws(FieldValue.Refusal) in try value(node) })
        case .map(let entries):
            return .map(
                try entries.map { (entry) throws(FieldValue.Refusal) in
                    Field(name: entry.key, value: try value(entry.value))
                })
        }
    }
}

/// JSON for people: two spaces a level, members in their order.
enum JSONText {
    static func text(_ value: FieldValue, _ margin: String = "") -> String {
        switch value {
        case .string(let text): quoted(text)
        case .int, .double, .bool: value.text ?? "null"
        case .null: "null"
        case .list(let items):
            block(items.map { text($0, margin + "  ") }, "[", "]", margin)
        case .map(let fields):
            block(
                fields.map { "\(quoted($0.name)): \(text($0.value, margin + "  "))" }, "{", "}",
                margin)
        }
    }

    /// What is short stands on one line.
    private static func block(
        _ items: [String], _ open: String, _ close: String, _ margin: String
    ) -> String {
        let line = open + items.joined(separator: ", ") + close
        if line.count <= 80 - margin.count, !line.contains("\n") { return line }
        let inner = items.map { "\(margin)  \($0)" }.joined(separator: ",\n")
        return "\(open)\n\(inner)\n\(margin)\(close)"
    }

    private static func quoted(_ text: String) -> String {
        var result = "\""
        for scalar in text.unicodeScalars {
            switch scalar {
            case "\"": result += "\\\""
            case "\\": result += "\\\\"
            case _ where scalar.value < 0x20:
                let digits = String(scalar.value, radix: 16)
                result += "\\u" + String(repeating: "0", count: 4 - digits.count) + digits
            case _: result.unicodeScalars.append(scalar)
            }
        }
        return result + "\""
    }
}
