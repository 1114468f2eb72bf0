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
}
