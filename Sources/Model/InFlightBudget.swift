import Synchronization

/// The bytes that may be read but not yet delivered, shared between streams.
///
/// A stream may hold at most as much as is left over for all others (the dynamic threshold of shared
/// packet buffers): one stuck stream ends with half, ten stuck ones leave an eleventh free, and none
/// can take the last of it. Sendable; any thread.
package final class InFlightBudget: Sendable {
    /// Bytes in all, from `limits.in_flight`.
    package let limit: Int

    private struct State {
        /// Bytes held by each stream that holds any; bounded by the number of streams.
        var held: [StreamID: Int] = [:]
        /// Sum of `held`; invariant: `0...limit`.
        var total = 0
        /// Whether a stream was refused since the last byte came back.
        var refused = false
    }
    private let state = Mutex(State())

    /// `limit` in bytes, above 0.
    package init(limit: Int) {
        precondition(limit > 0, "an in-flight budget of \(limit) bytes can carry nothing")
        self.limit = limit
    }

    /// Takes between `least` and `most` bytes for `stream` and returns how many, or 0 when fewer than
    /// `least` may be had now. A stream that holds nothing gets `least` whenever it is free at all.
    package func take(_ stream: StreamID, atLeast least: Int, atMost most: Int) -> Int {
        precondition(0 < least && least <= most, "cannot take \(least)...\(most) bytes")
        return state.withLock { state in
            let held = state.held[stream, default: 0]
            let free = limit - state.total
            var grant = min(most, (free - held) / 2)
            if grant < least { grant = held == 0 && free >= least ? least : 0 }
            guard grant > 0 else {
                state.refused = true
                return 0
            }
            state.held[stream] = held + grant
            state.total += grant
            return grant
        }
    }

    /// Gives `bytes` of `stream` back. True when a stream was refused since bytes last came back, so
    /// that whoever waits should look again.
    package func giveBack(_ stream: StreamID, _ bytes: Int) -> Bool {
        state.withLock { state in
            let held = state.held[stream, default: 0] - bytes
            precondition(bytes >= 0 && held >= 0, "more bytes came back than were taken")
            state.held[stream] = held == 0 ? nil : held
            state.total -= bytes
            defer { if bytes > 0 { state.refused = false } }
            return state.refused
        }
    }

    /// Bytes held now by all streams.
    package var held: Int { state.withLock { $0.total } }

    /// Bytes held now by one stream.
    package func held(by stream: StreamID) -> Int { state.withLock { $0.held[stream, default: 0] } }
}
