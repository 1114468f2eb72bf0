import Machine
import Synchronization

/// Lines that come one by one, each to a file drawn at random: the same draw, and the same lines but
/// for the times in them, for everybody. The files are at `paths`, and are there before the first line.
final class Trickle: Sendable {
    let paths: [String]
    let lines: Int
    /// The file of each line.
    private let targets: [Int]
    private let rate: Int
    private let first: Int
    private let seed: UInt64
    private let written = Atomic<Int>(0)
    private let writtenBytes = Atomic<Int>(0)
    private let isStopped = Atomic<Bool>(false)
    private let outcome = Mutex<MachineError?>(nil)

    /// So many files are kept open by the writer, which has descriptors for other things too; of more,
    /// each is opened for its line.
    private static let mostOpen = 500

    /// `first` is the number that stands in the first line.
    init(
        paths: [String], lines: Int, aSecond rate: Int, seed: UInt64, first: Int = 0
    ) throws(MachineError) {
        self.first = first
        self.paths = paths
        self.lines = lines
        self.rate = rate
        self.seed = seed
        var generator = Corpus.Generator(state: seed)
        targets = (0..<lines).map { _ in generator.below(paths.count) }
        for path in paths { _ = try OutputFile(path) }
    }

    /// Lines written so far, and their bytes with newlines.
    var progress: (lines: Int, bytes: Int) {
        (written.load(ordering: .acquiring), writtenBytes.load(ordering: .relaxed))
    }

    /// Why it has ended before its time.
    var fault: MachineError? { outcome.withLock { $0 } }

    /// The file that the line went to.
    func path(of line: Int) -> String { paths[targets[line]] }

    /// Begins to write.
    func start() throws(MachineError) -> Thread {
        try Thread.start {
            do throws(MachineError) {
                try self.write()
            } catch {
                self.outcome.withLock { $0 = error }
            }
        }
    }

    /// Ends it before its time.
    func stop() { isStopped.store(true, ordering: .relaxed) }

    private func write() throws(MachineError) {
        Instant.awaitPrecisely()
        var files: [OutputFile] = []
        if paths.count <= Self.mostOpen {
            for path in paths { files.append(try OutputFile(path)) }
        }
        var generator = Corpus.Generator(state: seed &+ 1)
        let begin = Instant.now
        var line: [UInt8] = []
        for number in 0..<lines where !isStopped.load(ordering: .relaxed) {
            begin.advanced(bySeconds: Double(number) / Double(rate)).sleep()
            line.removeAll(keepingCapacity: true)
            Corpus.appendStampedLine(first + number, &generator, to: &line)
            let file = targets[number]
            try files.isEmpty
                ? OutputFile(paths[file]).append(line) : files[file].append(line)
            writtenBytes.add(line.count, ordering: .relaxed)
            written.add(1, ordering: .releasing)
        }
    }
}
