import Machine

/// What rotation does to the lines of a fast writer, and to the writer.
struct Rotation {
    private struct Entry {
        let contender: Contender
        let rotator: Rotator
        /// Of its last run.
        var command: [String] = []
        var runs: [RotationRun] = []

        var good: [RotationRun] { runs.filter { $0.fault == nil } }
        /// Milliseconds, of all rotations of all runs.
        var stalls: Spread? { Spread(good.flatMap(\.stalls)) }
    }

    private let stage: Stage
    private let facts: MachineFacts
    private let date = utcDate()
    private let loadBefore: Double
    private var loadAfter = 0.0
    private var entries: [Entry]

    init(_ stage: Stage) throws(MachineError) {
        self.stage = stage
        facts = try MachineFacts()
        loadBefore = try MachineFacts.load()
        entries = stage.present.compactMap { contender in
            contender.rotator.map { Entry(contender: contender, rotator: $0) }
        }
    }

    private var rotations: Int { stage.options.rotations ?? 20 }
    private var megabytesASecond: Int { stage.options.rate ?? 100 }

    /// True: nobody who is to lose nothing has lost a line.
    mutating func measure() throws(MachineError) -> Bool {
        let rounds = stage.options.runs ?? 1
        for round in 1...rounds {
            for index in entries.indices {
                let entry = entries[index]
                let title = "round \(round) of \(rounds): \(entry.contender.name)"
                let runner = RotationRunner(
                    stage: stage, contender: entry.contender, rotator: entry.rotator,
                    title: title, size: stage.options.bytes, rotations: rotations,
                    rate: megabytesASecond * 1_000_000)
                let (run, command) = try runner.run()
                entries[index].runs.append(run)
                entries[index].command = command
                try stage.progress.note(title + (run.fault.map { " FAILED: \($0)" } ?? ": done"))
            }
        }
        loadAfter = try MachineFacts.load()
        return entries.allSatisfy { $0.good.count == $0.runs.count }
    }

    private func median(_ measure: RotationRun.Measure, _ entry: Entry) -> Double? {
        Spread(entry.good.compactMap(measure.value))?.median
    }

    func text(command: [String]) -> String {
        var table = TextTable(
            ["rotated by", "longest write ms"] + RotationRun.measures.map(\.head))
        for entry in entries {
            let figures = RotationRun.measures.map { measure in
                median(measure, entry).map { value in
                    measure.digits == 0 ? Number.grouped(Int(value)) : Number.short(value)
                } ?? (entry.good.isEmpty ? "failed" : "–")
            }
            table.add([entry.contender.name, entry.stalls?.text ?? "failed"] + figures)
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
            writer: \(megabytesASecond) MB/s wanted, writes of 16 KiB; a log of \
            \(Number.grouped(stage.options.bytes)) bytes is due
            longest write: of each rotation, median (min–max); other figures: medians of the runs, of \
            all writes
            lost, twice, torn: of the lines in the archives and the log together
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
            stage.header(.rotation, facts, date, command) + [
                (
                    "load_average",
                    .object([("before", .number(loadBefore, 2)), ("after", .number(loadAfter, 2))])
                ),
                ("mb_per_second", .count(megabytesASecond)),
                ("due_bytes", .count(stage.options.bytes)), ("rotations", .count(rotations)),
                ("contenders", .list(entries.map(json))),
            ])
    }

    private func json(_ entry: Entry) -> JSON {
        .object([
            ("name", .text(entry.contender.name)), ("version", .text(entry.contender.version)),
            ("command", .list(entry.command.map(JSON.text))),
            ("runs", .list(entry.runs.map(\.json))),
            ("failed_runs", .count(entry.runs.count - entry.good.count)),
            ("longest_write_milliseconds", entry.stalls?.json(3) ?? .null),
        ])
    }
}
