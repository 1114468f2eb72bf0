import Expressions
import HTTPServer
import Kafka
import Platform
import Settings

/// The version of this program, as `--version` and each record's `agent.version` have it. This is
/// the one place that it is written in: packages and the manual take it from here.
package enum Version {
    /// Three numbers, as in semantic versioning.
    package static let text = "0.1.0"

    /// The day of the version, as in ISO 8601.
    package static let date = "2026-11-30"

    /// With that of the library which decides what works with which broker.
    package static var full: String { "\(text) (librdkafka \(KafkaSettings.library))" }

    /// What `shipper version` says: the program, its commit, and the libraries, one a line.
    package static var report: String {
        let libraries =
            [(name: "librdkafka", version: KafkaSettings.library)] + BuildFacts.libraries + [
                (name: "libyaml", version: Settings.library),
                (name: "PCRE2", version: Expression.library),
                (name: "libmicrohttpd", version: HTTPServer.library),
            ]
        let commit = BuildFacts.commit ?? "unknown: not built by make release in a repository"
        return "shipper \(text)\ncommit: \(commit)\nSwift: \(BuildFacts.compiler)\n"
            + libraries.map { "\($0.name): \($0.version)\n" }.joined()
    }
}
