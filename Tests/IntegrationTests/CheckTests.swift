import Glibc
import Kafka
import Platform
import Settings
import Shipper
import TestSupport
import Testing

@Suite("shipper check") struct CheckTests {
    let directory: TemporaryDirectory

    init() throws { directory = try TemporaryDirectory() }

    /// What it says of a configuration with these inputs and these keys of `output.kafka`.
    private func check(
        _ inputs: String, kafka: String = "", withoutRights: Bool = false
    ) throws -> (exit: ChildProcess.Exit, output: String, errors: String) {
        let config = try directory.write(
            "shipper.yaml",
            """
            inputs:
            \(inputs)
            output:
              kafka:
                brokers: ["127.0.0.1:1"]
                topic: logs
            \(kafka)
            """)
        var line = [try findBinary(), "check", "--config", config]
        if withoutRights, geteuid() == 0 {
            // Root may list everything unless its capabilities are taken away.
            line =
                [
                    try findProgram("setpriv", package: "util-linux"), "--inh-caps=-all",
                    "--bounding-set=-all",
                ] + line
        }
        let process = try ChildProcess(line[0], Array(line.dropFirst()))
        return (try process.wait(), process.output, process.errors)
    }

    /// The comments behind the configuration, but for those on the machine's librdkafka.
    private func comments(_ output: String) -> [String] {
        output.split(separator: "\n").map(String.init).filter {
            $0.hasPrefix("#") && !$0.hasPrefix("# known: ") && !$0.hasPrefix("# Data directory ")
        }
    }

    /// What stands behind a file that has no key and no topic of its own.
    private func fate(_ format: String) -> String {
        " (\(format), topic logs, key the stream's path)"
    }

    @Test("It tells the faults of this librdkafka, as the agent's log does, and only those")
    func library() throws {
        let (_, output, _) = try check("  - {name: pods, paths: [/logs/*.log]}")
        let known = output.split(separator: "\n").filter { $0.hasPrefix("# known: ") }
        #expect(known == KafkaSettings.libraryFaults.map { "# known: \"\($0)\"" })
        let broker = try BrokerProcess(topics: ["logs"])
        let agent = try Agent(broker.address, path: "*.log")
        #expect(try agent.once() == .code(0), "\(agent.said)")
        for fault in KafkaSettings.libraryFaults {
            #expect(agent.said.contains("librdkafka has a known fault fault=\"\(fault)\""))
        }
    }

    @Test("It lists the files that each input matches now, the first input that does, in order")
    func matches() throws {
        for name in ["a/current", "b/current", "b/old.log", "b/new.log", "b/x.gz", "c.log"] {
            try directory.write("logs/\(name)", "x\n")
        }
        try directory.makeDirectory("logs/b/directory.log")
        try makeLink(directory.path("logs/b/link.log"), to: directory.path("logs/c.log"))
        try makeFIFO(directory.path("logs/b/fifo.log"))
        let logs = directory.path("logs")
        let (exit, output, errors) = try check(
            """
              - {name: pods, paths: ["\(logs)/{app}/current", "\(logs)/**/*.log"],
                 exclude: ["**/old*", "\(logs)/c.log"]}
              - {name: rest, paths: ["\(logs)/*/*"], exclude: ["*.tmp"]}
              - {name: none, paths: ["\(directory.path("not/there"))/*.log"]}
            """)
        #expect(exit == .code(0) && errors.isEmpty, "\(errors)")
        #expect(
            comments(output) == [
                "# Input pods matches 3 files now.", "#   \(logs)/a/current\(fate("s6"))",
                "#   \(logs)/b/current\(fate("s6"))", "#   \(logs)/b/new.log\(fate("plain"))",
                "#   left out by exclude **/old*: \(logs)/b/old.log",
                "#   left out by exclude \(logs)/c.log: \(logs)/c.log",
                "# Input rest matches 1 file now.", "#   \(logs)/b/old.log\(fate("plain"))",
                "#   left out by exclude **/*.gz, as of every input: \(logs)/b/x.gz",
                "#   exclude *.tmp leaves out nothing now",
                "#   left to input pods: \(logs)/a/current, \(logs)/b/current, \(logs)/b/new.log",
                "# Input none matches 0 files now.",
                "#   not there: \(directory.path("not/there")), in which "
                    + "\(directory.path("not/there"))/*.log looks for files",
                "# not followed: \"\(logs)/b/link.log: the input has no follow_symlinks\"",
            ])
    }

    @Test("An exclusion that turns out to name a directory is a fault, with what to write")
    func excludedDirectory() throws {
        let old = try directory.write("logs/old/a.log", "x\n").dropLast("/a.log".count)
        let logs = directory.path("logs")
        let (exit, output, errors) = try check(
            """
              - {name: pods, paths: ["\(logs)/**/*"], exclude: ["old", "new"]}
            """)
        #expect(exit == .code(1))
        #expect(
            comments(output) == [
                "# Input pods matches 1 file now.", "#   \(old)/a.log\(fate("plain"))",
                "#   exclude old leaves out nothing now", "#   exclude new leaves out nothing now",
            ])
        #expect(
            errors.hasSuffix(
                "exclude old leaves out nothing in \(old), which is a directory; expected a glob "
                    + "for files, as in old/**/*\n"))
    }

    @Test("A path without wildcards that is a directory is a fault, with what to write")
    func directoryForFile() throws {
        try directory.write("logs/a.log", "x\n")
        let logs = directory.path("logs")
        try makeLink(directory.path("link"), to: logs)
        for path in [logs, directory.path("link")] {
            let (exit, output, errors) = try check(
                """
                  - {name: pods, paths: ["\(path)", "\(logs)/a.log", "\(logs)/not/there.log"]}
                """)
            #expect(exit == .code(1))
            let link = "# not followed: \"\(path): the input has no follow_symlinks\""
            #expect(
                comments(output)
                    == [
                        "# Input pods matches 1 file now.", "#   \(logs)/a.log\(fate("plain"))",
                        "#   not there: \(logs)/not, in which \(logs)/not/there.log looks for "
                            + "files",
                    ] + (path == logs ? [] : [link]))
            #expect(
                errors.hasSuffix(
                    "the path \(path) is a directory, and matches no file; expected a glob for "
                        + "files, as in \(path)/*.log\n"), "\(errors)")
        }
    }

    @Test("Topics of days are shown by their names of today")
    func dates() throws {
        for app in ["a", "b"] { try directory.write("logs/\(app)/x.log", "x\n") }
        let day = { String("\(Timestamp.now())".prefix(10)) }
        let before = day()
        let (exit, output, _) = try check(
            """
              - {name: apps, paths: ["\(directory.path("logs"))/{app}/*.log"],
                 topic: "logs-{app}-{+yyyy-MM-dd}"}
              - {name: all, paths: ["\(directory.path("logs"))/*/*.log"], topic: "all.{+yyyyMMdd}"}
              - {name: plain, paths: ["\(directory.path("logs"))/*/*.log"]}
            """)
        #expect(exit == .code(0))
        let shown = comments(output).filter { $0.contains("today") }
        // It may be midnight.
        let expected = [before, day()].map { day in
            [
                "# Topics of input apps today: logs-a-\(day), logs-b-\(day)",
                "# Topics of input all today: all.\(day.replacing("-", with: ""))",
            ]
        }
        #expect(expected.contains(shown), "\(shown)")
    }

    @Test("A topic that begins with a piece of the path, or that Kafka would refuse, is in doubt")
    func topics() throws {
        let (exit, output, _) = try check(
            """
              - {name: a, paths: ["/not/there/{app}/*.log"], topic: "{app}.logs"}
              - {name: b, paths: ["/not/there/{app}/*.txt"], topic: "our logs.{app}"}
              - {name: c, paths: ["/not/there/{app}/*.out"], topic: "{input}.{app}"}
            """)
        #expect(exit == .code(0))
        let doubts = comments(output).filter { $0.contains("doubt") }
        #expect(doubts.count == 2, "\(doubts)")
        #expect(doubts.first?.contains("begin it with a text, as in logs.{app}.logs") == true)
        #expect(doubts.last?.contains("each of them becomes _") == true)
    }

    @Test("All it prints is YAML and the same configuration, whatever files are called")
    func yaml() throws {
        try directory.write("logs/a\nlog: {level: debug}\n#.log", "x\n")
        try directory.write("logs/b c.log", "x\n")
        let input = "  - {name: pods, paths: [\"\(directory.path("logs"))/*.log\"]}"
        let (exit, output, _) = try check(input)
        #expect(exit == .code(0))
        let settings = try Settings.parse(
            Array(output.utf8), file: "output", environment: [:])
        #expect(settings.inputs.map(\.name) == ["pods"] && settings.log.level == .info)
        let logs = directory.path("logs")
        #expect(
            comments(output) == [
                "# Input pods matches 2 files now.",
                "#   \"\(logs)/a\\nlog: {level: debug}\\n#.log\"\(fate("plain"))",
                "#   \"\(logs)/b c.log\"\(fate("plain"))",
            ])
    }

    @Test("A directory that cannot be listed is named with its reason, the others are listed")
    func unlistable() throws {
        try directory.write("logs/open/a.log", "x\n")
        let closed = try directory.makeDirectory("logs/closed")
        try setMode(directory.path, 0o755)
        try setMode(closed, 0)
        defer { #expect(throws: Never.self) { try setMode(closed, 0o755) } }
        let input = "  - {name: pods, paths: [\"\(directory.path("logs"))/*/*.log\"]}"
        let (exit, output, errors) = try check(input, withoutRights: true)
        #expect(exit == .code(0) && errors.isEmpty, "\(errors)")
        #expect(
            comments(output) == [
                "# Input pods matches 1 file now.",
                "#   \(directory.path("logs"))/open/a.log\(fate("plain"))",
                "# cannot be listed: \"\(closed): Permission denied\"",
            ])
    }

    @Test("Topic and key are those of each file; names are printable; --all lists what is cut")
    func many() throws {
        for number in 100..<151 { try directory.write("logs/shop/\(number).log", "x\n") }
        try directory.write("logs/a\u{1B}[2J\u{202E}/x.log", "x\n")
        let logs = directory.path("logs")
        let inputs = "  - {name: apps, paths: [\"\(logs)/{app}/*.log\"], topic: \"logs.{app}\"}"
        let key = "    key: \"{app}\""
        let (exit, output, _) = try check(inputs, kafka: key)
        #expect(exit == .code(0))
        let lines = comments(output)
        #expect(
            lines.first
                == "# Input apps matches 52 files now. The first 50 (--all lists them all):")
        #expect(lines.count == 51)
        #expect(
            lines[1] == "#   \"\(logs)/a\\u001b[2J\\u202e/x.log\" "
                + "(plain, topic logs.a__2J_, key \"a\\u001b[2J\\u202e\")", "\(lines[1])")
        #expect(lines[2] == "#   \(logs)/shop/100.log (plain, topic logs.shop, key shop)")
        let all = try ChildProcess(
            findBinary(), ["check", "--all", "--config", directory.path("shipper.yaml")])
        #expect(try all.wait() == .code(0))
        #expect(comments(all.output).count == 53)
        #expect(comments(all.output).first == "# Input apps matches 52 files now.")
    }

    @Test("A file that this user may not read is named", .enabled(if: geteuid() == 0))
    func unreadable() throws {
        let log = try directory.write("logs/a.log", "x\n")
        try setMode(directory.path, 0o755)
        let another = try ChildProcess("/bin/chown", ["65534:65534", log])
        #expect(try another.wait() == .code(0))
        try setMode(log, 0o600)
        let (exit, output, _) = try check(
            "  - {name: pods, paths: [\"\(directory.path("logs"))/*.log\"]}", withoutRights: true)
        #expect(exit == .code(0))
        #expect(comments(output).last == "#   cannot be read by this user: \(log)")
    }

    @Test("The data directory: absent, there, held by an agent, one that no agent would take")
    func dataDirectory() throws {
        let agent = try Agent("127.0.0.1:1", path: "*.log")
        func said() throws -> (ChildProcess.Exit, String?, String) {
            let process = try ChildProcess(findBinary(), ["check", "--config", agent.config])
            let exit = try process.wait()
            let line = process.output.split(separator: "\n").first {
                $0.hasPrefix("# Data directory ")
            }
            let prefix = "# Data directory \(agent.data): "
            return (exit, line.map { String($0.dropFirst(prefix.count)) }, process.errors)
        }
        #expect(try said() == (.code(0), "not there yet; the agent makes it", ""))
        #expect(!(try agent.home.names("").contains("data")))
        try agent.start()
        let pid = agent.process.pid
        try eventually("it has its lock") {
            try said().1 == "there, held by a running agent, process \(pid)"
        }
        #expect(try agent.stop() == .code(0))
        #expect(try said() == (.code(0), "there; no agent is seen with it", ""))
        try setMode(agent.data, 0o777)
        let (exit, line, errors) = try said()
        #expect(exit == .code(1) && line == "not usable")
        #expect(errors.contains("every user may write here"), "\(errors)")
        try setMode(agent.data, 0o700)
        try setMode("\(agent.data)/registry", 0o777)
        #expect(try said().0 == .code(1))
        try setMode("\(agent.data)/registry", 0o700)
        // `run` makes none above it.
        let text = String(decoding: try readFile(agent.config), as: UTF8.self)
        try agent.home.write(
            "shipper.yaml", text.replacing("data: \(agent.data)", with: "data: \(agent.data)/a/b"))
        let process = try ChildProcess(findBinary(), ["check", "--config", agent.config])
        #expect(try process.wait() == .code(1))
        #expect(process.errors.contains("make it"), "\(process.errors)")
    }

    @Test(
        "A librdkafka property that is refused is named with its file, line and column",
        arguments: [
            ("acks: \"1\"", "acks"), ("linger.sm: \"5\"", "linger.sm"),
            ("linger.ms: soon", "linger.ms"),
        ])
    func property(line: String, name: String) throws {
        let (exit, output, errors) = try check(
            "  - {name: pods, paths: [/logs/*.log]}",
            kafka: "    librdkafka:\n      batch.size: \"100000\"\n      \(line)")
        #expect(exit == .code(1) && output.isEmpty)
        let place = "\(directory.path("shipper.yaml")):9:7: output.kafka.librdkafka: "
        #expect(errors.hasPrefix("\(place)librdkafka property \(name): "), "\(errors)")
        #expect(errors.split(separator: "\n").count == 1)
    }
}
