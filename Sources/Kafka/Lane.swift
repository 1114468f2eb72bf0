import Synchronization

/// The way of one stream to its partition: one topic, one key, strict order.
///
/// Sendable: the machine and the topic reference are behind one lock, which is held for a few
/// instructions and never while records are produced. What keeps two threads from producing on one
/// lane is the machine: at any time at most one of them has been told to.
package final class Lane: Sendable {
    package let topic: String
    /// The records' key; not empty, or there is no order (see `KafkaSettings.Partitioner`).
    package let key: [UInt8]
    /// Bytes that librdkafka keeps beside the value of each record of this lane until its verdict:
    /// its own message and a copy of the key (measured with 2.0.2: 176 and the key, rounded to 16).
    /// Records of 20 bytes cost ten times their size, so in-flight credit has to count it.
    package var overheadPerRecord: Int { 192 + (key.count + 15) / 16 * 16 }

    private struct Inside {
        var machine: LaneStateMachine<RecordBatch>
        /// Belongs to the producer's present handle; opened by whoever produces first.
        var topic: TopicHandle?
        /// The stream is gone: the poller forgets the lane as soon as it is empty.
        var isClosing = false
        /// What the observer was told last; nil while the lane flows.
        var blockedBy: Verdict?
    }
    private let inside: Mutex<Inside>

    init(topic: String, key: [UInt8], suspended: Bool) {
        self.topic = topic
        self.key = key
        inside = Mutex(Inside(machine: LaneStateMachine(suspended: suspended)))
    }

    // MARK: The thread that sends

    func accept(_ batch: RecordBatch) -> LaneStateMachine<RecordBatch>.Acceptance {
        inside.withLock { inside in
            precondition(!inside.isClosing, "a batch was sent on a closed lane")
            batch.ordinal = inside.machine.nextOrdinal
            let acceptance = inside.machine.accept(batch, records: batch.count)
            if case .produce(let records) = acceptance { batch.beginPass(records) }
            return acceptance
        }
    }

    /// True when the poller thread has to visit the lane.
    func produced(refused: Bool) -> Bool {
        inside.withLock { $0.machine.produced(refused: refused) }
    }

    func reopen() { inside.withLock { $0.isClosing = false } }

    func beginClosing() { inside.withLock { $0.isClosing = true } }

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

    func fail() { inside.withLock { _ = $0.machine.fail() } }

    func settle(
        _ batch: RecordBatch, now: Int64, released: inout [RecordBatch]
    ) -> LaneStateMachine<RecordBatch>.Step {
        inside.withLock {
            $0.machine.settle(
                batch.ordinal, firstFailed: batch.firstFailed, now: now, released: &released)
        }
    }

    func collect(
        now: Int64, released: inout [RecordBatch]
    ) -> LaneStateMachine<RecordBatch>.Step {
        inside.withLock { $0.machine.collect(now: now, released: &released) }
    }

    /// The probe, if its time has come.
    func due(now: Int64) -> LaneStateMachine<RecordBatch>.Pass? {
        inside.withLock { inside in
            let pass = inside.machine.due(now: now)
            if let pass { pass.batch.beginPass(pass.records) }
            return pass
        }
    }

    func next() -> LaneStateMachine<RecordBatch>.Pass? {
        inside.withLock { inside in
            let pass = inside.machine.next()
            if let pass { pass.batch.beginPass(pass.records) }
            return pass
        }
    }

    /// Notes why the lane does not flow. True when that is news.
    func blocked(by verdict: Verdict) -> Bool {
        inside.withLock { inside in
            defer { inside.blockedBy = verdict }
            return inside.blockedBy != verdict
        }
    }

    /// True when the lane flows and was said to be blocked before.
    func flowsAgain() -> Bool {
        inside.withLock { inside in
            guard inside.machine.state == .flowing, inside.blockedBy != nil else { return false }
            inside.blockedBy = nil
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
    var isEmpty: Bool { inside.withLock { $0.machine.isEmpty } }
    var undelivered: Int { inside.withLock { $0.machine.undelivered } }
    /// Closed by its stream and empty: to be forgotten.
    var isFinished: Bool { inside.withLock { $0.isClosing && $0.machine.isEmpty } }
}
