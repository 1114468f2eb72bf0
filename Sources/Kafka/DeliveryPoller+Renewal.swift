import Platform
import Synchronization

/// A client that died, and the one that takes its place.
extension DeliveryPoller {
    enum Renewal: Equatable {
        case none
        /// Lanes are suspended; waits until nothing of them is inside the dead client, and for what
        /// is on its way until then.
        case draining(until: Int64)
        /// All quiet; the client is replaced at that time.
        case waiting(until: Int64)
    }

    /// 1. The client reports a fatal error, and takes no record from now on; or a broker refuses
    ///    records because of the client's number.
    /// 2. Every lane is suspended, new ones included, and what waits inside is purged. What is on
    ///    its way to a broker gets its verdict, if that comes soon: taken back, it would be
    ///    repeated. A thread that is producing at this moment finishes; what it got in is purged
    ///    in the next round.
    /// 3. When every lane is quiet, no thread is inside the client and no verdict is missing: it
    ///    can be closed. A new one takes its place after a back-off.
    /// 4. Lanes go on from their first undelivered record.
    func beginRenewal(_ text: String) {
        guard renewal == .none else { return }
        let cause = handle.fatalError ?? text
        core.death.withLock { $0 = cause }
        core.observer.report(.fatal(cause))
        core.lanes.withLock { $0.isSuspended = true }
        for lane in allLanes { lane.suspend() }
        handle.purge(inFlight: false)
        renewal = .draining(until: now + Self.drainLimit)
    }

    func renewIfDue() {
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
    func noteLife() {
        provenAt = nil
        core.death.withLock { $0 = nil }
    }
}
