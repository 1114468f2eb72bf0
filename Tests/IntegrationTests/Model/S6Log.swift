import TestSupport

/// An s6 log directory as s6-log treats it, step by step.
final class S6Log {
    private unowned let run: ModelRun
    private let prefix: String
    private var lives = 0
    private var labels = 0
    private var current: LogLife?
    private var previous: LogLife?
    /// The name that `previous` has besides.
    private var linked: String?
    private var archives: [(name: String, life: LogLife)] = []

    init(_ run: ModelRun, _ prefix: String) {
        self.run = run
        self.prefix = prefix
    }

    private func path(_ name: String) -> String { run.agent.logs.path("svc/\(name)") }

    func apply(_ operation: Operation) throws {
        switch operation {
        case .s6Write(let lines): try openCurrent().write(lines, duty: .must, &run.book)
        case .s6BeginLine: try openCurrent().begin()
        case .s6EndLine: try current?.end(duty: .must, &run.book)
        case .s6Rotate:
            try beginRotation(recreates: true)
            try endRotation(unlinks: true)
        case .s6BeginRotation(let recreates): try beginRotation(recreates: recreates)
        case .s6EndRotation(let unlinks): try endRotation(unlinks: unlinks)
        case .s6Process: try process()
        case .s6Crash: try crash()
        case .s6Prune: try prune()
        default: preconditionFailure("\(operation) is not of s6")
        }
    }

    func finish() throws { current?.close() }

    private func openCurrent() throws -> LogLife {
        if let current { return current }
        if lives == 0 { try run.agent.logs.makeDirectory("svc") }
        lives += 1
        let life = LogLife(number: lives, stream: "\(prefix).svc")
        try life.open(path("current"), appends: true)
        current = life
        return life
    }

    private func label(_ end: String) -> String {
        labels += 1
        let number = String(labels, radix: 16)
        return "@400000006b03bb00" + String(repeating: "0", count: 8 - number.count) + number + end
    }

    private func beginRotation(recreates: Bool) throws {
        try endRotation(unlinks: true)
        guard let life = current else { return }
        // It rotates after the end of a line only.
        try life.end(duty: .must, &run.book)
        life.close()
        try rename(path("current"), path("previous"))
        previous = life
        current = nil
        if recreates { _ = try openCurrent() }
    }

    private func endRotation(unlinks: Bool) throws {
        guard let life = previous else { return }
        if linked == nil {
            let name = label(".s")
            try makeHardLink(path(name), to: path("previous"))
            archives.append((name, life))
            linked = name
        }
        guard unlinks else { return }
        try remove(path("previous"))
        previous = nil
        linked = nil
    }

    /// What a processor writes has no name of an archive before it is complete, and `previous` goes
    /// before it gets one. What it has left for its next run tells when it has run last.
    private func process() throws {
        if previous == nil { try beginRotation(recreates: true) }
        guard let life = previous, linked == nil else { return }
        try appendBytes([], to: path("newstate"))
        try ModelFiles.compress(path("previous"), to: path("processed"))
        try remove(path("previous"))
        try rename(path("newstate"), path("state"))
        let name = label(".s")
        try rename(path("processed"), path(name))
        archives.append((name, life))
        previous = nil
    }

    /// What a killed s6-log left unfinished, the next one gives its archive's name, with what there is
    /// of a line at its end.
    private func crash() throws {
        guard let life = current else { return }
        life.finalise(duty: .must, &run.book)
        life.close()
        try endRotation(unlinks: true)
        let name = label(".u")
        try makeHardLink(path(name), to: path("current"))
        archives.append((name, life))
        try remove(path("current"))
        current = nil
        _ = try openCurrent()
    }

    private func prune() throws {
        guard archives.first?.name != linked, !archives.isEmpty else { return }
        let archive = archives.removeFirst()
        try remove(path(archive.name))
        run.loseName(archive.life, "removed unread")
    }
}
