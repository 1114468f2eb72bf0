import Machine

/// Lets a contender take up many files, and looks at it while nothing happens.
struct RestRunner {
    let stage: Stage
    let contender: Contender
    let tree: FileTree
    let settleSeconds: Double
    let restSeconds: Double

    private static let patience = 600.0

    func run() throws(MachineError) -> RestRun {
        let files = tree.files
        try stage.progress.update("\(contender.name): making \(Number.grouped(files)) files")
        let root = try stage.makeDirectory("files")
        try tree.make(root)

        let topic = try stage.makeTopic()
        let directory = try stage.makeDirectory("run")
        let command = try contender.prepare(
            Contender.Task(
                directory: directory, files: FileTree.pattern(root), corpus: nil, topic: topic,
                broker: stage.broker.address, kind: stage.kind, once: false))
        let log = directory + "/output"
        var expected = tree.lines
        let begin = Instant.now
        let process = try ChildProcess(command, output: .file(log), errors: .file(log))
        func arrive(_ what: String) throws(MachineError) -> Double {
            try awaitLines(process, topic, expected, "\(contender.name): \(what)", log)
        }
        _ = try arrive("first lines")
        let fillSeconds = Instant.now.secondsSince(begin)
        let fill = try ProcessFigures(process)

        try tree.append(1, to: 0..<files, root)
        expected += files
        let appendSeconds = try arrive("a line in each file")

        try rest(process, for: settleSeconds, "\(contender.name): settling")
        let before = try ProcessFigures(process)
        let restBegin = Instant.now
        try rest(process, for: restSeconds, "\(contender.name): at rest")
        let rested = Instant.now.secondsSince(restBegin)
        let figures = try ProcessFigures(process)

        try tree.append(1, to: files - 1..<files, root)
        expected += 1
        let wakeSeconds = try arrive("a line after the rest")
        let end = try process.stop()
        let records = try stage.broker.recordCount(topic)
        try stage.dropTopic(topic)
        try remove(directory)
        try remove(root)
        return RestRun(
            command: command, fillSeconds: fillSeconds, fillCPUSeconds: fill.cpuSeconds,
            appendSeconds: appendSeconds, restSeconds: rested,
            restCPUSeconds: figures.cpuSeconds - before.cpuSeconds, wakeSeconds: wakeSeconds,
            figures: figures, fault: end.fault ?? Run.miscount(records, of: expected))
    }

    /// Waits until the broker holds all that was written; the seconds that took.
    private func awaitLines(
        _ process: ChildProcess, _ topic: String, _ expected: Int, _ what: String, _ log: String
    ) throws(MachineError) -> Double {
        let begin = Instant.now
        while true {
            let count = try stage.broker.recordCount(topic)
            let elapsed = Instant.now.secondsSince(begin)
            if count >= expected { return elapsed }
            let arrived = "\(Number.grouped(count)) of \(Number.grouped(expected))"
            if elapsed > Self.patience {
                throw MachineError("\(what): \(arrived) lines after \(Int(Self.patience)) s")
            }
            if let end = try process.wait(milliseconds: 10) {
                let words = try Stage.lastWords(log) ?? ""
                throw MachineError("\(what): it ended, \(end.fault ?? "with 0"): \(words)")
            }
            try stage.progress.update("\(what): \(arrived)")
        }
    }

    private func rest(
        _ process: ChildProcess, for seconds: Double, _ what: String
    ) throws(MachineError) {
        let end = Instant.now.advanced(bySeconds: seconds)
        while Instant.now < end {
            let left = end.secondsSince(.now)
            try stage.progress.update("\(what), \(Number.fixed(left, 0)) s left")
            let pause = max(1, min(1_000, Int(left * 1_000)))
            guard try process.wait(milliseconds: pause) == nil else {
                throw MachineError("\(what): it ended")
            }
        }
    }
}

/// What a contender that knows many files did, at work and at rest.
struct RestRun: Sendable {
    let command: [String]
    /// From start to the last line of the first fill at the broker.
    let fillSeconds: Double
    let fillCPUSeconds: Double
    /// From a line appended to every file to the last of them at the broker.
    let appendSeconds: Double
    let restSeconds: Double
    let restCPUSeconds: Double
    /// From one line appended to the last file, after the rest, to the broker.
    let wakeSeconds: Double
    /// At the end of the rest.
    let figures: ProcessFigures
    let fault: String?

    var share: Double { restCPUSeconds / restSeconds }
}
