import Synchronization

/// What the pipeline did since its start. Sendable; any thread.
package final class Counters: Sendable {
    private let records = Atomic<Int>(0)
    private let bytes = Atomic<Int>(0)
    private let bytesRead = Atomic<Int>(0)
    /// Bytes by reason; reasons are words of the Tailer, so their number is small.
    private let bytesLost = Mutex<[String: Int]>([:])
    private let archivesMissed = Atomic<Int>(0)
    private let holes = Atomic<Int>(0)
    private let troubles = Atomic<Int>(0)

    package init() {}

    /// Records acknowledged by Kafka.
    package var recordsDelivered: Int { records.load(ordering: .relaxed) }
    /// Bytes of files that they, and skipped empty lines, stand for.
    package var bytesDelivered: Int { bytes.load(ordering: .relaxed) }
    /// Bytes of files handed to the producer.
    package var bytesTaken: Int { bytesRead.load(ordering: .relaxed) }
    /// Bytes that were on the disk and could not be read before they were gone.
    package var bytesGone: Int { bytesLost.withLock { $0.values.reduce(0, +) } }
    /// The same by reason.
    package var bytesGoneByReason: [String: Int] { bytesLost.withLock { $0 } }
    /// Archives that were removed between their sighting and their opening.
    package var archivesGone: Int { archivesMissed.load(ordering: .relaxed) }
    /// Zeros that nobody wrote and that were passed over.
    package var holeBytes: Int { holes.load(ordering: .relaxed) }

    /// Files and directories that could not be read and have not been since.
    package var unreadable: Int { troubles.load(ordering: .relaxed) }

    func unreadable(_ change: Int) { troubles.add(change, ordering: .relaxed) }
    func delivered(records count: Int, bytes range: Int) {
        records.add(count, ordering: .relaxed)
        bytes.add(range, ordering: .relaxed)
    }
    func taken(_ count: Int) { bytesRead.add(count, ordering: .relaxed) }
    func lost(_ count: Int, _ reason: String) {
        bytesLost.withLock { $0[reason, default: 0] += count }
    }
    func missedArchive() { archivesMissed.add(1, ordering: .relaxed) }
    func skippedHole(_ count: Int) { holes.add(count, ordering: .relaxed) }
}
