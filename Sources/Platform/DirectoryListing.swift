import Glibc

/// One name in a directory, as readdir(3) gives it.
package struct DirectoryEntry: Hashable, Sendable {
    /// Bytes, as the kernel has them: neither NUL nor `/`, and not always UTF-8.
    package let name: [UInt8]
    package let inode: UInt64
    package let kind: Kind

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
    /// numbers that fstat has too: overlay file systems may list others, so one of each listing is
    /// looked at, and all of them where it differs.
    package borrowing func entries() throws(SystemError) -> [DirectoryEntry] {
        let listed = try listedEntries()
        guard let sample = listed.first(where: { $0.kind == .regular }),
            let inode = inode(of: sample.name), inode != sample.inode
        else { return listed }
        var corrected: [DirectoryEntry] = []
        corrected.reserveCapacity(listed.count)
        for entry in listed {
            // A name that is gone meanwhile keeps what was listed; opening it will tell.
            let number = self.inode(of: entry.name) ?? entry.inode
            corrected.append(DirectoryEntry(name: entry.name, inode: number, kind: entry.kind))
        }
        return corrected
    }

    private borrowing func inode(of name: [UInt8]) -> UInt64? {
        var raw = stat()
        let terminated = name.map { CChar(bitPattern: $0) } + [0]
        let result = withRawValue { unsafe fstatat($0, terminated, &raw, AT_SYMLINK_NOFOLLOW) }
        return result == 0 ? UInt64(raw.st_ino) : nil
    }

    private borrowing func listedEntries() throws(SystemError) -> [DirectoryEntry] {
        // A descriptor of its own: fdopendir takes it over and moves its offset.
        let copy = withRawValue { unsafe openat($0, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC) }
        guard copy >= 0 else { throw SystemError("openat .", code: .last) }
        guard let stream = unsafe fdopendir(copy) else {
            let code = Errno.last
            _ = close(copy)
            throw SystemError("fdopendir", code: code)
        }
        defer { unsafe _ = closedir(stream) }
        var found: [DirectoryEntry] = []
        while true {
            errno = 0
            guard let entry = unsafe readdir(stream) else {
                let code = Errno.last
                if code.value == 0 { return found }
                throw SystemError("readdir", code: code)
            }
            let name = unsafe Self.name(of: entry)
            if name == [46] || name == [46, 46] { continue }
            let (inode, type) = unsafe (entry.pointee.d_ino, entry.pointee.d_type)
            found.append(
                DirectoryEntry(name: name, inode: UInt64(inode), kind: Self.kind(type)))
        }
    }

    private static func name(of entry: UnsafeMutablePointer<dirent>) -> [UInt8] {
        unsafe withUnsafePointer(to: &entry.pointee.d_name) { start in
            let length = unsafe strlen(UnsafeRawPointer(start).assumingMemoryBound(to: CChar.self))
            return unsafe [UInt8](UnsafeRawBufferPointer(start: start, count: length))
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
