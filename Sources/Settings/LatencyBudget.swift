/// `latency`: the time that a line may wait between being written and being handed to a broker's
/// connection, and its parts. The more of it there is, the more lines share a look at their files,
/// a request and a write of the journal.
package struct LatencyBudget: Hashable, Sendable {
    /// As configured.
    package let most: Duration

    /// Where nothing is configured.
    package static let standard = LatencyBudget(most: .milliseconds(250))
    /// Those that can be kept and those that make sense.
    package static let range: ClosedRange<Duration> = .milliseconds(5)...(.seconds(10))

    package init(most: Duration) { self.most = most }

    /// Between two looks at all files that are being written to: what the rest leaves, which is
    /// nearly all of it.
    package var sweep: Duration { most - work - linger }

    /// How long a record waits in librdkafka for others of its partition: a twentieth, and no
    /// longer than it takes to hand over what a sweep has found, all of it at once. What waits
    /// there holds credit: who has plenty to send to many partitions would wait for that.
    package var linger: Duration { min(most / 20, .milliseconds(2)) }

    /// For reading what a sweep finds: a tenth, and no more than a thousand files take.
    private var work: Duration { min(most / 10, .milliseconds(10)) }
}

extension Settings {
    /// How long a record waits for others of its partition: the input in the greatest hurry
    /// decides, for all share the requests.
    package var linger: Duration {
        inputs.map(\.latency.linger).min() ?? LatencyBudget.standard.linger
    }
}
