import Model
import Platform
import Synchronization
import Tailer

/// The readers: one for all that is on this machine's own disks, and one for each remote file
/// system that patterns lead into, so that a server that is gone holds up what it has and nothing
/// else (`Territories`).
///
/// A thread of its own hears of mounts that come and go, and tells of readers that hang. `stop` is
/// called once; all else on any thread. Sendable.
final class Readers: Sendable {
    typealias Make =
        @Sendable (Territory, _ isFirst: Bool, _ ended: @escaping @Sendable (SystemError?) -> Void)
        throws(SystemError) -> Tailer

    enum Event: Hashable, Sendable {
        /// A reader is in one and the same call for long.
        case silent(mount: String, place: String)
        case answers(mount: String)
        /// There are too many such file systems: the first reader has this one.
        case tooMany(mount: String)
        /// Mounts cannot be heard of: those that are there now stay where they are.
        case blind(SystemError)
    }

    private struct State {
        /// By number; the first one first. They stay until the end, whatever is mounted.
        var tailers: [(number: Int, tailer: Tailer)] = []
        /// The place that each busy one was at when it was looked at last, and since when.
        var pulses: [Int: (touch: Int, since: Int64)] = [:]
        /// Those that hang, and where; that may not be mounted any more.
        var silent: [Int: String] = [:]
    }

    private let state = Mutex(State())
    private let territories: Territories
    private let once: Bool
    private let doorbell: Doorbell
    private let told: @Sendable (Event) -> Void
    private let make: Make
    private let count: EndCount
    private let wakeup: Wakeup
    private let isStopped = Atomic(false)
    private let watch = Mutex<SystemThread?>(nil)

    /// The share of `limits.held_bytes` and of watches of a reader of a remote file system, as a
    /// divisor.
    static let part = 16
    /// How long one call may take before it is told of, nanoseconds.
    private static let patience: Int64 = 5_000_000_000
    private static let lookInterval: Int64 = 1_000_000_000
    /// How long that thread is waited for at the end, nanoseconds.
    private static let watchPatience: Int64 = 500_000_000
    /// Between two times that the mounts are read: who mounts all the time must not have us read
    /// all the time.
    private static let mountPause: Int64 = 100_000_000

    /// For these inputs, as it is mounted now. Without a table of mounts the first reader has
    /// everything.
    static func territories(_ inputs: [TailerInput]) -> Territories {
        let territories = Territories(inputs)
        do throws(SystemError) {
            _ = territories.update(try .now())
        } catch {
            return territories
        }
        return territories
    }

    /// Starts a reader for each territory, which goes on when the doorbell rings. `ended` is called
    /// when all have ended; `make` makes one, and says with `isFirst` whether this is the start.
    init(
        _ territories: Territories, once: Bool, doorbell: Doorbell,
        ended: @escaping @Sendable (SystemError?) -> Void,
        told: @escaping @Sendable (Event) -> Void, make: @escaping Make
    ) throws(SystemError) {
        self.territories = territories
        self.once = once
        self.doorbell = doorbell
        self.told = told
        self.make = make
        count = EndCount(ended)
        wakeup = try Wakeup()
        try start(0, isFirst: true)
        startMissing(isFirst: true)
        do throws(SystemError) {
            let thread = try SystemThread("mounts") { [self] in look() }
            watch.withLock { $0 = thread }
        } catch {
            told(.blind(error))
        }
        count.isComplete()
    }

    private func start(_ number: Int, isFirst: Bool) throws(SystemError) {
        count.begins()
        do throws(SystemError) {
            let count = count
            let tailer = try make(Territory(territories, reader: number), isFirst) {
                count.ends($0)
            }
            state.withLock { $0.tailers.append((number, tailer)) }
            doorbell.listen { tailer.wake() }
        } catch {
            count.ends(nil)
            throw error
        }
    }

    /// Each territory gets its reader.
    private func startMissing(isFirst: Bool) {
        let there = Set(state.withLock { $0.tailers.map(\.number) })
        for number in territories.readers where !there.contains(number) {
            do throws(SystemError) {
                try start(number, isFirst: isFirst)
            } catch {
                for point in territories.points(of: number) { told(.tooMany(mount: point)) }
                territories.withdraw(number)
            }
        }
    }

    private var all: [(number: Int, tailer: Tailer)] { state.withLock { $0.tailers } }

    // MARK: All of them

    func sum(_ figure: (TailerFigures) -> Int) -> Int {
        all.reduce(0) { $0 +| figure($1.tailer.figures) }
    }

    /// That of the first: what the others wait for is no fault of this process.
    var heartbeat: Heartbeat { all[0].tailer.heartbeat }

    /// Of readers that have ended; of the others it is known that they have not.
    var leftovers: TailerLeftovers {
        let all = all
        var left = all[0].tailer.leftovers
        for reader in all.dropFirst() { left.add(reader.tailer.leftovers) }
        return left
    }

    /// The logs and directories that they are at.
    var places: [String] { all.compactMap { $0.tailer.touch?.place } }

    /// Remote file systems that do not answer.
    var silentCount: Int { state.withLock { $0.silent.count } }

    /// Ends reading, within `nanoseconds`. What those are at that have not ended, and are left to
    /// it.
    func stop(within nanoseconds: Int64) -> [String] {
        isStopped.store(true, ordering: .releasing)
        wakeup.wake()
        // It looks up where links lead, on this machine's disks: one of those may not answer
        // either.
        _ = watch.withLock { $0 }?.join(within: Self.watchPatience)
        let (all, silent) = state.withLock { ($0.tailers, $0.silent) }
        for reader in all { reader.tailer.askToStop() }
        let until = Clock.monotonicNanoseconds() + nanoseconds
        var hanging: [String] = []
        for reader in all {
            // One that hung for long is not expected back.
            let left = silent[reader.number] != nil ? 0 : until - Clock.monotonicNanoseconds()
            if !reader.tailer.stop(within: max(0, left)) {
                hanging.append(
                    reader.tailer.touch?.place ?? territories.points(of: reader.number).first ?? "")
            }
        }
        return hanging
    }

    /// How long a reader is asked, nanoseconds: it answers between two turns.
    private static let questionPatience: Int64 = 1_000_000_000

    /// Whether lines would be lost if all files were closed now. A remote file system that hangs is
    /// not asked.
    var holdOnlyCopies: Bool {
        let (all, silent) = state.withLock { ($0.tailers, $0.silent) }
        return all.contains { reader in
            guard silent[reader.number] == nil else { return false }
            do throws(SystemError) {
                // One that does not answer for long is silent, and not asked.
                return try reader.tailer.holdsOnlyCopies(within: Self.questionPatience) ?? true
            } catch {
                return true
            }
        }
    }

    // MARK: Rotation

    /// How long the first reader is waited for that a file is asked of, nanoseconds: it answers
    /// between two turns.
    private static let lendPatience: Int64 = 5_000_000_000

    /// Asks the first reader for a file, of which all before `end` is to be removed.
    func lend(_ file: FileID, _ identity: FileIdentity, upTo end: LogicalOffset) -> Bool {
        do throws(SystemError) {
            return try all[0].tailer.lend(file, identity, upTo: end, within: Self.lendPatience)
        } catch {
            return false
        }
    }

    /// It has it back.
    func giveBack(
        _ file: FileID, _ identity: FileIdentity, base: Base, beginsWith head: [UInt8]?
    ) {
        all[0].tailer.giveBack(file, identity, base: base, beginsWith: head)
    }

    // MARK: Mounts

    /// The thread's loop. It touches no file system but /proc.
    private func look() {
        do throws(SystemError) {
            let mounts = try MountWatch()
            var hasChanged = true
            while !isStopped.load(ordering: .acquiring) {
                // A run with `once` is about what was there.
                if hasChanged, !once { try redistribute(mounts.table()) }
                lookForSilence(Clock.monotonicNanoseconds())
                let hasOthers = state.withLock { $0.tailers.count > 1 }
                hasChanged = mounts.wait(
                    wakeup, nanoseconds: hasOthers ? Self.lookInterval : nil)
                if hasChanged { wakeup.wait(nanoseconds: Self.mountPause) }
            }
        } catch {
            told(.blind(error))
        }
    }

    private func redistribute(_ table: MountTable) {
        let silent = state.withLock { $0.silent }
        var changes = MountChanges()
        let hasChanged = territories.update(
            table, isFree: { silent[$0] == nil }, tooMany: { told(.tooMany(mount: $0)) },
            changed: { changes = $0 })
        if hasChanged {
            startMissing(isFirst: false)
            for reader in all { reader.tailer.redistributed() }
        }
        guard !changes.isEmpty else { return }
        for reader in all { reader.tailer.remounted(changes) }
    }

    private func lookForSilence(_ now: Int64) {
        for reader in all.dropFirst() {
            let touch = reader.tailer.touch
            let mount = territories.points(of: reader.number).first ?? ""
            let event = state.withLock { state -> Event? in
                guard let touch, let pulse = state.pulses[reader.number],
                    pulse.touch == touch.number
                else {
                    state.pulses[reader.number] = touch.map { ($0.number, now) }
                    return state.silent.removeValue(forKey: reader.number).map {
                        .answers(mount: $0)
                    }
                }
                guard now - pulse.since >= Self.patience, state.silent[reader.number] == nil
                else { return nil }
                state.silent[reader.number] = mount
                return .silent(mount: mount, place: touch.place)
            }
            if let event { told(event) }
        }
    }
}

/// Tells when all readers have ended that there are. Sendable; any thread.
private final class EndCount: Sendable {
    private struct State {
        /// One more until all that there are at the start have begun.
        var left = 1
        var error: SystemError?
    }
    private let state = Mutex(State())
    private let ended: @Sendable (SystemError?) -> Void

    init(_ ended: @escaping @Sendable (SystemError?) -> Void) { self.ended = ended }

    func begins() { state.withLock { $0.left += 1 } }

    func isComplete() { ends(nil) }

    func ends(_ error: SystemError?) {
        let (isLast, error) = state.withLock { state in
            state.left -= 1
            state.error = state.error ?? error
            return (state.left == 0, state.error)
        }
        if isLast { ended(error) }
    }
}

/// Which readers have scanned all that they have once. Sendable; any thread.
final class FirstScans: Sendable {
    private let readers = Mutex<Set<Int>>([])

    func ended(of reader: Int) { readers.withLock { _ = $0.insert(reader) } }
    func haveEnded(of reader: Int) -> Bool { readers.withLock { $0.contains(reader) } }
}
