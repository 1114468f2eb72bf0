import Platform
import Synchronization

/// Looks for files that are gone, each look on a thread of its own: one that hangs with a file system keeps
/// nobody waiting, and until it comes back there is no other one. Sendable; any thread.
final class VanishedLooks: Sendable {
    /// Nil while somebody looks.
    private let files: Mutex<VanishedFiles?>

    init(_ files: VanishedFiles) { self.files = Mutex(files) }

    /// Begins a look, unless the last one has not come back.
    func begin() {
        let taken = files.withLock { files in
            defer { files = nil }
            return files
        }
        guard let taken else { return }
        do throws(SystemError) {
            try SystemThread("vanished") { [self] in
                var looking = taken
                looking.look()
                files.withLock { $0 = looking }
            }.detach()
        } catch {
            // No thread is to be had now: the next look is as good.
            files.withLock { $0 = taken }
        }
    }
}
