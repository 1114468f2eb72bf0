package import Model
package import Platform

/// A file that was saved, by this run or an earlier one.
package struct SavedFile: Sendable {
    /// The number of its entry.
    package let file: FileID
    /// The inode that its content was in last.
    package let identity: FileIdentity
    /// Where it was seen last, as `PathText` spells it.
    package let path: String
    /// Everything before it is delivered.
    package let position: PhysicalOffset
    /// The bytes before `position`.
    package let anchor: Anchor
    /// Something is known of its beginning.
    package let hasHead: Bool
    /// When anything was saved of it last, by the agent's clock: says which
    /// of two was later, and nothing beside files' times.
    package let updated: Timestamp
    /// As many bytes as it is known to have had.
    package let size: PhysicalOffset
    /// Bytes that were removed from the front.
    package let base: Base
    /// It was seen under a name under which nobody writes to it, and its size since.
    package let isArchived: Bool

    package init(
        file: FileID, identity: FileIdentity, path: String, position: PhysicalOffset,
        anchor: Anchor, hasHead: Bool, updated: Timestamp, size: PhysicalOffset, base: Base,
        isArchived: Bool = false
    ) {
        self.file = file
        self.identity = identity
        self.path = path
        self.position = position
        self.anchor = anchor
        self.hasHead = hasHead
        self.updated = updated
        self.size = size
        self.base = base
        self.isArchived = isArchived
    }
}

/// A stream that an earlier run has read.
package struct SavedStream: Hashable, Sendable {
    /// The live file's.
    package let path: String
    /// Some file of it was on the device that its directory is on now.
    package let isOnDevice: Bool

    package init(path: String, isOnDevice: Bool) {
        self.path = path
        self.isOnDevice = isOnDevice
    }
}

/// A saved file whose directory lies on another device by now.
package struct FormerFile: Hashable, Sendable {
    /// The number of its entry.
    package let file: FileID
    /// The same on either device, if it is the same file.
    package let inode: UInt64
    /// Not in the directory of its log.
    package let isElsewhere: Bool

    package init(file: FileID, inode: UInt64, isElsewhere: Bool) {
        self.file = file
        self.inode = inode
        self.isElsewhere = isElsewhere
    }
}
