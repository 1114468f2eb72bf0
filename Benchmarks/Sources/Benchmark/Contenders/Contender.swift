package import Machine

/// Somebody who takes lines from files to Kafka.
package struct Contender: Sendable {
    /// As tables show it.
    package var name: String
    /// Path of the program.
    package let program: String
    /// What the program says of itself.
    package var version: String
    /// It ends when everything is delivered; else the harness looks at the broker and stops it.
    package let endsByItself: Bool
    /// It goes on with a file that grows, until it is stopped.
    package let follows: Bool
    /// How the lines stand in the corpus that it is given.
    package var form = Corpus.Form.plain
    /// Who rotates what it follows; nil: it is for other modes.
    var rotator: Rotator?
    /// Writes what the program wants to read into the task's directory; the command line.
    package let prepare: @Sendable (Task) throws(MachineError) -> [String]

    /// What a contender is to do.
    package struct Task: Sendable {
        /// Empty, for its configuration and state.
        package let directory: String
        /// Path of a file, or a pattern with `*` for whole segments.
        package let files: String
        /// What is in them, where the whole of it is there from the start.
        package let corpus: Corpus?
        package let topic: String
        /// host:port, or several with commas.
        package let broker: String
        package let kind: BrokerClient.Kind
        /// End when everything that is there is delivered, if the program knows how to.
        package let once: Bool
        /// More keys of shipper's input.
        var inputKeys: [String] = []

        /// The brokers as a list that YAML and rsyslog read, on one line.
        var brokerList: String {
            let brokers = broker.split(separator: ",").map { JSON.text(String($0)).text() }
            return "[" + brokers.joined(separator: ", ") + "]"
        }
    }

    /// A name that can be given to `--only`.
    package struct Key: Hashable, Sendable {
        package let name: String
        /// Where it takes part without being named.
        package let modes: Set<Options.Mode>
        let find: @Sendable (_ shipper: String?) throws(MachineError) -> Finding

        package static func == (one: Key, other: Key) -> Bool { one.name == other.name }
        package func hash(into hasher: inout Hasher) { hasher.combine(name) }
    }

    package enum Finding: Sendable {
        case present(Contender)
        /// The program that is not there, and which Debian package brings it.
        case absent(name: String, reason: String)
    }

    private static let everywhere: Set<Options.Mode> = [
        .throughput, .idle, .latency, .node, .formats,
    ]

    /// In the order in which they run.
    package static let all: [Key] =
        [
            Key(name: "shipper-json", modes: everywhere.union([.scale])) {
                shipper throws(MachineError) in
                try Self.shipper("json", shipper)
            }
        ]
        + Job.all.map { job in
            Key(name: "shipper-\(job.name)", modes: [.formats]) { shipper throws(MachineError) in
                try Self.shipper("json", job: job, shipper)
            }
        } + [
            Key(name: "shipper-raw", modes: [.throughput]) { shipper throws(MachineError) in
                try Self.shipper("raw", shipper)
            },
            Key(name: "shipper-node", modes: [.node]) { shipper throws(MachineError) in
                try Self.shipper("json", partitioner: "node", shipper)
            },
            Key(name: "kcat", modes: [.throughput]) { _ throws(MachineError) in try kcat() },
            Key(name: "filebeat", modes: everywhere) { _ throws(MachineError) in try filebeat() },
        ]
        + Job.all.compactMap { job in
            job.filebeat.map { keys in
                Key(name: "filebeat-\(job.name)", modes: [.formats]) { _ throws(MachineError) in
                    try filebeat(job, keys)
                }
            }
        } + [
            Key(name: "rsyslog", modes: everywhere.subtracting([.formats])) {
                _ throws(MachineError) in try rsyslog()
            },
            // They are there to be found out.
            Key(name: "drops-a-line", modes: []) { _ throws(MachineError) in
                try faulty("drops a line", without: true)
            },
            Key(name: "repeats-a-line", modes: []) { _ throws(MachineError) in
                try faulty("repeats a line", without: false)
            },
        ] + rotating

    /// What a program prints that tells its version; standard output and error together.
    static func output(of command: [String]) throws(MachineError) -> [String] {
        let path = try Scene.directory() + "/version"
        let process = try ChildProcess(command, output: .file(path), errors: .file(path))
        guard try process.wait(milliseconds: 30_000) != nil else {
            throw MachineError("\(command.joined(separator: " ")) does not end")
        }
        let lines = try readText(path).split(separator: "\n").map(String.init)
        try remove(path)
        return lines
    }
}
