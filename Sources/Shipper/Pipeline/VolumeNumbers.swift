import Model
import Platform
import Registry
import Synchronization

/// Whether the number of an entry's device leads to the volume that it led to when it was saved, so that what is not
/// there is gone. Disks have their numbers in the order in which they are found:
///
/// 1. The machine is started again, and two disks have each other's numbers. One of them is mounted late.
/// 2. What lies at its mount point until then has the number that it had: asked for its files, that says that all of
///    them were deleted.
/// 3. It is mounted. Without their entries all of it would be sent again.
///
/// So what was saved last before the machine was started is believed to be gone only where another such file stands on
/// the device with that number. Of what was saved since, its number was seen since. Sendable; any thread.
final class VolumeNumbers: Sendable {
    private struct State {
        /// The devices of entries that were saved before the machine was started.
        var doubtful: [FileID: UInt64] = [:]
        /// Some of those, by device.
        var witnesses: [UInt64: [FileEntry]] = [:]
        /// Devices for which one of them stood.
        var proven: Set<UInt64> = []
    }
    private let state: Mutex<State>

    /// Files that are looked at before a number is not believed; those that were written to last are the likeliest to
    /// stand.
    private static let mostWitnesses = 32

    /// Nothing is doubted.
    static let sure = VolumeNumbers([], booted: Timestamp(nanoseconds: 0))

    /// `entries` before anything is read; `booted` is when the machine was started.
    init(_ entries: [FileEntry], booted: Timestamp) {
        var state = State()
        let earlier = entries.filter { $0.updated < booted }
        for entry in earlier.sorted(by: { $1.updated < $0.updated }) {
            let device = entry.identity.device
            state.doubtful[entry.file] = device
            if state.witnesses[device, default: []].count < Self.mostWitnesses {
                state.witnesses[device, default: []].append(entry)
            }
        }
        self.state = Mutex(state)
    }

    /// `mayLook`: whether a path is one at which a look cannot hang.
    func isSure(of entry: FileEntry, mayLook: (String) -> Bool) -> Bool {
        let device = entry.identity.device
        let witnesses = state.withLock { state -> [FileEntry]? in
            guard state.doubtful[entry.file] == device, !state.proven.contains(device) else {
                return nil
            }
            return state.witnesses[device] ?? []
        }
        guard let witnesses else { return true }
        guard witnesses.contains(where: { mayLook($0.path) && Self.stands($0) }) else {
            return false
        }
        state.withLock { _ = $0.proven.insert(device) }
        return true
    }

    private static func stands(_ entry: FileEntry) -> Bool {
        guard GoneFile.isUnderItsName(entry), case .same = EntryLook(entry) else { return false }
        return true
    }
}
