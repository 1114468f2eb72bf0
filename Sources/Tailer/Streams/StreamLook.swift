import Platform

/// A look at one stream: the stream, and where and when it is looked at.
struct StreamLook {
    let stream: LogStream
    let scanned: DirectoryTree.Scanned
    /// The listing that it goes by: the scan's, or one that was made after something was opened.
    var names: DirectoryNames
    /// The directory itself, open.
    let directory: SharedDescriptor
    /// When it began.
    var now: MonotonicTime

    var node: DirectoryNode { scanned.node }

    /// When a name in the directory last changed before it was scanned, as files there have it.
    var changed: FileTime? { scanned.time }

    /// The inode number that the listing has under the stream's own name.
    var liveInode: UInt64? { names.inode(of: stream.liveName) }
}

/// A look at one directory: what its scan has found, for all of its streams. Lives on the reader
/// thread, for a slice at the most.
struct DirectoryLook {
    let scanned: DirectoryTree.Scanned
    /// The directory itself, open.
    let directory: SharedDescriptor
    /// When the look, or the slice of it, began.
    let now: MonotonicTime

    var node: DirectoryNode { scanned.node }
    var names: DirectoryNames { scanned.names }
    var matches: [DirectoryTree.Match] { scanned.matches }

    /// The match of a name that is not there.
    func missing(_ name: [UInt8]) -> DirectoryTree.Match? { scanned.missing(name) }

    /// The part of the look that is one stream's.
    func at(_ stream: LogStream) -> StreamLook {
        StreamLook(
            stream: stream, scanned: scanned, names: names, directory: directory, now: now)
    }
}

/// The end of a look, which says what is to be done next for its directory. It is thrown where the
/// look has not gone through everything.
enum LookEnd: Error {
    case fine
    /// Something could not be read and may be later.
    case retry
    /// It changed while it was looked at.
    case again
    /// There is more of it than a slice is enough for.
    case underWay
}
