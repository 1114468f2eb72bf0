import Model
import Patterns
import Platform
import Registry
import Tailer

/// Looks after entries that nobody follows: counts what is unread of files whose directory is gone
/// with everything in it, and has such entries leave; marks those that are out of reach; and
/// forgets those of files that are gone and that no pattern leads to. The Tailer does it for what
/// it reads; what is left for here are files of directories that went while no agent ran, or
/// before anything in them was opened. Used by one thread at a time.
///
/// Nothing is forgotten because it cannot be seen for a while:
///
/// - only files that this run has not opened, or has read to their ends before their directory
///   went, after every directory was scanned once: what was renamed with its directory has been
///   found under its new name by then;
/// - only where the directory is missing (ENOENT), and the nearest one above it that is left lies
///   on the file's own device. Where a volume is not mounted, its mount point, or what is above it,
///   lies on another one;
/// - only when the file's handle says that it was removed, or, where it says nothing, when two
///   looks in a row, minutes apart, see it so; and where the device is the one that it was on
///   (`VolumeNumbers`). What the handle leads to at another place stays until it is removed there.
///
/// A file that this run has read to its end and let go (`DeliveryLedger.isUnfollowed`) is decided
/// of here alone, also where its directory is there. Where its log has `archives`, it may have
/// become what lies there, and stays out of sight until its stream has found that.
///
/// What stays so, be there a pattern that leads to it or not, is out of sight for `longestAbsence`,
/// and of more than `most` such entries those stay that went last.
struct OutOfSightFiles: Sendable {
    private let registry: Registry
    private let ledger: DeliveryLedger
    private let volumes: VolumeNumbers
    private let told: @Sendable (Event) -> Void
    /// Whether nobody wants to know any more, and the registry is another's.
    var isOver: @Sendable () -> Bool = { false }
    private let inputs: [TailerInput]
    /// Where patterns begin, the longest first: of prefixes that lead to one directory the last one
    /// follows most links, and what is behind a link from there is so from each other one.
    private let prefixes: [String]
    /// Whether a path is looked at here.
    private let isMine: @Sendable (String) -> Bool
    /// Files that were out of sight at the last look.
    private var outOfSightBefore: Set<FileID> = []
    /// Once in a run it is said that positions are kept that nobody needs.
    private var hasToldKept = false

    /// News of a look.
    enum Event: Sendable {
        /// The same as the Tailer would have said.
        case tailer(TailerEvent)
        /// No pattern leads to a file, which is gone: nothing of it is lost that anybody wanted.
        case forgotten(FileEntry)
        /// No pattern leads to `files` files that are there, or may be; one of them is at `path`.
        case kept(files: Int, unread: Int, path: String)
    }

    /// A volume that is away for longer than that, nanoseconds, is sent again when it is back:
    /// disks of years must not fill the registry.
    static let longestAbsence: Int64 = 30 * 86_400_000_000_000
    /// Entries out of sight at a time: what is there has room beside them.
    static let most = 100_000
    private let most: Int
    /// Of the last look.
    private var ledStreams: Set<ExactText> = []
    /// Files that were out of sight for too long at the last look, or too many.
    private var overdue: Set<FileID> = []

    init(
        _ inputs: [TailerInput], registry: Registry, ledger: DeliveryLedger,
        most: Int = most, volumes: VolumeNumbers = .sure,
        isMine: @escaping @Sendable (String) -> Bool = { _ in true },
        told: @escaping @Sendable (Event) -> Void
    ) {
        self.most = most
        self.isMine = isMine
        self.registry = registry
        self.ledger = ledger
        self.volumes = volumes
        self.told = told
        self.inputs = inputs
        let prefixes = Set(inputs.flatMap { $0.prefixes + $0.archives.map(\.prefix) })
        self.prefixes = prefixes.sorted { ($0.utf8.count, $0) > ($1.utf8.count, $1) }
    }

    /// Looks at every entry whose file is not open: one lstat(2) for each, and for each directory.
    ///
    /// `isLast`: there will be no other look in this run, and what is out of sight is counted now.
    /// Its entry leaves when the next run sees it so. `now` is the time of day.
    mutating func look(isLast: Bool = false, now: Timestamp = .now()) {
        var places: [ExactText: DirectoryPlace] = [:]
        ledStreams = streamsLedTo()
        var round = Round(isLast: isLast)
        var outOfSight: [FileEntry] = []
        var kept = (files: 0, unread: 0, path: "")
        for entry in registry.entries() where !ledger.isFollowed(entry.file) && isMine(entry.path) {
            if isOver() { return }
            guard let directory = ExactText(entry.path).parent else { continue }
            let place = places[directory] ?? .of(directory, beneath: prefixes)
            places[directory] = place
            guard isRead(entry) else {
                switch fateOfForgotten(entry, place, directory, &round) {
                case .gone: continue
                case .outOfSight:
                    note(entry, isReachable: false)
                    outOfSight.append(entry)
                case .there: break
                }
                if kept.files == 0 { kept.path = entry.path }
                kept.files += 1
                kept.unread +|= entry.lag(size: entry.size)
                continue
            }
            switch place {
            case .there(let device):
                if isOutOfSight(entry, from: directory, on: device, &round) {
                    outOfSight.append(entry)
                }
            case .gone(let nearest, let device) where device == entry.identity.device:
                look(for: entry, from: nearest, &round)
                if round.outOfSight.contains(entry.file) { outOfSight.append(entry) }
            case .gone, .outOfReach:
                note(entry, isReachable: false)
                outOfSight.append(entry)
            }
        }
        letGo(outOfSight, now)
        outOfSightBefore = round.outOfSight
        if kept.files > 0, !hasToldKept {
            hasToldKept = true
            told(.kept(files: kept.files, unread: kept.unread, path: kept.path))
        }
    }

    /// The knowledge of one round through all entries, which is new for each.
    private struct Round {
        let isLast: Bool
        /// Files that are out of sight.
        var outOfSight: Set<FileID> = []
        /// The inode numbers that directories list.
        private var listed: [ExactText: PlaceLook<Set<UInt64>>] = [:]

        init(isLast: Bool) { self.isLast = isLast }

        /// Whether a directory has the file of `entry` under another name, or may have it.
        mutating func mayList(_ entry: FileEntry, in directory: ExactText) -> Bool {
            guard let place = FilePlace(saved: entry.path) else { return true }
            let inodes = listed[directory] ?? place.names().only { Set($0.keys) }
            listed[directory] = inodes
            switch inodes {
            case .found(let inodes): return inodes.contains(entry.identity.inode)
            case .other: return false
            // It went or hid meanwhile: the next look tells.
            case .missing, .unreachable: return true
            }
        }
    }

    /// Whether a pattern leads to the file or to its stream, or a link has in this run.
    private func isRead(_ entry: FileEntry) -> Bool {
        let paths = [entry.stream, entry.stream + "/current", entry.path]
        if paths.contains(where: { path in inputs.contains { $0.reads(path) } }) { return true }
        return mayBeLed(to: entry)
            && (ledger.isUnfollowed(entry.file) || ledStreams.contains(ExactText(entry.stream)))
    }

    /// Logs that links have led to in this run, and of which a file is followed.
    private func streamsLedTo() -> Set<ExactText> {
        guard inputs.contains(where: { !$0.linkRoots.isEmpty }) else { return [] }
        return Set(
            registry.entries().lazy.filter { ledger.isFollowed($0.file) }
                .map { ExactText($0.stream) })
    }

    /// Whether links may lead to the file or to its stream. Where none does, nobody reads it any
    /// more, and what goes with it unread is lost all the same.
    private func mayBeLed(to entry: FileEntry) -> Bool {
        [entry.stream, entry.path].contains { path in
            inputs.contains { $0.mayFollow(to: path) }
        }
    }

    // MARK: Files that patterns lead to

    /// The directory of an entry's file is gone.
    private func look(for entry: FileEntry, from nearest: [UInt8], _ round: inout Round) {
        let whereabouts = Whereabouts.of(entry, from: nearest)
        // What was told of in an earlier run was seen then.
        let wasOutOfSight = outOfSightBefore.contains(entry.file) || entry.state == .deleted
        switch whereabouts {
        case .removed where isSure(of: entry): leave(entry, whereabouts)
        case .unknown where wasOutOfSight && isSure(of: entry): leave(entry, whereabouts)
        case .at(let path, _) where inputs.contains { $0.reads(PathText.text(path)) }:
            // The reader finds it there, with its next scan.
            break
        case .at, .unknown, .removed:
            round.outOfSight.insert(entry.file)
            if wasOutOfSight || round.isLast {
                tell(entry, whereabouts)
            } else {
                note(entry, isReachable: false)
            }
        }
    }

    /// The directory of an entry's file is there. Whether its file is not: it is on another file
    /// system than the directory, or was moved to another directory. Then the entry stays until its
    /// handle says that it was removed. Of what was in sight all the time the Tailer finds out what
    /// became of it, but for what it has let go:
    ///
    /// 1. A rotated file that was read to its end is moved to where no pattern leads.
    /// 2. It is compressed there, and removed, before anybody looks.
    private func isOutOfSight(
        _ entry: FileEntry, from directory: ExactText, on device: UInt64, _ round: inout Round
    ) -> Bool {
        switch glance(at: entry, on: device) {
        case .found(let isReadable):
            note(entry, isReachable: isReadable)
            return false
        case .unreachable(let reason):
            note(entry, isReachable: false)
            return reason == .away
        case .other, .missing: break
        }
        let whereabouts = Whereabouts.of(entry, from: PathText.bytes(of: directory.text + "/."))
        if case .at(let path, _) = whereabouts, isArchive(PathText.text(path), of: entry) {
            ledger.unlessFollowed(entry.file, { stillStands(entry) }) { _ in
                registry.moved(entry.file, path: PathText.text(path), state: .archived)
            }
            return false
        }
        if ledger.isUnfollowed(entry.file), hasArchives(entry) {
            note(entry, isReachable: false)
            return true
        }
        switch whereabouts {
        case .at(let path, _):
            guard ExactText(PathText.text(path)).parent != directory else { return false }
            note(entry, isReachable: false)
            return true
        case .removed where !isSure(of: entry):
            note(entry, isReachable: false)
            return true
        case .removed:
            switch entry.state {
            case .unreachable, .deleted: leave(entry, whereabouts)
            case .active, .archived:
                if ledger.isUnfollowed(entry.file) { leave(entry, whereabouts) }
            }
            return false
        case .unknown:
            // What is unread of a `deleted` one was counted when its directory was listed, and it
            // was doubted then that this is its device.
            guard ledger.isUnfollowed(entry.file) || entry.state == .deleted,
                !round.mayList(entry, in: directory)
            else { return false }
            if outOfSightBefore.contains(entry.file), !round.isLast, isSure(of: entry) {
                leave(entry, whereabouts)
                return false
            }
            round.outOfSight.insert(entry.file)
            note(entry, isReachable: false)
            return true
        }
    }

    /// Whether its device is the one that it was on: this run has read it, or that is proven.
    private func isSure(of entry: FileEntry) -> Bool {
        ledger.isUnfollowed(entry.file) || volumes.isSure(of: entry, mayLook: isMine)
    }

    /// Whether files of the entry's log may go to where nobody looks until its next rotation. What
    /// became of them there is known by the entry alone:
    ///
    /// 1. A rotated file that was read to its end is moved there.
    /// 2. At night it is compressed there, and removed.
    /// 3. With the next rotation the log's stream finds the compressed one, which it would send
    ///    again.
    private func hasArchives(_ entry: FileEntry) -> Bool { !archives(of: entry).isEmpty }

    /// Whether a path lies where the entry's log has its rotated files. Such a file stays known
    /// there as long as it is on the disk:
    ///
    /// 1. A log is rotated once a month, and the earlier file compressed with the next rotation.
    /// 2. It is out of sight for longer than entries stay. What is made of it has another time, and
    ///    is newer than all that the log was read of.
    /// 3. Without its entry all of it would be sent again.
    private func isArchive(_ path: String, of entry: FileEntry) -> Bool {
        archives(of: entry).contains { $0.match(path) != nil }
    }

    private func archives(of entry: FileEntry) -> [PathPattern] {
        let live = [entry.stream, entry.stream + "/current"]
        return inputs.filter { input in
            live.contains { input.reads($0) || input.mayFollow(to: $0) }
        }.flatMap(\.archives)
    }

    /// Entries that have been out of sight for too long, or are too many, leave, if two looks see
    /// it so: a clock may be wrong for a moment. When such an entry changed last, it was found out
    /// of sight.
    private mutating func letGo(_ outOfSight: [FileEntry], _ now: Timestamp) {
        let surplus = outOfSight.count - most
        var seen: Set<FileID> = []
        let known = outOfSight.filter { $0.state == .unreachable || $0.state == .deleted }
            .sorted { ($0.updated, $0.file) < ($1.updated, $1.file) }
        for (index, entry) in known.enumerated()
        where index < surplus
            || now.nanoseconds -| entry.updated.nanoseconds > Self.longestAbsence
        {
            if overdue.contains(entry.file) {
                if isRead(entry) { leave(entry, .unknown) } else { _ = forget(entry, .unknown) }
            } else {
                seen.insert(entry.file)
            }
        }
        overdue = seen
    }

    /// Whether the file may be read, as far as a look without opening it tells; `device` is that of
    /// its directory. What became of one that is missing is the Tailer's to find out.
    private func glance(at entry: FileEntry, on device: UInt64) -> PlaceLook<Bool> {
        EntryLook.glance(entry)
            .only { _ in FileStatus.isReadable(at: PathText.bytes(of: entry.path)) }
            .unlessAway(entry.identity.device, .there(device: device))
    }

    private func note(_ entry: FileEntry, isReachable: Bool?) {
        guard let isReachable else { return }
        let live = [entry.stream, entry.stream + "/current"].map { ExactText($0) }
        let isLive = live.contains(ExactText(entry.path))
        let state: FileState
        switch entry.state {
        case .active, .archived:
            if isReachable { return }
            state = .unreachable
        case .unreachable, .deleted:
            if !isReachable { return }
            state = isLive ? .active : .archived
        }
        ledger.unlessFollowed(entry.file, { stillStands(entry) }) { _ in
            registry.moved(
                entry.file, path: entry.path, state: state,
                at: isReachable ? .now() : volumes.timeOfNote(on: entry))
        }
    }

    /// The entry as it is now; nil where what was found out is not about it any more. A look may
    /// hang for minutes:
    ///
    /// 1. The entry of a file is found that is half delivered; its directory is gone.
    /// 2. The reader finds the directory under another name, and delivers the rest of the file.
    /// 3. The file is removed, and its entry leaves, or is of another file since.
    /// 4. Nothing is lost, and by the entry as it was then half of the file would be.
    private func stillStands(_ entry: FileEntry) -> FileEntry? {
        guard let now = registry.entry(entry.file), now.identity == entry.identity,
            now.generation == entry.generation, ExactText(now.path) == ExactText(entry.path)
        else { return nil }
        return now
    }

    /// Counts what is unread of a file that is out of sight, once; its entry stays, should it come
    /// back.
    private func tell(_ entry: FileEntry, _ whereabouts: Whereabouts) {
        guard entry.state != .deleted else { return }
        var found: FileEntry?
        ledger.unlessFollowed(entry.file, { stillStands(entry) }) { now in
            found = now
            registry.moved(
                entry.file, path: entry.path, state: .deleted, at: volumes.timeOfNote(on: now))
        }
        guard let found else { return }
        let isRead = ledger.isUnfollowed(entry.file)
        for event in GoneFile.events(found, delivered: found.offset, whereabouts, isRead: isRead) {
            told(.tailer(event))
        }
    }

    private func leave(_ entry: FileEntry, _ whereabouts: Whereabouts) {
        let isRead = ledger.isUnfollowed(entry.file)
        // Whoever follows it by now reads it on.
        guard let gone = ledger.leaveUnlessFollowed(entry.file, { stillStands(entry) }) else {
            return
        }
        for event in GoneFile.events(gone, delivered: gone.offset, whereabouts, isRead: isRead) {
            told(.tailer(event))
        }
    }

    // MARK: Files that no pattern leads to

    /// The whereabouts of a file that nobody reads any more.
    private enum Fate { case there, outOfSight, gone }

    /// Has the entry leave of a file that nobody reads any more and that is gone. Without a handle
    /// that tells, it is so only when its directory is gone, too: it may have another name there.
    private func fateOfForgotten(
        _ entry: FileEntry, _ place: DirectoryPlace, _ directory: ExactText, _ round: inout Round
    ) -> Fate {
        let whereabouts: Whereabouts
        switch place {
        case .there(let device):
            switch glance(at: entry, on: device) {
            case .found(let isReadable):
                note(entry, isReachable: isReadable)
                return .there
            case .unreachable(.failed):
                note(entry, isReachable: false)
                return .there
            case .unreachable(.away): return .outOfSight
            case .other, .missing: break
            }
            whereabouts = Whereabouts.of(entry, from: PathText.bytes(of: directory.text + "/."))
            switch whereabouts {
            case .at(let path, _):
                let isBeside = ExactText(PathText.text(path)).parent == directory
                return isBeside ? .there : .outOfSight
            case .removed: break
            case .unknown:
                return round.mayList(entry, in: directory) ? .there : .outOfSight
            }
        case .gone(let nearest, let device):
            guard device == entry.identity.device else { return .outOfSight }
            whereabouts = Whereabouts.of(entry, from: nearest)
            switch whereabouts {
            case .at: return .outOfSight
            case .removed: break
            case .unknown:
                guard outOfSightBefore.contains(entry.file) else {
                    round.outOfSight.insert(entry.file)
                    return .outOfSight
                }
            }
        case .outOfReach: return .outOfSight
        }
        if isSure(of: entry), forget(entry, whereabouts) { return .gone }
        round.outOfSight.insert(entry.file)
        return .outOfSight
    }

    /// False where somebody follows it by now.
    private func forget(_ entry: FileEntry, _ whereabouts: Whereabouts) -> Bool {
        guard let left = ledger.leaveUnlessFollowed(entry.file, { stillStands(entry) }) else {
            return false
        }
        guard mayBeLed(to: left) else {
            told(.forgotten(left))
            return true
        }
        for event in GoneFile.events(left, delivered: left.offset, whereabouts, isRead: false) {
            told(.tailer(event))
        }
        return true
    }
}
