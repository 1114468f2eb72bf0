import Model
import Platform
import Registry

extension Whereabouts {
    /// Looks for an entry's file by its handle, wherever it is, as a directory's file system has
    /// it, if that is the file's own. A size is of the content: nothing is known of that of a
    /// compressed file but what its entry says.
    static func of(_ entry: FileEntry, from directory: [UInt8]) -> Whereabouts {
        guard let handle = entry.identity.handle else { return .unknown }
        do throws(SystemError) {
            let opened = try Descriptor.open(directory, O.directory)
            // A server that was started anew says of everything that it is stale.
            guard try opened.status().device == entry.identity.device,
                try !opened.fileSystemType().hasOtherWriters
            else { return .unknown }
            let found = opened.whereabouts(ofHandle: handle)
            guard case .at(let path, let size) = found, PhysicalOffset(size) > entry.size,
                isPacked(entry, handle, in: opened)
            else { return found }
            return .at(path: path, size: entry.size.bytes)
        } catch {
            // That directory is gone as well, or may not be opened.
            return .unknown
        }
    }

    /// 1. A file is moved away, and something else is mounted over a directory on the way to it.
    /// 2. That is on another machine, which does not answer.
    ///
    /// So it is not looked at by its path.
    private static func isPacked(
        _ entry: FileEntry, _ handle: [UInt8], in directory: borrowing Descriptor
    ) -> Bool {
        do throws(SystemError) {
            let head = try directory.head(ofHandle: handle, count: Fingerprint.longest)
            return entry.content(beginningAs: head) == .packed
        } catch {
            // It may not be read: what is there counts.
            return false
        }
    }
}
