/// The librdkafka properties that the pass-through refuses, because a promise hangs on them or a
/// setting of ours decides them, and what to use instead.
enum OwnedProperties {
    /// A name, or a prefix if it ends in `*`.
    private static let table: [(pattern: String, instead: String)] = [
        ("bootstrap.servers", "use output.kafka.brokers"),
        ("metadata.broker.list", "use output.kafka.brokers"),
        ("enable.idempotence", "it is always on, so that a repeat on the way is no second record"),
        ("enable.gapless.guarantee", "a failed record is tried again in order without it"),
        ("acks", "use output.kafka.acks"),
        ("request.required.acks", "use output.kafka.acks"),
        ("compression.codec", "use output.kafka.compression"),
        ("compression.type", "use output.kafka.compression"),
        ("partitioner", "use output.kafka.partitioner"),
        ("message.timeout.ms", "a record never expires, so there is nothing to set"),
        ("delivery.timeout.ms", "a record never expires, so there is nothing to set"),
        ("transactional.id", "transactions belong to output.kafka.delivery: exactly_once"),
        ("transaction.timeout.ms", "transactions belong to output.kafka.delivery: exactly_once"),
        ("queue.buffering.max.ms", "use its other name, linger.ms"),
        ("queue.buffering.*", "use limits.in_flight, which bounds what waits for Kafka"),
        ("queuing.strategy", "records are sent in the order of their lines"),
        ("msg_order_cmp", "records are sent in the order of their lines"),
        ("max.in.flight*", "it is always 5, the most that keeps order"),
        ("produce.offset.report", "delivery reports are read by the agent alone"),
        ("delivery.report.only.error", "delivery reports are read by the agent alone"),
        ("dr_*", "delivery reports are read by the agent alone"),
        ("test.mock.*", "use output.kafka.brokers: embedded"),
        ("log*", "use log.level and log.format"),
        ("statistics.interval.ms", "nobody would read them"),
        ("enabled_events", "events are read by the agent alone"),
        ("background_event_cb", "events are read by the agent alone"),
        ("opaque", "it is a program's own pointer"),
        ("interceptors", "it is a program's own pointer"),
        ("default_topic_conf", "topic properties are set by their own names"),
        ("*_cb", "it is a program's own function"),
    ]

    /// Why `name` may not be passed through and what to use instead; nil if it may.
    static func refusal(of name: String) -> String? {
        for (pattern, instead) in table where matches(name, pattern) {
            return "set by the agent and not to be passed through; \(instead)"
        }
        return nil
    }

    private static func matches(_ name: String, _ pattern: String) -> Bool {
        if pattern.hasSuffix("*") { return name.hasPrefix(pattern.dropLast()) }
        if pattern.hasPrefix("*") { return name.hasSuffix(pattern.dropFirst()) }
        return name == pattern
    }
}
