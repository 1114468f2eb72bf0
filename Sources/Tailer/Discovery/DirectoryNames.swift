import Platform

/// The names of one directory as one listing had them, both ways round. Where an inode has two
/// names, either may be given for it.
struct DirectoryNames {
    private(set) var entries: [DirectoryEntry] = []
    private var inodesByName: [[UInt8]: UInt64] = [:]
    private var namesByInode: [UInt64: [UInt8]] = [:]

    init(_ entries: [DirectoryEntry]) {
        self.init(capacity: entries.count)
        for entry in entries { add(entry) }
    }

    /// None yet, and room for so many.
    init(capacity: Int) {
        entries.reserveCapacity(capacity)
        inodesByName.reserveCapacity(capacity)
        namesByInode.reserveCapacity(capacity)
    }

    mutating func add(_ entry: DirectoryEntry) {
        entries.append(entry)
        guard entry.kind != .directory else { return }
        inodesByName[entry.name] = entry.inode
        namesByInode[entry.inode] = entry.name
    }

    func inode(of name: [UInt8]) -> UInt64? { inodesByName[name] }

    func name(of inode: UInt64) -> [UInt8]? { namesByInode[inode] }
}
