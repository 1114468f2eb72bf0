import Glibc

/// The limit of open descriptors (RLIMIT_NOFILE) and other bounds that the kernel sets to this
/// process.
package enum ProcessLimits {
    /// Raises the soft limit of open descriptors to the hard one; what it is then.
    package static func raiseDescriptors() -> Int {
        var limit = current()
        limit.rlim_cur = limit.rlim_max
        // Where it is refused the old limit holds, and is what is returned.
        _ = unsafe setrlimit(__rlimit_resource_t(RLIMIT_NOFILE.rawValue), &limit)
        return descriptors()
    }

    /// Descriptors that may be open at a time.
    package static func descriptors() -> Int { Int(clamping: current().rlim_cur) }

    /// inotify watches that all programs of this process' user may have together; nil where the
    /// kernel does not say.
    package static func inotifyWatches() -> Int? {
        let path = "/proc/sys/fs/inotify/max_user_watches"
        do throws(SystemError) {
            let text = try Descriptor.open(path, O_RDONLY).read(count: 32, at: 0)
            return Int(String(decoding: text.prefix { $0 != UInt8(ascii: "\n") }, as: UTF8.self))
        } catch {
            // Who starts takes as many as are usual then.
            return nil
        }
    }

    private static func current() -> rlimit {
        var limit = rlimit()
        guard unsafe getrlimit(__rlimit_resource_t(RLIMIT_NOFILE.rawValue), &limit) == 0 else {
            // POSIX promises no fewer than 20; Linux starts every process with 1024.
            return rlimit(rlim_cur: 1024, rlim_max: 1024)
        }
        return limit
    }
}
