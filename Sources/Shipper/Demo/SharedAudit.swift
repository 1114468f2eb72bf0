import Synchronization

/// The audit of a demo: the consumer's thread fills it, the writers wait for it. Sendable.
final class SharedAudit: Sendable {
    private let audit = Mutex(Audit())

    func withLock<R: Sendable>(_ body: (inout Audit) -> R) -> R { audit.withLock { body(&$0) } }

    /// Different lines that arrived, of one writer or of all.
    func delivered(of source: LineSource? = nil) -> Int {
        audit.withLock { $0.delivered(of: source) }
    }
}
