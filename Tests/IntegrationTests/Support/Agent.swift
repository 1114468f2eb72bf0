import FoundationEssentials
import Synchronization
import TestSupport

/// A `shipper run` with a home of its own: configuration, data directory, and a tree for logs. It is
/// started, stopped and killed as often as a test wants; its positions stay.
final class Agent: Sendable {
    let home: TemporaryDirectory
    private let settings: Mutex<String>
    private let running = Mutex<ChildProcess?>(nil)
    /// Standard errors of the runs that ended.
    private let earlier = Mutex("")

    /// `broker` is the address of one or more, with commas. `input` and `kafka` are more keys of the one input and of `output.kafka` in YAML's flow style,
    /// `more` are whole lines; it serves HTTP only where they say so, for many run at a time. The input reads `path` beneath the directory `logs` of the home.
    init(
        _ broker: String, path: String, input: String = "", kafka: String = "topic: logs",
        more: String = ""
    ) throws {
        home = try TemporaryDirectory()
        try home.makeDirectory("logs")
        let comma = input.isEmpty ? "" : ", "
        let brokers = broker.split(separator: ",").map { "\"\($0)\"" }.joined(separator: ", ")
        settings = Mutex(
            """
            data: \(home.path("data"))
            inputs:
              - {name: logs, paths: ["\(home.path("logs"))/\(path)"]\(comma)\(input)}
            output: {kafka: {brokers: [\(brokers)], \(kafka)}}
            \(more.contains("http:") ? "" : "http: {listen: none}")
            \(more)

            """)
        try configure { _ in }
    }

    var data: String { home.path("data") }
    var config: String { home.path("shipper.yaml") }

    /// The path of something beneath `logs`.
    func log(_ relative: String) -> String { home.path("logs/\(relative)") }

    /// Changes the configuration for the next start.
    func configure(_ change: (inout String) -> Void) throws {
        let text = settings.withLock { text in
            change(&text)
            return text
        }
        try home.write("shipper.yaml", text)
    }

    /// The process that runs now, or ran last.
    var process: ChildProcess {
        guard let process = running.withLock({ $0 }) else {
            preconditionFailure("the agent was never started")
        }
        return process
    }

    /// Everything that all its runs said.
    var said: String { earlier.withLock { $0 } + (running.withLock { $0 }?.errors ?? "") }

    /// Starts it and waits until it says so.
    func start(wrapper: [String] = []) throws {
        let process = try launch(["run", "--config", config], wrapper: wrapper)
        try eventually("the agent has started; it says: \(process.errors)") {
            if let exit = try process.exit {
                throw Unexpected(description: "the agent ended, \(exit): \(process.errors)")
            }
            return process.errors.contains(" started ")
        }
    }

    /// Starts it without waiting for anything.
    @discardableResult
    func launch(_ arguments: [String], wrapper: [String] = []) throws -> ChildProcess {
        let line = wrapper + [try findBinary()] + arguments
        let process = try ChildProcess(line[0], Array(line.dropFirst()))
        let last = running.withLock { running in
            defer { running = process }
            return running
        }
        if let last {
            last.end()
            earlier.withLock { $0 += last.errors }
        }
        return process
    }

    /// `run --once`, to its end.
    func once(within deadline: Duration = .patience) throws -> ChildProcess.Exit {
        try launch(["run", "--config", config, "--once"]).wait(within: deadline)
    }

    /// SIGTERM, or another signal, and its end.
    func stop(
        _ signal: Int32 = 15, within deadline: Duration = .patience
    ) throws -> ChildProcess.Exit {
        process.signal(signal)
        return try process.wait(within: deadline)
    }

    /// SIGKILL.
    func kill() { process.end() }

    /// A line of `registry show --json`.
    struct Entry: Decodable, Hashable {
        let stream: String
        let path: String
        let generation: String
        let offset: Int
        let size: Int
        let lag: Int
        let state: String

        enum CodingKeys: String, CodingKey {
            case stream, path, generation, offset, size, state
            case lag = "lag_bytes"
        }
    }

    /// What `registry show --json` says of the data directory, whether the agent lives or not.
    func registry() throws -> [Entry] {
        let show = try ChildProcess(
            try findBinary(), ["registry", "show", "--json", "--data", data])
        let exit = try show.wait()
        guard exit == .code(0) else {
            throw Unexpected(description: "registry show ended, \(exit): \(show.errors)")
        }
        return try show.output.split(separator: "\n").map {
            try JSONDecoder().decode(Entry.self, from: Data($0.utf8))
        }
    }

    /// The entry of the file of this name beneath `logs`.
    func entry(_ relative: String) throws -> Entry? {
        try registry().first { $0.path == log(relative) }
    }
}

/// Something that a test relies on did not happen.
struct Unexpected: Error, CustomStringConvertible {
    let description: String
}
