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

    /// How long nothing at all may come after the last line was written.
    private static let patience = 30.0

    /// The run, and the command line that was run.
    func run() throws(MachineError) -> (run: NodeRun, command: [String]) {
        let topic = try stage.makeTopic()
        let root = try stage.makeDirectory("node")
        let directory = try stage.makeDirectory("run")
        for file in 0..<files { try makeDirectory("\(root)/\(file)") }
        let trickle = try Trickle(
            paths: (0..<files).map { "\(root)/\($0)/app.log" },
            lines: rate * (warmUpSeconds + windowSeconds), aSecond: rate, seed: stage.options.seed)
        let command = try contender.prepare(
            Contender.Task(
                directory: directory, files: "\(root)/*/app.log", corpus: nil, topic: topic,
                broker: stage.broker.address, kind: stage.kind, once: false))
        let consumer = try StampedConsumer(
            stage.broker.address, topic: topic, partitions: stage.partitions, waitMilliseconds: 5)
        let run = try follow(trickle, consumer, topic, command, log: directory + "/output")
        try stage.dropTopic(topic)
        try remove(directory)
        try remove(root)
        return (run, command)
    }

    /// What belongs to one run.
    private final class Trial {
        let process: ChildProcess
        let wire: Wire
        let begin = Instant.now
        var audit: Audit

        init(_ command: [String], log: String, lines: Int) throws(MachineError) {
            process = try ChildProcess(command, output: .file(log), errors: .file(log))
            wire = Wire(process)
            audit = Audit(lines: lines)
        }
    }

    private func follow(
        _ trickle: Trickle, _ consumer: StampedConsumer, _ topic: String, _ command: [String],
        log: String
    ) throws(MachineError) -> NodeRun {
        let trial = try Trial(command, log: log, lines: trickle.lines)
        let writer = try trickle.start()
        var begin: NodeRun.Sample?
        var end: NodeRun.Sample?
        var rssBytes = 0
        var fault: String?
        var (last, looked) = (Instant.now, Instant.now)
        while trial.audit.arrived < trickle.lines || end == nil {
            let before = trial.audit.records
            try consumer.take(milliseconds: 20) { trial.audit.note($0) }
            let now = Instant.now
            let written = trickle.progress.lines
            if trial.audit.records > before || written < trickle.lines { last = now }
            if begin == nil, written >= rate * warmUpSeconds {
                begin = try sample(trial, trickle)
            }
            if end == nil, written == trickle.lines {
                end = try sample(trial, trickle)
                rssBytes = try ProcessFigures(trial.process).rssBytes
            }
            guard now.secondsSince(looked) > 0.1 else { continue }
            looked = now
            if let cause = trickle.fault { throw cause }
            if let ended = try trial.process.wait(milliseconds: 0) {
                fault = "it ended, \(ended.fault ?? "with 0")"
                break
            }
            try trial.wire.look()
            if now.secondsSince(last) > Self.patience { break }
            let share = "\(Number.grouped(trial.audit.arrived)) of \(Number.grouped(trickle.lines))"
            try stage.progress.update("\(title): \(share) lines")
        }
        trickle.stop()
        writer.join()
        let stopped = try trial.process.stop()
        let records = try stage.broker.recordCount(topic)
        // What came twice may come last.
        last = .now
        while trial.audit.records < records, Instant.now.secondsSince(last) < Self.patience {
            let before = trial.audit.records
            try consumer.take(milliseconds: 100) { trial.audit.note($0) }
            if trial.audit.records > before { last = .now }
        }
        fault = fault ?? stopped.fault
        if let known = fault {
            fault = known + (try Stage.lastWords(log).map { "; its last words: \($0)" } ?? "")
        }
        let lead = rate * warmUpSeconds
        let window = begin.flatMap { begin in end.map { (begin: begin, end: $0) } }
        return NodeRun(
            window: window, rssBytes: rssBytes,
            ages: trial.audit.ages(of: lead..<trickle.lines), lines: trickle.lines,
            records: records,
            fault: fault ?? trial.audit.fault { "line \($0) of \(trickle.path(of: $0))" })
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
