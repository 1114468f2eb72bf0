import Platform
import Synchronization

/// One real s6-log and the thread that feeds it numbered lines. Sendable.
final class DemoWriter: Sendable {
    /// Gates that the feeding thread waits at between its lines.
    struct Gates: Sendable {
        /// How many different lines of this writer the audit has seen.
        let delivered: @Sendable () -> Int
        /// Whether no more are to be written.
        let isOver: @Sendable () -> Bool
    }

    private struct State {
        /// Lines that s6-log was given whole.
        var written = 0
        /// Rounds after which it had rotated.
        var rounds = 0
        var fault: String?
        var hasEnded = false
    }

    let plan: DemoPlan.Writer
    private let rounds: [Range<Int>]
    /// Whether the rounds are large enough to make s6-log rotate.
    private let rotates: Bool
    private let directory: String
    private let process: PipedProcess
    private let gates: Gates
    /// Between two looks at what is waited for: longer the more writers look.
    private let interval: Int64
    private let state: Shared
    private let thread: Mutex<SystemThread?>
    /// Woken when s6-log has ended.
    private let ended: Wakeup

    private final class Shared: Sendable {
        let value = Mutex(State())
    }

    /// Starts the s6-log at path `program` on `directory`, which it makes itself.
    init(
        _ plan: DemoPlan, _ writer: DemoPlan.Writer, program: String, directory: String,
        gates: Gates
    ) throws(SystemError) {
        self.plan = writer
        let count = plan.rounds(writer)
        rounds = (0..<max(1, count)).map { plan.round($0, of: writer) }
        rotates = count > 0
        self.directory = directory
        self.gates = gates
        interval = 1_000_000 * Int64(max(1, plan.writers.count / 4))
        state = Shared()
        thread = Mutex(nil)
        ended = try Wakeup()
        // n: no archive of a demo is removed before it was read.
        process = try PipedProcess(
            program, ["-b", "n1000", "s\(plan.archiveBytes(writer))", directory])
    }

    /// Begins to write.
    func start() throws(SystemError) {
        let thread = try SystemThread("demo-writer") { [self] in feed() }
        self.thread.withLock { $0 = thread }
    }

    var written: Int { state.value.withLock { $0.written } }
    var fault: String? { state.value.withLock { $0.fault } }
    /// Whether s6-log has ended, and so everything it was given is in its files.
    var hasEnded: Bool { state.value.withLock { $0.hasEnded } }

    /// The fewest rotations that there must be by now.
    var leastRotations: Int {
        state.value.withLock { min($0.rounds, DemoPlan.leastRotations) }
    }

    /// Archives on the disk.
    func rotations() throws(SystemError) -> Int {
        do throws(SystemError) {
            let entries = try Descriptor.directory(atPath: directory).entries()
            return entries.count { Self.isArchive($0.name) }
        } catch {
            // s6-log has not made the directory yet.
            if error.code == .notFound { return 0 }
            throw error
        }
    }

    /// Of the archives and `current`, after s6-log has ended.
    func bytesOnDisk() throws(SystemError) -> Int {
        let directory = try Descriptor.directory(atPath: directory)
        var bytes = 0
        for entry in try directory.entries() {
            let name = String(decoding: entry.name, as: UTF8.self)
            if Self.isArchive(entry.name) || name == "current" {
                bytes += try directory.status(of: name).size
            }
        }
        return bytes
    }

    private static func isArchive(_ name: [UInt8]) -> Bool { name.first == UInt8(ascii: "@") }

    /// Ends s6-log, by force when it does not end with its input, and waits for the thread.
    func close() {
        let thread = thread.withLock { $0 }
        if thread == nil { process.closeInput() }
        let deadline = Clock.monotonicNanoseconds() + Self.shortPatience
        while thread != nil, !hasEnded {
            let left = deadline - Clock.monotonicNanoseconds()
            guard left > 0 else {
                // It waits for room on the disk, or for what we do not know.
                process.kill()
                break
            }
            ended.wait(nanoseconds: left)
        }
        thread?.join()
        _ = process.wait()
    }

    // MARK: The feeding thread

    /// Nanoseconds that s6-log may take for a rotation.
    private static let patience: Int64 = 15_000_000_000
    /// Nanoseconds that it may take to end with its input, when there is nothing to be waited for.
    private static let shortPatience: Int64 = 2_000_000_000

    private func feed() {
        var fault: String?
        do throws(SystemError) {
            fault = try writeRounds()
        } catch {
            fault = "\(error)"
        }
        process.closeInput()
        let end = process.wait()
        if end != .code(0), fault == nil { fault = "s6-log ended with \(end)" }
        state.value.withLock { state in
            state.fault = fault
            state.hasEnded = true
        }
        ended.wake()
    }

    private func writeRounds() throws(SystemError) -> String? {
        let pause = try Wakeup()
        for (number, round) in rounds.enumerated() {
            var next = round.lowerBound
            while next < round.upperBound {
                guard wait(pause, { next - gates.delivered() < plan.lead }) else { return nil }
                let end = min(next + DemoPlan.chunk, round.upperBound)
                try process.write(plan.source.lines(next..<end))
                next = end
                state.value.withLock { $0.written = end }
            }
            guard rotates else { continue }
            let fault = try waitForRotation(number + 1, pause)
            if let fault { return fault }
            state.value.withLock { $0.rounds = number + 1 }
        }
        return nil
    }

    /// Waits until it holds; false when no more is to be written.
    private func wait(_ pause: Wakeup, _ condition: () -> Bool) -> Bool {
        while !gates.isOver() {
            if condition() { return true }
            pause.wait(nanoseconds: interval)
        }
        return false
    }

    /// s6-log 2.13 looks at the size only after it has written all it had read. So a round ends
    /// when it has: what it was given is more than an archive may hold.
    private func waitForRotation(_ count: Int, _ pause: Wakeup) throws(SystemError) -> String? {
        let deadline = Clock.monotonicNanoseconds() + Self.patience
        while try rotations() < count {
            if Clock.monotonicNanoseconds() > deadline {
                return "s6-log does not rotate, \(count - 1) times until now"
            }
            pause.wait(nanoseconds: interval)
        }
        return nil
    }
}
