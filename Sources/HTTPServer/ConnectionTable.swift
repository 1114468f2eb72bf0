import Glibc
import Platform

/// The connections that there are, by age. Bounded by `Limits.connections`; used on one thread.
final class ConnectionTable {
    private struct Entry {
        let socket: Int32
        /// Monotonic nanoseconds.
        let began: Int64
        var isShut = false
    }

    /// Oldest first.
    private var entries: [Entry] = []

    var count: Int { entries.count }
    /// Connections that were accepted since the start.
    private(set) var begun = 0

    /// A connection was accepted.
    func began(_ socket: Int32) {
        begun += 1
        entries.append(Entry(socket: socket, began: Clock.monotonicNanoseconds()))
    }

    /// Its socket is about to be closed; the number may come back.
    func ended(_ socket: Int32) { entries.removeAll { $0.socket == socket } }

    /// When the next connection has to end, monotonic nanoseconds.
    func nextEnd(_ limits: HTTPServer.Limits) -> Int64? {
        entries.first { !$0.isShut }.map { $0.began + patience(limits) }
    }

    /// Shuts the connections whose time is over. libmicrohttpd then finds their ends and closes
    /// them.
    func endOverdue(_ limits: HTTPServer.Limits) {
        let latest = Clock.monotonicNanoseconds() - patience(limits)
        for index in entries.indices {
            if entries[index].began > latest { return }
            if entries[index].isShut { continue }
            entries[index].isShut = true
            // Fails only for one that the other side has ended meanwhile.
            _ = shutdown(entries[index].socket, Int32(SHUT_RDWR))
        }
    }

    private func patience(_ limits: HTTPServer.Limits) -> Int64 {
        let patience =
            entries.count >= limits.connections ? limits.crowdedPatience : limits.patience
        let (seconds, attoseconds) = patience.components
        return seconds * 1_000_000_000 + attoseconds / 1_000_000_000
    }
}
