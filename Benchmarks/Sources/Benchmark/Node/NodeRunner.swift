import Machine

/// Lets a contender follow the files of a node while lines come, and looks at what it uses and what
/// arrives.
struct NodeRunner {
    let stage: Stage
    let contender: Contender
    /// What stands before the lines in the progress line.
    let title: String
    let rate: Int
    let files: Int
    let warmUpSeconds: Int
    let windowSeconds: Int

    /// The run, and the command line that was run.
    func run() throws(MachineError) -> (run: NodeRun, command: [String]) {
        let root = try stage.makeDirectory("node")
        for file in 0..<files { try makeDirectory("\(root)/\(file)") }
        let trickle = try Trickle(
            paths: (0..<files).map { "\(root)/\($0)/app.log" },
            lines: rate * (warmUpSeconds + windowSeconds), aSecond: rate, seed: stage.options.seed)
        let trial = try Trial(stage, contender, files: "\(root)/*/app.log", title: title)
        let run = try follow(trickle, trial)
        try remove(root)
        return (run, trial.command)
    }

    private func follow(_ trickle: Trickle, _ trial: Trial) throws(MachineError) -> NodeRun {
        let writer = try trickle.start()
        let lead = rate * warmUpSeconds
        var audit = Audit(lines: trickle.lines)
        var begin: NodeRun.Sample?
        var end: NodeRun.Sample?
        var rssBytes = 0
        var goesOn = true
        while goesOn, audit.arrived < trickle.lines || end == nil {
            if let fault = trickle.fault { throw fault }
            let written = trickle.progress.lines
            goesOn = try trial.take(due: written == trickle.lines) {
                "\(Number.grouped(audit.arrived)) of \(Number.grouped(trickle.lines)) lines"
            } _: {
                audit.note($0)
            }
            guard goesOn else { break }
            if begin == nil, written >= lead { begin = try sample(trial, trickle) }
            if end == nil, written == trickle.lines {
                end = try sample(trial, trickle)
                rssBytes = try ProcessFigures(trial.process).rssBytes
            }
        }
        trickle.stop()
        writer.join()
        let (records, fault) = try trial.finish { audit.note($0) }
        let window = begin.flatMap { begin in end.map { (begin: begin, end: $0) } }
        return NodeRun(
            window: window, rssBytes: rssBytes, ages: audit.ages(of: lead..<trickle.lines),
            lines: trickle.lines, records: records,
            fault: fault ?? audit.fault { "line \($0) of \(trickle.path(of: $0))" })
    }

    private func sample(_ trial: Trial, _ trickle: Trickle) throws(MachineError) -> NodeRun.Sample {
        try trial.wire.look()
        let sent = try trial.wire.sent()
        return NodeRun.Sample(
            seconds: Instant.now.secondsSince(trial.begin),
            cpuSeconds: try trial.process.cpuSeconds(), rawBytes: trickle.progress.bytes,
            sentBytes: sent?.bytes, segments: sent?.segments,
            requests: try stage.produceRequests())
    }
}
