package import Model
package import Platform
import Synchronization

/// The durable map from a file's identity to how far it is delivered. Sendable; any thread.
///
/// Two locks:
///
/// - `journaled` holds the state and the journal's end. Under it a change is taken and its line is
///   appended by one write(2) into the page cache. That is I/O under a lock, and on purpose: the
///   order of lines must be the order of changes, and a change must be in the journal before its
///   caller gives the credit back. Nothing slower than write(2) or a cutting ftruncate(2) happens
///   there; never an fsync, so an advance waits for other advances only.
/// - `maintenance` lets one thread at a time fsync, compact or close. The data path never takes it.
///   Who holds it may take `journaled` for a moment, never the other way round.
///
/// The observer is called without either.
package final class Registry: Sendable {
    /// Path of the data directory.
    package let directory: String
    /// The findings of the opening, damage included.
    package let recovery: RecoverySummary

    let journaled: Mutex<JournaledState>
    let maintenance: Mutex<Maintenance>
    let observer: any RegistryObserver
    let witness: any FileStepWitness
    /// Mints the ids of this opening.
    let generation: Generation
    /// Of content that is new: nothing was removed from it. Tests have another one, by which they
    /// find who mixes up logical and physical offsets.
    let newBase: Base
    /// Of the format, in which both files are written.
    let version: Int

    init(
        directory: String, recovery: RecoverySummary, journaled: JournaledState,
        maintenance: consuming Maintenance, observer: any RegistryObserver,
        witness: any FileStepWitness, generation: Generation = .random(),
        newBase: Base = .none, version: Int = JournalFormat.oldestVersion
    ) {
        self.directory = directory
        self.recovery = recovery
        self.journaled = Mutex(journaled)
        self.maintenance = Mutex(maintenance)
        self.observer = observer
        self.witness = witness
        self.generation = generation
        self.newBase = newBase
        self.version = version
    }

    /// False while something is in memory only because it could not be written.
    package var isWritten: Bool { journaled.withLock { $0.isWritten } }

    /// True after damage until `settled`: whatever is not known here may have been lost, so it is
    /// read from its beginning, also with `start: end`.
    package var mustStartAtBeginning: Bool {
        journaled.withLock { $0.state.mustStartAtBeginning }
    }

    /// Every input's first scan is complete: what was lost by damage has been found again.
    package func settled() { change { _ in [.settled] } }

    /// Whether the first scan of this input was ever completed. `start: end` is for the files found
    /// in that scan alone.
    package func inputIsKnown(_ name: String) -> Bool {
        journaled.withLock { $0.state.inputs.contains(name) }
    }

    /// The first scan of this input is complete. Once in an input's life this writes a snapshot, on
    /// the calling thread: were it in the journal alone, a power cut could take it away and with
    /// `start: end` skip what was written between.
    package func inputScanned(_ name: String) {
        guard !inputIsKnown(name) else { return }
        change { _ in [.input(name)] }
        compact()
    }

    /// The entry of an opened file. `head` is its first 1024 bytes, or all where it is shorter.
    package func find(identity: FileIdentity, head: [UInt8]) -> FileMatch {
        let candidates = journaled.withLock { $0.state.table.candidates(for: identity) }
        let match = FileMatch.among(candidates, identity: identity, head: head)
        guard case .same(let entry) = match, entry.cut != nil else { return match }
        // An agent died while its front was removed, and nobody could look at it since. The archive
        // is there, and nobody else knows that all of it is delivered.
        return settleCut(entry.file, head: head, keepsArchive: true).map { .same($0.entry) }
            ?? match
    }

    /// Entries whose inode number another file has now: their own file is no longer on the disk.
    package func displaced(by identity: FileIdentity) -> [FileEntry] {
        journaled.withLock { $0.state.table.candidates(for: identity) }
            .filter { $0.identity.inode == identity.inode && !$0.identity.agrees(with: identity) }
    }

    /// Enters a file that `find` does not know. Its generation is minted, and the entry is in the
    /// journal when this returns, or in memory where nothing can be written (`isWritten`).
    package func see(_ new: NewFile) -> FileEntry {
        change { journaled in
            let file = journaled.state.fresh
            let entry = FileEntry(
                file: file, input: new.input, stream: new.stream, path: new.path,
                identity: new.identity, fingerprint: new.fingerprint,
                generation: generation.mint(new.identity, file, count: 0), generationCount: 0,
                base: newBase, offset: newBase.logical(new.offset), anchor: .none, size: new.size,
                state: new.state, updated: .now())
            return (entry, [.seen(entry)])
        }
    }

    /// Saves how far files are delivered, all in one write. What is of an older generation, of a
    /// file that left, or behind the saved position changes nothing; the number of advances that
    /// did change something is returned.
    @discardableResult
    package func advance(_ advances: [Advance]) -> Int {
        let now = Timestamp.now()
        return change { journaled in
            var changes: [Change] = []
            changes.reserveCapacity(advances.count)
            for advance in advances { changes.append(.advance(advance, at: now)) }
            return changes
        }
    }

    /// The head of a file that was short is longer now; its fingerprint grows with it. A head that
    /// does not begin with what the fingerprint covers changes nothing.
    package func headGrew(_ file: FileID, head: [UInt8]) {
        guard let entry = entry(file), entry.fingerprint.length < Fingerprint.longest,
            entry.fingerprint.length < head.count, entry.fingerprint.matches(head: head)
        else { return }
        let grown = Fingerprint.of(head: head)
        change { _ in [.head(file, entry.generation, grown, at: .now())] }
    }

    /// The file was found under another path, or what may happen to it changed. A `time` other than
    /// now says that nobody saw the file itself (`VolumeNumbers.timeOfNote`).
    package func moved(
        _ file: FileID, path: String, state: FileState, at time: Timestamp = .now()
    ) {
        change { _ in [.moved(file, path: path, state: state, at: time)] }
    }

    /// The file is another stream's from now on.
    package func joined(_ file: FileID, stream: String) {
        change { journaled in
            guard var entry = journaled.state.table[file] else { return [] }
            entry.stream = stream
            entry.updated = .now()
            return [.seen(entry)]
        }
    }

    /// The file's content was replaced: a new generation, read from 0. The new entry, or nil where
    /// the file is not known (any more).
    package func truncated(
        _ file: FileID, identity: FileIdentity, fingerprint: Fingerprint
    ) -> FileEntry? {
        change { journaled in
            guard var entry = journaled.state.table[file] else { return (nil, []) }
            entry.identity = identity
            entry.fingerprint = fingerprint
            entry.generationCount = OutsideNumber.count(entry.generationCount +| 1)
            entry.generation = generation.mint(identity, file, count: entry.generationCount)
            entry.base = newBase
            entry.offset = entry.base.start
            entry.anchor = .none
            entry.size = .start
            entry.cut = nil
            entry.updated = .now()
            return (entry, [.truncated(entry)])
        }
    }

    /// The bytes behind `offset` of the file's content were rewritten: a new generation that goes
    /// on there, all before being delivered. The new entry, or nil where the file is not known (any
    /// more).
    package func rewritten(
        _ file: FileID, from offset: LogicalOffset, anchor: Anchor, fingerprint: Fingerprint,
        size: PhysicalOffset
    ) -> FileEntry? {
        change { journaled in
            guard var entry = journaled.state.table[file] else { return (nil, []) }
            entry.fingerprint = fingerprint
            entry.generationCount = OutsideNumber.count(entry.generationCount +| 1)
            entry.generation = generation.mint(
                entry.identity, file, count: entry.generationCount)
            entry.offset = offset
            entry.anchor = anchor
            entry.size = size
            entry.cut = nil
            entry.updated = .now()
            return (entry, [.truncated(entry)])
        }
    }

    /// The file begins otherwise than it was known to, in what is not delivered yet.
    package func headChanged(_ file: FileID, to fingerprint: Fingerprint) {
        change { journaled in
            guard var entry = journaled.state.table[file] else { return [] }
            entry.fingerprint = fingerprint
            entry.updated = .now()
            return [.seen(entry)]
        }
    }

    /// The file's content was replaced by `live`'s, and what it was is in another inode now: the
    /// entry goes there with its generation and its position, and the live inode gets a new one.
    /// Both are in the journal by one write. Nil where the file is not known (any more).
    package func continued(
        _ file: FileID, in copy: FileIdentity, path: String, size: PhysicalOffset,
        live: NewFile
    ) -> (copy: FileEntry, live: FileEntry)? {
        change { journaled in
            guard var entry = journaled.state.table[file] else { return (nil, []) }
            let count = OutsideNumber.count(entry.generationCount +| 1)
            let number = journaled.state.fresh
            let fresh = FileEntry(
                file: number, input: live.input, stream: live.stream, path: live.path,
                identity: live.identity, fingerprint: live.fingerprint,
                generation: generation.mint(live.identity, number, count: count),
                generationCount: count, base: newBase, offset: newBase.logical(live.offset),
                anchor: .none, size: live.size, state: live.state, updated: .now())
            entry.relocate(to: copy, path: path, size: size)
            return ((entry, fresh), [.seen(entry), .seen(fresh)])
        }
    }

    /// The file's content, all of it, is in another inode now: it was compressed, moved from one
    /// file system to another, or replaced by its like (`active`: that one is written to). Nil
    /// where the file is not known (any more).
    package func relocated(
        _ file: FileID, to identity: FileIdentity, path: String, size: PhysicalOffset,
        state: FileState = .archived
    ) -> FileEntry? {
        change { journaled in
            guard var entry = journaled.state.table[file] else { return (nil, []) }
            entry.relocate(to: identity, path: path, size: size)
            entry.state = state
            return (entry, [.seen(entry)])
        }
    }

    /// Files that begin as `head` does, as far as that is known of them: those that are known, and
    /// those that left lately.
    package func files(beginningAs head: [UInt8]) -> (known: [FileEntry], departed: [FileEntry]) {
        let lengths = journaled.withLock { journaled in
            journaled.state.table.lengthsOfBeginnings
                .union(journaled.state.departed.lengthsOfBeginnings)
        }
        let beginnings = Beginnings(of: head, lengths: lengths)
        return journaled.withLock { journaled in
            (
                journaled.state.table.entries(beginningAs: beginnings),
                journaled.state.departed.entries(beginningAs: beginnings)
            )
        }
    }

    /// The content of a file, which is known or left lately, is in another inode now, that of a
    /// file of `stream`: it was compressed under that one's name. It ends at `size`, or where that
    /// `mayGrow` behind what was read. Nil where nothing is known of it.
    package func inherited(
        _ file: FileID, by identity: FileIdentity, stream: String, path: String,
        size: PhysicalOffset, mayGrow: Bool, state: FileState
    ) -> FileEntry? {
        change { journaled in
            guard var entry = journaled.state.table[file] ?? journaled.state.departed[file] else {
                return (nil, [])
            }
            let read = entry.base.physical(entry.offset)
            entry.relocate(
                to: identity, path: path, size: mayGrow ? max(entry.size, size, read + 1) : size)
            entry.stream = stream
            entry.state = state
            return (entry, [.seen(entry)])
        }
    }

    /// The devices of these files have other numbers now, and the files are the same. Their
    /// generations stay, which the old number is part of.
    package func renumbered(_ files: [FileID: FileIdentity]) {
        let now = Timestamp.now()
        change { journaled in
            files.compactMap { file, identity in
                guard var entry = journaled.state.table[file] else { return nil }
                entry.identity = identity
                entry.updated = now
                return .seen(entry)
            }
        }
    }

    /// Enters `entry` again if it has left since it was found.
    package func keep(_ entry: FileEntry) {
        change { journaled in journaled.state.table[entry.file] == nil ? [.seen(entry)] : [] }
    }

    /// The inode is gone and all its bytes are delivered or counted as lost.
    package func gone(_ file: FileID) { change { _ in [.gone(file)] } }

    /// One entry, or nil.
    package func entry(_ file: FileID) -> FileEntry? { journaled.withLock { $0.state.table[file] } }

    /// Every entry, by number.
    package func entries() -> [FileEntry] {
        let chunks = journaled.withLock { $0.state.table.chunks }
        return EntryTable.sorted(chunks)
    }

    /// The entries of one stream, by number.
    package func entries(ofStream stream: String) -> [FileEntry] {
        journaled.withLock { $0.state.table.entries(ofStream: stream) }
    }

    /// Takes the changes that `make` names and appends those that changed something.
    func change<R: Sendable>(_ make: (borrowing JournaledState) -> (R, [Change])) -> R {
        let (result, told, _) = journaled.withLock { journaled in
            let (result, changes) = make(journaled)
            let effective = changes.filter { journaled.state.apply($0) }
            return (result, journaled.write(effective), effective.count)
        }
        tell(told)
        return result
    }

    @discardableResult
    func change(_ make: (borrowing JournaledState) -> [Change]) -> Int {
        let (told, count) = journaled.withLock { journaled in
            let effective = make(journaled).filter { journaled.state.apply($0) }
            return (journaled.write(effective), effective.count)
        }
        tell(told)
        return count
    }

    /// Tells the observer that saving began to fail or works again.
    func tell(_ health: JournaledState.Health?) {
        switch health {
        case .failed(let error): observer.report(.writeFailed(unwritten(error)))
        case .recovered: observer.report(.writeRecovered)
        case nil: break
        }
    }

    func unwritten(_ error: SystemError) -> RegistryError {
        .unwritten(path: "\(directory)/\(JournalFormat.directoryName)", error)
    }
}
