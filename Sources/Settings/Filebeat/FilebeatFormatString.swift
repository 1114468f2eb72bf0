/// A text with `%{[field]}` and `%{+date}`, as a topic or a key has it.
struct FilebeatFormatString {
    enum Part {
        case literal(String)
        /// The whole name of a field, and what stands for it where an event has none.
        case field(String, fallback: String?)
        /// Behind the plus.
        case date(String)
    }

    let parts: [Part]

    /// Nil where a brace is not closed.
    init?(_ text: String) {
        var parts: [Part] = []
        var rest = text[...]
        while let start = rest.firstRange(of: "%{") {
            if start.lowerBound > rest.startIndex {
                parts.append(.literal(String(rest[..<start.lowerBound])))
            }
            rest = rest[start.upperBound...]
            guard let end = rest.firstIndex(of: "}") else { return nil }
            let inside = rest[..<end]
            rest = rest[rest.index(after: end)...]
            if inside.hasPrefix("+") {
                // Filebeat takes both for the year.
                parts.append(.date(String(inside.dropFirst()).replacing("YYYY", with: "yyyy")))
                continue
            }
            let pieces = inside.split(separator: ":", maxSplits: 1)
            guard let name = pieces.first else { return nil }
            let path = name.replacing("][", with: ".").filter { $0 != "[" && $0 != "]" }
            parts.append(
                .field(path, fallback: pieces.count == 2 ? String(pieces[1]) : nil))
        }
        if !rest.isEmpty { parts.append(.literal(String(rest))) }
        self.parts = parts
    }

    /// The field that all of the text is.
    var onlyField: String? {
        guard parts.count == 1, case .field(let name, _) = parts[0] else { return nil }
        return name
    }

    /// A template of ours for an input; or what cannot stand in one. `value` gives the template's
    /// piece for a field: a capture or name in braces, or a text that never changes.
    func template(
        date isAllowed: Bool, _ value: (String) -> String?
    ) -> Result<String, Missing> {
        var result = ""
        for part in parts {
            switch part {
            case .literal(let text):
                guard let known = FilebeatText.references(text),
                    !known.replacing("${", with: "").contains("{")
                else { return .failure(Missing(name: text)) }
                result += known
            case .date(let format):
                guard isAllowed, DateFormat(format[...]) != nil else {
                    return .failure(Missing(name: "+\(format)"))
                }
                result += "{+\(format)}"
            case .field(let name, let fallback):
                guard let piece = value(name) ?? fallback else {
                    return .failure(Missing(name: name))
                }
                result += piece
            }
        }
        return .success(result)
    }

    struct Missing: Error {
        let name: String
    }
}
