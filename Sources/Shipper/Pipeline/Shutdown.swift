import Kafka
import Platform
import Registry

/// The end of the stages, one after another: how long it may take, and what came of it.
struct Shutdown: Sendable {
    private let log: Log
    /// For all that was read to be delivered, nanoseconds.
    private let patience: Int64
    private let began = Clock.monotonicNanoseconds()
    /// Logs and directories that are read at this moment, by calls that do not come back.
    private(set) var hanging: [String] = []
    /// Records that were read and are not acknowledged.
    private(set) var undelivered = 0
    private var isJournalSilent = false

    /// A reader that works ends within milliseconds, however short `shutdown_timeout` is, and if a
    /// disk is slow within a second or a few.
    private static let readerPatience: ClosedRange<Int64> = 1_000_000_000...5_000_000_000
    /// What is under way is finished: some hundred holes, and one fsync.
    private static let rotatorPatience: Int64 = 5_000_000_000
    private static let keeperPatience: Int64 = 2_000_000_000

    init(patience: Duration, _ log: Log) {
        self.patience = patience.wholeNanoseconds
        self.log = log
    }

    func stop(_ rotations: Rotations) {
        guard !rotations.stop(within: Self.rotatorPatience) else { return }
        log.error("a log's disk does not answer; a rotation of it is finished by the next run")
    }

    mutating func stop(_ readers: Readers) {
        let bounds = Self.readerPatience
        hanging = readers.stop(
            within: min(max(patience / 2, bounds.lowerBound), bounds.upperBound))
    }

    mutating func stop(_ producer: Producer) {
        let left = max(0, patience - (Clock.monotonicNanoseconds() - began))
        undelivered = producer.stop(deadline: .nanoseconds(left))
    }

    mutating func stop(_ keeper: RegistryKeeper, _ ledger: DeliveryLedger) {
        ledger.saveSizes()
        isJournalSilent = !keeper.stop(within: Self.keeperPatience)
    }

    func stop(_ registry: Registry) {
        guard isJournalSilent else { return registry.close() }
        // The keeper hangs in an fsync, and another one would: everything is in the journal, if not
        // on its disk.
        log.error("the data directory does not answer; its journal is not forced to the disk")
    }
}
