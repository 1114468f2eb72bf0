import Kafka
package import Platform
import Registry
import Settings
import Tailer

/// `shipper run`: the agent.
package enum RunCommand {
    /// Runs until SIGTERM or SIGINT, or with `once` until everything that was there is delivered,
    /// or `timeout` is over.
    package static func run(
        config: String, once: Bool, timeout: Duration? = nil
    ) throws(SystemError) -> ExitCode {
        let began = Clock.monotonicNanoseconds()
        Signals.prepare(hangUp: true)
        FreeMemory.giveBackLargeBlocks()
        let settings: Settings
        do throws(SettingsError) {
            settings = try Settings.validated(path: config)
        } catch {
            try StandardStream.error.write(error.description + "\n")
            return .badConfiguration
        }
        let log = try Log(settings.log)
        let watch = try EndWatch(
            patience: settings.shutdownTimeout, code: once ? .fault : .internalFault, log: log)
        defer { watch.isOver() }
        let reloads = Reloads()
        let manager = ServiceManager.start(ProcessContext.environment(), reloads, log)
        defer { manager?.stop() }
        let signals = try SystemThread("signals") {
            obeySignals(watch, once ? nil : reloads, manager, log)
        }
        // It ends with the process: nothing else ends sigwait.
        _ = signals
        let descriptors = ProcessLimits.raiseDescriptors()
        let run: AgentRun
        do throws(PipelineError) {
            run = try AgentRun(
                settings, config: config, once: once, log: log, watch: watch, reloads: reloads)
        } catch {
            log.error("cannot start", ["error": "\(error)"])
            return error.exitCode
        }
        defer { run.stopServing() }
        manager?.follow(run.health)
        tell(settings, run, config, descriptors, log)
        let progress = tellProgress(of: run, log)
        defer { progress?.stop() }
        let left = timeout.map { timeout in
            Duration.nanoseconds(
                max(0, timeout.wholeNanoseconds - (Clock.monotonicNanoseconds() - began)))
        }
        return end(run, once: once, left, watch, log)
    }

    /// What there is to say at the start.
    private static func tell(
        _ settings: Settings, _ run: AgentRun, _ config: String, _ descriptors: Int, _ log: Log
    ) {
        guard let pipeline = run.pipeline else { return }
        log.info(
            "started",
            [
                "version": .text(Version.text), "config": .text(config),
                "data": .text(settings.data), "inputs": .count(settings.inputs.count),
                "open_files": .count(pipeline.openFiles),
            ])
        if let pod = OwnPod.current,
            settings.inputs.contains(where: { !pod.logs(of: $0.paths).isEmpty })
        {
            log.info(
                "logs of the agent's own pod are left out",
                ["pod": .text(pod.name), "namespace": .text(pod.namespace ?? "*")])
        }
        for doubt in settings.kafkaDoubts { log.warn("settings in doubt", ["doubt": .text(doubt)]) }
        for fault in Settings.libraryFaults {
            log.info("librdkafka has a known fault", ["fault": .text(fault)])
        }
        if pipeline.openFiles < settings.limits.openFiles {
            log.warn(
                "fewer files than limits.open_files can be open; raise the limit of descriptors",
                [
                    "open_files": .count(pipeline.openFiles),
                    "wanted": .count(settings.limits.openFiles),
                    "descriptors": .count(descriptors),
                ])
        }
    }

    /// Nil where there is no thread for it: that stops nothing else.
    private static func tellProgress(of run: AgentRun, _ log: Log) -> ProgressLog? {
        guard log.isOn(.info) else { return nil }
        do throws(SystemError) {
            return try ProgressLog(
                figures: run.figures, tell: { log.info("shipping", $0) })
        } catch {
            log.warn("how much is shipped is not told from time to time", ["error": "\(error)"])
            return nil
        }
    }

    /// The first SIGTERM or SIGINT ends reading, the second one the wait for deliveries too. SIGHUP
    /// has the configuration read again, where that is possible.
    private static func obeySignals(
        _ watch: EndWatch, _ reloads: Reloads?, _ manager: ServiceManager?, _ log: Log
    ) {
        var isStopping = false
        while true {
            switch Signals.waitForAny() {
            case .hangUp where reloads != nil:
                reloads?.ask()
                manager?.lookNow()
            case .hangUp:
                log.fault(
                    .warn, key: "SIGHUP",
                    "SIGHUP ignored: with --once the configuration is read at the start alone")
            case .end(let name) where !isStopping:
                isStopping = true
                // From here on it ends, whatever a line of the log may wait for.
                watch.begin()
                manager?.lookNow(isStopping: true)
                log.info("stopping", ["signal": .text(name)])
                watch.ask()
            case .end(let name):
                // It is said before the end, which may come at once.
                watch.beginHurried()
                log.warn("not waiting for deliveries any more", ["signal": .text(name)])
                watch.hurry()
            }
        }
    }

    private static func end(
        _ run: AgentRun, once: Bool, _ timeout: Duration?, _ watch: EndWatch, _ log: Log
    ) -> ExitCode {
        var code = ExitCode.done
        var end = Pipeline.End.done
        do throws(PipelineError) {
            end = try run.waitForEnd(timeout: timeout)
        } catch {
            guard run.pipeline != nil else {
                log.error("cannot start again", ["error": "\(error)"])
                return error.exitCode
            }
            log.error("the reader cannot run", ["error": "\(error)"])
            code = .internalFault
        }
        guard let pipeline = run.pipeline else {
            // It was asked to end while no pipeline could be started.
            log.info("stopped")
            return code
        }
        if once, end == .done, code == .done { pipeline.countOutOfSight() }
        // Then nothing more is waited for: that time is the whole.
        let isLate = end == .timedOut
        if isLate { log.warn("stopping: the time of --timeout is over") }
        if isLate { watch.beginHurried() } else { watch.begin() }
        guard let outcome = run.stop(within: isLate ? .zero : nil) else { return .internalFault }
        for place in outcome.hanging {
            log.error(
                "a file system does not answer; what is unread there is left",
                ["path": .text(place), "bytes_seen_unread": .count(pipeline.figures.unreadBytes)])
        }
        let counters = pipeline.counters
        log.writeDueFaults(all: true)
        log.info(
            "stopped",
            [
                "records_delivered": .count(counters.recordsDelivered),
                "bytes_delivered": .count(counters.bytesDelivered),
                "records_undelivered": .count(outcome.undelivered),
                "bytes_lost": .count(counters.bytesLost),
                "archives_lost": .count(counters.archivesMissed),
            ])
        if once, code == .done, !tell(outcome, end, counters, log) { code = .fault }
        return code
    }

    /// Says what `--once` has left or lost; whether that is nothing.
    private static func tell(
        _ outcome: Pipeline.Outcome, _ end: Pipeline.End, _ counters: Counters, _ log: Log
    ) -> Bool {
        // What is lost is not left: nothing is unread of a file that was cut, or whose rest is
        // damaged, which is told again as long as it is there.
        let hasLost =
            counters.bytesLost > 0 || counters.archivesMissed > 0 || counters.damagedArchives > 0
        if hasLost {
            log.error(
                "lines were lost",
                [
                    "bytes": .count(counters.bytesLost),
                    "archives": .count(counters.archivesMissed),
                    "archives_damaged": .count(counters.damagedArchives),
                ])
        }
        let left = outcome.left
        if left.reading.unfinishedLines > 0 {
            log.info(
                "last lines without a newline wait for their ends",
                ["files": .count(left.reading.unfinishedLines)])
        }
        guard !left.isNothing || outcome.undelivered > 0 else { return !hasLost }
        let why: Log.Value =
            switch end {
            case .done: "it could not be read"
            case .interrupted: "interrupted"
            case .timedOut: "timed out"
            case .attention: "not waited for"
            }
        log.error(
            "not everything was shipped",
            [
                "why": why, "files": .count(left.files), "bytes": .count(left.bytes),
                "records_undelivered": .count(outcome.undelivered),
                "not_answering": .count(outcome.hanging.count),
                "names_refused_or_unreadable": .count(left.reading.names),
                "directories_unfinished": .count(left.reading.directories),
                "all_directories_seen": .flag(left.reading.isScanned),
            ])
        return false
    }
}

extension PipelineError {
    /// The exit code of a process that could not start its pipeline.
    var exitCode: ExitCode {
        switch self {
        case .registry(.held): .dataHeld
        case .registry, .kafka, .http: .badConfiguration
        case .system: .internalFault
        }
    }
}

extension Log {
    /// The log that the settings ask for, on standard error.
    convenience init(_ settings: Settings.Log) throws(SystemError) {
        let level: Level =
            switch settings.level {
            case .debug: .debug
            case .info: .info
            case .warn: .warn
            case .error: .error
            }
        let format: Format =
            switch settings.format {
            case .text: .text
            case .json: .json
            }
        try self.init(level: level, format: format)
    }
}
