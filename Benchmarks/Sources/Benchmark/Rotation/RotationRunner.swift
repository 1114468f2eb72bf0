import Machine

/// Lets a fast writer write, a contender read, and somebody rotate; then counts what there is.
struct RotationRunner {
    let stage: Stage
    let contender: Contender
    let rotator: Rotator
    let title: String
    /// Of a log that is due.
    let size: Int
    let rotations: Int
    /// Bytes a second.
    let rate: Int

    private static let name = "app.log"
    /// How often the archives are looked at.
    private static let look = 0.003
    /// What lasts longer is a fault.
    private static let patience = 120.0

    /// The run, and the command line of the agent.
    func run() throws(MachineError) -> (run: RotationRun, command: [String]) {
        let root = try stage.makeDirectory("logs")
        let log = "\(root)/\(Self.name)"
        let topic = try stage.makeTopic()
        let directory = try stage.makeDirectory("run")
        // All archives stay, to be counted.
        let keep = 4 * rotations + 8
        let command = try contender.prepare(
            Contender.Task(
                directory: directory, files: log, corpus: nil, topic: topic,
                broker: stage.broker.address, kind: stage.kind, once: false,
                inputKeys: rotator.inputKeys(size: size, keep: keep)))
        let lines = NumberedLines(seed: stage.options.seed)
        let writer = FastWriter(log, lines, bytesASecond: rate)
        let said = directory + "/output"
        let thread = try writer.start()
        let agent = try ChildProcess(command, output: .file(said), errors: .file(said))
        var turns = try Logrotate(rotator, log: log, directory: directory, size: size, keep: keep)

        var run = RotationRun()
        do {
            // Whatever comes of it: the writer fills the disk until it is told to stop.
            defer {
                writer.stop()
                thread.join()
            }
            run.fault = try watch(writer, agent, log, &turns, &run)
        }
        let end = writer.end
        if let fault = end.fault { throw fault }
        (run.waits, run.seconds) = (end.waits.sorted(), end.seconds)
        (run.lines, run.bytes) = (writer.lineCount, writer.bytes)
        try turns.finish()
        if run.fault == nil { run.fault = try rest(agent, root, topic, run.lines) }
        run.agentSeconds = run.fault == nil ? try agent.cpuSeconds() : 0
        switch rotator {
        case .agent: run.rotatorSeconds = try ThreadTime.seconds(of: "rotator", in: agent)
        case .logrotate: run.rotatorSeconds = turns.cpuSeconds
        case .nobody, .dropsALine, .repeatsALine: break
        }
        let ended = try agent.stop()
        run.records = try stage.broker.recordCount(topic)
        try spoil(log)
        try count(&run, root, lines)
        run.fault = run.fault ?? ended.fault
        if let fault = run.fault, let words = try Stage.lastWords(said) {
            run.fault = "\(fault); the agent's last words: \(words)"
        }
        try stage.dropTopic(topic)
        try remove(directory)
        try remove(root)
        return (run, command)
    }

    /// Until there were so many rotations; why there were not.
    private func watch(
        _ writer: FastWriter, _ agent: ChildProcess, _ log: String, _ turns: inout Logrotate,
        _ run: inout RotationRun
    ) throws(MachineError) -> String? {
        var newest: UInt64?
        var count = 0
        var lastBytes = 0
        // Sizes are looked at once a second.
        let most = (rotations + rotations / 2 + 4) * size + 4 * rate
        while true {
            let bytes = writer.bytes
            if writer.fault != nil { return nil }
            let archive = rotator.isRotating ? try FileGlance(log + ".1")?.inode : nil
            let isNew = rotator.isRotating ? archive != newest : bytes - lastBytes >= size
            // Of the writes before the first one, none saw a rotation.
            let isLast = count == rotations && bytes - lastBytes >= size / 2
            if isNew || isLast {
                let longest = Double(writer.takeLongest()) / 1e6
                if count > 0 { run.stalls.append(longest) }
                (newest, lastBytes) = (archive, bytes)
                count += 1
                try stage.progress.update("\(title): rotation \(count) of \(rotations)")
            }
            if isLast || count > rotations { return nil }
            // Fewer are a figure of the table, for the disk has room for so much.
            if bytes > most {
                return count > 1 ? nil : "no rotation of \(Number.grouped(bytes)) bytes"
            }
            if let end = try agent.wait(milliseconds: 0) {
                return "it ended, \(end.fault ?? "with 0")"
            }
            try turns.look()
            Instant.now.advanced(bySeconds: Self.look).sleep()
        }
    }

    /// Waits until all has arrived that is to, and no rotation is under way; why that is not so.
    private func rest(
        _ agent: ChildProcess, _ root: String, _ topic: String, _ lines: Int
    ) throws(MachineError) -> String? {
        let begin = Instant.now
        var last = -1
        var changed = begin
        while true {
            if let end = try agent.wait(milliseconds: 200) {
                return "it ended, \(end.fault ?? "with 0")"
            }
            let records = try stage.broker.recordCount(topic)
            if records != last { (last, changed) = (records, .now) }
            // What was lost does not arrive.
            let isThere =
                rotator.isLossless
                ? records >= lines : Instant.now.secondsSince(changed) > 5
            let isCalm = try entries(root).allSatisfy { !$0.hasPrefix(".shipper-") }
            let left = try FileGlance("\(root)/\(Self.name)")?.allocatedBytes ?? 0
            let isRotated = left < size + (1 << 20) || rotator == .logrotate || !rotator.isRotating
            if isThere, isCalm, isRotated { return nil }
            try stage.progress.update("\(title): \(records) of \(lines) lines have arrived")
            guard Instant.now.secondsSince(begin) < Self.patience else {
                return "after \(Int(Self.patience)) s \(records) of \(lines) lines have arrived, "
                    + "and the log has \(left) bytes"
            }
        }
    }

    private func count(
        _ run: inout RotationRun, _ root: String, _ lines: NumberedLines
    ) throws(MachineError) {
        var kept = KeptLines(lines, written: run.lines)
        for name in KeptLines.order(try entries(root), log: Self.name) {
            let hasHole = rotator == .agent(method: "punch") && name == Self.name
            try kept.take("\(root)/\(name)", hasHole: hasHole)
        }
        kept.end()
        (run.lost, run.repeated, run.torn) = (kept.lost, kept.repeated, kept.torn)
        guard rotator.isLossless else { return }
        run.fault = run.fault ?? kept.fault ?? Run.miscount(run.records, of: run.lines)
    }

    /// What a faulty rotator does: the second line of the log is left out, or there twice.
    private func spoil(_ log: String) throws(MachineError) {
        guard rotator.isFaulty else { return }
        let bytes = try readFile(log)
        guard let first = bytes.firstIndex(of: 0x0A),
            let second = bytes[(first + 1)...].firstIndex(of: 0x0A)
        else { return }
        let rest = bytes[(rotator == .dropsALine ? second + 1 : first + 1)...]
        let line = bytes[(first + 1)...second]
        try remove(log)
        let file = try OutputFile(log)
        let isTwice = rotator == .repeatsALine
        try file.append(Array(bytes[...first]) + (isTwice ? line : []) + rest)
    }
}
