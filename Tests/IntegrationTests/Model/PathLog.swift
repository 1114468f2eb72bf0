import Platform
import TestSupport

/// One file of the input's pattern with its rotations, and what the model says of its lines.
final class PathLog {
    private unowned let run: ModelRun
    private let name: String
    private let prefix: String
    private var lives = 0
    /// Under its own name.
    private var live: LogLife?
    /// Rotated away while its writer goes on.
    private var late: LogLife?
    /// Under a name outside of the pattern.
    private var away: LogLife?
    /// Newest first, by what they hold: `app.log.1`, `app.log.2`.
    private var archives: [Archive] = []
    private var moves = 0
    private var appends = true

    private struct Archive {
        enum Content {
            case file(LogLife)
            /// A copy, of a content that is there no more.
            case copy(LogLife)

            var life: LogLife {
                switch self {
                case .file(let life), .copy(let life): life
                }
            }

            var isCopy: Bool { if case .copy = self { true } else { false } }
        }
        let content: Content
        var isCompressed = false
    }

    init(_ run: ModelRun, name: String, _ prefix: String) {
        self.run = run
        self.name = name
        self.prefix = prefix
    }

    private var path: String { run.agent.logs.path(name) }
    private func archivePath(_ index: Int, _ archive: Archive) -> String {
        "\(path).\(index + 1)\(archive.isCompressed ? ".gz" : "")"
    }

    private func nextLife() -> LogLife {
        lives += 1
        let life = LogLife(
            number: lives, stream: "\(prefix).\(name.prefix { $0 != "." })",
            isCRI: run.agent.setting.isCRI, isMultiline: run.agent.setting.isMultiline)
        life.run = run.agent.isRunning ? run.agent.run : 0
        return life
    }

    private func openLive() throws -> LogLife {
        let life = live ?? nextLife()
        live = life
        try life.open(path, appends: appends)
        return life
    }

    // MARK: Writing

    func write(_ lines: Int, length: Int = 0) throws {
        try openLive().write(lines, length: length, duty: .must, &run.book)
    }

    func beginLine() throws { try openLive().begin() }

    func endLine() throws { try live?.end(duty: .must, &run.book) }

    func writeLate() throws {
        try late?.write(1, duty: run.duty(late), &run.book)
    }

    func closeLate() {
        late?.finalise(duty: run.duty(late), &run.book)
        late?.close()
        late = nil
    }

    /// Something takes the place of a file that was rotated away.
    func recreate() throws {
        if live == nil, !archives.isEmpty || away != nil { _ = try openLive() }
    }

    func writeInPlace() throws {
        appends = false
        live?.close()
        if live != nil { _ = try openLive() }
    }

    /// Nobody writes any more.
    func finish() throws {
        closeLate()
        // It is read to its end where it is, and may be seen without a writer before it is back.
        away?.finalise(duty: .may("its file was moved away"), &run.book)
        try moveBack()
        // The same of one that is back, where nobody has looked since.
        if let live, live.wasAway {
            live.finalise(duty: .may("its file was moved away, and back"), &run.book)
        }
        live?.close()
    }

    // MARK: Rotations

    /// 1. A log that no run has ever read is rotated away.
    /// 2. What was written to it before the run that is on is older than the agent, as far as it knows.
    private func leavePath(_ life: LogLife) {
        // Whose files are all gone is forgotten.
        let there = archives.map(\.content.life) + [live, late, away].compactMap { $0 }
        let isFollowed = there.contains { run.isKnown($0) }
        if isFollowed || (run.agent.isRunning && life.run == run.agent.run) { return }
        run.overlook(life, "rotated before any run has seen this log")
    }

    /// The run that is on ends: what it has not read of a log that it never found, none will.
    func stopped() {
        let there = archives.map(\.content.life) + [live, late, away].compactMap { $0 }
        if there.contains(where: { run.isKnown($0) }) { return }
        for archive in archives {
            run.overlook(archive.content.life, "rotated before any run has seen this log")
        }
    }

    /// Gives every archive the next number.
    private func shift() throws {
        for (index, archive) in archives.enumerated().reversed() {
            try rename(archivePath(index, archive), archivePath(index + 1, archive))
        }
    }

    func rotate(keepsWriter: Bool, recreates: Bool) throws {
        guard let life = live else { return }
        if !run.abilities.contains(.missedRotation), !run.isKnown(life) {
            run.overlook(life, "rotated before it was seen")
        }
        leavePath(life)
        closeLate()
        if keepsWriter {
            life.isLate = true
            late = life
        } else {
            life.close()
        }
        try shift()
        try rename(path, "\(path).1")
        archives.insert(Archive(content: .file(life)), at: 0)
        if !keepsWriter { life.finalise(duty: run.duty(life), &run.book) }
        live = nil
        if recreates { _ = try openLive() }
    }

    func copyTruncate(window: Bool) throws {
        guard let life = live else { return }
        leavePath(life)
        try shift()
        try ModelFiles.copy(path, "\(path).1")
        if run.abilities.contains(.copyTruncate) {
            archives.insert(Archive(content: .copy(life)), at: 0)
            if !run.abilities.contains(.missedRotation), !run.isKnown(life) {
                run.overlook(life, "copied before it was seen")
            }
        } else {
            archives.insert(Archive(content: .copy(nextLife())), at: 0)
            run.excuse(life, "truncated")
        }
        // What follows the beginning of a line ends it in the file, and not in the copy.
        let isWhole = life.pending.isEmpty
        life.finalise(duty: .may("it has no end"), &run.book)
        if window, isWhole { try life.write(1, duty: .may("written after the copy"), &run.book) }
        try empty(life)
    }

    func truncate() throws {
        guard let life = live else { return }
        life.finalise(duty: .may("it has no end"), &run.book)
        run.excuse(life, "truncated")
        try empty(life)
    }

    private func empty(_ life: LogLife) throws {
        run.mayLoseBytes = true
        let isSeen = run.isKnown(life)
        try ModelFiles.truncate(path)
        let next = nextLife()
        if appends || isSeen {
            life.handOver(to: next)
        } else {
            // Where less than a block was there, no hole tells that nobody wrote its zeros; only who
            // has seen what was there can know.
            life.close()
            try next.open(path, appends: true)
        }
        live = next
    }

    func compress() throws {
        guard let index = archives.lastIndex(where: { !$0.isCompressed }) else { return }
        let archive = archives[index]
        let life = archive.content.life
        // Whoever compresses a file that is being written to has lost what comes then.
        if late === life { closeLate() }
        try ModelFiles.compress(archivePath(index, archive))
        archives[index].isCompressed = true
        if run.abilities.contains(.compressedArchive) {
            // What is compressed is excluded: it is found as some log's earlier file or not at all.
            if life.isExcused, !run.isKnown(life) {
                run.excuse(life, "compressed before any run has seen it")
            }
            return
        }
        leave(archive.content, "compressed unread")
    }

    func prune() throws {
        guard let archive = archives.popLast() else { return }
        if late === archive.content.life { closeLate() }
        try remove(archivePath(archives.count, archive))
        leave(archive.content, "removed unread")
    }

    private func leave(_ content: Archive.Content, _ reason: String) {
        switch content {
        case .file(let life): run.loseName(life, reason)
        case .copy(let life): run.excuse(life, reason)
        }
    }

    // MARK: Other ways to go

    func delete() throws {
        guard let life = live else { return }
        try remove(path)
        leaveName(life, "deleted unread")
    }

    func replace() throws {
        let next = nextLife()
        let fresh = run.agent.logs.path("fresh")
        try next.open(fresh, appends: true)
        try next.write(2, duty: .must, &run.book)
        let life = live
        try rename(fresh, path)
        if let life { leaveName(life, "replaced unread") }
        live = next
    }

    private func leaveName(_ life: LogLife, _ reason: String) {
        // Its writer ends with it, and what it had begun is a line.
        life.finalise(duty: .must, &run.book)
        life.close()
        run.loseName(life, reason)
        live = nil
    }

    func moveAway() throws {
        // Another name of the pattern is no way out of it.
        guard let life = live, away == nil, !run.matchesArchives else { return }
        if !run.isKnown(life) { run.excuse(life, "moved away before it was seen") }
        try rename(path, "\(path).away")
        away = life
        live = nil
    }

    func moveBack() throws {
        guard let life = away, live == nil else { return }
        if lives > life.number {
            // It takes its place after what stood in it meanwhile.
            run.takeArrivals()
            run.book.release(life.lines)
            life.isLate = true
        }
        try rename("\(path).away", path)
        life.wasAway = true
        live = life
        away = nil
    }

    /// Not where a copy of what it held lies beside it: under its new name nobody looks for that, and the
    /// copy is a new file to whoever did not see it being made.
    func moveWithin() throws {
        guard let life = live, !archives.contains(where: \.content.isCopy) else { return }
        try endLine()
        moves += 1
        // It may be read as what it is named now, beside what takes its place.
        run.takeArrivals()
        run.book.release(life.lines)
        life.close()
        let base = name.prefix { $0 != "." }
        try rename(path, run.agent.logs.path("moved-\(base)-\(moves).log"))
        live = nil
    }
}
