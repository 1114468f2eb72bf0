/// What an input asks for of the logs that its patterns lead to.
package struct RotationPolicy: Hashable, Sendable {
    /// Bytes of a log from which on its front is removed.
    package let size: Int
    /// Archives that are kept; at least one, for what is removed is in one.
    package let keep: Int

    package init(size: Int, keep: Int) {
        self.size = size
        self.keep = max(1, keep)
    }
}
