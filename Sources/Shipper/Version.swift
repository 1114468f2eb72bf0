/// The version of this program, as `--version` and each record's `agent.version` have it.
package enum Version {
    package static let text = "0.1.0"
}
