import Glibc
package import Platform

/// When a file was read last, as its file system has it; seconds since 1970.
package func accessTime(of path: String) throws(SystemError) -> Int {
    var status = stat()
    guard unsafe stat(path, &status) == 0 else {
        throw SystemError("stat", path: path, code: .last)
    }
    return status.st_atim.tv_sec
}
