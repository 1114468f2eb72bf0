import Model
import Platform

/// Protected by the registry's inner lock: the state, the journal's end, and the changes of the one
/// that are not in the other yet.
///
/// A write that fails is no reason to stop the data path. The state keeps the change, and only
/// *which* files have unwritten changes is remembered, so this is bounded by the number of files
/// however long the disk is full. The next `sync` begins with those files' entries as they are
/// then; until it does, the data path does not try again with every change, which would cost it
/// more each time.
struct JournaledState: Sendable {
    var state: RegistryState
    var journal: Journal
    /// Files whose entry in the journal and snapshot is older than the one in `state`, or that
    /// left.
    private(set) var unwritten: Set<FileID> = []
    /// Something else is not written, or too much to catch up with, or what is on the disk cannot
    /// be trusted: only a new snapshot puts things right. Appending goes on meanwhile where it can,
    /// for what a kill -9 would repeat otherwise.
    private(set) var mustRewrite = false
    /// The changes that were unwritten when the snapshot that is being written was begun.
    private var inSnapshot: Unwritten?
    /// Why saving fails, and the observer knows; nil while it does not.
    private(set) var failure: SystemError?
    /// The journal may not grow past this while it cannot be compacted; nil while it can.
    private var journalBound: Int?
    /// No file is open any more; changes stay in memory.
    private(set) var isClosed = false
    /// Kept for its memory.
    private var lines = LineWriter()

    /// Entries written at once after a failure, under the lock; more are left to a new snapshot.
    private static let catchUpLimit = 1024

    /// A turn for the worse or for the better.
    enum Health: Hashable, Sendable {
        case failed(SystemError)
        case recovered
    }

    init(state: RegistryState, journal: Journal) {
        self.state = state
        self.journal = journal
    }

    /// A snapshot under way counts only once it is in place.
    var isWritten: Bool {
        unwritten.isEmpty && !mustRewrite && (inSnapshot?.isEmpty ?? true)
    }

    /// Files of which something is in memory only; those that a snapshot is being written of count.
    var unwrittenCount: Int {
        unwritten.count + (inSnapshot?.files.count { !unwritten.contains($0) } ?? 0)
    }

    /// A journal that cannot be compacted (its directory cannot be written to, or has no room for a
    /// snapshot) would grow for ever. At its bound changes stay in memory, as if they failed.
    private var isFull: Bool { journalBound.map { journal.length >= $0 } ?? false }

    /// Appends changes that `state` has taken.
    mutating func write(_ changes: [Change]) -> Health? {
        if changes.isEmpty { return nil }
        if unwritten.isEmpty && !isClosed && !isFull {
            lines.clear()
            for change in changes {
                lines.write(change, number: journal.sequence + lines.lines + 1)
            }
            do {
                try journal.append(lines)
                return nil
            } catch {
                remember(changes)
                return failed(error)
            }
        }
        remember(changes)
        return nil
    }

    /// Writes the entries that could not be written before.
    mutating func catchUp() -> Health? {
        guard !isClosed, !unwritten.isEmpty else { return nil }
        guard unwritten.count <= Self.catchUpLimit, !isFull else {
            mustRewrite = true
            return nil
        }
        lines.clear()
        for file in unwritten.sorted() {
            let change: Change = state.table[file].map { .seen($0) } ?? .gone(file)
            lines.write(change, number: journal.sequence + lines.lines + 1)
        }
        do {
            try journal.append(lines)
        } catch {
            return failed(error)
        }
        unwritten = []
        return recovered()
    }

    /// Changes that were not written when a snapshot was begun.
    private struct Unwritten: Sendable {
        let files: Set<FileID>
        let mustRewrite: Bool

        var isEmpty: Bool { files.isEmpty && !mustRewrite }
    }

    /// The state as it is now goes into a snapshot; appends go on as if it were written.
    mutating func beginSnapshot() {
        inSnapshot = Unwritten(files: unwritten, mustRewrite: mustRewrite)
        unwritten = []
        mustRewrite = false
    }

    /// The snapshot is in place and the journal goes on after it.
    mutating func endSnapshot() -> Health? {
        inSnapshot = nil
        journalBound = nil
        return recovered()
    }

    /// The snapshot was not written (`isInPlace` false), so what it should have contained is
    /// unwritten still; or it was, and the journal could not be shortened. The latter loses
    /// nothing, since the journal takes what comes, but it is told all the same: the disk has no
    /// room. Either way the next `sync` tries again, for nothing else would find out that the fault
    /// is over; until then the journal grows to `bound` and not further.
    mutating func endSnapshot(
        isInPlace: Bool, after error: SystemError, bound: Int
    ) -> Health? {
        if let taken = inSnapshot, !isInPlace { unwritten.formUnion(taken.files) }
        inSnapshot = nil
        mustRewrite = true
        journalBound = bound
        return failed(error)
    }

    /// After a failed fsync the kernel may have dropped what it could not write and call the next
    /// fsync a success, so what is on the disk is not to be trusted until it is written anew.
    mutating func distrust(after error: SystemError) -> Health? {
        mustRewrite = true
        return failed(error)
    }

    /// Something was written to the end.
    private mutating func recovered() -> Health? {
        guard failure != nil, isWritten else { return nil }
        failure = nil
        return .recovered
    }

    /// The files on the disk cannot be appended to as if nothing had happened.
    mutating func demandRewrite() { mustRewrite = true }

    mutating func close() { isClosed = true }

    private mutating func remember(_ changes: [Change]) {
        for change in changes {
            if let file = change.file { unwritten.insert(file) } else { mustRewrite = true }
        }
    }

    private mutating func failed(_ error: SystemError) -> Health? {
        defer { failure = error }
        return failure == nil ? .failed(error) : nil
    }
}
