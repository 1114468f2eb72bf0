import Platform

/// A data directory as somebody sees it who changes nothing: neither made, nor locked.
package enum DataDirectory {
    /// What an agent that starts now would find.
    package enum Look: Hashable, Sendable {
        /// It would be made, if the directory above it is there.
        case absent(isAboveThere: Bool)
        /// The agent would not start, for this reason.
        case refused(RegistryError)
        /// Whoever looks may not write there.
        case unwritable
        /// An agent runs with it.
        case held(pid: Int32?)
        case free
    }

    /// Looks at the directory of the path, which `data:` names.
    package static func look(at directory: String) -> Look {
        var path = directory
        // With a slash behind it, lstat would follow a link.
        while path.count > 1, path.hasSuffix("/") { path.removeLast() }
        do throws(SystemError) {
            if let refusal = try refusal(of: path) { return .refused(refusal) }
            if let refusal = try refusalOfFiles(in: path) { return .refused(refusal) }
            let opened = try Descriptor.directory(atPath: path)
            if let holder = try FileLock.holder(of: RegistryLock.name, in: opened) {
                return .held(pid: holder.pid)
            }
            return FileStatus.isWritableDirectory(at: Array(path.utf8)) ? .free : .unwritable
        } catch {
            if error.code == .notFound { return .absent(isAboveThere: isAboveThere(path)) }
            if error.code == .permission { return .unwritable }
            return .refused(.unusable(path: path, error))
        }
    }

    /// Why nothing is kept in a directory.
    private static func refusal(of path: String) throws(SystemError) -> RegistryError? {
        let status = try Descriptor.linkStatus(ofPath: path)
        if status.isLink { return .refused(path: path, .isLink) }
        if !status.isDirectory { return .refused(path: path, .isNoDirectory) }
        if status.mode & 0o002 != 0 { return .refused(path: path, .isWritableByOthers) }
        return nil
    }

    /// The same of the one in it that has the registry's files, which may not be there yet.
    private static func refusalOfFiles(in path: String) throws(SystemError) -> RegistryError? {
        do throws(SystemError) {
            return try refusal(of: "\(path)/\(JournalFormat.directoryName)")
        } catch {
            if error.code == .notFound { return nil }
            throw error
        }
    }

    private static func isAboveThere(_ path: String) -> Bool {
        let above = path.utf8.lastIndex(of: UInt8(ascii: "/")).map { String(path[..<$0]) } ?? ""
        do throws(SystemError) {
            return try FileStatus.glance(at: Array((above + "/.").utf8)).isDirectory
        } catch {
            return false
        }
    }
}
