import Encoding
import Kafka
import Model
import Platform

/// The open events of one stream, and how far the files are sent that they have lines of. Lives on
/// the reader thread.
final class StreamEvents {
    var open = OpenEvents()
    /// Files of which bytes are kept back, of whatever generation, in the order in which they
    /// were: those that open events have lines of, and those that are newer.
    ///
    /// 1. An event E and an event D begin in a file. It is rotated, and E ends in the next one.
    /// 2. The position of the first stands before D. Would that of the next one move over E's end?
    /// 3. After a kill E's beginning is read again, and its end is not.
    private(set) var keptBack: [KeptBack] = []
    /// How long an event may be open; of the input, so all files of the stream have the same.
    var limits: EventJoiner.Limits

    init(limits: EventJoiner.Limits) { self.limits = limits }

    /// A generation of a file that was read further than it is sent.
    struct KeptBack {
        let file: FileID
        let generation: GenerationID
        /// What is behind it is not sent.
        var sent: LogicalOffset
        var taken: LogicalOffset
        /// The bytes before `taken`.
        var anchor: Anchor
        let encoder: ReaderOutput.Encoder
    }

    /// What is known of a file of which bytes are kept back.
    func keptBack(of generation: GenerationID) -> KeptBack? {
        keptBack.first { $0.generation == generation }
    }

    /// A file was read up to `taken`, and bytes of it are kept back.
    func keepBack(_ file: KeptBack) {
        if let index = keptBack.firstIndex(where: { $0.generation == file.generation }) {
            keptBack[index] = file
        } else {
            keptBack.append(file)
        }
    }

    /// Whether an open event has lines of a file that comes before this generation's.
    func isHeld(_ generation: GenerationID) -> Bool {
        for file in keptBack {
            if file.generation == generation { return false }
            if open.joiner.low(of: file.generation) != nil { return true }
        }
        return false
    }

    /// Files of which nothing is kept back any more, nor of those before them: what of them is
    /// done with when a batch is delivered that is sent now.
    func release() -> [RecordBatch.Part] {
        guard !keptBack.isEmpty else { return [] }
        let free = keptBack.prefix { open.joiner.low(of: $0.generation) == nil }
        keptBack.removeFirst(free.count)
        return free.map { file in
            RecordBatch.Part(
                file: file.file, generation: file.generation,
                range: ByteRange(start: file.sent, end: file.taken), anchor: file.anchor)
        }
    }
}

/// Streams with open events: how much all of them hold, and when the next one is over.
struct OpenStreams {
    /// Bytes that all open events hold at the most when a line is taken: sixty-four lines of the
    /// default `max_line`, beside the credit.
    static let most = 16 * 1024 * 1024
    /// Events are not looked through more often than this, nanoseconds.
    static let pause: Int64 = 100_000_000

    private(set) var bytes: [StreamID: Int] = [:]
    private(set) var total = 0
    /// When they are to be looked through.
    var due: MonotonicTime?

    /// Full: somebody's events are to end.
    var isFull: Bool { total >= Self.most }

    /// What a stream's open events hold now; nil where it has none.
    mutating func note(_ stream: StreamID, _ count: Int?, due next: MonotonicTime?) {
        total += (count ?? 0) - (bytes[stream] ?? 0)
        bytes[stream] = count
        if let next { due = min(due ?? next, next) }
    }

    /// Streams that have half of the average at least: they have at least half of all bytes.
    var largest: [StreamID] {
        let share = total / max(1, 2 * bytes.count)
        return bytes.filter { $0.value >= share }.map(\.key)
    }
}
