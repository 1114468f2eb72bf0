import Platform
import Synchronization

/// `<data>/registry`, which is made where it is missing. On a disk that is full it may be missing
/// for a while: whoever wants it tries again. Sendable; any thread.
final class RegistryFolder: Sendable {
    private let data: Descriptor
    private let known = Mutex<SharedDescriptor?>(nil)

    /// `data` is the data directory.
    init(in data: consuming Descriptor) { self.data = data }

    /// The directory, to be worked in.
    func opened() throws(SystemError) -> SharedDescriptor {
        if let known = known.withLock({ $0 }) { return known }
        if try data.makeDirectory(JournalFormat.directoryName) { try data.synchronise() }
        let made = SharedDescriptor(try data.directory(named: JournalFormat.directoryName))
        known.withLock { $0 = made }
        return made
    }
}
