import Platform

/// Which topics streams may have that are named by directories, as a pure value.
///
/// 1. Whoever may make directories gives names to topics, and brokers may make each that is asked
///    for: a few thousand partitions that nobody wanted are hard to get rid of.
/// 2. So there is a bound on their number, and a topic counts for a day after its last stream, or
///    one directory after the other would do it.
/// 3. And no directory has all of them: of what is left, one that has as many already gets none.
///    The first may have half, and who comes later still finds some.
///
/// 4. A topic of a day that is over is needed no more, and makes room at once: at midnight there
///    would be twice as many. That goes for the streams that were in it on that very day; nobody
///    can have more than one such topic a day, whatever times stand in lines.
///
/// Two names that become the same one, because Kafka refuses characters of theirs, are two topics:
/// the second one is refused while the first is in use.
struct TopicAllowance {
    enum Answer: Hashable {
        case granted
        /// There are as many as there may be.
        case full
        /// There are some left, and this directory has its share.
        case shareTaken
        /// Another name has become the same topic.
        case taken(by: String)
    }

    private struct Topic {
        /// What became the topic's name.
        var name: String
        let group: String
        var streams: Int
        /// When the last one ended, if none is there.
        var leftAt: Int64 = 0
    }

    /// How long a topic counts after its last stream, nanoseconds.
    static let remembered: Int64 = 86_400_000_000_000

    let limit: Int
    /// By what Kafka takes; at most `limit`.
    private var topics: [String: Topic] = [:]
    /// How many there are of each directory; bounded by the topics.
    private var groups: [String: Int] = [:]
    /// Nothing is to be forgotten before that.
    private var nextForgotten = Int64.min

    init(limit: Int) { self.limit = limit }

    var count: Int { topics.count }

    /// For one stream more, beneath the directory `group`, whose topic is `topic` since Kafka takes
    /// no `name`.
    mutating func enter(_ topic: String, for name: String, of group: String, now: Int64) -> Answer {
        if var known = topics[topic] {
            if known.streams > 0, known.name != name { return .taken(by: known.name) }
            known.name = name
            known.streams += 1
            topics[topic] = known
            return .granted
        }
        if topics.count >= limit { forget(now: now) }
        let own = groups[group] ?? 0
        guard topics.count < limit else { return .full }
        guard own < limit - topics.count else { return .shareTaken }
        topics[topic] = Topic(name: name, group: group, streams: 1)
        groups[group] = own + 1
        return .granted
    }

    /// One stream of it less. The topic `isOver` where its day is.
    mutating func leave(_ topic: String, now: Int64, isOver: Bool = false) {
        guard var known = topics[topic], known.streams > 0 else { return }
        known.streams -= 1
        known.leftAt = now
        topics[topic] = known
        if known.streams == 0, isOver { return remove(topic, of: known.group) }
        if known.streams == 0 { nextForgotten = min(nextForgotten, now +| Self.remembered) }
    }

    private mutating func forget(now: Int64) {
        guard now >= nextForgotten else { return }
        nextForgotten = .max
        for (name, topic) in topics where topic.streams == 0 {
            let until = topic.leftAt +| Self.remembered
            guard until <= now else {
                nextForgotten = min(nextForgotten, until)
                continue
            }
            remove(name, of: topic.group)
        }
    }

    private mutating func remove(_ topic: String, of group: String) {
        topics[topic] = nil
        let left = (groups[group] ?? 1) - 1
        groups[group] = left > 0 ? left : nil
    }
}
