import Synchronization

/// Whether there is a broker to send to, as far as the client knows.
package enum BrokerReach: UInt8, AtomicRepresentable, Hashable, Sendable {
    /// None has answered since the start.
    case unknown
    /// One answered, or acknowledged a record, since the last time that all were away.
    case reached
    /// The connections to all of them broke or were refused.
    case lost
}
