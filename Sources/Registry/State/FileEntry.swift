package import Model
package import Platform

/// The registry's knowledge of one file.
package struct FileEntry: Hashable, Sendable {
    /// The entry's number, by which everything else names the file.
    package let file: FileID
    /// The name of the input that found it.
    package let input: String
    /// The stream's name: what its order and key hang on.
    package var stream: String
    /// Where it was last seen; a hint for people and for the first look after a start, no identity.
    package var path: String
    /// The inode that holds the content now: that of a copy, or of what a compressor has made, once
    /// it has.
    package var identity: FileIdentity
    /// Of the first bytes, as far as they are known; it grows while the file is short.
    package var fingerprint: Fingerprint
    /// Minted once per life of the content; see `Generation`.
    package var generation: GenerationID
    /// How many lives the content had before this one.
    package var generationCount: Int
    /// Of the bytes that rotation in place removed from the front of the file.
    package var base: Base
    /// Up to it every byte is delivered. Never moves back within a generation.
    package var offset: LogicalOffset
    /// The bytes just before `offset`.
    package var anchor: Anchor
    /// Where the file ended when last looked at.
    package var size: PhysicalOffset
    private var standing: Standing
    /// When this entry last changed.
    package var updated: Timestamp

    /// Of a file whose front nobody is about to remove.
    package init(
        file: FileID, input: String, stream: String, path: String, identity: FileIdentity,
        fingerprint: Fingerprint, generation: GenerationID, generationCount: Int, base: Base,
        offset: LogicalOffset, anchor: Anchor, size: PhysicalOffset, state: FileState,
        updated: Timestamp
    ) {
        self.file = file
        self.input = input
        self.stream = stream
        self.path = path
        self.identity = identity
        self.fingerprint = fingerprint
        self.generation = generation
        self.generationCount = generationCount
        self.base = base
        self.offset = offset
        self.anchor = anchor
        self.size = size
        standing = .whole(state)
        self.updated = updated
    }

    /// State and cut in one word: a node has a hundred thousand entries, and hardly any has a cut.
    private enum Standing: Hashable, Sendable {
        case whole(FileState)
        indirect case cut(FileState, FrontCut)
    }

    /// As of the last look at the file, by this run or an earlier one.
    package var state: FileState {
        get {
            switch standing {
            case .whole(let state), .cut(let state, _): state
            }
        }
        set { standing = cut.map { .cut(newValue, $0) } ?? .whole(newValue) }
    }

    /// The removal of its front that is under way, or was when an agent died.
    package var cut: FrontCut? {
        get {
            switch standing {
            case .whole: nil
            case .cut(_, let cut): cut
            }
        }
        set { standing = newValue.map { .cut(state, $0) } ?? .whole(state) }
    }

    /// The content is in another inode now, which nobody writes to.
    mutating func relocate(to identity: FileIdentity, path: String, size: PhysicalOffset) {
        cut = nil
        self.identity = identity
        self.path = path
        self.size = size
        state = .archived
        updated = .now()
    }

    /// Where its content ended when last looked at.
    package var end: LogicalOffset { base.logical(size) }

    /// Bytes not delivered yet of a file that ends at `size` now.
    package func lag(size: PhysicalOffset) -> Int { max(0, base.logical(size) - offset) }
}

/// Whether a file may still grow, and whether it can be reached.
package enum FileState: String, Hashable, Sendable, CaseIterable {
    /// It may grow.
    case active
    /// Rotated away; its end is final.
    case archived
    /// Its directory is gone, or it was moved with that to where no pattern leads: what is unread
    /// of it was counted as lost. The entry stays until it is known that it will not be found
    /// again.
    case deleted
    /// It is there, or its volume is gone, but it cannot be opened now. The entry stays.
    case unreachable
}

/// A file that no entry matches.
package struct NewFile: Hashable, Sendable {
    /// The name of the input whose pattern led to it.
    package let input: String
    /// The stream's name: its path, or the directory of an s6 log.
    package let stream: String
    /// As `PathText` spells it.
    package let path: String
    /// Device, inode number, birth time and handle, as far as they could be had.
    package let identity: FileIdentity
    /// Of the first bytes that it had when it was opened.
    package let fingerprint: Fingerprint
    /// Where reading begins: at the first byte, or at the end with `start: end`.
    package let offset: PhysicalOffset
    /// The bytes before that, of a file that was made of what is delivered; else none.
    package let anchor: Anchor
    /// Where it ends now.
    package let size: PhysicalOffset
    /// `archived` where nobody is going to write to it.
    package let state: FileState

    package init(
        input: String, stream: String, path: String, identity: FileIdentity,
        fingerprint: Fingerprint, offset: PhysicalOffset, anchor: Anchor = .none,
        size: PhysicalOffset, state: FileState = .active
    ) {
        self.input = input
        self.stream = stream
        self.path = path
        self.identity = identity
        self.fingerprint = fingerprint
        self.offset = offset
        self.anchor = anchor
        self.size = size
        self.state = state
    }
}

/// Every byte of `file` before `offset` is delivered.
package struct Advance: Hashable, Sendable {
    /// The file whose entry moves on.
    package let file: FileID
    /// The generation that was delivered; an advance of an older one changes nothing.
    package let generation: GenerationID
    /// Behind the last byte that is delivered.
    package let offset: LogicalOffset
    /// The bytes just before `offset`.
    package let anchor: Anchor
    /// Where the file ends, if that is known.
    package let size: PhysicalOffset?

    package init(
        file: FileID, generation: GenerationID, offset: LogicalOffset, anchor: Anchor,
        size: PhysicalOffset? = nil
    ) {
        self.file = file
        self.generation = generation
        self.offset = offset
        self.anchor = anchor
        self.size = size
    }
}

/// The registry's answer to a file that was opened.
package enum FileMatch: Hashable, Sendable {
    /// This file, and its content is the one that the entry knows.
    case same(FileEntry)
    /// This inode, but its content begins otherwise: truncated and written again.
    case otherContent(FileEntry)
    /// Never seen.
    case none
}
