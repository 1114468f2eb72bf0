import Model
import Patterns
import Platform

/// One directory below the fixed prefix of a pattern, as far as a pattern leads into it.
final class DirectoryNode {
    /// Index of the root that it lies beneath.
    let root: Int
    /// The pattern's fixed prefix.
    let prefix: String
    /// Names from the prefix down, joined by `/`; empty for the prefix itself.
    let path: [UInt8]
    /// The whole path for people.
    let text: String
    /// Where each pattern stands here.
    let places: [PatternPlaces]

    /// Nil for a root, and for what has left the tree.
    weak var parent: DirectoryNode?
    /// Names from the root down; of a linked directory, from that of the links.
    private(set) var depth: Int

    /// The open directory that was listed last: another one under the same name is another node's
    /// worth of files.
    var inode: InodeKey?
    /// Where a root's path led when it was looked at last, by `RootLook` alone; nil: nowhere.
    var leadsTo: InodeKey?
    /// Other ways to it, as of its last listing.
    var rivals: [Rival] = []
    /// By name; and linked directories that links in it have led to, by whole paths.
    var children: [[UInt8]: DirectoryNode] = [:]
    /// Links in it that are followed, or are told not to be, by name.
    var links: [[UInt8]: FollowedLink] = [:]
    /// Names in it that links lead to, with those, the first one's first; nil for a directory that
    /// patterns lead into.
    var linked: [[UInt8]: [FollowedLink]]?
    /// Its key among the children of the directory that a linked one lies beneath: no name has a
    /// slash.
    var linkedKey: [UInt8] { Array(text.utf8) }
    /// What links lead to waits for its first look.
    var isOfFirstWalk = false
    /// Looks in a row that have not found it.
    var vainLooks = 0
    /// By file name; an s6 log directory has one, named `current`.
    var streams: [[UInt8]: LogStream] = [:]
    /// Those that are dormant, and not among `streams`.
    var dormant: [[UInt8]: DormantStream] = [:]
    /// What was captured of the last stream that began here: most have the same.
    private var captures: [String: String] = [:]
    /// Names that look like those of rotated files, and whose files, of these inode numbers, are
    /// written to all the same: logs of their own. Bounded by the directory.
    var alive: [[UInt8]: UInt64] = [:]
    /// Names that files were given in it since it was listed.
    var appeared = AppearedNames()
    /// Scans that found it on a file system that was mounted a moment ago.
    var strangeLooks = 0
    /// Looks in a row that found it changing while it was looked at.
    var changingLooks = 0
    /// Its saved files were compared with the device that it is on.
    var isDeviceKnown = false
    /// The files that an earlier run has read here were asked for.
    var wasLooked = false
    /// The logs of that, until a look has come to its end: one that takes long is given up, and
    /// begins once more.
    var savedStreams: [SavedStream] = []
    /// How often it was listed.
    var listings = 0
    /// The number of the last listing that was gone through.
    var listingsDone = 0
    /// Names when it was listed last.
    var names = 0
    /// A look at it costs next to nothing, and what it took was something else.
    var isSmall: Bool { names <= 1_024 }
    /// A look at it has come to an end once, as far as it can.
    var wasEnded = false
    /// No longer part of the tree.
    var isGone = false
    /// Something in it could not be read, so it is scanned again soon.
    var hasTrouble = false
    /// Scans in a row after which something could not be read.
    var vainRetries = 0
    /// The last scan could not list it.
    var isUnlistable = false

    // MARK: When it is scanned, by `DirectoryTree` alone

    /// When it is scanned without an event and for all of its files.
    var clockDue = MonotonicTime.never
    /// When it is scanned before that.
    var soonDue = MonotonicTime.never
    /// It was scanned a moment ago, and that took long: no event has it scanned again before this.
    var restUntil = MonotonicTime.zero
    var due: MonotonicTime { min(clockDue, soonDue) }
    /// Its place in `DirectoryTimes`.
    var timesIndex: Int?
    /// Waits in a queue of directories to be scanned.
    var isQueued = false
    /// The scan that it waits for is one by the clock.
    var isByClock = true
    /// Its scans take long.
    var isLarge = false
    /// A scan of it is under way.
    var isScanning = false
    /// It has to be scanned once more after that.
    var isWanted = false
    /// It was seen by the scan of this number of its parent.
    var seenBy = 0
    /// Its level in the queue of directories to be scanned.
    var scans: FairQueue<DirectoryNode>.Level?
    /// And in that of directories whose scans take long.
    var largeScans: FairQueue<DirectoryNode>.Level?
    /// Its level in the queue of streams with something to read.
    var turns: FairQueue<LogStream>.Level?
    /// And in that of streams that wait for room.
    var waits: FairQueue<LogStream>.Level?

    // MARK: Its watch, by `Watches` alone

    var watch: Inotify.Watch?
    /// The watch is from after that many overflows.
    var watchEpoch = 0
    /// The watch, and what it stands for, is the one of this number.
    var watchNumber = 0
    /// Others write here without its watch being told.
    var hasOtherWriters = false
    /// Watches in it and beneath it, as far as they are counted one by one.
    var watchesBelow = 0
    /// No watch is asked for again in it before this.
    var deniedUntil = MonotonicTime.zero
    /// And none for directories just beneath it that have none at all.
    var deniesBelowUntil = MonotonicTime.zero
    /// What a child has below it at the most, as it was found last; believed until then.
    var mostBelow = 0
    var mostBelowUntil = MonotonicTime.zero
    /// Of a directory with many children, some that had about so much.
    var richest: [DirectoryNode] = []
    /// Events of it and beneath it since the overflow of this number.
    var events = 0
    var eventsEpoch = 0
    /// It filled the queue of events: it has no watch before this.
    var noisyUntil = MonotonicTime.zero
    /// How long that was at last.
    var noisyFor: Int64 = 0
    /// Counted among the unwatched ones of its share.
    var countsAsUnwatched = false
    /// Of a directory just beneath a prefix: directories in it that are not watched, or not
    /// to be read.
    var unwatchedBelow = 0
    /// And quiet files there without a watch, as they were counted last, by `ReaderLoop`.
    var quietBelow = 0

    /// `prefix` nil: this is the prefix itself.
    init(
        root: Int, prefix: String? = nil, path: [UInt8], text: String, places: [PatternPlaces],
        parent: DirectoryNode? = nil
    ) {
        self.root = root
        self.prefix = prefix ?? text
        self.path = path
        self.text = text
        self.places = places
        self.parent = parent
        depth = parent.map { $0.depth + 1 } ?? 0
    }

    /// Directories beneath a prefix that share with each other, level by level. What lies deeper is
    /// somebody's own and shares with nobody, and steps are counted.
    private static let deepestShare = 8

    /// Whatever lies beneath it is counted as its own.
    var isDeepestShare: Bool { depth == Self.deepestShare }

    /// The directory that stands for this one where something is shared out.
    var share: DirectoryNode {
        var place = self
        while place.depth > Self.deepestShare, let parent = place.parent { place = parent }
        return place
    }

    /// The directory just beneath the prefix that this one lies in, or the prefix.
    var outermost: DirectoryNode {
        var place = share
        while place.depth > 1, let parent = place.parent { place = parent }
        return place
    }

    /// A linked directory shares with what lies in another one from now on.
    func move(beneath other: DirectoryNode) {
        parent?.children[linkedKey] = nil
        parent = other
        depth = other.depth + 1
        other.children[linkedKey] = self
    }

    /// Whether there is a stream of that name, dormant or not.
    func hasStream(_ name: [UInt8]) -> Bool { streams[name] != nil || dormant[name] != nil }

    /// How many streams there are, dormant or not.
    var streamCount: Int { streams.count + dormant.count }

    /// The same captures, in memory that streams of this directory share.
    func share(_ captures: [String: String]) -> [String: String] {
        if captures != self.captures { self.captures = captures }
        return self.captures
    }

    /// Opens the directory, beneath the prefix and through no link.
    func open() throws(SystemError) -> Descriptor {
        if path.isEmpty { return try Descriptor.open(prefix, O.directory) }
        return try Descriptor.open(prefix, O.path).openDirectory(beneath: path)
    }

    /// The path of a name in it as the kernel has it.
    func bytes(of name: [UInt8]) -> [UInt8] {
        var bytes: [UInt8] = []
        bytes.reserveCapacity(prefix.utf8.count + path.count + name.count + 2)
        bytes.append(contentsOf: prefix.utf8)
        if !path.isEmpty {
            bytes.append(UInt8(ascii: "/"))
            bytes.append(contentsOf: path)
        }
        bytes.append(UInt8(ascii: "/"))
        bytes.append(contentsOf: name)
        return bytes
    }

    /// The path of a name in it, for people.
    func text(of name: [UInt8]) -> String {
        let name = PathText.text(name)
        // As much as it takes: what grows has room for twice that, and there is one for each file.
        var path = ""
        path.reserveCapacity(text.utf8.count + 1 + name.utf8.count)
        path += text
        path += "/"
        path += name
        return path
    }
}

/// Where one pattern of one input stands in a directory.
struct PatternPlaces {
    let input: Int
    let pattern: Int
    let places: [PatternSegments.WalkPoint]
}

/// Tells two open files apart, and only two open ones: the numbers come back after a close.
struct InodeKey: Hashable {
    let device: UInt64
    let inode: UInt64

    init(device: UInt64, inode: UInt64) {
        self.device = device
        self.inode = inode
    }

    init(_ status: FileStatus) { self.init(device: status.device, inode: status.inode) }
}
