import Platform
import Synchronization

/// The poller thread of a producer: verdicts in, released batches out, and every retry.
///
/// Made and used on that thread alone.
final class DeliveryPoller {
    private enum Renewal: Equatable {
        case none
        /// Lanes are suspended; waits until nothing of them is inside the dead client, and for what
        /// is on its way until then.
        case draining(until: Int64)
        /// All quiet; the client is replaced at that time.
        case waiting(until: Int64)
    }

    /// Events taken before the handler is called, so that one write of positions covers many.
    private static let eventsPerRound = 64
    /// While a client is being drained, how often what may have slipped in since is purged.
    private static let drainStep: Int32 = 20
    /// How long records may take to come back after a purge.
    private static let drainLimit: Int64 = 2_000_000_000

    /// How long answers are gathered at the most, nanoseconds.
    private static let mostGathering: Int64 = 10_000_000

    let core: ProducerCore
    /// The client in `core.handle`; this thread owns it.
    private var handle: ProducerHandle
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
    private var troubles = BrokerTroubles()
    private var renewal = Renewal.none
    private var renewals = BackOff()
    /// When a client that took the place of a dead one and has not died since counts as alive.
    private var provenAt: Int64?
    /// One that is to die of what the last one died of does so at once, when it asks who it is.
    private static let probation: Int64 = 10_000_000_000
    /// When brokers are named to the first client; nil where they are.
    private var connectAt: Int64?
    /// While no broker is known to answer: when one is asked next.
    private var askAt: Int64 = 0
    private static let askInterval: Int64 = 1_000_000_000
    /// How long an answer may take. Nothing else is done meanwhile, but there is nothing to do.
    private static let askPatience: Int32 = 100

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

    private var allLanes: [Lane] { core.lanes.withLock { Array($0.all.values) } }

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
            } else if let trouble = troubles.heard(event.errorText, now: now) {
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

    /// A broker answered.
    private func reachedBroker() {
        let before = core.brokerReach
        guard before != .reached else { return }
        core.brokerReach = .reached
        troubles.reached()
        if before == .lost { core.observer.report(.brokerUp) }
    }

    /// Each node of a fleet has its own time for that.
    private func connectIfDue() {
        guard let connectAt, now >= connectAt else { return }
        self.connectAt = nil
        guard !handle.connect(to: core.settings.brokers) else { return }
        core.observer.report(
            .clientError(code: "brokers", text: "librdkafka takes none of output.kafka.brokers"))
    }

    /// An acknowledgement says that a broker is there, but with nothing to send there is none, and
    /// the client tells of brokers that go only.
    private func askForBroker() {
        guard core.brokerReach != .reached, now >= askAt, renewal == .none else { return }
        if handle.reachesBroker(within: Self.askPatience) { reachedBroker() }
        now = Clock.monotonicNanoseconds()
        askAt = now + Self.askInterval
    }

    private func tellTroubles() {
        for trouble in troubles.due(now: now) {
            let isAlone = core.brokerReach == .reached
            core.observer.report(
                isAlone ? .brokerAway(trouble) : .brokersDown(trouble.text, trouble))
        }
    }

    /// The password may have been changed, here and there, since it was read.
    private func renewPassword() {
        do throws(KafkaError) {
            try handle.renewPassword(core.settings.sasl)
        } catch {
            core.observer.report(.clientError(code: "password_file", text: error.reason))
        }
    }

    /// Whoever renews a token does so while the last one is good.
    private func lookAtToken() {
        guard let due = handle.tokenIsDue, due <= now else { return }
        renewToken()
    }

    /// Without any token the client does not even connect, and has nothing to tell of brokers.
    private func renewToken(isAsking: Bool = false) {
        guard let why = handle.renewToken(isAsking: isAsking) else { return }
        guard core.brokerReach != .reached else {
            core.observer.report(.clientError(code: "token_file", text: why))
            return
        }
        let trouble = BrokerTrouble(noTokenFor: core.settings.brokers.first ?? "", why)
        core.observer.report(.brokersDown(why, trouble))
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

    // MARK: A client that died

    /// 1. The client reports a fatal error, and takes no record from now on; or a broker refuses
    ///    records because of the client's number.
    /// 2. Every lane is suspended, new ones included, and what waits inside is purged. What is on
    ///    its way to a broker gets its verdict, if that comes soon: taken back, it would be
    ///    repeated. A thread that is producing at this moment finishes; what it got in is purged
    ///    in the next round.
    /// 3. When every lane is quiet, no thread is inside the client and no verdict is missing: it
    ///    can be closed. A new one takes its place after a back-off.
    /// 4. Lanes go on from their first undelivered record.
    private func beginRenewal(_ text: String) {
        guard renewal == .none else { return }
        let cause = handle.fatalError ?? text
        core.death.withLock { $0 = cause }
        core.observer.report(.fatal(cause))
        core.lanes.withLock { $0.isSuspended = true }
        for lane in allLanes { lane.suspend() }
        handle.purge(inFlight: false)
        renewal = .draining(until: now + Self.drainLimit)
    }

    private func renewIfDue() {
        switch renewal {
        case .none:
            return
        case .draining(let limit):
            if allLanes.allSatisfy(\.isQuiet) {
                renewal = .waiting(until: now + renewals.next())
            } else {
                handle.purge(inFlight: now >= limit)
            }
        case .waiting(let until):
            if until <= now { renew() }
        }
    }

    private func renew() {
        let fresh: ProducerHandle
        do throws(KafkaError) {
            // A file that the settings name may be another one by now.
            if let fault = core.settings.faults().first { throw fault }
            fresh = try ProducerHandle(settings: core.settings, figures: core.figures)
        } catch {
            core.observer.report(.fatal(error.description))
            renewal = .waiting(until: now + renewals.next())
            return
        }
        for lane in allLanes { lane.closeTopic() }
        let dead = handle
        handle = fresh
        core.handle.withLock { $0 = fresh }
        dead.close()
        renewal = .none
        provenAt = now + Self.probation
        core.lanes.withLock { $0.isSuspended = false }
        for lane in allLanes { follow(lane.resume(now: now), lane) }
    }

    /// A client that took the place of a dead one is believed to live.
    private func noteLife() {
        provenAt = nil
        core.death.withLock { $0 = nil }
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
