import Machine
import Synchronization

/// A program that appends whole lines to its log, 16 KiB by each call, at a steady rate, until it is
/// stopped. What it was kept from writing in time it writes as soon as it can.
final class FastWriter: Sendable {
    private let path: String
    private let lines: NumberedLines
    /// Bytes a second.
    private let rate: Int
    private let written = Atomic<Int>(0)
    private let writtenLines = Atomic<Int>(0)
    private let longest = Atomic<Int>(0)
    private let isStopped = Atomic<Bool>(false)
    private let outcome = Mutex(Outcome())

    /// Known when it has ended.
    struct Outcome: Sendable {
        /// Nanoseconds, of each call.
        var waits: [Int64] = []
        var seconds = 0.0
        var fault: MachineError?
    }

    /// What a logger with a buffer gives the kernel at once.
    private static let piece = 16 << 10

    init(_ path: String, _ lines: NumberedLines, bytesASecond rate: Int) {
        self.path = path
        self.lines = lines
        self.rate = rate
    }

    /// So far.
    var bytes: Int { written.load(ordering: .acquiring) }
    var lineCount: Int { writtenLines.load(ordering: .acquiring) }
    var end: Outcome { outcome.withLock { $0 } }
    var fault: MachineError? { outcome.withLock { $0.fault } }

    /// The longest call that has ended since this was asked last, nanoseconds.
    func takeLongest() -> Int { longest.exchange(0, ordering: .relaxed) }

    /// Begins to write; the file is there when this returns.
    func start() throws(MachineError) -> Thread {
        _ = try OutputFile(path)
        return try Thread.start {
            var end = Outcome()
            let begin = Instant.now
            do throws(MachineError) {
                try self.write(begin, &end.waits)
            } catch {
                end.fault = error
            }
            end.seconds = Instant.now.secondsSince(begin)
            let known = end
            self.outcome.withLock { $0 = known }
        }
    }

    func stop() { isStopped.store(true, ordering: .relaxed) }

    private func write(_ begin: Instant, _ waits: inout [Int64]) throws(MachineError) {
        Instant.awaitPrecisely()
        let file = try OutputFile(path)
        var number = 0
        var total = 0
        var buffer: [UInt8] = []
        while !isStopped.load(ordering: .relaxed) {
            buffer.removeAll(keepingCapacity: true)
            while buffer.count < Self.piece {
                lines.append(number, to: &buffer)
                number += 1
            }
            begin.advanced(bySeconds: Double(total) / Double(rate)).sleep()
            let before = Instant.now.nanoseconds
            try file.append(buffer)
            let wait = Instant.now.nanoseconds - before
            waits.append(wait)
            longest.max(Int(wait), ordering: .relaxed)
            total += buffer.count
            writtenLines.store(number, ordering: .releasing)
            written.store(total, ordering: .releasing)
        }
    }
}
