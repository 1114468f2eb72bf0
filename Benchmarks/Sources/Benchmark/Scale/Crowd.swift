import Machine
import Synchronization

/// One directory that fills with files of one line each, as fast as they can be made. The lines are
/// stamped, from 0.
final class Crowd: Sendable {
    private let root: String
    private let files: Int
    private let seed: UInt64
    private let isStopped = Atomic<Bool>(false)
    private let outcome = Mutex<MachineError?>(nil)

    /// `root` is the directory, which is not there yet.
    init(_ root: String, files: Int, seed: UInt64) {
        self.root = root
        self.files = files
        self.seed = seed
    }

    /// Why it has ended before its time.
    var fault: MachineError? { outcome.withLock { $0 } }

    func start() throws(MachineError) -> Thread {
        try Thread.start {
            do throws(MachineError) {
                try self.make()
            } catch {
                self.outcome.withLock { $0 = error }
            }
        }
    }

    /// Ends it before its time.
    func stop() { isStopped.store(true, ordering: .relaxed) }

    private func make() throws(MachineError) {
        try makeDirectory(root)
        var generator = Corpus.Generator(state: seed)
        var line: [UInt8] = []
        for number in 0..<files where !isStopped.load(ordering: .relaxed) {
            line.removeAll(keepingCapacity: true)
            Corpus.appendStampedLine(number, &generator, to: &line)
            try OutputFile("\(root)/\(number).log").append(line)
        }
    }
}
