import Machine

/// What rotation does to the lines of a fast writer, and to the writer.
struct Rotation {
    private typealias Entry = Entrant<RotationRun>

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
        entries = stage.present.filter { $0.rotator != nil }.map { Entry($0) }
    }

    private var rotations: Int { stage.options.rotations ?? 20 }
    private var megabytesASecond: Int { stage.options.rate ?? 100 }

    /// True: nobody who is to lose nothing has lost a line.
    mutating func measure() throws(MachineError) -> Bool {
        let rounds = stage.options.runs ?? 1
        for round in 1...rounds {
            for index in entries.indices {
                let contender = entries[index].contender
                guard let rotator = contender.rotator else { continue }
                let title = "round \(round) of \(rounds): \(contender.name)"
                let runner = RotationRunner(
                    stage: stage, contender: contender, rotator: rotator,
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

    /// Milliseconds, of all rotations of all good runs.
    private func stalls(_ entry: Entry) -> Spread? { Spread(entry.good.flatMap(\.stalls)) }

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
            table.add([entry.contender.name, stalls(entry)?.text ?? "failed"] + figures)
        }
        var text = table.text
        text += entries.failures() + stage.absentLines
        let subject = """
            writer: \(megabytesASecond) MB/s wanted, writes of 16 KiB; a log of \
            \(Number.grouped(stage.options.bytes)) bytes is due
            longest write: of each rotation, median (min–max); other figures: medians of the runs, of \
            all writes
            lost, twice, torn: of the lines in the archives and the log together
            """
        text += stage.footer(
            facts, date, load: "\(loadBefore) before, \(loadAfter) after", subject, command)
        return text + entries.commands()
    }

    func json(command: [String]) -> JSON {
        .object(
            stage.header(.rotation, facts, date, command) + [
                JSON.load(before: loadBefore, after: loadAfter),
                ("mb_per_second", .count(megabytesASecond)),
                ("due_bytes", .count(stage.options.bytes)), ("rotations", .count(rotations)),
                ("contenders", .list(entries.map(json))),
            ])
    }

    private func json(_ entry: Entry) -> JSON {
        entry.json([
            ("longest_write_milliseconds", stalls(entry)?.json(3) ?? .null)
        ])
    }
}
