/// How the descriptors that the process may have are shared out.
struct DescriptorPlan: Hashable, Sendable {
    /// For followed files.
    let files: Int
    /// For everything else, and never used by a file.
    let reserved: Int

    /// For connections to this agent.
    private static let http = 16
    /// For a few brokers (librdkafka has three descriptors for each: a socket and a pipe), the
    /// registry, inotify, wake-ups, and the directories and names that are being looked at.
    private static let least = 64
    /// Enough for 150 brokers.
    private static let most = 512

    /// `limit`: descriptors that the process may have; `wanted`: `limits.open_files`.
    ///
    /// An eighth is kept for everything else, because who allows many descriptors has many brokers.
    /// Where there are very few, files still get three eighths of them.
    init(limit: Int, wanted: Int) {
        let share = min(max(limit / 8, Self.least), Self.most) + Self.http
        reserved = min(share, limit / 8 * 5)
        files = max(1, min(wanted, limit - reserved))
    }
}
