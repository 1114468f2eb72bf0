package import Model
package import Platform

/// The records encoded from one range of a file, on their way to one partition.
///
/// One owner at a time: the reader thread fills it and gives it to `Producer.send`, its lane keeps
/// it until every record is acknowledged, and the poller thread hands it out, released. It may hold
/// no record at all (a range of empty lines): then it only waits for its turn in the lane.
///
/// Unchecked Sendable: what is `let` is safe everywhere, and the counters at the end belong to
/// one thread at a time, as said there.
@safe
package final class RecordBatch: @unchecked Sendable {
    /// The lane that it goes by; it keeps the batch alive from `send` to the release.
    package let lane: Lane
    /// Holds the values of its records, one after the other. librdkafka reads them there.
    package let slab: PayloadSlab
    /// Record i is the slab's bytes from `recordEnds[i - 1]` (0 for the first) to `recordEnds[i]`.
    package let recordEnds: [UInt32]
    /// The file that `range` is of.
    package let file: FileID
    /// The stream that gave the credit.
    package let stream: StreamID
    /// The life of the file's content that was read: an older one moves no position.
    package let generation: GenerationID
    /// The part of the file that is done with when the batch is released.
    package let range: ByteRange
    /// The bytes before the end of `range`.
    package let anchor: Anchor
    /// Bytes of in-flight credit to give back at the release.
    package let credit: Int
    /// Of each of its records, beside the key.
    package let headers: RecordHeaders
    /// Where in the file record i begins, counted from the start of `range`, and maybe behind its
    /// end; empty where nobody asks.
    let recordOffsets: [UInt32]
    /// Of other files, what is done with when the batch is released: an event may have begun in a
    /// file and ended in the next one. Empty as a rule.
    let others: [Part]

    /// A range of a file, and the bytes before its end.
    package struct Part: Hashable, Sendable {
        /// May be another one than the batch's.
        package let file: FileID
        /// The life of the file's content that the range is of.
        package let generation: GenerationID
        /// May be empty: records before an event that has not ended.
        package let range: ByteRange
        /// The bytes before the range's end; none where they are not known.
        package let anchor: Anchor

        package init(
            file: FileID, generation: GenerationID, range: ByteRange, anchor: Anchor
        ) {
            self.file = file
            self.generation = generation
            self.range = range
            self.anchor = anchor
        }
    }

    /// The place in the lane's order. Written by the lane under its lock before anybody reads it.
    var ordinal = 0
    /// Verdicts to come in this pass through librdkafka. Written by the thread that starts the
    /// pass, before the first record is enqueued; after that only the poller thread touches it.
    var outstanding = 0
    /// Index of the first record of this pass that failed. Same owner as `outstanding`.
    var firstFailed: Int?
    /// Bytes that this pass has at the topic's gate. Same owner as `outstanding`.
    var passBytes = 0
    /// When this pass began. Same owner as `outstanding`.
    var passBegan: Int64 = 0

    /// The batch of the values that `recordEnds` marks in `slab`. They end within it, or the
    /// process stops.
    package init(
        lane: Lane, slab: PayloadSlab, recordEnds: [UInt32], file: FileID, stream: StreamID,
        generation: GenerationID, range: ByteRange, anchor: Anchor, credit: Int,
        recordOffsets: [UInt32] = [], headers: RecordHeaders = .none, others: [Part] = []
    ) {
        precondition(
            Int(recordEnds.last ?? 0) <= slab.count, "records end beyond the slab's bytes")
        self.lane = lane
        self.slab = slab
        self.recordEnds = recordEnds
        self.file = file
        self.stream = stream
        self.generation = generation
        self.range = range
        self.anchor = anchor
        self.credit = credit
        self.recordOffsets = recordOffsets
        self.headers = headers
        self.others = others
    }

    /// Goes through all that is done with when the batch is released, of whichever file.
    package func forEachPart(_ body: (Part) -> Void) {
        body(Part(file: file, generation: generation, range: range, anchor: anchor))
        for part in others { body(part) }
    }

    /// Records in it; 0 is allowed.
    package var count: Int { recordEnds.count }

    /// Index in the slab of the first byte of record `index`.
    func start(of index: Int) -> Int { index == 0 ? 0 : Int(recordEnds[index - 1]) }

    /// Bytes of the values of `records`.
    func bytes(of records: Range<Int>) -> Int {
        records.isEmpty
            ? 0 : Int(recordEnds[records.upperBound - 1]) - start(of: records.lowerBound)
    }

    /// Where in the file record `index` begins.
    package func fileOffset(of index: Int) -> LogicalOffset {
        range.start + (index < recordOffsets.count ? Int(recordOffsets[index]) : 0)
    }

    /// As a document has it: of the same bytes of the same file it is always the same.
    package func id(of index: Int) -> String {
        let digits = String(UInt64(truncatingIfNeeded: fileOffset(of: index).bytes), radix: 16)
        return generation.digits + "-" + String(repeating: "0", count: 16 - digits.count) + digits
    }

    /// Lends the value of record `index`.
    package func withValue<R>(of index: Int, _ body: (Span<UInt8>) -> R) -> R {
        slab.withBytes(start(of: index)..<Int(recordEnds[index]), body)
    }

    /// The record whose value starts at `offset` of the slab; of several (empty values) the first,
    /// which errs towards sending one again.
    func record(at offset: Int) -> Int {
        var low = 0
        var high = recordEnds.count
        while low < high {
            let middle = (low + high) / 2
            if start(of: middle) < offset { low = middle + 1 } else { high = middle }
        }
        return low
    }

    /// Gets the counters ready for a pass over `records`.
    func beginPass(_ records: Range<Int>, bytes: Int, now: Int64) {
        outstanding = records.count
        firstFailed = nil
        passBytes = bytes
        passBegan = now
    }
}
