import Platform

/// The lock that the one writer of a data directory holds: `<data>/lock`.
struct RegistryLock: ~Copyable, Sendable {
    static let name = "lock"
    private let lock: FileLock

    /// Throws `held` where another process (or another registry of this one) has it. `path` is the
    /// directory's, for messages.
    init(in data: borrowing Descriptor, path: String) throws(RegistryError) {
        let attempt: FileLock.Attempt
        do {
            attempt = try FileLock.attempt(Self.name, in: data)
        } catch {
            throw .unusable(path: "\(path)/\(Self.name)", error)
        }
        switch consume attempt {
        case .taken(let lock): self.lock = lock
        case .held(let pid): throw .held(directory: path, pid: pid)
        }
    }
}
