import Platform
import Settings
package import Shipper

/// One command line, understood.
package enum Invocation: Hashable, Sendable {
    /// A text for standard output.
    case say(String)
    case run(config: String, once: Bool, timeout: Duration? = nil)
    case status(StatusCommand.Arguments)
    case check(config: String, connect: Bool = false, all: Bool = false)
    case convert(file: String)
    case demo(seconds: Int?, lines: Int?, writers: Int?)
    case rotate(RotateCommand.Arguments)
    /// The path of a file of logrotate's.
    case fromLogrotate(String)
    case registryShow(RegistryShowCommand.Arguments)
    case registryImport(RegistryImportCommand.Arguments)
    case registryVerify(RegistryPlace)
    case registryCompact(RegistryPlace, isDry: Bool)
    case registryForget(pattern: String, RegistryPlace, isDry: Bool)
    case registryRewind(pattern: String, to: RewindTarget, RegistryPlace, isDry: Bool)

    /// Understands `arguments`, the program's name not among them.
    package init(_ arguments: [String]) throws(UsageError) {
        let before = try Self.parse(arguments, CommandTable.everywhere, .beforeOperands, nil)
        if let answer = Self.answer(before, nil) {
            self = answer
            return
        }
        let (command, rest) = try Self.command(before.operands)
        guard let command else {
            self = try Self.group(before.operands)
            return
        }
        let parsed = try Self.parse(
            rest, command.options + CommandTable.everywhere, .everywhere, command)
        if let answer = Self.answer(parsed, command) {
            self = answer
            return
        }
        self = try Self.invocation(command, parsed)
    }

    /// Of an option that stands more than once, the last counts.
    private struct Values {
        private let values: [String: String]
        private let names: Set<String>
        private let numbers: [String: Int]

        init(_ parsed: OptionParser.Parsed, _ command: CommandTable.Command) throws(UsageError) {
            var values: [String: String] = [:]
            var numbers: [String: Int] = [:]
            for option in parsed.options {
                guard let value = option.value else { continue }
                values[option.name] = value
                let known = command.options.first { $0.name == option.name }
                if case .choice(let choices) = known?.value?.kind, !choices.contains(value) {
                    throw UsageError(
                        "option --\(option.name): \"\(value)\" is none of "
                            + choices.joined(separator: ", "), command)
                }
                guard case .number(let range) = known?.value?.kind else {
                    if value.isEmpty {
                        throw UsageError("option --\(option.name) needs a value", command)
                    }
                    continue
                }
                guard let number = Int(value), range.contains(number) else {
                    throw UsageError(
                        "option --\(option.name): \"\(value)\" is no number from "
                            + "\(range.lowerBound) to \(range.upperBound)", command)
                }
                numbers[option.name] = number
            }
            self.values = values
            self.numbers = numbers
            names = Set(parsed.options.map(\.name))
        }

        func stands(_ name: String) -> Bool { names.contains(name) }
        func text(_ name: String) -> String? { values[name] }
        func number(_ name: String) -> Int? { numbers[name] }
    }

    private static func invocation(
        _ command: CommandTable.Command, _ parsed: OptionParser.Parsed
    ) throws(UsageError) -> Invocation {
        let operands = parsed.operands
        let most = command.operands.reduce(0) { $0 + $1.most }
        if operands.count > most {
            throw UsageError("unexpected argument \"\(operands[most])\"", command)
        }
        let values = try Values(parsed, command)
        let config = values.text("config") ?? Settings.standardPath
        let place = RegistryPlace(data: values.text("data"), config: values.text("config"))
        switch command.action {
        case .run:
            let timeout = try values.text("timeout").map { (text) throws(UsageError) in
                try duration(text, "timeout", command)
            }
            if timeout != nil, !values.stands("once") {
                throw UsageError("--timeout is for --once alone", command)
            }
            return .run(config: config, once: values.stands("once"), timeout: timeout)
        case .status:
            let isJSON = values.stands("json")
            if isJSON, values.stands("watch") {
                throw UsageError("--watch is for people and --json for programs", command)
            }
            return .status(
                StatusCommand.Arguments(
                    config: config,
                    address: try values.text("address").map { (text) throws(UsageError) in
                        try address(text, command)
                    }, isJSON: isJSON, isWatching: values.stands("watch")))
        case .check:
            return .check(
                config: config, connect: values.stands("connect"), all: values.stands("all"))
        case .convert:
            guard let file = operands.first, !file.isEmpty else {
                throw UsageError("which file? FILE is missing, as in filebeat.yml", command)
            }
            return .convert(file: file)
        case .demo:
            return .demo(
                seconds: values.number("seconds"), lines: values.number("lines"),
                writers: values.number("writers"))
        case .rotate:
            if let file = values.text("from-logrotate") {
                if values.stands("force") || values.stands("dry-run") || !operands.isEmpty {
                    throw UsageError("--from-logrotate prints, and takes nothing else", command)
                }
                return .fromLogrotate(file)
            }
            return .rotate(
                RotateCommand.Arguments(
                    config: config, isForced: values.stands("force"),
                    isDry: values.stands("dry-run"), pattern: operands.first))
        case .registryShow:
            let isJSON = values.stands("json")
            if isJSON, values.stands("watch") {
                throw UsageError("--watch is for people and --json for programs", command)
            }
            return .registryShow(
                RegistryShowCommand.Arguments(
                    isJSON: isJSON, place: place,
                    order: values.text("sort") ?? "path", isWatching: values.stands("watch"),
                    pattern: operands.first))
        case .registryVerify: return .registryVerify(place)
        case .registryCompact:
            return .registryCompact(place, isDry: values.stands("dry-run"))
        case .registryForget:
            return .registryForget(
                pattern: try pattern(operands, command), place, isDry: values.stands("dry-run"))
        case .registryRewind:
            return .registryRewind(
                pattern: try pattern(operands, command),
                to: try target(values.text("to"), command), place,
                isDry: values.stands("dry-run"))
        case .registryImport:
            guard operands.count == 2, operands[0] == "filebeat" else {
                let what = operands.first.map { "\"\($0)\"" } ?? "nothing"
                throw UsageError(
                    operands.first == "filebeat"
                        ? "the directory of Filebeat's registry is missing"
                        : "expected filebeat and a directory, not \(what)", command)
            }
            return .registryImport(
                RegistryImportCommand.Arguments(
                    directory: operands[1], config: config, data: values.text("data"),
                    isDry: values.stands("dry-run"), trustsPaths: values.stands("trust-paths"),
                    rereadsArchives: values.stands("reread-archives")))
        case .completions: return .say(Completions.text(for: try shell(operands, command)))
        case .manual: return .say(ManualPage.text())
        case .version: return .say(Version.report)
        case .reference: return .say(SettingsReference.text())
        case .schema: return .say(SettingsSchema.text())
        case .help:
            guard !operands.isEmpty else { return .say(HelpText.program()) }
            let (topic, rest) = try self.command(operands)
            if let word = rest.first {
                throw UsageError("unexpected argument \"\(word)\"", command)
            }
            if let topic { return .say(HelpText.command(topic)) }
            return .say(HelpText.group(operands[0]))
        }
    }

    private static func pattern(
        _ operands: [String], _ command: CommandTable.Command
    ) throws(UsageError) -> String {
        guard let pattern = operands.first, !pattern.isEmpty else {
            throw UsageError("which files? PATTERN is missing; '*' matches all", command)
        }
        return pattern
    }

    private static func shell(
        _ operands: [String], _ command: CommandTable.Command
    ) throws(UsageError) -> Shell {
        let names = Shell.allCases.map(\.rawValue).joined(separator: ", ")
        guard let name = operands.first else {
            throw UsageError("which shell? expected one of \(names)", command)
        }
        guard let shell = Shell(rawValue: name) else {
            throw UsageError("unknown shell \"\(name)\"; expected one of \(names)", command)
        }
        return shell
    }

    private static func address(
        _ text: String, _ command: CommandTable.Command
    ) throws(UsageError) -> InternetAddress {
        guard let address = Settings.address(text), address.port > 0 else {
            throw UsageError(
                "option --address: \"\(text)\" is no ADDRESS:PORT, as in 127.0.0.1:9600", command)
        }
        return address
    }

    private static func duration(
        _ text: String, _ option: String, _ command: CommandTable.Command
    ) throws(UsageError) -> Duration {
        guard let duration = Settings.duration(text), duration > .zero else {
            throw UsageError(
                "option --\(option): \"\(text)\" is no duration (ms, s, m, h, d after a whole "
                    + "number above 0), as in 90s", command)
        }
        return duration
    }

    private static func target(
        _ text: String?, _ command: CommandTable.Command
    ) throws(UsageError) -> RewindTarget {
        guard let text else {
            throw UsageError("where to? --to beginning, end or an offset is missing", command)
        }
        guard let target = RewindTarget(text) else {
            throw UsageError(
                "option --to: \"\(text)\" is neither beginning nor end nor an offset in bytes",
                command)
        }
        return target
    }

    // MARK: Commands

    /// The command that `operands` begin with and what follows it; nil for the first word of
    /// commands of two words, when no second one follows.
    private static func command(
        _ operands: [String]
    ) throws(UsageError) -> (CommandTable.Command?, [String]) {
        let names = CommandTable.commands.filter(\.isListed).map(\.name)
            .joined(separator: ", ")
        guard let first = operands.first else {
            throw UsageError("no command; expected one of \(names)", nil)
        }
        let candidates = CommandTable.commands.filter { $0.words[0] == first }
        guard !candidates.isEmpty else {
            let near = NearMiss.of(first, in: CommandTable.commands.map { $0.words[0] })
            let hint = near.map { "did you mean \($0)?" } ?? "expected one of \(names)"
            throw UsageError("unknown command \"\(first)\"; \(hint)", nil)
        }
        if let command = candidates.first(where: { operands.starts(with: $0.words) }) {
            return (command, Array(operands.dropFirst(command.words.count)))
        }
        guard operands.count > 1, !operands[1].hasPrefix("-") else {
            return (nil, Array(operands.dropFirst()))
        }
        let seconds = candidates.map { $0.words[1] }.joined(separator: ", ")
        throw UsageError(
            "unknown command \"\(first) \(operands[1])\"; expected \(first) with one of \(seconds)",
            nil)
    }

    /// `shipper registry`: only help can be had without the second word.
    private static func group(_ operands: [String]) throws(UsageError) -> Invocation {
        let parsed = try parse(
            Array(operands.dropFirst()), CommandTable.everywhere, .everywhere, nil)
        if parsed.options.first?.name == "help" { return .say(HelpText.group(operands[0])) }
        if let answer = answer(parsed, nil) { return answer }
        let seconds = CommandTable.commands.filter { $0.words[0] == operands[0] }
            .map { $0.words[1] }.joined(separator: ", ")
        throw UsageError(
            "\(operands[0]) alone is no command; expected one of \(seconds) after it", nil)
    }

    // MARK: Options

    private static func parse(
        _ arguments: [String], _ options: [CommandTable.Option], _ extent: OptionParser.Extent,
        _ command: CommandTable.Command?
    ) throws(UsageError) -> OptionParser.Parsed {
        do throws(OptionError) {
            return try OptionParser.parse(
                arguments,
                options.map {
                    OptionParser.Specification(
                        name: $0.name, short: $0.short, takesValue: $0.value != nil)
                }, extent)
        } catch {
            var message = error.description
            if case .unknown(let option) = error, option.hasPrefix("--") {
                let names = options.map(\.name)
                if let near = NearMiss.of(String(option.dropFirst(2)), in: names) {
                    message += "; did you mean --\(near)?"
                }
            }
            throw UsageError(message, command)
        }
    }

    /// The answer to `--help` or `--version`; the first one counts.
    private static func answer(
        _ parsed: OptionParser.Parsed, _ command: CommandTable.Command?
    ) -> Invocation? {
        for option in parsed.options {
            if option.name == "help" {
                return .say(command.map(HelpText.command) ?? HelpText.program())
            }
            if option.name == "version" { return .say("shipper \(Version.full)\n") }
        }
        return nil
    }
}

/// A command line that asks for nothing we do, for standard error.
package struct UsageError: Error, Hashable, CustomStringConvertible {
    /// The fault and, where that is not obvious, the words to type instead; without a full
    /// stop.
    package let problem: String
    /// Of the command whose help tells more; nil for that of the program.
    package let command: String?

    init(_ problem: String, _ command: CommandTable.Command?) {
        self.problem = problem
        self.command = command?.name
    }

    package var description: String {
        let help = command.map { "shipper \($0) --help" } ?? "shipper --help"
        return "shipper: \(problem)\nsee '\(help)'"
    }
}
