import Platform
import Registry
import Synchronization

/// The thread that forces positions to the disk at the interval of `registry.sync`, and lets
/// repeated faults be told.
final class RegistryKeeper: Sendable {
    private let thread: SystemThread
    private let wakeup: Wakeup
    private let isStopped: Flag

    private final class Flag: Sendable {
        let value = Atomic(false)
    }

    init(_ registry: Registry, interval: Duration, log: Log) throws(SystemError) {
        let wakeup = try Wakeup()
        let isStopped = Flag()
        self.wakeup = wakeup
        self.isStopped = isStopped
        let parts = interval.components
        let nanoseconds = parts.seconds * 1_000_000_000 + parts.attoseconds / 1_000_000_000
        thread = try SystemThread("registry") {
            while !isStopped.value.load(ordering: .acquiring) {
                wakeup.wait(nanoseconds: nanoseconds)
                registry.sync()
                registry.compactIfDue()
                log.writeDueFaults()
            }
        }
    }

    /// Ends the thread; the last positions are the caller's to save.
    func stop() {
        isStopped.value.store(true, ordering: .releasing)
        wakeup.wake()
        thread.join()
    }
}
