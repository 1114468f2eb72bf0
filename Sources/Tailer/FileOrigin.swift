package import Model

/// A file that is known or was, and that a compressed one begins like.
package struct FileOrigin: Sendable {
    /// The number of its entry.
    package let file: FileID
    /// The inode that its content was in last.
    package let identity: FileIdentity
    /// Where it was seen last.
    package let path: String
    /// It was removed, and what was unread of it is counted as lost.
    package let hasLeft: Bool
    /// As far as it was read, delivered or not.
    package let position: PhysicalOffset
    /// The bytes before that.
    package let anchor: Anchor
    /// What is unread of it and not counted.
    package let unread: ByteRange?
    /// Its name is how the other's begins.
    package let isNamesake: Bool

    package init(
        file: FileID, identity: FileIdentity, path: String, hasLeft: Bool,
        position: PhysicalOffset, anchor: Anchor, unread: ByteRange?, isNamesake: Bool
    ) {
        self.file = file
        self.identity = identity
        self.path = path
        self.hasLeft = hasLeft
        self.position = position
        self.anchor = anchor
        self.unread = unread
        self.isNamesake = isNamesake
    }
}
