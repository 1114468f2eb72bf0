/// The scripts that complete `shipper` in shells, out of the table. They ask the program nothing:
/// a key pressed in a shell starts no process of ours.
enum Completions {
    /// The whole script, for the place where the shell looks for it.
    static func text(for shell: Shell) -> String {
        switch shell {
        case .bash: BashCompletion.text()
        case .zsh: ZshCompletion.text()
        case .fish: FishCompletion.text()
        }
    }

    /// First words of commands, each once, with what is said of it: of a group what is in it.
    static var firstWords: [(word: String, summary: String)] {
        var words: [(word: String, summary: String)] = []
        for command in CommandTable.commands
        where !words.contains(where: { $0.0 == command.words[0] }) {
            let isGroup = command.words.count > 1
            let below = seconds(of: command.words[0]).map(\.words[1]).joined(separator: ", ")
            words.append((command.words[0], isGroup ? below : command.summary))
        }
        return words
    }

    /// First words that need a second one.
    static var groups: [String] {
        firstWords.map(\.word).filter { !seconds(of: $0).isEmpty }
    }

    /// The commands of a group.
    static func seconds(of group: String) -> [CommandTable.Command] {
        CommandTable.commands.filter { $0.words.count > 1 && $0.words[0] == group }
    }

    /// What may stand after a command, beside options, by its place.
    static func operands(
        _ command: CommandTable.Command
    ) -> [(operand: CommandTable.Operand, kind: CommandTable.Kind)] {
        command.operands.map { operand in
            // A word that is typed as it is.
            let isWord = operand.kind == .text && operand.placeholder.contains { $0.isLowercase }
            return (operand, isWord ? .choice([operand.placeholder]) : operand.kind)
        }
    }

    /// In single quotes, for bash and zsh.
    static func quoted(_ text: String) -> String {
        "'" + text.replacing("'", with: "'\\''") + "'"
    }
}
