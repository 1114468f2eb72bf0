package import Model

/// Hears of all that happens between us and the brokers, by name. The methods are called on the
/// poller thread, as often as it happens: whoever logs it limits the rate. They must not block.
package protocol KafkaObserver: Sendable {
    /// No broker can be reached; records wait. Heard each time the client loses the last of them.
    func brokersDown(_ message: String)
    /// A broker has answered, or acknowledged a record, after `brokersDown`.
    func brokerUp()
    /// `count` records got the verdict `code` (librdkafka's name of it, such as
    /// `MSG_SIZE_TOO_LARGE`); they will be tried again.
    func recordsRejected(topic: String, code: String, text: String, count: Int)
    /// The idempotent producer gave up; it is made anew and every lane goes on from its first
    /// undelivered record.
    func fatal(_ text: String)
    /// One lane waits with everything it holds. Heard once for each change of the reason.
    func laneBlocked(topic: String, reason: String)
    /// A record that can be the only reason why it was refused: nothing was sent beside it. Its
    /// stream waits at it. Heard once for each record.
    func recordRefused(_ refused: RefusedRecord)
    /// A lane that was blocked takes records again.
    func laneFlows(topic: String)
    /// An error that librdkafka deals with by itself, such as one broker's lost connection.
    func clientError(code: String, text: String)
    /// A line of librdkafka's own log; `severity` as in syslog(3), 0 (emergency) to 7 (debug).
    func clientLog(severity: Int, facility: String, text: String)
}

/// A record that was refused alone.
package struct RefusedRecord: Sendable {
    /// The topic that refused it.
    package let topic: String
    /// The file that it was read from.
    package let file: FileID
    /// Where it begins in the file, logical.
    package let offset: Int
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
