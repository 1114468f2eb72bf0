/// Hears what happens to the registry. Called without a lock held, on the thread named at each
/// event; an implementation may log, count and return.
package protocol RegistryObserver: Sendable {
    func report(_ event: RegistryEvent)
}

/// What happens to the registry.
package enum RegistryEvent: Sendable {
    /// It was opened, with these findings; also when all was well. On the thread that opens it.
    case opened(RecoverySummary)
    /// Positions cannot be saved from now on. Once per change, on whichever thread tried.
    case writeFailed(RegistryError)
    /// Everything that could not be saved is saved now. Once per change.
    case writeRecovered
    /// The journal was forced to the disk. On the thread that called `sync`.
    case synced(nanoseconds: Int64)
    /// The snapshot was written anew and the journal shortened. On the thread that asked for it.
    case compacted(entries: Int, bytes: Int, nanoseconds: Int64)
    /// A damaged file could not be kept for inspection; the agent starts all the same. At open.
    case cannotSetAside(RegistryError)
}
