import Shipper

extension CommandTable {
    /// Commands that print what the program knows of itself.
    static let ofPrinting: [Command] = [
        Command(
            action: .reference, words: ["config"],
            summary: "prints a configuration with every key, its default and its meaning",
            details: [
                "Prints a configuration that check takes as it is, to look things up in: each key "
                    + "with what it does, its bounds and its default. It is better not to begin "
                    + "with: a few lines are enough, and defaults need not be repeated."
            ],
            options: [], operands: [], exits: [.done]),
        Command(
            action: .schema, words: ["schema"],
            summary: "prints a JSON Schema of the configuration, for editors",
            details: [
                "Prints a JSON Schema (draft 7). An editor with a language server for YAML completes "
                    + "and checks keys with it, where the file begins with "
                    + "# yaml-language-server: $schema=PATH"
            ],
            options: [], operands: [], exits: [.done]),
        Command(
            action: .completions, words: ["completions"],
            summary: "prints what completes commands and options in a shell",
            details: [
                "Prints a script for SHELL, which completes commands, options and what they take. "
                    + "A package has it in its place already; else, for bash: "
                    + "shipper completions bash > /etc/bash_completion.d/shipper"
            ],
            options: [],
            operands: [
                Operand(
                    placeholder: "SHELL", kind: .choice(Shell.allCases.map(\.rawValue)), most: 1,
                    help: "one of " + Shell.allCases.map(\.rawValue).joined(separator: ", "),
                    isRequired: true)
            ],
            exits: [.done], isListed: false),
        Command(
            action: .manual, words: ["man"], summary: "prints the page of the manual",
            details: [
                "Prints shipper(1) for man, as in: shipper man > shipper.1 && man ./shipper.1"
            ],
            options: [], operands: [], exits: [.done], isListed: false),
        Command(
            action: .version, words: ["version"],
            summary: "says the version, and those of the libraries",
            details: [
                "Says the version, the commit that it was built from, where that is known, and the "
                    + "versions of the libraries that it runs with, one a line."
            ],
            options: [], operands: [], exits: [.done]),
    ]
}
