import Command
import Shipper
import TestSupport
import Testing

/// What shells are given to complete `shipper` with, asked as the shells ask.
@Suite struct CompletionsTests {
    private func script(_ shell: String) throws -> String {
        guard case .say(let text) = try Invocation(["completions", shell]) else { return "" }
        return text
    }

    /// What bash offers for the last of the words; it must have none of its own faults.
    private func bash(_ words: [String]) throws -> Set<String> {
        let directory = try TemporaryDirectory()
        let path = try directory.write("shipper", try script("bash"))
        let process = try ChildProcess(
            try findProgram("bash", package: "bash"),
            [
                "-c",
                """
                set -u
                source "$1"
                shift
                COMP_WORDS=("$@") COMP_CWORD=$(($# - 1))
                _shipper
                ((${#COMPREPLY[@]} == 0)) || printf '%s\\n' "${COMPREPLY[@]}"
                """,
                "bash", path,
            ] + words, directory: directory.path)
        #expect(try process.wait() == .code(0))
        #expect(process.errors.isEmpty)
        return Set(process.output.split(separator: "\n").map(String.init))
    }

    static let typed: [(words: [String], offered: Set<String>)] = [
        (["shipper", "ru"], ["run"]),
        (["shipper", "--v"], ["--version"]),
        (["shipper", "run", "--on"], ["--once"]),
        (
            ["shipper", "registry", ""],
            ["show", "verify", "compact", "forget", "rewind", "import"]
        ),
        (["shipper", "registry", "show", "--sort", ""], ["path", "lag", "age"]),
        (["shipper", "registry", "show", "--sort", "=", "l"], ["lag"]),
        (["shipper", "registry", "show", "--sort", "="], ["path", "lag", "age"]),
        (["shipper", "registry", "import", ""], ["filebeat"]),
        (["shipper", "registry", "import", "-n", "--data", "d", "f"], ["filebeat"]),
        (["shipper", "completions", ""], ["bash", "zsh", "fish"]),
        (["shipper", "help", "dem"], ["demo"]),
        (["shipper", "run", "-c", "ship"], ["shipper"]),
        (["shipper", "run", "--once", "x"], []),
        (["shipper", "nothing", ""], []),
    ]

    @Test(arguments: typed)
    func bashOffersWhatMayStandThere(words: [String], offered: Set<String>) throws {
        #expect(try bash(words) == offered)
    }

    @Test func bashOffersEachCommandAndEachOfItsOptions() throws {
        #expect(try bash(["shipper", ""]) == Set(CommandTable.commands.map { $0.words[0] }))
        for command in CommandTable.commands {
            let options = command.options + CommandTable.everywhere
            #expect(
                try bash(["shipper"] + command.words + ["--"])
                    == Set(options.map { "--\($0.name)" }), "\(command.name)")
        }
    }

    @Test(arguments: Shell.allCases)
    func everyCommandAndOptionStandsInEachScript(shell: Shell) throws {
        let script = try script(shell.rawValue)
        for command in CommandTable.commands {
            for word in command.words { #expect(script.contains(word), "\(command.name)") }
            for option in command.options + CommandTable.everywhere {
                let form = shell == .fish ? "-l \(option.name) " : "--\(option.name)"
                #expect(script.contains(form), "\(command.name) --\(option.name)")
            }
        }
    }

    @Test(.enabled(if: hasProgram("fish"), "fish is not installed"))
    func fishOffersWhatMayStandThere() throws {
        let directory = try TemporaryDirectory()
        let path = try directory.write("shipper.fish", try script("fish"))
        let lines: [(String, Set<String>)] = [
            ("shipper ru", ["run"]), ("shipper run --on", ["--once"]),
            (
                "shipper registry ",
                ["show", "verify", "compact", "forget", "rewind", "import"]
            ),
            ("shipper registry show --sort ", ["path", "lag", "age"]),
            ("shipper completions ", ["bash", "zsh", "fish"]),
        ]
        for (line, offered) in lines {
            let process = try ChildProcess(
                try findProgram("fish", package: "fish"),
                ["--no-config", "-c", "source \(path); complete -C '\(line)'"],
                directory: directory.path)
            #expect(try process.wait() == .code(0))
            #expect(process.errors.isEmpty)
            let words = process.output.split(separator: "\n").map { line in
                String(line.prefix { $0 != "\t" })
            }
            #expect(Set(words) == offered, "\(line)")
        }
    }

    @Test(.enabled(if: hasProgram("zsh"), "zsh is not installed"))
    func zshFindsNoFaultInItsScript() throws {
        let directory = try TemporaryDirectory()
        let path = try directory.write("_shipper", try script("zsh"))
        let process = try ChildProcess(
            try findProgram("zsh", package: "zsh"),
            [
                "-f", "-c",
                "autoload -U compinit; compinit -u -D; source \(path); which _shipper >/dev/null"
                    + " && [[ $_comps[shipper] == _shipper ]]",
            ], directory: directory.path)
        #expect(try process.wait() == .code(0))
        #expect(process.errors.isEmpty)
    }
}
