package import Platform

/// A fault of Kafka's before or beside the records; the verdict on a record is no error, its lane
/// deals with it.
package enum KafkaError: Error, Hashable, Sendable, CustomStringConvertible {
    /// A librdkafka property that cannot be taken, by its name in `librdkafka:`; the caller knows
    /// the line it stands on.
    case property(name: String, reason: String)
    /// A value of `brokers` that names no host.
    case broker(address: String, reason: String)
    /// The client could not be made; `reason` is librdkafka's.
    case client(reason: String)
    /// A call of the broker's protocol that was refused.
    case call(name: String, subject: String, reason: String)
    case thread(SystemError)

    /// The librdkafka property that the error is about.
    package var property: String? {
        switch self {
        case .property(let name, _): name
        case .broker, .client, .call, .thread: nil
        }
    }

    /// What is wrong, without the words for what it is about.
    package var reason: String {
        switch self {
        case .property(_, let reason), .broker(_, let reason), .client(let reason),
            .call(_, _, let reason):
            reason
        case .thread(let error): "\(error)"
        }
    }

    package var description: String {
        switch self {
        case .property(let name, let reason): "librdkafka property \(name): \(reason)"
        case .broker(let address, let reason): "broker '\(address)': \(reason)"
        case .client(let reason): "the Kafka client cannot be made: \(reason)"
        case .call(let name, let subject, let reason): "\(name) \(subject): \(reason)"
        case .thread(let error): "the Kafka thread cannot be started: \(error)"
        }
    }
}
