import Synchronization

/// Rung where there may be something to do for those who listen: credit has come back, or a lane
/// works again. Made before those who ring and those who listen. Sendable; any thread.
final class Doorbell: Sendable {
    private let listeners = Mutex<[@Sendable () -> Void]>([])

    /// Calls everybody who listens, one after another.
    func ring() {
        for listener in listeners.withLock({ $0 }) { listener() }
    }

    /// Calls `listener` whenever somebody rings, and once now: who listens may be at work already,
    /// and have missed a ring.
    func listen(_ listener: @escaping @Sendable () -> Void) {
        listeners.withLock { $0.append(listener) }
        listener()
    }
}
