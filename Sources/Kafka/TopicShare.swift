package import Model
import Synchronization

/// Shared by the lanes of one topic: their way to librdkafka (`TopicGate`), and whether the topic
/// takes records at all. Sendable; its lock is taken inside a lane's, never the other way round.
package final class TopicShare: Sendable {
    /// The topic's.
    package let name: String
    /// Which of the topics it is, for the credit.
    package let destination: DestinationID
    private struct Inside {
        var gate: TopicGate
        var hasWorked = false
        var away: Verdict?
    }
    private let inside: Mutex<Inside>

    /// Nobody vouches for a topic that has records out and gave no verdict for so long.
    static let patience: Int64 = 5_000_000_000

    init(name: String, destination: DestinationID, longestBatch: Int) {
        self.name = name
        self.destination = destination
        inside = Mutex(Inside(gate: TopicGate(longestBatch: longestBatch)))
    }

    /// One call of the gate's.
    func gate<R>(_ body: (inout TopicGate) -> R) -> R { inside.withLock { body(&$0.gate) } }

    /// Records of it were acknowledged, or refused for what they hold, which nobody does but a
    /// leader that takes others. True when that is news.
    @discardableResult
    func answered(now: Int64) -> Bool {
        inside.withLock { inside in
            defer { inside.hasWorked = true }
            let isNews = !inside.hasWorked || inside.away != nil
            inside.away = nil
            inside.gate.verdictCame(now: now)
            return isNews
        }
    }

    /// The verdict on a record was that its topic, leader or permission is missing.
    func isAway(_ verdict: Verdict) { inside.withLock { $0.away = verdict } }

    /// Why nothing can be sent to it until somebody does something about it.
    var fault: TopicFault? {
        guard let verdict = inside.withLock({ $0.away }), let hint = verdict.hint else {
            return nil
        }
        return TopicFault(topic: name, reason: verdict.sentence, hint: hint)
    }

    /// Whether what is sent to it can be expected to come through: it has, and nothing is heard to
    /// the contrary.
    package func works(now: Int64) -> Bool {
        inside.withLock { inside in
            inside.hasWorked && inside.away == nil && inside.gate.isBusy(at: now) < Self.patience
        }
    }
}
