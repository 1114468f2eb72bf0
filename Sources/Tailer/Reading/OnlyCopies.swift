import Model
import Platform
import Synchronization

/// Finds files that only a descriptor of this process leads to. Lives on the reader thread.
struct OnlyCopies {
    let opener: FileOpener
    let control: TailerControl

    /// Whether lines would be lost if all files were closed now. Looks at those that are open: some
    /// thousand at the most, each in a microsecond or two.
    func areHeld() -> Bool {
        for file in opener.open.values where file.isOpen && isNeeded(file) { return true }
        return false
    }

    /// How long a writer of a file that no name leads to may be silent, nanoseconds, before what it
    /// may still write is not waited for: some keep a removed log open for ever.
    private static let silence: Int64 = 60_000_000_000

    private func isNeeded(_ file: TailedFile) -> Bool {
        control.touches(file.path)
        let status: FileStatus
        do throws(SystemError) {
            status = try file.opened().descriptor.status()
        } catch {
            // Who cannot be asked cannot be read either.
            return false
        }
        guard file.name == nil || status.links == 0 else { return false }
        if file.position < file.end { return true }
        guard !file.isFinal else { return false }
        // What has grown since the last look is unread.
        if file.packed == nil, file.base.logical(status.end) > file.size { return true }
        return file.drainsSince.map { $0 + Self.silence > .now() } ?? false
    }
}

/// A question to the reader thread, which answers between two turns. Sendable: one thread asks and
/// waits.
final class ReaderQuestion: Sendable {
    private let answered = Mutex<Bool?>(nil)
    private let wakeup: Wakeup

    init() throws(SystemError) { wakeup = try Wakeup() }

    func answer(_ answer: Bool) {
        answered.withLock { $0 = answer }
        wakeup.wake()
    }

    /// Nil where there is none within `nanoseconds`.
    func answer(within nanoseconds: Int64) -> Bool? {
        let until = Clock.monotonicNanoseconds() +| max(0, nanoseconds)
        while true {
            if let answer = answered.withLock({ $0 }) { return answer }
            let left = until - Clock.monotonicNanoseconds()
            guard left > 0 else { return nil }
            wakeup.wait(nanoseconds: left)
        }
    }
}
