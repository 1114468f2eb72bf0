import Platform
import Registry
import Synchronization

/// The thread that forces positions to the disk at the interval of `registry.sync`, lets entries leave
/// whose files are gone, and lets repeated faults be told.
final class RegistryKeeper: Sendable {
    private let thread: SystemThread
    private let wakeup: Wakeup
    private let isStopped: Flag
    private let isScanned: Flag

    /// Between two looks for files that are gone.
    private static let lookInterval: Int64 = 120_000_000_000

    private final class Flag: Sendable {
        let value = Atomic(false)
    }

    init(
        _ registry: Registry, interval: Duration, log: Log,
        vanished: @escaping @Sendable () -> VanishedFiles
    ) throws(SystemError) {
        let wakeup = try Wakeup()
        let isStopped = Flag()
        let isScanned = Flag()
        self.isScanned = isScanned
        self.wakeup = wakeup
        self.isStopped = isStopped
        let parts = interval.components
        let nanoseconds = parts.seconds * 1_000_000_000 + parts.attoseconds / 1_000_000_000
        thread = try SystemThread("registry") {
            var vanished = vanished()
            var next: Int64 = 0
            while !isStopped.value.load(ordering: .acquiring) {
                wakeup.wait(nanoseconds: nanoseconds)
                registry.sync()
                registry.compactIfDue()
                let now = Clock.monotonicNanoseconds()
                if isScanned.value.load(ordering: .acquiring), now >= next {
                    vanished.look()
                    next = now + Self.lookInterval
                }
                log.writeDueFaults()
            }
        }
    }

    /// Every directory was scanned once; any thread.
    func scanned() { isScanned.value.store(true, ordering: .releasing) }

    /// Ends the thread; the last positions are the caller's to save.
    func stop() {
        isStopped.value.store(true, ordering: .releasing)
        wakeup.wake()
        thread.join()
    }
}
