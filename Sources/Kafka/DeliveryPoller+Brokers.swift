import Platform

/// Whether a broker can be reached, and what it wants to know of us.
extension DeliveryPoller {
    /// A broker answered.
    func reachedBroker() {
        let before = core.brokerReach
        guard before != .reached else { return }
        core.brokerReach = .reached
        troubles.reached()
        if before == .lost { core.observer.report(.brokerUp) }
    }

    /// Each node of a fleet has its own time for that.
    func connectIfDue() {
        guard let connectAt, now >= connectAt else { return }
        self.connectAt = nil
        guard !handle.connect(to: core.settings.brokers) else { return }
        core.observer.report(
            .clientError(code: "brokers", text: "librdkafka takes none of output.kafka.brokers"))
    }

    /// An acknowledgement says that a broker is there, but with nothing to send there is none, and
    /// the client tells of brokers that go only.
    func askForBroker() {
        guard core.brokerReach != .reached, now >= askAt, renewal == .none else { return }
        if handle.reachesBroker(within: Self.askPatience) { reachedBroker() }
        now = Clock.monotonicNanoseconds()
        askAt = now + Self.askInterval
    }

    func tellTroubles() {
        for trouble in troubles.due(now: now) {
            let isAlone = core.brokerReach == .reached
            core.observer.report(
                isAlone ? .brokerAway(trouble) : .brokersDown(trouble.text, trouble))
        }
    }

    /// The password may have been changed, here and there, since it was read.
    func renewPassword() {
        do throws(KafkaError) {
            try handle.renewPassword(core.settings.sasl)
        } catch {
            core.observer.report(.clientError(code: "password_file", text: error.reason))
        }
    }

    /// Whoever renews a token does so while the last one is good.
    func lookAtToken() {
        guard let due = handle.tokenIsDue, due <= now else { return }
        renewToken()
    }

    /// Without any token the client does not even connect, and has nothing to tell of brokers.
    func renewToken(isAsking: Bool = false) {
        guard let why = handle.renewToken(isAsking: isAsking) else { return }
        guard core.brokerReach != .reached else {
            core.observer.report(.clientError(code: "token_file", text: why))
            return
        }
        let trouble = BrokerTrouble(noTokenFor: core.settings.brokers.first ?? "", why)
        core.observer.report(.brokersDown(why, trouble))
    }
}
