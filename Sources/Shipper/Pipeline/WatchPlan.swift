import Platform
import Settings

/// How many inotify watches the agent takes of those that its user has on the node.
struct WatchPlan: Hashable, Sendable {
    let most: Int

    /// The kernel keeps about a kilobyte for each, and charges it to the agent's container.
    private static let usual = 32_768
    /// Where the kernel does not say how many there are.
    private static let unknown = 8_192

    init(_ settings: Settings) {
        self.init(wanted: settings.limits.watches, ofUser: ProcessLimits.inotifyWatches())
    }

    /// `wanted`: `limits.watches`; `ofUser`: what all programs of the user may have together. Half
    /// of it is left to them, the kubelet among others.
    init(wanted: Int?, ofUser: Int?) {
        most = wanted ?? min(Self.usual, max(1, (ofUser ?? Self.unknown) / 2))
    }
}
