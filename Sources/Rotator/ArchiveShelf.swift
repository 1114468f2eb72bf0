package import Platform

/// The directory in which the archives of logs lie, as long as something is done to them. One
/// thread.
///
/// As with a log that is rotated: a directory in which others may do what they like is left alone
/// by root, and names change only while it is locked for all others who rotate logs so.
package final class ArchiveShelf {
    let directory: Descriptor

    /// `isRoot`: this process is.
    package init(
        _ directory: consuming Descriptor, isRoot: Bool
    ) throws(RotatedLog.Refusal) {
        let isOpen: Bool
        do throws(SystemError) {
            isOpen = RotatedLog.isOpenToOthers(try directory.status())
        } catch {
            throw .failed(error)
        }
        guard !isRoot || !isOpen else { throw .isOpenToOthers }
        self.directory = directory
    }

    /// The archives of the log `name`, and hidden files that a killed run has left.
    package func archives(
        of log: [UInt8]
    ) throws(SystemError) -> (archives: [Archive], leftovers: [[UInt8]]) {
        var archives: [Archive] = []
        var leftovers: [[UInt8]] = []
        for entry in try directory.entries() {
            if entry.name.starts(with: ArchivePacking.prefix) { leftovers.append(entry.name) }
            guard let (number, ending) = ArchiveShift.number(of: entry.name, log),
                let status = try status(of: entry.name), status.isRegular
            else { continue }
            archives.append(
                Archive(
                    name: entry.name, number: number, isPacked: !ending.isEmpty,
                    inode: status.inode, bytes: status.size, modified: status.modified))
        }
        return (archives, leftovers)
    }

    /// Removes an archive, if its name leads to it still and `mayGo` says so. False where it does
    /// not.
    package func remove(
        _ archive: Archive,
        mayGo: (borrowing Descriptor, FileStatus) throws(SystemError) -> Bool
    ) throws(SystemError) -> Bool {
        try locked { () throws(SystemError) in
            guard try isThere(archive, mayGo),
                try status(of: archive.name)?.inode == archive.inode
            else { return false }
            try directory.remove(archive.name)
            try directory.synchronise()
            return true
        }
    }

    /// Whether an archive's name leads to it still, and to nothing else that has other names, and
    /// `body` says so of what was opened.
    package func isThere(
        _ archive: Archive,
        _ body: (borrowing Descriptor, FileStatus) throws(SystemError) -> Bool
    ) throws(SystemError) -> Bool {
        let opened: Descriptor.Opened
        do throws(SystemError) {
            opened = try directory.openFile(archive.name)
        } catch {
            if error.code == .notFound { return false }
            throw error
        }
        guard case .file(let file, let status) = consume opened, status.links == 1,
            status.inode == archive.inode
        else { return false }
        return try body(file, status)
    }

    /// Removes what a killed run has left of an archive that it was packing: nobody has it locked.
    package func discard(leftover name: [UInt8]) throws(SystemError) {
        guard name.starts(with: ArchivePacking.prefix) else { return }
        let opened: Descriptor.Opened
        do throws(SystemError) {
            opened = try directory.openFile(name)
        } catch {
            if error.code == .notFound { return }
            throw error
        }
        guard case .file(let file, let status) = consume opened, try file.lock(),
            try self.status(of: name)?.inode == status.inode
        else { return }
        try directory.remove(name)
    }

    /// Bytes that are free where it lies.
    package func freeBytes() throws(SystemError) -> Int { try directory.freeBytes() }

    /// Nil where the name leads nowhere.
    func status(of name: [UInt8]) throws(SystemError) -> FileStatus? {
        do throws(SystemError) {
            return try directory.status(of: name)
        } catch {
            if error.code == .notFound { return nil }
            throw error
        }
    }

    /// EAGAIN where another process has the directory.
    func locked<R>(_ body: () throws(SystemError) -> R) throws(SystemError) -> R {
        guard try directory.lock() else { throw SystemError("flock", code: .again) }
        defer { directory.unlock() }
        return try body()
    }
}
