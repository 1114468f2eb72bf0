import FoundationEssentials
import Kafka
import Model
import Platform
import Synchronization
import TestSupport

/// What many sequences share, one after the other: a broker that can be stopped, and the consumer
/// that says what came. For one thread at a time.
final class ModelBench: Sendable {
    static let topic = "logs"

    private final class Inbox: Sendable {
        struct State {
            var arrivals: [LineBook.Arrival] = []
            var sequence = 0
            var faults: [String] = []
        }
        let state = Mutex(State())
        let wakeup: Wakeup

        init() throws { wakeup = try Wakeup() }

        func take(_ value: [UInt8]) {
            let document: ModelDocument
            do {
                document = try JSONDecoder().decode(ModelDocument.self, from: Data(value))
            } catch {
                let text = String(decoding: value, as: UTF8.self)
                state.withLock { $0.faults.append("no document: \(error): \(text)") }
                return
            }
            state.withLock { state in
                // What a killed agent of an earlier sequence had on its way is none of this one.
                guard document.fields.sequence == state.sequence else { return }
                state.arrivals.append(
                    LineBook.Arrival(
                        text: document.message, id: document.metadata.id,
                        run: document.fields.run))
            }
            wakeup.wake()
        }
    }

    let broker: BrokerProcess
    private let inbox: Inbox
    private let consumer: AuditConsumer

    init() throws {
        broker = try BrokerProcess(topics: [Self.topic])
        let inbox = try Inbox()
        self.inbox = inbox
        consumer = try AuditConsumer(
            brokers: [broker.address], topics: [Self.topic],
            properties: [.init("fetch.wait.max.ms", "2")]
        ) { _, _, value, _ in inbox.take(bytes(of: value)) }
    }

    /// From now on only records of this sequence are taken.
    func begin(_ sequence: Int) {
        inbox.state.withLock { state in
            state.sequence = sequence
            state.arrivals = []
        }
    }

    /// What came since the last call.
    func arrivals() -> [LineBook.Arrival] {
        inbox.state.withLock { state in
            defer { state.arrivals.removeAll(keepingCapacity: true) }
            return state.arrivals
        }
    }

    /// Records that the broker let go before they were read, and values that are no documents: none,
    /// or no verdict counts.
    var faults: [String] {
        let missing = consumer.progress.missing
        let lost = missing == 0 ? [] : ["the consumer did not see \(missing) records"]
        return inbox.state.withLock { $0.faults } + lost
    }

    /// Waits until something came, a few milliseconds at most.
    func wait() { inbox.wakeup.wait(nanoseconds: 3_000_000) }
}

/// What the model looks at in a document.
private struct ModelDocument: Decodable {
    struct Metadata: Decodable {
        let id: String
        enum CodingKeys: String, CodingKey { case id = "_id" }
    }
    /// What the configuration of each run adds to its records.
    struct Fields: Decodable {
        let sequence: Int
        let run: Int
    }
    let metadata: Metadata
    let message: String
    let fields: Fields

    enum CodingKeys: String, CodingKey {
        case metadata = "@metadata"
        case message, fields
    }
}
