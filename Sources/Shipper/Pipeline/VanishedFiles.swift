import Model
import Platform
import Registry
import Tailer

/// Lets entries leave whose directory is gone with everything in it, and marks those that are out of
/// reach. The Tailer does it for what it reads; what is left for here are files of directories that
/// vanished while no agent ran, or before anything in them was opened. Used by one thread at a time.
///
/// Nothing is forgotten because it cannot be seen for a while:
///
/// - only files that this run has not opened, or has read to their ends before their directory went, after
///   every directory was scanned once: what was renamed with its directory has been found under its new
///   name by then;
/// - only where the directory is missing (ENOENT), beneath a fixed prefix of the input that is there, and
///   the nearest directory above that is left lies on the file's own device. Where a volume is not
///   mounted, the prefix is missing, or the empty mount point lies on another device;
/// - only when two looks in a row, minutes apart, see it so.
struct VanishedFiles: Sendable {
    private let registry: Registry
    private let ledger: DeliveryLedger
    private let lost: @Sendable (FileEntry, ByteRange) -> Void
    private let vanished: @Sendable (FileEntry, Int) -> Void
    /// Fixed prefixes of the patterns of each input, by its name.
    private let prefixes: [String: [String]]
    /// Whether a path is looked at here.
    private let isMine: @Sendable (String) -> Bool
    /// Files that were gone at the last look.
    private var missing: Set<FileID> = []

    /// What is so of a directory.
    private enum Place {
        case there
        /// Gone, and this device is that of the nearest directory above.
        case gone(device: UInt64)
        case outOfReach
    }

    /// `lost` hears of bytes that were never read of a file whose entry leaves, `vanished` of one that may
    /// have had more than was ever seen, and of how much that was.
    init(
        _ inputs: [Settings.Input], registry: Registry, ledger: DeliveryLedger,
        lost: @escaping @Sendable (FileEntry, ByteRange) -> Void,
        vanished: @escaping @Sendable (FileEntry, Int) -> Void = { _, _ in },
        isMine: @escaping @Sendable (String) -> Bool = { _ in true }
    ) {
        self.isMine = isMine
        self.registry = registry
        self.ledger = ledger
        self.lost = lost
        self.vanished = vanished
        var prefixes: [String: [String]] = [:]
        for input in inputs {
            prefixes[input.name, default: []] += (input.paths + input.archives).map(\.prefix)
        }
        self.prefixes = prefixes
    }

    /// Looks at every entry whose file is not open: one lstat(2) for each, and for each directory.
    mutating func look() {
        var places: [ExactText: Place] = [:]
        var gone: Set<FileID> = []
        for entry in registry.entries() where !ledger.isFollowed(entry.file) && isMine(entry.path) {
            guard let prefix = prefix(of: entry), let directory = ExactText(entry.path).parent
            else { continue }
            let place = places[directory] ?? Self.place(directory, beneath: prefix)
            places[directory] = place
            switch place {
            case .there: note(entry, isReachable: Self.isReachable(entry))
            case .gone(let device) where device == entry.identity.device:
                if missing.contains(entry.file) { leave(entry) } else { gone.insert(entry.file) }
            case .gone, .outOfReach: note(entry, isReachable: false)
            }
        }
        missing = gone
    }

    /// The longest fixed prefix that its path lies beneath; nil where no input reads there any more,
    /// and nothing can be said of its volume.
    private func prefix(of entry: FileEntry) -> String? {
        prefixes[entry.input]?.filter { ExactText(entry.path).isBeneath($0) }
            .max { $0.utf8.count < $1.utf8.count }
    }

    private static func place(_ directory: ExactText, beneath prefix: String) -> Place {
        var path = directory
        var isThere = true
        while true {
            do throws(SystemError) {
                // The dot lets a symbolic link that the input follows stand for its directory.
                let status = try FileStatus.glance(at: PathText.bytes(of: path.text + "/."))
                return isThere ? .there : .gone(device: status.device)
            } catch {
                guard error.code == .notFound || error.code == .notDirectory,
                    path != ExactText(prefix), let above = path.parent
                else { return .outOfReach }
                isThere = false
                path = above
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
        guard let isReachable, isReachable == (entry.state == .unreachable) else { return }
        let live = [entry.stream, entry.stream + "/current"].map { ExactText($0) }
        let isLive = live.contains(ExactText(entry.path))
        let state: FileState = isReachable ? (isLive ? .active : .archived) : .unreachable
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

    private func leave(_ entry: FileEntry) {
        // Whoever follows it by now reads it on.
        guard let gone = ledger.leaveUnlessFollowed(entry.file, { stillStands(entry) }) else {
            return
        }
        let end = gone.base + gone.size
        if end > gone.offset { lost(gone, ByteRange(start: gone.offset, end: end)) }
        if gone.state == .active { vanished(gone, end) }
    }
}
