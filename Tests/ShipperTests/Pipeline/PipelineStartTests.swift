import HTTPServer
import Platform
import Settings
import TestSupport
import Testing

@testable import Shipper

@Suite("A pipeline that cannot start leaves nothing") struct PipelineStartTests {
    /// What a process has.
    private struct Holdings {
        /// Files and directories beneath a directory that it has open.
        let files: [String]
        /// Descriptors of what has no name there: sockets, pipes, wake-ups, timers.
        let others: Int
        /// Threads, but for those of whoever runs tests.
        let threads: [String]

        static func now(_ directory: TemporaryDirectory) throws -> Holdings {
            let own = try text("/proc/self/comm")
            let open = try names("/proc/self/fd").compactMap { linkTarget($0) }
            let files = open.filter { $0.hasPrefix(directory.path("")) }
            return Holdings(
                files: files, others: open.count - files.count,
                threads: try names("/proc/self/task").compactMap { try? text("\($0)/comm") }
                    .filter { $0 != own && !$0.contains("qos") })
        }

        private static func names(_ place: String) throws -> [String] {
            try Descriptor.open(place, O.directory).entries()
                .map { "\(place)/\(String(decoding: $0.name, as: UTF8.self))" }
        }

        private static func text(_ path: String) throws -> String {
            String(
                decoding: try Descriptor.open(path, O.read).read(count: 64, at: 0), as: UTF8.self)
        }
    }

    /// Starts of each kind: more than whoever runs tests may open beside them, so that what each of
    /// them left would be seen.
    private static let starts = 8

    /// Calls `start` so often, and waits each time until nothing is left of it.
    private static func isLeftAsBefore(
        _ directory: TemporaryDirectory, _ what: String, _ start: () throws -> Void
    ) throws {
        let before = try Holdings.now(directory)
        for _ in 0..<starts {
            try start()
            do {
                // A thread that was joined may be listed for a moment, and one that a slow disk
                // holds for as long as that takes, with its files.
                try eventually(what) {
                    let now = try Holdings.now(directory)
                    return now.files.isEmpty && now.threads.isEmpty
                        && now.others - before.others < starts
                }
            } catch {
                Issue.record(
                    "\(error): there was \(before), there is \(try Holdings.now(directory))")
                throw error
            }
        }
    }

    private static func settings(
        _ directory: TemporaryDirectory, kafka: String = ""
    ) throws -> Settings {
        try directory.write("logs/a.log", "one\n")
        return try Settings.parse(
            """
            data: \(directory.path("data"))
            inputs: [{name: pods, paths: ["\(directory.path("logs"))/*.log"]}]
            output: {kafka: {brokers: ["127.0.0.1:1"], topic: logs\(kafka)}}

            """)
    }

    /// One descriptor more at a time, until there are enough: each stage is once the first for which
    /// there is none. A start also shows that the data directory was let go.
    @Test("Wherever descriptors are too few for the next stage, none is left open, and no thread")
    func tooFewDescriptors() async {
        await #expect(processExitsWith: .success) {
            let directory = try TemporaryDirectory()
            let settings = try Self.settings(directory)
            let log = Log(level: .error, format: .text) { _ in }
            try Self.isLeftAsBefore(directory, "it ran and was stopped") {
                _ = try Pipeline(settings, once: false, log: log).stop(within: .zero)
            }
            var faults: Set<String> = []
            var isStarted = false
            // The limit is one of numbers: with none allowed nothing at all is opened, whatever this
            // process has open, and may close or open itself meanwhile.
            let enough = try Holdings.now(directory).others + 64
            for most in 0..<enough where !isStarted {
                try Self.isLeftAsBefore(directory, "\(most) descriptors") {
                    try limitDescriptors(most)
                    do throws(PipelineError) {
                        let pipeline = try Pipeline(settings, once: false, log: log)
                        isStarted = true
                        _ = pipeline.stop(within: .zero)
                    } catch {
                        faults.insert(Self.stage(of: error))
                    }
                    try limitDescriptors(nil)
                }
            }
            Self.expectEachStageOnce(isStarted, faults)
        }
    }

    /// The registry, the files that the agent writes, and the wake-ups of all threads.
    private static func expectEachStageOnce(_ isStarted: Bool, _ faults: Set<String>) {
        if !isStarted || faults != ["registry", "open", "eventfd"] {
            Issue.record("started in the end: \(isStarted); too few before at \(faults.sorted())")
        }
    }

    private static func stage(of error: PipelineError) -> String {
        switch error {
        case .registry: "registry"
        case .kafka: "kafka"
        case .http: "http"
        case .system(let error): error.call
        }
    }

    enum Refusal: String, CaseIterable, Codable { case caller, kafka }

    /// The caller refuses once the data directory is held; librdkafka, when positions are kept already.
    @Test(
        "What is refused for what the settings say lets all go again", arguments: Refusal.allCases)
    func refused(by refusal: Refusal) async {
        await #expect(processExitsWith: .success) { [refusal = refusal as Refusal] in
            let directory = try TemporaryDirectory()
            let settings = try Self.settings(
                directory,
                kafka: refusal == .kafka
                    ? ", librdkafka: {security.protocol: ssl, ssl.ca.location: /nowhere}" : "")
            let log = Log(level: .error, format: .text) { _ in }
            try Self.isLeftAsBefore(directory, "it was refused") {
                var stage: String?
                do throws(PipelineError) {
                    let pipeline = try Pipeline(settings, once: false, log: log) {
                        () throws(PipelineError) in
                        if refusal == .caller { throw .http(.library) }
                    }
                    _ = pipeline.stop(within: .zero)
                } catch {
                    stage = Self.stage(of: error)
                }
                try #require(stage == (refusal == .kafka ? "kafka" : "http"))
            }
        }
    }
}
