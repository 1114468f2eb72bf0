import Platform

/// The files of an s6 log directory in the order of their content, as one listing has them.
struct S6Listing {
    struct Item {
        let name: [UInt8]
        let inode: UInt64
        let isCurrent: Bool
        /// Names that s6-log gives the file at the most: `previous` and the archive are one inode
        /// until `previous` is unlinked; nothing else ever has two.
        let mostLinks: Int
    }

    /// Archives by their label, then `previous` where it is not one of them, then `current`.
    let items: [Item]
    /// Absent in the middle of a rotation.
    let current: Item?

    init(_ entries: [DirectoryEntry]) {
        var archives: [Item] = []
        var previous: Item?
        var current: Item?
        let inodeOfPrevious = entries.first { $0.name == S6Name.previous }?.inode
        for entry in entries where entry.kind != .directory {
            if S6Name.isArchive(entry.name) {
                let links = entry.inode == inodeOfPrevious ? 2 : 1
                archives.append(
                    Item(
                        name: entry.name, inode: entry.inode, isCurrent: false, mostLinks: links))
            } else if entry.name == S6Name.previous {
                // The archive's name may come between the listing and the look at the file.
                previous = Item(
                    name: entry.name, inode: entry.inode, isCurrent: false, mostLinks: 2)
            } else if entry.name == S6Name.current {
                current = Item(
                    name: entry.name, inode: entry.inode, isCurrent: true, mostLinks: 1)
            }
        }
        archives.sort { $0.name.lexicographicallyPrecedes($1.name) }
        // s6-log links `previous` to its archive before it unlinks it: for a moment one inode has
        // both names, and the archive's is the one that stays.
        if let previous, !archives.contains(where: { $0.inode == previous.inode }) {
            archives.append(previous)
        }
        if let current { archives.append(current) }
        items = archives
        self.current = current
    }
}
