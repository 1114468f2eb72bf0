package import Model

/// Where reading starts.
package struct FileStart: Sendable {
    /// The number of its entry, by which the Tailer names it from now on.
    package let file: FileID
    /// Of the next byte to read.
    package let offset: LogicalOffset
    /// Bytes that were removed from the front.
    package let base: Base
    /// The bytes before `offset`, to be compared; none when nothing was read.
    package let anchor: Anchor
    /// Whether any byte of it was known before this run.
    package let isKnown: Bool
    /// As many bytes as the file is known to have had.
    package let size: PhysicalOffset
    /// It is this inode, but its content begins otherwise than what is known.
    package let isReplaced: Bool

    package init(
        file: FileID, offset: LogicalOffset, base: Base, anchor: Anchor, isKnown: Bool,
        size: PhysicalOffset = .start,
        isReplaced: Bool = false
    ) {
        self.file = file
        self.offset = offset
        self.base = base
        self.anchor = anchor
        self.isKnown = isKnown
        self.size = size
        self.isReplaced = isReplaced
    }
}
