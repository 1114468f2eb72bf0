/// What a service manager is told of the agent, and when: each thing once, when it changes. A plain
/// value; the thread of `ServiceManager` has it.
struct ServiceReport {
    /// What there is to tell.
    struct Facts: Hashable {
        var health: Health
        /// How often the configuration was to be read again.
        var reloads = 0
        var isReloading = false
        var isStopping = false
    }

    private let began: Int64
    private var isStarted = false
    /// Of those that were asked for, how many are told.
    private var reloads = 0
    private var isReloading = false
    private var isStopping = false
    private var status = ""

    /// Nanoseconds after which the agent counts as started though it is not ready: what is wrong is
    /// told all the same, and an outage of Kafka does not keep a machine from coming up.
    static let patience: Int64 = 30_000_000_000

    /// Characters of what people read.
    private static let longest = 200

    /// `began` is when the agent was started, monotonic nanoseconds.
    init(began: Int64) { self.began = began }

    /// What to send, a message each; empty where there is nothing new and no watchdog. `now` is in
    /// monotonic nanoseconds.
    mutating func messages(_ facts: Facts, hasWatchdog: Bool, now: Int64) -> [String] {
        var messages: [String] = []
        if facts.isStopping {
            if !isStopping { messages.append("STOPPING=1") }
            isStopping = true
        } else {
            messages += states(facts, now)
        }
        let fault = facts.health.ready.first { $0.fault != nil }
        let said = fault.map { "\($0.name): \($0.fault ?? "")" } ?? "ready"
        let line = said.split(whereSeparator: \.isNewline).joined(separator: " ")
            .prefix(Self.longest)
        if line != status {
            status = String(line)
            messages.append("STATUS=\(status)")
        }
        // Whoever hangs is not spoken for: then the manager starts the agent anew.
        if hasWatchdog, facts.health.alive.areMet { messages.append("WATCHDOG=1") }
        return messages
    }

    private mutating func states(_ facts: Facts, _ now: Int64) -> [String] {
        guard isStarted else {
            let isLate = now - began >= Self.patience
            guard facts.health.ready.areMet || isLate else { return [] }
            isStarted = true
            reloads = facts.reloads
            return ["READY=1"]
        }
        var messages: [String] = []
        if facts.reloads != reloads {
            reloads = facts.reloads
            isReloading = true
            // Managers tell by the time which of two reloads has begun.
            messages.append("RELOADING=1\nMONOTONIC_USEC=\(now / 1_000)")
        }
        // One that was over before anybody looked is told all the same: a manager may wait for it.
        if isReloading, !facts.isReloading {
            isReloading = false
            messages.append("READY=1")
        }
        return messages
    }
}
