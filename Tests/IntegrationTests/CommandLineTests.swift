import Command
import Platform
import Shipper
import TestSupport
import Testing

@Suite struct CommandLineTests {
    static let understood: [(arguments: [String], invocation: Invocation)] = [
        (["run"], .run(config: "/etc/shipper/shipper.yaml", once: false)),
        (["run", "--once", "-c", "f"], .run(config: "f", once: true)),
        (
            ["run", "--once", "--timeout=90s"],
            .run(config: "/etc/shipper/shipper.yaml", once: true, timeout: .seconds(90))
        ),
        (["run", "--config=a", "--config", "b"], .run(config: "b", once: false)),
        (["check", "--conf", "f"], .check(config: "f")),
        (["status"], .status(.init(config: "/etc/shipper/shipper.yaml"))),
        (
            ["status", "--address", "127.0.0.1:9", "-w"],
            .status(
                .init(
                    config: "/etc/shipper/shipper.yaml", address: .loopback(port: 9),
                    isWatching: true))
        ),
        (["check", "--conf", "f", "--all"], .check(config: "f", all: true)),
        (["convert", "filebeat.yml"], .convert(file: "filebeat.yml")),
        (["demo"], .demo(seconds: nil, lines: nil, writers: nil)),
        (
            ["demo", "--seconds=5", "--lines", "1000", "--writers", "8"],
            .demo(seconds: 5, lines: 1_000, writers: 8)
        ),
        (["registry", "show"], .registryShow(.init())),
        (
            ["registry", "show", "*.log", "--json", "--data", "/d"],
            .registryShow(.init(isJSON: true, place: .init(data: "/d"), pattern: "*.log"))
        ),
        (
            ["registry", "show", "--", "--json"],
            .registryShow(.init(pattern: "--json"))
        ),
        (
            ["registry", "show", "--watch", "--sort", "lag"],
            .registryShow(.init(order: "lag", isWatching: true))
        ),
        (
            ["registry", "import", "filebeat", "/f", "-n", "-c", "c", "--trust-paths"],
            .registryImport(
                .init(directory: "/f", config: "c", isDry: true, trustsPaths: true))
        ),
        (["registry", "verify", "--data", "/d"], .registryVerify(.init(data: "/d"))),
        (
            ["registry", "verify", "-c", "f"],
            .registryVerify(.init(config: "f"))
        ),
        (["registry", "compact", "-n"], .registryCompact(.init(), isDry: true)),
        (
            ["registry", "forget", "a.log", "--dry-run"],
            .registryForget(pattern: "a.log", .init(), isDry: true)
        ),
        (
            ["registry", "rewind", "--to", "end", "a.log"],
            .registryRewind(pattern: "a.log", to: .end, .init(), isDry: false)
        ),
        (
            ["registry", "rewind", "--to=4711", "a.log", "--data=d"],
            .registryRewind(pattern: "a.log", to: .offset(4711), .init(data: "d"), isDry: false)
        ),
        (["version"], .say(Version.report)),
        (["--version"], .say("shipper \(Version.full)\n")),
        (["-V"], .say("shipper \(Version.full)\n")),
        (["check", "--config", "f", "--version"], .say("shipper \(Version.full)\n")),
    ]

    @Test(arguments: understood)
    func aCommandLineIsUnderstood(arguments: [String], invocation: Invocation) throws {
        #expect(try Invocation(arguments) == invocation)
    }

    static let refused: [(arguments: [String], message: String)] = [
        (
            [],
            """
            shipper: no command; expected one of run, check, status, convert, demo, rotate, registry show, \
            registry verify, registry compact, registry forget, registry rewind, registry import, config, schema, version, help
            see 'shipper --help'
            """
        ),
        (
            ["convert"],
            """
            shipper: which file? FILE is missing, as in filebeat.yml
            see 'shipper convert --help'
            """
        ),
        (
            ["convert", "filebeat.yml", "--logrotate", "app"],
            """
            shipper: unknown option --logrotate
            see 'shipper convert --help'
            """
        ),
        (
            ["rnu"],
            "shipper: unknown command \"rnu\"; did you mean run?\nsee 'shipper --help'"
        ),
        (
            ["ship"],
            """
            shipper: unknown command "ship"; expected one of run, check, status, convert, demo, rotate, registry show, \
            registry verify, registry compact, registry forget, registry rewind, registry import, config, schema, version, help
            see 'shipper --help'
            """
        ),
        (
            ["completions", "ksh"],
            """
            shipper: unknown shell "ksh"; expected one of bash, zsh, fish
            see 'shipper completions --help'
            """
        ),
        (["--colour"], "shipper: unknown option --colour\nsee 'shipper --help'"),
        (
            ["run", "--onec"],
            "shipper: unknown option --onec; did you mean --once?\nsee 'shipper run --help'"
        ),
        (["run", "-x"], "shipper: unknown option -x\nsee 'shipper run --help'"),
        (["run", "--config"], "shipper: option --config needs a value\nsee 'shipper run --help'"),
        (["run", "--config="], "shipper: option --config needs a value\nsee 'shipper run --help'"),
        (["run", "--once=1"], "shipper: option --once takes no value\nsee 'shipper run --help'"),
        (
            ["run", "--timeout", "5s"],
            "shipper: --timeout is for --once alone\nsee 'shipper run --help'"
        ),
        (
            ["run", "--once", "--timeout", "5"],
            "shipper: option --timeout: \"5\" is no duration (ms, s, m, h, d after a whole number "
                + "above 0), as in 90s\nsee 'shipper run --help'"
        ),
        (
            ["run", "--once", "--timeout", "0s"],
            "shipper: option --timeout: \"0s\" is no duration (ms, s, m, h, d after a whole number "
                + "above 0), as in 90s\nsee 'shipper run --help'"
        ),
        (["run", "f"], "shipper: unexpected argument \"f\"\nsee 'shipper run --help'"),
        (
            ["demo", "--seconds", "0"],
            """
            shipper: option --seconds: "0" is no number from 1 to 3600
            see 'shipper demo --help'
            """
        ),
        (
            ["demo", "--lines", "many"],
            """
            shipper: option --lines: "many" is no number from 1 to 1000000000
            see 'shipper demo --help'
            """
        ),
        (
            ["registry"],
            """
            shipper: registry alone is no command; expected one of show, verify, compact, forget, rewind, import after it
            see 'shipper --help'
            """
        ),
        (
            ["registry", "sohw"],
            """
            shipper: unknown command "registry sohw"; expected registry with one of show, verify, compact, forget, rewind, import
            see 'shipper --help'
            """
        ),
        (
            ["registry", "show", "a", "b"],
            "shipper: unexpected argument \"b\"\nsee 'shipper registry show --help'"
        ),
        (
            ["registry", "forget"],
            """
            shipper: which files? PATTERN is missing; '*' matches all
            see 'shipper registry forget --help'
            """
        ),
        (
            ["registry", "rewind", "a.log"],
            """
            shipper: where to? --to beginning, end or an offset is missing
            see 'shipper registry rewind --help'
            """
        ),
        (
            ["registry", "rewind", "a.log", "--to", "start"],
            """
            shipper: option --to: "start" is neither beginning nor end nor an offset in bytes
            see 'shipper registry rewind --help'
            """
        ),
        (
            ["registry", "show", "--sort", "size"],
            """
            shipper: option --sort: "size" is none of path, lag, age
            see 'shipper registry show --help'
            """
        ),
        (
            ["registry", "show", "--json", "--watch"],
            """
            shipper: --watch is for people and --json for programs
            see 'shipper registry show --help'
            """
        ),
        (
            ["registry", "import", "fluentbit", "/d"],
            """
            shipper: expected filebeat and a directory, not "fluentbit"
            see 'shipper registry import --help'
            """
        ),
        (
            ["registry", "import", "filebeat"],
            """
            shipper: the directory of Filebeat's registry is missing
            see 'shipper registry import --help'
            """
        ),
        (
            ["help", "rnu"],
            "shipper: unknown command \"rnu\"; did you mean run?\nsee 'shipper --help'"
        ),
        (["help", "run", "x"], "shipper: unexpected argument \"x\"\nsee 'shipper help --help'"),
    ]

    @Test(arguments: refused)
    func wrongUsageNamesWhatIsWrongAndWhereHelpIs(arguments: [String], message: String) {
        #expect {
            try Invocation(arguments)
        } throws: {
            ($0 as? UsageError)?.description == message
        }
    }

    @Test func everyCommandHasHelpThatNamesEachOfItsOptions() throws {
        let overview = try said(["--help"])
        for command in CommandTable.commands {
            #expect(overview.contains("  \(command.name) ") == command.isListed)
            let help = try said(command.words + ["--help"])
            #expect(try said(["help"] + command.words) == help)
            #expect(help.hasPrefix("Usage: shipper \(command.name)"))
            for option in command.options + CommandTable.everywhere {
                #expect(help.contains("--\(option.name)"), "\(command.name)")
            }
            for exit in command.exits {
                #expect(help.contains("  \(exit.rawValue) "), "\(command.name)")
            }
            let longest = help.split(separator: "\n").map(\.count).max() ?? 0
            #expect(longest <= 80, "\(command.name)")
        }
        #expect(try said(["help"]) == overview)
        #expect(try said(["registry", "--help"]) == said(["help", "registry"]))
    }

    private func said(_ arguments: [String]) throws -> String {
        guard case .say(let text) = try Invocation(arguments) else {
            Issue.record("\(arguments) says nothing")
            return ""
        }
        return text
    }

    @Test func exitCodesAndStreamsAreThoseOfTheManual() throws {
        let directory = try TemporaryDirectory()
        let good = try directory.write(
            "good.yaml",
            """
            inputs: [{name: a, paths: [/a/b]}]
            output: {kafka: {brokers: embedded, topic: "${TOPIC}"}}
            """)
        let bad = try directory.write("bad.yaml", "inputs: []\ncolour: red\n")

        let version = try run(["--version"])
        #expect(version.exit == .code(0) && version.output == "shipper \(Version.full)\n")
        #expect(version.output.hasPrefix("shipper 0.1.0 (librdkafka 2."))
        #expect(version.errors.isEmpty)

        let usage = try run(["--colour"])
        #expect(usage.exit == .code(64) && usage.output.isEmpty)
        #expect(usage.errors == "shipper: unknown option --colour\nsee 'shipper --help'\n")

        let checked = try run(["check", "--config", good])
        #expect(checked.exit == .code(0) && checked.errors.isEmpty)
        #expect(checked.output.contains("    topic: from-the-environment\n"))

        let refused = try run(["check", "--config", bad])
        #expect(refused.exit == .code(1) && refused.output.isEmpty)
        #expect(
            refused.errors == """
                \(bad):1:1: output: missing; expected a map with kafka
                \(bad):1:9: inputs: an empty list; expected a list of inputs, each with name and \
                paths
                \(bad):2:1: colour: unknown key; expected any of data, inputs, output, limits, \
                shutdown_timeout, node, registry, http, log

                """)
    }

    @Test func aFullDiskBehindStandardOutputIsAnErrorNotSilence() throws {
        let process = try ChildProcess(
            try findBinary(), ["--version"], output: .file("/dev/full"))
        #expect(try process.wait() == .code(70))
        #expect(process.errors == "shipper: write standard output: No space left on device\n")
    }

    private func run(
        _ arguments: [String]
    ) throws -> (exit: ChildProcess.Exit, output: String, errors: String) {
        let process = try ChildProcess(
            try findBinary(), arguments, environment: ["TOPIC": "from-the-environment"])
        return (try process.wait(), process.output, process.errors)
    }
}
