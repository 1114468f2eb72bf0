import Platform
import Tailer
import TestSupport

@testable import Settings
@testable import Shipper

/// The agent of one sequence: the real pipeline, in this process, started and stopped as often as
/// the sequence wants. For one thread.
final class ModelAgent {
    /// Bytes of a message at the most.
    static let longestLine = 1000
    /// Bytes read and not acknowledged at the most.
    static let credit = 256 * 1024

    /// What is open at the end of a file ends soon; a file's lines are written in one call, so
    /// none waits for the rest of its event.
    private static let multiline = "multiline: {pattern: '^\\t', match: after, timeout: 100ms}"

    let logs: TemporaryDirectory
    private let bench: ModelBench
    private let home: TemporaryDirectory
    private let sequence: Int
    let setting: ModelSetting
    private let intervals: TailerIntervals
    private let said = Shared<[UInt8]>([])
    private var pipeline: Pipeline?
    private var isPaused = false
    /// How often it was killed: each time it goes on in a copy of its data directory.
    private var kills = 0
    /// Number of the run that is on, or was last; from 1.
    private(set) var run = 0
    /// Bytes that the runs which ended reported as lost.
    private(set) var bytesLost = 0
    /// Records that the last run knows to be acknowledged.
    private(set) var delivered = 0

    init(_ bench: ModelBench, sequence: Int, setting: ModelSetting) throws {
        self.bench = bench
        self.sequence = sequence
        self.setting = setting
        logs = try TemporaryDirectory()
        home = try TemporaryDirectory(inMemory: true)
        var intervals = TailerIntervals()
        intervals.fastestPoll = 1_000_000
        intervals.longestSweep = setting.sweepsSeldom ? 40_000_000 : 1_000_000
        intervals.slowestPoll = 8_000_000
        intervals.unwatchedScan = 20_000_000
        if setting.watchesSoon { intervals.idle = 2_000_000 }
        if setting.sleepsSoon { intervals.mostAwake = 0 }
        self.intervals = intervals
    }

    deinit {
        resumeBroker()
        _ = pipeline?.stop(within: .zero)
    }

    var isRunning: Bool { pipeline != nil }
    /// What the reader has handed over in this run, bytes.
    var taken: Int { pipeline?.counters.bytesTaken ?? 0 }
    /// Nothing is on its way.
    var isQuiet: Bool { (pipeline?.inFlight ?? 0) == 0 }
    /// What all runs said.
    var text: String { String(decoding: said.current, as: UTF8.self) }

    func start() throws {
        guard pipeline == nil else { return }
        run += 1
        let said = said
        let log = Log(level: .debug, format: .text) { line in said.with { $0 += line } }
        pipeline = try Pipeline(settings(), once: false, log: log, intervals: intervals)
    }

    private var data: String { home.path("data-\(kills)") }

    private func settings() throws -> Settings {
        let text = """
            data: \(data)
            inputs:
              - name: logs
                paths: ["\(logs.path)/\(setting.pattern)", "\(logs.path)/*/current"]
                exclude: ["**/*.gz"]
                max_line: \(Self.longestLine)B
                format: \(setting.isCRI ? "cri" : "auto")
                \(setting.isMultiline ? Self.multiline : "")
                fields: {sequence: \(sequence), run: \(run)}
            output:
              kafka:
                brokers: ["\(bench.broker.address)"]
                topic: \(ModelBench.topic)
                librdkafka: {linger.ms: "0"}
            limits: {in_flight: \(Self.credit)B}
            http: {listen: none}

            """
        let settings = try Settings.parse(Array(text.utf8), file: "model.yaml", environment: [:])
        guard let openFiles = setting.openFiles else { return settings }
        // Fewer than a configuration may ask for, or no sequence would reach the limit.
        return Settings(
            file: settings.file, data: settings.data, inputs: settings.inputs,
            output: settings.output,
            limits: Settings.Limits(
                inFlight: settings.limits.inFlight, openFiles: openFiles,
                heldBytes: settings.limits.heldBytes, topics: settings.limits.topics,
                watches: settings.limits.watches),
            registry: settings.registry, shutdownTimeout: settings.shutdownTimeout,
            node: settings.node, isNodeNamed: settings.isNodeNamed, http: settings.http,
            log: settings.log)
    }

    func pauseBroker() {
        guard !isPaused else { return }
        isPaused = true
        bench.broker.pause()
    }

    func resumeBroker() {
        guard isPaused else { return }
        isPaused = false
        bench.broker.resume()
    }

    /// As with SIGTERM, while the broker answers.
    func stop() throws {
        guard let pipeline else { return }
        resumeBroker()
        let outcome = pipeline.stop()
        self.pipeline = nil
        bytesLost += pipeline.counters.bytesLost
        delivered = pipeline.counters.recordsDelivered
        guard outcome.undelivered == 0 else {
            throw Unexpected(description: "\(outcome.undelivered) records were not delivered")
        }
    }

    /// As with SIGKILL: what comes next finds the data directory as it is now, and what was not
    /// acknowledged by now never is.
    func kill() throws {
        guard let pipeline else { return }
        // Its one compaction, in the middle of which two files could not be copied as one, is over.
        pipeline.waitForFirstScan()
        pauseBroker()
        let before = data
        let takenBefore = taken
        kills += 1
        try home.makeDirectory("data-\(kills)/registry")
        try setMode(data, 0o700)
        try setMode("\(data)/registry", 0o700)
        try copyRegistry(from: before)
        _ = pipeline.stop(within: .zero)
        // 1. The registry is copied. The agent opens a file and sends its first lines.
        // 2. They arrive though it is stopped now, from a file that the copy does not know.
        if taken != takenBefore { try copyRegistry(from: before) }
        self.pipeline = nil
        resumeBroker()
    }

    private func copyRegistry(from before: String) throws {
        // The journal only grows.
        for name in ["agent.id", "registry/snapshot.jsonl", "registry/journal.jsonl"] {
            try home.write("data-\(kills)/\(name)", readFile("\(before)/\(name)"))
        }
    }

    /// Whether every directory was scanned once; waits for it.
    func waitForFirstScan() { pipeline?.waitForFirstScan() }
}
