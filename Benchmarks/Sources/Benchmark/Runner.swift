import Machine

/// Lets a contender take a corpus to the broker and looks at what it used and what arrived.
struct Runner {
    let stage: Stage
    /// What stands before the elapsed time in the progress line.
    var title = ""

    /// Lower than anything that was ever measured; who is slower hangs.
    private static let leastBytesASecond = 1_000_000
    private static let startSeconds = 120

    /// The run, and the command line that was run.
    func run(
        _ contender: Contender, _ corpus: Corpus
    ) throws(MachineError) -> (run: Run, command: [String]) {
        let topic = try stage.makeTopic()
        let directory = try stage.makeDirectory("run")
        let task = Contender.Task(
            directory: directory, files: corpus.path, corpus: corpus, topic: topic,
            broker: stage.broker.address, kind: stage.kind, once: true)
        let command = try contender.prepare(task)
        let log = directory + "/output"
        let limit = Double(Self.startSeconds + corpus.bytes / Self.leastBytesASecond)

        let begin = Instant.now
        let process = try ChildProcess(command, output: .file(log), errors: .file(log))
        let wire = Wire(process)
        let outcome =
            try contender.endsByItself
            ? awaitEnd(process, wire, since: begin, limit)
            : awaitLines(process, wire, topic, corpus.lines, since: begin, limit)
        let records = try stage.broker.recordCount(topic)
        var fault = outcome.fault ?? outcome.end.fault
        if let known = fault {
            fault = known + (try Stage.lastWords(log).map { "; its last words: \($0)" } ?? "")
        }
        try stage.dropTopic(topic)
        try remove(directory)
        let run = Run(
            wallSeconds: outcome.wallSeconds, userSeconds: outcome.end.userSeconds,
            systemSeconds: outcome.end.systemSeconds, peakBytes: outcome.end.peakBytes,
            sentBytes: try wire.sent()?.bytes, records: records,
            fault: fault ?? Run.miscount(records, of: corpus.lines))
        return (run, command)
    }

    private struct Outcome {
        let end: ChildProcess.End
        let wallSeconds: Double
        let fault: String?
    }

    private func awaitEnd(
        _ process: ChildProcess, _ wire: Wire, since begin: Instant, _ limit: Double
    ) throws(MachineError) -> Outcome {
        while true {
            let end = try process.wait(milliseconds: wire.isBlind ? 2 : 20)
            try wire.look()
            let elapsed = Instant.now.secondsSince(begin)
            if let end { return Outcome(end: end, wallSeconds: elapsed, fault: nil) }
            if elapsed > limit {
                let end = try process.stop()
                return Outcome(end: end, wallSeconds: elapsed, fault: Self.tooSlow(limit))
            }
            try stage.progress.update("\(title) \(Number.fixed(elapsed, 1)) s")
        }
    }

    private func awaitLines(
        _ process: ChildProcess, _ wire: Wire, _ topic: String, _ lines: Int,
        since begin: Instant, _ limit: Double
    ) throws(MachineError) -> Outcome {
        while true {
            try wire.look()
            if let end = try process.wait(milliseconds: 20) {
                return Outcome(
                    end: end, wallSeconds: Instant.now.secondsSince(begin),
                    fault: "it ended by itself")
            }
            let count = try stage.broker.recordCount(topic)
            let elapsed = Instant.now.secondsSince(begin)
            if count >= lines {
                return Outcome(end: try process.stop(), wallSeconds: elapsed, fault: nil)
            }
            if elapsed > limit {
                let end = try process.stop()
                return Outcome(end: end, wallSeconds: elapsed, fault: Self.tooSlow(limit))
            }
            let share = Number.fixed(100 * Double(count) / Double(max(1, lines)), 0)
            try stage.progress.update("\(title) \(Number.fixed(elapsed, 1)) s, \(share) %")
        }
    }

    private static func tooSlow(_ limit: Double) -> String {
        "not done after \(Number.fixed(limit, 0)) s"
    }
}
