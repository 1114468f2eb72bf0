internal import Glibc
package import Platform

/// symlink(2): `path` becomes a link to `target`.
package func symbolicLink(_ target: String, at path: String) throws(SystemError) {
    guard unsafe symlink(target, path) == 0 else {
        throw SystemError("symlink", path: path, code: .last)
    }
}

/// chmod(2).
package func changeMode(_ path: String, _ mode: UInt32) throws(SystemError) {
    guard unsafe chmod(path, mode) == 0 else {
        throw SystemError("chmod", path: path, code: .last)
    }
}
