/// A configuration with every key, out of the table: what has a default stands there with it, and
/// what has none in a comment.
package enum SettingsReference {
    private static let width = 96

    /// YAML that `check` takes as it is. Loaded, it is the same as the few keys that are required.
    package static func text() -> String {
        var lines = [
            "# Every key of shipper's configuration, as `shipper config` prints it. A key without #",
            "# before it has its default here, unless it says REQUIRED. Lines behind a # show what could",
            "# stand there, and what is without it. ${NAME} and ${NAME:-default} in values come from",
            "# the environment; sizes are as 64KiB or 1GB, and times as 500ms, 10s, 5m, 24h or 7d.",
        ]
        for key in SettingsKeys.root.keys {
            lines.append("")
            write(key, "", &lines)
        }
        return lines.map { $0 + "\n" }.joined()
    }

    /// `margin` is what each line of the map begins with.
    private static func write(
        _ key: SettingsKeys.Key, _ margin: String, dash: Bool = false, _ lines: inout [String]
    ) {
        for line in prose(key, width - margin.count) { lines.append("\(margin)# \(line)") }
        var margin = margin
        var value: String
        switch key.standard {
        case .required(let example), .shown(let example): value = example
        case .value(let standard): value = standard
        case .none(let example, _):
            value = example
            margin += "#"
        }
        guard let below = key.form.below else {
            lines.append("\(margin)\(key.name): \(value)")
            return
        }
        // A map that is there and empty is written so, and what it could have is a comment.
        let isEmpty = below.keys.keys.allSatisfy {
            if case .none = $0.standard { true } else { false }
        }
        value = isEmpty ? " {}" : ""
        lines.append("\(margin)\(key.name):\(value)")
        guard !below.isList else {
            lines.append("\(margin)  -")
            for key in below.keys.keys { write(key, margin + "    ", &lines) }
            return
        }
        for key in below.keys.keys { write(key, margin + "  ", &lines) }
    }

    private static func prose(_ key: SettingsKeys.Key, _ width: Int) -> [String] {
        var sentences = [key.help]
        let form = key.form.words
        if !form.isEmpty { sentences.append(form.prefix(1).uppercased() + form.dropFirst()) }
        switch key.standard {
        case .required: sentences.append("REQUIRED")
        case .none(_, let without?): sentences.append("Without it: \(without)")
        case .value, .shown, .none: break
        }
        return wrapped(sentences.map { $0 + "." }.joined(separator: " "), max(40, width - 2))
    }

    private static func wrapped(_ text: String, _ width: Int) -> [String] {
        var lines = [""]
        for word in text.split(separator: " ") {
            let last = lines[lines.count - 1]
            if last.isEmpty {
                lines[lines.count - 1] = String(word)
            } else if last.count + 1 + word.count > width {
                lines.append(String(word))
            } else {
                lines[lines.count - 1] += " \(word)"
            }
        }
        return lines
    }
}

extension SettingsKeys.Form {
    /// Keys that stand below, where the value is a map, or each item of a list is one that has to
    /// be there.
    var below: (keys: SettingsKeys, isList: Bool)? {
        switch self {
        case .map(let keys): (keys, false)
        case .list(let keys): (keys, true)
        case .either(.map(let keys), _): (keys, false)
        case .either, .text, .truth, .choice, .count, .size, .duration, .texts, .names, .values,
            .nothing, .later:
            nil
        }
    }

    /// The form in words; empty where there is nothing to say of it.
    var words: String {
        switch self {
        case .text, .map, .list, .nothing, .later: ""
        case .truth: "true or false"
        case .choice(let choices):
            choices.count == 1
                ? "the word \(choices[0])" : "one of \(choices.joined(separator: ", "))"
        case .count(let range): "\(range.lowerBound) to \(range.upperBound)"
        case .size(let range):
            "\(Quantity.text(bytes: range.lowerBound)) to \(Quantity.text(bytes: range.upperBound))"
        case .duration(let range):
            "\(Quantity.text(range.lowerBound)) to \(Quantity.text(range.upperBound))"
        case .texts: "a list of texts"
        case .names: "a map of names to texts"
        case .values: "a map"
        case .either(let one, let other):
            [one.words, other.words].filter { !$0.isEmpty }.joined(separator: ", or ")
        }
    }
}
