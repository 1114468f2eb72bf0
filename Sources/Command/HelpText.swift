import Shipper

/// The text of `--help`, out of the table.
enum HelpText {
    private static let width = 79

    static func program() -> String {
        let commands = CommandTable.commands.filter(\.isListed).map { ($0.name, $0.summary) }
        return "Usage: shipper COMMAND [OPTION]...\n\n"
            + "Ships lines of log files to Kafka, each at least once, in order.\n\n"
            + "Commands:\n" + table(commands)
            + "\nOptions:\n" + table(CommandTable.everywhere.map(row))
            + "\n'shipper COMMAND --help' says what a command takes.\n"
    }

    /// The commands that begin with the word `first`.
    static func group(_ first: String) -> String {
        let commands = CommandTable.commands.filter { $0.words[0] == first }
        return "Usage: shipper \(first) COMMAND [OPTION]...\n\n"
            + "Commands:\n" + table(commands.map { ($0.name, $0.summary) })
            + "\n'shipper \(first) COMMAND --help' says what a command takes.\n"
    }

    static func command(_ command: CommandTable.Command) -> String {
        var text = usage(command) + "\n"
        for paragraph in command.details { text += lines(paragraph, indent: 0) + "\n" }
        let operands = command.operands.map { ($0.placeholder, $0.help) }
        if !operands.isEmpty { text += "Arguments:\n" + table(operands) + "\n" }
        let options = command.options + CommandTable.everywhere
        text += "Options:\n" + table(options.map(row)) + "\n"
        let exits = ExitCode.allCases.filter { code in
            command.exits.contains(code) || code == .wrongUsage || code == .internalFault
        }
        return text + "Exit codes:\n" + table(exits.map { ("\($0.rawValue)", $0.meaning) })
    }

    private static func usage(_ command: CommandTable.Command) -> String {
        var words = ["Usage: shipper \(command.name)"]
        for option in command.options {
            words.append("[--\(option.name)\(option.value.map { " " + $0.placeholder } ?? "")]")
        }
        for operand in command.operands {
            let word = operand.isRequired ? operand.placeholder : "[\(operand.placeholder)]"
            words.append(word + (operand.most > 1 ? "..." : ""))
        }
        var text = words[0]
        var width = text.count
        for word in words.dropFirst() {
            if width + 1 + word.count > Self.width {
                text += "\n      "
                width = 6
            }
            text += " " + word
            width += 1 + word.count
        }
        return text + "\n"
    }

    private static func row(_ option: CommandTable.Option) -> (String, String) {
        let short = option.short.map { "-\($0), " } ?? "    "
        let value = option.value.map { " " + $0.placeholder } ?? ""
        return ("\(short)--\(option.name)\(value)", option.help)
    }

    /// Two columns, the second one wrapped.
    private static func table(_ rows: [(String, String)]) -> String {
        let first = rows.map(\.0.count).max() ?? 0
        return rows.map { left, right in
            let padding = String(repeating: " ", count: first - left.count)
            return "  \(left)\(padding)  "
                + lines(right, indent: first + 4).drop { $0 == " " }
        }.joined()
    }

    /// `text` in lines that are not longer than `width`, each with its newline.
    private static func lines(_ text: String, indent: Int) -> String {
        var result = ""
        var line = ""
        for word in text.split(separator: " ") {
            if !line.isEmpty, indent + line.count + 1 + word.count > width {
                result += String(repeating: " ", count: indent) + line + "\n"
                line = ""
            }
            line += (line.isEmpty ? "" : " ") + word
        }
        return result + String(repeating: " ", count: indent) + line + "\n"
    }
}
