package import Platform
package import Tailer
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
    package let output: Output
    package let limits: Limits
    package let registry: Registry
    package let shutdownTimeout: Duration
    package let node: String
    package let http: HTTP
    package let log: Log

    /// One entry of `inputs`.
    package struct Input: Hashable, Sendable {
        package let name: String
        /// At least one.
        package let paths: [PathPattern]
        package let exclude: [PathExclusion]
        /// Where rotated files may go, beside the directories of their logs; what they capture, every path
        /// captures.
        package let archives: [PathPattern]
        package let start: Start
        package let fields: [Field]
        package let tags: [String]
        /// The input's own, or else the output's. Each of its names has a value for every path.
        package let topic: Template
        /// Bytes of a message at the most, 1...64 MiB; longer lines are split.
        package let maxLine: Int
        package let emptyLines: EmptyLines
        package let format: LineFormat
        /// Of the clocks that s6-log's ISO 8601 stamps show.
        package let timezone: ZoneRules
        package let tai64n: LabelFormat.TAI64N

        /// What `name` stands for in a template: what the path captured, or else a field, or else,
        /// for `input`, this input's name.
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

    /// What a line's beginning is.
    package enum LineFormat: String, Hashable, Sendable, CaseIterable {
        /// As `s6` in an s6 log directory, but for svlogd's `-ttt`; elsewhere as `plain`.
        case auto
        /// A part of the message, whatever it looks like.
        case plain
        /// The label of `LabelFormat`, where there is one.
        case s6
    }

    package enum EmptyLines: String, Hashable, Sendable, CaseIterable {
        case skip, keep
    }

    package struct Output: Hashable, Sendable {
        package let kafka: Kafka
    }

    package struct Kafka: Hashable, Sendable {
        package let brokers: Brokers
        /// For inputs without one of their own.
        package let topic: Template?
        /// Nil: the stream's identity. Each of its names has a value for every path of every input.
        package let key: Template?
        package let partitioner: Partitioner
        package let codec: Codec
        package let compression: Compression
        package let acks: Acks
        /// Passed through, in the order of the file.
        package let librdkafka: [Passthrough]
    }

    package enum Brokers: Hashable, Sendable {
        /// librdkafka's mock cluster in this process.
        case embedded
        /// `HOST:PORT`, at least one.
        case addresses([String])
    }

    package enum Partitioner: String, Hashable, Sendable, CaseIterable {
        case murmur2Random = "murmur2_random"
        case consistentRandom = "consistent_random"
    }

    package enum Codec: String, Hashable, Sendable, CaseIterable {
        case json, raw
    }

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
        package let name: String
        package let value: String
        package let mark: Mark

        /// Whether `value` must never be shown.
        package var isSecret: Bool {
            let name = name.lowercased()
            return ["password", "secret", "token", "credential", "key.pem", "oauthbearer.config"]
                .contains { name.contains($0) }
        }
    }

    package struct Limits: Hashable, Sendable {
        /// Bytes read but not yet delivered, at most; 256 KiB...16 GiB.
        package let inFlight: Int
        /// Followed files that may have a descriptor at a time, 16...1,048,576; fewer where the
        /// process may not have as many.
        package let openFiles: Int
        /// Bytes of the disk that removed and unread files may keep, at most; 64 KiB...4,096 GiB.
        package let heldBytes: Int
        /// inotify watches at a time, 16...16,777,216; nil: as many as is fair to others.
        package let watches: Int?
    }

    package struct Registry: Hashable, Sendable {
        /// Between two fsyncs of the journal.
        package let sync: Duration
    }

    package struct HTTP: Hashable, Sendable {
        package let listen: Listen

        /// Where metrics and health are served.
        package enum Listen: Hashable, Sendable {
            /// The configuration says nothing: at the standard address, if that is free. Nobody asked
            /// for it, so it keeps nothing from being shipped.
            case standard
            /// Here, or the agent does not start. Port 0 is one of the kernel's choice.
            case address(InternetAddress)
            /// Nowhere.
            case none
        }

        /// Where the configuration says nothing.
        static let standardAddress = InternetAddress.loopback(port: 9600)
    }

    package struct Log: Hashable, Sendable {
        package let level: Shipper.Log.Level
        package let format: Shipper.Log.Format
    }
}
