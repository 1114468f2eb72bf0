import Machine

/// One part for one contender.
struct ScaleRunner {
    let stage: Stage
    let contender: Contender
    let sizes: ScaleSizes
    /// Of the rest.
    let seconds: Int

    private var settleSeconds: Double { Double(min(10, seconds)) }

    /// What it found. What the machine or the contender refuses is its fault, and others go on.
    func run(_ part: ScalePart) throws(MachineError) -> ScalePart.Outcome {
        do throws(MachineError) {
            switch part {
            case .start: return try start()
            case .crowd: return try crowd(part, .gradually)
            case .full: return try crowd(part, .atOnce)
            case .found: return try crowd(part, .before)
            case .memory: return try memory()
            case .rest: return try rest()
            case .bulk: return try bulk()
            }
        } catch {
            for name in ["run", "files", "crowd"] { try remove(stage.directory + "/" + name) }
            return ScalePart.Outcome(figures: [], command: [], fault: error.description)
        }
    }

    private func start() throws(MachineError) -> ScalePart.Outcome {
        let tree = sizes.start
        try stage.progress.update("making \(Number.grouped(tree.files)) files")
        let root = try stage.makeDirectory("files")
        try tree.make(root)
        let corpus = Corpus(
            path: FileTree.pattern(root), bytes: tree.bytes, lines: tree.lines,
            seed: stage.options.seed)
        let runner = Runner(stage: stage, title: "\(contender.name): start")
        let (run, command) = try runner.run(contender, corpus)
        try remove(root)
        let part = ScalePart.start
        return ScalePart.Outcome(
            figures: [
                part.figure("wall s", "wall_seconds", 3, run.wallSeconds),
                part.figure("CPU s", "cpu_seconds", 3, run.cpuSeconds),
                part.figure("peak RSS MB", "peak_rss_mb", 1, Double(run.peakBytes) / 1e6),
            ], command: command, fault: run.fault)
    }

    private func crowd(
        _ part: ScalePart, _ coming: CrowdRunner.Coming
    ) throws(MachineError) -> ScalePart.Outcome {
        let runner = CrowdRunner(
            stage: stage, contender: contender, files: sizes.files,
            calmSeconds: min(5, seconds), coming: coming)
        let run = try runner.run()
        func age(_ share: Double, _ ages: [Int64]) -> Double? {
            ages.isEmpty ? nil : Double(Spread.percentile(share, of: ages)) / 1e6
        }
        let figures = run.figures
        let making =
            coming != .gradually
            ? [] : [part.figure("s until all are made", "make_seconds", 3, run.makeSeconds)]
        let calm =
            coming == .before
            ? []
            : [
                part.figure("p50 ms before", "calm_p50_milliseconds", 3, age(0.5, run.calmAges)),
                part.figure("p99 ms before", "calm_p99_milliseconds", 3, age(0.99, run.calmAges)),
            ]
        return ScalePart.Outcome(
            figures: making + calm + [
                part.figure("p50 ms", "p50_milliseconds", 3, age(0.5, run.ages)),
                part.figure("p99 ms", "p99_milliseconds", 3, age(0.99, run.ages)),
                part.figure("max ms", "max_milliseconds", 3, age(1, run.ages)),
                part.figure("s until all are delivered", "take_up_seconds", 3, run.takeUpSeconds),
                part.figure("CPU s", "cpu_seconds", 3, figures?.cpuSeconds),
                part.figure("RSS MB", "rss_mb", 1, figures.map { Double($0.rssBytes) / 1e6 }),
                part.figure(
                    "peak RSS MB", "peak_rss_mb", 1, figures.map { Double($0.peakBytes) / 1e6 }),
            ], command: run.command, fault: run.fault)
    }

    private func memory() throws(MachineError) -> ScalePart.Outcome {
        let runner = RestRunner(
            stage: stage, contender: contender, tree: sizes.memory, settleSeconds: settleSeconds,
            restSeconds: settleSeconds)
        let run = try runner.run()
        let part = ScalePart.memory
        let bytes = Double(run.figures.rssBytes)
        return ScalePart.Outcome(
            figures: [
                part.figure("RSS MB", "rss_mb", 1, bytes / 1e6),
                part.figure(
                    "RSS ÷ files, bytes", "bytes_per_file", 0, bytes / Double(sizes.memory.files)),
                part.figure("peak RSS MB", "peak_rss_mb", 1, Double(run.figures.peakBytes) / 1e6),
            ], command: run.command, fault: run.fault)
    }

    private func rest() throws(MachineError) -> ScalePart.Outcome {
        let runner = RestRunner(
            stage: stage, contender: contender, tree: sizes.start, settleSeconds: settleSeconds,
            restSeconds: Double(seconds))
        let run = try runner.run()
        let part = ScalePart.rest
        return ScalePart.Outcome(
            figures: [
                part.figure("CPU %", "cpu_percent", 3, 100 * run.share),
                part.figure("RSS MB", "rss_mb", 1, Double(run.figures.rssBytes) / 1e6),
            ], command: run.command, fault: run.fault)
    }

    /// The agent ships raw records: what else it does for a byte would hide what it does for a file.
    private func bulk() throws(MachineError) -> ScalePart.Outcome {
        var contender = contender
        if contender.name == "shipper json",
            case .present(let raw) = try Contender.shipper("raw", contender.program)
        {
            contender = raw
        }
        let files = sizes.bulkFiles
        try stage.progress.update("writing \(Number.grouped(files)) files twice")
        let root = try stage.makeDirectory("files")
        try makeDirectory(root + "/many")
        try makeDirectory(root + "/one")
        let one = try OutputFile(root + "/one/all.log")
        var (bytes, lines) = (0, 0)
        for file in 0..<files {
            let path = "\(root)/many/\(file).log"
            let corpus = try Corpus.write(
                to: path, bytes: sizes.bulkBytesInFile, seed: stage.options.seed + UInt64(file))
            bytes += corpus.bytes
            lines += corpus.lines
            try one.append(try readFile(path))
        }
        func run(_ name: String) throws(MachineError) -> (run: Run, command: [String]) {
            let corpus = Corpus(
                path: "\(root)/\(name)/*.log", bytes: bytes, lines: lines,
                seed: stage.options.seed)
            return try Runner(stage: stage, title: "\(contender.name): bulk in \(name)")
                .run(contender, corpus)
        }
        let (single, _) = try run("one")
        let (many, command) = try run("many")
        try remove(root)
        let part = ScalePart.bulk
        let ratio = many.cpuSeconds / max(single.cpuSeconds, 1e-6)
        return ScalePart.Outcome(
            figures: [
                part.figure("CPU s in one file", "one_cpu_seconds", 3, single.cpuSeconds),
                part.figure("CPU s in many", "many_cpu_seconds", 3, many.cpuSeconds),
                part.figure("many ÷ one", "cpu_ratio", 3, ratio),
            ], command: command, fault: single.fault ?? many.fault)
    }
}
