import Settings
import Shipper

extension CommandTable {
    private static let data = Option(
        name: "data", short: nil, value: Value(placeholder: "DIR", kind: .directory),
        help: "the data directory; if not given, the one that the configuration names, or else "
            + "\(Settings.standardData)")

    private static let files = Operand(
        placeholder: "PATTERN", kind: .text, most: 1,
        help: "the files whose path or stream this glob pattern matches", isRequired: true)

    /// Commands that look at the registry, or change it.
    static let ofRegistry: [Command] = [
        Command(
            action: .registryShow, words: ["registry", "show"],
            summary: "lists every file that is known, and how far it is delivered",
            details: [
                "Reads the registry of a running or stopped agent; takes no lock and changes "
                    + "nothing."
            ],
            options: [
                Option(
                    name: "json", short: nil, value: nil, help: "as JSON, for programs"),
                Option(
                    name: "sort", short: nil,
                    value: Value(
                        placeholder: "KEY", kind: .choice(RegistryShowCommand.orders)),
                    help:
                        "by path, by lag (the largest first) or by age (the oldest first); by path "
                        + "if not given"),
                Option(
                    name: "watch", short: nil, value: nil,
                    help: "draw it anew each second, until SIGINT"),
                config, data,
            ],
            operands: [
                Operand(
                    placeholder: "PATTERN", kind: .text, most: 1,
                    help: "only files whose path this glob pattern matches")
            ],
            exits: [.done, .fault]),
        Command(
            action: .registryVerify, words: ["registry", "verify"],
            summary: "checks every checksum of the registry",
            details: [
                "Reads all of the registry of a running or stopped agent, or of a copied directory. "
                    + "Prints each fault with the byte where it is, and ends with 1 if there is one. "
                    + "Takes no lock and changes nothing."
            ],
            options: [config, data], operands: [], exits: [.done, .fault]),
        Command(
            action: .registryCompact, words: ["registry", "compact"],
            summary: "makes the journal part of the snapshot",
            details: [
                "The agent does that by itself when the journal has grown. It has to be stopped."
            ],
            options: [dryRun, config, data], operands: [], exits: [.done, .fault, .dataHeld]),
        Command(
            action: .registryForget, words: ["registry", "forget"],
            summary: "forgets files, so that they are shipped from their beginning",
            details: [
                "What is there of a file that is forgotten is shipped as if it were new, and its "
                    + "lines get new ids: `registry rewind` sends them again with those that they "
                    + "had. The agent has to be stopped. All is done or nothing."
            ],
            options: [dryRun, config, data], operands: [files], exits: [.done, .fault, .dataHeld]),
        Command(
            action: .registryRewind, words: ["registry", "rewind"],
            summary: "moves the positions of files, to send lines again or to skip them",
            details: [
                "Lines that are sent again have the ids that they had. A file that was rotated "
                    + "belongs to its stream: a pattern that matches the stream's path matches it, "
                    + "too. The agent has to be stopped. All is done or nothing, but for files "
                    + "that cannot be moved: they are named with the reason, and it ends with 1."
            ],
            options: [
                Option(
                    name: "to", short: nil, value: Value(placeholder: "WHERE", kind: .text),
                    help: "beginning; end, which is that of the last whole line; or an offset, as "
                        + "log.offset has it, at which a line begins, for one file alone"),
                dryRun, config, data,
            ],
            operands: [files], exits: [.done, .fault, .dataHeld]),
        Command(
            action: .registryImport, words: ["registry", "import"],
            summary: "takes over what another shipper has delivered: import filebeat DIR",
            details: [
                "Reads the registry of a Filebeat 7.9 or later that was stopped, and enters how far "
                    + "each file is delivered, so that the agent goes on there. A position is taken "
                    + "over only where the file proves to be the same, was there when Filebeat wrote "
                    + "last, and is at least that long; everything else is listed with its reason "
                    + "and shipped from its beginning. The agent has to be stopped, too.",
                "DIR is Filebeat's data directory (path.data), or the registry in it.",
            ],
            options: [
                config,
                Option(
                    name: "dry-run", short: "n", value: nil,
                    help: "print what would be taken over, and change nothing"),
                Option(
                    name: "data", short: nil,
                    value: Value(placeholder: "DIR", kind: .directory),
                    help: "our data directory; the one that the configuration names if not given"),
                Option(
                    name: "trust-paths", short: nil, value: nil,
                    help:
                        "believe that a file is the same by its path, where Filebeat noted no more "
                        + "and its time of birth does not tell"),
                Option(
                    name: "reread-archives", short: nil, value: nil,
                    help: "ship archives of s6-log that are older than what Filebeat was reading, "
                        + "and most of which it has shipped"),
            ],
            operands: [
                Operand(
                    placeholder: "filebeat", kind: .text, most: 1,
                    help: "whose registry it is; there is no other yet"),
                Operand(
                    placeholder: "DIR", kind: .directory, most: 1, help: "where that is"),
            ],
            exits: [.done, .fault, .dataHeld, .badConfiguration]),
    ]
}
