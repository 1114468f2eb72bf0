import Model
import Platform
import Registry
import Synchronization
import Tailer

/// Finds files of the registry whose device got another number when the machine started: volumes
/// and disks are numbered in the order in which they are found. Looked at once, before anything is
/// read; were it not, every file on such a device would be taken for a new one. What is mounted
/// later has its turn when its directories are found (`FileMemory.renumber`).
///
/// A number is changed only for a file that is in its own directory, under whatever name, with its
/// inode, its birth time or its handle, and its content: what its fingerprint covers and, where
/// there are no birth times, the bytes before the position. A clone of its volume has all that,
/// too, but not there. What is compressed or gone by now, or not mounted yet, keeps the old number.
enum DeviceNumbers {
    /// How long one call may take, nanoseconds, or twice that: the start has to end.
    static let patience: Int64 = 2_500_000_000
    /// Threads that may hang with a directory each: with the patience above the start waits 15 s
    /// for them at the most.
    static let mostSilent = 3

    /// As `changed`, on a thread that is left to itself where a directory does not answer, which
    /// `silent` hears of. That one, and others whose files were on its device, keep their numbers;
    /// another thread goes on with the rest, and what was found is kept. `touches` is called there
    /// before each look.
    static func changedInTime(
        _ entries: [FileEntry], patience: Int64 = patience,
        touches: @escaping @Sendable (String) -> Void = { _ in }, silent: (String) -> Void
    ) -> [FileID: FileIdentity] {
        let relay: Relay
        var thread: SystemThread
        do throws(SystemError) {
            let (wakeup, directories) = (try Wakeup(), byDirectory(entries))
            relay = Relay(directories, wakeup, touches)
            thread = try SystemThread("devices") { [relay] in relay.go(turn: 0) }
        } catch {
            // Without a thread there is no limit, which is better than no look.
            return changed(entries)
        }
        var turn = 0
        while true {
            relay.wakeup.wait(nanoseconds: patience)
            switch relay.progress() {
            case .ended:
                thread.join()
                return relay.found
            case .moved: continue
            case .hangs(let place):
                thread.detach()
                silent(place)
                turn += 1
                guard relay.passOver(turn: turn), turn < mostSilent else { return relay.found }
                do throws(SystemError) {
                    thread = try SystemThread("devices") { [relay, turn] in relay.go(turn: turn) }
                } catch {
                    // Without a thread the rest could hang for ever, and one is known to.
                    return relay.found
                }
            }
        }
    }

    /// The directories that are to be looked at, and what came of it. Its threads come one after
    /// another: each has a turn, which is over when it hangs and the next one has the rest.
    private final class Relay: Sendable {
        enum Progress {
            case ended
            case moved
            case hangs(String)
        }
        private struct State {
            var rest: [(directory: ExactText, entries: [FileEntry])]
            /// The entries that are looked at.
            var current: [FileEntry] = []
            var place = ""
            /// Since progress was asked for last.
            var hasMoved = false
            var hasEnded = false
            var turn = 0
            var found: [FileID: FileIdentity] = [:]
        }
        let wakeup: Wakeup
        private let touches: @Sendable (String) -> Void
        private let state: Mutex<State>

        init(
            _ directories: [ExactText: [FileEntry]], _ wakeup: Wakeup,
            _ touches: @escaping @Sendable (String) -> Void
        ) {
            self.wakeup = wakeup
            self.touches = touches
            state = Mutex(State(rest: directories.map { ($0.key, $0.value) }))
        }

        func go(turn: Int) {
            while let (directory, entries) = next(turn) {
                touch(directory.text, turn)
                DeviceNumbers.look(in: directory, entries) {
                    touch($0, turn)
                } changed: { file, identity in
                    state.withLock { $0.found[file] = identity }
                }
            }
        }

        /// The next directory of the thread whose turn it is.
        private func next(_ turn: Int) -> (directory: ExactText, entries: [FileEntry])? {
            let (next, hasEnded) = state.withLock { state in
                guard turn == state.turn else {
                    return (nil as (directory: ExactText, entries: [FileEntry])?, false)
                }
                let next = state.rest.popLast()
                state.current = next?.entries ?? []
                state.hasEnded = next == nil
                return (next, state.hasEnded)
            }
            if hasEnded { wakeup.wake() }
            return next
        }

        private func touch(_ place: String, _ turn: Int) {
            state.withLock { state in
                guard turn == state.turn else { return }
                state.place = place
                state.hasMoved = true
            }
            touches(place)
        }

        func progress() -> Progress {
            state.withLock { state in
                defer { state.hasMoved = false }
                if state.hasEnded { return .ended }
                return state.hasMoved ? .moved : .hangs(state.place)
            }
        }

        /// The thread that is at it hangs: from now on it is the turn of another one. Whether
        /// anything is left that was not on the same device.
        func passOver(turn: Int) -> Bool {
            state.withLock { state in
                let silent = Set(state.current.map(\.identity.device))
                state.rest.removeAll { $0.entries.contains { silent.contains($0.identity.device) } }
                state.turn = turn
                return !state.rest.isEmpty
            }
        }

        var found: [FileID: FileIdentity] { state.withLock { $0.found } }
    }

    private static func byDirectory(_ entries: [FileEntry]) -> [ExactText: [FileEntry]] {
        var byDirectory: [ExactText: [FileEntry]] = [:]
        for entry in entries {
            guard let directory = ExactText(entry.path).parent else { continue }
            byDirectory[directory, default: []].append(entry)
        }
        return byDirectory
    }

    /// The identities that files of these entries have now, where only the device's number changed.
    static func changed(_ entries: [FileEntry]) -> [FileID: FileIdentity] {
        var found: [FileID: FileIdentity] = [:]
        for (directory, entries) in byDirectory(entries) {
            look(in: directory, entries) { _ in
            } changed: {
                found[$0] = $1
            }
        }
        return found
    }

    /// `touches` hears of each file before it is looked at, `changed` of what is found.
    private static func look(
        in directory: ExactText, _ entries: [FileEntry], touches: (String) -> Void,
        changed: (FileID, FileIdentity) -> Void
    ) {
        do throws(SystemError) {
            try look(in: PathText.bytes(of: directory.text), entries, touches, changed)
        } catch {
            // What cannot be looked at proves nothing; the Tailer will say what is wrong with it.
            return
        }
    }

    private static func look(
        in path: [UInt8], _ entries: [FileEntry], _ touches: (String) -> Void,
        _ changed: (FileID, FileIdentity) -> Void
    ) throws(SystemError) {
        let status = try FileStatus.glance(at: path + Array("/.".utf8))
        let moved = entries.filter { $0.identity.device != status.device }
        // One lstat for a directory is all that it costs where nothing has changed.
        guard !moved.isEmpty else { return }
        let directory = try Descriptor.open(path, O.directory)
        let names = try FilePlace.names(in: directory)
        for entry in moved {
            touches(entry.path)
            guard let name = names[entry.identity.inode] else { continue }
            if let identity = try identity(of: entry, as: name, in: directory) {
                changed(entry.file, identity)
            }
        }
    }

    /// The identity that the file of an entry has now under its own path, if it is there and only
    /// the device's number changed.
    static func identity(of entry: FileEntry) throws(SystemError) -> FileIdentity? {
        guard entry.fingerprint.length > 0 else { return nil }
        return try identity(of: entry, EntryLook.open(entry))
    }

    /// The same of what has this name in its directory.
    static func identity(
        of entry: FileEntry, as name: [UInt8], in directory: borrowing Descriptor
    ) throws(SystemError) -> FileIdentity? {
        guard entry.fingerprint.length > 0 else { return nil }
        return try identity(of: entry, EntryLook.open(entry, as: name, in: directory))
    }

    private static func identity(
        of entry: FileEntry, _ look: PlaceLook<EntryFile>
    ) throws(SystemError) -> FileIdentity? {
        if case .unreachable(.failed(let error)) = look { throw error }
        guard case .found(let file) = look, file.isRenumbered, !file.isPacked else { return nil }
        // A handle alone may be no more than the inode's number.
        if file.identity.birth == nil || entry.identity.birth == nil {
            let anchor = entry.anchor.bytes
            let start = entry.base.physical(entry.offset) - anchor.count
            guard start >= .start,
                try file.file.descriptor.read(count: anchor.count, at: start) == anchor
            else { return nil }
        }
        return file.identity
    }
}
