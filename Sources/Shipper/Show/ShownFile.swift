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
    /// Where it ends, now where that can be known, else when the agent looked last.
    let size: PhysicalOffset
    /// How its lines are written, where that can be seen now.
    var format: ShownFormat?

    var lag: Int { entry.lag(size: size) }
}

/// Looks at files, and opens only those of which their numbers do not tell enough.
struct FileGlance {
    private var search = EntrySearch()
    private let formats: ShownFormats

    init(_ formats: ShownFormats = ShownFormats()) { self.formats = formats }

    mutating func look(at entry: FileEntry) -> ShownFile {
        switch search.glance(entry) {
        case .found(let status):
            let size = status.end < entry.size ? size(of: entry, status) : status.end
            var file = shown(entry, size)
            if let place = search.place(of: entry) {
                file.format = formats.format(of: entry, status.end, at: place)
            }
            return file
        case .unreachable(.away):
            // Or its volume has another number, which the agent finds out when it starts.
            guard case .found(let file) = search.open(entry) else { break }
            return shown(entry, file.isPacked ? max(file.size, entry.size) : file.size)
        case .other, .missing:
            if entry.state != .deleted {
                return ShownFile(entry: entry, state: .gone, size: entry.size)
            }
        case .unreachable(.failed):
            return ShownFile(entry: entry, state: .unreachable, size: entry.size)
        }
        let state: ShownFile.State = entry.state == .deleted ? .deleted : .unreachable
        return ShownFile(entry: entry, state: state, size: entry.size)
    }

    /// Offsets are of the content, of which a compressed file has fewer bytes on the disk.
    private mutating func size(of entry: FileEntry, _ status: FileStatus) -> PhysicalOffset {
        guard case .found(let file) = search.open(entry), file.isPacked else { return status.end }
        return entry.size
    }

    private func shown(_ entry: FileEntry, _ size: PhysicalOffset) -> ShownFile {
        let state: ShownFile.State =
            switch entry.state {
            case .active: .active
            case .archived: .archived
            case .deleted: .deleted
            case .unreachable: .unreachable
            }
        return ShownFile(entry: entry, state: state, size: size)
    }
}
