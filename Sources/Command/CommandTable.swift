import Settings
package import Shipper

/// The commands and options of the program: the one source of the parser, of `--help`, and of
/// whatever else describes the command line.
package struct CommandTable: Sendable {
    /// A command, an action of the switch in `Program`.
    package struct Command: Sendable {
        /// A case of the switch in `Program` for each command.
        package enum Action: Sendable {
            case run, check, status, convert, demo, rotate, registryShow, registryImport, help
            case registryVerify, registryCompact, registryForget, registryRewind
            case completions, manual, version, reference, schema
        }
        /// The case that carries the command out.
        package let action: Action
        /// As they are typed, in order: `registry`, `show`.
        package let words: [String]
        /// A few words without a full stop, for lists.
        package let summary: String
        /// Sentences, one paragraph an item.
        package let details: [String]
        /// Beside those of `everywhere`, in the order in which help lists them.
        package let options: [Option]
        /// In the order in which they are typed.
        package let operands: [Operand]
        /// Its exit codes, beside `wrongUsage` and `internalFault`.
        package let exits: [ExitCode]
        /// Whether the list of commands in help has it: not where packages ask, and no people.
        package var isListed = true

        /// `registry show`.
        package var name: String { words.joined(separator: " ") }
    }

    /// An option of a command, in the forms `--name`, `--name=VALUE` and `-n VALUE`.
    package struct Option: Sendable {
        /// Without the dashes.
        package let name: String
        /// Without the dash; nil where there is only the long form.
        package let short: Character?
        /// Nil for an option that takes none.
        package let value: Value?
        /// Without a full stop.
        package let help: String
    }

    /// An argument that is no option, known by its place.
    package struct Operand: Sendable {
        /// Stands for it in help, in capitals unless it is typed as it is.
        package let placeholder: String
        /// How it is checked, and what a shell may complete it with.
        package let kind: Kind
        /// How many may stand there; all are optional unless it is required.
        package let most: Int
        /// Without a full stop, for the table of arguments.
        package let help: String
        /// Whether the command is refused without it.
        package var isRequired = false
    }

    /// The value that an option takes.
    package struct Value: Sendable {
        /// Stands for it in help, in capitals.
        package let placeholder: String
        /// How it is checked, and what a shell may complete it with.
        package let kind: Kind
    }

    /// The kind of a value, to check it and to complete it.
    package enum Kind: Hashable, Sendable {
        case file, directory
        case text
        case command
        case number(ClosedRange<Int>)
        /// As the configuration writes it: `90s`.
        case duration
        case choice([String])
    }

    /// Options that stand before or after every command.
    package static let everywhere = [
        Option(
            name: "help", short: "h", value: nil, help: "say this, or after a command what it takes"
        ),
        Option(name: "version", short: "V", value: nil, help: "say the version"),
    ]

    static let config = Option(
        name: "config", short: "c", value: Value(placeholder: "FILE", kind: .file),
        help: "the configuration; \(Settings.standardPath) if not given")

    static let dryRun = Option(
        name: "dry-run", short: "n", value: nil,
        help: "print what would be done, and change nothing")

    /// Every command, in the order in which help lists them.
    package static let commands: [Command] =
        [
            Command(
                action: .run, words: ["run"], summary: "the agent: ships what the inputs match",
                details: [
                    "Follows every file that an input of the configuration matches, and ships each of "
                        + "its lines to Kafka, until it is told to stop by SIGTERM or SIGINT. Then it "
                        + "waits for what was read to be delivered, for shutdown_timeout at most; a "
                        + "second one ends that wait.",
                    "SIGHUP has it read the configuration again. A wrong one is refused, and the one "
                        + "before goes on; files keep their positions. Only data cannot be changed so.",
                    "With --once it ends with 1 and says how much is left, in files and bytes, when "
                        + "it was stopped before all was delivered, or when something that an input "
                        + "matches could not be read; and says how much is lost, when lines were gone, "
                        + "or damaged, before they could be read.",
                ],
                options: [
                    config,
                    Option(
                        name: "once", short: nil, value: nil,
                        help: "ship what is there now, wait until it is delivered, and end"),
                    Option(
                        name: "timeout", short: nil,
                        value: Value(placeholder: "DURATION", kind: .duration),
                        help: "with --once: end after that time, whatever is left; as in 90s"),
                ],
                operands: [], exits: [.done, .fault, .dataHeld, .badConfiguration]),
            Command(
                action: .check, words: ["check"],
                summary: "says whether a configuration is right, and what it means",
                details: [
                    "Prints the configuration with every default filled in, or everything that is "
                        + "wrong with it. Secrets are not shown. Nothing is changed anywhere, but that where an "
                        + "input asks for rotation a scratch file is made beside its logs, which goes "
                        + "at once: so it is found out whether their file system can do that.",
                    "Behind it, as comments: the data directory; of each input the files that match "
                        + "now, each with its format, topic and key; and what its paths match and is "
                        + "left out, with the reason. An exclude adds to what every input leaves out.",
                    "With --connect it also asks each broker whether it can be reached and lets us "
                        + "in, and each topic of the files that there are now whether it is there and "
                        + "can be written, within 10 s, and says so one line each. Nothing is written.",
                ],
                options: [
                    config,
                    Option(
                        name: "connect", short: nil, value: nil,
                        help: "ask the brokers, too, and each topic"),
                    Option(
                        name: "all", short: nil, value: nil,
                        help: "list every file, not only the first 50 of each input"),
                ], operands: [], exits: [.done, .fault]),
            Command(
                action: .status, words: ["status"],
                summary: "how a running agent is: ready, behind, lost, what it complained of",
                details: [
                    "Asks the agent over HTTP, where its configuration has http.listen, on the same "
                        + "machine or in the same pod, and adds the streams that are behind out of its "
                        + "registry, where that can be read.",
                    "With --json it prints the agent's own object, as /status answers it.",
                ],
                options: [
                    config,
                    Option(
                        name: "address", short: nil,
                        value: Value(placeholder: "ADDRESS:PORT", kind: .text),
                        help: "where the agent serves HTTP, in place of what the configuration says"
                    ),
                    Option(
                        name: "json", short: nil, value: nil, help: "one JSON object, for programs"),
                    Option(
                        name: "watch", short: "w", value: nil,
                        help: "draw anew every second, until SIGINT"),
                ],
                operands: [], exits: [.done, .fault, .badConfiguration]),
            Command(
                action: .convert, words: ["convert"],
                summary: "prints a filebeat.yml as a configuration of ours",
                details: [
                    "Takes over inputs of type filestream, log, container and docker with what is set "
                        + "for them, and output.kafka. What is printed is a whole configuration, for "
                        + "--config. Passwords that stand in FILE stand in it, too; variables of the "
                        + "environment stay variables.",
                    "A setting that has no equal here stands in it as a comment, in its place, with "
                        + "what happens instead or what to do, and on standard error in a list. Ends "
                        + "with 1 where something is left to do (TO DO), and with 78 where FILE is "
                        + "no configuration of Filebeat's.",
                ],
                options: [],
                operands: [
                    Operand(
                        placeholder: "FILE", kind: .file, most: 1, help: "the filebeat.yml",
                        isRequired: true)
                ],
                exits: [.done, .fault, .badConfiguration]),
            Command(
                action: .demo, words: ["demo"],
                summary: "shows it at work, with a broker and writers of its own",
                details: [
                    "Starts a Kafka broker in this process and s6-log writers with rotated logs in a "
                        + "temporary directory, ships every line, and counts what an independent "
                        + "consumer read. Nothing is left behind. Ends with 1 if a line was lost, came "
                        + "twice or out of order, or if that cannot be known.",
                    "SIGINT or SIGTERM end the writers; what they wrote is still shipped and counted. A "
                        + "second one gives that up. s6-log has to be on PATH (Debian package s6); "
                        + "without it the demo ends with 70.",
                ],
                options: [
                    Option(
                        name: "seconds", short: nil,
                        value: Value(placeholder: "N", kind: .number(1...3_600)),
                        help: "how long the writers write, at most"),
                    Option(
                        name: "lines", short: nil,
                        value: Value(placeholder: "N", kind: .number(1...1_000_000_000)),
                        help: "how many lines they write in all, at most; "
                            + "\(DemoPlan.standardLines) if not given"),
                    Option(
                        name: "writers", short: nil,
                        value: Value(placeholder: "N", kind: .number(1...256)),
                        help: "how many writers there are; \(DemoPlan.standardWriters) if not given"
                    ),
                ],
                operands: [], exits: [.done, .fault]),
            Command(
                action: .rotate, words: ["rotate"],
                summary: "rotates logs now, or says what would be done",
                details: [
                    "Rotates the logs of inputs that ask for rotation and that are due by size, schedule "
                        + "or age, and says of each what was done, or why nothing was. Where an agent "
                        + "runs, it does that; else this command, with the agent's lock, but for "
                        + "--dry-run, which needs an agent that runs. Nothing is removed that Kafka has "
                        + "not acknowledged, with --force neither.",
                    "With --from-logrotate it prints the inputs of a configuration that rotate what that "
                        + "file of logrotate's does, with those that it includes; what has no "
                        + "counterpart stands in comments, with what to do. Nothing else is done.",
                ],
                options: [
                    config,
                    Option(
                        name: "force", short: "f", value: nil,
                        help: "rotate logs that are not due, too"),
                    dryRun,
                    Option(
                        name: "from-logrotate", short: nil,
                        value: Value(placeholder: "FILE", kind: .file),
                        help: "print what a file of logrotate's comes to"),
                ],
                operands: [
                    Operand(
                        placeholder: "PATTERN", kind: .text, most: 1,
                        help: "only logs whose path this glob pattern matches")
                ],
                exits: [.done, .fault, .dataHeld, .badConfiguration]),
        ] + ofRegistry + ofPrinting + [
            Command(
                action: .help, words: ["help"], summary: "says what a command takes",
                details: ["Says what COMMAND takes, or without one what commands there are."],
                options: [],
                operands: [
                    Operand(placeholder: "COMMAND", kind: .command, most: 2, help: "a command")
                ],
                exits: [.done])
        ]
}
