/// What an input asks for of its logs beside reading them.
extension Settings {
    /// `rotation` of an input: the agent removes what is delivered from the front of its logs.
    package struct Rotation: Hashable, Sendable {
        /// Bytes of a log from which on its front is removed.
        package let size: Int
        /// Archives that are kept beside it.
        package let keep: Int
        /// How the front is removed.
        package let method: Method

        /// The ways to take the front of a file away.
        package enum Method: String, Hashable, Sendable, CaseIterable {
            /// The best that the file system can do; so far that is `collapse`, or nothing.
            case auto
            /// What is left moves to the front, while its writer goes on.
            case collapse
        }
    }

    func describe(_ rotation: Rotation, _ text: inout YAMLText) {
        text.key("rotation")
        text.indented { text in
            text.pair("size", Quantity.text(bytes: rotation.size))
            text.pair("keep", .int(rotation.keep))
            text.pair("method", rotation.method.rawValue)
        }
    }
}
