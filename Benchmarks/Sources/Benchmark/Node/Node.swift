import Machine

/// What an agent costs at the rate of an ordinary node: some lines a second over many files.
struct Node {
    private struct Entry {
        let contender: Contender
        /// Of its last run.
        var command: [String] = []
        var runs: [NodeRun] = []

        var good: [NodeRun] { runs.filter { $0.fault == nil } }
    }

    private let stage: Stage
    private let facts: MachineFacts
    private let date = utcDate()
    private let loadBefore: Double
    private var loadAfter = 0.0
    private var entries: [Entry]

    /// Those who follow files take part.
    init(_ stage: Stage) throws(MachineError) {
        self.stage = stage
        facts = try MachineFacts()
        loadBefore = try MachineFacts.load()
        entries = stage.present.filter(\.follows).map { Entry(contender: $0) }
    }

    private var seconds: Int { stage.options.seconds ?? 30 }
    /// Agents are busy with their start at first, and look at a new file more often.
    private var warmUpSeconds: Int { min(8, seconds) }
    private var rate: Int { stage.options.rate ?? 1_000 }
    private var files: Int { stage.options.files ?? 110 }

    /// True: every line arrived, once, in every run.
    mutating func measure() throws(MachineError) -> Bool {
        let rounds = stage.options.runs ?? 1
        for round in 1...rounds {
            for index in entries.indices {
                let contender = entries[index].contender
                let title = "round \(round) of \(rounds): \(contender.name)"
                let runner = NodeRunner(
                    stage: stage, contender: contender, title: title, rate: rate, files: files,
                    warmUpSeconds: warmUpSeconds, windowSeconds: seconds)
                let (run, command) = try runner.run()
                entries[index].runs.append(run)
                entries[index].command = command
                try stage.progress.note(title + (run.fault.map { " FAILED: \($0)" } ?? ": done"))
            }
        }
        loadAfter = try MachineFacts.load()
        return entries.allSatisfy { $0.good.count == $0.runs.count }
    }

    private func median(_ measure: NodeRun.Measure, _ entry: Entry) -> Double? {
        Spread(entry.good.compactMap(measure.value))?.median
    }

    func text(command: [String]) -> String {
        var table = TextTable(["at the rate of a node", "runs"] + NodeRun.measures.map(\.head))
        for entry in entries {
            let count = entry.good.count
            let runs = count == entry.runs.count ? "\(count)" : "\(count) of \(entry.runs.count)"
            let figures = NodeRun.measures.map { measure in
                median(measure, entry).map(Number.short) ?? (count == 0 ? "failed" : "–")
            }
            table.add([entry.contender.name, runs] + figures)
        }
        var text = table.text
        for entry in entries {
            for (number, run) in entry.runs.enumerated() {
                guard let fault = run.fault else { continue }
                text += "FAILED: \(entry.contender.name), run \(number + 1): \(fault)\n"
            }
        }
        text += stage.absentLines
        let subject = """
            lines: \(Number.grouped(rate)) a second for \(seconds) s, each to one of \
            \(Number.grouped(files)) files, after \(warmUpSeconds) s of the same; medians of the runs
            CPU: share of one processor; sent: bytes and segments with bytes that left the agent's \
            sockets; ages: from write to a consumer on the same machine (fetch.wait.max.ms=5)
            """
        text += stage.footer(
            facts, date, load: "\(loadBefore) before, \(loadAfter) after", subject, command)
        for entry in entries {
            text +=
                "\(entry.contender.name): \(entry.contender.version): "
                + entry.command.joined(separator: " ") + "\n"
        }
        return text
    }

    func json(command: [String]) -> JSON {
        .object(
            stage.header(.node, facts, date, command) + [
                (
                    "load_average",
                    .object([("before", .number(loadBefore, 2)), ("after", .number(loadAfter, 2))])
                ),
                ("lines_per_second", .count(rate)), ("files", .count(files)),
                ("seconds", .count(seconds)), ("warm_up_seconds", .count(warmUpSeconds)),
                ("contenders", .list(entries.map(json))),
            ])
    }

    private func json(_ entry: Entry) -> JSON {
        .object([
            ("name", .text(entry.contender.name)), ("version", .text(entry.contender.version)),
            ("command", .list(entry.command.map(JSON.text))),
            ("runs", .list(entry.runs.map(\.json))),
            ("failed_runs", .count(entry.runs.count - entry.good.count)),
            (
                "medians",
                .object(
                    NodeRun.measures.map { measure in
                        (
                            measure.key,
                            median(measure, entry).map { .number($0, measure.digits) } ?? .null
                        )
                    })
            ),
        ])
    }
}
