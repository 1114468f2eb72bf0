import Kafka
import Platform
import Tailer

/// Everything that metrics tell, at about one moment; plain values. Times are nanoseconds since
/// 1970.
struct Figures: Sendable {
    /// The journal's fsyncs, and the time that all of them took.
    struct Syncs: Hashable, Sendable {
        var count = 0
        var nanoseconds: Int64 = 0
    }

    var recordsDelivered = 0
    var bytesDelivered = 0
    var bytesRead = 0
    var bytesUndelivered = 0
    var bytesLost: [LossReason: Int] = [:]
    var archivesMissed = 0
    var filesGone = 0
    var filesPassedOver = 0
    var archivesDamaged = 0
    var archivesUnmatched = 0
    var holeBytes = 0
    var linesLeftOut = 0
    var rotations = 0
    var failedRotations = 0
    var rotatedBytes = 0
    var packedArchives = 0
    var removedArchives = 0
    var linesUndecided = 0
    var matchesMasked = 0
    var linesMalformed = 0
    var unreadable = 0
    var mountsSilent = 0
    var unreadBytes = 0
    var inFlightBytes = 0
    var inFlightLimit = 0
    var recordsWaiting = 0
    var recordsRejected: [String: Int] = [:]
    var deadLetters = 0
    var topics = 0
    var topicsLimit = 0
    var topicsRefused = 0
    var lastAcknowledgement: Int64?
    var isBrokerReached = false
    var brokersConnected = 0
    /// How often a connection failed, by the cause.
    var brokerTroubles: [BrokerTrouble.Cause: Int] = [:]
    var requestsSent = 0
    var requestBytes = 0
    /// By brokers, because of quotas, nanoseconds.
    var throttled: Int64 = 0
    var streams = 0
    var streamsStarved = 0
    var streamsBlocked = 0
    var files = 0
    var openFiles = 0
    var openFilesLimit = 0
    var heldFiles = 0
    var heldBytes = 0
    var heldBytesLimit = 0
    var directories = 0
    var watches = 0
    var watchesLimit = 0
    var unwatchedDirectories = 0
    var registryEntries = 0
    var journalBytes = 0
    var unsavedFiles = 0
    var isRegistryWritten = false
    var syncs = Syncs()
    var lastSave: Int64?
    var logLinesLost = 0
    /// Of the configuration that runs.
    var configHash: UInt64?
    var reloads: [Reloads.Result: Int] = [:]
    /// Nil where /proc cannot be read.
    var process: ProcessFigures?
    var processStart: Int64?
}
