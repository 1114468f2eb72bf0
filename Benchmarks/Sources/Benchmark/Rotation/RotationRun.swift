/// A log of a fast writer that was rotated some times: what is left of it, and what the writer saw.
struct RotationRun: ContestRun {
    /// Milliseconds of the longest write of each rotation: from the moment at which an archive is
    /// there to that of the next one.
    var stalls: [Double] = []
    /// Nanoseconds of all writes, ascending.
    var waits: [Int64] = []
    var lines = 0
    var bytes = 0
    /// That the writer wrote.
    var seconds = 0.0
    var lost = 0
    var repeated = 0
    var torn = 0
    /// What the broker held afterwards.
    var records = 0
    /// Of the thread that rotates, or of all logrotates; nil: nobody rotates, or the kernel does not
    /// tell.
    var rotatorSeconds: Double?
    /// Of the agent, with what rotates in it.
    var agentSeconds = 0.0
    /// Why it does not count; nil: it does.
    var fault: String?

    /// A figure of the table.
    struct Measure: Sendable {
        let head: String
        let key: String
        let digits: Int
        let value: @Sendable (RotationRun) -> Double?
    }

    static let measures = [
        Measure(head: "rotations", key: "rotations", digits: 0) { Double($0.stalls.count) },
        Measure(head: "lines", key: "lines", digits: 0) { Double($0.lines) },
        Measure(head: "lost", key: "lost", digits: 0) { Double($0.lost) },
        Measure(head: "twice", key: "twice", digits: 0) { Double($0.repeated) },
        Measure(head: "torn", key: "torn", digits: 0) { Double($0.torn) },
        Measure(head: "at the broker", key: "records", digits: 0) { Double($0.records) },
        Measure(head: "write p99 ms", key: "write_p99_milliseconds", digits: 3) { run in
            run.waits.isEmpty ? nil : Double(Spread.percentile(0.99, of: run.waits)) / 1e6
        },
        Measure(head: "p99.9 ms", key: "write_p999_milliseconds", digits: 3) { run in
            run.waits.isEmpty ? nil : Double(Spread.percentile(0.999, of: run.waits)) / 1e6
        },
        Measure(head: "max ms", key: "write_max_milliseconds", digits: 3) { run in
            run.waits.last.map { Double($0) / 1e6 }
        },
        Measure(head: "MB/s", key: "mb_per_second", digits: 1) { run in
            Double(run.bytes) / 1e6 / max(run.seconds, 1e-6)
        },
        Measure(head: "rotator CPU s/GB", key: "rotator_cpu_seconds_per_gb", digits: 3) { run in
            run.rotatorSeconds.map { $0 / max(Double(run.bytes) / 1e9, 1e-9) }
        },
        Measure(head: "agent CPU s/GB", key: "agent_cpu_seconds_per_gb", digits: 3) { run in
            run.agentSeconds / max(Double(run.bytes) / 1e9, 1e-9)
        },
    ]

    var json: JSON {
        .object(
            Self.measures.map { measure in
                (measure.key, measure.value(self).map { .number($0, measure.digits) } ?? .null)
            } + [
                ("longest_writes_milliseconds", .list(stalls.map { .number($0, 3) })),
                ("bytes", .count(bytes)), ("seconds", .number(seconds, 3)),
                ("failed", .optional(fault)),
            ])
    }
}
