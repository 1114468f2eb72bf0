import Glibc

extension FileLock {
    /// Whether another process holds the lock file `name` of its own in `directory`, by trying a
    /// shared lock and dropping it at once; false where there is no such file. Neither made nor
    /// written to.
    package static func isHeld(
        _ name: String, in directory: borrowing Descriptor
    ) throws(SystemError) -> Bool {
        let file: Descriptor
        do {
            file = try directory.readable(named: name)
        } catch {
            if error.code == .notFound { return false }
            throw error
        }
        return try file.withRawValue { number in
            Result { () throws(SystemError) in
                if retrying({ flock(number, LOCK_SH | LOCK_NB) }) == 0 {
                    _ = flock(number, LOCK_UN)
                    return false
                }
                guard Errno.last == .again else {
                    throw SystemError("flock", path: name, code: .last)
                }
                return true
            }
        }.get()
    }

    /// Whether a process has the lock file `name` in `directory`, and its number as it stands in
    /// the file; nil where nobody has. The lock is not touched: somebody who wants it just now is
    /// not kept from starting. Without /proc nobody is seen to have it.
    package static func holder(
        of name: String, in directory: borrowing Descriptor
    ) throws(SystemError) -> Holder? {
        let file: Descriptor
        do {
            file = try directory.readable(named: name)
        } catch {
            if error.code == .notFound { return nil }
            throw error
        }
        let inode = try file.status().inode
        let table: [UInt8]
        do {
            table = try Descriptor.open("/proc/locks", O_RDONLY).read(count: longestTable, at: 0)
        } catch {
            if error.code == .notFound { return nil }
            throw error
        }
        // `1: FLOCK  ADVISORY  WRITE 4711 fd:01:131 0 EOF`
        let locks = String(decoding: table, as: UTF8.self)
        guard
            locks.split(separator: "\n").contains(where: {
                $0.contains(" FLOCK ") && $0.contains(":\(inode) ")
            })
        else { return nil }
        let text = String(decoding: try file.read(count: 20, at: 0), as: UTF8.self)
        return Holder(pid: text.split(separator: "\n").first.flatMap { Int32($0) })
    }

    /// Who has a lock.
    package struct Holder: Hashable, Sendable {
        /// Nil where the number could not be written, or is not yet.
        package let pid: Int32?
    }

    /// Bytes of /proc/locks that are looked through: some ten thousand locks.
    private static let longestTable = 1 << 20
}
