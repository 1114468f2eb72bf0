package import Platform

/// What an input asks for of the archives of its logs, beside how many there are.
package struct ArchivePolicy: Hashable, Sendable {
    /// They are compressed with gzip.
    package let compresses: Bool
    /// The newest one is not yet.
    package let delays: Bool
    /// Those whose last change is longer ago go; nanoseconds.
    package let mostAge: Int64?
    /// Bytes of all archives of one log; the newest one stays, whatever it has.
    package let mostBytes: Int?

    package init(
        compresses: Bool = false, delays: Bool = false, mostAge: Int64? = nil,
        mostBytes: Int? = nil
    ) {
        self.compresses = compresses
        self.delays = delays
        self.mostAge = mostAge
        self.mostBytes = mostBytes
    }
}

/// An archive of a log as it lies beside it.
package struct Archive: Hashable, Sendable {
    /// In its directory.
    package let name: [UInt8]
    /// From 1 on; the newest one has the lowest.
    package let number: Int
    /// By its name.
    package let isPacked: Bool
    /// Its own, whatever has its name later.
    package let inode: UInt64
    /// As it lies there, packed or not.
    package let bytes: Int
    /// The last change of its content: of one that we made, when it was made.
    package let modified: FileTime

    package init(
        name: [UInt8], number: Int, isPacked: Bool, inode: UInt64, bytes: Int, modified: FileTime
    ) {
        self.name = name
        self.number = number
        self.isPacked = isPacked
        self.inode = inode
        self.bytes = bytes
        self.modified = modified
    }
}

/// What is to be done to the archives of one log, as a pure value.
package struct ArchivePlan: Hashable, Sendable {
    /// One thing to be done.
    package enum Task: Hashable, Sendable {
        /// A run was killed between the two: the plain one has all that the packed one has.
        case settle(plain: Archive, packed: Archive)
        case remove(Archive)
        case compress(Archive)
    }

    /// In the order in which they are done: removals from the oldest on.
    package private(set) var tasks: [Task] = []
    /// Would have to go, and may not: unknown, not delivered, or written to.
    package private(set) var staying: [Archive] = []

    /// `isDone` says that one is known, final and delivered to its end.
    package init(
        _ archives: [Archive], _ policy: ArchivePolicy, now: FileTime, isDone: (Archive) -> Bool
    ) {
        let sorted = archives.sorted {
            ($0.number, $0.isPacked ? 1 : 0) < ($1.number, $1.isPacked ? 1 : 0)
        }
        var leaving: Set<Archive> = []
        var bytes = 0
        for archive in sorted {
            // A run was killed between the two: the plain one goes, and does not count.
            let isSettled =
                !archive.isPacked && isDone(archive)
                && sorted.contains {
                    $0.number == archive.number && $0.isPacked && isDone($0)
                }
            if !isSettled { bytes = bytes +| archive.bytes }
            let isTooOld = policy.mostAge.map {
                now.nanoseconds -| archive.modified.nanoseconds > $0
            }
            let isTooMuch = policy.mostBytes.map { bytes > $0 && archive.number > sorted[0].number }
            guard isTooOld == true || isTooMuch == true else { continue }
            if isDone(archive) { leaving.insert(archive) } else { staying.append(archive) }
        }
        for archive in sorted.reversed() where leaving.contains(archive) {
            tasks.append(.remove(archive))
        }
        for archive in sorted.reversed() where !archive.isPacked && !leaving.contains(archive) {
            let packed = sorted.first { $0.number == archive.number && $0.isPacked }
            guard isDone(archive) else { continue }
            if let packed {
                if isDone(packed), !leaving.contains(packed) {
                    tasks.append(.settle(plain: archive, packed: packed))
                }
            } else if policy.compresses, archive.number > (policy.delays ? 1 : 0) {
                tasks.append(.compress(archive))
            }
        }
    }
}
