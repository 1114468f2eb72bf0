/// Hears what happens to the registry. Called without a lock held, on the thread named at each
/// method; an implementation may log, count and return.
package protocol RegistryObserver: Sendable {
    /// The registry was opened, with these findings; also when all was well. On the thread that
    /// opens it.
    func registryRecovered(_ summary: RecoverySummary)
    /// Positions cannot be saved from now on. Once per change, on whichever thread tried.
    func registryWriteFailed(_ error: RegistryError)
    /// Everything that could not be saved is saved now. Once per change.
    func registryWriteRecovered()
    /// The journal was forced to the disk. On the thread that called `sync`.
    func registrySynced(nanoseconds: Int64)
    /// The snapshot was written anew and the journal shortened. On the thread that asked for it.
    func registryCompacted(entries: Int, bytes: Int, nanoseconds: Int64)
    /// A damaged file could not be kept for inspection; the agent starts all the same. At open.
    func registryCannotSetAside(_ error: RegistryError)
}
