import Glibc

/// A system call that failed: which one, on what, and why.
package struct SystemError: Error, Hashable, Sendable, CustomStringConvertible {
    /// The call's name, as in its man page.
    package let call: String
    /// The path it was made on, where there was one.
    package let path: String?
    /// The reason that the call gave.
    package let code: Errno

    package init(_ call: String, path: String? = nil, code: Errno) {
        self.call = call
        self.path = path
        self.code = code
    }

    package var description: String {
        if let path { return "\(call) \(path): \(code)" }
        return "\(call): \(code)"
    }
}

/// An `errno` value.
package struct Errno: Hashable, Sendable, CustomStringConvertible {
    /// The number as the C library has it on this machine.
    package let value: Int32

    package init(_ value: Int32) { self.value = value }

    /// The value that the call just made on this thread left behind.
    package static var last: Errno { Errno(errno) }

    package static let notFound = Errno(ENOENT)
    package static let notDirectory = Errno(ENOTDIR)
    package static let permission = Errno(EACCES)
    package static let notPermitted = Errno(EPERM)
    package static let interrupted = Errno(EINTR)
    package static let again = Errno(EAGAIN)
    package static let exists = Errno(EEXIST)
    package static let noSpace = Errno(ENOSPC)
    package static let noQuota = Errno(EDQUOT)
    package static let fileTooLarge = Errno(EFBIG)
    package static let badDescriptor = Errno(EBADF)
    package static let tooManyLinks = Errno(ELOOP)
    package static let crossDevice = Errno(EXDEV)
    package static let notImplemented = Errno(ENOSYS)
    package static let notSupported = Errno(EOPNOTSUPP)
    package static let invalid = Errno(EINVAL)
    package static let isDirectory = Errno(EISDIR)
    package static let overflow = Errno(EOVERFLOW)
    package static let processLimit = Errno(EMFILE)
    package static let systemLimit = Errno(ENFILE)
    package static let outOfMemory = Errno(ENOMEM)
    package static let stale = Errno(ESTALE)
    package static let inputOutput = Errno(EIO)
    package static let readOnly = Errno(EROFS)
    package static let brokenPipe = Errno(EPIPE)
    package static let notEmpty = Errno(ENOTEMPTY)
    package static let busy = Errno(EBUSY)
    package static let noDevice = Errno(ENXIO)
    package static let timedOut = Errno(ETIMEDOUT)
    package static let inProgress = Errno(EINPROGRESS)

    /// There is no room now, and may be later: the disk, a quota, or what this process may write is
    /// full.
    package var isLackOfRoom: Bool {
        self == .noSpace || self == .noQuota || self == .fileTooLarge
    }

    package var description: String {
        guard let text = unsafe strerror(value) else { return "errno \(value)" }
        return unsafe String(cString: text)
    }
}
