import Platform

/// The names of one directory as one listing had them, both ways round. Where an inode has two
/// names, either may be given for it.
struct DirectoryNames {
    let entries: [DirectoryEntry]
    private let inodesByName: [[UInt8]: UInt64]
    private let namesByInode: [UInt64: [UInt8]]

    init(_ entries: [DirectoryEntry]) {
        self.entries = entries
        var inodes: [[UInt8]: UInt64] = [:]
        var names: [UInt64: [UInt8]] = [:]
        inodes.reserveCapacity(entries.count)
        names.reserveCapacity(entries.count)
        for entry in entries where entry.kind != .directory {
            inodes[entry.name] = entry.inode
            names[entry.inode] = entry.name
        }
        inodesByName = inodes
        namesByInode = names
    }

    var inodes: Set<UInt64> { Set(namesByInode.keys) }

    func inode(of name: [UInt8]) -> UInt64? { inodesByName[name] }

    func name(of inode: UInt64) -> [UInt8]? { namesByInode[inode] }
}
