import Kafka

/// The answers of `/healthz` and `/readyz`, out of plain values.
struct Health: Hashable, Sendable {
    /// No pipeline yet: its registry is being opened.
    static let starting = Health(
        alive: [],
        ready: [
            Condition(name: "configuration", fault: nil),
            Condition(name: "registry", fault: "being opened"),
        ])

    /// Nothing that a restart would mend.
    let alive: [Condition]
    /// New lines get to Kafka and their positions to the disk.
    let ready: [Condition]

    /// One pipeline has ended, and the next one is about to begin.
    static let reloading = Health(
        alive: [],
        ready: [Condition(name: "configuration", fault: "being changed")])

    /// The facts that the conditions are made of.
    struct Facts: Hashable, Sendable {
        /// Why the newest configuration does not run; nil while it does.
        var refusal: String?
        var isReaderLate = false
        var isPollerLate = false
        var isKeeperLate = false
        /// Why positions cannot be saved; nil while they can.
        var whyNotSaved: String?
        var isScanned = true
        var brokerReach = BrokerReach.reached
        /// What kept the client from a broker last.
        var brokerTrouble: BrokerTrouble?
        /// What the Kafka client died of, where none is known to live since.
        var producerDeath: String?
        var topics: [TopicFault] = []
        var isStopping = false
    }

    private init(alive: [Condition], ready: [Condition]) {
        self.alive = alive
        self.ready = ready
    }

    init(_ facts: Facts) {
        let silence = "hangs: nothing was heard of it for a minute"
        alive = [
            Condition(name: "reader", fault: facts.isReaderLate ? silence : nil),
            Condition(name: "deliveries", fault: facts.isPollerLate ? silence : nil),
        ]
        var registry = facts.whyNotSaved
        if facts.isKeeperLate { registry = "writing to the disk takes more than a minute" }
        let why = facts.brokerTrouble.map { ": \($0.broker): \($0.advice) (\($0.text))" } ?? ""
        let brokers: String? =
            switch facts.brokerReach {
            case .unknown: "none has answered yet\(why)"
            case .lost: "none can be reached\(why)"
            case .reached: nil
            }
        let refusal = facts.refusal.map { "an older one runs, for the newest was refused: \($0)" }
        var ready = [
            Condition(name: "configuration", fault: refusal),
            Condition(name: "registry", fault: registry),
            Condition(
                name: "first scan", fault: facts.isScanned ? nil : "directories are looked through"),
            Condition(name: "brokers", fault: brokers),
        ]
        if let death = facts.producerDeath {
            ready.append(
                Condition(name: "producer", fault: "gave up, and is made anew: \(death)"))
        }
        ready += Self.conditions(facts.topics)
        ready += alive.filter { $0.fault != nil }
        if facts.isStopping { ready.append(Condition(name: "agent", fault: "is being stopped")) }
        self.ready = ready
    }

    /// One for each topic that streams wait for until somebody does something.
    private static func conditions(_ topics: [TopicFault]) -> [Condition] {
        var conditions = topics.prefix(TopicFault.mostTold).map {
            Condition(name: "topic \($0.topic)", fault: "\($0.reason); \($0.hint)")
        }
        if topics.count > conditions.count {
            conditions.append(
                Condition(
                    name: "topics",
                    fault: "\(topics.count - conditions.count) more cannot be written to"))
        }
        return conditions
    }
}

/// Whether something that was asked about is in order.
struct Condition: Hashable, Sendable {
    let name: String
    /// Nil: it is.
    let fault: String?
}

extension [Condition] {
    var areMet: Bool { allSatisfy { $0.fault == nil } }

    /// One line for each. A fault may name a path, and a path may hold a line feed.
    var text: String {
        map { condition in
            let fault = condition.fault?.split(whereSeparator: \.isNewline).joined(separator: " ")
            return "\(condition.name): \(fault ?? "ok")\n"
        }.joined()
    }
}
