/// What of a text's encoding matters where its lines are found.
package enum LineForm: Hashable, Sendable {
    /// A newline is one byte, and no other character has it. Long lines are cut between characters
    /// of UTF-8.
    case ascii
    /// The same; characters may have further bytes that look like ASCII from `0` on.
    case longCharacters
    /// UTF-16: a newline is two bytes, of which the first lies at an even offset.
    case wide
}
