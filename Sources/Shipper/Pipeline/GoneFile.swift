import Model
import Platform
import Registry
import Tailer

/// Tells of a file that is no longer where it was. Pure values but for `whereabouts`.
enum GoneFile {
    /// Of what follows `delivered`, which every byte before was shipped of; nothing where it was
    /// told before.
    ///
    /// `isRead`: this run has read it to its end, and nobody could have written more to it.
    static func events(
        _ entry: FileEntry, delivered: Int, _ whereabouts: Whereabouts, isRead: Bool = false
    ) -> [TailerEvent] {
        guard entry.state != .deleted else { return [] }
        func lost(to end: Int, _ reason: LossReason) -> [TailerEvent] {
            guard end > delivered else { return [] }
            let range = ByteRange(start: delivered, end: end)
            return [.lost(path: entry.path, range: range, reason: reason)]
        }
        var seen = entry.size
        switch whereabouts {
        case .at(let place, let size):
            // What was seen was there: it is lost as well where the file was cut since.
            let lost = lost(to: entry.base +| max(seen, size), .movedAway)
            let event = TailerEvent.foundElsewhere(path: entry.path, place: PathText.text(place))
            return lost.isEmpty ? [] : lost + [event]
        case .deleted(let size): seen = max(seen, size ?? 0)
        case .unknown: break
        }
        let end = entry.base +| seen
        let lost = lost(to: end, .deletedUnread)
        guard entry.state == .active, !isRead else { return lost }
        return lost + [.vanished(path: entry.path, from: LogicalOffset(max(end, delivered)))]
    }

    /// Whether the file stands under the path of its entry, where another stream may have found it.
    static func isUnderItsName(_ entry: FileEntry) -> Bool {
        do throws(SystemError) {
            let status = try FileStatus.glance(at: PathText.bytes(of: entry.path))
            return status.inode == entry.identity.inode && status.device == entry.identity.device
        } catch {
            return false
        }
    }

    /// Looks for an entry's file, as a directory's file system has it, if that is the file's own. A
    /// size is of the content: nothing is known of that of a compressed file but what its entry
    /// says.
    static func whereabouts(of entry: FileEntry, from directory: [UInt8]) -> Whereabouts {
        guard let handle = entry.identity.handle else { return .unknown }
        do throws(SystemError) {
            let opened = try Descriptor.open(directory, O.directory)
            // A server that was started anew says of everything that it is stale.
            guard try opened.status().device == entry.identity.device,
                try !opened.fileSystemType().hasOtherWriters
            else { return .unknown }
            let found = opened.whereabouts(ofHandle: handle)
            guard case .at(let path, let size) = found, size > entry.size,
                isPacked(entry, handle, in: opened)
            else { return found }
            return .at(path: path, size: entry.size)
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
            return !entry.fingerprint.matches(head: head) && Compression(head: head) != nil
        } catch {
            // It may not be read: what is there counts.
            return false
        }
    }
}
