import Platform

/// One directory below the fixed prefix of a pattern, as far as a pattern leads into it.
final class DirectoryNode {
    /// Index of the root whose prefix it lies beneath.
    let root: Int
    /// The pattern's fixed prefix.
    let prefix: String
    /// Names from the prefix down, joined by `/`; empty for the prefix itself.
    let path: [UInt8]
    /// The whole path for people.
    let text: String
    /// Where each pattern stands here.
    let places: [PatternPlaces]

    /// The open directory that was listed last: another one under the same name is another node's
    /// worth of files.
    var inode: InodeKey?
    var watch: Inotify.Watch?
    var children: [[UInt8]: DirectoryNode] = [:]
    /// By file name; an s6 log directory has one, named `current`.
    var streams: [[UInt8]: LogStream] = [:]
    /// Monotonic nanoseconds of the next scan without an event.
    var nextScan: Int64 = 0
    /// Names that files were given in it since it was listed.
    var appeared = AppearedNames()
    /// Looks in a row that found it changing while it was looked at.
    var changingLooks = 0
    /// Has its one place in the queue of scans to come soon, or in that of those to come later.
    var isDueSoon = false
    var isDueLater = false
    /// Waits in the queue of directories to be scanned.
    var isQueued = false
    /// It was looked at once.
    var wasLooked = false
    /// No longer part of the tree.
    var isGone = false
    /// Something in it could not be read, so it is scanned again soon.
    var hasTrouble = false
    /// The last scan could not list it.
    var isUnlistable = false

    /// `prefix` nil: this is the prefix itself.
    init(
        root: Int, prefix: String? = nil, path: [UInt8], text: String, places: [PatternPlaces]
    ) {
        self.root = root
        self.prefix = prefix ?? text
        self.path = path
        self.text = text
        self.places = places
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
    func text(of name: [UInt8]) -> String { text + "/" + PathText.text(name) }
}

/// Where one pattern of one input stands in a directory.
struct PatternPlaces {
    let input: Int
    let pattern: Int
    let places: [PatternSegments.Place]
}

/// What tells two open files apart, and only two open ones: the numbers come back after a close.
struct InodeKey: Hashable {
    let device: UInt64
    let inode: UInt64

    init(device: UInt64, inode: UInt64) {
        self.device = device
        self.inode = inode
    }

    init(_ status: FileStatus) { self.init(device: status.device, inode: status.inode) }
}
