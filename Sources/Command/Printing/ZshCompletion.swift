/// The completion for zsh 5 and later, in the form of a function of its `fpath`.
enum ZshCompletion {
    static func text() -> String {
        let groups = Completions.groups
        let functions =
            [function("_shipper_commands", Completions.firstWords)]
            + groups.map { group in
                function(
                    "_shipper_\(group)_commands",
                    Completions.seconds(of: group).map { ($0.words[1], $0.summary) })
            }
        let ofOneWord = CommandTable.commands.filter { $0.words.count == 1 }
        let cases =
            ofOneWord.map { arguments($0, $0.words[0], indent: 8) } + groups.map(group)
        return """
            #compdef shipper
            # zsh completion of shipper(1), made by `shipper completions zsh`

            \(functions.joined(separator: "\n"))
            _shipper() {
              local context state state_descr line
              typeset -A opt_args
              _arguments -C \\
            \(CommandTable.everywhere.map { "    \(specification($0)) \\\n" }.joined())\
                '1:command:_shipper_commands' \\
                '*::argument:->arguments'
              case $state in
                arguments)
                  case $words[1] in
            \(cases.joined())\
                  esac
                  ;;
              esac
            }

            if [[ $zsh_eval_context[-1] == loadautofunc ]]; then
              _shipper "$@"
            else
              compdef _shipper shipper
            fi

            """
    }

    private static func function(_ name: String, _ words: [(String, String)]) -> String {
        let lines = words.map { word, summary in
            "    \(Completions.quoted("\(word):\(summary.replacing(":", with: "\\:"))"))\n"
        }
        return """
            \(name)() {
              local -a commands=(
            \(lines.joined())\
              )
              _describe -t commands command commands
            }

            """
    }

    /// A branch for the command that the word `name` begins, or ends.
    private static func arguments(
        _ command: CommandTable.Command, _ name: String, indent: Int
    ) -> String {
        let margin = String(repeating: " ", count: indent)
        var specifications = (command.options + CommandTable.everywhere).map(specification)
        var place = 0
        for (operand, kind) in Completions.operands(command) {
            for _ in 0..<operand.most {
                place += 1
                let help = escaped(operand.help)
                specifications.append(
                    Completions.quoted("\(place):\(help):\(action(kind))"))
            }
        }
        return "\(margin)\(name))\n\(margin)  _arguments \\\n"
            + specifications.map { "\(margin)    \($0)" }.joined(separator: " \\\n")
            + "\n\(margin)  ;;\n"
    }

    private static func group(_ name: String) -> String {
        let cases = Completions.seconds(of: name)
            .map { arguments($0, $0.words[1], indent: 14) }
        return """
                    \(name))
                      _arguments -C \\
                        '1:command:_shipper_\(name)_commands' \\
                        '*::argument:->second'
                      case $state in
                        second)
                          case $words[1] in
            \(cases.joined())\
                          esac
                          ;;
                      esac
                      ;;

            """
    }

    private static func specification(_ option: CommandTable.Option) -> String {
        let value = option.value.map { ":\(escaped($0.placeholder)):\(action($0.kind))" } ?? ""
        let text = "[\(escaped(option.help))]\(value)"
        let equals = option.value == nil ? "" : "="
        guard let short = option.short else {
            return Completions.quoted("--\(option.name)\(equals)\(text)")
        }
        let plus = option.value == nil ? "" : "+"
        return Completions.quoted("(-\(short) --\(option.name))")
            + "{-\(short)\(plus),--\(option.name)\(equals)}" + Completions.quoted(text)
    }

    /// In a specification of `_arguments`.
    private static func escaped(_ text: String) -> String {
        text.replacing("\\", with: "\\\\").replacing(":", with: "\\:")
            .replacing("[", with: "\\[").replacing("]", with: "\\]")
    }

    private static func action(_ kind: CommandTable.Kind) -> String {
        switch kind {
        case .file: "_files"
        case .directory: "_files -/"
        case .command: "_shipper_commands"
        case .choice(let choices): "(" + choices.joined(separator: " ") + ")"
        case .text, .number, .duration: " "
        }
    }
}
