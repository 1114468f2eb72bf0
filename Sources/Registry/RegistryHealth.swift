import Synchronization

/// How the registry is, for `/readyz` and metrics; a value of one moment.
package struct RegistryHealth: Hashable, Sendable {
    /// Why positions cannot be saved now; nil while they are. Shipping goes on all the same.
    package let failure: RegistryError?
    /// Files whose position, or whose leaving, is in memory only; 0 while `failure` is nil.
    package let unsavedFiles: Int
    /// Files known.
    package let entries: Int
    /// Bytes of the journal as it is now, header included; it is compacted when it has grown.
    package let journalBytes: Int
}

extension Registry {
    /// How it is now. Any thread; waits at most for an advance that is being written.
    package var health: RegistryHealth {
        journaled.withLock { journaled in
            RegistryHealth(
                failure: journaled.failure.map { unwritten($0) },
                unsavedFiles: journaled.unwrittenCount, entries: journaled.state.table.count,
                journalBytes: journaled.journal.length)
        }
    }
}
