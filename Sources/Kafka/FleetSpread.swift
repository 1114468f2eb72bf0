/// What keeps the nodes of a fleet apart that start at one moment, or lose their brokers at one:
/// thousands of connections are made within seconds then, each with its TLS and its proof of who it
/// is. Each node waits for a time of its own, by its name: the same each time, so that nothing is
/// left to chance, and evenly spread over all names.
package struct FleetSpread: Hashable, Sendable {
    /// How long the first connection waits, where all start at once.
    private static let longestStart: UInt32 = 1_000
    /// How long an attempt to connect again waits at the most. librdkafka's own ten seconds are
    /// what each node has at least.
    private static let shortestBackOff: UInt32 = 10_000
    private static let longestBackOff: UInt32 = 20_000

    /// Milliseconds until the first connection.
    package let start: Int
    /// `reconnect.backoff.max.ms`.
    package let backOff: Int

    /// `isFleet`: the node is one of many that start together. One that has its host's name is on
    /// its own, and need not wait.
    package init(node: String, isFleet: Bool) {
        let hash = NodeWindow.hash(node)
        start = isFleet ? Int(hash % Self.longestStart) : 0
        // Another part of it, so that who starts late is not always who comes back late.
        let width = Self.longestBackOff - Self.shortestBackOff + 1
        backOff = Int(Self.shortestBackOff + (hash / Self.longestStart) % width)
    }
}
