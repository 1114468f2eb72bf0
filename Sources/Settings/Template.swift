/// A text with references, as in `logs.{namespace}.{app}`.
package struct Template: Hashable, Sendable, CustomStringConvertible {
    /// A piece of the text, in its order.
    package enum Part: Hashable, Sendable {
        case literal(String)
        case reference(String)
        /// Of the record; in the names of topics alone.
        case date(DateFormat)
    }

    /// As it was written.
    package let text: String
    /// At least one; no literal is empty.
    package let parts: [Part]

    /// A reference is a letter or `_` and then letters, digits and `_`, in braces; a brace stands
    /// for nothing else.
    package init(_ text: String) throws(TemplateError) {
        guard !text.isEmpty else { throw .empty }
        var parts: [Part] = []
        var literal = ""
        var rest = text[...]
        while let character = rest.popFirst() {
            switch character {
            case "{":
                guard let end = rest.firstIndex(where: { $0 == "}" || $0 == "{" }),
                    rest[end] == "}"
                else { throw .notClosed }
                let name = String(rest[..<end])
                let part = try Self.part(name, isFilebeats: literal.hasSuffix("%"))
                if !literal.isEmpty { parts.append(.literal(literal)) }
                literal = ""
                parts.append(part)
                rest = rest[rest.index(after: end)...]
            case "}":
                throw .notOpened
            default:
                literal.append(character)
            }
        }
        if !literal.isEmpty { parts.append(.literal(literal)) }
        self.text = text
        self.parts = parts
    }

    /// What stands in braces.
    private static func part(_ name: String, isFilebeats: Bool) throws(TemplateError) -> Part {
        guard name.hasPrefix("+") || name.hasPrefix("[") else {
            guard isName(name) else { throw .badName(name) }
            return .reference(name)
        }
        if isFilebeats { throw .filebeats(name) }
        guard name.hasPrefix("+") else { throw .badName(name) }
        guard let format = DateFormat(name.dropFirst()) else { throw .badDate(name) }
        return .date(format)
    }

    private init(text: String, parts: [Part]) {
        self.text = text
        self.parts = parts
    }

    /// Stands where a template could not be read, until that fault is thrown.
    static let unread = Template(text: "", parts: [])

    /// Brokers' quotas are per client id: under one id a whole fleet would share one quota.
    static let standardClientID = Template(
        text: "shipper-{node}", parts: [.literal("shipper-"), .reference("node")])

    /// The names that it refers to, each once, in order.
    package var names: [String] {
        var names: [String] = []
        for case .reference(let name) in parts where !names.contains(name) { names.append(name) }
        return names
    }

    /// Whether records of two days have two texts.
    package var isDated: Bool {
        parts.contains { part in
            if case .date = part { return true }
            return false
        }
    }

    /// The text with `value` of each name in its place, and this day, counted from 1970-01-01 on,
    /// in that of a date.
    package func render<Failure>(
        day: Int = 0, _ value: (String) throws(Failure) -> String
    ) throws(Failure) -> String {
        var result = ""
        for part in parts {
            switch part {
            case .date(let format): result += format.text(ofDay: day)
            case .literal(let text): result += text
            case .reference(let name): result += try value(name)
            }
        }
        return result
    }

    package var description: String { text }

    /// Whether a reference may have this name.
    static func isName(_ name: String) -> Bool {
        guard let first = name.utf8.first, !(0x30...0x39).contains(first) else { return false }
        return name.utf8.allSatisfy { byte in
            switch byte {
            case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"),
                UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "_"):
                true
            default:
                false
            }
        }
    }
}

/// The fault of a template, and what was expected.
package enum TemplateError: Error, Hashable, CustomStringConvertible {
    case empty
    case notClosed
    case notOpened
    case badName(String)
    case badDate(String)
    /// `%{…}`.
    case filebeats(String)
    /// A date where none can stand.
    case dated

    package var description: String {
        switch self {
        case .empty: "empty; expected a text that may hold names in braces, as in logs.{app}"
        case .notClosed: "a { without its }; expected a name in braces, as in logs.{app}"
        case .notOpened: "a } without its {; expected a name in braces, as in logs.{app}"
        case .badName(let name):
            "{\(name)} is no name; expected letters, digits and _ in braces, as in logs.{app}"
        case .badDate(let name): "{\(name)} is no date; expected \(DateFormat.expected)"
        case .filebeats(let name):
            "%{\(name)} is Filebeat's form; expected braces without %, as in {app} or {+yyyy.MM.dd}"
        case .dated: "a date in braces; it can stand in a topic alone"
        }
    }
}
