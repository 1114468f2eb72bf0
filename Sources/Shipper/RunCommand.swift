import HTTPServer
import Kafka
package import Platform
import Registry

/// `shipper run`: the agent.
package enum RunCommand {
    /// Runs until SIGTERM or SIGINT, or with `once` until everything that was there is delivered.
    package static func run(config: String, once: Bool) throws(SystemError) -> ExitCode {
        Signals.prepare()
        let settings: Settings
        do throws(SettingsError) {
            settings = try Settings.validated(path: config)
        } catch {
            try StandardStream.error.write(error.description + "\n")
            return .badConfiguration
        }
        let log = try Log(settings.log)
        let descriptors = ProcessLimits.raiseDescriptors()
        let endpoints = Endpoints()
        var server: HTTPServer?
        defer { server?.stop() }
        let pipeline: Pipeline
        do throws(PipelineError) {
            pipeline = try Pipeline(settings, once: once, log: log) { () throws(PipelineError) in
                // Who asked for HTTP and cannot have it is told by the start; but another instance,
                // which has it, is told from the data directory.
                server = try endpoints.serve(settings, DescriptorPlan(settings, once: once), log)
            }
        } catch {
            log.error("cannot start", ["error": "\(error)"])
            return error.exitCode
        }
        endpoints.follow(pipeline)
        log.info(
            "started",
            [
                "version": .text(Version.text), "config": .text(config),
                "data": .text(settings.data), "inputs": .count(settings.inputs.count),
                "open_files": .count(pipeline.openFiles),
            ])
        if pipeline.openFiles < settings.limits.openFiles {
            log.warn(
                "fewer files than limits.open_files can be open; raise the limit of descriptors",
                [
                    "open_files": .count(pipeline.openFiles),
                    "wanted": .count(settings.limits.openFiles),
                    "descriptors": .count(descriptors),
                ])
        }
        let signals = try SystemThread("signals") {
            let name = Signals.waitForEnd()
            log.info("stopping", ["signal": .text(name)])
            pipeline.interrupt()
        }
        // It ends with the process: nothing else ends sigwait.
        _ = signals
        return end(pipeline, once: once, log)
    }

    private static func end(_ pipeline: Pipeline, once: Bool, _ log: Log) -> ExitCode {
        var code = ExitCode.done
        do throws(PipelineError) {
            try pipeline.waitForEnd()
        } catch {
            log.error("the reader cannot run", ["error": "\(error)"])
            code = .internalFault
        }
        let outcome = pipeline.stop()
        let counters = pipeline.counters
        log.info(
            "stopped",
            [
                "records_delivered": .count(counters.recordsDelivered),
                "bytes_delivered": .count(counters.bytesDelivered),
                "records_undelivered": .count(outcome.undelivered),
                "bytes_lost": .count(counters.bytesGone),
            ])
        if once, counters.unreadable > 0 {
            log.error("not everything could be read", ["names": .count(counters.unreadable)])
            if code == .done { code = .fault }
        }
        return code
    }
}

extension PipelineError {
    /// What a process ends with that could not start its pipeline.
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
        try self.init(level: settings.level, format: settings.format)
    }
}

extension Settings {
    /// Reads a configuration and checks all of it that can be known without starting anything.
    static func validated(path: String) throws(SettingsError) -> Settings {
        let settings = try load(path: path, environment: ProcessContext.environment())
        try settings.validateKafka()
        return settings
    }

    /// Checks what only librdkafka can: its own properties. The error names the line of the
    /// property where it is about one.
    private func validateKafka() throws(SettingsError) {
        let kafka = output.kafka
        let addresses: [String] =
            switch kafka.brokers {
            case .embedded: ["127.0.0.1:1"]
            case .addresses(let list): list
            }
        do throws(KafkaError) {
            try KafkaSettings.plain(kafka, addresses).validate()
        } catch {
            let mark = kafka.librdkafka.first { $0.name == error.property }?.mark
            let key = mark == nil ? "output.kafka" : "output.kafka.librdkafka"
            throw SettingsError(
                file: file,
                faults: [SettingsFault(mark: mark, key: key, problem: "\(error)")])
        }
    }
}
