/// The version of this program, as `--version` and each record's `agent.version` have it.
package enum Version {
    /// Three numbers, as in semantic versioning.
    package static let text = "0.1.0"
}
