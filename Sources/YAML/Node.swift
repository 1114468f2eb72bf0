/// A value of a YAML document and where it stands. Types are not resolved: whoever reads a scalar
/// knows what it should be.
package struct Node: Hashable, Sendable {
    /// Where the value starts; of an alias, where the anchored value starts.
    package let mark: Mark
    /// Its shape and what is in it, aliases expanded.
    package let content: Content

    package init(mark: Mark, content: Content) {
        self.mark = mark
        self.content = content
    }

    /// The three shapes that a value may have.
    package enum Content: Hashable, Sendable {
        case scalar(Scalar)
        case list([Node])
        /// In the order of the text. A key that stands twice is twice here and in
        /// `Document.faults`.
        case map([Entry])
    }

    /// A value that is one piece of text, whatever it stands for.
    package struct Scalar: Hashable, Sendable {
        /// Without quotes, and with escapes resolved.
        package let text: String
        /// Whether it is written without quotes, so that `5`, `true` or `null` are not strings.
        package let isPlain: Bool

        package init(text: String, isPlain: Bool) {
            self.text = text
            self.isPlain = isPlain
        }

        /// Null of the YAML 1.2 core schema: nothing at all, `~` or `null`, without quotes.
        package var isNull: Bool {
            isPlain && ["", "~", "null", "Null", "NULL"].contains(text)
        }
    }

    /// One key of a map with its value.
    package struct Entry: Hashable, Sendable {
        /// Keys are scalars; any other one is refused when the document is read.
        package let key: String
        /// Where the key starts, for messages about the key itself.
        package let keyMark: Mark
        /// Null, as an empty scalar, where nothing stands behind the key.
        package let value: Node

        package init(key: String, keyMark: Mark, value: Node) {
            self.key = key
            self.keyMark = keyMark
            self.value = value
        }
    }
}
