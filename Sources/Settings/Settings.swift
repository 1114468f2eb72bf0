package import Patterns
package import Platform
package import YAML

/// The configuration, checked and complete: every default filled in. The names are those of the
/// file's keys.
package struct Settings: Hashable, Sendable {
    /// The file that it comes from, as it was named.
    package let file: String
    /// Absolute path of the directory with the registry and its lock.
    package let data: String
    /// At least one; no two have the same name.
    package let inputs: [Input]
    /// Where records go.
    package let output: Output
    /// Bounds of memory, descriptors, disk space and watches, each for all inputs together.
    package let limits: Limits
    /// How positions are saved.
    package let registry: Registry
    /// How long a stop waits for acknowledgements of what was read.
    package let shutdownTimeout: Duration
    /// `host.name` in documents.
    package let node: String
    /// It was written down, as for each node of a fleet; else it is the host's name.
    package let isNodeNamed: Bool
    /// Where metrics and health are served, if anywhere.
    package let http: HTTP
    /// The agent's own log, on standard error.
    package let log: Log

    /// One entry of `inputs`.
    package struct Input: Hashable, Sendable {
        /// A label in logs and metrics, and `{input}` in templates.
        package let name: String
        /// At least one.
        package let paths: [PathPattern]
        /// Files to leave out, those that every input leaves out among them.
        package let exclude: [PathGlob]
        /// Where rotated files may go, beside the directories of their logs; what they capture,
        /// every path captures.
        package let archives: [PathPattern]
        /// Directories beneath which links that `paths` match are followed; absolute, and none of
        /// them the root.
        package let linkRoots: [String]
        /// For streams that no run has seen before.
        package let start: Start
        /// How long a line may wait until it is handed to a broker's connection.
        package let latency: LatencyBudget
        /// Go into each document, in the order of the file.
        package let fields: [Field]
        /// `fields` stand beside the document's own keys, not in an object of their own.
        package let fieldsUnderRoot: Bool
        /// Go into each document, in the order of the file.
        package let tags: [String]
        /// The input's own, or else the output's. Each of its names has a value for every path.
        package let topic: Template
        /// Bytes of a message at the most, 1...64 MiB; longer lines are split.
        package let maxLine: Int
        /// Whether a line without a message becomes a record.
        package let emptyLines: EmptyLines
        /// Of which stream of a container lines become records.
        package let stream: ContainerStream
        /// How characters are bytes.
        package let encoding: TextEncoding
        /// How lines become members of documents; nil: each is a message.
        package let json: JSON?
        /// Which lines are one event; nil: each is one.
        package let multiline: Multiline?
        /// Which lines become records, and what in them nobody is to see.
        package let lines: Lines
        /// How its logs are rotated; nil: never by this agent.
        package let rotation: Rotation?
        /// Whether lines begin with a time that their logger wrote.
        package let format: LineFormat
        /// Of the clocks that s6-log's ISO 8601 stamps show.
        package let timezone: ZoneRules
        /// Whether TAI64N labels count leap seconds, by the logger that wrote them.
        package let tai64n: TAI64N

        /// The text that stands for `name` in a template: captured from the path, or else of a
        /// field, or else, for `input`, this input's name.
        package func value(of name: String, captures: [String: String]) -> String? {
            if let captured = captures[name] { return captured }
            if let field = fields.first(where: { $0.name == name }) { return field.value.text }
            return name == "input" ? self.name : nil
        }
    }

    /// Where a stream begins that was never seen before, at the first start.
    package enum Start: String, Hashable, Sendable, CaseIterable {
        case beginning, end
    }

    /// The meaning of a line's beginning.
    package enum LineFormat: String, Hashable, Sendable, CaseIterable {
        /// As `s6` in an s6 log directory, but for svlogd's `-ttt`; elsewhere as `plain`.
        case auto
        /// A part of the message, whatever it looks like.
        case plain
        /// The label of a logger, where there is one.
        case s6
        /// Time, stream and tag of a container runtime; pieces of a line are joined.
        case cri
        /// The same as Docker's json-file has it.
        case docker
    }

    /// The logger whose TAI64N labels lines begin with.
    package enum TAI64N: String, Hashable, Sendable, CaseIterable {
        /// Built as skalibs is by default: it counts leap seconds.
        case skalibs
        /// Without them.
        case daemontools
    }

    /// Two ways to treat a line that has nothing before its newline, or nothing behind its label.
    package enum EmptyLines: String, Hashable, Sendable, CaseIterable {
        case skip, keep
    }

    /// The sinks of records, of which there is one.
    package struct Output: Hashable, Sendable {
        /// The only sink that there is.
        package let kafka: Kafka
    }

    /// `output.kafka`: brokers, names and the client.
    package struct Kafka: Hashable, Sendable {
        /// Who is asked first; the cluster tells of the others.
        package let brokers: Brokers
        /// For inputs without one of their own.
        package let topic: Template?
        /// Where records go that their topics will never take; a name that Kafka takes. Nil: they
        /// stop their streams.
        package let deadLetterTopic: String?
        /// Where streams go that have no topic of their own, for `limits.topics` is reached or
        /// another name has become theirs; a name that Kafka takes. Nil: they wait.
        package let fallbackTopic: String?
        /// Nil: the stream's identity. Each of its names has a value for every path of every input.
        package let key: Template?
        /// Which partition a key goes to.
        package let partitioner: Partitioner
        /// With `node`, how many partitions of each topic a node writes to; 1...1000.
        package let partitionsPerNode: Int
        /// Of each record, in the order of the file; at most 32. Beside what every path of every
        /// input has, a value may name `path`, `offset` and `id`.
        package let headers: [Header]
        /// The form of a record's value.
        package let codec: Codec
        /// How much stands in a document.
        package let envelope: Envelope
        /// Of batches, by Kafka's names.
        package let compression: Compression
        /// Who has to have a record before it counts as delivered.
        package let acks: Acks
        /// The name that brokers know the client by; of names it may have `{node}`.
        package let clientID: Template
        /// Nil: connections are not encrypted, unless what is passed through says so.
        package let tls: TLS?
        /// Nil: the client does not prove who it is, unless what is passed through says so.
        package let sasl: SASL?
        /// Passed through, in the order of the file.
        package let librdkafka: [Passthrough]
    }

    /// A cluster that is there, or one for trying out.
    package enum Brokers: Hashable, Sendable {
        /// librdkafka's mock cluster in this process.
        case embedded
        /// `HOST:PORT`, at least one.
        case addresses([String])
    }

    /// Partitioners that keep the order of a key.
    package enum Partitioner: String, Hashable, Sendable, CaseIterable {
        case murmur2Random = "murmur2_random"
        case consistentRandom = "consistent_random"
        /// As Filebeat does with a key.
        case filebeat
        /// A window of partitions for each node and topic.
        case node
    }

    /// A header of records and what stands in it.
    package struct Header: Hashable, Sendable {
        /// As consumers see it.
        package let name: String
        /// With `{path}`, `{offset}` and `{id}` for what the record is of, whatever else has these
        /// names.
        package let value: Template

        /// The names that stand for something in a header alone.
        package static let ownNames = ["path", "offset", "id"]
    }

    /// `full` is the document as Filebeat writes it, `minimal` its time, message, place and pod.
    package enum Envelope: String, Hashable, Sendable, CaseIterable {
        case full, minimal
    }

    /// `json` is the document as Filebeat writes it, `raw` the line as it is.
    package enum Codec: String, Hashable, Sendable, CaseIterable {
        case json, raw
    }

    /// Compressions that every broker knows.
    package enum Compression: String, Hashable, Sendable, CaseIterable {
        case none, gzip, snappy, lz4, zstd
    }

    /// Anything less than `all` would report lines as delivered that a broker's crash takes away.
    package enum Acks: String, Hashable, Sendable, CaseIterable {
        case all
    }

    /// A key of `output.kafka.librdkafka` and where it stands, so that whoever refuses it can say
    /// `FILE:LINE:COLUMN`.
    package struct Passthrough: Hashable, Sendable {
        /// As librdkafka spells it; whether it may be set is checked with the Kafka module.
        package let name: String
        /// As text, references to the environment filled in.
        package let value: String
        /// The place of the key in the file. It makes no difference to what is set.
        package let mark: Mark

        package static func == (a: Self, b: Self) -> Bool { a.name == b.name && a.value == b.value }

        package func hash(into hasher: inout Hasher) {
            hasher.combine(name)
            hasher.combine(value)
        }

        /// Whether `value` must never be shown.
        package var isSecret: Bool {
            let name = name.lowercased()
            return ["password", "secret", "token", "credential", "key.pem", "oauthbearer.config"]
                .contains { name.contains($0) }
        }
    }

    /// Bounds that hold for all inputs together.
    package struct Limits: Hashable, Sendable {
        /// Bytes read but not yet delivered, at most; 256 KiB...16 GiB.
        package let inFlight: Int
        /// Followed files that may have a descriptor at a time, 16...1,048,576; fewer where the
        /// process may not have as many.
        package let openFiles: Int
        /// Bytes of the disk that removed and unread files may keep, at most; 64 KiB...4,096 GiB.
        package let heldBytes: Int
        /// Topics that are named by pieces of paths, 1...100,000.
        package let topics: Int
        /// inotify watches at a time, 16...16,777,216; nil: as many as is fair to others.
        package let watches: Int?
    }

    /// `registry`: how often positions reach the disk.
    package struct Registry: Hashable, Sendable {
        /// Between two fsyncs of the journal.
        package let sync: Duration
    }

    /// `http`: one address for metrics, health and readiness.
    package struct HTTP: Hashable, Sendable {
        /// An address that was asked for, and cannot be had, keeps the agent from starting.
        package let listen: Listen

        /// Where metrics and health are served.
        package enum Listen: Hashable, Sendable {
            /// The configuration says nothing: at the standard address, if that is free. Nobody
            /// asked for it, so it keeps nothing from being shipped.
            case standard
            /// Here, or the agent does not start. Port 0 is one of the kernel's choice.
            case address(InternetAddress)
            /// Nowhere.
            case none
        }

        /// Where the configuration says nothing.
        package static let standardAddress = InternetAddress.loopback(port: 9600)
    }

    /// `log`: how much is told, and in which form.
    package struct Log: Hashable, Sendable {
        /// Events below it are neither written nor rendered.
        package let level: Level
        /// One line for each event: text for people, or JSON.
        package let format: Format

        /// Each of them writes those that come after it, too.
        package enum Level: String, Hashable, Sendable, CaseIterable {
            case debug, info, warn, error
        }

        /// `text` for people, `json` for programs.
        package enum Format: String, Hashable, Sendable, CaseIterable {
            case text, json
        }
    }
}
