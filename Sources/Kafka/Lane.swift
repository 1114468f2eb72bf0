package import Model
import Synchronization

/// The way of one stream to its partition: one topic, one key, strict order.
///
/// Sendable: the machine and the topic reference are behind one lock, which is held for a few
/// instructions and never while records are produced. What keeps two threads from producing on one
/// lane is the machine: at any time at most one of them has been told to.
package final class Lane: Sendable {
    /// The topic of all its records.
    package let topic: String
    /// The records' key; not empty, or there is no order (see `KafkaSettings.Partitioner`).
    package let key: [UInt8]
    /// Bytes that librdkafka keeps beside the value of each record of this lane until its verdict:
    /// its own message and a copy of the key (measured with 2.0.2: 176 and the key, rounded to 16);
    /// and 8 of ours for where it ends in the slab and begins in the file.
    /// Records of 20 bytes cost ten times their size, so in-flight credit has to count it.
    package var overheadPerRecord: Int { 200 + (key.count + 15) / 16 * 16 }

    private struct Inside {
        var machine: LaneStateMachine<RecordBatch>
        /// Belongs to the producer's present handle; opened by whoever produces first.
        var topic: TopicHandle?
        /// The stream is gone: the poller forgets the lane as soon as it is empty.
        var isClosing = false
        /// It is forgotten so, and the stream is not: its share of the topic stays.
        var isResting = false
        /// The verdict that the observer was told last; nil while the lane flows.
        var blockedBy: Verdict?
        var verdict: Verdict?
        /// How long the last pass waited for its last verdict.
        var delay: Int64 = 0
        /// Bytes of the present hand-over.
        var handedBytes = 0
        /// The last hand-over was one record, with nothing else of the topic beside it, and
        /// refused.
        var isRefusedAlone = false
        /// The batch whose record the observer was told of as refused alone, that record, and when.
        var refused: (ordinal: Int, record: Int, at: Int64)?

        /// Everything that was out has its verdict: what does that say of the topic?
        mutating func learn(from before: Before, _ lane: Lane, now: Int64) {
            let id = ObjectIdentifier(lane)
            lane.share.gate { gate in
                let wasAlone = gate.isAlone(id)
                gate.yield(id)
                let hasFailed = before.isDraining && !machine.isEmpty
                isRefusedAlone =
                    hasFailed && wasAlone && machine.isRefusedAlone && machine.failure != .place
                if hasFailed, wasAlone, machine.failure == .size {
                    if machine.isRefusedAlone {
                        gate.refusedAlone()
                    } else if before.handedOver > 1 {
                        gate.refused(handedBytes, now: now)
                    }
                }
                if before.isRecovering, !machine.isRecovering { gate.recovered() }
            }
        }
    }
    private let inside: Mutex<Inside>
    /// It leads to the dead-letter topic, and its records stand for others.
    let isOfDeadLetters: Bool
    /// What it has in common with others of its topic.
    package let share: TopicShare

    /// The observer is told of a record that stays refused each time that so long went by: whoever
    /// has to act may have missed it, or it was one of too many at a time for a line in the log.
    static let remindAfter: Int64 = 600_000_000_000

    /// How the machine stood before a pass was settled.
    private struct Before {
        let isDraining: Bool
        let isRecovering: Bool
        let handedOver: Int

        init(_ machine: borrowing LaneStateMachine<RecordBatch>) {
            isDraining = machine.state == .draining
            isRecovering = machine.isRecovering
            handedOver = machine.handedOver
        }
    }

    init(share: TopicShare, key: [UInt8], suspended: Bool, isOfDeadLetters: Bool = false) {
        topic = share.name
        self.isOfDeadLetters = isOfDeadLetters
        self.share = share
        self.key = key
        inside = Mutex(Inside(machine: LaneStateMachine(suspended: suspended)))
    }

    /// Which of the topics it is, for the credit.
    package var destination: DestinationID { share.destination }

    /// Whether what is sent on it can be expected to come through: records of its topic have, and
    /// nothing is heard to the contrary. Any thread.
    package func works(now: Int64) -> Bool { share.works(now: now) }

    /// Bytes of `records` in a batch of Kafka's, or a few more.
    private func size(_ batch: RecordBatch, _ records: Range<Int>) -> Int {
        // Lengths, timestamp and offset are varints.
        batch.bytes(of: records) + records.count * (key.count + 32)
    }

    // MARK: The thread that sends

    func accept(
        _ batch: RecordBatch, now: Int64
    ) -> LaneStateMachine<RecordBatch>.Acceptance {
        inside.withLock { inside in
            precondition(!inside.isClosing, "a batch was sent on a closed lane")
            batch.ordinal = inside.machine.nextOrdinal
            let bytes = size(batch, 0..<batch.count)
            let isOpen =
                inside.machine.state == .flowing && batch.count > 0
                && share.gate { $0.enterFreely(visitor(inside), bytes, now: now) }
            let acceptance = inside.machine.accept(batch, records: batch.count, isOpen: isOpen)
            if case .produce(let records) = acceptance {
                batch.beginPass(records, bytes: bytes, now: now)
            }
            return acceptance
        }
    }

    /// True when the poller thread has to visit the lane.
    func produced(refused: Bool) -> Bool {
        inside.withLock { $0.machine.produced(refused: refused) }
    }

    func reopen() {
        inside.withLock { inside in
            inside.isClosing = false
            inside.isResting = false
        }
    }

    func beginClosing(rests: Bool) {
        inside.withLock { inside in
            inside.isClosing = true
            inside.isResting = rests
        }
    }

    // MARK: The thread whose turn it is to produce

    /// The topic in `client`, opened if it is not yet.
    func topic(
        openedBy open: (String) -> Result<TopicHandle, Verdict>
    ) -> Result<TopicHandle, Verdict> {
        if let topic = inside.withLock({ $0.topic }) { return .success(topic) }
        let opened = open(topic)
        if case .success(let topic) = opened { inside.withLock { $0.topic = topic } }
        return opened
    }

    // MARK: The poller thread

    /// The last bad one.
    var verdict: Verdict? {
        get { inside.withLock { $0.verdict } }
        set { inside.withLock { $0.verdict = newValue } }
    }

    func fail(_ what: LaneStateMachine<RecordBatch>.Failure) {
        inside.withLock { _ = $0.machine.fail(what) }
    }

    func settle(
        _ batch: RecordBatch, now: Int64, released: inout [RecordBatch]
    ) -> LaneStateMachine<RecordBatch>.Step {
        inside.withLock { inside in
            let before = Before(inside.machine)
            let step = inside.machine.settle(
                batch.ordinal, firstFailed: batch.firstFailed, now: now, released: &released)
            inside.delay = now - batch.passBegan
            share.gate { $0.leave(ObjectIdentifier(self), batch.passBytes, now: now) }
            if inside.machine.isQuiet { inside.learn(from: before, self, now: now) }
            return step
        }
    }

    func collect(
        now: Int64, released: inout [RecordBatch]
    ) -> LaneStateMachine<RecordBatch>.Step {
        inside.withLock { $0.machine.collect(now: now, released: &released) }
    }

    /// The first pass of a hand-over, if its time has come and there is room for it.
    func due(now: Int64) -> LaneStateMachine<RecordBatch>.Pass? {
        inside.withLock { $0.handedBytes = 0 }
        return pass(now) { machine, fitting in machine.due(now: now, fitting: fitting) }
    }

    func next(now: Int64) -> LaneStateMachine<RecordBatch>.Pass? {
        pass(now) { machine, fitting in machine.next(fitting: fitting) }
    }

    /// Whether it may begin its next hand-over.
    func hasTurn(goesAlone: Bool, now: Int64) -> Bool {
        inside.withLock { inside in
            share.gate { $0.hasTurn(visitor(inside), goesAlone: goesAlone, now: now) }
        }
    }

    private func visitor(_ inside: borrowing Inside) -> TopicGate.Visitor {
        TopicGate.Visitor(id: ObjectIdentifier(self), delay: inside.delay)
    }

    private func pass(
        _ now: Int64,
        _ begin: (
            inout LaneStateMachine<RecordBatch>, (RecordBatch, Range<Int>) -> Int
        ) -> LaneStateMachine<RecordBatch>.Pass?
    ) -> LaneStateMachine<RecordBatch>.Pass? {
        inside.withLock { inside in
            var bytes = 0
            let lane = visitor(inside)
            let pass = begin(&inside.machine) { batch, records in
                let taken = share.gate { gate in
                    gate.admit(lane, records.count, now: now) { count in
                        size(batch, records.prefix(count))
                    }
                }
                bytes = taken.bytes
                return taken.count
            }
            if let pass {
                inside.handedBytes += bytes
                pass.batch.beginPass(pass.records, bytes: bytes, now: now)
            }
            return pass
        }
    }

    /// Whether its next hand-over must have nothing of its topic beside it.
    var goesAlone: Bool {
        inside.withLock { $0.machine.isRecovering && $0.machine.failure != .place }
    }

    /// Whether it still waits to hand over.
    var isWaiting: Bool {
        inside.withLock { inside in
            if case .waiting = inside.machine.state { return true }
            return false
        }
    }

    /// The topic takes batches of another size than before: whoever waits because of that need not.
    /// True when it did.
    func hasten(now: Int64) -> Bool {
        inside.withLock { inside in
            inside.machine.failure == .size && inside.machine.hasten(now: now)
        }
    }

    /// The record that was refused alone, when that is news or was for long.
    func refusedAlone(now: Int64) -> (batch: RecordBatch, record: Int)? {
        inside.withLock { inside in
            guard inside.isRefusedAlone, inside.machine.isRecovering,
                let first = inside.machine.firstUndelivered
            else { return nil }
            if let known = inside.refused, known.ordinal == first.batch.ordinal,
                known.record == first.record, now - known.at < Self.remindAfter
            {
                return nil
            }
            inside.refused = (first.batch.ordinal, first.record, now)
            return first
        }
    }

    /// Stands still at a record that was refused alone for what it is, so that it can be delivered
    /// somewhere else. False when there is none.
    func beginSettingAside() -> Bool {
        inside.withLock { inside in
            inside.isRefusedAlone && inside.verdict?.isOfRecord == true
                && inside.machine.beginSettingAside()
        }
    }

    /// The record to set aside; nil when the lane was stopped meanwhile.
    var recordToSetAside: (batch: RecordBatch, record: Int)? {
        inside.withLock { inside in
            inside.machine.state == .settingAside ? inside.machine.firstUndelivered : nil
        }
    }

    /// The record that the lane stands at is delivered somewhere else.
    func setAside(
        now: Int64, released: inout [RecordBatch]
    ) -> LaneStateMachine<RecordBatch>.Step {
        inside.withLock { inside in
            inside.isRefusedAlone = false
            inside.refused = nil
            let step = inside.machine.setAside(now: now, released: &released)
            if !inside.machine.isRecovering { share.gate { $0.recovered() } }
            return step
        }
    }

    /// Notes why the lane does not flow. True when that is news.
    func blocked(by verdict: Verdict) -> Bool {
        inside.withLock { inside in
            defer { inside.blockedBy = verdict }
            return inside.blockedBy != verdict
        }
    }

    /// True when everything that was out is delivered and the lane was said to be blocked before.
    func flowsAgain() -> Bool {
        inside.withLock { inside in
            guard !inside.machine.isRecovering, inside.blockedBy != nil else { return false }
            inside.blockedBy = nil
            inside.refused = nil
            return true
        }
    }

    func suspend() { inside.withLock { $0.machine.suspend() } }

    func resume(now: Int64) -> LaneStateMachine<RecordBatch>.Step {
        inside.withLock { $0.machine.resume(now: now) }
    }

    func stop() { inside.withLock { $0.machine.stop() } }

    /// Lets go of what was not delivered; the client is gone.
    func drop() { inside.withLock { $0.machine.drop() } }

    /// Gives up the topic reference; nobody produces on this lane now.
    func closeTopic() {
        let topic = inside.withLock { inside in
            defer { inside.topic = nil }
            return inside.topic
        }
        topic?.close()
    }

    /// The last verdict was a bad one.
    var isBlocked: Bool { inside.withLock { $0.blockedBy != nil } }
    var isQuiet: Bool { inside.withLock { $0.machine.isQuiet } }
    /// Everything that was sent on it is delivered. Any thread.
    package var isEmpty: Bool { inside.withLock { $0.machine.isEmpty } }
    /// Its stream goes on without it.
    var isResting: Bool { inside.withLock { $0.isResting } }
    /// Records of files that are on it without an acknowledgement. What a dead letter stands for is
    /// on another lane.
    var undelivered: Int { isOfDeadLetters ? 0 : inside.withLock { $0.machine.undelivered } }
    /// Closed by its stream and empty: to be forgotten.
    var isFinished: Bool { inside.withLock { $0.isClosing && $0.machine.isEmpty } }
}
