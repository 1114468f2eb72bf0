import Encoding
import Model
import Platform
import Synchronization
import Tailer

/// Counts all that the pipeline did since its start. Sendable; any thread.
package final class Counters: Sendable {
    private let records = SaturatingCounter()
    private let bytes = SaturatingCounter()
    private let bytesRead = SaturatingCounter()
    private let bytesGivenUp = SaturatingCounter()
    private let lostBytes = Mutex<[LossReason: Int]>([:])
    private let missedArchives = SaturatingCounter()
    private let filesPassed = SaturatingCounter()
    private let goneFiles = SaturatingCounter()
    private let holes = SaturatingCounter()
    private let malformedLines = SaturatingCounter()
    private let recordsSent = SaturatingCounter()
    private let archivesDamaged = SaturatingCounter()
    private let archivesUnmatched = SaturatingCounter()
    private let leftOut = SaturatingCounter()
    private let undecided = SaturatingCounter()
    private let masked = SaturatingCounter()
    private let rotationsDone = SaturatingCounter()
    private let rotationsFailed = SaturatingCounter()
    private let bytesRotated = SaturatingCounter()
    private let archivesPacked = SaturatingCounter()
    private let archivesRemoved = SaturatingCounter()
    /// Wall clock, nanoseconds; 0 before the first.
    private let acknowledged = Atomic<Int64>(0)

    package init() {}

    /// Records acknowledged by Kafka.
    package var recordsDelivered: Int { records.now }
    /// Bytes of files that they, and skipped empty lines, stand for.
    package var bytesDelivered: Int { bytes.now }
    /// Bytes of files handed to the producer.
    package var bytesTaken: Int { bytesRead.now }
    /// Those of them that no delivery is awaited of any more: they are read again.
    var bytesUndelivered: Int { bytesGivenUp.now }
    /// Bytes that were on the disk and could not be read before they were gone.
    package var bytesLost: Int { lostBytes.withLock { $0.values.reduce(0, +|) } }
    /// The same by reason.
    var bytesLostByReason: [LossReason: Int] { lostBytes.withLock { $0 } }
    /// Compressed files whose rest, of unknown size, is damaged.
    var damagedArchives: Int { archivesDamaged.now }
    /// Archives that a processor made, and that may hold lines that were shipped already.
    var unmatchedArchives: Int { archivesUnmatched.now }
    /// Archives that were removed between their sighting and their opening, or that are compressed
    /// by what cannot be read.
    package var archivesMissed: Int { missedArchives.now }
    /// Files that went while nobody looked, and with them whatever was written to them after the
    /// last look.
    package var filesGone: Int { goneFiles.now }
    /// Files that could not be read for so long that their streams went on without them.
    package var filesPassedOver: Int { filesPassed.now }
    /// Zeros that nobody wrote and that were passed over.
    package var holeBytes: Int { holes.now }

    /// Lines that an input's settings left out.
    package var linesLeftOut: Int { leftOut.now }
    /// Records of lines that an expression reached a limit on.
    package var linesUndecided: Int { undecided.now }
    /// Matches of masks that were replaced.
    package var matchesMasked: Int { masked.now }
    /// Lines that were not as their format has them, and were shipped as they are.
    package var linesMalformed: Int { malformedLines.now }

    /// Fronts of logs that were removed, and are in archives.
    package var rotations: Int { rotationsDone.now }
    /// Times that one could not be, and was not tried again at once.
    package var failedRotations: Int { rotationsFailed.now }
    /// Bytes of those fronts.
    package var rotatedBytes: Int { bytesRotated.now }
    /// Archives of logs that were compressed.
    package var packedArchives: Int { archivesPacked.now }
    /// Archives of logs that were removed for their age or number of bytes.
    package var removedArchives: Int { archivesRemoved.now }

    /// Records handed to the producer and not yet acknowledged.
    var recordsWaiting: Int { max(0, recordsSent.now -| recordsDelivered) }
    /// When Kafka acknowledged something last, nanoseconds since 1970; nil when it never did.
    var lastAcknowledgement: Int64? {
        let time = acknowledged.load(ordering: .relaxed)
        return time == 0 ? nil : time
    }

    func delivered(records count: Int, bytes range: Int) {
        records.add(count)
        bytes.add(range)
    }
    func acknowledgedNow() { acknowledged.store(Clock.wallNanoseconds(), ordering: .relaxed) }
    func sent(records count: Int) { recordsSent.add(count) }
    func ruled(_ counts: LineCounts) {
        guard counts != .none else { return }
        leftOut.add(counts.leftOut)
        undecided.add(counts.undecided)
        masked.add(counts.masked)
        malformedLines.add(counts.undecoded)
    }
    func taken(_ count: Int) { bytesRead.add(count) }
    /// The producer has ended: what is not delivered will not be.
    func settle() {
        recordsSent.add(recordsDelivered -| recordsSent.now)
        bytesGivenUp.add(max(0, bytesTaken -| bytesDelivered) -| bytesGivenUp.now)
    }
    func rotated(bytes count: Int) {
        rotationsDone.add(1)
        bytesRotated.add(count)
    }
    func archivePacked() { archivesPacked.add(1) }
    func archiveRemoved() { archivesRemoved.add(1) }
    func rotationFailed() { rotationsFailed.add(1) }
    func malformed(lines count: Int) { malformedLines.add(count) }
    func lost(_ count: Int, _ reason: LossReason) {
        lostBytes.withLock { $0[reason, default: 0] +|= count }
    }

    /// Whatever of it is a number.
    func count(_ event: TailerEvent) {
        switch event {
        case .lost(_, let range, let reason): lost(range.count, reason)
        case .missed, .notReadable: missedArchives.add(1)
        case .damaged: archivesDamaged.add(1)
        case .hole(_, let range): holes.add(range.count)
        case .unmatched: archivesUnmatched.add(1)
        case .passedOver: filesPassed.add(1)
        case .goneUnseen: goneFiles.add(1)
        case .linkNotFollowed, .linkDangles, .linkLeads,
            .unreadable, .unlistable, .readableAgain, .unreadableGone, .foundElsewhere, .refused,
            .excludedDirectory, .unwatched, .watchesShort, .inotifyMissing, .inotifyFound,
            .overflow, .archivesForgotten, .opened, .truncated, .rewritten, .copied, .compressedAs,
            .endsEarly, .processed:
            break
        }
    }
}
