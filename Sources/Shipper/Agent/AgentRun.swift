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
    /// Those that wait for calm.
    private var awaited: Settings?

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
    /// How often it is told that a reload waits, nanoseconds.
    private static let tellInterval: Int64 = 60_000_000_000

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
        let new: Settings
        do throws(SettingsError) {
            new = try Settings.validated(path: config)
        } catch {
            refuse(error.description)
            return try goOn()
        }
        let change = SettingsChange(from: settings, to: new)
        guard change.untouchable.isEmpty else {
            refuse(
                "\(change.untouchable.joined(separator: ", ")) cannot be changed while the agent "
                    + "runs; stop it and start it anew")
            return try goOn()
        }
        if change.sections.contains("log") {
            log.warn("a changed log takes effect at the next start")
        }
        guard change.isApplicable else {
            reloads.note(.unchanged)
            log.info("the configuration is the same as before", ["config": .text(config)])
            return try goOn()
        }
        // Whoever asks twice for the same wants it now.
        let isForced = awaited == new
        awaited = isForced ? nil : new
        log.info("changing the configuration", change.logged)
        let step = try waitForCalm(change, isForced: isForced)
        if case .superseded = step { return step }
        awaited = nil
        guard case .done = step else { return step }
        return try replace(with: new, serves: change.sections.contains("http"))
    }

    /// With the settings that it has; a rotator that was stopped on the way comes back with another
    /// pipeline.
    private func goOn() throws(PipelineError) -> Step {
        awaited = nil
        guard pipeline?.rotatesNoMore == true else { return .done }
        return try replace(with: settings, serves: false)
    }

    private func refuse(_ why: String) {
        reloads.note(.refused, refusal: why)
        log.error(
            "the changed configuration is refused; the one before goes on",
            ["config": .text(config), "error": .text(why)])
    }

    /// Waits until nothing would be lost, or sent twice, that need not be; with `isForced` only for
    /// the rotator.
    private func waitForCalm(
        _ change: SettingsChange, isForced: Bool
    ) throws(PipelineError) -> Step {
        var told: Pipeline.Obstacle?
        var tellAt: Int64 = 0
        while let obstacle = obstacle(change, isForced: isForced) {
            let now = Clock.monotonicNanoseconds()
            if obstacle != told || now >= tellAt {
                (told, tellAt) = (obstacle, now + Self.tellInterval)
                log.warn(
                    "the changed configuration waits; another SIGHUP ends that, at a cost",
                    ["for": .text(obstacle.text), "cost": .text(obstacle.cost)])
            }
            switch try waitForPipeline(timeout: Self.look) {
            case .timedOut: continue
            case .attention: if reloads.isAsked { return .superseded }
            case let end: return .ended(end)
            }
        }
        return .done
    }

    private func obstacle(_ change: SettingsChange, isForced: Bool) -> Pipeline.Obstacle? {
        guard let pipeline else { return nil }
        guard isForced else {
            return pipeline.obstacle(connectsElsewhere: change.connectsElsewhere)
        }
        return pipeline.hasStoppedRotating() ? nil : .rotating
    }

    /// Stops the pipeline, and starts another one in its place; where that cannot be, one with the
    /// settings that there were.
    private func replace(
        with new: Settings, serves: Bool
    ) throws(PipelineError) -> Step {
        guard let (legacy, left) = stopForSuccessor() else { return .ended(.interrupted) }
        do throws(PipelineError) {
            let next = try start(new, legacy, serves: serves)
            settings = new
            follow(next)
        } catch {
            refuse("\(error)")
            return try startAgain(legacy, serves: serves)
        }
        reloads.note(.applied)
        log.info(
            "the changed configuration runs",
            [
                "config": .text(config), "inputs": .count(new.inputs.count),
                "records_to_send_again": .count(left),
            ])
        return .done
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

    /// Until it succeeds: the data directory's disk may be full at this moment, or hang.
    private func startAgain(
        _ legacy: Pipeline.Legacy, serves: Bool
    ) throws(PipelineError) -> Step {
        while !watch.isAsked {
            do throws(PipelineError) {
                follow(try start(settings, legacy, serves: serves))
                return .done
            } catch {
                log.fault(
                    .error, key: "start again",
                    "the configuration before cannot be started again yet",
                    ["error": "\(error)"])
                Clock.sleep(nanoseconds: Self.look.wholeNanoseconds)
            }
        }
        return .ended(.interrupted)
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
        case .unsaved: "positions cannot be saved"
        case .brokersAway: "no broker answers"
        case .onlyCopies: "lines that are on no disk any more, or in files that were moved away"
        case .rotating: "a rotation that is under way"
        }
    }

    /// Of not waiting.
    fileprivate var cost: String {
        switch self {
        case .unsaved: "all since the last saved position is sent again"
        case .brokersAway: "what is under way is sent again"
        case .onlyCopies: "they are lost"
        case .rotating: "none: it is waited for"
        }
    }
}
