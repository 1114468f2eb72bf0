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
        /// Whether a stream was refused since a byte last came back.
        var refused = false
        /// A stream that holds nothing and was refused what it needs at least: nobody takes the
        /// last of that away before it came, or a long line would wait for ever among short ones.
        var next: (stream: StreamID, least: Int)?

        /// What `stream` may take now.
        func available(to stream: StreamID, limit: Int) -> Int {
            let free = limit - total
            guard let next, next.stream != stream else { return free }
            return max(0, free - next.least)
        }
    }
    private let state = Mutex(State())

    /// `limit` in bytes, above 0.
    package init(limit: Int) {
        precondition(limit > 0, "an in-flight budget of \(limit) bytes can carry nothing")
        self.limit = limit
    }

    /// Takes between `least` and `most` bytes for `stream` and returns how many, or 0 when fewer than
    /// `least` may be had now. A stream that holds nothing gets `least` whenever it is free at all,
    /// and is served before others when it had to wait for that.
    package func take(_ stream: StreamID, atLeast least: Int, atMost most: Int) -> Int {
        precondition(0 < least && least <= most, "cannot take \(least)...\(most) bytes")
        return state.withLock { state in
            let held = state.held[stream, default: 0]
            let free = state.available(to: stream, limit: limit)
            var grant = min(most, (free - held) / 2)
            if grant < least { grant = held == 0 && free >= least ? least : 0 }
            guard grant > 0 else {
                state.refused = true
                if held == 0, state.next == nil, least <= limit { state.next = (stream, least) }
                return 0
            }
            if state.next?.stream == stream { state.next = nil }
            state.held[stream] = held + grant
            state.total += grant
            return grant
        }
    }

    /// Whether `take` of `least` bytes would be granted now; a no counts as a refusal.
    package func canTake(_ stream: StreamID, _ least: Int) -> Bool {
        state.withLock { state in
            let held = state.held[stream, default: 0]
            let free = state.available(to: stream, limit: limit)
            if (free - held) / 2 >= least || (held == 0 && free >= least) { return true }
            state.refused = true
            return false
        }
    }

    /// Gives `bytes` of `stream` back. True when a stream was refused since bytes last came back, so
    /// that whoever waits should look again; with `unused`, bytes that were never used, that is left
    /// to the next delivery.
    package func giveBack(_ stream: StreamID, _ bytes: Int, unused: Bool = false) -> Bool {
        state.withLock { state in
            let held = state.held[stream, default: 0] - bytes
            precondition(bytes >= 0 && held >= 0, "more bytes came back than were taken")
            state.held[stream] = held == 0 ? nil : held
            state.total -= bytes
            if unused { return false }
            defer { state.refused = false }
            return state.refused
        }
    }

    /// The stream has ended: nobody waits for it any more. What it holds comes back by itself.
    package func forget(_ stream: StreamID) {
        state.withLock { if $0.next?.stream == stream { $0.next = nil } }
    }

    /// Bytes held now by all streams.
    package var held: Int { state.withLock { $0.total } }

    /// Bytes held now by one stream.
    package func held(by stream: StreamID) -> Int { state.withLock { $0.held[stream, default: 0] } }
}
