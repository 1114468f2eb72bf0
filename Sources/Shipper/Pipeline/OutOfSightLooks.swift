import Platform
import Synchronization

/// Looks for files that are gone, each look on a thread of its own: one that hangs with a file
/// system keeps nobody waiting, and until it comes back there is no other one. Sendable; any
/// thread.
final class OutOfSightLooks: Sendable {
    private struct State {
        /// Nil while somebody looks.
        var files: OutOfSightFiles?
        /// Whoever looks, or looked last.
        var thread: SystemThread?
        /// There is no look after the last one.
        var isEnding = false
    }
    private let state: Mutex<State>
    private let isStopped: Flag

    private final class Flag: Sendable {
        let value = Atomic(false)
    }

    init(_ files: OutOfSightFiles) {
        let isStopped = Flag()
        self.isStopped = isStopped
        var files = files
        files.isOver = { isStopped.value.load(ordering: .acquiring) }
        state = Mutex(State(files: files))
    }

    /// Begins a look, unless the last one has not come back.
    func begin() {
        state.withLock { state in
            if !state.isEnding { begin(&state, isLast: false) }
        }
    }

    /// No look begins any more, and of one that is under way nothing is told.
    func stop() {
        state.withLock { $0.isEnding = true }
        isStopped.value.store(true, ordering: .releasing)
    }

    /// One more look, after which there is none. Waits for it, `nanoseconds` at the most; false
    /// where it hangs.
    func end(within nanoseconds: Int64) -> Bool {
        let until = Clock.monotonicNanoseconds() +| nanoseconds
        let running = state.withLock { state in
            state.isEnding = true
            return state.thread.take()
        }
        if let running, !running.join(within: nanoseconds) { return false }
        let last = state.withLock { state in
            begin(&state, isLast: true)
            return state.thread.take()
        }
        return last?.join(within: until - Clock.monotonicNanoseconds()) ?? false
    }

    private func begin(_ state: inout State, isLast: Bool) {
        guard let files = state.files.take() else { return }
        // It has come back, and is ending.
        state.thread.take()?.detach()
        do throws(SystemError) {
            state.thread = try SystemThread("outofsight") { [self] in
                var looking = files
                looking.look(isLast: isLast)
                self.state.withLock { $0.files = looking }
            }
        } catch {
            // No thread is to be had now: the next look is as good.
            state.files = files
        }
    }
}
