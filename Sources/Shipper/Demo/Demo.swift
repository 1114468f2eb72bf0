package import Kafka
package import Platform
import Synchronization

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
            "s6-log is not on PATH; the demo's writers need it: install the Debian package s6"
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
    package var written = 0
    /// Different lines that the independent consumer read.
    package var delivered = 0
    package var rotations = 0
    /// Bytes read from files and not yet acknowledged by the broker.
    package var inFlight = 0
}

/// Everything at once: a broker in this process, s6-log writers that rotate, the pipeline as `run`
/// has it, and a consumer that had no part in it and says what arrived.
///
/// `run` blocks one thread; `stop` is for any other.
package final class Demo: Sendable {
    /// How often the audit is told of a line that the consumer read; 1 but in tests of the audit.
    package typealias Copies = @Sendable (_ line: [UInt8]) -> Int

    private let plan: DemoPlan
    private let environment: [String: String]
    private let log: Log
    private let copies: Copies
    private let audit: Shared
    private let wakeup: Wakeup
    private let state = Mutex(State())

    private struct State {
        var isOver = false
        var isAbandoned = false
    }

    private final class Shared: Sendable {
        let value = Mutex(Audit())
    }

    package init(
        _ plan: DemoPlan, environment: [String: String], log: Log,
        copies: @escaping Copies = { _ in 1 }
    ) throws(SystemError) {
        self.plan = plan
        self.environment = environment
        self.log = log
        self.copies = copies
        audit = Shared()
        wakeup = try Wakeup()
        audit.value.withLock { audit in
            for writer in plan.writers { audit.expect(writer.source, lines: writer.lines) }
        }
    }

    /// Ends the writers; what they wrote is still shipped and audited. A second call gives that up.
    package func stop() {
        state.withLock { state in
            state.isAbandoned = state.isOver
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

    // MARK: Its parts

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
        // Nothing else holds the broker, which ends with its last reference.
        defer { withExtendedLifetime(broker) { consumer.stop() } }
        let pipeline = try self.pipeline(scratch, broker.addresses)
        let run = DemoRun(
            plan: plan, pipeline: pipeline, consumer: consumer, brokers: broker.addresses)
        let outcome: Result<Void, SystemError>
        do throws(SystemError) {
            try makeWriters(run, program, scratch)
            try watch(run, progress)
            outcome = .success(())
        } catch {
            outcome = .failure(error)
        }
        // Whoever still writes waits at a gate or in a full pipe.
        state.withLock { $0.isOver = true }
        let result = run.end { body in audit.value.withLock { body(&$0) } }
        do throws(SystemError) {
            try outcome.get()
        } catch {
            throw .system(error)
        }
        return result
    }

    private func consumer(_ brokers: [String]) throws(KafkaError) -> AuditConsumer {
        let audit = audit
        let copies = copies
        return try AuditConsumer(brokers: brokers) { _, _, value in
            let line = RecordMessage.line(value) ?? []
            let count = copies(line)
            audit.value.withLock { audit in
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

    private func makeWriters(
        _ run: DemoRun, _ program: String, _ scratch: ScratchDirectory
    ) throws(SystemError) {
        for writer in plan.writers {
            // s6-log makes the log directory itself, beneath the pod's.
            let pod = "logs/\(writer.namespace)/\(writer.app)/\(writer.pod)"
            _ = try scratch.makeDirectory(pod)
            let gates = DemoWriter.Gates(
                delivered: { [audit] in
                    audit.value.withLock { $0.delivered(of: writer.source) }
                },
                isOver: { [self] in state.withLock { $0.isOver } })
            run.add(
                try DemoWriter(
                    plan, writer, program: program, logs: scratch.path + "/logs", gates: gates))
        }
        try run.start()
    }

    // MARK: While it runs

    private static let second: Int64 = 1_000_000_000
    /// Without any line written or delivered for so long, nothing comes any more.
    private static let patience = 15 * second

    private func watch(
        _ run: DemoRun, _ progress: (DemoProgress) throws(SystemError) -> Void
    ) throws(SystemError) {
        var printed: Int64 = 0
        var last = DemoProgress()
        while true {
            var now = run.progress()
            now.delivered = audit.value.withLock { $0.delivered() }
            if let seconds = plan.seconds, now.nanoseconds >= Int64(seconds) * Self.second {
                state.withLock { $0.isOver = true }
            }
            if run.isWritten, now.delivered >= now.written {
                now.rotations = try run.rotations()
                try progress(now)
                return
            }
            if state.withLock({ $0.isAbandoned }) {
                run.fault("given up before every line was delivered")
                return
            }
            if (now.written, now.delivered) != (last.written, last.delivered) {
                last = now
            } else if now.nanoseconds - last.nanoseconds > Self.patience {
                run.fault("nothing was written or delivered for \(Self.patience / Self.second) s")
                return
            }
            if now.nanoseconds - printed >= Self.second {
                printed += Self.second
                now.rotations = try run.rotations()
                try progress(now)
            }
            wakeup.wait(nanoseconds: Self.second / 50)
        }
    }
}
