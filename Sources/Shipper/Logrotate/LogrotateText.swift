import Settings

/// The inputs of a configuration of ours that rotate what one of logrotate's does, as YAML, with
/// what cannot be honoured as comments before each.
struct LogrotateText {
    /// As `--from-logrotate` prints it.
    let text: String
    /// Directives that are not honoured.
    let notes: Int

    init(_ stanzas: [LogrotateReader.Stanza], from path: String) {
        var names: Set<String> = []
        var lines = ["# Made of \(Self.shown(path)).", "inputs:"]
        var notes = 0
        for stanza in stanzas {
            let input = LogrotateInput(stanza)
            notes += input.notes.count
            if lines.count > 2 { lines.append("") }
            lines.append("  # \(Self.shown(input.place))")
            for note in input.notes {
                let directive = note.directive
                let isScript = LogrotateReader.scripts.contains(directive.name)
                let words = isScript ? directive.name : "\(directive.name) \(directive.argument)"
                lines.append(
                    "  # \(Self.shown(directive.place)): "
                        + "\(Self.shown(words).trimmed): \(note.advice)")
                if isScript {
                    for line in directive.argument.split(separator: "\n") {
                        lines.append("  #     \(Self.shown(String(line)))")
                    }
                }
            }
            guard !input.paths.isEmpty else {
                lines.append("  # No path is left of this one.")
                continue
            }
            lines += Self.lines(input, Self.name(of: input.paths[0], &names))
        }
        if !lines.contains(where: { $0.hasPrefix("  - ") }) { lines[1] = "inputs: []" }
        text = lines.joined(separator: "\n") + "\n"
        self.notes = notes
    }

    private static func lines(_ input: LogrotateInput, _ name: String) -> [String] {
        var lines = ["  - name: \(YAMLText.scalar(name))", "    paths:"]
        lines += input.paths.map { "      - \(YAMLText.quoted($0))" }
        lines.append("    rotation:")
        var pairs: [(String, String)] = []
        if let size = input.size { pairs.append(("size", Quantity.text(bytes: size))) }
        if let schedule = input.schedule { pairs.append(("schedule", YAMLText.quoted(schedule))) }
        if let age = input.age { pairs.append(("age", age)) }
        pairs.append(("keep", "\(input.keep)"))
        if let days = input.maxAge { pairs.append(("max_age", "\(days)d")) }
        if input.isCompressed {
            pairs.append(("compress", "gzip"))
            pairs.append(("delay_compress", "\(input.isDelayed)"))
        }
        pairs.append(("missing_ok", "\(input.missingOK)"))
        return lines + pairs.map { "      \($0): \($1)" }
    }

    /// A name that no input has yet: of the path's words.
    private static func name(of path: String, _ names: inout Set<String>) -> String {
        var words = path.split(separator: "/").map { part in
            String(
                part.unicodeScalars.filter { scalar in
                    switch scalar {
                    case "a"..."z", "A"..."Z", "0"..."9", "_", "-", ".": true
                    default: false
                    }
                }.map(Character.init))
        }.filter { !$0.isEmpty && $0 != ".log" && $0 != "." }
        if words.starts(with: ["var", "log"]), words.count > 2 { words.removeFirst(2) }
        var name = words.joined(separator: "-")
        for ending in [".log", ".-"] where name.hasSuffix(ending) && name != ending {
            name.removeLast(ending.count)
        }
        name = String(name.prefix(90))
        if name.isEmpty { name = "logs" }
        var unique = name
        var number = 2
        while !names.insert(unique).inserted {
            unique = "\(name)-\(number)"
            number += 1
        }
        return unique
    }

    /// On one line of a comment.
    private static func shown(_ text: String) -> String { PrintableText.of(text) }
}

extension String {
    fileprivate var trimmed: String {
        String(self[..<(lastIndex { $0 != " " }.map(index(after:)) ?? startIndex)])
    }
}
