import Platform
import Registry
import Synchronization

/// The thread that forces positions to the disk at the interval of `registry.sync`, has entries
/// leave whose files are gone, gives memory back after a burst, and lets repeated faults be told.
final class RegistryKeeper: Sendable {
    private let thread: SystemThread
    private let wakeup: Wakeup
    private let isStopped: Flag
    let heartbeat = Heartbeat()
    let figures = RegistryFigures()
    private let isScanned: Flag

    /// Between two looks for files that are gone.
    private static let lookInterval: Int64 = 120_000_000_000

    private final class Flag: Sendable {
        let value = Atomic(false)
    }

    init(
        _ registry: Registry, interval: Duration, agent: AgentID, log: Log,
        taken: @escaping @Sendable () -> Int,
        outOfSight: [OutOfSightLooks]
    ) throws(SystemError) {
        let wakeup = try Wakeup()
        let isStopped = Flag()
        let isScanned = Flag()
        self.isScanned = isScanned
        self.wakeup = wakeup
        self.isStopped = isStopped
        let (heartbeat, figures) = (heartbeat, figures)
        figures.set(registry.health)
        let parts = interval.components
        let nanoseconds = parts.seconds * 1_000_000_000 + parts.attoseconds / 1_000_000_000
        thread = try SystemThread("registry") {
            var next: Int64 = 0
            var lull = Lull()
            while !isStopped.value.load(ordering: .acquiring) {
                heartbeat.beat(waiting: nanoseconds)
                wakeup.wait(nanoseconds: nanoseconds)
                heartbeat.beat()
                let began = Clock.wallNanoseconds()
                registry.sync()
                registry.compactIfDue()
                Self.save(agent, log)
                figures.set(registry.health)
                if registry.isWritten { figures.savedAll(began) }
                let now = Clock.monotonicNanoseconds()
                if isScanned.value.load(ordering: .acquiring), now >= next {
                    for looks in outOfSight { looks.begin() }
                    next = now + Self.lookInterval
                }
                if lull.hasBegun(taken: taken(), now) { FreeMemory.giveBack() }
                log.writeDueFaults()
            }
            heartbeat.beat(waiting: nil)
        }
    }

    private static func save(_ agent: AgentID, _ log: Log) {
        guard !agent.isSaved else { return }
        do throws(SystemError) {
            try agent.save()
        } catch {
            log.fault(
                .error, key: "agent id", "the agent's id cannot be saved; shipping goes on",
                ["error": "\(error)"])
        }
    }

    /// Every directory was scanned once; any thread.
    func scanned() { isScanned.value.store(true, ordering: .releasing) }

    /// Ends the thread, within `nanoseconds`; the last positions are the caller's to save. False
    /// where it hangs, with the disk of the data directory.
    func stop(within nanoseconds: Int64) -> Bool {
        isStopped.value.store(true, ordering: .releasing)
        wakeup.wake()
        return thread.join(within: nanoseconds)
    }
}

/// Finds the beginning of each time in which nothing is read: what a burst has used is free by
/// then.
struct Lull {
    /// How long nothing is read before it counts, nanoseconds.
    static let patience: Int64 = 5_000_000_000

    private var taken = 0
    private var since: Int64?

    /// True once in each. `taken` is what was read in all, bytes; `now` is monotonic.
    mutating func hasBegun(taken: Int, _ now: Int64) -> Bool {
        if taken != self.taken {
            self.taken = taken
            since = now
            return false
        }
        guard let since, now - since >= Self.patience else { return false }
        self.since = nil
        return true
    }
}

/// The registry's figures for metrics, as of the keeper's last round. The registry's own lock is
/// held during a `write`, and who asks for metrics must not wait for a disk that hangs.
final class RegistryFigures: Sendable {
    private let entryCount = Atomic<Int>(0)
    private let bytes = Atomic<Int>(0)
    private let unsaved = Atomic<Int>(0)
    private let lastSave = Atomic<Int64>(0)

    /// Files whose positions are saved.
    var entries: Int { entryCount.load(ordering: .relaxed) }
    var journalBytes: Int { bytes.load(ordering: .relaxed) }
    /// Files whose position is in memory only.
    var unsavedFiles: Int { unsaved.load(ordering: .relaxed) }
    /// When everything was on the disk last, nanoseconds since 1970; nil when it never was.
    var saved: Int64? {
        let time = lastSave.load(ordering: .relaxed)
        return time == 0 ? nil : time
    }

    fileprivate func set(_ health: RegistryHealth) {
        entryCount.store(health.entries, ordering: .relaxed)
        bytes.store(health.journalBytes, ordering: .relaxed)
        unsaved.store(health.unsavedFiles, ordering: .relaxed)
    }

    fileprivate func savedAll(_ time: Int64) { lastSave.store(time, ordering: .relaxed) }
}
