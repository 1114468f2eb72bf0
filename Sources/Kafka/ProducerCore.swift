import Model
import Platform
import Synchronization

/// The state that the threads of a producer share. Sendable; each field says who uses it.
final class ProducerCore: Sendable {
    let settings: KafkaSettings
    /// Of the settings, asked for once.
    let longestMessage: Int
    private let longestBatch: Int
    let observer: any KafkaObserver
    /// Of all clients, one after the other.
    let figures: ConnectionFigures
    /// Nil: a record that its topic will never take stops its stream.
    let deadLetters: DeadLetters?
    /// Called on the poller thread.
    let handler: @Sendable ([RecordBatch]) -> Void
    /// The same.
    let answered: @Sendable () -> Void
    /// The present client. The poller replaces it; others use it under this lock, for a call that
    /// neither blocks nor calls back, so they never see a closed one. Nil after the end.
    let handle: Mutex<ProducerHandle?>
    let lanes = Mutex(LaneTable())
    /// The poller thread's.
    let heartbeat = Heartbeat()
    private let reach = Atomic(BrokerReach.unknown)
    /// Set by the poller thread.
    var brokerReach: BrokerReach {
        get { reach.load(ordering: .relaxed) }
        set { reach.store(newValue, ordering: .relaxed) }
    }
    /// What the client died of; nil once another one is known to live. Set by the poller thread.
    let death = Mutex<String?>(nil)
    /// Opened when the poller has counted what is undelivered.
    let counted = Latch()
    /// Opened when the client is closed and the poller thread is about to end.
    let ended = Latch()
    /// Set before `counted` is opened.
    let undelivered = Atomic<Int>(0)

    private let inbox = Mutex(Inbox())
    /// Pages not in use; as many as there ever were threads that produced at once.
    private let pages = Mutex<[MessagePage]>([])

    /// Every lane that is not closed and empty; bounded by the streams.
    struct LaneTable {
        var all: [ObjectIdentifier: Lane] = [:]
        /// Those of them that are closed and not yet empty, by where they lead. Streams may have a
        /// key in common.
        var closing: [Address: [ObjectIdentifier: Lane]] = [:]
        /// The shares of topics, each with the number of its streams, with or without a lane for
        /// now, and of lanes that are closed and not empty; no topic without any.
        var shares: [String: (share: TopicShare, lanes: Int)] = [:]
        var destinations = 0
        var isSuspended = false
        var isStopped = false
    }

    struct Address: Hashable {
        let topic: String
        let key: [UInt8]
        let isOfDeadLetters: Bool
    }

    /// Messages of the sending threads to the poller. Bounded: one refusal a pass, and a pass more
    /// needs the poller; lanes are visited once however often they are named.
    struct Inbox {
        var refusals: [(batch: RecordBatch, refusal: Refusal)] = []
        var lanes: [ObjectIdentifier: Lane] = [:]
        /// Monotonic nanoseconds; set once.
        var stopAt: Int64?
    }

    init(
        settings: KafkaSettings, handle: ProducerHandle, figures: ConnectionFigures,
        observer: any KafkaObserver, deadLetters: DeadLetters?,
        handler: @escaping @Sendable ([RecordBatch]) -> Void,
        answered: @escaping @Sendable () -> Void
    ) {
        self.settings = settings
        longestMessage = settings.longestMessage
        longestBatch = settings.longestBatch
        self.handle = Mutex(handle)
        self.figures = figures
        self.observer = observer
        self.deadLetters = deadLetters
        self.handler = handler
        self.answered = answered
    }

    func lane(topic: String, key: [UInt8], isOfDeadLetters: Bool = false) -> Lane {
        lanes.withLock { table in
            // 1. A stream ends while records of it wait out a back-off.
            // 2. It begins again: the same topic and key, so the same partition.
            // 3. On a lane of its own what is new would overtake what waits.
            let address = Address(topic: topic, key: key, isOfDeadLetters: isOfDeadLetters)
            if let (lane, rested) = table.reopen(address) {
                // Its place is that of the stream that rests.
                if rested { _ = table.share(topic, longestBatch: longestBatch) }
                return lane
            }
            return table.make(
                on: table.share(topic, longestBatch: longestBatch), key,
                isOfDeadLetters: isOfDeadLetters)
        }
    }

    func join(_ topic: String) -> TopicShare {
        lanes.withLock { $0.share(topic, longestBatch: longestBatch) }
    }

    /// The same for a stream that has a place in the share already.
    func lane(on share: TopicShare, key: [UInt8]) -> Lane {
        lanes.withLock { table in
            if let (lane, rested) = table.reopen(
                Address(topic: share.name, key: key, isOfDeadLetters: false))
            {
                if !rested { table.leave(share) }
                return lane
            }
            return table.make(on: share, key)
        }
    }

    func leave(_ share: TopicShare) { lanes.withLock { $0.leave(share) } }

    func close(_ lane: Lane, rests: Bool = false) {
        lanes.withLock { table in
            lane.beginClosing(rests: rests)
            table.closing[lane.address, default: [:]][ObjectIdentifier(lane)] = lane
        }
    }

    /// Forgets a lane that is closed and empty. True when it was.
    func forgetIfFinished(_ lane: Lane) -> Bool {
        // Hardly any is, and this is asked for each batch. One that is closed now is visited.
        guard lane.isFinished else { return false }
        return lanes.withLock { table in
            let id = ObjectIdentifier(lane)
            guard lane.isFinished, table.all.removeValue(forKey: id) != nil else { return false }
            table.forgetClosing(id, lane.address)
            if !lane.isResting { table.leave(lane.share) }
            return true
        }
    }

    /// The share of a topic's lanes, while it has any.
    func share(of topic: String) -> TopicShare? { lanes.withLock { $0.shares[topic]?.share } }

    func send(_ batch: RecordBatch) {
        let lane = batch.lane
        switch lane.accept(batch, now: Clock.monotonicNanoseconds()) {
        case .produce(let records):
            let refusal = produce(batch, records)
            // Told to the poller before `produced`, so that a lane found quiet has no bad verdict
            // on the way.
            if let refusal { tell { $0.refusals.append((batch, refusal)) } }
            if lane.produced(refused: refusal != nil) { visit(lane) }
        case .collect: visit(lane)
        case .hold, .refuse: return
        }
    }

    /// Has the poller look at `lane`.
    func visit(_ lane: Lane) { tell { $0.lanes[ObjectIdentifier(lane)] = lane } }

    func tell(_ change: (inout Inbox) -> Void) {
        inbox.withLock { change(&$0) }
        handle.withLock { $0?.wake() }
    }

    /// The messages that came since the last call; emptied, but for the time to stop at.
    func takeInbox() -> Inbox {
        inbox.withLock { inbox in
            let taken = inbox
            if !inbox.refusals.isEmpty { inbox.refusals = [] }
            if !inbox.lanes.isEmpty { inbox.lanes = [:] }
            return taken
        }
    }

    /// Gives `records` of `batch` to librdkafka, on the thread whose turn it is in the lane.
    func produce(_ batch: RecordBatch, _ records: Range<Int>) -> Refusal? {
        let opened = batch.lane.topic { name in
            handle.withLock { handle in
                guard let handle else {
                    preconditionFailure("a lane produced after its producer had ended")
                }
                return handle.open(topic: name)
            }
        }
        switch opened {
        case .success(let topic):
            let page = pages.withLock { $0.popLast() } ?? MessagePage()
            defer { pages.withLock { $0.append(page) } }
            return topic.produce(batch, records, key: batch.lane.key, page: page)
        case .failure(let verdict):
            return Refusal(first: records.lowerBound, count: records.count, verdict: verdict)
        }
    }
}

extension Lane {
    fileprivate var address: ProducerCore.Address {
        .init(topic: topic, key: key, isOfDeadLetters: isOfDeadLetters)
    }
}

extension ProducerCore.LaneTable {
    /// A lane that was closed and is there still, and whether its stream has gone to rest.
    fileprivate mutating func reopen(_ address: ProducerCore.Address) -> (Lane, rested: Bool)? {
        guard let (id, lane) = closing[address]?.first else { return nil }
        forgetClosing(id, address)
        let rested = lane.isResting
        lane.reopen()
        return (lane, rested)
    }

    fileprivate mutating func make(
        on share: TopicShare, _ key: [UInt8], isOfDeadLetters: Bool = false
    ) -> Lane {
        let lane = Lane(
            share: share, key: key, suspended: isSuspended, isOfDeadLetters: isOfDeadLetters)
        if isStopped { lane.stop() }
        all[ObjectIdentifier(lane)] = lane
        return lane
    }

    fileprivate mutating func forgetClosing(_ id: ObjectIdentifier, _ address: ProducerCore.Address)
    {
        closing[address]?[id] = nil
        if closing[address]?.isEmpty == true { closing[address] = nil }
    }

    /// For one stream more.
    fileprivate mutating func share(_ topic: String, longestBatch: Int) -> TopicShare {
        if let known = shares[topic] {
            shares[topic]?.lanes += 1
            return known.share
        }
        destinations += 1
        let share = TopicShare(
            name: topic, destination: DestinationID(number: destinations),
            longestBatch: longestBatch)
        shares[topic] = (share, 1)
        return share
    }

    /// One stream less.
    fileprivate mutating func leave(_ share: TopicShare) {
        guard let lanes = shares[share.name]?.lanes else { return }
        if lanes > 1 { shares[share.name]?.lanes = lanes - 1 } else { shares[share.name] = nil }
    }
}
