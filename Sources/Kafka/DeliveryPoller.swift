import Platform
import Synchronization

/// The poller thread of a producer: verdicts in, released batches out, and every retry.
///
/// Made and used on that thread alone.
final class DeliveryPoller {
    /// Events taken before the handler is called, so that one write of positions covers many.
    private static let eventsPerRound = 64
    /// While a client is being drained, how often what may have slipped in since is purged.
    private static let drainStep: Int32 = 20
    /// How long records may take to come back after a purge.
    static let drainLimit: Int64 = 2_000_000_000

    /// How long answers are gathered at the most, nanoseconds.
    private static let mostGathering: Int64 = 10_000_000

    let core: ProducerCore
    /// The client in `core.handle`; this thread owns it.
    var handle: ProducerHandle
    private let page = DeliveryPage()
    var now = Clock.monotonicNanoseconds()
    /// When the last round began that waited for an event.
    private var roundAt: Int64 = 0
    /// How long answers are gathered, nanoseconds.
    private let gathering: Int64
    var released: [RecordBatch] = []
    /// Lanes in their back-off; bounded by the lanes.
    private var waiting: [(lane: Lane, until: Int64)] = []
    /// Lanes whose time has come and whose topic has no room for them yet, in order, by topic;
    /// bounded by the lanes.
    private var lines: [ObjectIdentifier: (share: TopicShare, line: TopicLine<Lane>)] = [:]
    /// Topics that refused something for its size, when they are asked again what they take.
    private var limits: [String: Int64] = [:]
    private static let limitInterval: Int64 = 30_000_000_000
    var letters = LettersUnderway()
    var troubles = BrokerTroubles()
    var renewal = Renewal.none
    var renewals = BackOff()
    /// When a client that took the place of a dead one and has not died since counts as alive.
    var provenAt: Int64?
    /// One that is to die of what the last one died of does so at once, when it asks who it is.
    static let probation: Int64 = 10_000_000_000
    /// When brokers are named to the first client; nil where they are.
    var connectAt: Int64?
    /// While no broker is known to answer: when one is asked next.
    var askAt: Int64 = 0
    static let askInterval: Int64 = 1_000_000_000
    /// How long an answer may take. Nothing else is done meanwhile, but there is nothing to do.
    static let askPatience: Int32 = 100

    /// `handle` is the client in `core.handle`; it becomes the poller's.
    init(_ core: ProducerCore, _ handle: ProducerHandle) {
        self.core = core
        self.handle = handle
        gathering = min(Self.mostGathering, core.settings.linger.nanoseconds * 5)
        if let start = core.settings.spread?.start, start > 0 {
            connectAt = now + Int64(start) * 1_000_000
            askAt = connectAt ?? now
        }
    }

    func run() {
        while true {
            core.heartbeat.beat()
            now = Clock.monotonicNanoseconds()
            let inbox = core.takeInbox()
            serve(inbox)
            connectIfDue()
            collectLetters()
            retryDueLanes()
            serveLines()
            askLimits()
            renewIfDue()
            if let provenAt, now >= provenAt, renewal == .none { noteLife() }
            askForBroker()
            lookAtToken()
            tellTroubles()
            handOver()
            if let stopAt = inbox.stopAt, now >= stopAt || allDelivered { break }
            serveEvents(within: patience(stopAt: inbox.stopAt))
        }
        finish()
        core.heartbeat.beat(waiting: nil)
    }

    // MARK: Rounds

    private func serve(_ inbox: ProducerCore.Inbox) {
        for (batch, refusal) in inbox.refusals { count(refusal, of: batch) }
        for lane in inbox.lanes.values {
            follow(lane.collect(now: now, released: &released), lane)
            forgetIfFinished(lane)
        }
    }

    private func serveEvents(within milliseconds: Int32) {
        var patience = milliseconds
        for _ in 0..<Self.eventsPerRound {
            guard let event = handle.next(within: patience) else { return }
            if patience > 0 {
                now = Clock.monotonicNanoseconds()
                if event.kind == .deliveries { gather() }
            }
            patience = 0
            serve(event)
        }
    }

    /// The first answer after a while is followed by those to the other requests of its sweep: they
    /// are waited for, and are one round, and one write of positions. Where answers come all the
    /// time nobody waits: credit is short there.
    private func gather() {
        defer { roundAt = now }
        guard gathering > 0, now - roundAt > 10 * gathering else { return }
        Clock.sleep(nanoseconds: gathering)
        now = Clock.monotonicNanoseconds()
    }

    /// Milliseconds until there is something to do without an event; one second if nothing is.
    private func patience(stopAt: Int64?) -> Int32 {
        var next = now + 1_000_000_000
        for entry in waiting { next = min(next, entry.until) }
        for line in lines.values { next = min(next, line.share.gate { $0.deadline } ?? .max) }
        switch renewal {
        case .none: break
        case .draining: return Self.drainStep
        case .waiting(let until): next = min(next, until)
        }
        if let stopAt { next = min(next, stopAt) }
        if let connectAt { next = min(next, connectAt) }
        if core.brokerReach != .reached { next = min(next, askAt) }
        return Int32(max(0, next - now + 999_999) / 1_000_000)
    }

    private func handOver() {
        guard !released.isEmpty else { return }
        core.handler(released)
        released.removeAll(keepingCapacity: released.capacity <= 4096)
    }

    var allLanes: [Lane] { core.lanes.withLock { Array($0.all.values) } }

    private var allDelivered: Bool { allLanes.allSatisfy(\.isEmpty) }

    // MARK: Events

    private func serve(_ event: borrowing ClientEvent) {
        switch event.kind {
        case .deliveries:
            event.forEachRun(page) { count($0) }
        case .error:
            let verdict = event.error
            if event.isFatal {
                beginRenewal(event.errorText)
            } else if verdict == .allBrokersDown {
                core.brokerReach = .lost
                core.observer.report(.brokersDown(event.errorText, troubles.taken()))
            } else if let trouble = troubles.heard(
                event.errorText, now: now, isReached: core.brokerReach == .reached)
            {
                if trouble.cause == .credentials { renewPassword() }
                if trouble.cause == .token { renewToken() }
            } else if !event.errorText.hasPrefix(TokenFile.echo) {
                core.observer.report(.clientError(code: verdict.name, text: event.errorText))
            }
        case .log:
            guard let line = event.logLine else { return }
            troubles.heard(facility: line.facility, line.text)
            core.observer.report(
                .clientLog(
                    severity: line.severity, facility: line.facility, text: line.text))
        case .limits:
            for (topic, bytes) in event.topicLimits { learn(topic, bytes) }
        case .tokenWanted: renewToken(isAsking: true)
        case .other: return
        }
    }

    private func count(_ run: DeliveryRun) {
        if run.count > run.failed {
            renewals.reset()
            if renewal == .none, provenAt != nil { noteLife() }
            reachedBroker()
            run.batch.lane.share.answered(now: now)
        }
        run.batch.outstanding -= run.count
        if let first = run.firstFailed {
            note(first, count: run.failed, verdict: run.verdict, of: run.batch)
        }
        settleIfComplete(run.batch)
    }

    private func count(_ refusal: Refusal, of batch: RecordBatch) {
        batch.outstanding -= refusal.count
        note(refusal.first, count: refusal.count, verdict: refusal.verdict, of: batch)
        settleIfComplete(batch)
    }

    private func note(_ first: Int, count: Int, verdict: Verdict, of batch: RecordBatch) {
        batch.firstFailed = min(first, batch.firstFailed ?? first)
        let lane = batch.lane
        let failure = verdict.failure
        lane.fail(failure)
        if verdict.isPurge { return }
        // The client goes on with the number that it has, and its next records may be refused for
        // ever, or be taken for repeats.
        if verdict.isOfProducer { beginRenewal(verdict.sentence) }
        lane.verdict = verdict
        if failure == .place {
            lane.share.isAway(verdict)
        } else if lane.share.answered(now: now) {
            core.answered()
        }
        if failure == .size, limits[lane.topic] == nil { limits[lane.topic] = 0 }
        let topic = lane.topic
        core.observer.report(
            .recordsRejected(
                topic: topic, code: verdict.name, text: verdict.text, count: count))
        if lane.blocked(by: verdict.cause) {
            core.observer.report(
                .laneBlocked(topic: topic, reason: verdict.sentence, hint: verdict.hint))
            if let stands = letters.lane(of: batch)?.recordToSetAside {
                tell(stands.batch, stands.record)
            }
        }
    }

    private func settleIfComplete(_ batch: RecordBatch) {
        precondition(batch.outstanding >= 0, "more verdicts than records")
        guard batch.outstanding == 0 else { return }
        let lane = batch.lane
        let step = lane.settle(batch, now: now, released: &released)
        if core.deadLetters != nil, !lane.isOfDeadLetters, lane.beginSettingAside() {
            letters.append(lane)
            writeLetters()
            return
        }
        follow(step, lane)
        if let refused = lane.refusedAlone(now: now) { tell(refused.batch, refused.record) }
        if lane.flowsAgain() { core.observer.report(.laneFlows(topic: lane.topic)) }
        forgetIfFinished(lane)
    }

    private func tell(_ batch: RecordBatch, _ record: Int) {
        core.observer.report(.recordRefused(refusal(of: batch, record)))
    }

    func refusal(of batch: RecordBatch, _ record: Int) -> RefusedRecord {
        let lane = batch.lane
        let verdict = lane.verdict ?? .acknowledged
        var limit: (bytes: Int, setting: String)?
        if verdict.failure == .size {
            let client = core.longestMessage
            limit = (client, "message.max.bytes of this client")
            let topic = lane.share.gate { $0.declared }
            if let topic, topic < client { limit = (topic, "max.message.bytes of the topic") }
            if topic == nil, batch.bytes(of: record..<record + 1) < client { limit = nil }
        }
        return RefusedRecord(
            topic: lane.topic, file: batch.file, offset: batch.fileOffset(of: record),
            size: batch.bytes(of: record..<record + 1), code: verdict.name, text: verdict.text,
            limit: limit)
    }

    // MARK: What a topic takes

    private func askLimits() {
        guard !limits.isEmpty, renewal == .none else { return }
        for (topic, due) in limits where due <= now {
            guard core.share(of: topic) != nil else {
                limits[topic] = nil
                continue
            }
            handle.askLimit(of: topic)
            limits[topic] = now + Self.limitInterval
        }
    }

    private func learn(_ topic: String, _ bytes: Int) {
        guard let share = core.share(of: topic), share.gate({ $0.declare(bytes) }) else { return }
        for index in waiting.indices where waiting[index].lane.share === share {
            if waiting[index].lane.hasten(now: now) { waiting[index].until = now }
        }
    }

    // MARK: Retries

    func follow(_ step: LaneStateMachine<RecordBatch>.Step, _ lane: Lane) {
        switch step {
        case .none:
            return
        case .wait(let until) where until <= now:
            line(up: lane)
        case .wait(let until):
            waiting.append((lane, until))
        case .collect:
            follow(lane.collect(now: now, released: &released), lane)
        }
    }

    private func line(up lane: Lane) {
        let share = lane.share
        lines[ObjectIdentifier(share), default: (share, TopicLine())].line.append(lane)
    }

    private func retryDueLanes() {
        guard waiting.contains(where: { $0.until <= now }) else { return }
        for entry in waiting where entry.until <= now { line(up: entry.lane) }
        waiting.removeAll { $0.until <= now }
    }

    private func serveLines() {
        for (id, (share, var line)) in lines {
            lines[id] = nil
            share.gate { $0.expire(now: now) }
            line.serve(goesAlone: \.goesAlone, handOver: handOver)
            // What failed at once has lined up again meanwhile.
            if let again = lines[id]?.line { line.append(again) }
            if !line.lanes.isEmpty { lines[id] = (share, line) }
        }
    }

    /// Produces the lane's next hand-over, if it need not go on waiting for that.
    private func handOver(_ lane: Lane) -> TopicLine<Lane>.Turn {
        let id = ObjectIdentifier(lane)
        guard lane.isWaiting else {
            // It was suspended or stopped since, or is out.
            lane.share.gate { $0.withdraw(id) }
            return .done
        }
        let goesAlone = lane.goesAlone
        guard lane.hasTurn(goesAlone: goesAlone, now: now) else { return .wait }
        guard var pass = lane.due(now: now) else {
            lane.share.gate { $0.yield(id) }
            return lane.isWaiting ? .noRoom : .done
        }
        while true {
            if let refusal = core.produce(pass.batch, pass.records) {
                count(refusal, of: pass.batch)
            }
            guard let next = lane.next(now: now) else { return .done }
            pass = next
        }
    }

    func forgetIfFinished(_ lane: Lane) {
        if core.forgetIfFinished(lane) { lane.closeTopic() }
    }

    // MARK: The end

    private func finish() {
        core.lanes.withLock { $0.isStopped = true }
        let lanes = allLanes
        for lane in lanes { lane.stop() }
        let limit = now + Self.drainLimit
        while !lanes.allSatisfy(\.isQuiet), now < limit {
            handle.purge()
            serveEvents(within: Self.drainStep)
            serve(core.takeInbox())
            now = Clock.monotonicNanoseconds()
        }
        collectLetters()
        handOver()
        let undelivered = lanes.reduce(0) { $0 +| $1.undelivered }
        core.undelivered.store(undelivered, ordering: .releasing)
        core.counted.open()
        for lane in lanes { lane.closeTopic() }
        core.handle.withLock { $0 = nil }
        handle.close()
        // Only now may slabs go: no thread of the client reads them any more.
        for lane in lanes { lane.drop() }
        core.ended.open()
    }
}
