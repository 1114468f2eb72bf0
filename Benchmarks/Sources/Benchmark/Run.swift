/// One contender once over the corpus.
struct Run: ContestRun {
    let wallSeconds: Double
    let userSeconds: Double
    let systemSeconds: Double
    let peakBytes: Int
    /// Through its sockets; nil: the kernel does not tell, or it had ended before they were seen.
    let sentBytes: Int?
    /// What the broker held afterwards.
    let records: Int
    /// Why it does not count; nil: it does.
    let fault: String?

    var cpuSeconds: Double { userSeconds + systemSeconds }

    var json: JSON {
        .object([
            ("wall_seconds", .number(wallSeconds, 3)), ("user_seconds", .number(userSeconds, 3)),
            ("system_seconds", .number(systemSeconds, 3)), ("peak_rss_bytes", .count(peakBytes)),
            ("sent_bytes", sentBytes.map(JSON.count) ?? .null), ("records", .count(records)),
            ("failed", .optional(fault)),
        ])
    }

    /// What is wrong with a topic that holds `records` after `lines` were to be written.
    static func miscount(_ records: Int, of lines: Int) -> String? {
        guard records != lines else { return nil }
        let held = "the broker holds \(Number.grouped(records)) of \(Number.grouped(lines)) lines: "
        return held
            + (records < lines
                ? "\(Number.grouped(lines - records)) missing"
                : "\(Number.grouped(records - lines)) too many")
    }
}
