internal import CTestSupport
package import Platform
package import Shipper
internal import Synchronization

/// A program that logs numbered lines to a file, at a steady rate, until it is told to stop, whoever
/// keeps up. Any thread may use it.
package final class LogWriter: Sendable {
    private final class State: Sendable {
        let lines = Atomic(0)
        let isStopped = Atomic(false)
        let failure = Mutex<SystemError?>(nil)
    }
    package let source: LineSource
    private let state = State()
    private let thread: SystemThread

    /// Begins to append to the file, which is made if need be.
    package init(
        _ source: LineSource, to path: String, linesPerSecond rate: Int
    ) throws(SystemError) {
        precondition(rate > 0, "a writer that writes nothing")
        self.source = source
        let file = try Descriptor.openForAppending(path)
        let state = state
        thread = try SystemThread("log-writer") {
            let clock = ContinuousClock()
            let begin = clock.now
            var written = 0
            do throws(SystemError) {
                while !state.isStopped.load(ordering: .acquiring) {
                    let due = Int((clock.now - begin) / .milliseconds(1)) * rate / 1000
                    if due > written {
                        try file.write(source.lines(written..<due))
                        written = due
                        state.lines.store(written, ordering: .releasing)
                    }
                    ctest_pause(5_000_000)
                }
            } catch {
                state.failure.withLock { $0 = error }
            }
        }
    }

    deinit {
        state.isStopped.store(true, ordering: .releasing)
        thread.join()
    }

    /// Lines so far.
    package var written: Int { state.lines.load(ordering: .acquiring) }

    /// Ends it; throws why it ended before. Returns how many lines there are.
    @discardableResult
    package func stop() throws(SystemError) -> Int {
        state.isStopped.store(true, ordering: .releasing)
        thread.join()
        if let error = state.failure.withLock({ $0 }) { throw error }
        return written
    }
}
