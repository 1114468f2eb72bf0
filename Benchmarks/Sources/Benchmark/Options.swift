import Machine

/// What is to be measured.
package struct Options: Sendable {
    package enum Mode: String, CaseIterable, Sendable {
        case throughput, formats, idle, latency, node, scale, rotation
    }

    package var mode = Mode.throughput
    /// Of the corpus, or of a log that is to be rotated; nil: not given.
    private var size: Int?
    /// Of each contender.
    package var runs: Int?
    package var seed: UInt64 = 1
    /// Nil: a mock broker of our own.
    package var broker: String?
    /// Where the figures are written as JSON.
    package var json: String?
    /// Who was named; nil: those that belong to the mode.
    private var only: [Contender.Key]?
    /// Path of the agent; nil: the one on PATH.
    package var shipper: String?
    /// How long to look at an agent at rest, or to write lines.
    package var seconds: Int?
    package var files: Int?
    /// Lines a second; megabytes a second where logs are rotated.
    package var rate: Int?
    /// Of a log.
    package var rotations: Int?
    /// Of each topic.
    package var partitions: Int?
    /// Of the mock cluster.
    package var brokers: Int?

    /// Of the scale mode, in the order in which they run.
    package var parts = ScalePart.allCases

    /// A mock cluster of more shows nothing that it does not show with so many.
    package static let mostBrokers = 64

    /// Of the corpus, or of a log that is to be rotated.
    package var bytes: Int { size ?? (mode == .rotation ? 256 << 20 : 1_000_000_000) }

    /// Who is to be measured.
    package var contenders: [Contender.Key] {
        only ?? Contender.all.filter { $0.modes.contains(mode) }
    }

    package static let help = """
        Usage: shipper-bench [OPTION...]

        Measures how fast log lines get to Kafka: shipper (json, raw), kcat, and filebeat and rsyslog
        if they are on PATH, in turns on the same corpus and broker.

          --size SIZE        of the corpus: 1GB (default), 500MB, 64MiB
          --runs N           of each contender, in turns; default 5
          --broker ADDRESS   host:port of a broker; default: librdkafka's mock, in its own process
          --brokers N        of the mock; default 1
          --partitions N     of each topic; default 4
          --only LIST        of shipper-json, shipper-raw, shipper-node, kcat, filebeat, rsyslog, and
                             shipper-FORMAT and filebeat-FORMAT (s6, cri, docker, exclude, ndjson,
                             multiline, cri-multiline, docker-multiline); with --rotation of
                             unrotated, collapse, punch, copytruncate, logrotate; with commas
          --shipper PATH     the agent; default: the one on PATH
          --seed N           of the corpus; default 1
          --json FILE        writes the figures there as JSON too

          --formats          instead: the same messages in different formats of lines, each divided
                             by lines as they are
          --idle             instead: an agent at rest that knows many files, two in a directory
          --files N          so many; default 10000
          --latency          instead: time from write to broker, lines written one by one
          --rate N           so many a second; default 10000
          --node             instead: what the lines of an ordinary node cost: 1000 (--rate) a second,
                             each to one of 110 files (--files); 3 brokers, topics of 30 partitions,
                             1 run
          --scale            instead: what grows with the files of a node: start, crowd, full, found,
                             memory, rest and bulk, with 100000 files (--files) in one directory and less in the
                             others; 1 run
          --parts LIST       of these; with commas
          --rotation         instead: a log of a fast writer is rotated: by the agent with each of its
                             methods, by logrotate (copytruncate), by nobody; what is lost, and how
                             long the writer waits; 1 run
          --rotations N      so many; default 20
                             --size of the log that is due: default 256MiB; --rate in MB/s: 100
          --seconds N        how long; default 60 at rest, 10 of writing into one file, 30 into many

          --help

        Exit: 0 all runs are good, 1 some failed (the table says which), 64 wrong usage, 70 the
        machine or the broker refused something.

        """

    private static let valued: Set = [
        "--size", "--runs", "--broker", "--only", "--shipper", "--seed", "--json", "--seconds",
        "--files", "--rate", "--partitions", "--brokers", "--parts", "--rotations",
    ]

    /// `arguments` without the program's name.
    package init(_ arguments: [String]) throws(UsageError) {
        var rest = arguments[...]
        while let argument = rest.popFirst() {
            let parts = argument.split(separator: "=", maxSplits: 1).map(String.init)
            let name = parts.first ?? argument
            if let mode = Mode.allCases.first(where: { name == "--\($0.rawValue)" }) {
                guard parts.count == 1 else {
                    throw UsageError(description: "\(name) takes no value")
                }
                self.mode = mode
                continue
            }
            guard Self.valued.contains(name) else {
                throw UsageError(description: "unknown option \(argument)")
            }
            guard let value = parts.count > 1 ? parts[1] : rest.popFirst() else {
                throw UsageError(description: "\(name) needs a value")
            }
            try set(name, value)
        }
    }

    private mutating func set(_ name: String, _ value: String) throws(UsageError) {
        switch name {
        case "--size":
            guard let bytes = Number.bytes(value) else {
                throw UsageError(
                    description: "--size: \"\(value)\" is no size such as 1GB or 64MiB")
            }
            size = bytes
        case "--runs": runs = try Self.count(name, value)
        case "--seed": seed = UInt64(try Self.count(name, value))
        case "--seconds": seconds = try Self.count(name, value)
        case "--files": files = try Self.count(name, value)
        case "--rate": rate = try Self.count(name, value)
        case "--rotations": rotations = try Self.count(name, value, upTo: 1_000)
        case "--partitions": partitions = try Self.count(name, value, upTo: 10_000)
        case "--brokers": brokers = try Self.count(name, value, upTo: Self.mostBrokers)
        case "--parts":
            let names = value.split(separator: ",").map(String.init)
            parts = ScalePart.allCases.filter { names.contains($0.rawValue) }
            guard !parts.isEmpty, Set(names).count == parts.count else {
                let known = ScalePart.allCases.map(\.rawValue).joined(separator: ", ")
                throw UsageError(description: "--parts: \"\(value)\" is no list of \(known)")
            }
        case "--broker": broker = value
        case "--json": json = value
        case "--shipper": shipper = value
        case "--only": only = try Self.keys(value)
        default: throw UsageError(description: "unknown option \(name)")
        }
    }

    private static func count(
        _ name: String, _ value: String, upTo most: Int = 10_000_000
    ) throws(UsageError) -> Int {
        guard let number = Int(value), (1...most).contains(number) else {
            throw UsageError(description: "\(name): \"\(value)\" is no number from 1 to \(most)")
        }
        return number
    }

    private static func keys(_ value: String) throws(UsageError) -> [Contender.Key] {
        var keys: [Contender.Key] = []
        for name in value.split(separator: ",") {
            guard let key = Contender.all.first(where: { $0.name == name }) else {
                throw UsageError(description: "--only: no contender is called \"\(name)\"")
            }
            if !keys.contains(key) { keys.append(key) }
        }
        guard !keys.isEmpty else { throw UsageError(description: "--only: no contender") }
        return keys
    }
}

/// A command line that makes no sense.
package struct UsageError: Error, CustomStringConvertible {
    package let description: String
}
