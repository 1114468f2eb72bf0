import Kafka
import Model
import Platform
import Registry
import Synchronization

/// Hears what Kafka and the registry tell, counts what metrics and health ask for, and passes it on
/// to the log. Sendable; called on the stages' threads.
final class CountedEvents: KafkaObserver, RegistryObserver {
    /// Where events are told that it has counted.
    let events: EventLog
    private let rejections = Mutex<[String: Int]>([:])
    private let setAside = SaturatingCounter()
    private let syncs = Mutex(Figures.Syncs())
    private let saveFault = Mutex<String?>(nil)
    private let trouble = Mutex<BrokerTrouble?>(nil)
    private let troubles = Mutex<[BrokerTrouble.Cause: Int]>([:])
    private let paths = Mutex<(@Sendable (FileID) -> String?)?>(nil)

    /// More codes than librdkafka has.
    private static let mostCodes = 512

    init(_ events: EventLog) { self.events = events }

    /// Bad verdicts on records, by librdkafka's name of the code.
    var rejected: [String: Int] { rejections.withLock { $0 } }
    /// Records of which the dead-letter topic has a letter.
    var deadLetters: Int { setAside.now }
    /// The journal's fsyncs.
    var registrySyncs: Figures.Syncs { syncs.withLock { $0 } }
    /// Why positions cannot be saved; nil while they can.
    var whyNotSaved: String? { saveFault.withLock { $0 } }

    /// What kept the client from a broker last; nil after it has reached one again.
    var brokerTrouble: BrokerTrouble? { trouble.withLock { $0 } }

    /// What kept the client from brokers, how often it was told.
    var brokerTroubles: [BrokerTrouble.Cause: Int] { troubles.withLock { $0 } }

    private func note(_ latest: BrokerTrouble) {
        trouble.withLock { $0 = latest }
        troubles.withLock { $0[latest.cause, default: 0] +|= 1 }
    }

    /// Another registry and another client of Kafka tell it from now on: what the last ones
    /// complained of is over.
    func beginAnew() {
        saveFault.withLock { $0 = nil }
        trouble.withLock { $0 = nil }
    }

    /// Where the names of files are to be had, once there is a registry.
    func nameFiles(_ path: @escaping @Sendable (FileID) -> String?) {
        paths.withLock { $0 = path }
    }

    func report(_ event: KafkaEvent) {
        switch event {
        case .recordsRejected(_, let code, _, let count):
            rejections.withLock { counts in
                let isKnown = counts[code] != nil || counts.count < Self.mostCodes
                counts[isKnown ? code : "other", default: 0] +|= count
            }
        case .recordRefused(let refused):
            let path = paths.withLock { $0 }
            events.recordRefused(refused, path: path?(refused.file))
            return
        case .recordSetAside(let refused, let topic):
            setAside.add(1)
            let path = paths.withLock { $0 }
            events.recordSetAside(refused, path: path?(refused.file), to: topic)
            return
        case .brokersDown(_, let latest):
            if let latest { note(latest) }
        case .brokerAway(let latest): note(latest)
        case .brokerUp: trouble.withLock { $0 = nil }
        case .fatal, .laneBlocked, .laneFlows, .clientError, .clientLog:
            break
        }
        events.report(event)
    }

    func report(_ event: RegistryEvent) {
        switch event {
        case .writeFailed(let error): saveFault.withLock { $0 = "\(error)" }
        case .writeRecovered: saveFault.withLock { $0 = nil }
        case .synced(let nanoseconds):
            syncs.withLock { syncs in
                syncs.count += 1
                syncs.nanoseconds +|= nanoseconds
            }
        case .opened, .compacted, .cannotSetAside: break
        }
        events.report(event)
    }
}
