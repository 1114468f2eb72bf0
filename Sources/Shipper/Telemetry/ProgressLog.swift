import Platform
import Synchronization

/// The thread that tells from time to time what was shipped. It sleeps in between, and ends with
/// `stop`.
final class ProgressLog: Sendable {
    private let thread: SystemThread
    private let wakeup: Wakeup
    private let isStopped: StopFlag

    private final class StopFlag: Sendable {
        let value = Atomic(false)
    }

    /// Between two lines, nanoseconds.
    static let interval: Int64 = 30_000_000_000

    /// `figures` is asked on the thread, each `interval`; `tell` is given what moved.
    init(
        interval: Int64 = ProgressLog.interval, figures: @escaping @Sendable () -> Figures,
        tell: @escaping @Sendable (KeyValuePairs<String, Log.Value>) -> Void
    ) throws(SystemError) {
        let (wakeup, isStopped) = (try Wakeup(), StopFlag())
        self.wakeup = wakeup
        self.isStopped = isStopped
        thread = try SystemThread("progress") {
            var movement = Movement()
            while true {
                wakeup.wait(nanoseconds: interval)
                guard !isStopped.value.load(ordering: .acquiring) else { return }
                if let report = movement.report(figures()) { tell(report) }
            }
        }
    }

    /// Ends the thread. Call it once.
    func stop() {
        isStopped.value.store(true, ordering: .releasing)
        wakeup.wake()
        thread.join()
    }
}
