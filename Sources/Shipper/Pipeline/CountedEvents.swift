import Kafka
import Model
import Platform
import Registry
import Synchronization

/// Hears what Kafka and the registry tell, counts what metrics and health ask for, and passes it on
/// to the log. Sendable; called on the stages' threads.
final class CountedEvents: KafkaObserver, RegistryObserver {
    private let events: EventLog
    private let rejections = Mutex<[String: Int]>([:])
    private let syncs = Mutex(Figures.Syncs())
    private let saveFault = Mutex<String?>(nil)
    private let paths = Mutex<(@Sendable (FileID) -> String?)?>(nil)

    /// More codes than librdkafka has.
    private static let mostCodes = 512

    init(_ events: EventLog) { self.events = events }

    /// Bad verdicts on records, by librdkafka's name of the code.
    var rejected: [String: Int] { rejections.withLock { $0 } }
    /// The journal's fsyncs.
    var registrySyncs: Figures.Syncs { syncs.withLock { $0 } }
    /// Why positions cannot be saved; nil while they can.
    var whyNotSaved: String? { saveFault.withLock { $0 } }

    // MARK: Kafka

    func brokersDown(_ message: String) { events.brokersDown(message) }

    func brokerUp() { events.brokerUp() }

    func recordsRejected(topic: String, code: String, text: String, count: Int) {
        rejections.withLock { counts in
            let isKnown = counts[code] != nil || counts.count < Self.mostCodes
            counts[isKnown ? code : "other", default: 0] +|= count
        }
        events.recordsRejected(topic: topic, code: code, text: text, count: count)
    }

    func fatal(_ text: String) { events.fatal(text) }

    func laneBlocked(topic: String, reason: String) {
        events.laneBlocked(topic: topic, reason: reason)
    }

    func recordRefused(_ refused: RefusedRecord) {
        let path = paths.withLock { $0 }
        events.recordRefused(refused, path: path?(refused.file))
    }

    /// Where the names of files are to be had, once there is a registry.
    func nameFiles(_ path: @escaping @Sendable (FileID) -> String?) {
        paths.withLock { $0 = path }
    }

    func laneFlows(topic: String) { events.laneFlows(topic: topic) }

    func clientError(code: String, text: String) { events.clientError(code: code, text: text) }

    func clientLog(severity: Int, facility: String, text: String) {
        events.clientLog(severity: severity, facility: facility, text: text)
    }

    // MARK: Registry

    func registryRecovered(_ summary: RecoverySummary) { events.registryRecovered(summary) }

    func registryWriteFailed(_ error: RegistryError) {
        saveFault.withLock { $0 = "\(error)" }
        events.registryWriteFailed(error)
    }

    func registryWriteRecovered() {
        saveFault.withLock { $0 = nil }
        events.registryWriteRecovered()
    }

    func registrySynced(nanoseconds: Int64) {
        syncs.withLock { syncs in
            syncs.count += 1
            syncs.nanoseconds +|= nanoseconds
        }
        events.registrySynced(nanoseconds: nanoseconds)
    }

    func registryCompacted(entries: Int, bytes: Int, nanoseconds: Int64) {
        events.registryCompacted(entries: entries, bytes: bytes, nanoseconds: nanoseconds)
    }

    func registryCannotSetAside(_ error: RegistryError) { events.registryCannotSetAside(error) }
}
