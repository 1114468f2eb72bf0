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
        return !file.isFinal || file.position < max(file.end, file.size)
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
