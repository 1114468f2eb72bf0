import HTTPServer
import Platform
import Settings

/// How the descriptors that the process may have are shared out.
struct DescriptorPlan: Hashable, Sendable {
    /// For followed files.
    let files: Int
    /// For everything else, and never used by a file.
    let reserved: Int
    /// For nobody.
    private let spare: Int
    /// Connections to this agent at a time, of the reserved ones; 0 when it serves no HTTP.
    let connections: Int

    /// Sixty-four probes and scrapes at a time are more than anybody has; of few descriptors they
    /// get a sixteenth.
    private static let connections = 4...64
    /// For a few brokers (librdkafka has three descriptors for each: a socket and a pipe), the
    /// registry, inotify, wake-ups, and the directories and names that are being looked at.
    private static let least = 64
    /// Enough for 150 brokers.
    private static let most = 512

    /// For this process as it is now.
    init(_ settings: Settings, once: Bool) {
        self.init(
            limit: ProcessLimits.descriptors(), wanted: settings.limits.openFiles,
            // A run that ends by itself has nobody who watches it, and runs beside others.
            servesHTTP: !once && settings.http.listen != .none)
    }

    /// `limit`: descriptors that the process may have; `wanted`: `limits.open_files`.
    ///
    /// An eighth is kept for everything else, because who allows many descriptors has many brokers.
    /// Where there are very few, files still get three eighths of them.
    init(limit: Int, wanted: Int, servesHTTP: Bool) {
        var share = min(max(limit / 8, Self.least), Self.most)
        if servesHTTP {
            connections = min(
                max(limit / 16, Self.connections.lowerBound), Self.connections.upperBound)
            share += connections + HTTPServer.Limits.ownDescriptors
        } else {
            connections = 0
        }
        reserved = min(share, limit / 8 * 5)
        files = max(1, min(wanted, limit - reserved))
        spare = max(0, limit - reserved - files)
    }

    /// For files of each of so many further readers: a sixteenth of what the first one has, where
    /// there are as many, and enough to go on with where there are not.
    func files(perReader readers: Int) -> Int {
        max(8, min(files / 16, spare / readers))
    }
}
