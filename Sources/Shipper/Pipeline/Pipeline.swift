package import HTTPServer
package import Kafka
import Model
package import Platform
package import Registry
package import Settings
import Synchronization
package import Tailer

/// Why the pipeline could not start.
package enum PipelineError: Error, CustomStringConvertible {
    case registry(RegistryError)
    case kafka(KafkaError)
    /// Metrics and health cannot be served where the settings say.
    case http(HTTPError)
    case system(SystemError)

    package var description: String {
        switch self {
        case .registry(let error): "\(error)"
        case .kafka(let error): "\(error)"
        case .http(let error): "http.listen: \(error); name a free ADDRESS:PORT, or none"
        case .system(let error): "\(error)"
        }
    }
}

/// The stages put together: registry, Kafka and Tailer, started in that order and stopped in the
/// reverse one. The only place where they meet. Sendable.
package final class Pipeline: Sendable {
    /// The figures of all readers and of the poller together, for metrics.
    package let counters: Counters
    /// Followed files that may have a descriptor at a time.
    let openFiles: Int
    /// inotify watches that there may be at a time.
    let watches: Int
    let settings: Settings
    let registry: Registry
    let producer: Producer
    private let broker: EmbeddedBroker?
    let readers: Readers
    let territories: Territories
    let keeper: RegistryKeeper
    private let vanished: [VanishedLooks]
    let budget: InFlightBudget
    private let ledger: DeliveryLedger
    let log: Log
    let counted: CountedEvents
    let end: PipelineEnd
    let isStopping = Atomic(false)
    /// Wall clock, nanoseconds; nil where /proc cannot be read.
    let processStart: Int64?

    /// How a run ended.
    package struct Outcome: Sendable {
        /// Records that were read and not acknowledged; they are read again by the next run.
        package let undelivered: Int
        /// With `once`, what is left of what was there.
        let left: Leftovers
        /// Logs and directories that are read at this moment, by calls that do not come back.
        let hanging: [String]
    }

    /// Files and bytes that were there and that a run with `once` has not shipped.
    struct Leftovers: Sendable {
        /// Files with bytes that were not read or not delivered.
        let files: Int
        let bytes: Int
        let reading: TailerLeftovers

        init(_ reading: TailerLeftovers, undelivered: [FileID: Int]) {
            let all = reading.files.merging(undelivered) { unread, sent in
                let (sum, overflow) = unread.addingReportingOverflow(sent)
                return overflow ? .max : sum
            }
            files = all.count
            bytes = all.values.reduce(0) { sum, more in
                let (sum, overflow) = sum.addingReportingOverflow(more)
                return overflow ? .max : sum
            }
            self.reading = reading
        }

        var isNothing: Bool { files == 0 && reading.isNothing }
    }

    /// Starts everything. With `once`, `waitForEnd` returns when what was there is delivered. Tests
    /// shorten the Tailer's intervals. `held` is called when the data directory is this process's
    /// and nothing was read yet.
    package init(
        _ settings: Settings, once: Bool, log: Log, intervals: TailerIntervals = TailerIntervals(),
        held: () throws(PipelineError) -> Void = {}
    ) throws(PipelineError) {
        self.settings = settings
        processStart = ProcessFigures.start
        self.log = log
        let events = EventLog(log)
        let counters = Counters()
        self.counters = counters
        let descriptors = DescriptorPlan(settings, once: once)
        openFiles = descriptors.files
        watches = WatchPlan(settings).most
        let counted = CountedEvents(events)
        self.counted = counted
        let registry: Registry
        do {
            registry = try Registry.open(directory: settings.data, observer: counted)
        } catch {
            throw .registry(error)
        }
        self.registry = registry
        counted.nameFiles { registry.entry($0)?.path }
        do {
            try held()
        } catch {
            registry.close()
            throw error
        }
        let tailing = settings.inputs.map { InputPlan($0, settings.output.kafka).tailing }
        let territories = Readers.territories(tailing)
        self.territories = territories
        // What other readers have is looked at by them, for it may hang.
        registry.renumbered(
            DeviceNumbers.changedInTime(
                registry.entries().filter { territories.reader(of: $0.path) == 0 }
            ) { path in
                log.error(
                    "a directory does not answer; what it has may be sent again",
                    ["path": .text(path)])
            })
        let volumes = VolumeNumbers(
            registry.entries(), booted: Timestamp(nanoseconds: Clock.bootNanoseconds()))
        let budget = InFlightBudget(limit: settings.limits.inFlight)
        self.budget = budget
        let wake = Wake()
        let end: PipelineEnd
        do {
            end = PipelineEnd(try Wakeup())
        } catch {
            registry.close()
            throw .system(error)
        }
        self.end = end
        let ledger = DeliveryLedger(
            registry: registry, budget: budget, counters: counters, roomCameBack: { wake.call() },
            allDelivered: { end.look() })
        self.ledger = ledger
        let scans = FirstScans()
        do {
            let (kafka, broker) = try KafkaSettings.from(settings.output.kafka)
            self.broker = broker
            producer = try Producer(
                settings: kafka, handler: { ledger.delivered($0) }, answered: { wake.call() },
                observer: counted)
        } catch {
            registry.close()
            throw .kafka(error)
        }
        do {
            let agent = try AgentID(directory: settings.data)
            // Those on remote file systems may hang.
            let vanished = [false, true].map { isRemote in
                VanishedLooks(
                    VanishedFiles(
                        tailing, registry: registry, ledger: ledger, volumes: volumes,
                        isMine: {
                            let reader = territories.reader(of: $0)
                            return isRemote
                                ? reader != 0 && scans.haveEnded(of: reader) : reader == 0
                        },
                        told: { event in
                            if case .tailer(let event) = event { counters.count(event) }
                            events.report(event)
                        }))
            }
            self.vanished = vanished
            let keeper = try RegistryKeeper(
                registry, interval: settings.registry.sync, agent: agent, log: log,
                taken: { counters.bytesTaken }, vanished: vanished)
            self.keeper = keeper
            let newInputs = FileMemory.newInputs(settings, registry)
            let parts = ReaderOutput.Parts(
                settings: settings, registry: registry, producer: producer, budget: budget,
                ledger: ledger, counters: counters,
                agent: agent.identity, events: events,
                longestRecord: settings.longestRecord, volumes: volumes,
                scanned: { reader in
                    scans.ended(of: reader)
                    guard reader == 0 else { return }
                    keeper.scanned()
                    end.scanned()
                })
            let (openFiles, watches) = (openFiles, watches)
            let startTimes = StartTimes(witness: Self.witness(settings))
            let mountFiles = descriptors.files(perReader: Territories.most)
            readers = try Readers(
                territories, once: once, ended: { end.readerEnded($0) },
                told: { events.report($0) }
            ) { (territory, isFirst, ended) throws(SystemError) in
                // The others have a part of what the first one has, in addition.
                let part = territory.reader == 0 ? 1 : Readers.part
                return try Tailer(
                    inputs: tailing, once: once, intervals: intervals,
                    openFiles: territory.reader == 0 ? openFiles : mountFiles,
                    heldBytes: settings.limits.heldBytes / part,
                    watches: max(1, watches / part), territory: territory,
                    startTimes: startTimes,
                    output: {
                        if territory.reader > 0 {
                            registry.renumbered(
                                DeviceNumbers.changed(
                                    registry.entries().filter {
                                        territories.reader(of: $0.path) == territory.reader
                                    }))
                        }
                        return ReaderOutput(
                            parts, territory: territory, newInputs: isFirst ? newInputs : [])
                    },
                    ended: ended)
            }
        } catch {
            _ = producer.stop(deadline: .zero)
            registry.close()
            throw .system(error)
        }
        wake.set { [readers] in readers.wake() }
    }

    /// The lock of the data directory, which was written a moment ago: often it lies where logs do,
    /// and then it tells what time it is there.
    private static func witness(_ settings: Settings) -> FileStatus? {
        do throws(SystemError) {
            return try FileStatus.glance(at: Array("\(settings.data)/lock".utf8))
        } catch {
            // The logs' own times have to do.
            return nil
        }
    }

    /// Why a wait for the end was over.
    package enum End: Hashable, Sendable {
        /// With `once`: everything that could be read is delivered.
        case done
        case interrupted
        case timedOut
    }

    /// With `once`, when everything was looked at: counts what is unread of files that are nowhere.
    /// A file system that does not answer is left out.
    package func countVanished() {
        for looks in vanished {
            if !looks.end(within: Self.vanishedPatience) {
                log.error("files that are gone could not be looked for: a disk does not answer")
            }
        }
    }

    /// Blocks until `interrupt`, or with `once` until everything that was there is delivered, or
    /// until `timeout` is over. Throws what kept the reader from running.
    @discardableResult
    package func waitForEnd(timeout: Duration? = nil) throws(PipelineError) -> End {
        do {
            return try end.wait(timeout: timeout, isDelivered: { [budget] in budget.held == 0 })
        } catch {
            throw .system(error)
        }
    }

    /// Waits until every directory was scanned once.
    package func waitForFirstScan() { end.waitForScan() }

    /// Bytes of credit that are held: what was read and is not yet acknowledged; any thread.
    package var inFlight: Int { budget.held }

    /// Makes `waitForEnd` return; any thread.
    package func interrupt() { end.interrupt() }

    /// Stops reading, waits for what was read to be delivered, for `shutdown_timeout` at most
    /// unless told otherwise, saves positions, lets everything go.
    ///
    /// A reader that hangs with a file system is left to it: what it was about to read is in its
    /// file, and what it does when its call comes back reaches neither Kafka nor the registry.
    package func stop(within deadline: Duration? = nil) -> Outcome {
        isStopping.store(true, ordering: .relaxed)
        let patience = (deadline ?? settings.shutdownTimeout).wholeNanoseconds
        let began = Clock.monotonicNanoseconds()
        let forReader = min(
            max(patience / 2, Self.readerPatience.lowerBound), Self.readerPatience.upperBound)
        let hanging = readers.stop(within: forReader)
        let left = max(0, patience - (Clock.monotonicNanoseconds() - began))
        let undelivered = producer.stop(deadline: .nanoseconds(left))
        ledger.saveSizes()
        if keeper.stop(within: Self.keeperPatience) {
            registry.close()
        } else {
            // It hangs in an fsync, and another one would: everything is in the journal, if not on
            // its disk.
            log.error("the data directory does not answer; its journal is not forced to the disk")
        }
        return Outcome(
            undelivered: undelivered,
            left: Leftovers(readers.leftovers, undelivered: ledger.undelivered), hanging: hanging)
    }

    /// The logs and directories that readers are at; any thread.
    package var places: [String] { readers.places }

    /// A reader that works ends within milliseconds, however short `shutdown_timeout` is, and if a
    /// disk is slow within a second or a few.
    private static let readerPatience: ClosedRange<Int64> = 1_000_000_000...5_000_000_000
    private static let keeperPatience: Int64 = 2_000_000_000
    /// One lstat(2) takes microseconds, and of a hundred thousand entries a second.
    private static let vanishedPatience: Int64 = 10_000_000_000

    /// Ends a wait for deliveries that is under way in `stop`, or that is still to come; any
    /// thread.
    package func hurry() { _ = producer.stop(deadline: .zero) }
}

/// A call that is known only after those who make it were built.
private final class Wake: Sendable {
    private struct State {
        var target: (@Sendable () -> Void)?
        /// Called before there was a target: it is made up for as soon as there is one.
        var isPending = false
    }
    private let state = Mutex(State())

    func set(_ target: @escaping @Sendable () -> Void) {
        let isPending = state.withLock { state in
            state.target = target
            return state.isPending
        }
        if isPending { target() }
    }

    func call() {
        let target = state.withLock { state in
            state.isPending = state.target == nil
            return state.target
        }
        target?()
    }
}

/// Where the pipeline's progress is waited for. One thread waits at a time.
final class PipelineEnd: Sendable {
    private struct State {
        var hasReaderEnded = false
        var isInterrupted = false
        var isScanned = false
        var error: SystemError?
    }
    private let state = Mutex(State())
    private let wakeup: Wakeup

    init(_ wakeup: Wakeup) { self.wakeup = wakeup }

    func scanned() {
        state.withLock { $0.isScanned = true }
        wakeup.wake()
    }

    func readerEnded(_ error: SystemError?) {
        state.withLock { state in
            state.hasReaderEnded = true
            state.error = error
        }
        wakeup.wake()
    }

    func interrupt() {
        state.withLock { $0.isInterrupted = true }
        wakeup.wake()
    }

    /// Whoever waits looks again.
    func look() { wakeup.wake() }

    func wait(
        timeout: Duration? = nil, isDelivered: () -> Bool
    ) throws(SystemError) -> Pipeline.End {
        let deadline = timeout.map { duration in
            let (seconds, attoseconds) = duration.components
            let nanoseconds = min(seconds, 1_000_000_000) * 1_000_000_000
            return Clock.monotonicNanoseconds() + nanoseconds + attoseconds / 1_000_000_000
        }
        while true {
            let now = state.withLock { $0 }
            if let error = now.error { throw error }
            if now.hasReaderEnded, isDelivered() { return .done }
            if now.isInterrupted { return .interrupted }
            let rest = deadline.map { $0 - Clock.monotonicNanoseconds() }
            if let rest, rest <= 0 { return .timedOut }
            wakeup.wait(nanoseconds: rest)
        }
    }

    var isScanned: Bool { state.withLock { $0.isScanned } }

    func waitForScan() {
        while !state.withLock({ $0.isScanned || $0.hasReaderEnded || $0.isInterrupted }) {
            wakeup.wait(nanoseconds: nil)
        }
    }
}
