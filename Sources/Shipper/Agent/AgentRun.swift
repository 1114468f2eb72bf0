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
        while let pipeline {
            // A run that ends by itself is for the configuration that it began with.
            guard !once else { return try pipeline.waitForEnd(timeout: timeout) }
            let end = try pipeline.waitForEnd()
            guard end == .attention else { return end }
            while reloads.take() {
                if case .ended(let end) = try reload() { return end }
            }
        }
        return .interrupted
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
            return .done
        }
        let change = SettingsChange(from: settings, to: new)
        guard change.untouchable.isEmpty else {
            refuse(
                "\(change.untouchable.joined(separator: ", ")) cannot be changed while the agent "
                    + "runs; stop it and start it anew")
            return .done
        }
        if change.sections.contains("log") {
            log.warn("a changed log takes effect at the next start")
        }
        // What files hold may have changed, as certificates do that are renewed.
        if change.isNothing, new.output.kafka.files.isEmpty {
            reloads.note(.unchanged)
            log.info("the configuration is the same as before", ["config": .text(config)])
            return .done
        }
        log.info("changing the configuration", change.logged)
        let step = try waitForCalm(change)
        guard case .done = step else { return step }
        return try replace(with: new, change)
    }

    private func refuse(_ why: String) {
        reloads.note(.refused, refusal: why)
        log.error(
            "the changed configuration is refused; the one before goes on",
            ["config": .text(config), "error": .text(why)])
    }

    /// Waits until nothing would be lost, or sent twice, that need not be.
    private func waitForCalm(_ change: SettingsChange) throws(PipelineError) -> Step {
        var tellAt = Clock.monotonicNanoseconds() + Pipeline.calm.wholeNanoseconds
        var calmSince: Int64?
        while let pipeline {
            let now = Clock.monotonicNanoseconds()
            if pipeline.mayBeReplaced(goesElsewhere: change.hasOtherOutput) {
                let since = calmSince ?? now
                calmSince = since
                if now - since >= Pipeline.calm.wholeNanoseconds { return .done }
            } else {
                calmSince = nil
                if now >= tellAt {
                    tellAt = now + Self.tellInterval
                    log.warn(
                        "the changed configuration waits: no broker answers, or removed files are not delivered",
                        ["held_bytes": .count(pipeline.figures.heldBytes)])
                }
            }
            switch try pipeline.waitForEnd(timeout: Self.look) {
            case .timedOut: continue
            case .attention: if reloads.isAsked { return .superseded }
            case let end: return .ended(end)
            }
        }
        return .done
    }

    private func replace(
        with new: Settings, _ change: SettingsChange
    ) throws(PipelineError) -> Step {
        guard let old = pipeline else { return .ended(.interrupted) }
        let isReached = old.mayBeReplaced(goesElsewhere: false)
        let outcome = old.stop(
            within: isReached ? min(settings.shutdownTimeout, Self.mostPatience) : .zero)
        self.outcome = outcome
        // All that a run tells at its end is the stopped one's.
        if watch.isAsked { return .ended(.interrupted) }
        let legacy = old.legacy
        endpoints.unfollow()
        reloads.unfollow()
        watch.unfollow()
        // Two of them would take twice the memory.
        pipeline = nil
        self.outcome = nil
        let serves = change.sections.contains("http")
        do throws(PipelineError) {
            let next = try start(new, legacy, serves: serves)
            settings = new
            follow(next)
        } catch {
            refuse("\(error)")
            follow(try start(settings, legacy, serves: serves))
            return .done
        }
        reloads.note(.applied)
        log.info(
            "the changed configuration runs",
            [
                "config": .text(config), "inputs": .count(new.inputs.count),
                "records_to_send_again": .count(outcome.undelivered),
            ])
        return .done
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
