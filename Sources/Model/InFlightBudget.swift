import Synchronization

/// The bytes that may be read but not yet delivered, shared between topics and, within each,
/// between streams.
///
/// Who takes and gives back has a share that adapts (the dynamic threshold of shared packet
/// buffers); what does not give back has one that does not grow:
///
/// - A topic whose records come through may hold a third of what is left over for all others, so a
///   quarter when it is alone, and a stream of it what is left over for its topic: none can take
///   the last of it, and what a topic takes along when it goes is not much.
/// - A topic that was never seen to work, or that lately did not, has a little to try with, and all
///   those together a quarter, or half where they are thousands (`trying`). That is what they keep
///   for good, however often they try: a topic, a leader or a permission may be missing for ever.
///
/// A stream that waits for more than is free has it kept for it, but only in turns (`Patience`):
/// what it waits for may never come back.
///
/// Streams without a topic share everything with each other. Sendable; any thread.
package final class InFlightBudget: Sendable {
    /// Bytes in all, from `limits.in_flight`.
    package let limit: Int
    /// Bytes that one topic may try with, while few do.
    package static let mostTrial = 64 * 1024
    /// Topics that try at a time have that part of the pool each, of what the others left.
    private static let trialParts = 8

    /// Bytes for all topics that do not work.
    private var trialPool: Int { limit / 4 }

    private struct Topic {
        /// Bytes held by its streams; above 0.
        var held = 0
        /// Those of them that were taken to try with. What it got while it worked is not among
        /// them: it must not be held against topics that try.
        var tried = 0
        var works: Bool
    }

    private struct State {
        /// Bytes held by each stream that holds any; bounded by the number of streams.
        var held: [StreamID: Int] = [:]
        /// Topics whose streams hold any.
        var topics: [DestinationID: Topic] = [:]
        /// Sum of `held`; invariant: `0...limit`.
        var total = 0
        /// Sum of `tried`.
        var trying = 0
        /// Whether a stream was refused since a byte last came back; and whether one was whose
        /// topic does not work, for which bytes of others would not do.
        var refused = false
        var refusedTrial = false
        /// A stream that holds nothing and was refused what it needs at least: nobody takes the
        /// last of that away before it came, neither of the whole nor of what its topic may have,
        /// or a long line would wait for ever among short ones. Of those that ask it is the one
        /// that was refused first: who asks first when one was served may be somebody else each
        /// time.
        var next: (stream: StreamID, topic: DestinationID?, least: Int, since: Int)? {
            didSet { if next?.stream != oldValue?.stream { patience = nil } }
        }
        /// How long that was waited for, once it was asked.
        var patience: Patience?
        /// Nothing is kept for it now.
        var isResting = false
        /// When streams that hold nothing were refused first, counted; bounded by the number of
        /// streams.
        var refusedSince: [StreamID: Int] = [:]
        private var refusals = 0

        /// `stream`, which holds nothing, was refused `least`.
        mutating func lineUp(_ stream: StreamID, _ topic: DestinationID?, _ least: Int) {
            let since = refusedSince[stream] ?? refusals
            if since == refusals {
                refusedSince[stream] = since
                refusals += 1
            }
            if let next, next.since < since { return }
            next = (stream, topic, least, since)
        }

        /// `stream` was served or has ended.
        mutating func leaveLine(_ stream: StreamID) {
            refusedSince[stream] = nil
            if next?.stream == stream { next = nil }
        }

        /// Bytes that `stream` may take now.
        func available(to stream: StreamID, limit: Int) -> Int {
            let free = limit - total
            guard let next, next.stream != stream, !isResting else { return free }
            return max(0, free - next.least)
        }

        /// Bytes that all streams of `topic`, which works, may hold when `stream` takes more.
        func most(of topic: DestinationID, for stream: StreamID, limit: Int) -> Int {
            guard let next, next.topic == topic, next.stream != stream, !isResting else {
                return limit / 2
            }
            return max(0, limit / 2 - next.least)
        }

        /// Somebody asks at `now`.
        mutating func look(_ now: Duration) {
            guard next != nil else { return }
            let patience = self.patience ?? Patience(since: now)
            self.patience = patience
            isResting = patience.rests(now)
        }

        /// Whether the topic works is seen by whoever takes, or proved by what comes back.
        mutating func note(_ id: DestinationID, works: Bool) {
            if !works, next?.topic == id { next = nil }
            guard let topic = topics[id], topic.works != works else { return }
            topics[id]?.works = works
            if works {
                trying -= topic.tried
                topics[id]?.tried = 0
                // Somebody may have been refused as one that tries, of this topic or for it. That
                // is no longer so, and what comes back of a topic that works is not what they wait
                // for.
                if refusedTrial { refused = true }
            }
        }

        mutating func add(_ bytes: Int, to stream: StreamID, _ id: DestinationID?, works: Bool) {
            let held = self.held[stream, default: 0] + bytes
            self.held[stream] = held == 0 ? nil : held
            total += bytes
            guard let id else { return }
            var topic = topics[id] ?? Topic(works: works)
            topic.held += bytes
            let tried = bytes > 0 ? (topic.works ? 0 : bytes) : -min(topic.tried, -bytes)
            topic.tried += tried
            trying += tried
            topics[id] = topic.held == 0 ? nil : topic
        }
    }
    private let state = Mutex(State())
    private let time: @Sendable () -> Duration

    /// When bytes are kept for a stream that waits for more than there are, and when others get
    /// them all the same: by turns that are twice as long each time, so that what comes back late
    /// is enough some day, up to a length that is bearable for all others.
    struct Patience {
        let since: Duration

        private static let shortest = 2.0
        private static let longest = 32.0

        func rests(_ now: Duration) -> Bool {
            let parts = (now - since).components
            var left = Double(parts.seconds) + Double(parts.attoseconds) * 1e-18
            var turn = Self.shortest
            while turn < Self.longest {
                if left < 2 * turn { return left >= turn }
                left -= 2 * turn
                turn *= 2
            }
            return left.truncatingRemainder(dividingBy: 2 * turn) >= turn
        }
    }

    /// `limit` in bytes, above 0; `time` goes on evenly from anywhere.
    package init(limit: Int, time: (@Sendable () -> Duration)? = nil) {
        let start = ContinuousClock.now
        self.time = time ?? { ContinuousClock.now - start }
        precondition(limit > 0, "an in-flight budget of \(limit) bytes can carry nothing")
        self.limit = limit
    }

    /// Takes between `least` and `most` bytes for `stream` and returns how many, or 0 when fewer
    /// than `least` may be had now. A stream that holds nothing gets `least` where its topic does
    /// not take too much of the whole with it, and is served before others when it had to wait for
    /// that. Whatever it gets, it was served then: who waits for more asks for no less meanwhile.
    ///
    /// `works` says whether what was sent to `topic` came through lately.
    package func take(
        _ stream: StreamID, of topic: DestinationID? = nil, works: Bool = true,
        atLeast least: Int, atMost most: Int
    ) -> Int {
        precondition(0 < least && least <= most, "cannot take \(least)...\(most) bytes")
        let now = time()
        return state.withLock { state in
            state.look(now)
            if let topic { state.note(topic, works: works) }
            let grant = grant(state, stream, topic, works: works, least, most)
            guard grant > 0 else {
                refuse(&state, stream, topic, works: works, least)
                return 0
            }
            state.leaveLine(stream)
            state.add(grant, to: stream, topic, works: works)
            return grant
        }
    }

    /// Takes exactly so many bytes, though there may be fewer: for what is in memory already and
    /// cannot wait. Its bound is the caller's.
    package func force(
        _ stream: StreamID, of topic: DestinationID? = nil, works: Bool = true, _ bytes: Int
    ) {
        state.withLock { $0.add(bytes, to: stream, topic, works: works) }
    }

    /// Whether `take` of `least` bytes would be granted now; a no counts as a refusal.
    package func canTake(
        _ stream: StreamID, of topic: DestinationID? = nil, works: Bool = true, _ least: Int
    ) -> Bool {
        let now = time()
        return state.withLock { state in
            state.look(now)
            if let topic { state.note(topic, works: works) }
            if grant(state, stream, topic, works: works, least, least) > 0 { return true }
            noteRefusal(&state, stream, works: works, least)
            return false
        }
    }

    private func grant(
        _ state: borrowing State, _ stream: StreamID, _ topic: DestinationID?, works: Bool,
        _ least: Int, _ most: Int
    ) -> Int {
        let held = state.held[stream, default: 0]
        let free = state.available(to: stream, limit: limit)
        guard let topic else {
            let share = min(most, (free - held) / 2)
            return share >= least ? share : held == 0 && free >= least ? least : 0
        }
        let byTopic = state.topics[topic]?.held ?? 0
        if works {
            // Afterwards the topic holds a third of what is free at the most, and the stream no
            // more than its topic might still take.
            let isNext = state.next?.stream == stream
            let ofTopic = state.most(of: topic, for: stream, limit: limit)
            let share = min(most, ((free - 3 * byTopic) / 4 - held) / 2, ofTopic - byTopic)
            if share >= least { return share }
            let isFirst =
                byTopic == 0 && (isNext || state.isResting || state.next?.topic != topic)
            let isSmall = isFirst || byTopic + least <= ofTopic
            return held == 0 && free >= least && isSmall ? least : 0
        }
        let part = (trialPool - state.trying) / Self.trialParts
        let share = min(most, free / 2, min(Self.mostTrial, part) - byTopic)
        if share >= least { return share }
        guard least <= free / 2 else { return 0 }
        // Whoever tried first may stand at a line that is refused: others of its topic try as well.
        if held == 0, byTopic + least <= part { return least }
        // The first line of a topic may be long, and there may be very many topics; half of
        // everything is not theirs to try with.
        return byTopic == 0 && state.trying + least <= limit / 2 ? least : 0
    }

    private func refuse(
        _ state: inout State, _ stream: StreamID, _ topic: DestinationID?, works: Bool,
        _ least: Int
    ) {
        noteRefusal(&state, stream, works: works, least)
        guard works else { return }
        if state.held[stream] == nil, least <= limit { state.lineUp(stream, topic, least) }
    }

    private func noteRefusal(
        _ state: inout State, _ stream: StreamID, works: Bool, _ least: Int
    ) {
        guard !works else {
            state.refused = true
            return
        }
        state.refusedTrial = true
        // Where others have what it would try with, what they give back is what it waits for.
        if least > state.available(to: stream, limit: limit) / 2 { state.refused = true }
    }

    /// Whoever calls this waits for something else to be delivered: the next bytes that come back
    /// wake it, as if it had been refused some.
    package func awaitReturn() { state.withLock { $0.refused = true } }

    /// Gives `bytes` of `stream` back, which are delivered: its topic works, unless nothing of them
    /// was for Kafka (`isProof`). True when a stream that this may help was refused since bytes
    /// last came back, so that whoever waits should look again; with `unused`, bytes that were
    /// never used, that is left to the next delivery.
    package func giveBack(
        _ stream: StreamID, of topic: DestinationID? = nil, _ bytes: Int, unused: Bool = false,
        isProof: Bool = true
    ) -> Bool {
        state.withLock { state in
            precondition(
                bytes >= 0 && state.held[stream, default: 0] >= bytes,
                "more bytes came back than were taken")
            let wasTrying = topic.flatMap { state.topics[$0]?.works } == false
            if let topic, !unused, isProof { state.note(topic, works: true) }
            state.add(-bytes, to: stream, topic, works: true)
            if unused { return false }
            defer {
                state.refused = false
                if wasTrying { state.refusedTrial = false }
            }
            return state.refused || wasTrying && state.refusedTrial
        }
    }

    /// The stream has ended: nobody waits for it any more. What it holds comes back by itself.
    package func forget(_ stream: StreamID) {
        state.withLock { $0.leaveLine(stream) }
    }

    /// Bytes held now by all streams.
    package var held: Int { state.withLock { $0.total } }

    /// Bytes held now by topics that try, as far as is known.
    package var trying: Int { state.withLock { $0.trying } }

    /// Bytes held now by one stream.
    package func held(by stream: StreamID) -> Int { state.withLock { $0.held[stream, default: 0] } }

    /// Bytes held now by the streams of one topic.
    package func held(by topic: DestinationID) -> Int {
        state.withLock { $0.topics[topic]?.held ?? 0 }
    }
}
