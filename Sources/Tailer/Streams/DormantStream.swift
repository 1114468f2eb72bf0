import Model
import Platform

/// A log whose one file is read to its end, quiet and parked: what is known of both beside the
/// file's entry, in some two hundred bytes. A node has a hundred thousand of these, and the stream
/// and its file take five times as much, with what the output keeps for them.
///
/// Nothing is found out by it but whether anything happened to the file, which one call tells.
/// Whoever needs the stream makes it again (`StreamTable.wake`), and it is what it was. So what can
/// happen to a quiet log is told where it is told of streams, and nowhere here.
/// Lives on the reader thread.
final class DormantStream {
    let id: StreamID
    let input: Int
    /// The name in its directory.
    let liveName: [UInt8]
    let captures: [String: String]
    /// The link that a pattern matched; nil where it matched the file.
    let link: String?
    /// The directory that it was found in, while that is part of the tree.
    private(set) weak var node: DirectoryNode?
    let file: FileID
    /// The inode that its name leads to.
    let key: InodeKey
    /// Of its directory, which there are file systems whose files do not have.
    let directoryDevice: UInt64?
    let rest: TailedFile.Rest
    /// Where its entry stood, and from where on its bytes were there: with another of either it is
    /// not what it was.
    private let position: PhysicalOffset
    private let base: Base
    /// When the content of its newest file had changed last as that was taken up.
    let newest: FileTime
    let lastGrowth: MonotonicTime
    let note: SleepNote

    /// It waits for a look, whatever it is due for.
    var isHinted = false
    /// It was made a stream again, and stands for nothing.
    var isAwake = false
    /// When it is looked at next; never while a watch tells of it.
    var due = MonotonicTime.never
    /// Interval of the next poll, nanoseconds.
    var interval: Int64
    /// One-shot watch on its file.
    var watch: Inotify.Watch?
    /// The watch is from after that many overflows.
    var watchEpoch = 0

    init(
        _ stream: LogStream, _ file: TailedFile, _ rest: TailedFile.Rest, _ saved: SavedFile,
        newest: FileTime, in node: DirectoryNode, _ note: SleepNote
    ) {
        id = stream.id
        input = stream.input
        liveName = stream.liveName
        captures = stream.captures
        link = stream.link
        self.node = node
        directoryDevice = node.inode?.device
        self.file = file.id
        key = file.key
        self.rest = rest
        (position, base) = (saved.position, saved.base)
        self.newest = newest
        lastGrowth = stream.lastGrowth
        interval = stream.interval
        self.note = note
    }

    /// Whether its entry is that of the file which it stands for, as it was then.
    ///
    /// 1. A quiet log is compressed. What was made of it has its entry from then on.
    /// 2. As that file the log would be read on, and each of the two would move the other's
    ///    position.
    func isDescribed(by saved: SavedFile) -> Bool {
        saved.identity.inode == key.inode && saved.identity.device == key.device
            && saved.position == position && saved.base == base && !saved.isArchived
    }

    /// Nothing happened to its file since it was looked at last, as `TailedFile.isUnchanged` has
    /// it.
    func isUnchanged(in node: DirectoryNode) -> Bool {
        guard case .found(let status) = FilePlace.glance(at: node.bytes(of: liveName)) else {
            return false
        }
        return isUnchanged(status)
    }

    /// The same of what was found under its name.
    func isUnchanged(_ status: FileStatus) -> Bool {
        status.inode == key.inode && status.device == key.device
            && status.size == rest.size && status.changed == rest.changed
    }
}

/// Something with one file that a one-shot watch may tell of.
protocol WatchedLog: AnyObject {
    var watch: Inotify.Watch? { get }
    /// The directory that the watch is counted in.
    var watchedIn: DirectoryNode? { get }
    /// The watch is gone.
    func forgetWatch()
}

extension LogStream: WatchedLog {
    func forgetWatch() {
        watch = nil
        watchedIn = nil
    }
}

extension DormantStream: WatchedLog {
    var watchedIn: DirectoryNode? { node }
    func forgetWatch() { watch = nil }
}
