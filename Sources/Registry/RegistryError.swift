package import Platform

/// Why the registry cannot be opened, or what it could not write.
package enum RegistryError: Error, Hashable, Sendable, CustomStringConvertible {
    /// Another process has the data directory; its process number where it could be read.
    case held(directory: String, pid: Int32?)
    /// The path is there but must not be trusted.
    case refused(path: String, Refusal)
    /// A system call on the way to an open registry failed.
    case unusable(path: String, SystemError)
    /// A system call failed while the registry of perhaps another process was read.
    case unreadable(path: String, SystemError)
    /// An intact file in a format that this version does not know.
    case newerVersion(path: String, version: Int)
    /// A damaged file could not be kept under another name, or an old one not be removed.
    case unwritable(path: String, SystemError)
    /// Something could not be written; it stays in memory and is tried again.
    case unwritten(path: String, SystemError)

    /// Reasons why a path is not trusted.
    package enum Refusal: Hashable, Sendable {
        case isLink
        case isNoDirectory
        case isWritableByOthers
    }

    package var description: String {
        switch self {
        case .held(let directory, let pid):
            let holder = pid.map { "process \($0)" } ?? "another process"
            return "\(directory): \(holder) holds this data directory: stop that one, or give this "
                + "one another directory with `data:`"
        case .refused(let path, .isLink):
            return "\(path): is a symbolic link, which somebody could point elsewhere: "
                + "name the directory itself with `data:`"
        case .refused(let path, .isNoDirectory):
            return "\(path): is not a directory: name another one with `data:`, or remove it"
        case .refused(let path, .isWritableByOthers):
            return "\(path): every user may write here and so change what was saved: "
                + "`chmod o-w \(path)`, or name another directory with `data:`"
        case .unusable(let path, let error):
            return "\(path): cannot keep positions here: \(error): \(Self.advice(error.code))"
        case .unreadable(let path, let error):
            return
                "\(path): cannot be read: \(error): is this the data directory of a shipper, and "
                + "may you read it?"
        case .newerVersion(let path, let version):
            return "\(path): format version \(version) is newer than \(JournalFormat.version), the "
                + "newest that this shipper knows: run the newer shipper, or move the directory "
                + "away to begin anew"
        case .unwritable(let path, let error):
            return "\(path): the damaged file cannot be kept for inspection: \(error): "
                + "\(Self.advice(error.code))"
        case .unwritten(let path, let error):
            return "\(path): positions cannot be saved: \(error): \(Self.advice(error.code)); "
                + "shipping goes on, and a restart would repeat what is not saved"
        }
    }

    private static func advice(_ code: Errno) -> String {
        switch code {
        case .notFound: "create the directory above it, or name another one with `data:`"
        case .permission, .notPermitted:
            "give the shipper's user read and write permission, or name another directory with "
                + "`data:`"
        case .noSpace, .noQuota, .fileTooLarge: "free space on its file system, or raise the limit"
        case .readOnly: "mount its file system writable, or name another directory with `data:`"
        case .tooManyLinks: "a symbolic link stands where a file of the registry belongs: remove it"
        default: "check the file system it is on"
        }
    }
}
