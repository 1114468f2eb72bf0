/// Names that events told of in one directory. A listing does not show those that are gone by then.
struct AppearedNames {
    /// Names that appeared since the last listing, but for archives of s6-log.
    private var names: Set<[UInt8]> = []
    /// More appeared than are remembered: it may have been any.
    private(set) var hasForgottenNames = false
    /// Names that `names` may be rotated ones of, as far as somebody has asked.
    private var bases: Set<[UInt8]> = []
    private var pending: [[UInt8]] = []
    /// Archives of s6-log in the order of their appearance, that no look was told of.
    private(set) var archives: [[UInt8]] = []
    /// Archives that appeared beside them, and whose names were too many to be remembered.
    private var forgottenArchives = 0
    /// Of both, how many had appeared when the directory was listed last.
    private var listed = (archives: 0, forgotten: 0)

    /// Different names of one directory between two listings. More are made by nobody who logs.
    private static let mostNames = 1_024
    /// A minute of an s6-log that rotates a thousand times a second.
    private static let mostArchives = 65_536
    /// Such names in a directory that is not known for an s6 log: what was archived in one between
    /// its making and the first look at it.
    private static let mostStrangeArchives = 1_024

    /// `isS6`: it was given in a directory that is known for an s6 log.
    mutating func add(_ name: [UInt8], isS6: Bool = true) {
        if S6Name.isArchive(name) {
            let most = isS6 ? Self.mostArchives : Self.mostStrangeArchives
            if archives.count < most { archives.append(name) } else { forgottenArchives += 1 }
        } else if names.count >= Self.mostNames {
            hasForgottenNames = hasForgottenNames || !names.contains(name)
        } else if names.insert(name).inserted {
            pending.append(name)
        }
    }

    /// Whether a name appeared that rotation gives to files of `log`, as far as is known.
    mutating func isRotation(of log: [UInt8]) -> Bool {
        if hasForgottenNames { return true }
        for name in pending { bases.formUnion(RotatedName.bases(of: name)) }
        pending = []
        return bases.contains(log)
    }

    /// The directory is about to be listed: what appeared up to now, nil where it may have been
    /// any.
    mutating func takeNames() -> Set<[UInt8]>? {
        listed = (archives.count, forgottenArchives)
        defer {
            names = []
            bases = []
            pending = []
            hasForgottenNames = false
        }
        return hasForgottenNames ? nil : names
    }

    /// The archives that appeared before the directory was listed and were not taken yet, and how
    /// many more did than are remembered. One that appeared after it is for the next listing:
    ///
    /// 1. A large directory is listed, and gone through in slices. Between two of them s6-log makes
    ///    an archive, and the event of that is read.
    /// 2. The listing does not have it, and it is there all the same.
    mutating func takeArchives() -> (names: [[UInt8]], forgotten: Int) {
        defer { forgetListedArchives() }
        return (Array(archives.prefix(listed.archives)), listed.forgotten)
    }

    /// There was no s6-log when the directory was listed: archives that appeared before that are
    /// nobody's.
    mutating func forgetListedArchives() {
        archives.removeFirst(min(listed.archives, archives.count))
        if archives.isEmpty { archives = [] }
        forgottenArchives -= listed.forgotten
        listed = (0, 0)
    }
}
