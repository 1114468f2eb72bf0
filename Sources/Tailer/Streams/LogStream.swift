import Model
import Platform

/// One logical log over time: an s6 log directory, or a path with its rotated predecessors.
/// Lives on the reader thread.
final class LogStream {
    enum Kind {
        /// `current` and its archives in one directory.
        case s6
        /// One path.
        case path
    }

    let id: StreamID
    let kind: Kind
    /// The saved name: the directory of an s6 log, or the path.
    let name: String
    /// The name in the directory that the pattern matched: `current`, or the file's.
    let liveName: [UInt8]
    let input: Int
    let captures: [String: String]
    /// The link that a pattern matched, for people; nil where it matched the file.
    let link: String?
    /// The directory that it was found in, while that is part of the tree.
    weak var node: DirectoryNode?

    /// Files that are being read, open or parked, in the order of their content; the live one, if
    /// any, is the last.
    var files: [TailedFile] = [] { didSet { countEarlier() } }
    /// A look has told the output which saved files are still there.
    var isReconciled = false
    /// An s6 log directory has a file that an earlier run has not seen: what comes after that is
    /// none of its files.
    var isPastSaved = false
    /// The directory, or the path's last name, is gone; the stream ends with its last open file.
    var isOrphan = false
    /// More of its rotated files are to be read than were taken up at once.
    var hasMoreRotated = false

    /// The file that was live last, as far as it was taken up.
    var newest: Newest?
    /// When an earlier run saved anything of it last, or before, as files have it; until its live
    /// file is taken up.
    var savedTime = FileTime.min
    /// What is known of files beside those that it reads; nil while that is nothing.
    private(set) var surroundings: Surroundings?
    /// A log that is renamed in more ways is no longer learnt from.
    private static let mostShapes = 16

    struct Newest {
        let inode: UInt64
        /// When its content changed last.
        var modified: FileTime
        let birth: FileTime?
    }

    /// An inode number comes back; its file's last change does not.
    struct Stamp: Hashable {
        let inode: UInt64
        let modified: FileTime
        let size: Int

        init(_ status: FileStatus) {
            inode = status.inode
            modified = status.modified
            size = status.size
        }
    }

    /// A file that needs no descriptor any more, known by the inode behind its name.
    struct ClosedFile {
        let identity: FileIdentity
        let id: FileID
        /// Its time when it held what was read of it and no more, if that was seen.
        var modified: FileTime?

        var inode: UInt64 { identity.inode }

        /// Whether what a compressor has made of it, which gives that its time, may hold more than
        /// was read. Where it keeps whole seconds alone (bzip2), it always may.
        func mayHaveGrown(before archive: FileStatus) -> Bool {
            modified.map { $0 != archive.modified } ?? false
        }
    }

    /// A file whose content may be found again where a compressor has put it.
    struct FileAwaitingCopy {
        let id: FileID
        let identity: FileIdentity
        let path: String
        /// The bytes that were not read of it.
        let unread: ByteRange?
        /// Why that was not read.
        let reason: LossReason
        /// It was read to an end that was its last one.
        let isRead: Bool
        /// Where it was read to, and the bytes before that.
        let end: PhysicalOffset
        let anchor: [UInt8]
    }

    /// The place that the stream has in the loop. It is in one at a time.
    enum Attention: Hashable {
        /// In the queue of those that may have bytes to read.
        case ready
        /// Has bytes, and the output no room for them.
        case starved
        /// Looked at again at `due`.
        case polled(due: MonotonicTime)
        /// Quiet; a watch wakes it.
        case watched
        /// Nothing to be expected.
        case resting
    }
    var attention = Attention.resting
    /// One-shot watch on the live file, and which file that was.
    var watch: Inotify.Watch?
    var watchedFile: FileID?
    /// The watch is from after that many overflows.
    var watchEpoch = 0
    /// The directory that it is counted in.
    weak var watchedIn: DirectoryNode?
    /// Interval of the next poll, nanoseconds.
    var interval: Int64 = 0
    /// It is asked later on whether it may be dormant (`Dormancy`).
    var awaitsSleep = false
    /// The last sweep that it was put down for.
    var sweptAt = MonotonicTime.zero
    /// Turns in which bytes came since it was last read to its end: with more than one it grows
    /// faster than a look takes.
    var movesInRow = 0
    /// Until then its live file is about to be truncated.
    var expectsTruncationUntil = MonotonicTime.zero
    /// When bytes last came.
    var lastGrowth = MonotonicTime.zero

    private let earlierFiles: EarlierCount
    /// What it has added to that.
    private var counted = 0

    /// `earlierFiles`: what all streams of its reader have before their last files.
    init(
        id: StreamID, kind: Kind, name: String, liveName: [UInt8], input: Int,
        captures: [String: String], link: String? = nil,
        earlierFiles: EarlierCount = EarlierCount()
    ) {
        self.id = id
        self.kind = kind
        self.name = name
        self.liveName = liveName
        self.input = input
        self.captures = captures
        self.link = link
        self.earlierFiles = earlierFiles
    }

    deinit { earlierFiles.total -= counted }

    private func countEarlier() {
        let now = max(0, files.count - 1)
        earlierFiles.total += now - counted
        counted = now
    }

    /// All that is known of its files was taken, but for the beginning of a line.
    var isAllRead: Bool {
        earlier == nil && !hasMoreRotated
            && files.allSatisfy {
                ($0.position >= $0.end || $0.continuesToWait) && !$0.isReplaced && !$0.isInDoubt
            }
    }

    func keepSurroundings() -> Surroundings {
        if let surroundings { return surroundings }
        let made = Surroundings()
        surroundings = made
        return made
    }

    /// Nothing happens to it for a while: what it does not need has no room of its own.
    func settle() {
        if let surroundings, surroundings.isBlank { self.surroundings = nil }
    }

    /// A file was closed under this name, or has it by now. Another one that had it and was not
    /// followed to its new name yet stays known, by what is no name:
    ///
    /// 1. A file is read to its end as `previous`. A processor has made an archive of it that was
    ///    not looked at yet.
    /// 2. The next one is read to its end as `previous`.
    func keep(_ file: ClosedFile, as name: [UInt8]) {
        if let earlier = closed[name], earlier.id != file.id {
            closed[name + Array("/\(earlier.id.number)".utf8)] = earlier
        }
        closed[name] = file
    }

    /// The name as one that rotation has made of the stream's own; nil for a name that is not one
    /// of its earlier files'.
    func rotated(_ name: [UInt8]) -> RotatedName? {
        if let rotated = RotatedName(name, of: liveName) { return rotated }
        guard !shapes.isEmpty, name != liveName, let shape = NameShape.of(name),
            shapes.contains(shape)
        else { return nil }
        return RotatedName(like: name)
    }

    /// One of its files has this name now: others of the same kind are earlier files of it, too.
    func learn(_ name: [UInt8]) {
        guard name != liveName, shapes.count < Self.mostShapes,
            RotatedName(name, of: liveName) == nil, let shape = NameShape.of(name)
        else { return }
        shapes.insert(shape)
    }

    /// Names that are none of rotation's may be those of its files.
    var hasLearntNames: Bool { !shapes.isEmpty }

    /// Whether a name is one that was learnt.
    func hasLearnt(_ name: [UInt8]) -> Bool {
        !shapes.isEmpty && RotatedName(name, of: liveName) == nil && rotated(name) != nil
    }

    /// Whether a rotated file was found to be a copy of what its live file holds, which ends at
    /// `size` and begins with `head` now.
    func isFreshCopy(_ rotatedFile: RotatedFile, of head: [UInt8], size: PhysicalOffset) -> Bool {
        guard let theirs = freshCopies[Stamp(rotatedFile.status)] else { return false }
        return !theirs.isEmpty && rotatedFile.status.end <= size && head.starts(with: theirs)
    }

    /// Whether a rotated file was looked at as it is, whatever came of that.
    func hasLookedAt(_ status: FileStatus) -> Bool {
        let stamp = Stamp(status)
        return judged.contains(stamp) || beside.contains(stamp) || copies.contains(stamp)
            || strangers[stamp] != nil || freshCopies[stamp] != nil
            || refused[stamp] == status.changed
    }

    /// Files that are looked for among its rotated files. With one more, all that was found out
    /// about strangers is void: with one that was looked for before, too, and not since.
    func seek(_ ids: Set<FileID>) {
        defer { sought = ids }
        guard !ids.isSubset(of: sought) else { return }
        strangers = [:]
        strangersElsewhere = [:]
    }

    /// Nothing is remembered of rotated files but of those that are there.
    func keepStamps(_ stamps: [Stamp]) {
        let sizes =
            [judged, beside, copies].map(\.count)
            + [strangers.count, refused.count, freshCopies.count]
        var there = Array(repeating: 0, count: sizes.count)
        for stamp in stamps {
            if judged.contains(stamp) { there[0] += 1 }
            if beside.contains(stamp) { there[1] += 1 }
            if copies.contains(stamp) { there[2] += 1 }
            if strangers[stamp] != nil { there[3] += 1 }
            if refused[stamp] != nil { there[4] += 1 }
            if freshCopies[stamp] != nil { there[5] += 1 }
        }
        // To see that none is missing takes a fraction of what it takes to make the sets anew.
        if there == sizes { return }
        let kept = Set(stamps)
        judged.formIntersection(kept)
        beside.formIntersection(kept)
        copies.formIntersection(kept)
        strangers = strangers.filter { kept.contains($0.key) }
        refused = refused.filter { kept.contains($0.key) }
        freshCopies = freshCopies.filter { kept.contains($0.key) }
    }

    /// The file that is being written to, as far as names tell.
    var live: TailedFile? {
        guard let last = files.last, last.name == liveName else { return nil }
        return last
    }
}
