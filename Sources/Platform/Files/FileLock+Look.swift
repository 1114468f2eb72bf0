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
        let status = try file.status()
        let table: [UInt8]
        do {
            table = try Descriptor.open("/proc/locks", O_RDONLY).read(count: longestTable, at: 0)
        } catch {
            if error.code == .notFound { return nil }
            throw error
        }
        let text = String(decoding: try file.read(count: 20, at: 0), as: UTF8.self)
        let pid = text.split(separator: "\n").first.flatMap { Int32($0) }
        let isHeld = String(decoding: table, as: UTF8.self).split(separator: "\n").contains {
            line in
            isLock(line, of: status, pid)
        }
        return isHeld ? Holder(pid: pid) : nil
    }

    /// Whether a line of /proc/locks is about the file, as in
    /// `1: FLOCK  ADVISORY  WRITE 4711 fd:01:131 0 EOF`. Some file systems show another device
    /// there than stat(2) does, and a container other process numbers than the host: one of both
    /// is enough beside the inode.
    private static func isLock(_ line: Substring, of file: FileStatus, _ pid: Int32?) -> Bool {
        let words = line.split(separator: " ")
        guard words.count > 5, words[1] == "FLOCK" else { return false }
        let place = words[5].split(separator: ":")
        guard place.count == 3, UInt64(place[2]) == file.inode else { return false }
        let device = file.device
        let major = device >> 8 & 0xFFF | device >> 32 & ~0xFFF
        let minor = device & 0xFF | device >> 12 & ~0xFF
        let isDevice =
            UInt64(place[0], radix: 16) == major && UInt64(place[1], radix: 16) == minor
        return isDevice || pid != nil && Int32(words[4]) == pid
    }

    /// Who has a lock.
    package struct Holder: Hashable, Sendable {
        /// Nil where the number could not be written, or is not yet.
        package let pid: Int32?
    }

    /// Bytes of /proc/locks that are looked through: some ten thousand locks.
    private static let longestTable = 1 << 20
}
