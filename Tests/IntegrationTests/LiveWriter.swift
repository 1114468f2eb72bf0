import Glibc
import Platform
import Shipper
import Synchronization
import TestSupport

/// A program that appends to its log until it is told to stop, each write some whole lines.
final class LiveWriter: Sendable {
    private let isOver = Atomic(false)
    private let lines = Atomic(0)
    private let failure = Shared<String?>(nil)
    private let thread = Shared<SystemThread?>(nil)

    /// Writes so many lines `atOnce`, whenever `mayWrite` says so of the number that is written.
    init(
        _ path: String, _ source: LineSource, atOnce count: Int,
        mayWrite: @escaping @Sendable (Int) -> Bool
    ) throws {
        let started = try SystemThread("live-writer") { [self] in
            do {
                let file = try Descriptor.open(path, O_WRONLY | O_CREAT | O_APPEND, mode: 0o644)
                while !isOver.load(ordering: .acquiring) {
                    let next = lines.load(ordering: .relaxed)
                    guard mayWrite(next) else {
                        Turn.giveUp()
                        continue
                    }
                    try file.write(source.lines(next..<next + count))
                    lines.store(next + count, ordering: .releasing)
                }
            } catch {
                failure.with { $0 = "\(error)" }
            }
        }
        thread.with { $0 = started }
    }

    /// Lines.
    var written: Int { lines.load(ordering: .acquiring) }

    /// Ends it; the lines that it wrote.
    func stop() throws -> Int {
        isOver.store(true, ordering: .releasing)
        thread.current?.join()
        if let failure = failure.current { throw Unexpected(description: failure) }
        return written
    }
}
