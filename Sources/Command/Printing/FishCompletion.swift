/// The completion for fish 3 and later.
enum FishCompletion {
    static func text() -> String {
        let groups = Completions.groups
        var lines = [
            "# fish completion of shipper(1), made by `shipper completions fish`",
            "",
            "function __shipper_at --description 'Whether these words are the command so far'",
            "    set -l words (commandline -opc)",
            "    set -e words[1]",
            "    set -l found",
            "    for word in $words",
            "        string match -q -- '-*' $word; and continue",
            "        set -a found $word",
            "        contains -- $word \(groups.joined(separator: " ")); or break",
            "    end",
            "    test \"$found\" = \"$argv\"",
            "end",
            "",
            "complete -c shipper -f",
        ]
        lines += CommandTable.everywhere.map { "complete -c shipper" + forms($0) }
        for (word, summary) in Completions.firstWords {
            lines.append(at("") + " -a \(word) -d \(quoted(summary))")
        }
        for group in groups {
            for command in Completions.seconds(of: group) {
                lines.append(
                    at(group) + " -a \(command.words[1]) -d \(quoted(command.summary))")
            }
        }
        for command in CommandTable.commands {
            for option in command.options { lines.append(at(command.name) + forms(option)) }
            for (_, kind) in Completions.operands(command) {
                if let values = values(kind) { lines.append(at(command.name) + values) }
            }
        }
        return lines.map { $0 + "\n" }.joined()
    }

    /// The beginning of a rule that holds behind these words.
    private static func at(_ words: String) -> String {
        "complete -c shipper -n " + quoted("__shipper_at " + words).replacing("at '", with: "at'")
    }

    private static func forms(_ option: CommandTable.Option) -> String {
        var text = option.short.map { " -s \($0)" } ?? ""
        text += " -l \(option.name)"
        if let value = option.value {
            // Files only where they are meant: fish offers them otherwise, too.
            text += (value.kind == .file ? " -r" : " -x") + (values(value.kind) ?? "")
        }
        return text + " -d \(quoted(option.help))"
    }

    /// What completes a value; nil where nothing can.
    private static func values(_ kind: CommandTable.Kind) -> String? {
        switch kind {
        case .file: " -F"
        case .directory: " -a '(__fish_complete_directories)'"
        case .command: " -a " + quoted(Completions.firstWords.map(\.word).joined(separator: " "))
        case .choice(let choices): " -a " + quoted(choices.joined(separator: " "))
        case .text, .number, .duration: nil
        }
    }

    /// In single quotes, in which fish knows two escapes.
    private static func quoted(_ text: String) -> String {
        "'" + text.replacing("\\", with: "\\\\").replacing("'", with: "\\'") + "'"
    }
}
