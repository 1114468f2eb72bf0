import Glibc

/// Calls on a directory's descriptor, by the names in it.
extension Descriptor {
    /// renameat(2) within this directory; `new` is replaced.
    package borrowing func rename(_ old: String, to new: String) throws(SystemError) {
        let done = withRawValue { number in unsafe renameat(number, old, number, new) }
        guard done == 0 else { throw SystemError("renameat", path: old, code: .last) }
    }

    /// linkat(2) within this directory: `new` becomes a second name of `old`.
    package borrowing func link(_ old: String, to new: String) throws(SystemError) {
        let done = withRawValue { number in unsafe linkat(number, old, number, new, 0) }
        guard done == 0 else { throw SystemError("linkat", path: new, code: .last) }
    }

    /// unlinkat(2) of a name that is no directory.
    package borrowing func remove(_ name: String) throws(SystemError) {
        let done = withRawValue { number in unsafe unlinkat(number, name, 0) }
        guard done == 0 else { throw SystemError("unlinkat", path: name, code: .last) }
    }

    /// mkdirat(2) beneath this directory; false where the name exists already, as whatever.
    package borrowing func makeDirectory(
        _ name: String, mode: UInt32 = 0o700
    ) throws(SystemError) -> Bool {
        let done = withRawValue { number in unsafe mkdirat(number, name, mode) }
        if done == 0 { return true }
        let code = Errno.last
        guard code == .exists else { throw SystemError("mkdirat", path: name, code: code) }
        return false
    }

    /// mkdir(2); false where the path exists already, as whatever.
    package static func makeDirectory(
        atPath path: String, mode: UInt32 = 0o700
    ) throws(SystemError) -> Bool {
        if unsafe mkdir(path, mode) == 0 { return true }
        let code = Errno.last
        guard code == .exists else { throw SystemError("mkdir", path: path, code: code) }
        return false
    }

    /// lstat(2): a symbolic link itself and not its target.
    package static func linkStatus(ofPath path: String) throws(SystemError) -> FileStatus {
        var raw = stat()
        guard unsafe lstat(path, &raw) == 0 else {
            throw SystemError("lstat", path: path, code: .last)
        }
        return FileStatus(raw)
    }

    /// A directory to be worked in; a symbolic link in the last place is refused (ELOOP, ENOTDIR).
    package static func directory(atPath path: String) throws(SystemError) -> Descriptor {
        try open(path, O_RDONLY | O_DIRECTORY | O_NOFOLLOW)
    }

    /// The same, of a name in this directory.
    package borrowing func directory(named name: String) throws(SystemError) -> Descriptor {
        try openAt(name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW)
    }

    /// A name in this directory for reading; a symbolic link is refused (ELOOP).
    package borrowing func readable(named name: String) throws(SystemError) -> Descriptor {
        try openAt(name, O_RDONLY | O_NOFOLLOW | O_NONBLOCK)
    }

    /// A name in this directory, which is there, for reading and appending; a symbolic link is
    /// refused (ELOOP).
    package borrowing func appendable(named name: String) throws(SystemError) -> Descriptor {
        try openAt(name, O_RDWR | O_APPEND | O_NOFOLLOW | O_NONBLOCK)
    }
}
