import Machine

/// A contender that follows files, and a consumer of all that it sends. From its start to its end in a
/// topic and directory of its own. One thread.
final class Trial {
    let command: [String]
    let process: ChildProcess
    let wire: Wire
    /// When the contender was started.
    let begin: Instant
    /// Records that came.
    private(set) var records = 0
    /// Why it is over before its time.
    private(set) var fault: String?

    private let stage: Stage
    private let title: String
    private let topic: String
    private let directory: String
    private let log: String
    private let consumer: StampedConsumer
    private var lastCame = Instant.now
    private var lastLook = Instant.now

    /// How long nothing at all may come while something is missing.
    private static let patience = 30.0

    /// Starts the contender on the files of the pattern. `title` stands before what is told of its
    /// progress.
    init(
        _ stage: Stage, _ contender: Contender, files: String, title: String
    ) throws(MachineError) {
        self.stage = stage
        self.title = title
        topic = try stage.makeTopic()
        directory = try stage.makeDirectory("run")
        log = directory + "/output"
        command = try contender.prepare(
            Contender.Task(
                directory: directory, files: files, corpus: nil, topic: topic,
                broker: stage.broker.address, kind: stage.kind, once: false))
        consumer = try StampedConsumer(
            stage.broker.address, topic: topic, partitions: stage.partitions, waitMilliseconds: 5)
        begin = .now
        process = try ChildProcess(command, output: .file(log), errors: .file(log))
        wire = Wire(process)
    }

    /// Waits a moment for records. False: there is no use in going on: the contender has ended, or
    /// nothing came for long although something is `due`.
    func take(
        due: Bool, _ progress: () -> String, _ each: (StampedConsumer.Arrival) -> Void
    ) throws(MachineError) -> Bool {
        try take(milliseconds: 20, each)
        let now = Instant.now
        if !due { lastCame = now }
        guard now.secondsSince(lastLook) > 0.1 else { return true }
        lastLook = now
        if let end = try process.wait(milliseconds: 0) {
            fault = "it ended, \(end.fault ?? "with 0")"
            return false
        }
        try wire.look()
        try stage.progress.update("\(title): \(progress())")
        return now.secondsSince(lastCame) < Self.patience
    }

    /// Stops the contender and takes what has come last; how many records the broker holds, and what
    /// went wrong so far.
    func finish(
        _ each: (StampedConsumer.Arrival) -> Void
    ) throws(MachineError) -> (records: Int, fault: String?) {
        let end = try process.stop()
        let held = try stage.broker.recordCount(topic)
        // What came twice may come last.
        lastCame = .now
        while records < held, Instant.now.secondsSince(lastCame) < Self.patience {
            try take(milliseconds: 100, each)
        }
        var fault = fault ?? end.fault
        if let known = fault {
            fault = known + (try Stage.lastWords(log).map { "; its last words: \($0)" } ?? "")
        }
        try stage.dropTopic(topic)
        try remove(directory)
        return (held, fault)
    }

    private func take(
        milliseconds: Int, _ each: (StampedConsumer.Arrival) -> Void
    ) throws(MachineError) {
        let before = records
        try consumer.take(milliseconds: milliseconds) { arrival in
            records += 1
            each(arrival)
        }
        if records > before { lastCame = .now }
    }
}
