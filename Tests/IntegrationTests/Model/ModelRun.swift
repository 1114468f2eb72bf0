import TestSupport

/// One sequence on its way: what the steps act upon together. For one thread.
final class ModelRun {
    let agent: ModelAgent
    let abilities: Set<Ability>
    var book = LineBook()
    private let bench: ModelBench
    private let setting: ModelSetting
    private let patience: Duration
    private let prefix: String
    private var logs: [PathLog] = []
    private var s6: S6Log?
    /// Lives without a name: the run that is on has them open, and the next one will not.
    private var nameless: [LogLife] = []
    /// Bytes may be reported as lost though no line is.
    var mayLoseBytes = false

    /// Waits at most `patience` for what must come.
    init(
        _ bench: ModelBench, sequence: Int, abilities: Set<Ability>, setting: ModelSetting,
        patience: Duration
    ) throws {
        self.bench = bench
        self.abilities = abilities
        self.patience = patience
        prefix = "q\(sequence)"
        bench.begin(sequence)
        self.setting = setting
        agent = try ModelAgent(bench, sequence: sequence, setting: setting)
    }

    /// Runs the steps, and then waits for all that must come and ends everything. What was wrong, or
    /// nothing.
    func run(_ operations: [Operation]) throws -> [String] {
        logs = [0, 1].map { PathLog(self, name: "\($0 == 0 ? "app" : "other").log", prefix) }
        s6 = S6Log(self, prefix)
        for operation in operations {
            let isFine = try apply(operation)
            if !isFine || !book.complaints.isEmpty { break }
        }
        try end()
        return verdict()
    }

    private func end() throws {
        agent.resumeBroker()
        for log in logs { try log.finish() }
        try s6?.finish()
        try agent.start()
        guard try settle() else { return }
        let last = agent.run
        try agent.stop()
        var seen = 0
        try eventually(within: patience, "the consumer has read the last run's records") {
            let arrivals = takeArrivals()
            seen = book.count(ofRun: last)
            if arrivals == 0 { bench.wait() }
            return seen >= agent.delivered
        }
    }

    private func verdict() -> [String] {
        takeArrivals()
        var verdict = book.verdict + bench.faults
        if verdict.isEmpty, agent.bytesLost > 0, !book.hasExcuses, !mayLoseBytes {
            verdict.append("\(agent.bytesLost) bytes reported as lost, and nothing was")
        }
        return verdict
    }

    @discardableResult
    func takeArrivals() -> Int {
        let arrivals = bench.arrivals()
        for arrival in arrivals { book.arrived(arrival) }
        return arrivals.count
    }

    // MARK: Steps

    /// False when what must arrive did not.
    private func apply(_ operation: Operation) throws -> Bool {
        switch operation {
        case .start: try agent.start()
        case .stop: try stop { try agent.stop() }
        case .kill:
            try stop {
                if agent.isRunning { book.kill(run: agent.run) }
                try agent.kill()
            }
        case .settle: return try settle()
        case .glimpse: glimpse()
        case .pauseBroker: agent.pauseBroker()
        case .resumeBroker: agent.resumeBroker()
        case .touch:
            try agent.logs.append("notes", "not a log\n")
            try rename(agent.logs.path("notes"), agent.logs.path("notes.1"))
        case .write(let log, let lines): try logs[log].write(lines)
        case .writeLong(let log):
            try logs[log].write(1, length: ModelAgent.longestLine * 5 / 2)
        case .burst(let log): try logs[log].write(ModelAgent.credit / 600, length: 900)
        case .beginLine(let log): try logs[log].beginLine()
        case .endLine(let log): try logs[log].endLine()
        case .writeLate(let log): try logs[log].writeLate()
        case .closeLate(let log): logs[log].closeLate()
        case .writeInPlace(let log): try logs[log].writeInPlace()
        case .rotate(let log, let keeps, let recreates):
            try logs[log].rotate(keepsWriter: keeps, recreates: recreates)
        case .copyTruncate(let log, let window): try logs[log].copyTruncate(window: window)
        case .compress(let log): try logs[log].compress()
        case .prune(let log): try logs[log].prune()
        case .delete(let log): try logs[log].delete()
        case .replace(let log): try logs[log].replace()
        case .truncate(let log): try logs[log].truncate()
        case .moveAway(let log): try logs[log].moveAway()
        case .moveBack(let log): try logs[log].moveBack()
        case .moveWithin(let log): try logs[log].moveWithin()
        case .s6Write, .s6BeginLine, .s6EndLine, .s6Rotate, .s6BeginRotation, .s6EndRotation,
            .s6Process, .s6Crash, .s6Prune:
            try s6?.apply(operation)
        }
        return true
    }

    private func stop(_ body: () throws -> Void) throws {
        try body()
        takeArrivals()
        // What nobody has open and no name leads to is out of reach.
        for life in nameless { book.excuse(life.lines, "the last name was gone at a stop") }
        nameless = []
        for log in logs { log.stopped() }
    }

    /// Waits for everything that must come. False when it does not.
    private func settle() throws -> Bool {
        guard agent.isRunning else { return true }
        agent.resumeBroker()
        if !abilities.contains(.rotatedAwayOnly) {
            for log in logs { try log.recreate() }
        }
        let end = ContinuousClock.now + patience
        while true {
            takeArrivals()
            if !book.complaints.isEmpty { return false }
            if book.isComplete, agent.isQuiet {
                // What was acknowledged is saved before its credit comes back.
                if takeArrivals() == 0 { book.saved(run: agent.run) }
                return true
            }
            if ContinuousClock.now >= end { return false }
            bench.wait()
        }
    }

    /// Lets the reader come to the middle of something, or not.
    private func glimpse() {
        let before = agent.taken
        for _ in 0..<50 {
            if agent.taken != before { return }
            Turn.giveUp()
        }
    }

    // MARK: What becomes of a life

    /// The agent has it open in this run, as a line of it shows.
    func isHeld(_ life: LogLife) -> Bool {
        takeArrivals()
        // What is quiet may have been closed for want of descriptors.
        if setting.openFiles != nil { return false }
        return agent.isRunning && book.wasSent(life.lines, by: agent.run)
    }

    /// The agent has had it open in some run, so it is in the registry.
    func isKnown(_ life: LogLife) -> Bool {
        takeArrivals()
        return life.lines.contains { book.hasArrived($0) }
    }

    /// Its last name goes: what is unread can only come through a descriptor.
    func loseName(_ life: LogLife, _ reason: String) {
        if isHeld(life) {
            nameless.append(life)
        } else {
            excuse(life, reason)
        }
    }

    /// What is written to it now: it can be read if the file is known, whatever its name.
    func duty(_ life: LogLife?) -> LineBook.Duty {
        guard let life else { return .must }
        if life.isExcused { return .may("its file may be out of reach") }
        if isKnown(life) || abilities.contains(.missedRotation) { return .must }
        return .may("its file may not be known")
    }

    var matchesArchives: Bool { setting.matchesArchives }

    /// It is no longer where the agent would have found it as its log's. Where the pattern matches its
    /// new name it is a file of its own, and otherwise of no concern: if it is found all the same, it
    /// may come after what is newer.
    func overlook(_ life: LogLife, _ reason: String) {
        if matchesArchives { takeArrivals() } else { excuse(life, reason) }
        book.release(life.lines)
        life.isLate = true
        life.isExcused = true
    }

    /// What did not arrive may never do.
    func excuse(_ life: LogLife, _ reason: String) {
        takeArrivals()
        book.excuse(life.lines, reason)
        life.isExcused = true
        mayLoseBytes = true
    }
}
