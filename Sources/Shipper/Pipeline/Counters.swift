import Synchronization

/// What the pipeline did since its start. Sendable; any thread.
package final class Counters: Sendable {
    private let records = Atomic<Int>(0)
    private let bytes = Atomic<Int>(0)
    private let bytesRead = Atomic<Int>(0)
    private let bytesLost = Atomic<Int>(0)
    private let troubles = Atomic<Int>(0)

    package init() {}

    /// Records acknowledged by Kafka.
    package var recordsDelivered: Int { records.load(ordering: .relaxed) }
    /// Bytes of files that they, and skipped empty lines, stand for.
    package var bytesDelivered: Int { bytes.load(ordering: .relaxed) }
    /// Bytes of files handed to the producer.
    package var bytesTaken: Int { bytesRead.load(ordering: .relaxed) }
    /// Bytes that were on the disk and could not be read before they were gone.
    package var bytesGone: Int { bytesLost.load(ordering: .relaxed) }

    /// Files and directories that could not be read and have not been since.
    package var unreadable: Int { troubles.load(ordering: .relaxed) }

    func unreadable(_ change: Int) { troubles.add(change, ordering: .relaxed) }
    func delivered(records count: Int, bytes range: Int) {
        records.add(count, ordering: .relaxed)
        bytes.add(range, ordering: .relaxed)
    }
    func taken(_ count: Int) { bytesRead.add(count, ordering: .relaxed) }
    func lost(_ count: Int) { bytesLost.add(count, ordering: .relaxed) }
}
