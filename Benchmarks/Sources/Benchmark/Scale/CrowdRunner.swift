import Machine

/// Lets a contender follow one file that gets lines all the time, puts a directory with many files
/// beside it, and looks at how old the lines of the one file grow.
struct CrowdRunner {
    let stage: Stage
    let contender: Contender
    let files: Int
    let calmSeconds: Int
    let coming: Coming

    /// How the directory comes.
    enum Coming {
        /// It fills, as fast as files can be made.
        case gradually
        /// It is put in its place with all of its files.
        case atOnce
        /// It is there before the contender is started: no line of the neighbour is before it.
        case before
    }

    /// The neighbour's.
    private static let linesASecond = 100
    private static let patience = 600

    /// On the same file system as the files, and not among them.
    private var elsewhere: String { stage.directory + "/crowd" }

    func run() throws(MachineError) -> CrowdRun {
        let root = try stage.makeDirectory("files")
        try makeDirectory(root + "/neighbour")
        let crowd = Crowd(root + "/crowd", files: files, seed: stage.options.seed)
        if coming != .gradually { try crowd.prepare(elsewhere) }
        if coming == .before { try crowd.appear(elsewhere) }
        let neighbour = try Trickle(
            paths: [root + "/neighbour/app.log"],
            lines: Self.linesASecond * (calmSeconds + Self.patience),
            aSecond: Self.linesASecond, seed: stage.options.seed, first: files)
        let trial = try Trial(
            stage, contender, files: FileTree.pattern(root), title: "\(contender.name): a crowd")
        let run = try follow(crowd, neighbour, trial)
        try remove(root)
        return run
    }

    private func follow(
        _ crowd: Crowd, _ neighbour: Trickle, _ trial: Trial
    ) throws(MachineError) -> CrowdRun {
        var crowdAudit = Audit(lines: files)
        var audit = Audit(lines: neighbour.lines)
        func take(due: Bool) throws(MachineError) -> Bool {
            if let fault = neighbour.fault ?? crowd.fault { throw fault }
            return try trial.take(due: due) {
                "\(Number.grouped(crowdAudit.arrived)) of \(Number.grouped(files)) files"
            } _: { arrival in
                note(arrival)
            }
        }
        func note(_ arrival: StampedConsumer.Arrival) {
            if arrival.number < files {
                crowdAudit.note(arrival)
            } else {
                audit.note(
                    StampedConsumer.Arrival(age: arrival.age, number: arrival.number - files))
            }
        }

        let writer = try neighbour.start()
        let calmLines = calmSeconds * Self.linesASecond
        var goesOn = true
        while goesOn, coming != .before,
            neighbour.progress.lines < calmLines || audit.arrived == 0
        {
            goesOn = try take(due: audit.arrived == 0)
        }
        let lead = coming == .before ? 0 : neighbour.progress.lines
        let begin = Instant.now
        let maker = coming == .gradually ? try crowd.start() : nil
        if coming == .atOnce { try crowd.appear(elsewhere) }
        while goesOn, crowdAudit.arrived < files, neighbour.progress.lines < neighbour.lines {
            goesOn = try take(due: true)
        }
        let takeUpSeconds = Instant.now.secondsSince(begin)
        let figures = goesOn ? try ProcessFigures(trial.process) : nil
        crowd.stop()
        neighbour.stop()
        maker?.join()
        writer.join()
        let written = neighbour.progress.lines
        while goesOn, audit.arrived < written { goesOn = try take(due: true) }
        let (_, fault) = try trial.finish(note)
        return CrowdRun(
            command: trial.command, calmAges: audit.ages(of: lead / 2..<lead),
            ages: audit.ages(of: lead..<written), takeUpSeconds: takeUpSeconds,
            makeSeconds: crowd.made?.secondsSince(begin), figures: figures,
            fault: fault ?? crowdAudit.fault { "line of file \($0)" }
                ?? audit.fault(written: written) { "line \($0) of the neighbour" })
    }
}

/// How a contender fared while one directory filled with files.
struct CrowdRun: Sendable {
    let command: [String]
    /// Of the neighbour's lines before, and from the first file until all were delivered; nanoseconds,
    /// ascending.
    let calmAges: [Int64]
    let ages: [Int64]
    /// From the first file until all were delivered.
    let takeUpSeconds: Double
    /// Until the last file was there.
    let makeSeconds: Double?
    /// When all was taken up.
    let figures: ProcessFigures?
    let fault: String?
}
