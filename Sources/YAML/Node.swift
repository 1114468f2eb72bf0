/// A value of a YAML document and where it stands. Types are not resolved: whoever reads a scalar
/// knows what it should be.
package struct Node: Hashable, Sendable {
    /// Where the value starts; of an alias, where the anchored value starts.
    package let mark: Mark
    package let content: Content

    package init(mark: Mark, content: Content) {
        self.mark = mark
        self.content = content
    }

    package enum Content: Hashable, Sendable {
        case scalar(Scalar)
        case list([Node])
        /// In the order of the text. A key that stands twice is twice here and in
        /// `Document.faults`.
        case map([Entry])
    }

    package struct Scalar: Hashable, Sendable {
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

    package struct Entry: Hashable, Sendable {
        package let key: String
        package let keyMark: Mark
        package let value: Node

        package init(key: String, keyMark: Mark, value: Node) {
            self.key = key
            self.keyMark = keyMark
            self.value = value
        }
    }
}
