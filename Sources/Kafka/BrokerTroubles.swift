/// What the client has told of connections that fail and nobody was told yet: a broker that cannot
/// be reached comes as a line of librdkafka's log, as an error of that broker, and as an error of
/// all brokers where it was the last one. It is one event.
struct BrokerTroubles {
    /// How long a trouble waits for the news that no broker is left: both are told by the same
    /// thread of librdkafka's, one right after the other.
    private static let patience: Int64 = 1_000_000_000
    /// Brokers in trouble that are remembered; others are told at once.
    private static let most = 64

    /// By the broker that showed it. One handshake that fails can tell of it twice.
    private var certificates: [String: CertificateFault] = [:]
    /// Of a broker that was not reached since: librdkafka does not repeat itself.
    private var last: BrokerTrouble?
    private var pending: [(trouble: BrokerTrouble, until: Int64)] = []

    /// A line of librdkafka's log. It may tell why a certificate is refused, which the error behind
    /// it does not.
    mutating func heard(facility: String, _ text: String) {
        guard facility == "SSLCERTVRFY", let end = text.firstRange(of: ": Certificate ("),
            let broker = BrokerTrouble.broker(text[..<end.lowerBound])
        else { return }
        if certificates.count >= Self.most { certificates = [:] }
        certificates[broker] = CertificateFault(text: text)
    }

    /// An error of the client's. The trouble with one broker that it tells of, if it does; it is
    /// kept until it is taken or due. While brokers answer us as we are (`isReached`), one that
    /// closes a connection soon after it was made does not do so for want of SASL, as librdkafka
    /// has it: a network was cut, or the broker ends.
    mutating func heard(_ text: String, now: Int64, isReached: Bool = false) -> BrokerTrouble? {
        guard let trouble = BrokerTrouble(text, certificates: certificates),
            !(isReached && trouble.cause == .saslWanted)
        else { return nil }
        last = trouble
        pending.removeAll { $0.trouble.broker == trouble.broker }
        let isFull = pending.count >= Self.most
        pending.append((trouble, isFull ? now : now + Self.patience))
        return trouble
    }

    /// No broker is left: the latest trouble, and none of them is due any more.
    mutating func taken() -> BrokerTrouble? {
        pending = []
        return last
    }

    /// A broker has answered.
    mutating func reached() {
        last = nil
        certificates = [:]
    }

    /// Those that have waited long enough.
    mutating func due(now: Int64) -> [BrokerTrouble] {
        guard !pending.isEmpty else { return [] }
        let due = pending.filter { $0.until <= now }.map(\.trouble)
        if !due.isEmpty { pending.removeAll { $0.until <= now } }
        return due
    }
}
