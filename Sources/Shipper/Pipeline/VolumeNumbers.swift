import Model
import Platform
import Registry
import Synchronization
import Tailer

/// Whether the number of an entry's device leads to the volume that it led to when it was saved, so
/// that what is not there is gone. Disks have their numbers in the order in which they are found:
///
/// 1. The machine is started again, and two disks have each other's numbers. One of them is mounted
///    late.
/// 2. What lies at its mount point until then has the number that it had: asked for its files, that
///    says that all of them were removed.
/// 3. It is mounted. Without their entries all of it would be sent again.
///
/// So what was saved last before the machine was started is believed to be gone only where another
/// such file stands, or was opened, on the device with that number. Of what was saved since, its
/// number was seen since: what is noted of an entry in doubt whose file nobody has seen keeps a
/// time before that (`timeOfNote`). Sendable; any thread.
final class VolumeNumbers: Sendable {
    private struct State {
        /// The devices of entries that were saved before the machine was started.
        var doubtful: [FileID: UInt64] = [:]
        /// Some of those, by device.
        var witnesses: [UInt64: [FileEntry]] = [:]
        /// Devices for which one of them stood, or was opened.
        var proven: Set<UInt64> = []
        /// Devices for which none of their witnesses stood, and when that was found, monotonic
        /// nanoseconds.
        var refused: [UInt64: Int64] = [:]
    }
    private let state: Mutex<State>
    private let booted: Timestamp

    /// Files that are looked at before a number is not believed; those that were written to last
    /// are the likeliest to stand.
    private static let mostWitnesses = 32
    /// How long it is believed that none of them stands, nanoseconds: a look at 100,000 missing
    /// entries would ask each of those for each of these, and the next look comes two minutes
    /// later.
    static let refusal: Int64 = 30_000_000_000

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
        self.booted = booted
    }

    /// How far before the start of the machine the time of a note lies, nanoseconds: the clock may
    /// be set back, and then the machine was started a little earlier for the next run.
    private static let margin: Int64 = 86_400_000_000_000

    /// The time of a note that the file of `entry` is out of sight.
    ///
    /// 1. The machine is started again, and a disk has another number. It is not mounted yet.
    /// 2. Its files are noted as out of reach, and the agent is started once more.
    /// 3. With the time of that note, their number would count as seen since the machine was
    ///    started.
    ///
    /// How long they are out of sight counts from that time, too. So on a machine that is up for
    /// long they have half of what others have.
    func timeOfNote(on entry: FileEntry, now: Timestamp = .now()) -> Timestamp {
        let isDoubtful = state.withLock { state in
            let device = entry.identity.device
            return state.doubtful[entry.file] == device && !state.proven.contains(device)
        }
        guard isDoubtful else { return now }
        let before = booted.nanoseconds -| Self.margin
        let recent = now.nanoseconds -| OutOfSightFiles.longestAbsence / 2
        return max(entry.updated, Timestamp(nanoseconds: max(before, recent)))
    }

    /// The file of `entry` was opened, and has what is known of it. That proves more than its
    /// witnesses can, which may have been renamed by rotations since.
    func opened(_ entry: FileEntry) {
        let device = entry.identity.device
        state.withLock { state in
            if state.doubtful[entry.file] == device { state.proven.insert(device) }
        }
    }

    /// `mayLook`: whether a path is one at which a look cannot hang.
    func isSure(
        of entry: FileEntry, now: Int64 = Clock.monotonicNanoseconds(), mayLook: (String) -> Bool
    ) -> Bool {
        let device = entry.identity.device
        let (isSure, witnesses) = state.withLock { state -> (Bool, [FileEntry]) in
            guard state.doubtful[entry.file] == device, !state.proven.contains(device) else {
                return (true, [])
            }
            if let since = state.refused[device], now - since < Self.refusal { return (false, []) }
            return (false, state.witnesses[device] ?? [])
        }
        guard !isSure, !witnesses.isEmpty else { return isSure }
        let mine = witnesses.filter { mayLook($0.path) }
        let stands = mine.contains(where: Self.stands)
        state.withLock { state in
            if stands {
                state.proven.insert(device)
            } else if mine.count == witnesses.count {
                // Who may look at others of them may find more.
                state.refused[device] = now
            }
        }
        return stands
    }

    private static func stands(_ entry: FileEntry) -> Bool {
        guard case .found(let file) = EntryLook.open(entry) else { return false }
        return !file.isRenumbered && !file.isPacked
    }
}
