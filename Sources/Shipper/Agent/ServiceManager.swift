import Platform
import Synchronization

/// Tells the service manager that started the agent, systemd, how it is: started, reloading,
/// stopping, alive. Sendable; a thread of its own tells it, so that what hangs is not spoken for.
final class ServiceManager: Sendable {
    private struct State {
        var health: (@Sendable () -> Health)?
        var isStopping = false
        var isOver = false
        var thread: SystemThread?
    }
    private let state = Mutex(State())
    private let wakeup: Wakeup
    private let socket: NotifySocket
    /// Between two signs of life, nanoseconds; nil: nobody waits for them.
    private let watchdog: Int64?
    private let reloads: Reloads
    private let log: Log

    /// Between two looks while something is about to change, and else, nanoseconds.
    private static let looks: (soon: Int64, later: Int64) = (200_000_000, 2_000_000_000)

    /// Nil where no manager asks to be told, or it cannot be: then that is in the log.
    static func start(
        _ environment: [String: String], _ reloads: Reloads, _ log: Log
    ) -> ServiceManager? {
        guard let name = environment["NOTIFY_SOCKET"], !name.isEmpty else { return nil }
        do throws(SystemError) {
            let manager = try ServiceManager(
                NotifySocket(name), watchdog: watchdog(environment), reloads, log)
            let thread = try SystemThread("service") { manager.tell() }
            manager.state.withLock { $0.thread = thread }
            return manager
        } catch {
            log.warn("the service manager cannot be told how it is", ["error": "\(error)"])
            return nil
        }
    }

    private init(
        _ socket: NotifySocket, watchdog: Int64?, _ reloads: Reloads, _ log: Log
    ) throws(SystemError) {
        self.socket = socket
        self.watchdog = watchdog
        self.reloads = reloads
        self.log = log
        wakeup = try Wakeup()
    }

    /// Half of the time after which the manager gives the agent up, as sd_watchdog_enabled(3) has
    /// it; nil where it never does, or means another process.
    static func watchdog(_ environment: [String: String]) -> Int64? {
        if let process = environment["WATCHDOG_PID"], process != "\(ProcessContext.number)" {
            return nil
        }
        guard let text = environment["WATCHDOG_USEC"], let time = Int64(text), time > 0 else {
            return nil
        }
        return min(time, 1_000_000_000_000) * 500
    }

    /// There is something to tell of now.
    func follow(_ health: @escaping @Sendable () -> Health) {
        state.withLock { $0.health = health }
        wakeup.wake()
    }

    /// A signal has come, or what it asks for is about to.
    func lookNow(isStopping: Bool = false) {
        if isStopping { state.withLock { $0.isStopping = true } }
        wakeup.wake()
    }

    /// Nothing is told any more.
    func stop() {
        let thread = state.withLock { state in
            state.isOver = true
            return state.thread
        }
        wakeup.wake()
        thread?.join()
    }

    private func tell() {
        var report = ServiceReport(began: Clock.monotonicNanoseconds())
        // Of the next sign of life: who was woken in between is not late with it.
        var due: Int64 = 0
        while true {
            let (health, isStopping, isOver) = state.withLock {
                ($0.health, $0.isStopping, $0.isOver)
            }
            let facts = ServiceReport.Facts(
                health: health?() ?? .starting, reloads: reloads.asked,
                isReloading: reloads.isUnderWay,
                isStopping: isStopping)
            let now = Clock.monotonicNanoseconds()
            let isDue = watchdog != nil && now >= due
            if isDue { due = now +| (watchdog ?? 0) }
            for message in report.messages(facts, hasWatchdog: isDue, now: now) { send(message) }
            guard !isOver else { return }
            let isSettled = facts.health.ready.areMet && !facts.isReloading
            let pause = isSettled ? Self.looks.later : Self.looks.soon
            let left = due - Clock.monotonicNanoseconds()
            wakeup.wait(nanoseconds: watchdog == nil ? pause : min(pause, max(0, left)))
        }
    }

    private func send(_ message: String) {
        do throws(SystemError) {
            try socket.send(message)
        } catch {
            log.fault(
                .warn, key: "service manager", "the service manager cannot be told how it is",
                ["error": "\(error)"])
        }
    }
}
