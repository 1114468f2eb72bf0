import Glibc
import Platform

/// A file with a secret, as Kubernetes mounts one.
enum SecretFile {
    /// More than any password or token; a file that is longer is another.
    static let longest = 64 << 10

    /// What is in it, one byte more at most than `longest`.
    static func contents(_ path: String) throws(SystemError) -> [UInt8] {
        // Not blocking: a FIFO without a writer would keep us here for ever.
        let file = try Descriptor.open(path, O_RDONLY | O_NONBLOCK)
        let status = try file.status()
        if status.isDirectory { throw SystemError("open", path: path, code: .isDirectory) }
        guard status.isRegular else { throw SystemError("open", path: path, code: .invalid) }
        return try file.read(count: longest + 1, at: 0)
    }
}
