package import Platform
internal import CTestSupport
internal import Synchronization

/// Appends the same block to a file again and again at a steady rate, on a thread of its own: a
/// program that logs and does not care whether anybody keeps up. Any thread may use it.
package final class PacedWriter: Sendable {
    private final class State: Sendable {
        let blocks = Atomic(0)
        let hasEnded = Atomic(false)
        let failure = Mutex<SystemError?>(nil)
    }
    private let state = State()
    private let thread: SystemThread

    /// Writes for `duration`; at its end a whole number of blocks is in the file.
    package init(
        _ block: [UInt8], to path: String, bytesPerSecond: Int, for duration: Duration
    ) throws(SystemError) {
        precondition(!block.isEmpty && bytesPerSecond > 0, "a writer that writes nothing")
        let file = try Descriptor.openForAppending(path)
        let state = state
        thread = try SystemThread("paced-writer") {
            defer { state.hasEnded.store(true, ordering: .releasing) }
            let clock = ContinuousClock()
            let begin = clock.now
            do throws(SystemError) {
                while true {
                    let past = clock.now - begin
                    if past >= duration { return }
                    let due = Int(past / .milliseconds(1)) * bytesPerSecond / 1000
                    while state.blocks.load(ordering: .relaxed) * block.count < due {
                        try file.write(block)
                        state.blocks.add(1, ordering: .releasing)
                    }
                    ctest_pause(2_000_000)
                }
            } catch {
                state.failure.withLock { $0 = error }
            }
        }
    }

    /// Blocks written so far.
    package var blocks: Int { state.blocks.load(ordering: .acquiring) }

    package var hasEnded: Bool { state.hasEnded.load(ordering: .acquiring) }

    /// Waits for the end; throws why it came early.
    package func join() throws(SystemError) {
        thread.join()
        if let error = state.failure.withLock({ $0 }) { throw error }
    }
}
