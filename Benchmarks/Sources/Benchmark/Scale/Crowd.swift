import Machine
import Synchronization

/// One directory with many files of one line each. The lines are stamped, from 0.
final class Crowd: Sendable {
    private let root: String
    private let files: Int
    private let seed: UInt64
    private let madeNanoseconds = Atomic<Int64>(0)
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

    /// When the last file was made; nil: not yet.
    var made: Instant? {
        let nanoseconds = madeNanoseconds.load(ordering: .relaxed)
        return nanoseconds == 0 ? nil : Instant(nanoseconds: nanoseconds)
    }

    /// Lets the directory fill, as fast as files can be made.
    func start() throws(MachineError) -> Thread {
        try Thread.start {
            do throws(MachineError) {
                try self.make(self.root)
                self.madeNanoseconds.store(Instant.now.nanoseconds, ordering: .relaxed)
            } catch {
                self.outcome.withLock { $0 = error }
            }
        }
    }

    /// Ends it before its time.
    func stop() { isStopped.store(true, ordering: .relaxed) }

    /// Makes the directory elsewhere, so that `appear` puts it in its place with all that is in it.
    func prepare(_ elsewhere: String) throws(MachineError) { try make(elsewhere) }

    func appear(_ elsewhere: String) throws(MachineError) {
        try move(elsewhere, to: root)
        madeNanoseconds.store(Instant.now.nanoseconds, ordering: .relaxed)
    }

    private func make(_ directory: String) throws(MachineError) {
        try makeDirectory(directory)
        var generator = Corpus.Generator(state: seed)
        var line: [UInt8] = []
        for number in 0..<files where !isStopped.load(ordering: .relaxed) {
            line.removeAll(keepingCapacity: true)
            Corpus.appendStampedLine(number, &generator, to: &line)
            try OutputFile("\(directory)/\(number).log").append(line)
        }
    }
}
