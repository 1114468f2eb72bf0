import FoundationEssentials
import Model
import Platform
import Settings

/// The answer of `/status`: how a running agent is, as an object of JSON. docs/status.md says what
/// its keys mean, and they stay.
struct AgentStatus: Codable, Hashable, Sendable {
    struct Condition: Codable, Hashable, Sendable {
        let name: String
        /// Nil: it is met.
        let fault: String?
    }

    let version: String
    let pid: Int
    let node: String
    /// The file, as it was named.
    let config: String
    let configHash: UInt64?
    let data: String
    let inputs: [String]
    let started: String?
    let now: String
    let ready: Bool
    let conditions: [Condition]
    let recordsDelivered: Int
    let bytesDelivered: Int
    let bytesRead: Int
    let bytesUnread: Int
    let bytesInFlight: Int
    let recordsWaiting: Int
    let bytesLost: Int
    let archivesLost: Int
    let archivesDamaged: Int
    let filesVanished: Int
    let filesPassedOver: Int
    let recordsRejected: Int
    let brokersReachable: Bool
    let brokersConnected: Int
    let lastAcknowledgement: String?
    let streams: Int
    let streamsBlocked: Int
    let streamsStarved: Int
    let files: Int
    let filesOpen: Int
    let filesHeld: Int
    let bytesHeld: Int
    let filesUnreadable: Int
    let directories: Int
    let directoriesUnwatched: Int
    let mountsSilent: Int
    let rotations: Int
    let rotationsFailed: Int
    let registryEntries: Int
    let registryWritten: Bool
    let reloadsApplied: Int
    let reloadsRefused: Int
    let memoryBytes: Int?
    let cpuSeconds: Double?
    /// The last warnings and errors of its log.
    let log: [String]

    init(_ settings: Settings, _ figures: Figures, _ health: Health, faults: [String]) {
        version = Version.text
        pid = Int(ProcessContext.number)
        node = settings.node
        config = settings.file
        configHash = figures.configHash
        data = settings.data
        inputs = settings.inputs.map(\.name)
        started = figures.processStart.map { Timestamp(nanoseconds: $0).description }
        now = Timestamp.now().description
        ready = health.ready.areMet
        conditions = health.ready.map { Condition(name: $0.name, fault: $0.fault) }
        recordsDelivered = figures.recordsDelivered
        bytesDelivered = figures.bytesDelivered
        bytesRead = figures.bytesRead
        bytesUnread = figures.unreadBytes
        bytesInFlight = figures.inFlightBytes
        recordsWaiting = figures.recordsWaiting
        bytesLost = figures.bytesLost.values.reduce(0, +|)
        archivesLost = figures.archivesMissed
        archivesDamaged = figures.archivesDamaged
        filesVanished = figures.filesGone
        filesPassedOver = figures.filesPassedOver
        recordsRejected = figures.recordsRejected.values.reduce(0, +|)
        brokersReachable = figures.isBrokerReached
        brokersConnected = figures.brokersConnected
        lastAcknowledgement = figures.lastAcknowledgement.map {
            Timestamp(nanoseconds: $0).description
        }
        streams = figures.streams
        streamsBlocked = figures.streamsBlocked
        streamsStarved = figures.streamsStarved
        files = figures.files
        filesOpen = figures.openFiles
        filesHeld = figures.heldFiles
        bytesHeld = figures.heldBytes
        filesUnreadable = figures.unreadable
        directories = figures.directories
        directoriesUnwatched = figures.unwatchedDirectories
        mountsSilent = figures.mountsSilent
        rotations = figures.rotations
        rotationsFailed = figures.failedRotations
        registryEntries = figures.registryEntries
        registryWritten = figures.isRegistryWritten
        reloadsApplied = figures.reloads[.applied] ?? 0
        reloadsRefused = figures.reloads[.refused] ?? 0
        memoryBytes = figures.process?.residentBytes
        cpuSeconds = figures.process.map { Double($0.cpuNanoseconds) / 1_000_000_000 }
        log = faults
    }

    /// One object, with a line end.
    var json: [UInt8] {
        let encoder = JSONEncoder()
        encoder.keyEncodingStrategy = .convertToSnakeCase
        encoder.outputFormatting = [.sortedKeys, .withoutEscapingSlashes]
        do {
            return Array(try encoder.encode(self)) + [UInt8(ascii: "\n")]
        } catch {
            // Only a number that is none could not be encoded, and there is no such.
            return Array("{}\n".utf8)
        }
    }

    /// Nil for bytes that are no such object.
    init?(json: [UInt8]) {
        let decoder = JSONDecoder()
        decoder.keyDecodingStrategy = .convertFromSnakeCase
        do {
            self = try decoder.decode(AgentStatus.self, from: Data(json))
        } catch {
            return nil
        }
    }
}
