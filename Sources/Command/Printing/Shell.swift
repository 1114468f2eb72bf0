/// A shell that completes what is typed.
package enum Shell: String, CaseIterable, Sendable {
    case bash, zsh, fish
}
