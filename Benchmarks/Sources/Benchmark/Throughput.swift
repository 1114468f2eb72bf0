import Machine

/// All contenders in turns on one corpus.
struct Throughput {
    private typealias Entry = Entrant<Run>

    private let stage: Stage
    private let facts: MachineFacts
    private let date = utcDate()
    private let loadBefore: Double
    private var loadAfter = 0.0
    private let corpus: Corpus
    /// The same messages as the contenders want them in their files, with what warms them up.
    private let corpora: [Corpus.Form: (all: Corpus, warmUp: Corpus)]
    private var entries: [Entry]

    /// The warm-up takes a tenth of the corpus: it is for caches and for the broker's first
    /// allocations.
    init(_ stage: Stage) throws(MachineError) {
        self.stage = stage
        facts = try MachineFacts()
        loadBefore = try MachineFacts.load()
        entries = stage.present.map { Entry($0) }
        let options = stage.options
        try stage.progress.update("writing \(Number.grouped(options.bytes)) bytes of corpus")
        var corpora: [Corpus.Form: (all: Corpus, warmUp: Corpus)] = [:]
        for form in Set(entries.map(\.contender.form)).union([.plain]) {
            let name = stage.directory + "/" + form.rawValue
            corpora[form] = (
                try Corpus.write(
                    to: name + ".log", bytes: options.bytes, seed: options.seed, form: form),
                try Corpus.write(
                    to: name + "-warm-up.log", bytes: max(1, options.bytes / 10),
                    seed: options.seed, form: form)
            )
        }
        guard let plain = corpora[.plain]?.all else { throw MachineError("no corpus was written") }
        corpus = plain
        self.corpora = corpora
    }

    /// What a contender is to read.
    private func corpora(of contender: Contender) -> (all: Corpus, warmUp: Corpus) {
        corpora[contender.form] ?? (corpus, corpus)
    }

    /// True: every run was good.
    mutating func measure() throws(MachineError) -> Bool {
        for index in entries.indices {
            let contender = entries[index].contender
            let runner = Runner(stage: stage, title: "warm-up: \(contender.name)")
            let (run, _) = try runner.run(
                contender, corpora(of: contender).warmUp)
            if let fault = run.fault {
                try stage.progress.note("warm-up: \(contender.name) FAILED: \(fault)")
            }
        }
        let rounds = stage.options.runs ?? 5
        for round in 1...rounds {
            for index in entries.indices {
                let contender = entries[index].contender
                let title = "round \(round) of \(rounds): \(contender.name)"
                let runner = Runner(stage: stage, title: title)
                let (run, command) = try runner.run(
                    contender, corpora(of: contender).all)
                entries[index].runs.append(run)
                entries[index].command = command
                let figures =
                    "\(Number.fixed(run.wallSeconds, 2)) s, CPU \(Number.fixed(run.cpuSeconds, 2)) s"
                try stage.progress.note(
                    title + " " + (run.fault.map { "FAILED: \($0)" } ?? figures))
            }
        }
        loadAfter = try MachineFacts.load()
        return entries.allSatisfy { $0.good.count == $0.runs.count }
    }

    /// The value of each good run, of what is compared.
    private static let measures: [(head: String, key: String, digits: Int)] = [
        ("wall s", "wall_seconds", 3), ("CPU s", "cpu_seconds", 3),
        ("CPU s/GB", "cpu_seconds_per_gb", 3), ("peak RSS MB", "peak_rss_mb", 1),
        ("lines/s", "lines_per_second", 0), ("MB/s", "mb_per_second", 1),
        ("sent MB", "sent_mb", 1),
    ]

    private func values(_ run: Run) -> [Double?] {
        let wall = max(run.wallSeconds, 1e-6)
        return [
            run.wallSeconds, run.cpuSeconds, run.cpuSeconds / (Double(corpus.bytes) / 1e9),
            Double(run.peakBytes) / 1e6, Double(corpus.lines) / wall,
            Double(corpus.bytes) / 1e6 / wall, run.sentBytes.map { Double($0) / 1e6 },
        ]
    }

    /// Of each measure, nil where it was not taken; nil: no run is good.
    private func spreads(_ entry: Entry) -> [Spread?]? {
        let good = entry.good.map(values)
        guard !good.isEmpty else { return nil }
        return Self.measures.indices.map { index in Spread(good.compactMap { $0[index] }) }
    }

    /// Who others are divided by: kcat, or where formats are compared, the same program with lines
    /// as they are.
    private func base(of entry: Entry) -> String {
        guard stage.options.mode == .formats else { return "kcat" }
        return entry.contender.name.hasPrefix("filebeat") ? "filebeat" : "shipper json"
    }

    private var baseName: String { stage.options.mode == .formats ? "plain" : "kcat" }

    /// Medians of wall and CPU time, divided by those of the base.
    private func ratios(_ entry: Entry) -> (wall: Double, cpu: Double)? {
        let name = base(of: entry)
        guard let other = entries.first(where: { $0.contender.name == name }),
            let base = spreads(other), let own = spreads(entry),
            let (baseWall, baseCPU) = medians(base), let (wall, cpu) = medians(own),
            baseWall > 0, baseCPU > 0
        else { return nil }
        return (wall / baseWall, cpu / baseCPU)
    }

    /// Of wall and CPU time.
    private func medians(_ spreads: [Spread?]) -> (wall: Double, cpu: Double)? {
        guard let wall = spreads[0], let cpu = spreads[1] else { return nil }
        return (wall.median, cpu.median)
    }

    /// The table, and under it what somebody needs to judge it.
    func text(command: [String]) -> String {
        var table = TextTable(
            ["median (min–max)", "runs"] + Self.measures.map(\.head)
                + ["wall ÷ \(baseName)", "CPU ÷ \(baseName)"])
        for entry in entries {
            let figures =
                spreads(entry)?.map { $0?.text ?? "–" } ?? Self.measures.map { _ in "failed" }
            let ratios = ratios(entry)
            table.add(
                [entry.contender.name, entry.count] + figures
                    + [ratios?.wall, ratios?.cpu].map { $0.map { Number.fixed($0, 2) } ?? "–" })
        }
        var text = table.text
        text += entries.failures() + stage.absentLines
        let subject = """
            corpus: \(Number.grouped(corpus.bytes)) bytes, \(Number.grouped(corpus.lines)) lines, \
            seed \(stage.options.seed)
            """
        text += stage.footer(
            facts, date, load: "\(loadBefore) before, \(loadAfter) after", subject, command)
        return text + entries.commands()
    }

    func json(command: [String]) -> JSON {
        .object(
            stage.header(stage.options.mode, facts, date, command) + [
                JSON.load(before: loadBefore, after: loadAfter),
                (
                    "corpus",
                    .object([
                        ("bytes", .count(corpus.bytes)), ("lines", .count(corpus.lines)),
                        ("seed", .count(Int(stage.options.seed))),
                    ])
                ),
                ("contenders", .list(entries.map(json))),
            ])
    }

    private func json(_ entry: Entry) -> JSON {
        let spreads = spreads(entry).map { spreads in
            JSON.object(
                zip(Self.measures, spreads).map { measure, spread in
                    (measure.key, spread.map { $0.json(measure.digits) } ?? .null)
                })
        }
        let ratios = ratios(entry).map {
            JSON.object([("wall", .number($0.wall, 3)), ("cpu", .number($0.cpu, 3))])
        }
        return entry.json([
            ("figures", spreads ?? .null), ("ratio_to_\(baseName)", ratios ?? .null),
        ])
    }
}
