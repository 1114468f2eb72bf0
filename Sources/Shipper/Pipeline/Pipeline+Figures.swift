import Kafka
import Model
import Platform
import Registry
import Settings
import Synchronization
import Tailer

/// The pipeline as it is seen from outside; any thread, also after it has stopped. Nothing here
/// waits for a disk, a broker or a thread that is asked about.
extension Pipeline {
    /// The numbers that metrics tell, of this moment.
    var figures: Figures {
        var figures = Figures()
        figures.recordsDelivered = counters.recordsDelivered
        figures.bytesDelivered = counters.bytesDelivered
        figures.bytesRead = counters.bytesTaken
        figures.bytesUndelivered = counters.bytesUndelivered
        figures.bytesLost = counters.bytesLostByReason
        figures.archivesMissed = counters.archivesMissed
        figures.filesGone = counters.filesGone
        figures.filesPassedOver = counters.filesPassedOver
        figures.archivesDamaged = counters.damagedArchives
        figures.archivesUnmatched = counters.unmatchedArchives
        figures.holeBytes = counters.holeBytes
        figures.linesLeftOut = counters.linesLeftOut
        figures.rotations = counters.rotations
        figures.failedRotations = counters.failedRotations
        figures.rotatedBytes = counters.rotatedBytes
        figures.packedArchives = counters.packedArchives
        figures.removedArchives = counters.removedArchives
        figures.linesUndecided = counters.linesUndecided
        figures.matchesMasked = counters.matchesMasked
        figures.linesMalformed = counters.linesMalformed
        figures.unreadable = readers.sum(\.unreadable)
        figures.mountsSilent = readers.silentCount
        figures.inFlightBytes = budget.held
        figures.inFlightLimit = budget.limit
        figures.recordsWaiting = counters.recordsWaiting
        figures.recordsRejected = counted.rejected
        figures.deadLetters = counted.deadLetters
        figures.topics = topics.count
        figures.topicsLimit = topics.limit
        figures.topicsRefused = topics.refusals
        figures.lastAcknowledgement = counters.lastAcknowledgement
        figures.isBrokerReached = producer.brokerReach == .reached
        figures.brokersConnected = producer.connections.brokers
        figures.brokerTroubles = counted.brokerTroubles
        figures.requestsSent = producer.connections.requests
        figures.requestBytes = producer.connections.bytesSent
        figures.throttled = producer.connections.throttled
        figures.streamsBlocked = producer.blockedLanes
        figures.unreadBytes = readers.sum(\.unreadBytes)
        figures.streams = readers.sum(\.streams)
        figures.streamsStarved = readers.sum(\.starvedStreams)
        figures.files = readers.sum(\.files)
        figures.openFiles = readers.sum(\.openFiles)
        figures.openFilesLimit = openFiles
        figures.heldFiles = readers.sum(\.heldFiles)
        figures.heldBytes = readers.sum(\.heldBytes)
        figures.heldBytesLimit = settings.limits.heldBytes
        figures.directories = readers.sum(\.directories)
        figures.watches = readers.sum(\.watches)
        figures.watchesLimit = watches
        figures.unwatchedDirectories = readers.sum(\.unwatchedDirectories)
        figures.registryEntries = keeper.figures.entries
        figures.journalBytes = keeper.figures.journalBytes
        figures.unsavedFiles = keeper.figures.unsavedFiles
        figures.isRegistryWritten = counted.whyNotSaved == nil
        figures.syncs = counted.registrySyncs
        figures.lastSave = keeper.figures.saved
        figures.logLinesLost = log.linesLost
        figures.process = .current
        figures.processStart = processStart
        return figures
    }

    /// The conditions that `/healthz` and `/readyz` tell, of this moment. `refusal` says why the
    /// newest configuration does not run.
    func health(refusal: String?) -> Health {
        let now = Clock.monotonicNanoseconds()
        return Health(
            Health.Facts(
                refusal: refusal,
                isReaderLate: readers.heartbeat.isLate(now),
                isPollerLate: producer.heartbeat.isLate(now),
                isKeeperLate: keeper.heartbeat.isLate(now),
                whyNotSaved: counted.whyNotSaved, isScanned: end.isScanned,
                brokerReach: producer.brokerReach, brokerTrouble: counted.brokerTrouble,
                producerDeath: producer.death, topics: producer.topicFaults,
                isStopping: isStopping.load(ordering: .relaxed)))
    }
}

extension ProcessFigures {
    /// Nil where /proc cannot be read: metrics are the last to stop anything.
    static var current: ProcessFigures? {
        do throws(SystemError) {
            return try now()
        } catch {
            return nil
        }
    }

    /// When the process was started, nanoseconds since 1970; nil where /proc cannot be read.
    static var start: Int64? {
        do throws(SystemError) {
            return try startNanoseconds()
        } catch {
            return nil
        }
    }
}
