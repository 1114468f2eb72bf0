import Kafka
import Platform
import Registry
import Settings
import Tailer

/// The stages of the pipeline, in the order of their start.
extension RunningStages<Shutdown> {
    /// Opens the registry, which holds the data directory from then on.
    mutating func startRegistry(
        _ settings: Settings, _ counted: CountedEvents
    ) throws(PipelineError) -> Registry {
        let registry = try start(orThrow: PipelineError.registry) { () throws(RegistryError) in
            try Registry.open(
                directory: settings.data, observer: counted,
                allowsCuts: RotationRound.isAsked(settings))
        } stop: {
            $1.stop($0)
        }
        // The registry tells it events, and would be kept by it, with all that it has open.
        counted.nameFiles { [weak registry] in registry?.entry($0)?.path }
        return registry
    }

    /// Starts the thread that saves positions; what was delivered until it stops is saved by it.
    mutating func startKeeper(
        _ settings: Settings, _ log: Log, _ registry: Registry, _ ledger: DeliveryLedger,
        _ agent: AgentID, _ outOfSight: [OutOfSightLooks], _ counters: Counters
    ) throws(PipelineError) -> RegistryKeeper {
        try start(orThrow: PipelineError.system) { () throws(SystemError) in
            try RegistryKeeper(
                registry, interval: settings.registry.sync, agent: agent, log: log,
                taken: { counters.bytesTaken }, outOfSight: outOfSight)
        } stop: {
            $1.stop($0, ledger)
        }
    }

    /// Starts the client of Kafka, and with `brokers: embedded` the broker that it talks to, which
    /// ends with whoever has it, unless there is a `known` one.
    mutating func startProducer(
        _ settings: Settings, once: Bool, _ ledger: DeliveryLedger, _ doorbell: Doorbell,
        _ counted: CountedEvents, _ registry: Registry, broker known: EmbeddedBroker?
    ) throws(PipelineError) -> (Producer, EmbeddedBroker?) {
        var (kafka, broker) = try PipelineError.telling(PipelineError.kafka) {
            () throws(KafkaError) in
            try KafkaSettings.from(settings, broker: known)
        }
        kafka.spread = FleetSpread(node: settings.node, isFleet: settings.isNodeNamed && !once)
        let producer = try start(orThrow: PipelineError.kafka) { () throws(KafkaError) in
            try Producer(
                settings: kafka, handler: { ledger.delivered($0) },
                answered: { doorbell.ring() },
                deadLetters: DeadLetters.from(settings) { [weak registry] in
                    registry?.entry($0)?.path
                },
                observer: counted)
        } stop: {
            $1.stop($0)
        }
        return (producer, broker)
    }

    /// Starts the thread that rotates logs, where any input asks for that. It asks the reader of
    /// this machine's own disks for each file.
    mutating func startRotations(
        _ settings: Settings, _ registry: Registry, _ readers: Readers, _ territories: Territories,
        _ counters: Counters, _ log: Log
    ) throws(PipelineError) -> Rotations? {
        guard RotationRound.isAsked(settings) else { return nil }
        var parts = RotationRun.Parts(registry: registry)
        parts.lend = { readers.lend($0.file, $0.identity, upTo: $1) }
        parts.giveBack = { readers.giveBack($0.file, $0.identity, base: $1, beginsWith: $2) }
        let shared = parts
        return try start(orThrow: PipelineError.system) { () throws(SystemError) in
            try Rotations(
                settings, shared, counters: counters, log: log,
                isNear: { territories.reader(of: $0) == 0 })
        } stop: { (rotations: Rotations, shutdown: inout Shutdown) in
            shutdown.stop(rotations)
        }
    }

    /// Starts the readers, and with them everything.
    mutating func startReaders(
        _ plan: ReaderPlan, _ doorbell: Doorbell, _ end: PipelineEnd, _ events: EventLog
    ) throws(PipelineError) -> Readers {
        try start(orThrow: PipelineError.system) { () throws(SystemError) in
            try Readers(
                plan.territories, once: plan.once, doorbell: doorbell,
                ended: { end.readerEnded($0) }, told: { events.report($0) }, make: plan.start)
        } stop: {
            $1.stop($0)
        }
    }
}
