import Platform

/// The files of an s6 log directory in the order of their content, as one listing has them.
struct S6Listing {
    struct Item {
        let name: [UInt8]
        let inode: UInt64
        let isCurrent: Bool
        /// Names that the file may have: those that the listing shows. s6-log links `previous` to
        /// its archive, and after a kill `current`, before it unlinks the old name. A name
        /// elsewhere could lead to a file that whoever owns the directory may not read.
        let mostLinks: Int

        var role: S6Plan.Role {
            if isCurrent { return .current }
            return name == S6Name.previous ? .previous : .archive
        }
    }

    /// Archives by their label, then `previous` where it is not one of them, then `current`.
    let items: [Item]
    /// Missing in the middle of a rotation.
    let current: Item?
    /// Names, by their labels; nil where there is no archive.
    let oldestArchive: [UInt8]?
    let newestArchive: [UInt8]?

    init(_ entries: [DirectoryEntry]) {
        var archives: [Item] = []
        var previous: Item?
        var current: Item?
        var names: [UInt64: Int] = [:]
        for entry in entries where entry.kind != .directory {
            names[entry.inode, default: 0] += 1
        }
        for entry in entries where entry.kind != .directory {
            let links = names[entry.inode] ?? 1
            if S6Name.isArchive(entry.name) {
                archives.append(
                    Item(
                        name: entry.name, inode: entry.inode, isCurrent: false, mostLinks: links))
            } else if entry.name == S6Name.previous {
                // The archive's name may come between the listing and the look at the file.
                previous = Item(
                    name: entry.name, inode: entry.inode, isCurrent: false,
                    mostLinks: max(2, links))
            } else if entry.name == S6Name.current {
                current = Item(
                    name: entry.name, inode: entry.inode, isCurrent: true, mostLinks: links)
            }
        }
        archives.sort { $0.name.lexicographicallyPrecedes($1.name) }
        oldestArchive = archives.first?.name
        newestArchive = archives.last?.name
        // s6-log links `previous` to its archive before it unlinks it: for a moment one inode has
        // both names, and the archive's is the one that stays.
        if let previous, !archives.contains(where: { $0.inode == previous.inode }) {
            archives.append(previous)
        }
        if let current { archives.append(current) }
        items = archives
        self.current = current
    }

    /// With a `previous` of an earlier listing, which is older than what is written to.
    func items(with previous: Item?) -> [Item] {
        guard let previous else { return items }
        return items.filter { !$0.isCurrent } + [previous] + items.filter(\.isCurrent)
    }
}
