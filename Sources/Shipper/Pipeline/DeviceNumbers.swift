import Model
import Platform
import Registry
import Synchronization
import Tailer

/// Finds files of the registry whose device got another number when the machine started: volumes and
/// disks are numbered in the order in which they are found. Looked at once, before anything is read;
/// were it not, every file on such a device would be taken for a new one.
///
/// A number is changed only for a file that is in its own directory, under whatever name, with its
/// inode, its birth time or its handle, and its content: what its fingerprint covers and, where there are no
/// birth times, the bytes before the position. A clone of its volume has all that, too, but not there. What
/// is compressed or gone by now, or not mounted yet, keeps the old number.
enum DeviceNumbers {
    /// How long one call may take, nanoseconds, or twice that: the start has to end.
    private static let patience: Int64 = 2_500_000_000

    /// As `changed`, on a thread that is left to itself where a directory does not answer, which `silent`
    /// hears of; that one and the ones after it keep their numbers.
    static func changedInTime(
        _ entries: [FileEntry], silent: (String) -> Void
    ) -> [FileID: FileIdentity] {
        do throws(SystemError) {
            let look = Look(try Wakeup())
            let thread = try SystemThread("devices") {
                look.end(changed(entries) { look.touches($0) })
            }
            while true {
                look.wakeup.wait(nanoseconds: patience)
                let (place, hasMoved, found) = look.state
                if let found {
                    thread.join()
                    return found
                }
                guard !hasMoved else { continue }
                thread.detach()
                silent(place)
                return [:]
            }
        } catch {
            // Without a thread there is no limit, which is better than no look.
            return changed(entries)
        }
    }

    /// What is known of a look by who waits for it.
    private final class Look: Sendable {
        let wakeup: Wakeup
        private let mutex = Mutex<(place: String, hasMoved: Bool, found: [FileID: FileIdentity]?)>(
            ("", false, nil))

        init(_ wakeup: Wakeup) { self.wakeup = wakeup }

        func touches(_ place: String) {
            mutex.withLock { now in
                now.place = place
                now.hasMoved = true
            }
        }

        func end(_ found: [FileID: FileIdentity]) {
            mutex.withLock { $0.found = found }
            wakeup.wake()
        }

        /// `hasMoved`: since it was asked for last.
        var state: (place: String, hasMoved: Bool, found: [FileID: FileIdentity]?) {
            mutex.withLock { now in
                defer { now.hasMoved = false }
                return now
            }
        }
    }

    /// The identities that files of these entries have now, where only the device's number changed.
    /// `touches` hears of each directory, and of each file, before it is looked at.
    static func changed(
        _ entries: [FileEntry], touches: (String) -> Void = { _ in }
    ) -> [FileID: FileIdentity] {
        var byDirectory: [ExactText: [FileEntry]] = [:]
        for entry in entries {
            guard let directory = ExactText(entry.path).parent else { continue }
            byDirectory[directory, default: []].append(entry)
        }
        var changed: [FileID: FileIdentity] = [:]
        for (directory, entries) in byDirectory {
            touches(directory.text)
            do throws(SystemError) {
                try look(in: PathText.bytes(of: directory.text), entries, &changed, touches)
            } catch {
                // What cannot be looked at proves nothing; the Tailer will say what is wrong with it.
                continue
            }
        }
        return changed
    }

    private static func look(
        in path: [UInt8], _ entries: [FileEntry], _ changed: inout [FileID: FileIdentity],
        _ touches: (String) -> Void
    ) throws(SystemError) {
        let status = try FileStatus.glance(at: path + Array("/.".utf8))
        let moved = entries.filter { $0.identity.device != status.device }
        // One lstat for a directory is all that it costs where nothing has changed.
        guard !moved.isEmpty else { return }
        let directory = try EntryLook.directory(path)
        var names: [UInt64: [UInt8]] = [:]
        for entry in try directory.entries() { names[entry.inode] = entry.name }
        for entry in moved {
            touches(entry.path)
            guard let name = names[entry.identity.inode], entry.fingerprint.length > 0 else {
                continue
            }
            guard case .file(let file, let status) = try directory.openFile(name) else { continue }
            let identity = FileIdentity(
                handle: file.handle(), device: status.device, inode: status.inode,
                birth: file.birth())
            let head = try file.read(count: Fingerprint.longest, at: 0)
            guard identity.isRenumbered(from: entry.identity),
                entry.fingerprint.matches(head: head)
            else { continue }
            // A handle alone may be no more than the inode's number.
            if identity.birth == nil || entry.identity.birth == nil {
                let anchor = entry.anchor.bytes
                let start = entry.offset - entry.base - anchor.count
                guard start >= 0, try file.read(count: anchor.count, at: start) == anchor else {
                    continue
                }
            }
            changed[entry.file] = identity
        }
    }
}
