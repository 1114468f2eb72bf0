/// Why nothing can be sent to a topic until somebody does something about it.
package struct TopicFault: Hashable, Sendable {
    /// By its name with the brokers.
    package let topic: String
    /// librdkafka's name and words for the verdict.
    package let reason: String
    /// What is to be done, and by whom.
    package let hint: String

    /// The faults of topics that are told one by one; of more, how many there are.
    package static let mostTold = 10

    package init(topic: String, reason: String, hint: String) {
        self.topic = topic
        self.reason = reason
        self.hint = hint
    }
}

extension Verdict {
    /// What an operator can do; nil where it passes by itself, or nothing is known.
    var hint: String? {
        switch cause {
        case Self.unknownThere:
            "create the topic, or let the brokers create topics (auto.create.topics.enable)"
        case Self.forbidden:
            "let this client write to the topic: an ACL that allows Write and Describe"
        case Self.forbiddenAll:
            "let this client write to its topics: an ACL that allows Write; brokers before 2.8 want "
                + "IdempotentWrite on the cluster, too"
        case Self.wrongTime:
            "set the clock of this machine right: it is further from the broker's than the topic "
                + "takes (message.timestamp.after.max.ms, message.timestamp.before.max.ms)"
        default: nil
        }
    }

    /// As the log has it.
    var sentence: String { "\(name): \(text)" }
}
