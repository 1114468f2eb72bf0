import Machine

/// What an agent costs at the rate of an ordinary node: some lines a second over many files.
struct Node {
    private typealias Entry = Entrant<NodeRun>

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
        entries = stage.present.filter(\.follows).map { Entry($0) }
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
            let figures = NodeRun.measures.map { measure in
                median(measure, entry).map(Number.short) ?? (entry.good.isEmpty ? "failed" : "–")
            }
            table.add([entry.contender.name, entry.count] + figures)
        }
        var text = table.text
        text += entries.failures() + stage.absentLines
        let subject = """
            lines: \(Number.grouped(rate)) a second for \(seconds) s, each to one of \
            \(Number.grouped(files)) files, after \(warmUpSeconds) s of the same; medians of the runs
            CPU: share of one processor; sent: bytes and segments with bytes that left the agent's \
            sockets; ages: from write to a consumer on the same machine (fetch.wait.max.ms=5)
            """
        text += stage.footer(
            facts, date, load: "\(loadBefore) before, \(loadAfter) after", subject, command)
        return text + entries.commands()
    }

    func json(command: [String]) -> JSON {
        .object(
            stage.header(.node, facts, date, command) + [
                JSON.load(before: loadBefore, after: loadAfter),
                ("lines_per_second", .count(rate)), ("files", .count(files)),
                ("seconds", .count(seconds)), ("warm_up_seconds", .count(warmUpSeconds)),
                ("contenders", .list(entries.map(json))),
            ])
    }

    private func json(_ entry: Entry) -> JSON {
        entry.json([
            (
                "medians",
                .object(
                    NodeRun.measures.map { measure in
                        (
                            measure.key,
                            median(measure, entry).map { .number($0, measure.digits) } ?? .null
                        )
                    })
            )
        ])
    }
}
