import Model
import Platform
import Registry
import Rotator
import Settings
import Tailer

/// Compresses archives, and removes those that are too old or too many. One thread, which rotates
/// logs, too: so it packs a little at a time.
final class ArchiveKeeper {
    /// A log whose archives are looked after.
    struct Kept {
        let entry: FileEntry
        let input: Settings.Input
        let policy: ArchivePolicy
    }

    private let parts: RotationRun.Parts
    private let counters: Counters
    private let log: Log
    /// When the archives of a log are looked at; those of logs that are known.
    private var due: [FileID: Int64] = [:]
    private var job: Job?
    /// Archives that could not be compressed, by inode number: when they are tried again.
    private var failures: [UInt64: (until: Int64, pause: Int64)] = [:]
    private static let mostFailures = 10_000
    private static let longestPause: Int64 = 86_400_000_000_000
    /// A test has ended it as a kill would.
    private var isDead = false

    private struct Job {
        let packing: ArchivePacking
        let log: FileID
        let archive: FileEntry
        let directory: String
        let began: Int64
        var packed: FileEntry?
    }

    /// Between two looks at the archives of a log that is not rotated, nanoseconds.
    private static let interval: Int64 = 600_000_000_000
    /// The same where one could not be done.
    private static let pause: Int64 = 60_000_000_000
    /// The same of a log with more to compress, while another archive is.
    private static let whilePacking: Int64 = 5_000_000_000
    /// How long it packs before logs are looked at again, nanoseconds.
    private static let slice: Int64 = 100_000_000
    /// Bytes of an archive that are packed by one step.
    private static let piece = 1 << 20

    init(_ parts: RotationRun.Parts, _ counters: Counters, _ log: Log) {
        self.parts = parts
        self.counters = counters
        self.log = log
    }

    /// A log was rotated: its archives are looked at next.
    func rotated(_ file: FileID) { due[file] = .min }

    /// Looks after the archives of logs that are due. True where something is left to be done at
    /// once. `now` is monotonic, `wall` of the clock on the wall; `entries` are all there are.
    func look(
        _ logs: [Kept], among entries: [FileEntry], now: Int64, wall: Int64
    ) -> Bool {
        guard !isDead else { return false }
        if job != nil { goOn(now) }
        guard !isDead else { return false }
        let waiting = logs.filter { due[$0.entry.file] ?? .min <= now }
        guard !waiting.isEmpty else { return job != nil }
        if due.count > logs.count {
            let known = Set(logs.lazy.map(\.entry.file))
            due = due.filter { known.contains($0.key) }
        }
        var archives: [UInt64: [FileEntry]] = [:]
        for entry in entries { archives[entry.identity.inode, default: []].append(entry) }
        let until = Clock.monotonicNanoseconds() +| Self.slice
        for log in waiting {
            if parts.isOver() || Clock.monotonicNanoseconds() > until { return true }
            due[log.entry.file] = now +| keep(log, archives, now: now, wall: wall)
        }
        return job != nil
    }

    /// All that there is to do for these logs, at once.
    func finish(_ logs: [Kept], among entries: () -> [FileEntry]) {
        due = [:]
        while !parts.isOver(),
            look(
                logs, among: entries(), now: Clock.monotonicNanoseconds(),
                wall: Clock.wallNanoseconds())
        {}
    }

    /// This is the end of the run: what is packed by half goes.
    func stop() {
        guard let job, !isDead else { return }
        self.job = nil
        discard(job)
    }

    /// What would be done to the archives of a log.
    func plan(
        _ log: Kept, among entries: [FileEntry], wall: Int64
    ) throws(RotatedLog.Refusal) -> ArchivePlan {
        var archives: [UInt64: [FileEntry]] = [:]
        for entry in entries { archives[entry.identity.inode, default: []].append(entry) }
        let (place, shelf) = try open(log)
        return try plan(log, place, shelf, archives, wall: wall).plan
    }

    private func open(
        _ log: Kept
    ) throws(RotatedLog.Refusal) -> (RotationPlace, ArchiveShelf) {
        guard let place = RotationPlace(log.entry.path, log.input) else { throw .isOther }
        return (place, try ArchiveShelf(try place.openDirectory(), isRoot: ProcessContext.isRoot))
    }

    private func plan(
        _ log: Kept, _ place: RotationPlace, _ shelf: ArchiveShelf,
        _ known: [UInt64: [FileEntry]], wall: Int64
    ) throws(RotatedLog.Refusal) -> (plan: ArchivePlan, leftovers: [[UInt8]]) {
        do throws(SystemError) {
            let (archives, leftovers) = try shelf.archives(of: place.name)
            let plan = ArchivePlan(
                archives, log.policy, now: FileTime(nanoseconds: wall)
            ) { self.entry(of: $0, log, known) != nil }
            return (plan, leftovers)
        } catch {
            throw .failed(error)
        }
    }

    /// The entry of an archive that is known, final and delivered.
    private func entry(
        of archive: Archive, _ log: Kept, _ known: [UInt64: [FileEntry]]
    ) -> FileEntry? {
        let mine = (known[archive.inode] ?? []).filter {
            $0.identity.device == log.entry.identity.device
        }
        let isDone = mine.allSatisfy { $0.isDone(size: archive.bytes, isPacked: archive.isPacked) }
        return isDone ? mine.first : nil
    }

    /// Until it is looked at again, nanoseconds.
    private func keep(
        _ log: Kept, _ known: [UInt64: [FileEntry]], now: Int64, wall: Int64
    ) -> Int64 {
        var next = Self.interval
        do throws(RotatedLog.Refusal) {
            let (place, shelf) = try open(log)
            let (plan, leftovers) = try plan(log, place, shelf, known, wall: wall)
            for archive in plan.staying {
                self.log.fault(
                    .warn, key: "archive \(log.entry.path)",
                    "an archive is too old or too many, and stays: it is not delivered, or not known",
                    ["path": .text(path(archive.name, log))])
            }
            do throws(SystemError) {
                for name in leftovers where job == nil {
                    try apart(log, &next) { () throws(SystemError) in
                        try shelf.discard(leftover: name)
                    }
                }
                for task in plan.tasks {
                    switch task {
                    case .settle(let plain, let packed):
                        try apart(log, &next) { () throws(SystemError) in
                            try settle(plain, packed, log, shelf, known)
                        }
                    case .remove(let archive):
                        try apart(log, &next) { () throws(SystemError) in
                            try remove(archive, log, shelf, known)
                        }
                    case .compress(let archive):
                        // One at a time; the others of this log come with its next look.
                        if job != nil {
                            next = min(next, Self.whilePacking)
                            continue
                        }
                        guard let entry = entry(of: archive, log, known),
                            failures[archive.inode]?.until ?? .min <= now
                        else { continue }
                        do throws(SystemError) {
                            try begin(archive, entry, log, place, shelf, now)
                        } catch {
                            postpone(archive.inode, now)
                            if error.code != .again { failed(log.entry.path, "\(error)") }
                        }
                    }
                }
            } catch {
                throw .failed(error)
            }
        } catch {
            // A lock that another agent has for a moment is no fault.
            if case .failed(let error) = error, error.code == .again { return Self.pause }
            failed(log.entry.path, RotationObstacle.text(error))
            return Self.pause
        }
        return next
    }

    /// Does one of several things, none of which is to keep the others from being done. What
    /// another agent has locked for a moment is thrown.
    private func apart(
        _ log: Kept, _ next: inout Int64, _ body: () throws(SystemError) -> Void
    ) throws(SystemError) {
        do throws(SystemError) {
            try body()
        } catch {
            guard error.code != .again else { throw error }
            failed(log.entry.path, "\(error)")
            next = min(next, Self.pause)
        }
    }

    /// What failed is tried again after a time that doubles, up to a day.
    private func postpone(_ inode: UInt64, _ now: Int64) {
        if failures.count >= Self.mostFailures { failures = [:] }
        let pause = min(failures[inode].map { $0.pause *| 2 } ?? Self.interval, Self.longestPause)
        failures[inode] = (now +| pause, pause)
    }

    private func remove(
        _ archive: Archive, _ log: Kept, _ shelf: ArchiveShelf, _ known: [UInt64: [FileEntry]]
    ) throws(SystemError) {
        guard let entry = entry(of: archive, log, known),
            try shelf.remove(
                archive,
                mayGo: { (file, status) throws(SystemError) in
                    try self.isAsDelivered(archive, entry, log, file, status)
                })
        else { return }
        parts.registry.gone(entry.file)
        counters.archiveRemoved()
        self.log.info(
            "archive removed",
            [
                "path": .text(path(archive.name, log)), "bytes": .count(archive.bytes),
                "bytes_lost": .count(0),
            ])
    }

    /// The plain one of a pair goes, whose packed one has all of it.
    private func settle(
        _ plain: Archive, _ packed: Archive, _ log: Kept, _ shelf: ArchiveShelf,
        _ known: [UInt64: [FileEntry]]
    ) throws(SystemError) {
        guard let first = entry(of: plain, log, known),
            let second = entry(of: packed, log, known), first.hasContent(of: second)
        else { return }
        let isGone = try shelf.remove(plain) { (file, status) throws(SystemError) in
            guard try self.isAsDelivered(plain, first, log, file, status) else { return false }
            return try shelf.isThere(packed) { (file, status) throws(SystemError) in
                try self.isAsDelivered(packed, second, log, file, status)
            }
        }
        if isGone { parts.registry.gone(first.file) }
    }

    /// Whether a file is what was delivered, to its end: asked before it goes.
    private func isAsDelivered(
        _ archive: Archive, _ entry: FileEntry, _ log: Kept, _ file: borrowing Descriptor,
        _ status: FileStatus
    ) throws(SystemError) -> Bool {
        guard isDone(entry, status, isPacked: archive.isPacked) else { return false }
        if try entry.isContent(of: file, status, isPacked: archive.isPacked) { return true }
        self.log.fault(
            .warn, key: "content \(path(archive.name, log))",
            "an archive stays: what is in it is not what was delivered of it",
            ["path": .text(path(archive.name, log))])
        return false
    }

    private func isDone(_ entry: FileEntry, _ status: FileStatus, isPacked: Bool) -> Bool {
        guard let now = parts.registry.entry(entry.file), now.identity.hasNumbers(of: status)
        else { return false }
        return now.isDone(size: status.size, isPacked: isPacked)
    }

    private func path(_ name: [UInt8], _ log: Kept) -> String {
        "\(ExactText(log.entry.path).parent?.text ?? "")/\(PathText.text(name))"
    }

    private func failed(_ path: String, _ error: String) {
        log.fault(
            .error, key: "archive \(path)",
            "archives of a log could not be compressed or removed; nothing of them is lost",
            ["path": .text(path), "error": .text(error)])
    }

    // MARK: Packing

    private func begin(
        _ archive: Archive, _ entry: FileEntry, _ log: Kept, _ place: RotationPlace,
        _ shelf: ArchiveShelf, _ now: Int64
    ) throws(SystemError) {
        guard parts.free(try shelf.freeBytes()) > archive.bytes else {
            throw SystemError("write", code: .noSpace)
        }
        let packing = try ArchivePacking(archive, of: place.name, on: shelf) {
            (file, status) throws(SystemError) in
            try entry.isContent(of: file, status, isPacked: false)
        }
        guard let packing else { return }
        job = Job(
            packing: packing, log: log.entry.file, archive: entry,
            directory: ExactText(log.entry.path).parent?.text ?? "", began: now)
    }

    /// A slice of the archive that is being packed.
    private func goOn(_ now: Int64) {
        guard let job else { return }
        do throws(SystemError) {
            let until = Clock.monotonicNanoseconds() +| Self.slice
            while !parts.isOver() {
                guard try parts.mayPack(job.packing.step) else {
                    isDead = true
                    return
                }
                if try job.packing.goOn(Self.piece) {
                    try finish(job)
                    due[job.log] = .min
                    self.job = nil
                    return
                }
                if Clock.monotonicNanoseconds() > until { return }
            }
        } catch {
            giveUp(error, now)
        }
    }

    private func finish(_ job: Job) throws(SystemError) {
        let registry = parts.registry
        let packed = try job.packing.finish(
            mayTake: { (step) throws(SystemError) in
                let may = try self.parts.mayPack(step)
                if !may { self.isDead = true }
                return may
            },
            mayGo: { self.isDone(job.archive, $0, isPacked: false) },
            enter: { (file, status, name) throws(SystemError) in
                let entry = registry.packed(
                    job.archive.file, to: FileIdentity(of: file, status),
                    path: "\(job.directory)/\(PathText.text(name))")
                guard let entry else {
                    throw SystemError("packed", path: job.archive.path, code: .stale)
                }
                self.job?.packed = entry
                guard registry.force() else {
                    throw SystemError("fsync", path: "journal.jsonl", code: .inputOutput)
                }
            },
            confirm: { () throws(SystemError) in try self.confirm(job) })
        guard let packed else { return }
        // Its inode number may be another file's at once.
        registry.gone(job.archive.file)
        failures[job.packing.status.inode] = nil
        counters.archivePacked()
        log.info(
            "archive compressed",
            [
                "path": .text("\(job.directory)/\(PathText.text(packed))"),
                "bytes": .count(job.packing.status.size),
                "compressed_bytes": .count(job.packing.packedSize),
                "milliseconds": .count(
                    Int(clamping: (Clock.monotonicNanoseconds() - job.began) / 1_000_000)),
            ])
    }

    /// 1. A reader lists the directory, and stands still for a moment.
    /// 2. The packed file is entered, and gets its name.
    /// 3. The reader finds an entry that its list does not have, and has it leave as one of a file
    ///    that is gone. The packed file would be shipped as a new one.
    private func confirm(_ job: Job) throws(SystemError) {
        guard let packed = self.job?.packed else { return }
        let registry = parts.registry
        if let now = registry.entry(packed.file) {
            if now.state == .archived, now.path == packed.path { return }
            registry.moved(packed.file, path: packed.path, state: .archived)
        } else {
            self.job?.packed = registry.packed(
                job.archive.file, to: packed.identity, path: packed.path)
        }
        guard self.job?.packed != nil, registry.force() else {
            throw SystemError("packed", path: packed.path, code: .stale)
        }
    }

    private func giveUp(_ error: SystemError, _ now: Int64) {
        guard let job else { return }
        self.job = nil
        postpone(job.packing.status.inode, now)
        due[job.log] = .min
        discard(job)
        // It changed its name, or another agent has the directory.
        guard error.code != .again, error.code != .stale else { return }
        failed(job.archive.path, "\(error)")
    }

    private func discard(_ job: Job) {
        do throws(SystemError) {
            // Its entry leaves only where nothing has it: else it is what was packed.
            if try job.packing.giveUp(), let packed = job.packed {
                parts.registry.gone(packed.file)
            }
        } catch {
            failed(job.archive.path, "\(error)")
        }
    }
}
