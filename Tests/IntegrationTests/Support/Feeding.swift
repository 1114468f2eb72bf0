import Platform
import Shipper
import TestSupport

/// Feeds one s6-log until it is told to stop, and not further ahead of the consumer than s6-log
/// and the mock broker can keep.
final class Feeding: Sendable {
    let source: LineSource
    let writer: S6Writer
    let written = Shared(0)
    let failure = Shared<String?>(nil)
    private let isStopped = Shared(false)
    private let thread = Shared<SystemThread?>(nil)

    init(_ source: LineSource, _ writer: S6Writer) {
        self.source = source
        self.writer = writer
    }

    func start(mayWrite: @escaping @Sendable () -> Bool) throws {
        let thread = try SystemThread("feeding") { [self] in
            do {
                while !isStopped.current {
                    let begin = written.current
                    try eventually("there is room for more lines") {
                        mayWrite() || isStopped.current
                    }
                    try writer.write(source, begin..<begin + 50)
                    written.with { $0 += 50 }
                }
            } catch {
                failure.with { $0 = "\(error)" }
            }
        }
        self.thread.with { $0 = thread }
    }

    /// Has its s6-log rotate, and waits until it has.
    func rotate() throws {
        let archives = try writer.archives().count
        writer.rotate()
        try eventually("s6-log rotates") { try writer.archives().count > archives }
    }

    func stop() {
        isStopped.with { $0 = true }
        thread.current?.join()
    }
}
