package import Platform
import Synchronization

/// Delivers record batches to Kafka: in order within a lane, each again and again until it is
/// acknowledged, none stepped over.
///
/// Sendable. Batches of one lane are sent by one thread at a time; released ones come back on the
/// producer's own poller thread.
package final class Producer: Sendable {
    private let core: ProducerCore
    private let thread: SystemThread

    /// Starts librdkafka's threads and the poller thread; connects as soon as it can and waits as
    /// long as it must. `handler` gets, on the poller thread, the batches released since the last
    /// call: each with every record acknowledged and, in its lane, everything before it. `answered`
    /// is called there when a lane `works` that did not, though nothing of it is released.
    /// `deadLetters` says what becomes of a record that its topic will never take; without it that
    /// record's lane waits at it.
    package init(
        settings: KafkaSettings, handler: @escaping @Sendable ([RecordBatch]) -> Void,
        answered: @escaping @Sendable () -> Void = {}, deadLetters: DeadLetters? = nil,
        observer: any KafkaObserver
    ) throws(KafkaError) {
        let figures = ConnectionFigures()
        let handle = try ProducerHandle(
            settings: settings, figures: figures, connecting: settings.spread?.start ?? 0 == 0)
        let core = ProducerCore(
            settings: settings, handle: handle, figures: figures, observer: observer,
            deadLetters: deadLetters, handler: handler, answered: answered)
        self.core = core
        do {
            thread = try SystemThread("kafka") { DeliveryPoller(core, handle).run() }
        } catch {
            handle.close()
            throw .thread(error)
        }
    }

    deinit { _ = stop(deadline: .zero) }

    /// A lane, one for each stream, until `close`: a new one, or one of the same topic and key that
    /// was closed and still has records on their way. The key must not be empty.
    package func lane(topic: String, key: [UInt8]) -> Lane { core.lane(topic: topic, key: key) }

    /// Forgets a lane on which everything is delivered and nothing is sent for a while; its stream
    /// goes on with `lane(on:key:)`, or ends with `leave`. What was learnt of the topic stays.
    package func rest(_ lane: Lane) {
        core.close(lane, rests: true)
        core.visit(lane)
    }

    /// A stream begins, without a lane for now. It ends with `leave`, or with the lane that it has.
    package func join(_ topic: String) -> TopicShare { core.join(topic) }

    /// A lane for a stream that has none for now.
    package func lane(on share: TopicShare, key: [UInt8]) -> Lane { core.lane(on: share, key: key) }

    /// A stream ends whose lane rests.
    package func leave(_ share: TopicShare) { core.leave(share) }

    /// Forgets a lane when everything sent on it is delivered. Nothing is sent on it any more.
    package func close(_ lane: Lane) {
        core.close(lane)
        core.visit(lane)
    }

    /// Takes the batch over. Never blocks and never drops: what cannot go to librdkafka now waits
    /// in the lane. After `stop` the batch is let go, undelivered and never handed to the handler.
    package func send(_ batch: RecordBatch) { core.send(batch) }

    /// Waits until everything sent is delivered, at most for `deadline`; then takes the rest back,
    /// ends librdkafka and joins the poller thread. Returns how many records were not delivered.
    ///
    /// The handler was called for the last time when this returns. It takes at most 4 s longer than
    /// `deadline`: 2 to take records back and 2 to end the client (both are a matter of
    /// milliseconds, whatever the brokers do, except while a host name is being looked up; then the
    /// client's threads are left to end by themselves). A second call returns the same.
    package func stop(deadline: Duration) -> Int {
        let patience = max(0, deadline.nanoseconds)
        let stopAt = Clock.monotonicNanoseconds() + patience
        core.tell { $0.stopAt = min(stopAt, $0.stopAt ?? stopAt) }
        guard core.counted.wait(until: stopAt + 4_000_000_000) else {
            // The poller hangs while it closes a client that died before; it calls nobody then.
            return core.lanes.withLock { $0.all.values.reduce(0) { $0 +| $1.undelivered } }
        }
        if core.ended.wait(until: Clock.monotonicNanoseconds() + 2_000_000_000) { thread.join() }
        return core.undelivered.load(ordering: .acquiring)
    }

    /// Whether a broker can be reached; any thread.
    package var brokerReach: BrokerReach { core.brokerReach }

    /// What goes over its connections.
    package var connections: ConnectionFigures { core.figures }

    /// What the client died of, until its successor had a record acknowledged or has lived for ten
    /// seconds; any thread.
    package var death: String? { core.death.withLock { $0 } }

    /// The poller thread's.
    package var heartbeat: Heartbeat { core.heartbeat }

    /// Lanes whose records get bad verdicts, and which wait to try again. Goes through all lanes.
    package var blockedLanes: Int {
        // Outside of the lock: there may be ten thousand.
        let lanes = core.lanes.withLock { Array($0.all.values) }
        return lanes.count { $0.isBlocked && !$0.isOfDeadLetters }
    }

    /// Topics that streams wait for until somebody does something, by their names. Goes through all
    /// topics; any thread.
    package var topicFaults: [TopicFault] {
        let shares = core.lanes.withLock { $0.shares.values.map(\.share) }
        return shares.compactMap(\.fault).sorted { $0.topic < $1.topic }
    }

    /// Lanes that are not closed and empty.
    var laneCount: Int { core.lanes.withLock { $0.all.count } }

    /// For tests: the idempotent producer dies, as after a lost sequence number.
    func provokeFatalError() { core.handle.withLock { $0?.provokeFatalError() } }
}
