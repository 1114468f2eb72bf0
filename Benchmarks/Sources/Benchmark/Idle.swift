import Machine

/// An agent that knows many files and has nothing to do.
struct Idle {
    private struct Entry {
        let contender: Contender
        let command: [String]
        /// From start to the last line of the first fill at the broker.
        let fillSeconds: Double
        let fillCPUSeconds: Double
        /// From a line appended to every file to the last of them at the broker.
        let appendSeconds: Double
        let restSeconds: Double
        let restCPUSeconds: Double
        /// From one line appended to the last file, after the rest, to the broker.
        let wakeSeconds: Double
        let figures: ProcessFigures
        let fault: String?

        var share: Double { restCPUSeconds / restSeconds }
    }

    private let stage: Stage
    private let facts: MachineFacts
    private let date = utcDate()
    private let load: Double
    private var entries: [Entry] = []

    private static let filesInDirectory = 2
    private static let linesInFile = 20
    private static let line = "2026-11-23T18:00:00.000Z INFO  one of the lines that were there\n"
    private static let patience = 600.0
    /// Between the last line and the rest: agents look at a file that has just grown more often.
    private var settleSeconds: Double { min(10, seconds) }

    init(_ stage: Stage) throws(MachineError) {
        self.stage = stage
        facts = try MachineFacts()
        load = try MachineFacts.load()
    }

    private var directories: Int {
        (files + Self.filesInDirectory - 1) / Self.filesInDirectory
    }

    private var seconds: Double { Double(stage.options.seconds ?? 60) }
    private var files: Int { stage.options.files ?? 10_000 }

    /// True: everything arrived, once. Only those who run until they are stopped take part.
    mutating func measure() throws(MachineError) -> Bool {
        for contender in stage.present {
            guard contender.follows else { continue }
            let root = try stage.makeDirectory("files")
            let entry = try measure(contender, root)
            entries.append(entry)
            try remove(root)
        }
        return entries.allSatisfy { $0.fault == nil }
    }

    private func path(_ root: String, _ file: Int) -> String {
        "\(root)/\(file / Self.filesInDirectory)/\(file % Self.filesInDirectory).log"
    }

    private func append(_ root: String, _ files: Range<Int>, lines: Int) throws(MachineError) {
        let bytes = Array(String(repeating: Self.line, count: lines).utf8)
        for file in files { try OutputFile(path(root, file)).append(bytes) }
    }

    private func measure(
        _ contender: Contender, _ root: String
    ) throws(MachineError) -> Entry {
        try stage.progress.update("\(contender.name): making \(Number.grouped(files)) files")
        for directory in 0..<directories { try makeDirectory("\(root)/\(directory)") }
        try append(root, 0..<files, lines: Self.linesInFile)

        let topic = try stage.makeTopic()
        let directory = try stage.makeDirectory("run")
        let command = try contender.prepare(
            Contender.Task(
                directory: directory, files: "\(root)/*/*.log", corpus: nil, topic: topic,
                broker: stage.broker.address, kind: stage.kind, once: false))
        let log = directory + "/output"
        var expected = files * Self.linesInFile
        let begin = Instant.now
        let process = try ChildProcess(command, output: .file(log), errors: .file(log))
        func arrive(_ what: String) throws(MachineError) -> Double {
            try awaitLines(process, topic, expected, "\(contender.name): \(what)", log)
        }
        _ = try arrive("first lines")
        let fillSeconds = Instant.now.secondsSince(begin)
        let fill = try ProcessFigures(process)

        try append(root, 0..<files, lines: 1)
        expected += files
        let appendSeconds = try arrive("a line in each file")

        try rest(process, for: settleSeconds, "\(contender.name): settling")
        let before = try ProcessFigures(process)
        let restBegin = Instant.now
        try rest(process, for: seconds, "\(contender.name): at rest")
        let restSeconds = Instant.now.secondsSince(restBegin)
        let figures = try ProcessFigures(process)

        try append(root, files - 1..<files, lines: 1)
        expected += 1
        let wakeSeconds = try arrive("a line after the rest")
        let end = try process.stop()
        let records = try stage.broker.recordCount(topic)
        try stage.dropTopic(topic)
        try remove(directory)
        return Entry(
            contender: contender, command: command, fillSeconds: fillSeconds,
            fillCPUSeconds: fill.cpuSeconds, appendSeconds: appendSeconds, restSeconds: restSeconds,
            restCPUSeconds: figures.cpuSeconds - before.cpuSeconds, wakeSeconds: wakeSeconds,
            figures: figures, fault: end.fault ?? Run.miscount(records, of: expected))
    }

    /// Waits until the broker holds all that was written; the seconds that took.
    private func awaitLines(
        _ process: ChildProcess, _ topic: String, _ expected: Int, _ what: String, _ log: String
    ) throws(MachineError) -> Double {
        let begin = Instant.now
        while true {
            let count = try stage.broker.recordCount(topic)
            let elapsed = Instant.now.secondsSince(begin)
            if count >= expected { return elapsed }
            let arrived = "\(Number.grouped(count)) of \(Number.grouped(expected))"
            if elapsed > Self.patience {
                throw MachineError("\(what): \(arrived) lines after \(Int(Self.patience)) s")
            }
            if let end = try process.wait(milliseconds: 10) {
                let words = try readText(log).split(separator: "\n").last ?? ""
                throw MachineError("\(what): it ended, \(end.fault ?? "with 0"): \(words)")
            }
            try stage.progress.update("\(what): \(arrived)")
        }
    }

    private func rest(
        _ process: ChildProcess, for seconds: Double, _ what: String
    ) throws(MachineError) {
        let end = Instant.now.advanced(bySeconds: seconds)
        while Instant.now < end {
            let left = end.secondsSince(.now)
            try stage.progress.update("\(what), \(Number.fixed(left, 0)) s left")
            let pause = max(1, min(1_000, Int(left * 1_000)))
            guard try process.wait(milliseconds: pause) == nil else {
                throw MachineError("\(what): it ended")
            }
        }
    }

    func text(command: [String]) -> String {
        var table = TextTable([
            "at rest", "CPU %", "RSS MB", "peak MB", "descriptors", "threads", "all in s",
            "all in CPU s", "append to each s", "append after rest ms",
        ])
        for entry in entries {
            table.add([
                entry.contender.name, Number.fixed(100 * entry.share, 2),
                Number.fixed(Double(entry.figures.rssBytes) / 1e6, 1),
                Number.fixed(Double(entry.figures.peakBytes) / 1e6, 1),
                Number.grouped(entry.figures.descriptors), "\(entry.figures.threads)",
                Number.short(entry.fillSeconds), Number.short(entry.fillCPUSeconds),
                Number.short(entry.appendSeconds), Number.fixed(entry.wakeSeconds * 1e3, 0),
            ])
        }
        var text = table.text
        for entry in entries {
            if let fault = entry.fault { text += "FAILED: \(entry.contender.name): \(fault)\n" }
        }
        text += stage.absentLines
        text += """

            date: \(date), load average \(load) before
            machine: \(facts.description)
            files: \(Number.grouped(files)) in \(Number.grouped(directories)) \
            directories, \(Self.linesInFile) lines each; at rest for \(Number.fixed(seconds, 0)) s, \
            \(Number.fixed(settleSeconds, 0)) s after a line was appended to each
            broker: \(stage.brokerDescription), librdkafka \(librdkafkaVersion)
            command: \(command.joined(separator: " "))

            """
        for entry in entries {
            text +=
                "\(entry.contender.name): \(entry.contender.version): "
                + entry.command.joined(separator: " ") + "\n"
        }
        return text
    }

    func json(command: [String]) -> JSON {
        .object(
            stage.header(.idle, facts, date, command) + [
                ("load_average", .object([("before", .number(load, 2))])),
                ("files", .count(files)), ("directories", .count(directories)),
                ("contenders", .list(entries.map(json))),
            ])
    }

    private func json(_ entry: Entry) -> JSON {
        .object([
            ("name", .text(entry.contender.name)), ("version", .text(entry.contender.version)),
            ("command", .list(entry.command.map(JSON.text))),
            ("rest_seconds", .number(entry.restSeconds, 3)),
            ("rest_cpu_seconds", .number(entry.restCPUSeconds, 2)),
            ("rest_cpu_share", .number(entry.share, 6)),
            ("rss_bytes", .count(entry.figures.rssBytes)),
            ("peak_rss_bytes", .count(entry.figures.peakBytes)),
            ("descriptors", .count(entry.figures.descriptors)),
            ("threads", .count(entry.figures.threads)),
            ("fill_seconds", .number(entry.fillSeconds, 3)),
            ("fill_cpu_seconds", .number(entry.fillCPUSeconds, 2)),
            ("append_seconds", .number(entry.appendSeconds, 3)),
            ("wake_seconds", .number(entry.wakeSeconds, 3)), ("failed", .optional(entry.fault)),
        ])
    }
}
