package import HTTPServer
package import Kafka
import Model
package import Platform
package import Registry
package import Settings
import Synchronization
package import Tailer

/// The stages put together: registry, its keeper, Kafka and readers, started in that order and
/// stopped in the reverse one. The only place where they meet. Sendable.
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
    /// Whatever is to be stopped at the end; empty from then on.
    private let running: Mutex<RunningStages<Shutdown>>
    let readers: Readers
    let territories: Territories
    let keeper: RegistryKeeper
    private let outOfSight: [OutOfSightLooks]
    private let rotations: Rotations?
    let budget: InFlightBudget
    let topics: TopicPool
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

    /// What a pipeline hands on to its successor in the same process: what was counted goes on from
    /// there, and so does the broker in this process.
    package struct Legacy: Sendable {
        fileprivate let counters: Counters
        fileprivate let counted: CountedEvents
        fileprivate let broker: EmbeddedBroker?
    }

    /// For its successor, after it has stopped.
    var legacy: Legacy { Legacy(counters: counters, counted: counted, broker: broker) }

    /// Starts everything, or nothing: of stages that were started before one that cannot be, none
    /// is left. With `once`, `waitForEnd` returns when what was there is delivered. Tests shorten
    /// the Tailer's intervals. `legacy` is the predecessor's, if there is one. `held` is called
    /// when the data directory is this process's and nothing was read yet.
    package convenience init(
        _ settings: Settings, once: Bool, log: Log, intervals: TailerIntervals = TailerIntervals(),
        legacy: Legacy? = nil, held: () throws(PipelineError) -> Void = {}
    ) throws(PipelineError) {
        var running = RunningStages<Shutdown>()
        do throws(PipelineError) {
            try self.init(settings, once: once, log, intervals, legacy, held, &running)
        } catch {
            var shutdown = Shutdown(patience: .zero, log)
            running.stop(&shutdown)
            throw error
        }
    }

    private init(
        _ settings: Settings, once: Bool, _ log: Log, _ intervals: TailerIntervals,
        _ legacy: Legacy?, _ held: () throws(PipelineError) -> Void,
        _ running: inout RunningStages<Shutdown>
    ) throws(PipelineError) {
        self.settings = settings
        self.log = log
        processStart = ProcessFigures.start
        let descriptors = DescriptorPlan(settings, once: once)
        openFiles = descriptors.files
        watches = WatchPlan(settings).most
        let counters = legacy?.counters ?? Counters()
        self.counters = counters
        let counted = legacy?.counted ?? CountedEvents(EventLog(log))
        self.counted = counted
        let events = counted.events
        if legacy != nil { counted.beginAnew() }

        let registry = try running.startRegistry(settings, counted)
        self.registry = registry
        try held()

        let tailing = settings.inputs.map { InputPlan($0, settings.output.kafka).tailing }
        let territories = Readers.territories(tailing)
        self.territories = territories
        Self.renumber(registry, territories, log)
        RotationRecovery(
            settings: settings, parts: RotationRun.Parts(registry: registry), log: log,
            isNear: { territories.reader(of: $0) == 0 }
        ).run()
        let volumes = VolumeNumbers(
            registry.entries(), booted: Timestamp(nanoseconds: Clock.bootNanoseconds()))
        let budget = InFlightBudget(limit: settings.limits.inFlight)
        self.budget = budget
        let topics = TopicPool(
            limit: settings.limits.topics, fallback: settings.output.kafka.fallbackTopic,
            events: events)
        self.topics = topics
        let doorbell = Doorbell()
        let end = PipelineEnd(try PipelineError.telling(PipelineError.system, Wakeup.init))
        self.end = end
        let ledger = DeliveryLedger(
            registry: registry, budget: budget, counters: counters,
            roomCameBack: { doorbell.ring() }, allDelivered: { end.look() })
        self.ledger = ledger

        let scans = FirstScans()
        let outOfSight = Self.outOfSight(
            tailing, registry, ledger, volumes, territories, scans, counters, events)
        self.outOfSight = outOfSight
        let agent = try PipelineError.telling(PipelineError.system) { () throws(SystemError) in
            try AgentID(directory: settings.data)
        }
        let keeper = try running.startKeeper(
            settings, log, registry, ledger, agent, outOfSight, counters)
        self.keeper = keeper

        (producer, broker) = try running.startProducer(
            settings, once: once, ledger, doorbell, counted, registry, broker: legacy?.broker)

        let plan = ReaderPlan(
            inputs: tailing, once: once, intervals: intervals, settings: settings,
            descriptors: descriptors, watches: watches, territories: territories,
            parts: ReaderOutput.Parts(
                settings: settings, registry: registry, producer: producer, budget: budget,
                ledger: ledger, counters: counters, agent: agent.identity, events: events,
                topics: topics,
                longestRecord: settings.longestRecord, volumes: volumes,
                scanned: { reader in
                    scans.ended(of: reader)
                    guard reader == 0 else { return }
                    keeper.scanned()
                    end.scanned()
                }),
            newInputs: FileMemory.newInputs(settings, registry),
            startTimes: StartTimes(witness: Self.witness(settings)))
        readers = try running.startReaders(plan, doorbell, end, events)
        rotations =
            once
            ? nil
            : try running.startRotations(
                settings, registry, readers, territories, counters, log)
        self.running = Mutex(running)
    }

    /// What other readers have is looked at by them, for it may hang.
    private static func renumber(_ registry: Registry, _ territories: Territories, _ log: Log) {
        registry.renumbered(
            DeviceNumbers.changedInTime(
                registry.entries().filter { territories.reader(of: $0.path) == 0 }
            ) { path in
                log.error(
                    "a directory does not answer; what it has may be sent again",
                    ["path": .text(path)])
            })
    }

    /// Those who look after files on this machine's own disks, and after those on remote file
    /// systems, which may hang.
    private static func outOfSight(
        _ inputs: [TailerInput], _ registry: Registry, _ ledger: DeliveryLedger,
        _ volumes: VolumeNumbers, _ territories: Territories, _ scans: FirstScans,
        _ counters: Counters, _ events: EventLog
    ) -> [OutOfSightLooks] {
        [false, true].map { isRemote in
            OutOfSightLooks(
                OutOfSightFiles(
                    inputs, registry: registry, ledger: ledger, volumes: volumes,
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
        /// It goes on: somebody asked for attention.
        case attention
    }

    /// With `once`, when everything was looked at: counts what is unread of files that are nowhere.
    /// A file system that does not answer is left out.
    package func countOutOfSight() {
        for looks in outOfSight {
            if !looks.end(within: Self.outOfSightPatience) {
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

    /// Why it is better not replaced by another pipeline of this process now.
    enum Obstacle: Hashable, Sendable {
        /// Lines that are on no disk any more, or that no name leads to.
        case onlyCopies
        /// Positions are in memory alone: all since the last that is saved would be sent again.
        case unsaved
        /// What is under way would be sent again.
        case brokersAway
        /// A log's front is being removed.
        case rotating
    }

    /// None: it can be stopped at the cost of a moment. Brokers that do not answer are waited for
    /// unless its successor `connectsElsewhere`. The dearest come first.
    func obstacles(connectsElsewhere: Bool) -> [Obstacle] {
        var obstacles: [Obstacle] = []
        if ledger.hasOnlyCopies || readers.holdOnlyCopies { obstacles.append(.onlyCopies) }
        if counted.whyNotSaved != nil { obstacles.append(.unsaved) }
        if inFlight > 0, !connectsElsewhere, !isReached { obstacles.append(.brokersAway) }
        return obstacles
    }

    /// Whether a broker can be reached.
    var isReached: Bool { producer.brokerReach == .reached }

    /// A successor must not read what its rotator still cuts. False where that has not ended yet:
    /// it is asked again.
    func pauseRotating() -> Bool { rotations?.pause() ?? true }

    /// It is not replaced after all.
    func resumeRotating() { rotations?.resume() }

    /// Bytes of credit that are held: what was read and is not yet acknowledged; any thread.
    package var inFlight: Int { budget.held }

    /// Makes `waitForEnd` return; any thread.
    package func interrupt() { end.interrupt() }

    /// Makes `waitForEnd` return once, and nothing else; any thread.
    func askForAttention() { end.askForAttention() }

    /// Stops reading, waits for what was read to be delivered, for `shutdown_timeout` at most
    /// unless told otherwise, saves positions, lets everything go.
    ///
    /// A reader that hangs with a file system is left to it: what it was about to read is in its
    /// file, and what it does when its call comes back reaches neither Kafka nor the registry.
    package func stop(within deadline: Duration? = nil) -> Outcome {
        isStopping.store(true, ordering: .relaxed)
        var shutdown = Shutdown(patience: deadline ?? settings.shutdownTimeout, log)
        var stages = running.withLock { running in
            defer { running = RunningStages() }
            return running
        }
        for looks in outOfSight { looks.stop() }
        stages.stop(&shutdown)
        let undelivered = ledger.undelivered
        counters.settle()
        return Outcome(
            undelivered: shutdown.undelivered,
            left: Leftovers(readers.leftovers, undelivered: undelivered),
            hanging: shutdown.hanging)
    }

    /// The logs and directories that readers are at; any thread.
    package var places: [String] { readers.places }

    /// One lstat(2) takes microseconds, and of a hundred thousand entries a second.
    private static let outOfSightPatience: Int64 = 10_000_000_000

    /// Ends a wait for deliveries that is under way in `stop`, or that is still to come; any
    /// thread.
    package func hurry() { _ = producer.stop(deadline: .zero) }
}

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

    /// Calls `body`; `told` makes one of these of its error.
    static func telling<Value, Failure: Error>(
        _ told: (Failure) -> PipelineError, _ body: () throws(Failure) -> Value
    ) throws(PipelineError) -> Value {
        do throws(Failure) {
            return try body()
        } catch {
            throw told(error)
        }
    }
}
