import Model
import Platform
import Registry
import Tailer

/// A file of the registry as it is now.
struct ShownFile {
    /// The state of a file, as a look at its path tells it.
    enum State: String {
        /// It may grow.
        case active
        /// Rotated away; its end is final.
        case archived
        /// It went with its directory, or was moved to where no pattern leads: what was unread of
        /// it was counted as lost, and the entry stays until it is known that it will not be found
        /// again.
        case deleted
        /// It cannot be looked at, or the volume that it is on is not mounted: its entry stays.
        case unreachable
        /// It is no longer where it was, nor beside that.
        case gone
    }

    let entry: FileEntry
    let state: State
    /// Physical bytes, now where that can be known, else when the agent looked last.
    let size: Int

    var lag: Int { entry.lag(size: size) }
}

/// Looks at files without opening any. Keeps what directories list, for the files of one look.
struct FileGlance {
    private var listings: [[UInt8]: [UInt64: [UInt8]]] = [:]

    mutating func look(at entry: FileEntry) -> ShownFile {
        let path = PathText.bytes(of: entry.path)
        do throws(SystemError) {
            if let size = try size(of: entry, at: path) { return shown(entry, size) }
            // Renamed while no agent was there to see it, mostly by a rotation.
            let directory = Array(path.directoryAndName?.directory ?? [])
            if let name = try name(of: entry.identity.inode, in: directory),
                let size = try size(of: entry, at: directory + [UInt8(ascii: "/")] + name)
            {
                return shown(entry, size)
            }
            if entry.state == .deleted {
                return ShownFile(entry: entry, state: .deleted, size: entry.size)
            }
            // Elsewhere than on its volume it is missing because that is.
            let place = ExactText(entry.path).parent.map { DirectoryPlace.of($0) }
            let isThere = place?.lacks(device: entry.identity.device) ?? false
            return ShownFile(
                entry: entry, state: isThere ? .gone : .unreachable, size: entry.size)
        } catch {
            return ShownFile(entry: entry, state: .unreachable, size: entry.size)
        }
    }

    private func shown(_ entry: FileEntry, _ size: Int) -> ShownFile {
        let state: ShownFile.State =
            switch entry.state {
            case .active: .active
            case .archived: .archived
            case .deleted: .deleted
            case .unreachable: .unreachable
            }
        return ShownFile(entry: entry, state: state, size: size)
    }

    /// The size of the entry's file; nil where it is not at this path.
    private func size(of entry: FileEntry, at path: [UInt8]) throws(SystemError) -> Int? {
        do {
            let status = try FileStatus.glance(at: path)
            let isIt =
                status.inode == entry.identity.inode && status.device == entry.identity.device
            guard isIt else { return nil }
            // Offsets are of the content, of which a compressed file has fewer bytes on the disk.
            return status.size < entry.size && EntryLook(entry).isPacked ? entry.size : status.size
        } catch {
            if error.code == .notFound || error.code == .notDirectory { return nil }
            throw error
        }
    }

    /// The name of an inode in a directory; nil where neither is there.
    private mutating func name(
        of inode: UInt64, in directory: [UInt8]
    ) throws(SystemError) -> [UInt8]? {
        if let known = listings[directory] { return known[inode] }
        var names: [UInt64: [UInt8]] = [:]
        do {
            for entry in try EntryLook.directory(directory).entries() {
                names[entry.inode] = entry.name
            }
        } catch {
            guard error.code == .notFound || error.code == .notDirectory else { throw error }
        }
        listings[directory] = names
        return names[inode]
    }
}
