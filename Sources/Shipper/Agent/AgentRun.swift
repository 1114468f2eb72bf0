import HTTPServer
import Platform
import Settings
import Tailer

/// A run of the agent: one pipeline after another, each for one configuration, in one process. Used
/// by the main thread.
final class AgentRun {
    private let config: String
    private let once: Bool
    private let log: Log
    private let watch: EndWatch
    private let reloads: Reloads
    private let endpoints: Endpoints
    private var server: HTTPServer?
    /// Those that the pipeline was started with.
    private var settings: Settings
    /// Nil after a reload that could start none.
    private(set) var pipeline: Pipeline?
    /// Of that pipeline, once it has stopped.
    private var outcome: Pipeline.Outcome?
    /// What their files held then.
    private var digests: FileDigests
    /// Settings that wait for calm, and since when that is told.
    private var awaited: (settings: Settings, told: Int64)?

    /// What came of a step on the way to another configuration.
    private enum Step {
        case done
        /// A newer configuration is to be read.
        case superseded
        /// The run ends.
        case ended(Pipeline.End)
    }

    /// What a reload waits for, between two looks.
    private static let look = Duration.milliseconds(100)
    /// For deliveries, while nothing is read: what is not delivered by then is read again.
    private static let mostPatience = Duration.seconds(10)
    /// How often it is told that a reload waits, nanoseconds, and how long it has waited before.
    private static let tellInterval: Int64 = 60_000_000_000
    private static let tellAfter: Int64 = 1_000_000_000
    /// A SIGHUP this long after that was told means it; one much later is another's.
    private static let forced: ClosedRange<Int64> = 2_000_000_000...600_000_000_000
    /// Between two attempts to start again, and how long it is tried, nanoseconds.
    private static let startPauses: ClosedRange<Int64> = 100_000_000...10_000_000_000
    private static let startPatience: Int64 = 60_000_000_000

    /// Starts the first pipeline.
    init(
        _ settings: Settings, config: String, once: Bool, log: Log, watch: EndWatch,
        reloads: Reloads
    ) throws(PipelineError) {
        self.config = config
        self.once = once
        self.log = log
        self.watch = watch
        self.reloads = reloads
        self.settings = settings
        digests = FileDigests(settings.output.kafka)
        let endpoints = Endpoints(reloads)
        self.endpoints = endpoints
        var server: HTTPServer?
        let first: Pipeline
        do throws(PipelineError) {
            first = try Pipeline(settings, once: once, log: log) { () throws(PipelineError) in
                // Who asked for HTTP and cannot have it is told by the start; but another instance,
                // which has it, is told from the data directory.
                server = try endpoints.serve(settings, DescriptorPlan(settings, once: once), log)
            }
        } catch {
            server?.stop()
            throw error
        }
        self.server = server
        follow(first)
    }

    /// Everything that is asked or told of a pipeline goes to this one.
    private func follow(_ pipeline: Pipeline) {
        self.pipeline = pipeline
        watch.follow(pipeline)
        endpoints.follow(pipeline)
        reloads.follow(pipeline, settings)
    }

    /// Those of the moment; any thread may ask for them.
    var figures: @Sendable () -> Figures {
        { [endpoints] in endpoints.figures ?? Figures() }
    }

    /// Of the moment; any thread may ask for it.
    var health: @Sendable () -> Health { { [endpoints] in endpoints.health } }

    /// As the pipeline's, over all reloads until then.
    func waitForEnd(timeout: Duration?) throws(PipelineError) -> Pipeline.End {
        // A run that ends by itself is for the configuration that it began with.
        guard !once else { return try waitForPipeline(timeout: timeout) }
        while true {
            let end = try waitForPipeline(timeout: nil)
            guard end == .attention else { return end }
            while reloads.take() {
                if case .ended(let end) = try reload() { return end }
            }
            reloads.finish()
        }
    }

    /// Nobody but this object has the pipeline while another one is started.
    private func waitForPipeline(timeout: Duration?) throws(PipelineError) -> Pipeline.End {
        guard let pipeline else { return .interrupted }
        return try pipeline.waitForEnd(timeout: timeout)
    }

    /// As the pipeline's; nil where there is none.
    func stop(within deadline: Duration?) -> Pipeline.Outcome? {
        if outcome == nil { outcome = pipeline?.stop(within: deadline) }
        return outcome
    }

    /// Stops answering over HTTP.
    func stopServing() { server?.stop() }

    // MARK: Reload

    /// Reads the configuration again, and runs what it says, or goes on.
    private func reload() throws(PipelineError) -> Step {
        let before = awaited
        awaited = nil
        guard let new = read() else { return .done }
        let held = FileDigests(new.output.kafka)
        let change = SettingsChange(from: settings, to: new, filesDiffer: held != digests)
        if change.sections.contains("log") {
            log.warn("a changed log takes effect at the next start")
        }
        guard change.isApplicable else {
            reloads.note(.unchanged)
            if change.sections.isEmpty {
                log.info("the configuration is the same as before", ["config": .text(config)])
            }
            return .done
        }
        let age = before.flatMap {
            $0.settings == new ? Clock.monotonicNanoseconds() - $0.told : nil
        }
        let isForced = age.map(Self.isMeant) ?? false
        // One that comes at once has not read what it costs yet.
        if let age, age < Self.forced.lowerBound { awaited = before }
        log.info("changing the configuration", change.logged)
        let step = try waitForCalm(new, change, isForced: isForced)
        guard case .done = step else {
            pipeline?.resumeRotating()
            return step
        }
        awaited = nil
        return try replace(with: new, held, serves: change.sections.contains("http"))
    }

    /// Whether another SIGHUP, so many nanoseconds after a wait was told, is to end that wait.
    static func isMeant(_ age: Int64) -> Bool { forced.contains(age) }

    /// Nil: it was said why it is refused.
    private func read() -> Settings? {
        let new: Settings
        do throws(SettingsError) {
            new = try Settings.validated(path: config)
        } catch {
            refuse(error.description)
            return nil
        }
        let untouchable = SettingsChange(from: settings, to: new).untouchable
        guard untouchable.isEmpty else {
            refuse(
                "\(untouchable.joined(separator: ", ")) cannot be changed while the agent "
                    + "runs; stop it and start it anew")
            return nil
        }
        return new
    }

    private func refuse(_ why: String) {
        reloads.note(.refused, refusal: why)
        log.error(
            "the changed configuration is refused; the one before goes on",
            ["config": .text(config), "error": .text(why)])
    }

    /// Waits until nothing would be lost, or sent twice, that need not be, and the rotator rests;
    /// with `isForced` only for what no SIGHUP ends.
    private func waitForCalm(
        _ new: Settings, _ change: SettingsChange, isForced: Bool
    ) throws(PipelineError) -> Step {
        let began = Clock.monotonicNanoseconds()
        var told: Set<Pipeline.Obstacle> = []
        var tellAt = began + Self.tellAfter
        while true {
            let obstacles = obstacles(change, isForced: isForced)
            if obstacles.isEmpty { return .done }
            let now = Clock.monotonicNanoseconds()
            if now >= tellAt || (!told.isEmpty && !told.isSuperset(of: obstacles)) {
                told.formUnion(obstacles)
                tellAt = now + Self.tellInterval
                if awaited == nil { awaited = (new, now) }
                log.warn(
                    "the changed configuration waits",
                    [
                        "for": .text(obstacles.map(\.text).joined(separator: "; ")),
                        "another_SIGHUP": .text(obstacles.map(\.cost).joined(separator: "; ")),
                    ])
            }
            let pause = now - began < 2 * Self.tellAfter ? Self.look : Self.look * 10
            switch try waitForPipeline(timeout: pause) {
            case .timedOut: continue
            case .attention: if reloads.isAsked { return .superseded }
            case let end: return .ended(end)
            }
        }
    }

    private func obstacles(_ change: SettingsChange, isForced: Bool) -> [Pipeline.Obstacle] {
        guard let pipeline else { return [] }
        let all = pipeline.obstacles(connectsElsewhere: change.connectsElsewhere)
            .filter { !isForced || !$0.yields }
        guard all.isEmpty else {
            pipeline.resumeRotating()
            return all
        }
        return pipeline.pauseRotating() ? [] : [.rotating]
    }

    /// Stops the pipeline, and starts another one in its place; where that cannot be, one with the
    /// settings that there were.
    private func replace(
        with new: Settings, _ held: FileDigests, serves: Bool
    ) throws(PipelineError) -> Step {
        guard let (legacy, left) = stopForSuccessor() else { return .ended(.interrupted) }
        do throws(PipelineError) {
            let next = try start(new, legacy, serves: serves)
            (settings, digests) = (new, held)
            follow(next)
        } catch {
            refuse("\(error)")
            return try startAgain(legacy, serves: serves)
        }
        tellApplied(left)
        return .done
    }

    private func tellApplied(_ left: Int) {
        reloads.note(.applied)
        log.info(
            "the changed configuration runs",
            [
                "config": .text(config), "inputs": .count(settings.inputs.count),
                "records_to_send_again": .count(left),
            ])
    }

    /// Nil: the process is to end, and what the pipeline tells of its end is told.
    private func stopForSuccessor() -> (Pipeline.Legacy, undelivered: Int)? {
        guard let pipeline else { return nil }
        let outcome = pipeline.stop(
            within: pipeline.isReached
                ? min(settings.shutdownTimeout, Self.mostPatience) : .zero)
        for place in outcome.hanging {
            log.error(
                "a file system does not answer; its reader is left to it", ["path": .text(place)])
        }
        guard !watch.isAsked else {
            self.outcome = outcome
            return nil
        }
        endpoints.unfollow()
        reloads.unfollow()
        watch.unfollow()
        // Two of them would take twice the memory.
        self.pipeline = nil
        return (pipeline.legacy, outcome.undelivered)
    }

    /// The data directory's disk may be full at this moment, or hang: it is tried for a minute. A
    /// configuration that is put right meanwhile is taken.
    private func startAgain(
        _ legacy: Pipeline.Legacy, serves: Bool
    ) throws(PipelineError) -> Step {
        let until = Clock.monotonicNanoseconds() + Self.startPatience
        var pause = Self.startPauses.lowerBound
        var serves = serves
        while !watch.isAsked {
            var isNew = false
            do throws(PipelineError) {
                if reloads.take(), let new = read() {
                    (isNew, serves) = (true, true)
                    let held = FileDigests(new.output.kafka)
                    let next = try start(new, legacy, serves: serves)
                    (settings, digests) = (new, held)
                    follow(next)
                    tellApplied(0)
                } else {
                    follow(try start(settings, legacy, serves: serves))
                }
                return .done
            } catch {
                if isNew { refuse("\(error)") }
                log.fault(
                    .error, key: "start again", "the agent cannot be started again yet",
                    ["error": "\(error)"])
                guard Clock.monotonicNanoseconds() < until else { throw error }
                rest(pause)
                pause = min(pause * 2, Self.startPauses.upperBound)
            }
        }
        return .ended(.interrupted)
    }

    /// So many nanoseconds, or until something is asked.
    private func rest(_ nanoseconds: Int64) {
        let until = Clock.monotonicNanoseconds() + nanoseconds
        while Clock.monotonicNanoseconds() < until, !watch.isAsked, !reloads.isAsked {
            Clock.sleep(nanoseconds: Self.startPauses.lowerBound / 2)
        }
    }

    private func start(
        _ settings: Settings, _ legacy: Pipeline.Legacy, serves: Bool
    ) throws(PipelineError) -> Pipeline {
        if serves {
            server?.stop()
            server = nil
        }
        return try Pipeline(settings, once: once, log: log, legacy: legacy) {
            () throws(PipelineError) in
            guard serves else { return }
            server = try endpoints.serve(settings, DescriptorPlan(settings, once: once), log)
        }
    }
}

extension Pipeline.Obstacle {
    fileprivate var text: String {
        switch self {
        case .onlyCopies: "lines that are on no disk any more, or in files that were moved away"
        case .unsaved: "positions that cannot be saved"
        case .brokersAway: "brokers, none of which answers"
        case .rotating: "a rotation that is under way"
        }
    }

    /// Of another SIGHUP.
    fileprivate var cost: String {
        switch self {
        case .onlyCopies: "loses them"
        case .brokersAway: "has what is under way sent again"
        case .unsaved, .rotating: "ends nothing: it is waited for"
        }
    }

    /// Whether another SIGHUP ends the wait for it.
    fileprivate var yields: Bool {
        switch self {
        case .onlyCopies, .brokersAway: true
        case .unsaved, .rotating: false
        }
    }
}
