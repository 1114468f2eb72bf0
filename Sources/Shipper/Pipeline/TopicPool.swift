import Kafka
import Platform
import Synchronization

/// The topics of all readers' streams. Sendable; readers ask, metrics look.
final class TopicPool: Sendable {
    /// What a stream's records would go to.
    struct Wish: Hashable, Sendable {
        /// As its template gives it.
        let name: String
        /// What Kafka takes of it.
        let topic: String
        /// The directory that the stream is counted for; nil where neither a piece of a path nor a
        /// line's day is in the name, so that nobody can make one by it.
        let group: String?
    }

    private let allowance: Mutex<TopicAllowance>
    private let refused = SaturatingCounter()
    private let fallback: String?
    private let events: EventLog
    let limit: Int

    init(limit: Int, fallback: String?, events: EventLog) {
        allowance = Mutex(TopicAllowance(limit: limit))
        self.limit = limit
        self.fallback = fallback
        self.events = events
    }

    /// Topics that count.
    var count: Int { allowance.withLock { $0.count } }
    /// Streams that began and did not get their topic.
    var refusals: Int { refused.now }

    /// The topic of a stream that begins, or, `isAgain`, waits for one; nil while there is none.
    func enter(_ wish: Wish, isAgain: Bool = false) -> String? {
        if wish.topic != wish.name, !isAgain { events.topicRenamed(wish.name, wish.topic) }
        guard let group = wish.group else { return wish.topic }
        let now = Clock.monotonicNanoseconds()
        let answer = allowance.withLock {
            $0.enter(wish.topic, for: wish.name, of: group, now: now)
        }
        if answer == .granted { return wish.topic }
        if !isAgain { refused.add(1) }
        events.topicRefused(wish, answer, fallback: fallback, limit: limit)
        return fallback
    }

    /// A stream has ended that `topic` was the answer for, or goes on in the topic of another day:
    /// then this one's `isOver` where it was today's.
    func leave(_ wish: Wish, _ topic: String, isOver: Bool = false) {
        guard wish.group != nil, topic == wish.topic else { return }
        allowance.withLock {
            $0.leave(topic, now: Clock.monotonicNanoseconds(), isOver: isOver)
        }
    }
}

extension EventLog {
    /// A name that Kafka does not take.
    func topicRenamed(_ name: String, _ topic: String) {
        log.fault(
            .warn, key: "renamed \(topic)",
            "a topic's name has what Kafka refuses; each such character is _",
            ["name": .text(name), "topic": .text(topic)])
    }

    /// A stream that did not get its topic.
    func topicRefused(
        _ wish: TopicPool.Wish, _ answer: TopicAllowance.Answer, fallback: String?, limit: Int
    ) {
        let becomes = fallback.map { "goes to \($0)" } ?? "waits; nothing of it is lost"
        switch answer {
        case .granted: return
        case .full, .shareTaken:
            log.fault(
                .error, key: "topics",
                "limits.topics is reached; a stream does not get its topic",
                [
                    "topic": .text(wish.topic), "limit": .count(limit),
                    "directory": .text(wish.group ?? ""),
                    "share": .text(
                        answer == .full ? "none is left" : "it has as many as are left"),
                    "stream": .text(becomes), "hint": "limits.topics",
                ])
        case .taken(let name):
            log.fault(
                .error, key: "collision \(wish.topic)",
                "two names become one topic; a stream does not get its topic",
                [
                    "topic": .text(wish.topic), "name": .text(wish.name), "taken_by": .text(name),
                    "stream": .text(becomes),
                ])
        }
    }
}
