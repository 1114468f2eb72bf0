import Platform
import Synchronization

/// Where the pipeline's progress is waited for. One thread waits at a time.
final class PipelineEnd: Sendable {
    private struct State {
        var hasReaderEnded = false
        var isInterrupted = false
        var isScanned = false
        var wantsAttention = false
        var error: SystemError?
    }
    private let state = Mutex(State())
    private let wakeup: Wakeup

    init(_ wakeup: Wakeup) { self.wakeup = wakeup }

    func scanned() {
        state.withLock { $0.isScanned = true }
        wakeup.wake()
    }

    func readerEnded(_ error: SystemError?) {
        state.withLock { state in
            state.hasReaderEnded = true
            state.error = error
        }
        wakeup.wake()
    }

    func interrupt() {
        state.withLock { $0.isInterrupted = true }
        wakeup.wake()
    }

    /// Whoever waits is to look after something else; once.
    func askForAttention() {
        state.withLock { $0.wantsAttention = true }
        wakeup.wake()
    }

    /// Whoever waits looks again.
    func look() { wakeup.wake() }

    func wait(
        timeout: Duration? = nil, isDelivered: () -> Bool
    ) throws(SystemError) -> Pipeline.End {
        let deadline = timeout.map { duration in
            let (seconds, attoseconds) = duration.components
            let nanoseconds = min(seconds, 1_000_000_000) * 1_000_000_000
            return Clock.monotonicNanoseconds() + nanoseconds + attoseconds / 1_000_000_000
        }
        while true {
            let now = state.withLock { state in
                defer { state.wantsAttention = false }
                return state
            }
            if let error = now.error { throw error }
            if now.hasReaderEnded, isDelivered() { return .done }
            if now.isInterrupted { return .interrupted }
            if now.wantsAttention { return .attention }
            let rest = deadline.map { $0 - Clock.monotonicNanoseconds() }
            if let rest, rest <= 0 { return .timedOut }
            wakeup.wait(nanoseconds: rest)
        }
    }

    var isScanned: Bool { state.withLock { $0.isScanned } }

    func waitForScan() {
        while !state.withLock({ $0.isScanned || $0.hasReaderEnded || $0.isInterrupted }) {
            wakeup.wait(nanoseconds: nil)
        }
    }
}
