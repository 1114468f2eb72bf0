/// What events told of names that files were given in one directory. A listing does not show what is
/// gone by then.
struct AppearedNames {
    /// Since the last listing, names that rotation makes of these appeared.
    private var bases: Set<[UInt8]> = []
    /// Archives of s6-log in the order of their appearance, that no look was told of.
    private(set) var archives: [[UInt8]] = []
    /// More archives appeared than are remembered.
    private(set) var hasForgotten = false

    private static let most = 65_536

    mutating func add(_ name: [UInt8]) {
        if S6Name.isArchive(name) {
            if archives.count < Self.most { archives.append(name) } else { hasForgotten = true }
        } else if bases.count < Self.most {
            for base in RotatedName.bases(of: name) { bases.insert(base) }
        }
    }

    /// Whether a name appeared that rotation gives to files of `log`.
    func isRotation(of log: [UInt8]) -> Bool { bases.contains(log) }

    mutating func forgetRotations() { bases = [] }

    mutating func takeArchives() -> [[UInt8]] {
        defer {
            archives = []
            hasForgotten = false
        }
        return archives
    }
}
