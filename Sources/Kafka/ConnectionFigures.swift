import Platform
import Synchronization

/// What goes over the connections to the brokers, counted while it happens. It outlives the client
/// that it is counted of, and goes on with the next one. Sendable; the client's own threads count.
package final class ConnectionFigures: Sendable {
    private let throttles = SaturatingCounter()
    private let requestsSent = SaturatingCounter()
    private let bytes = SaturatingCounter()
    /// Addresses with a connection, by the client that has it.
    private let connected = Mutex<[UInt: Set<String>]>([:])

    /// More than a cluster has; further ones are not counted.
    private static let mostBrokers = 10_000

    package init() {}

    /// How long brokers held back requests of ours because of a quota, nanoseconds: the sum over
    /// all of them.
    package var throttled: Int64 { Int64(throttles.now) *| 1_000_000 }
    /// Requests of any kind that were written to a connection.
    package var requests: Int { requestsSent.now }
    /// Bytes of those, as they are before TLS.
    package var bytesSent: Int { bytes.now }
    /// Addresses of brokers that there is a connection to, past its handshakes.
    package var brokers: Int { connected.withLock { $0.values.reduce(0) { $0 +| $1.count } } }

    func throttled(milliseconds: Int) { throttles.add(max(0, milliseconds)) }

    func sent(bytes count: Int) {
        requestsSent.add(1)
        bytes.add(count)
    }

    /// A connection of `client`, which is a number for as long as that lives, has changed.
    func changed(_ address: String, of client: UInt, isUp: Bool) {
        connected.withLock { connected in
            guard isUp else {
                connected[client]?.remove(address)
                return
            }
            guard connected[client, default: []].count < Self.mostBrokers else { return }
            connected[client, default: []].insert(address)
        }
    }

    /// Nothing of `client` is left.
    func ended(_ client: UInt) { connected.withLock { $0[client] = nil } }
}
