import Machine

/// An agent that knows many files and has nothing to do.
struct Idle {
    private struct Entry {
        let contender: Contender
        let run: RestRun
    }

    private let stage: Stage
    private let facts: MachineFacts
    private let date = utcDate()
    private let load: Double
    private var entries: [Entry] = []

    /// Between the last line and the rest: agents look at a file that has just grown more often.
    private var settleSeconds: Double { min(10, seconds) }

    init(_ stage: Stage) throws(MachineError) {
        self.stage = stage
        facts = try MachineFacts()
        load = try MachineFacts.load()
    }

    private var tree: FileTree {
        FileTree(files: stage.options.files ?? 10_000, filesInDirectory: 2, linesInFile: 20)
    }

    private var seconds: Double { Double(stage.options.seconds ?? 60) }

    /// True: everything arrived, once. Only those who run until they are stopped take part.
    mutating func measure() throws(MachineError) -> Bool {
        for contender in stage.present {
            guard contender.follows else { continue }
            let runner = RestRunner(
                stage: stage, contender: contender, tree: tree, settleSeconds: settleSeconds,
                restSeconds: seconds)
            entries.append(Entry(contender: contender, run: try runner.run()))
        }
        return entries.allSatisfy { $0.run.fault == nil }
    }

    func text(command: [String]) -> String {
        var table = TextTable([
            "at rest", "CPU %", "RSS MB", "peak MB", "descriptors", "threads", "all in s",
            "all in CPU s", "append to each s", "append after rest ms",
        ])
        for entry in entries {
            table.add([
                entry.contender.name, Number.fixed(100 * entry.run.share, 2),
                Number.fixed(Double(entry.run.figures.rssBytes) / 1e6, 1),
                Number.fixed(Double(entry.run.figures.peakBytes) / 1e6, 1),
                Number.grouped(entry.run.figures.descriptors), "\(entry.run.figures.threads)",
                Number.short(entry.run.fillSeconds), Number.short(entry.run.fillCPUSeconds),
                Number.short(entry.run.appendSeconds), Number.fixed(entry.run.wakeSeconds * 1e3, 0),
            ])
        }
        var text = table.text
        for entry in entries {
            if let fault = entry.run.fault { text += "FAILED: \(entry.contender.name): \(fault)\n" }
        }
        text += stage.absentLines
        let subject = """
            files: \(Number.grouped(tree.files)) in \(Number.grouped(tree.directories)) \
            directories, \(tree.linesInFile) lines each; at rest for \(Number.fixed(seconds, 0)) s, \
            \(Number.fixed(settleSeconds, 0)) s after a line was appended to each
            """
        text += stage.footer(facts, date, load: "\(load) before", subject, command)
        for entry in entries {
            text +=
                "\(entry.contender.name): \(entry.contender.version): "
                + entry.run.command.joined(separator: " ") + "\n"
        }
        return text
    }

    func json(command: [String]) -> JSON {
        .object(
            stage.header(.idle, facts, date, command) + [
                ("load_average", .object([("before", .number(load, 2))])),
                ("files", .count(tree.files)), ("directories", .count(tree.directories)),
                ("contenders", .list(entries.map(json))),
            ])
    }

    private func json(_ entry: Entry) -> JSON {
        .object([
            ("name", .text(entry.contender.name)), ("version", .text(entry.contender.version)),
            ("command", .list(entry.run.command.map(JSON.text))),
            ("rest_seconds", .number(entry.run.restSeconds, 3)),
            ("rest_cpu_seconds", .number(entry.run.restCPUSeconds, 2)),
            ("rest_cpu_share", .number(entry.run.share, 6)),
            ("rss_bytes", .count(entry.run.figures.rssBytes)),
            ("peak_rss_bytes", .count(entry.run.figures.peakBytes)),
            ("descriptors", .count(entry.run.figures.descriptors)),
            ("threads", .count(entry.run.figures.threads)),
            ("fill_seconds", .number(entry.run.fillSeconds, 3)),
            ("fill_cpu_seconds", .number(entry.run.fillCPUSeconds, 2)),
            ("append_seconds", .number(entry.run.appendSeconds, 3)),
            ("wake_seconds", .number(entry.run.wakeSeconds, 3)),
            ("failed", .optional(entry.run.fault)),
        ])
    }
}
