import CLinux
import Glibc

/// One name in a directory, as getdents64(2) gives it.
package struct DirectoryEntry: Hashable, Sendable {
    /// Bytes, as the kernel has them: neither NUL nor `/`, and not always UTF-8.
    package let name: [UInt8]
    /// As the listing has it; `entries` sees to it that fstat has the same.
    package let inode: UInt64
    /// As the listing has it (`d_type`), at no cost.
    package let kind: Kind

    /// The kinds of entries that anybody here tells apart.
    package enum Kind: Hashable, Sendable {
        case regular
        case directory
        case link
        case other
        /// The file system does not say; ask fstatat.
        case unknown
    }
}

extension Descriptor {
    /// Every name in this open directory but `.` and `..`, in the kernel's order, with the inode
    /// numbers that fstat has too: overlay file systems may list others, so some of each listing
    /// are looked at, and all of them where they differ.
    ///
    /// 1. A listing shows that `previous` is a file.
    /// 2. s6-log rotates, and the look finds another file under that name.
    /// 3. Taken for what an overlay does, that made a listing that never was: `previous` as it is
    ///    now, without the archives that are older.
    ///
    /// So what was looked up is believed only if a second listing is like the first, and so is a
    /// listing that took the kernel more than one call: a file that is renamed between two of them
    /// may be in neither.
    package borrowing func entries() throws(SystemError) -> [DirectoryEntry] {
        var attempt = 1
        var names = 0
        while true {
            let listed = try listing()
            var entries = listed.entries
            let isRight = agrees(entries)
            if isRight, listed.calls == 1 { return entries }
            if !isRight { correct(&entries) }
            let isStill = try listing().entries == listed.entries
            names += 2 * entries.count
            let isOver = attempt == Self.mostListings || names >= Self.mostNames
            if isStill || isOver { return entries }
            attempt += 1
        }
    }

    private borrowing func correct(_ entries: inout [DirectoryEntry]) {
        for index in entries.indices {
            let entry = entries[index]
            // A name that is gone meanwhile keeps what was listed; opening it will tell.
            guard let inode = inode(of: entry.name) else { continue }
            entries[index] = DirectoryEntry(name: entry.name, inode: inode, kind: entry.kind)
        }
    }

    /// A directory whose files are renamed all the time is listed this often at most, and each time
    /// compared with another one.
    private static let mostListings = 5
    /// Names that are listed together, after which a directory that changes is not listed once
    /// more: all others wait meanwhile.
    private static let mostNames = 100_000
    /// Files of a listing that are looked at; one that is what was listed is enough.
    private static let samples = 4
    /// Bytes that one call can take: some twenty thousand names. The kernel lets nobody rename
    /// anything in the directory during a call.
    private static let listingSize = 1 << 20

    /// Whether the listing has the inode numbers that fstat has, as far as a few files show.
    private borrowing func agrees(_ listed: [DirectoryEntry]) -> Bool {
        var looked = 0
        for entry in listed where entry.kind == .regular {
            guard looked < Self.samples else { return false }
            guard let inode = inode(of: entry.name) else { continue }
            if inode == entry.inode { return true }
            looked += 1
        }
        return looked == 0
    }

    private borrowing func inode(of name: [UInt8]) -> UInt64? {
        var raw = stat()
        let terminated = name.map { CChar(bitPattern: $0) } + [0]
        let result = withRawValue { unsafe fstatat($0, terminated, &raw, AT_SYMLINK_NOFOLLOW) }
        return result == 0 ? UInt64(raw.st_ino) : nil
    }

    /// The names as the kernel lists them, and how many calls it took.
    borrowing func listing() throws(SystemError) -> (entries: [DirectoryEntry], calls: Int) {
        // A descriptor of its own: reading moves its offset.
        let copy = try openAt(".", O_RDONLY | O_DIRECTORY)
        var found: [DirectoryEntry] = []
        var calls = 0
        let code = copy.withRawValue { number -> Errno? in
            unsafe withUnsafeTemporaryAllocation(byteCount: Self.listingSize, alignment: 8) {
                page in
                while true {
                    let count = unsafe clinux_getdents(number, page.baseAddress, page.count)
                    if count < 0 { return .last }
                    if count == 0 { return nil }
                    calls += 1
                    unsafe Self.take(UnsafeRawBufferPointer(rebasing: page[..<count]), &found)
                }
            }
        }
        if let code { throw SystemError("getdents64", code: code) }
        return (found, calls)
    }

    /// Adds the records of one call: inode and offset, 8 bytes each, the record's length in 2, its
    /// type in 1, and the name up to a NUL.
    private static func take(_ page: UnsafeRawBufferPointer, _ found: inout [DirectoryEntry]) {
        var at = 0
        while at < page.count {
            let inode = unsafe page.loadUnaligned(fromByteOffset: at, as: UInt64.self)
            let length = Int(unsafe page.loadUnaligned(fromByteOffset: at + 16, as: UInt16.self))
            let type = unsafe page[at + 18]
            let field = unsafe page[(at + 19)..<(at + length)]
            let name = unsafe [UInt8](field.prefix { $0 != 0 })
            at += length
            if name == [46] || name == [46, 46] { continue }
            found.append(DirectoryEntry(name: name, inode: inode, kind: kind(type)))
        }
    }

    private static func kind(_ type: UInt8) -> DirectoryEntry.Kind {
        switch Int(type) {
        case Int(DT_REG): .regular
        case Int(DT_DIR): .directory
        case Int(DT_LNK): .link
        case Int(DT_UNKNOWN): .unknown
        default: .other
        }
    }
}
