package import Kafka
package import Platform
package import Settings
import Synchronization

/// Everything at once: a broker in this process, s6-log writers that rotate, the pipeline as `run`
/// has it, and a consumer that had no part in it and says what arrived.
///
/// `run` blocks one thread; `stop` is for any other.
package final class Demo: Sendable {
    /// How often the audit is told of a line that the consumer read: once, but in tests of the
    /// audit. Called on the consumer's thread.
    package typealias Copies = @Sendable (_ line: [UInt8]) -> Int

    private let plan: DemoPlan
    private let environment: [String: String]
    private let log: Log
    private let copies: Copies
    private let audit = SharedAudit()
    private let wakeup: Wakeup
    private let state = Mutex(State())

    private struct State {
        /// Nothing more is to be written.
        var isOver = false
        var isStopped = false
        var isAbandoned = false
    }

    /// Prepares a demo and starts nothing. `environment` is that of the writers' programs.
    package init(
        _ plan: DemoPlan, environment: [String: String], log: Log,
        copies: @escaping Copies = { _ in 1 }
    ) throws(SystemError) {
        self.plan = plan
        self.environment = environment
        self.log = log
        self.copies = copies
        wakeup = try Wakeup()
        audit.withLock { audit in
            for writer in plan.writers { audit.expect(writer.source, lines: writer.lines) }
        }
    }

    /// Ends the writers; what they wrote is still shipped and audited. A second call gives that up.
    package func stop() {
        state.withLock { state in
            state.isAbandoned = state.isStopped
            state.isStopped = true
            state.isOver = true
        }
        wakeup.wake()
    }

    /// Runs all of it, calls `progress` once a second on this thread, and leaves nothing behind.
    package func run(
        _ progress: (DemoProgress) throws(SystemError) -> Void
    ) throws(DemoError) -> DemoResult {
        let path = environment["PATH"] ?? "/usr/bin:/bin"
        guard let program = PipedProcess.find("s6-log", path: path) else {
            throw .noWriterProgram
        }
        let scratch: ScratchDirectory
        do {
            scratch = try ScratchDirectory("shipper-demo", environment: environment)
        } catch {
            throw .system(error)
        }
        let result: Result<DemoResult, DemoError>
        do throws(DemoError) {
            result = .success(try run(program, scratch, progress))
        } catch {
            result = .failure(error)
        }
        do throws(SystemError) {
            try scratch.remove()
        } catch {
            throw .system(error)
        }
        return try result.get()
    }

    private func run(
        _ program: String, _ scratch: ScratchDirectory,
        _ progress: (DemoProgress) throws(SystemError) -> Void
    ) throws(DemoError) -> DemoResult {
        let broker: EmbeddedBroker
        let consumer: AuditConsumer
        do {
            broker = try EmbeddedBroker()
            consumer = try self.consumer(broker.addresses)
        } catch {
            throw .kafka(error)
        }
        // Nothing else holds the broker, and it ends with its last reference.
        defer { withExtendedLifetime(broker) { consumer.stop() } }
        let run = DemoRun(
            pipeline: try pipeline(scratch, broker.addresses), consumer: consumer,
            brokers: broker.addresses, audit: audit)
        let outcome: Result<Void, SystemError>
        do throws(SystemError) {
            try startWriters(run, program, scratch)
            try watch(run, progress)
            outcome = .success(())
        } catch {
            outcome = .failure(error)
        }
        // Whoever still writes waits at a gate or in front of a full pipe.
        state.withLock { $0.isOver = true }
        let result = run.end()
        do throws(SystemError) {
            try outcome.get()
        } catch {
            throw .system(error)
        }
        return result
    }

    // MARK: Its parts

    private func consumer(_ brokers: [String]) throws(KafkaError) -> AuditConsumer {
        try AuditConsumer(brokers: brokers) { [audit, copies] _, _, value, _ in
            let line = RecordMessage.line(value) ?? []
            let count = copies(line)
            audit.withLock { audit in
                for _ in 0..<count { audit.arrived(line) }
            }
        }
    }

    private func pipeline(
        _ scratch: ScratchDirectory, _ brokers: [String]
    ) throws(DemoError) -> Pipeline {
        let settings: Settings
        do throws(SettingsError) {
            let text = plan.configuration(root: scratch.path, brokers: brokers)
            settings = try .parse(
                Array(text.utf8), file: "its configuration", environment: environment)
        } catch {
            throw .settings(error)
        }
        do throws(SystemError) {
            _ = try scratch.makeDirectory("logs")
        } catch {
            throw .system(error)
        }
        do throws(PipelineError) {
            return try Pipeline(settings, once: false, log: log)
        } catch {
            throw .pipeline(error)
        }
    }

    private func startWriters(
        _ run: DemoRun, _ program: String, _ scratch: ScratchDirectory
    ) throws(SystemError) {
        for writer in plan.writers {
            // s6-log makes the log directory itself, beneath the pod's.
            _ = try scratch.makeDirectory("logs/\(writer.podDirectory)")
            let gates = DemoWriter.Gates(
                delivered: { [audit] in audit.delivered(of: writer.source) },
                isOver: { [self] in state.withLock { $0.isOver } })
            run.add(
                try DemoWriter(
                    plan, writer, program: program,
                    directory: "\(scratch.path)/logs/\(writer.podDirectory)/log", gates: gates))
        }
        try run.start()
    }

    // MARK: While it runs

    private static let second: Int64 = 1_000_000_000
    /// Without any line written or delivered for so long, nothing comes any more.
    private static let patience = 15 * second
    /// The same when everything on the disk is acknowledged, and the consumer alone may be late.
    private static let shortPatience = 2 * second

    private func watch(
        _ run: DemoRun, _ progress: (DemoProgress) throws(SystemError) -> Void
    ) throws(SystemError) {
        var printed: Int64 = 0
        var last = DemoProgress()
        while true {
            var now = run.progress()
            if let seconds = plan.seconds, now.nanoseconds >= Int64(seconds) * Self.second {
                state.withLock { $0.isOver = true }
            }
            let isWritten = run.isWritten
            let isDone = isWritten && now.delivered >= now.written
            if (now.written, now.delivered) != (last.written, last.delivered) { last = now }
            let quiet = now.nanoseconds - last.nanoseconds
            if isDone || now.nanoseconds - printed >= Self.second {
                printed = now.nanoseconds
                now.rotations = try run.rotations()
                try progress(now)
            }
            if isDone { return }
            if state.withLock({ $0.isAbandoned }) {
                return run.fault("given up before every line was delivered")
            }
            if isWritten, quiet > Self.shortPatience, try run.isAcknowledged() { return }
            if quiet > Self.patience {
                return run.fault(
                    "nothing was written or delivered for \(Self.patience / Self.second) s")
            }
            wakeup.wait(nanoseconds: Self.second / 50)
        }
    }
}

/// Why a demo could not be run.
package enum DemoError: Error, CustomStringConvertible {
    case noWriterProgram
    case settings(SettingsError)
    case kafka(KafkaError)
    case pipeline(PipelineError)
    case system(SystemError)

    package var description: String {
        switch self {
        case .noWriterProgram:
            "s6-log is not on PATH, and the demo's writers need it: install the Debian package s6"
        case .settings(let error): "the demo's configuration is refused: \(error)"
        case .kafka(let error): "the demo's broker: \(error)"
        case .pipeline(let error): "the demo's pipeline: \(error)"
        case .system(let error): "\(error)"
        }
    }
}

/// How far a demo is.
package struct DemoProgress: Hashable, Sendable {
    /// Since the writers began.
    package var nanoseconds: Int64 = 0
    /// Lines that the writers were given.
    package var written = 0
    /// Different lines that the independent consumer read.
    package var delivered = 0
    /// Archives that the writers' s6-logs have made so far.
    package var rotations = 0
    /// Bytes read from files and not yet acknowledged by the broker.
    package var inFlight = 0
}
