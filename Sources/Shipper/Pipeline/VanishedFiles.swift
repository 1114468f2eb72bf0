import Model
import Platform
import Registry
import Tailer

/// Looks after entries that nobody follows: counts what is unread of files whose directory is gone with everything
/// in it, and has such entries leave; marks those that are out of reach; and forgets those of files that are gone
/// and that no pattern leads to. The Tailer does it for what it reads; what is left for here are files of
/// directories that vanished while no agent ran, or before anything in them was opened. Used by one thread at a
/// time.
///
/// Nothing is forgotten because it cannot be seen for a while:
///
/// - only files that this run has not opened, or has read to their ends before their directory went, after
///   every directory was scanned once: what was renamed with its directory has been found under its new
///   name by then;
/// - only where the directory is missing (ENOENT), and the nearest one above it that is left lies on the file's own
///   device. Where a volume is not mounted, its mount point, or what is above it, lies on another one;
/// - only when the file's handle says that it was deleted, or, where it says nothing, when two looks in a row,
///   minutes apart, see it so. What the handle leads to at another place stays until it is deleted there.
struct VanishedFiles: Sendable {
    private let registry: Registry
    private let ledger: DeliveryLedger
    private let told: @Sendable (Event) -> Void
    private let inputs: [TailerInput]
    /// Whether a path is looked at here.
    private let isMine: @Sendable (String) -> Bool
    /// Files that were out of sight at the last look.
    private var missing: Set<FileID> = []
    /// Once in a run it is said that positions are kept that nobody needs.
    private var hasToldKept = false

    /// What is told.
    enum Event: Sendable {
        /// What the Tailer would have said.
        case tailer(TailerEvent)
        /// No pattern leads to a file, which is gone: nothing of it is lost that anybody wanted.
        case forgotten(FileEntry)
        /// No pattern leads to `files` files that are there, or may be; one of them is at `path`.
        case kept(files: Int, unread: Int, path: String)
    }

    /// What is so of a directory.
    private enum Place {
        case there
        /// Gone; of those above it this is the nearest one that is left, and its device.
        case gone(nearest: [UInt8], device: UInt64)
        case outOfReach
    }

    init(
        _ inputs: [TailerInput], registry: Registry, ledger: DeliveryLedger,
        isMine: @escaping @Sendable (String) -> Bool = { _ in true },
        told: @escaping @Sendable (Event) -> Void
    ) {
        self.isMine = isMine
        self.registry = registry
        self.ledger = ledger
        self.told = told
        self.inputs = inputs
    }

    /// Looks at every entry whose file is not open: one lstat(2) for each, and for each directory.
    ///
    /// `isLast`: there will be no other look in this run, and what is out of sight is counted now. Its entry
    /// leaves when the next run sees it so.
    mutating func look(isLast: Bool = false) {
        var places: [ExactText: Place] = [:]
        var gone: Set<FileID> = []
        var kept = (files: 0, unread: 0, path: "")
        for entry in registry.entries() where !ledger.isFollowed(entry.file) && isMine(entry.path) {
            guard let directory = ExactText(entry.path).parent else { continue }
            let place = places[directory] ?? Self.place(directory)
            places[directory] = place
            guard isRead(entry) else {
                if isForgotten(entry, place, &gone) { continue }
                if kept.files == 0 { kept.path = entry.path }
                kept.files += 1
                kept.unread +|= entry.lag(size: entry.size)
                continue
            }
            switch place {
            case .there: note(entry, isReachable: Self.isReachable(entry))
            case .gone(let nearest, let device) where device == entry.identity.device:
                look(for: entry, from: nearest, isLast: isLast, &gone)
            case .gone, .outOfReach: note(entry, isReachable: false)
            }
        }
        missing = gone
        if kept.files > 0, !hasToldKept {
            hasToldKept = true
            told(.kept(files: kept.files, unread: kept.unread, path: kept.path))
        }
    }

    /// Whether a pattern leads to the file or to its stream.
    private func isRead(_ entry: FileEntry) -> Bool {
        [entry.stream, entry.stream + "/current", entry.path].contains { path in
            inputs.contains { $0.reads(path) }
        }
    }

    private static func place(_ directory: ExactText) -> Place {
        var path = directory
        var isThere = true
        while true {
            do throws(SystemError) {
                // The dot lets a symbolic link that the input follows stand for its directory.
                let bytes = PathText.bytes(of: path.text + "/.")
                let status = try FileStatus.glance(at: bytes)
                return isThere ? .there : .gone(nearest: bytes, device: status.device)
            } catch {
                guard error.code == .notFound || error.code == .notDirectory,
                    let above = path.parent
                else { return .outOfReach }
                isThere = false
                path = above
            }
        }
    }

    // MARK: Files that patterns lead to

    /// The directory of an entry's file is gone.
    private func look(
        for entry: FileEntry, from nearest: [UInt8], isLast: Bool, _ gone: inout Set<FileID>
    ) {
        let whereabouts = GoneFile.whereabouts(of: entry.identity, from: nearest)
        // What was told of in an earlier run was seen then.
        let wasMissing = missing.contains(entry.file) || entry.state == .deleted
        switch whereabouts {
        case .deleted: leave(entry, whereabouts)
        case .unknown where wasMissing: leave(entry, whereabouts)
        case .at(let path, _) where inputs.contains { $0.reads(path) }:
            // The reader finds it there, with its next scan.
            break
        case .at, .unknown:
            gone.insert(entry.file)
            if wasMissing || isLast {
                tell(entry, whereabouts)
            } else {
                note(entry, isReachable: false)
            }
        }
    }

    /// Whether the file may be read, as far as a look without opening it tells; nil where another one,
    /// or none, has its name: what became of it is the Tailer's to find out.
    private static func isReachable(_ entry: FileEntry) -> Bool? {
        let path = PathText.bytes(of: entry.path)
        do throws(SystemError) {
            let status = try FileStatus.glance(at: path)
            guard status.inode == entry.identity.inode, status.device == entry.identity.device
            else { return nil }
            return FileStatus.isReadable(at: path)
        } catch {
            return error.code == .notFound ? nil : false
        }
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
        ledger.unlessFollowed(entry.file) {
            guard stillStands(entry) != nil else { return }
            registry.moved(entry.file, path: entry.path, state: state)
        }
    }

    /// The entry as it is now; nil where what was found out is not about it any more. A look may hang for
    /// minutes:
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

    /// Counts what is unread of a file that is out of sight, once; its entry stays, should it come back.
    private func tell(_ entry: FileEntry, _ whereabouts: Whereabouts) {
        guard entry.state != .deleted else { return }
        var found: FileEntry?
        ledger.unlessFollowed(entry.file) {
            guard let now = stillStands(entry) else { return }
            found = now
            registry.moved(entry.file, path: entry.path, state: .deleted)
        }
        guard let found else { return }
        for event in GoneFile.events(found, delivered: found.offset, whereabouts) {
            told(.tailer(event))
        }
    }

    private func leave(_ entry: FileEntry, _ whereabouts: Whereabouts) {
        // Whoever follows it by now reads it on.
        guard let gone = ledger.leaveUnlessFollowed(entry.file, { stillStands(entry) }) else {
            return
        }
        for event in GoneFile.events(gone, delivered: gone.offset, whereabouts) {
            told(.tailer(event))
        }
    }

    // MARK: Files that no pattern leads to

    /// Whether a file that nobody reads any more is gone, and its entry with it. Without a handle that tells,
    /// it is so only when its directory is gone, too: it may have another name there.
    private func isForgotten(_ entry: FileEntry, _ place: Place, _ gone: inout Set<FileID>) -> Bool
    {
        var whereabouts = Whereabouts.unknown
        switch place {
        case .there:
            guard Self.isReachable(entry) == nil, let directory = ExactText(entry.path).parent
            else {
                return false
            }
            whereabouts = GoneFile.whereabouts(
                of: entry.identity, from: PathText.bytes(of: directory.text + "/."))
            guard case .deleted = whereabouts else { return false }
        case .gone(let nearest, let device):
            guard device == entry.identity.device else { return false }
            whereabouts = GoneFile.whereabouts(of: entry.identity, from: nearest)
            switch whereabouts {
            case .at: return false
            case .deleted: break
            case .unknown:
                guard missing.contains(entry.file) else {
                    gone.insert(entry.file)
                    return false
                }
            }
        case .outOfReach: return false
        }
        guard let left = ledger.leaveUnlessFollowed(entry.file, { stillStands(entry) }) else {
            return false
        }
        told(.forgotten(left))
        return true
    }
}
