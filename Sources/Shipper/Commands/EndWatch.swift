import Platform
import Settings
import Synchronization

/// Asks the process to end, and sees to it that it does: a disk that does not answer keeps neither
/// the drain of a node nor an update waiting for SIGKILL, whatever hangs with it. Sendable; any
/// thread.
final class EndWatch: Sendable {
    private struct State {
        var pipeline: Pipeline?
        /// For deliveries at the end, nanoseconds.
        var patience: Int64
        var isAsked = false
        var isHurried = false
        /// Monotonic nanoseconds, when the process ends as it is; nil before it was asked to.
        var until: Int64?
        var isOver = false
        var thread: SystemThread?
    }
    private let state: Mutex<State>
    private let wakeup: Wakeup
    private let hasTold = Atomic(false)
    private let code: ExitCode
    private let log: Log

    /// Nanoseconds that an end takes beside `shutdown_timeout` at the most, as long as the data
    /// directory's disk answers: 1 s to wait for the readers, 6 for librdkafka's end, 2 for the
    /// keeper.
    private static let grace: Int64 = 10_000_000_000

    /// `code` is what the process ends with where its end takes longer than `patience` and a
    /// little.
    init(patience: Duration, code: ExitCode, log: Log) throws(SystemError) {
        wakeup = try Wakeup()
        state = Mutex(State(patience: patience.wholeNanoseconds))
        self.code = code
        self.log = log
    }

    /// There is a pipeline, which is ended when the process is asked to, within its own
    /// `shutdown_timeout`.
    func follow(_ pipeline: Pipeline) {
        let (isAsked, isHurried) = state.withLock { state in
            state.pipeline = pipeline
            state.patience = pipeline.settings.shutdownTimeout.wholeNanoseconds
            return (state.isAsked, state.isHurried)
        }
        if isAsked { pipeline.interrupt() }
        if isHurried { pipeline.hurry() }
    }

    /// The pipeline has stopped, and another one may come.
    func unfollow() { state.withLock { $0.pipeline = nil } }

    /// Whether the process is to end.
    var isAsked: Bool { state.withLock { $0.isAsked } }

    /// The process is to end.
    func ask() {
        let pipeline = state.withLock { state in
            state.isAsked = true
            return state.pipeline
        }
        begin()
        pipeline?.interrupt()
    }

    /// And not to wait for deliveries.
    func hurry() {
        beginHurried()
        let pipeline = state.withLock { state in
            state.isHurried = true
            return state.pipeline
        }
        pipeline?.hurry()
    }

    /// The end has begun: from now on it may take so long and no longer.
    func begin() { begin(patience: state.withLock { $0.patience }) }

    /// It is about to be hurried: from now on it takes no longer than that would.
    func beginHurried() { begin(patience: 0) }

    private func begin(patience: Int64) {
        let until = Clock.monotonicNanoseconds() + Self.grace + patience
        let isFirst = state.withLock { state in
            defer { state.until = min(until, state.until ?? until) }
            return state.until == nil
        }
        guard isFirst else { return wakeup.wake() }
        do throws(SystemError) {
            let thread = try SystemThread("end") { [self] in watch() }
            state.withLock { $0.thread = thread }
        } catch {
            log.warn("nobody sees to it that the end comes in time", ["error": "\(error)"])
        }
    }

    private func watch() {
        while true {
            let (until, isOver, pipeline) = state.withLock { ($0.until, $0.isOver, $0.pipeline) }
            guard !isOver, let until else { return }
            let left = until - Clock.monotonicNanoseconds()
            if left > 0 {
                wakeup.wait(nanoseconds: left)
                continue
            }
            tellEnd(pipeline?.places.joined(separator: " ") ?? "")
            ProcessContext.endAtOnce(code.rawValue)
        }
    }

    /// The log may be what does not answer: it has a second, on a thread of its own.
    private func tellEnd(_ places: String) {
        let end = Clock.monotonicNanoseconds() + 1_000_000_000
        do throws(SystemError) {
            let thread = try SystemThread("last words") { [self] in
                log.error(
                    "the end takes too long, because a disk does not answer; the process ends as it is",
                    ["reading": .text(places)])
                hasTold.store(true, ordering: .releasing)
                wakeup.wake()
            }
            // It ends with the process.
            _ = thread
        } catch {
            return
        }
        while !hasTold.load(ordering: .acquiring) {
            let left = end - Clock.monotonicNanoseconds()
            guard left > 0 else { return }
            wakeup.wait(nanoseconds: min(left, 50_000_000))
        }
    }

    /// The end has come.
    func isOver() {
        let thread = state.withLock { state in
            state.isOver = true
            return state.thread
        }
        wakeup.wake()
        thread?.join()
    }
}

extension Duration {
    /// More than 31 years are taken for 31 years.
    var wholeNanoseconds: Int64 {
        let (seconds, attoseconds) = components
        return min(max(seconds, 0), 1_000_000_000) * 1_000_000_000 + attoseconds / 1_000_000_000
    }
}
