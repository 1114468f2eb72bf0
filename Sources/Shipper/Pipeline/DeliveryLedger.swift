import Kafka
import Model
import Platform
import Registry
import Synchronization

/// The records that are on their way: the only place where a delivery becomes a saved position and
/// credit comes back. Sendable; the reader thread enters those that it sends, the delivery poller
/// those that came through.
final class DeliveryLedger: Sendable {
    private struct State {
        var tracker = AckTracker()
        /// Files whose last name is gone; their entries leave with their last delivery.
        var gone: Set<FileID> = []
        /// Files that were read to their ends and are out of sight; those who look after entries
        /// that nobody follows may let them leave. What was sent of them stays known until then,
        /// should they be found.
        var unfollowed: Set<FileID> = []
        /// Files that the Tailer follows and that are delivered as far as they were read, which
        /// their entries say: they have no place in the tracker.
        var dormant: Set<FileID> = []

        mutating func end(_ file: FileID) {
            tracker.end(file)
            unfollowed.remove(file)
            dormant.remove(file)
        }

        /// The entry of a file that nobody follows, as far as that is delivered:
        ///
        /// 1. The last delivery of a file that is out of sight comes in, on the poller thread.
        /// 2. A look finds that the file is gone, and counts what its entry lacks as lost.
        /// 3. The delivery is saved; what it delivered was not lost.
        func delivered(_ entry: FileEntry?) -> FileEntry? {
            guard var entry else { return nil }
            // Nothing is on its way: what was sent is delivered.
            let end = tracker.takenEnd(entry.file, entry.generation)
            entry.offset = max(entry.offset, end ?? entry.offset)
            return entry
        }

        func isFollowed(_ file: FileID) -> Bool {
            guard tracker.watermark(file) != nil else { return dormant.contains(file) }
            return !unfollowed.contains(file) || tracker.outstanding(file) > 0
        }
    }
    private let state = Mutex(State())
    private let registry: Registry
    private let budget: InFlightBudget
    private let counters: Counters
    private let roomCameBack: @Sendable () -> Void
    private let allDelivered: @Sendable () -> Void

    /// On the poller thread, `roomCameBack` is called when a stream that was refused may be served,
    /// `allDelivered` when nothing is on its way.
    init(
        registry: Registry, budget: InFlightBudget, counters: Counters,
        roomCameBack: @escaping @Sendable () -> Void,
        allDelivered: @escaping @Sendable () -> Void
    ) {
        self.registry = registry
        self.budget = budget
        self.counters = counters
        self.roomCameBack = roomCameBack
        self.allDelivered = allDelivered
    }

    /// A file is opened whose saved position is `position`, `anchor` the bytes before it. Returns
    /// from where it is to be read.
    ///
    /// That is not the saved position when this run has read the file before:
    ///
    /// 1. s6-log renames `current` to `previous`, which is read to its end and closed; its records
    ///    are on their way.
    /// 2. s6-log gives it its archive's name, under which it is found and opened once more.
    /// 3. The saved position is behind by what is on its way. Read from there, that would be sent
    ///    twice, and the deliveries of the first time would count for the second.
    func begin(
        _ file: FileID, _ generation: GenerationID, at position: LogicalOffset, anchor: Anchor
    ) -> (position: LogicalOffset, anchor: Anchor) {
        state.withLock { state in
            state.gone.remove(file)
            state.unfollowed.remove(file)
            state.dormant.remove(file)
            if let end = state.tracker.takenEnd(file, generation) {
                return (end, state.tracker.anchor(of: file))
            }
            // What the content before this one had is no measure of what is missing of it:
            //
            // 1. A log grows to 100 kB, is overwritten by `>`, and has 3 kB at the next look.
            // 2. These are delivered, and saved with the size of the old content.
            // 3. The log is removed. 97 kB that never were would be counted as lost.
            state.tracker.begin(file, generation, at: position)
            state.tracker.note(file, anchor: anchor)
            return (position, anchor)
        }
    }

    /// Where the file is to be read on; nil when this run has not read it.
    func takenEnd(_ file: FileID, _ generation: GenerationID) -> LogicalOffset? {
        state.withLock { $0.tracker.takenEnd(file, generation) }
    }

    /// An entry as it will be when all that was read of its file is delivered.
    func taken(_ entry: FileEntry) -> FileEntry {
        state.withLock { state in
            guard let end = state.tracker.takenEnd(entry.file, entry.generation) else {
                return entry
            }
            var entry = entry
            entry.offset = max(entry.offset, end)
            entry.anchor = state.tracker.anchor(of: entry.file)
            return entry
        }
    }

    /// To be called before the batch goes to the producer, which may deliver it at once. `anchor`
    /// is the bytes before the range's end.
    func sent(_ file: FileID, _ generation: GenerationID, _ range: ByteRange, anchor: Anchor) {
        state.withLock { state in
            state.tracker.sent(file, generation, range)
            state.tracker.note(file, anchor: anchor)
        }
    }

    /// The file was read up to `end`, and what is behind the bytes that were sent is kept back, of
    /// an event that has not ended: a run that comes after this one reads that again. `anchor` is
    /// the bytes before `end`.
    func took(
        _ file: FileID, _ generation: GenerationID, upTo end: LogicalOffset, anchor: Anchor
    ) {
        state.withLock { state in
            state.tracker.took(file, generation, upTo: end)
            state.tracker.note(file, anchor: anchor)
        }
    }

    /// An open file ends at `size` now.
    func grew(_ file: FileID, size: PhysicalOffset) {
        state.withLock { $0.tracker.note(file, size: size) }
    }

    /// Where an open file ends is not known any more.
    func forgetSize(_ file: FileID) { state.withLock { $0.tracker.note(file, size: nil) } }

    /// Saves the size that a file had when it was last looked at.
    func saveSize(_ file: FileID) {
        if let size = state.withLock({ $0.tracker.size(of: file) }) { saveSize(file, size) }
    }

    /// Saves that a file ends at `size`, if that is news.
    func saveSize(_ file: FileID, _ size: PhysicalOffset) {
        guard let entry = registry.entry(file), entry.size != size else { return }
        registry.advance([
            Advance(
                file: file, generation: entry.generation, offset: entry.offset,
                anchor: entry.anchor, size: size)
        ])
    }

    /// Saves the sizes that files had when they were last looked at, so that the next run can tell
    /// how much is missing of one that is gone by then. After the last delivery.
    func saveSizes() {
        let sizes = state.withLock { $0.tracker.sizes }
        registry.advance(
            sizes.compactMap { file, size in
                guard let entry = registry.entry(file) else { return nil }
                return Advance(
                    file: file, generation: entry.generation, offset: entry.offset,
                    anchor: entry.anchor, size: size)
            })
    }

    /// Whether the file's entry has all that was read of it, and it is followed.
    func maySleep(_ file: FileID) -> Bool { state.withLock { maySleep(file, $0) } }

    private func maySleep(_ file: FileID, _ state: borrowing State) -> Bool {
        guard !state.gone.contains(file), !state.unfollowed.contains(file),
            state.tracker.outstanding(file) == 0, let entry = registry.entry(file),
            let end = state.tracker.takenEnd(file, entry.generation)
        else { return false }
        return end == entry.offset && state.tracker.anchor(of: file) == entry.anchor
    }

    /// The file is not read for now: where its entry has all that was read of it, it has no place
    /// here until it begins again. False where it has not.
    func sleeps(_ file: FileID) -> Bool {
        let size: PhysicalOffset?? = state.withLock { state in
            guard maySleep(file, state) else { return nil }
            let size = state.tracker.size(of: file)
            state.tracker.end(file)
            state.dormant.insert(file)
            return .some(size)
        }
        guard let size else { return false }
        // What was noted of it goes with its place.
        if let size { saveSize(file, size) }
        return true
    }

    /// Nobody follows a file that slept, and nothing is said of it.
    func forgetSleeper(_ file: FileID) { state.withLock { _ = $0.dormant.remove(file) } }

    /// Nothing more comes from this file, and no name leads to it.
    func leave(_ file: FileID) {
        let isDone = state.withLock { state in
            guard state.tracker.outstanding(file) > 0 else {
                state.end(file)
                return true
            }
            state.gone.insert(file)
            return false
        }
        if isDone { registry.gone(file) }
    }

    /// What was made of a file is known as it from now on: it does not leave.
    func stay(_ file: FileID) { state.withLock { _ = $0.gone.remove(file) } }

    /// Nothing more comes from this file, and where it is, if anywhere, is not known.
    func unfollow(_ file: FileID) {
        state.withLock { state in
            if state.tracker.watermark(file) != nil { state.unfollowed.insert(file) }
        }
    }

    /// Whether this run has opened the file, and it did not leave since, nor is out of sight with
    /// all of it delivered.
    func isFollowed(_ file: FileID) -> Bool { state.withLock { $0.isFollowed(file) } }

    /// Whether this run has read the file to its end, all of that is delivered, and the Tailer has
    /// let it go: it is out of sight, and nobody else decides what becomes of its entry.
    func isUnfollowed(_ file: FileID) -> Bool {
        state.withLock { $0.unfollowed.contains(file) && !$0.isFollowed(file) }
    }

    /// Lets the entry of a file leave that is gone, and returns it. Nil where somebody follows it
    /// by now, or where `standing`, which is asked meanwhile, has none.
    func leaveUnlessFollowed(_ file: FileID, _ standing: () -> FileEntry?) -> FileEntry? {
        state.withLock { state in
            guard !state.isFollowed(file), let entry = state.delivered(standing()) else {
                return nil
            }
            state.end(file)
            registry.gone(file)
            return entry
        }
    }

    /// Calls `body` with what `standing` has, unless that is nothing or this run follows the file;
    /// meanwhile it cannot. What is decided of a file that nobody follows must not hit one that
    /// somebody follows since:
    ///
    /// 1. A look finds that an entry's directory is gone.
    /// 2. The reader finds the file under another name, and its entry, and begins it.
    /// 3. The entry leaves; what is read from now on would be saved nowhere.
    func unlessFollowed(
        _ file: FileID, _ standing: () -> FileEntry?, _ body: (FileEntry) -> Void
    ) {
        state.withLock { state in
            if !state.isFollowed(file), let entry = state.delivered(standing()) { body(entry) }
        }
    }

    /// Every byte of the file before it is delivered, whether that is saved already or about to be;
    /// nil for one that is not followed.
    func delivered(_ file: FileID) -> LogicalOffset? {
        state.withLock { state in
            state.tracker.watermark(file)
                ?? (state.dormant.contains(file) ? registry.entry(file)?.offset : nil)
        }
    }

    /// Bytes of each file that were sent and are not delivered.
    var undelivered: [FileID: Int] { state.withLock { $0.tracker.undelivered } }

    /// Whether records are on their way of a file that is not there any more: none of them could be
    /// read again.
    var hasOnlyCopies: Bool {
        state.withLock { state in
            state.gone.contains { state.tracker.outstanding($0) > 0 }
                || state.unfollowed.contains { state.tracker.outstanding($0) > 0 }
        }
    }

    /// Whether records of the file are on their way.
    func isOutstanding(_ file: FileID) -> Bool {
        state.withLock { $0.tracker.outstanding(file) > 0 }
    }

    /// Whether bytes of the file were read that are not sent, of an event that has not ended.
    func isKeptBack(_ file: FileID) -> Bool { state.withLock { $0.tracker.isKeptBack(file) } }

    /// The entry of a file that is gone leaves with its last delivery, which is saved by now: who
    /// finds a file that is not followed may believe its entry. And only if it is gone still:
    ///
    /// 1. The last delivery of a file that is gone comes in, on the poller thread.
    /// 2. The reader finds the file once more, under another name, and its entry, and begins it.
    /// 3. Were the entry to leave now, what is read from now on would be saved nowhere.
    private func endIfDone(_ file: FileID) {
        state.withLock { state in
            guard state.tracker.outstanding(file) == 0, state.gone.remove(file) != nil else {
                return
            }
            state.end(file)
            registry.gone(file)
        }
    }

    /// Takes released batches, on the poller thread. What they deliver is in the journal before
    /// their credit is given back, so what a kill can repeat is bounded by the credit.
    func delivered(_ batches: [RecordBatch]) {
        var advances: [FileID: Advance] = [:]
        var left: [FileID] = []
        state.withLock { state in
            for batch in batches {
                batch.forEachPart { part in
                    guard let end = state.tracker.delivered(part.file, part.generation, part.range)
                    else { return }
                    // Batches of a stream are released in order, so the watermark is a part's end,
                    // and its anchor the bytes before it.
                    advances[part.file] = Advance(
                        file: part.file, generation: part.generation, offset: end,
                        anchor: end == part.range.end ? part.anchor : .none,
                        size: state.tracker.size(of: part.file))
                    if state.gone.contains(part.file) { left.append(part.file) }
                }
            }
        }
        registry.advance(Array(advances.values))
        for file in left { endIfDone(file) }
        // A batch without records, of empty lines, asks nothing of Kafka and says nothing of it.
        if batches.contains(where: { $0.count > 0 }) { counters.acknowledgedNow() }
        var wasRefused = false
        for batch in batches {
            var bytes = 0
            batch.forEachPart { bytes = bytes +| $0.range.count }
            counters.delivered(records: batch.count, bytes: bytes)
            if budget.giveBack(
                batch.stream, of: batch.lane.destination, batch.credit, isProof: batch.count > 0)
            {
                wasRefused = true
            }
        }
        if wasRefused { roomCameBack() }
        if budget.held == 0 { allDelivered() }
    }
}
