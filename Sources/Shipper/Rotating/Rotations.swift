import Model
import Platform
import Registry
import Rotator
import Settings
import Synchronization

/// The thread that rotates logs: it looks at the size of each that an input asks for, and takes
/// one after another. No reader ever waits for it, but for the one file that is its turn.
final class Rotations: Sendable {
    private let thread: SystemThread
    private let wakeup: Wakeup
    private let gate: Gate

    /// Says when the thread may work.
    private final class Gate: Sendable {
        private struct State {
            var isStopped = false
            var isPaused = false
            var isWorking = false
        }
        private let state = Mutex(State())

        var isStopped: Bool { state.withLock { $0.isStopped } }
        /// What is under way is brought to an end.
        var isShut: Bool { state.withLock { $0.isStopped || $0.isPaused } }

        /// Whether it may begin.
        func begins() -> Bool {
            state.withLock { state in
                state.isWorking = !state.isStopped && !state.isPaused
                return state.isWorking
            }
        }
        func ends() { state.withLock { $0.isWorking = false } }
        func stop() { state.withLock { $0.isStopped = true } }
        func resume() { state.withLock { $0.isPaused = false } }
        /// Whether nothing is under way.
        func pause() -> Bool {
            state.withLock { state in
                state.isPaused = true
                return !state.isWorking
            }
        }
    }

    /// Between two looks at the sizes of all logs, nanoseconds: as long as the shortest sweep of an
    /// input, or this.
    private static let interval: Int64 = 1_000_000_000
    /// The same while an archive is being compressed.
    private static let breath: Int64 = 5_000_000
    /// So many times as long as a look took, so that a hundred thousand logs cost little.
    private static let share: Int64 = 20

    /// Starts the thread. `isNear` says whether a path lies on this machine's own disks: others may
    /// hang, and are not rotated.
    init(
        _ settings: Settings, _ parts: RotationRun.Parts, counters: Counters, log: Log,
        isNear: @escaping @Sendable (String) -> Bool
    ) throws(SystemError) {
        let wakeup = try Wakeup()
        let gate = Gate()
        self.wakeup = wakeup
        self.gate = gate
        var parts = parts
        parts.isOver = { gate.isShut }
        let shortest = settings.inputs.filter { $0.rotation != nil }
            .map(\.latency.most.wholeNanoseconds).min()
        let interval = min(shortest ?? Self.interval, Self.interval)
        let shared = parts
        thread = try SystemThread("rotator") {
            let round = RotationRound(settings, shared, counters, log, isNear: isNear)
            var pause = interval
            while !gate.isStopped {
                wakeup.wait(nanoseconds: pause)
                guard gate.begins() else {
                    pause = interval
                    continue
                }
                defer { gate.ends() }
                Self.serve(settings.data, round, log)
                let began = Clock.monotonicNanoseconds()
                let look = gate.isShut ? RotationRound.Look() : round.look(began)
                let took = Clock.monotonicNanoseconds() - began - look.working
                pause = Self.pause(interval, looked: took)
                if look.isUnderWay { pause = min(pause, max(Self.breath, took)) }
            }
            round.stop()
        }
    }

    /// Does what `shipper rotate` asks for, if anybody does.
    private static func serve(_ data: String, _ round: RotationRound, _ log: Log) {
        do throws(SystemError) {
            let directory = try Descriptor.open(data, O.path)
            try RotationRequest.serve(in: directory) { round.fulfil($0) }
        } catch {
            log.fault(
                .warn, key: "rotate.request", "what shipper rotate asks for cannot be read",
                ["error": "\(error)"])
        }
    }

    /// Before the next look, of one that took so long beside the rotations in it.
    static func pause(_ interval: Int64, looked took: Int64) -> Int64 {
        max(interval, max(0, took) *| share)
    }

    /// Rotates nothing more until `resume`: what is being copied is left, and what is being removed
    /// is finished. True once nothing is under way; asked again until then.
    func pause() -> Bool { gate.pause() }

    /// Goes on after `pause`.
    func resume() {
        gate.resume()
        wakeup.wake()
    }

    /// Ends the thread, within `nanoseconds`: what is being copied is left, and what is being
    /// removed is finished. False where it hangs with a disk; the next run finishes it then.
    func stop(within nanoseconds: Int64) -> Bool {
        gate.stop()
        wakeup.wake()
        return thread.join(within: nanoseconds)
    }
}
