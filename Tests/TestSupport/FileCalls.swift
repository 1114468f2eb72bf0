import Glibc
package import Platform

/// rename(2).
package func rename(_ from: String, _ to: String) throws(SystemError) {
    guard unsafe Glibc.rename(from, to) == 0 else {
        throw SystemError("rename", path: from, code: .last)
    }
}

/// unlink(2), or rmdir(2) for an empty directory.
package func remove(_ path: String) throws(SystemError) {
    guard unsafe Glibc.remove(path) == 0 else {
        throw SystemError("remove", path: path, code: .last)
    }
}

/// A symbolic link at `path`.
package func makeLink(_ path: String, to target: String) throws(SystemError) {
    guard unsafe symlink(target, path) == 0 else {
        throw SystemError("symlink", path: path, code: .last)
    }
}

/// A second name of a file.
package func makeHardLink(_ path: String, to target: String) throws(SystemError) {
    guard unsafe link(target, path) == 0 else {
        throw SystemError("link", path: path, code: .last)
    }
}

/// A FIFO at `path`.
package func makeFIFO(_ path: String) throws(SystemError) {
    guard unsafe mkfifo(path, 0o600) == 0 else {
        throw SystemError("mkfifo", path: path, code: .last)
    }
}

/// chmod(2).
package func setMode(_ path: String, _ mode: UInt32) throws(SystemError) {
    guard unsafe chmod(path, mode) == 0 else {
        throw SystemError("chmod", path: path, code: .last)
    }
}
