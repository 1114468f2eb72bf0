/// One contender once at the rate of a node: what it used in the window.
struct NodeRun: ContestRun {
    /// What has grown since the contender was started.
    struct Sample: Sendable {
        let seconds: Double
        let cpuSeconds: Double
        let rawBytes: Int
        /// Nil, here and below: the kernel does not tell.
        let sentBytes: Int?
        let segments: Int?
        /// Nil: the broker does not tell.
        let requests: Int?
    }

    /// A figure of the table.
    struct Measure: Sendable {
        let head: String
        let key: String
        let digits: Int
        let value: @Sendable (NodeRun) -> Double?
    }

    /// At the ends of the window; nil: it did not get there.
    let window: (begin: Sample, end: Sample)?
    /// At the end of the window.
    let rssBytes: Int
    /// Of the lines written in the window that came; nanoseconds, ascending.
    let ages: [Int64]
    /// Written, with the warm-up.
    let lines: Int
    /// What the broker held afterwards.
    let records: Int
    /// Why it does not count; nil: it does.
    let fault: String?

    static let measures = [
        Measure(head: "CPU %", key: "cpu_percent", digits: 2) { run in
            run.rate { $0.cpuSeconds }.map { 100 * $0 }
        },
        Measure(head: "raw KB/s", key: "raw_kb_per_second", digits: 1) { run in
            run.rate { Double($0.rawBytes) / 1e3 }
        },
        Measure(head: "sent KB/s", key: "sent_kb_per_second", digits: 1) { run in
            run.rate { $0.sentBytes.map { Double($0) / 1e3 } }
        },
        Measure(head: "segments/s", key: "segments_per_second", digits: 1) { run in
            run.rate { $0.segments.map(Double.init) }
        },
        Measure(head: "requests/s", key: "requests_per_second", digits: 1) { run in
            run.rate { $0.requests.map(Double.init) }
        },
        Measure(head: "RSS MB", key: "rss_mb", digits: 1) { Double($0.rssBytes) / 1e6 },
        Measure(head: "p50 ms", key: "p50_milliseconds", digits: 3) { $0.age(0.5) },
        Measure(head: "p99 ms", key: "p99_milliseconds", digits: 3) { $0.age(0.99) },
        Measure(head: "max ms", key: "max_milliseconds", digits: 3) { $0.age(1) },
    ]

    /// What grew in a second of the window.
    private func rate(_ value: (Sample) -> Double?) -> Double? {
        guard let window, let begin = value(window.begin), let end = value(window.end) else {
            return nil
        }
        return (end - begin) / max(window.end.seconds - window.begin.seconds, 1e-6)
    }

    private func age(_ share: Double) -> Double? {
        ages.isEmpty ? nil : Double(Spread.percentile(share, of: ages)) / 1e6
    }

    var json: JSON {
        let seconds = window.map { $0.end.seconds - $0.begin.seconds } ?? 0
        return .object(
            [("window_seconds", .number(seconds, 3))]
                + Self.measures.map { measure in
                    (measure.key, measure.value(self).map { .number($0, measure.digits) } ?? .null)
                } + [
                    ("lines", .count(lines)), ("records", .count(records)),
                    ("failed", .optional(fault)),
                ])
    }
}
