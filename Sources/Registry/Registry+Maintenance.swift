import Model
import Platform
import Synchronization

extension Registry {
    /// The journal may grow to this, or to twice the snapshot, before it is compacted: replaying it
    /// at start then costs at most about twice what reading the snapshot does.
    static let smallestJournalLimit = 8 << 20
    /// How often that limit the journal may have while it cannot be compacted.
    static let mostJournalLimits = 4
    /// Bytes copied into a new journal while appends wait for it; a fraction of a millisecond.
    private static let lastCopy = 64 << 10
    /// Rounds of copying while appends go on, before the rest is copied however much it is.
    private static let copyRounds = 8
    /// Nanoseconds; what takes less is tried again with every `sync`.
    private static let largeRewrite: Int64 = 100_000_000

    /// Forces the journal to the disk, and before that writes what could not be written. Advances
    /// go on meanwhile. Called each `registry.sync` on a thread that may wait for the disk.
    package func sync() { save(isLast: false) }

    /// Writes and forces all that is unsaved. A rewrite that failed a moment ago is tried again at
    /// once only where this is the last time.
    private func save(isLast: Bool) {
        let told = maintenance.withLock { maintenance in
            guard maintenance.lock != nil else { return Report() }
            let (health, mustRewrite) = journaled.withLock { journaled in
                (journaled.catchUp(), journaled.mustRewrite)
            }
            var report = Report()
            report.note(health)
            let mayRewrite = isLast || Clock.monotonicNanoseconds() >= maintenance.retryAt
            if mustRewrite, mayRewrite {
                report.add(rewrite(&maintenance))
            } else {
                report.add(synchronise(&maintenance))
            }
            return report
        }
        deliver(told)
    }

    /// Compacts when the journal has grown past its limit. Called after `sync`, on the same thread.
    package func compactIfDue() {
        let told = maintenance.withLock { maintenance in
            guard maintenance.lock != nil, Clock.monotonicNanoseconds() >= maintenance.retryAt
            else { return Report() }
            let length = journaled.withLock { $0.journal.length }
            return length > maintenance.journalLimit ? rewrite(&maintenance) : Report()
        }
        deliver(told)
    }

    /// Writes the state as a new snapshot and shortens the journal to what came after. Advances go
    /// on meanwhile but for the moments in which the state is looked at and the journal changes
    /// hands.
    package func compact() {
        let told = maintenance.withLock { maintenance in
            maintenance.lock == nil ? Report() : rewrite(&maintenance)
        }
        deliver(told)
    }

    /// Saves everything, forces it to the disk and lets go of the data directory. Changes that come
    /// later stay in memory. A second call does nothing.
    package func close() {
        save(isLast: true)
        maintenance.withLock { maintenance in
            journaled.withLock { $0.close() }
            maintenance.lock = nil
        }
    }

    /// News for the observer, to be told once no lock is held.
    struct Report: Sendable {
        fileprivate(set) var health: [JournaledState.Health] = []
        fileprivate(set) var synced: Int64?
        fileprivate(set) var compacted: (entries: Int, bytes: Int, nanoseconds: Int64)?

        mutating func note(_ change: JournaledState.Health?) {
            if let change { health.append(change) }
        }

        mutating func add(_ other: Report) {
            health += other.health
            synced = other.synced ?? synced
            compacted = other.compacted ?? compacted
        }
    }

    private func deliver(_ report: Report) {
        for health in report.health { tell(health) }
        if let nanoseconds = report.synced { observer.report(.synced(nanoseconds: nanoseconds)) }
        if let done = report.compacted {
            observer.report(
                .compacted(
                    entries: done.entries, bytes: done.bytes, nanoseconds: done.nanoseconds))
        }
    }

    private func synchronise(_ maintenance: inout Maintenance) -> Report {
        var report = Report()
        let journal = journaled.withLock { $0.journal }
        guard let file = journal.file else { return report }
        let mark = (file: ObjectIdentifier(file), length: journal.length)
        if let done = maintenance.synchronised, done == mark { return report }
        let began = Clock.monotonicNanoseconds()
        do {
            try witness.willTake(.synchronise(JournalFormat.journalName))
            try file.descriptor.synchronise()
        } catch {
            report.note(journaled.withLock { $0.distrust(after: error) })
            return report
        }
        maintenance.synchronised = mark
        report.synced = Clock.monotonicNanoseconds() - began
        return report
    }

    /// Writes a snapshot and shortens the journal. Where it fails, it is due again.
    func rewrite(_ maintenance: inout Maintenance) -> Report {
        let began = Clock.monotonicNanoseconds()
        let report = tryRewrite(&maintenance)
        let ended = Clock.monotonicNanoseconds()
        // A large one that fails and fails gets a tenth of the thread's time at the most.
        let waits = report.compacted == nil && ended - began > Self.largeRewrite
        maintenance.retryAt = waits ? ended + 10 * (ended - began) : .min
        return report
    }

    /// 1. The entries are copied (in constant time) with the number of the last record; appends go
    ///    on.
    /// 2. The snapshot is written, fsynced, renamed, the directory fsynced. A crash before the
    ///    rename leaves the old pair; a crash after it leaves a journal whose first records the
    ///    snapshot contains, and they are skipped.
    /// 3. What was appended since 1 is copied into a new journal beside the old one, which is
    ///    fsynced.
    /// 4. Under the inner lock the last few records are copied too. Whatever is appended from now
    ///    on goes into both journals.
    /// 5. The new journal is renamed into place, which may take 100 ms and more where others keep
    ///    the disk busy; so nobody waits for it. A crash leaves either, and both have everything.
    /// 6. What is appended goes into the new one alone. The directory is fsynced.
    ///
    /// An error at any step leaves files that are whole, and everything is tried again at the next
    /// `sync`.
    private func tryRewrite(_ maintenance: inout Maintenance) -> Report {
        var report = Report()
        let began = Clock.monotonicNanoseconds()
        let bound = Self.mostJournalLimits * maintenance.journalLimit
        let (content, journal) = journaled.withLock { journaled in
            journaled.beginSnapshot()
            let through = journaled.journal.sequence
            return (
                Snapshot.Content(journaled.state, version: version, through: through),
                journaled.journal
            )
        }
        do {
            if maintenance.hasNothing {
                try Self.beginJournal(
                    version: version, in: maintenance.folder.opened().descriptor, witness: witness)
                maintenance.hasNothing = false
            }
            maintenance.snapshotLength = try Snapshot.write(
                content, in: maintenance.folder.opened().descriptor, witness: witness)
        } catch {
            report.note(
                journaled.withLock { $0.endSnapshot(isInPlace: false, after: error, bound: bound) })
            return report
        }
        do {
            try replaceJournal(journal, in: maintenance.folder.opened().descriptor)
        } catch {
            report.note(
                journaled.withLock { $0.endSnapshot(isInPlace: true, after: error, bound: bound) })
            return report
        }
        do {
            try witness.willTake(.synchroniseDirectory)
            try maintenance.folder.opened().descriptor.synchronise()
        } catch {
            // A power cut may bring the old journal back, which ends where this one begins.
            report.note(
                journaled.withLock { journaled in
                    let ended = journaled.endSnapshot(isInPlace: true, after: error, bound: bound)
                    return journaled.distrust(after: error) ?? ended
                })
            return report
        }
        report.note(journaled.withLock { $0.endSnapshot() })
        report.compacted = (
            content.entries, maintenance.snapshotLength, Clock.monotonicNanoseconds() - began
        )
        return report
    }

    /// The first journal of all.
    static func beginJournal(
        version: Int, in directory: borrowing Descriptor, witness: any FileStepWitness
    ) throws(SystemError) {
        var header = LineWriter()
        header.write(JournalHeader(version: version, after: 0, at: .now()))
        try AtomicFile.replace(
            JournalFormat.journalName, in: directory, with: header.bytes, witness: witness)
    }

    /// Steps 3 to 5. `old` is the journal's end as the snapshot has it.
    private func replaceJournal(
        _ old: Journal, in directory: borrowing Descriptor
    ) throws(SystemError) {
        var file = try AtomicFile(JournalFormat.journalName, in: directory, witness: witness)
        var header = LineWriter()
        header.write(JournalHeader(version: version, after: old.sequence, at: .now()))
        try file.write(header.bytes)
        var length = header.bytes.count
        var copied = old.length
        for _ in 0..<Self.copyRounds {
            let end = journaled.withLock { $0.journal.length }
            if end - copied <= Self.lastCopy { break }
            try Self.copy(old.file, copied..<end, to: file)
            length += end - copied
            copied = end
        }
        try file.synchronise()
        let next = SharedDescriptor(try file.descriptor())
        try journaled.withLock { journaled throws(SystemError) in
            let end = journaled.journal.length
            try Self.copy(old.file, copied..<end, to: file)
            journaled.journal.accompany(next, length: length + end - copied)
        }
        do {
            try file.place()
        } catch {
            journaled.withLock { $0.journal.stayAlone() }
            throw error
        }
        journaled.withLock { $0.journal.succeed() }
    }

    private static func copy(
        _ source: SharedDescriptor?, _ range: Range<Int>, to file: borrowing AtomicFile
    ) throws(SystemError) {
        var position = range.lowerBound
        while position < range.upperBound, let source {
            let count = min(1 << 20, range.upperBound - position)
            let bytes = try source.descriptor.read(count: count, at: position)
            guard bytes.count == count else {
                // The file is shorter than what was written to it.
                throw SystemError("pread", path: JournalFormat.journalName, code: .inputOutput)
            }
            try file.write(bytes)
            position += count
        }
    }
}

/// Protected by the registry's outer lock: everything that waits for the disk.
struct Maintenance: ~Copyable, Sendable {
    let folder: RegistryFolder
    /// Nil after `close`.
    var lock: RegistryLock?
    /// Bytes of the snapshot on the disk.
    var snapshotLength: Int
    /// The journal's file and length that are known to be on the disk.
    var synchronised: (file: ObjectIdentifier, length: Int)?
    /// Neither file is there: the journal comes first, or a reader or a crash between the two would
    /// find a snapshot whose journal is missing.
    var hasNothing = false
    /// Monotonic; a compaction that failed is not tried again by itself before.
    var retryAt: Int64 = .min

    /// The journal is compacted when it has grown past this.
    var journalLimit: Int { max(Registry.smallestJournalLimit, 2 * snapshotLength) }
}
