import Synchronization
import Testing

@testable import Kafka
@testable import Shipper

@Suite("What the log says of Kafka")
struct EventLogTests {
    /// Lines as they come, from any thread.
    private final class Lines: Sendable {
        let all = Mutex<[String]>([])
        var current: [String] { all.withLock { $0 } }
    }

    /// 1. A topic is deleted. Its partitions go first, which nothing can be done about.
    /// 2. A moment later its records are refused since it is not there: that has to be said with
    ///    what to do, and not half a minute later.
    /// Whoever mends the file of a token waits to hear what is wrong with it now.
    @Test("Each new reason why there is no token is said at once, an old one is not repeated")
    func tokens() {
        let lines = Lines()
        let log = EventLog(
            Log(level: .info, format: .text) { line in
                lines.all.withLock { $0.append(String(decoding: line, as: UTF8.self)) }
            })
        for _ in 0..<3 {
            for why in ["open /token: No such file", "/token: not a JWT"] {
                log.report(.brokersDown(why, BrokerTrouble(noTokenFor: "kafka:9092", why)))
            }
        }
        let said = lines.current
        #expect(said.count == 2)
        #expect(said.first?.contains("error=\"open /token: No such file\"") == true, "\(said)")
        #expect(said.last?.contains("error=\"/token: not a JWT\"") == true, "\(said)")
    }

    @Test("Each new reason why a topic's streams wait is said at once, an old one is not repeated")
    func reasons() {
        let lines = Lines()
        let log = EventLog(
            Log(level: .info, format: .text) { line in
                lines.all.withLock { $0.append(String(decoding: line, as: UTF8.self)) }
            })
        for _ in 0..<3 {
            log.report(.laneBlocked(topic: "logs", reason: "GONE", hint: nil))
            log.report(.laneBlocked(topic: "logs", reason: "UNKNOWN", hint: "create the topic"))
        }
        let said = lines.current
        #expect(said.count == 2)
        #expect(said.first?.contains("topic=logs reason=GONE") == true, "\(said)")
        #expect(
            said.last?.contains("topic=logs reason=UNKNOWN hint=\"create the topic\"") == true,
            "\(said)")
    }
}
