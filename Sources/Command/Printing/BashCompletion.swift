/// The completion for bash 4 and later; it needs no other package.
enum BashCompletion {
    static func text() -> String {
        let commands = CommandTable.commands
        let groups = Completions.groups
        return """
            # bash completion of shipper(1), made by `shipper completions bash`

            # Sets `kind` to what is completed behind the option $2 of the command $1.
            _shipper_value() {
              case "$1 $2" in
            \(commands.flatMap(values).joined(separator: "\n"))
                *) return 1 ;;
              esac
            }

            # Sets `kind` to what is completed as the argument number $2 of the command $1.
            _shipper_argument() {
              case "$1 $2" in
            \(commands.flatMap(arguments).joined(separator: "\n"))
                *) kind='' ;;
              esac
            }

            # Sets `options` to those of the command $1.
            _shipper_options() {
              case $1 in
            \(commands.map(options).joined(separator: "\n"))
                *) options='\(names(CommandTable.everywhere))' ;;
              esac
            }

            _shipper() {
              local current=${COMP_WORDS[COMP_CWORD]} before=${COMP_WORDS[COMP_CWORD-1]}
              local command='' count=0 last='' options='' kind='' i word
              # bash cuts --option=value in three.
              if [[ $current == '=' ]]; then
                current=''
              elif [[ $before == '=' ]]; then
                before=${COMP_WORDS[COMP_CWORD-2]}
              fi
              for ((i = 1; i < COMP_CWORD; i++)); do
                word=${COMP_WORDS[i]}
                case $word in
                  -*) last=$word ;;
                  '=') ;;
                  *)
                    if [[ -n $last ]] && _shipper_value "$command" "$last"; then
                      last=''
                      continue
                    fi
                    last=''
                    if [[ -z $command ]]; then
                      command=$word
                    elif [[ \(groups.map { "$command == \(Completions.quoted($0))" }.joined(separator: " || ")) ]]; then
                      command+=" $word"
                    else
                      count=$((count + 1))
                    fi
                    ;;
                esac
              done
              kind=''
              if ! _shipper_value "$command" "$before"; then
                if [[ $current == -* ]]; then
                  _shipper_options "$command"
                  kind="words $options"
                else
                  case $command in
                    '') kind=\(Completions.quoted("words " + Completions.firstWords.map(\.word).joined(separator: " "))) ;;
            \(groups.map(group).joined(separator: "\n"))
                    *) _shipper_argument "$command" "$((count + 1))" ;;
                  esac
                fi
              fi
              COMPREPLY=()
              case $kind in
                file)
                  compopt -o filenames 2>/dev/null
                  mapfile -t COMPREPLY < <(compgen -f -- "$current")
                  ;;
                directory)
                  compopt -o filenames 2>/dev/null
                  mapfile -t COMPREPLY < <(compgen -d -- "$current")
                  ;;
                'words '*) mapfile -t COMPREPLY < <(compgen -W "${kind#words }" -- "$current") ;;
              esac
            }

            complete -F _shipper shipper

            """
    }

    private static func group(_ name: String) -> String {
        let words = Completions.seconds(of: name).map(\.words[1]).joined(separator: " ")
        return
            "        \(Completions.quoted(name))) kind=\(Completions.quoted("words " + words)) ;;"
    }

    private static func options(_ command: CommandTable.Command) -> String {
        "    \(Completions.quoted(command.name))) "
            + "options='\(names(command.options + CommandTable.everywhere))' ;;"
    }

    private static func names(_ options: [CommandTable.Option]) -> String {
        options.map { "--\($0.name)" }.joined(separator: " ")
    }

    private static func values(_ command: CommandTable.Command) -> [String] {
        command.options.compactMap { option in
            guard let value = option.value else { return nil }
            let forms = ["--\(option.name)"] + (option.short.map { ["-\($0)"] } ?? [])
            let patterns = forms.map { Completions.quoted("\(command.name) \($0)") }
            return "    \(patterns.joined(separator: " | "))) kind='\(word(value.kind))' ;;"
        }
    }

    private static func arguments(_ command: CommandTable.Command) -> [String] {
        var place = 0
        return Completions.operands(command).flatMap { operand, kind in
            let places = (0..<operand.most).map { _ in
                place += 1
                return Completions.quoted("\(command.name) \(place)")
            }
            return ["    \(places.joined(separator: " | "))) kind='\(word(kind))' ;;"]
        }
    }

    /// How the script calls it.
    private static func word(_ kind: CommandTable.Kind) -> String {
        switch kind {
        case .file: "file"
        case .directory: "directory"
        case .command: "words " + Completions.firstWords.map(\.word).joined(separator: " ")
        case .choice(let choices): "words " + choices.joined(separator: " ")
        case .text, .number, .duration: ""
        }
    }
}
