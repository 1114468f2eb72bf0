package import Model

/// Hears of all that happens between us and the brokers. Called on the poller thread, as often as
/// it happens: whoever logs it limits the rate. It must not block.
package protocol KafkaObserver: Sendable {
    func report(_ event: KafkaEvent)
}

/// What happens between us and the brokers. A `code` is librdkafka's name of a verdict, such as
/// `MSG_SIZE_TOO_LARGE`, a `text` its words for it, in English.
package enum KafkaEvent: Sendable {
    /// No broker can be reached; records wait. Each time the client loses the last of them, or has
    /// news of why; with what keeps it from the last one, where it tells.
    case brokersDown(String, BrokerTrouble?)
    /// One broker cannot be reached, but others can.
    case brokerAway(BrokerTrouble)
    /// A broker has answered, or acknowledged a record, after `brokersDown`.
    case brokerUp
    /// `count` records got a verdict; they will be tried again.
    case recordsRejected(topic: String, code: String, text: String, count: Int)
    /// The idempotent producer gave up; it is made anew and every lane goes on from its first
    /// undelivered record.
    case fatal(String)
    /// One lane waits with everything it holds. Once for each change of the reason. `hint` says
    /// what is to be done, where somebody can do something.
    case laneBlocked(topic: String, reason: String, hint: String?)
    /// A record that can be the only reason why it was refused: nothing was sent beside it. Its
    /// stream waits at it. Once for each record.
    case recordRefused(RefusedRecord)
    /// A record will never be taken by its topic; the dead-letter topic has acknowledged a letter
    /// in its place, and the record's stream goes on.
    case recordSetAside(RefusedRecord, deadLetterTopic: String)
    /// A lane that was blocked takes records again.
    case laneFlows(topic: String)
    /// An error that librdkafka deals with by itself, such as one broker's lost connection.
    case clientError(code: String, text: String)
    /// A line of librdkafka's own log; `severity` as in syslog(3), 0 (emergency) to 7 (debug).
    case clientLog(severity: Int, facility: String, text: String)
}

/// A record that was refused alone.
package struct RefusedRecord: Sendable {
    /// The topic that refused it.
    package let topic: String
    /// The file that it was read from.
    package let file: FileID
    /// Where it begins in the file.
    package let offset: LogicalOffset
    /// Bytes of its value.
    package let size: Int
    /// librdkafka's name of the verdict, such as `MSG_SIZE_TOO_LARGE`.
    package let code: String
    /// librdkafka's words for the verdict, in English.
    package let text: String
    /// Bytes that the topic takes in one batch, compressed, and what says so; nil where nobody
    /// does.
    package let limit: (bytes: Int, setting: String)?
}
