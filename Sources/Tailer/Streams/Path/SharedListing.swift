import Platform

/// The second listing of a directory, which all streams of one look share.
///
/// 1. An agent is started anew. A run before it has saved something of each of twenty thousand
///    logs.
/// 2. Each is opened, and the directory listed after that: whatever is older has a name in that
///    listing.
/// 3. That were as many listings of as many names.
///
/// A listing that was made before a log was opened shows the same as long as the directory's times
/// are what they were. Something that happens within one tick of its clock changes none: so they
/// have to have been what they are for longer than that before it is made. Lives on the reader
/// thread, for as long as a look.
struct SharedListing {
    private var stamp: Stamp?
    /// Since when the directory has it, as far as was seen.
    private var since = MonotonicTime.zero
    private var listed: Listed?

    /// Names, and those of them by the logs that they may be rotated ones of, where that was found
    /// out.
    struct Listed {
        let names: DirectoryNames
        fileprivate(set) var rotated: [[UInt8]: [DirectoryEntry]]?

        init(_ names: DirectoryNames) { self.names = names }

        /// Entries that may be rotated files of a log.
        func rotatedFiles(of stream: LogStream) -> [DirectoryEntry] {
            guard let rotated, !stream.hasLearntNames else { return names.entries }
            return rotated[stream.liveName] ?? []
        }
    }

    struct Stamp: Equatable {
        let key: InodeKey
        let modified: FileTime
        let changed: FileTime

        init(_ status: FileStatus) {
            key = InodeKey(status)
            modified = status.modified
            changed = status.changed
        }

        /// Nothing says that its file system counts anything less than seconds.
        var isCoarse: Bool { modified.isWholeSecond && changed.isWholeSecond }
    }

    /// Two ticks of the slowest clock that a kernel gives files their times by, nanoseconds.
    private static let tick: Int64 = 20_000_000

    /// The listing, if the directory is so still.
    func listing(of stamp: Stamp) -> Listed? { stamp == self.stamp ? listed : nil }

    /// `stamp` was the directory's at `now`, and then it was listed.
    mutating func keep(_ names: DirectoryNames, _ stamp: Stamp, _ now: MonotonicTime) -> Listed {
        guard stamp == self.stamp, !stamp.isCoarse else {
            self.stamp = stamp
            since = now
            listed = nil
            return Listed(names)
        }
        var kept = Listed(names)
        guard now - since >= Self.tick else { return kept }
        var rotated: [[UInt8]: [DirectoryEntry]] = [:]
        for entry in names.entries where entry.kind == .regular || entry.kind == .unknown {
            for base in RotatedName.bases(of: entry.name) {
                rotated[base, default: []].append(entry)
            }
        }
        kept.rotated = rotated
        listed = kept
        return kept
    }
}

extension StreamTable {
    /// Lists a directory after something of it was opened. What comes into it meanwhile is listed,
    /// or the next look is told of it.
    func list(_ look: StreamLook) throws(SystemError) -> SharedListing.Listed {
        let stamp = SharedListing.Stamp(try look.directory.descriptor.status())
        // Elsewhere its times may be old.
        if !look.node.hasOtherWriters, let listed = shared.listing(of: stamp) { return listed }
        let now = MonotonicTime.now()
        let names = DirectoryNames(try look.directory.descriptor.entries())
        listings += 1
        return shared.keep(names, stamp, now)
    }
}
