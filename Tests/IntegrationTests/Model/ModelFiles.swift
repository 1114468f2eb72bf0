import Glibc
import Platform
import TestSupport

/// What programs and rotators do to files.
enum ModelFiles {
    static func open(_ path: String, appends: Bool) throws(SystemError) -> Descriptor {
        let descriptor = try Descriptor.open(
            path, O_WRONLY | O_CREAT | (appends ? O_APPEND : 0), mode: 0o644)
        if !appends { _ = descriptor.withRawValue { lseek($0, 0, SEEK_END) } }
        return descriptor
    }

    /// As cp does it.
    static func copy(_ from: String, _ to: String) throws(SystemError) {
        let copy = try Descriptor.open(to, O_WRONLY | O_CREAT | O_TRUNC, mode: 0o644)
        try copy.write(readFile(from))
    }

    static func truncate(_ path: String) throws(SystemError) {
        try Descriptor.open(path, O_WRONLY).truncate(to: 0)
    }

    /// Compresses a file into another one.
    static func compress(_ path: String, to archive: String) throws {
        let gzip = try ChildProcess(
            findProgram("gzip", package: "gzip"), ["-c"], input: .file(path),
            output: .file(archive))
        guard try gzip.wait() == .code(0) else { throw Unexpected(description: gzip.errors) }
    }

    static func compress(_ path: String) throws {
        let gzip = try ChildProcess(findProgram("gzip", package: "gzip"), [path])
        guard try gzip.wait() == .code(0) else { throw Unexpected(description: gzip.errors) }
    }
}
