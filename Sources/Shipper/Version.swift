import Kafka

/// The version of this program, as `--version` and each record's `agent.version` have it.
package enum Version {
    /// Three numbers, as in semantic versioning.
    package static let text = "0.1.0"

    /// With that of the library which decides what works with which broker.
    package static var full: String { "\(text) (librdkafka \(KafkaSettings.library))" }
}
