import Glibc

/// A file that one process at a time holds by flock(2), with the holder's process number in it for
/// people. The kernel drops the lock with the process, however that ends; nothing has to be cleaned
/// up, and the file stays.
package struct FileLock: ~Copyable, Sendable {
    private let file: Descriptor

    private init(_ file: consuming Descriptor) { self.file = file }

    deinit {
        // Closing alone is not enough:
        // 1. Another thread starts a program: its child has copies of all descriptors until exec.
        // 2. This lock is given up here. The child's copy is of the same open file, so it still
        //    holds.
        // 3. Whoever tries now is told that this process holds the lock.
        // Unlocking counts for all copies. It can only fail for a descriptor that is none.
        _ = file.withRawValue { number in flock(number, LOCK_UN) }
    }

    /// How an attempt ended.
    package enum Attempt: ~Copyable, Sendable {
        /// Held until the value is gone.
        case taken(FileLock)
        /// Another open file has it, mostly another process. Its number is nil in the moment
        /// between its taking the lock and writing the number, and where that could not be written.
        case held(pid: Int32?)
    }

    /// Tries to take the lock file `name` in `directory`, without waiting; a symbolic link there is
    /// refused (ELOOP).
    package static func attempt(
        _ name: String, in directory: borrowing Descriptor
    ) throws(SystemError) -> Attempt {
        let file = try directory.openAt(name, O_RDWR | O_CREAT | O_NOFOLLOW | O_NONBLOCK)
        let done = file.withRawValue { number in retrying { flock(number, LOCK_EX | LOCK_NB) } }
        guard done == 0 else {
            let code = Errno.last
            guard code == .again else { throw SystemError("flock", path: name, code: code) }
            let text = String(decoding: try file.read(count: 20, at: 0), as: UTF8.self)
            return .held(pid: text.split(separator: "\n").first.flatMap { Int32($0) })
        }
        do {
            try file.truncate(to: 0)
            try file.write(Array("\(getpid())\n".utf8))
        } catch {
            // The lock holds without the number, which only makes a message better, and a full disk
            // must not keep the agent from starting.
        }
        return .taken(FileLock(file))
    }
}
