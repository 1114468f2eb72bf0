package import Model
package import Platform

/// What the Tailer hands on, and the three things that come back: the saved position at open, credit
/// and (later) the watermark. Implemented by the pipeline. Every call is made on the reader thread.
package protocol TailerOutput: AnyObject {
    /// A file was opened and will be read: where to start, from what was saved or as new. Nil when
    /// it is not known and only a known one was wanted.
    func opened(_ sighting: FileSighting, onlyIfKnown: Bool) -> FileStart?

    /// A stream's saved files, oldest first.
    func saved(_ stream: String) -> [SavedFile]

    /// The streams of a directory, which lies on this device now, that had saved files when this run began: an
    /// ordinary one's live file, or the `current` of an s6 log directory; those that were asked for and are on it may be left out from then on.
    func savedStreams(in directory: String, on device: UInt64) -> [SavedStream]

    /// Files of a directory, or of logs in it, that are not open and were on another device than this when they
    /// were saved: what is mounted there now may be what was mounted then, and have another number.
    func formers(in directory: String, on device: UInt64) -> [FormerFile]

    /// Looks whether what has this name in the directory is such a file, of which nothing but its
    /// device's number has changed, and knows it by that from then on. Of one that is elsewhere, what has its own
    /// path. Called before anything else there is opened.
    func renumber(_ former: FormerFile, name: [UInt8], in directory: borrowing Descriptor)
        throws(SystemError)

    /// The number of the file with this identity, whatever its content is now; nil when it was never
    /// seen.
    func known(_ identity: FileIdentity, head: [UInt8]) -> FileID?

    /// The saved name of a file's stream, and the physical offset up to which its bytes were taken,
    /// delivered or not; nil when it is not known.
    func progress(of file: FileID) -> (stream: String, position: Int)?

    /// Whether something that begins with `head` begins as the file's known content does. False while
    /// nothing is known of that.
    func content(of file: FileID, beginsAs head: [UInt8]) -> Bool

    /// The file's content is another than before: a new generation, to be read from its first byte.
    func restarted(_ file: FileID, _ sighting: FileSighting) -> FileStart

    /// The bytes of the file from `place` on are others than those that were taken, and those before are
    /// the same; `anchor` is the last of these. A new generation that goes on there, so that no id stands
    /// for two lines. Nil while something of the old one is on its way, or when the file is not known.
    func rewound(
        _ file: FileID, _ sighting: FileSighting, to place: Int, anchor: [UInt8]
    ) -> FileStart?

    /// The file's content is another than before, and what it was is in `copy` now: that one is the
    /// file from now on, and `live` a new one. Nil when the file is not known.
    func continued(
        _ file: FileID, in copy: FileSighting, _ live: FileSighting
    ) -> (copy: FileStart, live: FileStart)?

    /// The file's content, all of it, is in another inode now. Nil when the file is not known.
    func relocated(_ file: FileID, to sighting: FileSighting) -> FileStart?

    /// The file was replaced whole by the same content in another inode, which is written to. False when
    /// the file is not known.
    func succeeded(_ file: FileID, by sighting: FileSighting) -> Bool

    /// A file of which all before a physical offset was read as another one's: it is new, and begins there;
    /// at its present end where that is nil.
    func rest(of sighting: FileSighting, from place: Int?) -> FileStart

    /// What follows the file's last frame, up to where its next one begins, is nothing: a hole and
    /// zeros beside it, `bytes` of them.
    func skipped(_ file: FileID, bytes: Int)

    /// A file has grown to `size`, logical.
    func grew(_ file: FileID, size: Int)

    /// A file that was shorter than a whole fingerprint has grown.
    func headGrew(_ file: FileID, head: [UInt8])

    /// What was an unfinished line within the first bytes became something else: the file begins with
    /// `head`, and is the same.
    func headChanged(_ file: FileID, head: [UInt8])

    /// A file has another name now; `archived` when nobody is going to write to it under that name.
    func moved(_ file: FileID, path: String, archived: Bool)

    /// Whether the stream may hand over anything now. After a no, `Tailer.wake` follows a change.
    func hasRoom(_ stream: StreamID) -> Bool

    /// Takes frames, which follow each other without a gap from `frames[0].offset`, and whose bytes
    /// lie in `chunk`. Returns how many bytes of the file were taken responsibility for: they end at
    /// the end of a frame or of a part of one; 0 when there is no room. Neither argument outlives
    /// the call.
    func take(_ file: FileID, _ chunk: Span<UInt8>, _ frames: [Frame]) -> Int

    /// Whether the file's frames can be taken at all, once there is room.
    func canTake(_ file: FileID) -> Bool

    /// Everything up to `end`, the final size, was taken: nothing more comes from this file.
    func finished(_ file: FileID, end: Int)

    /// The file's last name is gone and it was read as far as it could be.
    func gone(_ file: FileID)

    /// The file was read to its end, and no name that its stream looks at leads to it: it was moved away, alone or
    /// with its directory. It may be found again under another name, or under the old one when that is back.
    func unfollowed(_ file: FileID)

    /// Whether a file that is not where its stream had it is somewhere else on its file system, as far as
    /// that can be told: it may be found there, or come back.
    func isElsewhere(_ file: FileID) -> Bool

    /// A stream's directories were listed, which lie on `devices`, and `isThere` says of a file whether it is
    /// in them: saved files of the stream that are of these devices and neither open nor there are no
    /// longer on the disk, unless they turn up in another directory of the first scan. Of what is not mounted now
    /// nothing is known.
    func listed(
        _ stream: String, on devices: Set<UInt64>, isThere: (FileIdentity) -> Bool)

    /// No file of the stream is left, and no name in its place.
    func ended(_ stream: StreamID)

    /// Every directory was scanned once since the start.
    func scannedAll()

    /// Something an operator should know.
    func report(_ event: TailerEvent)
}

/// A file as it was opened.
package struct FileSighting: Sendable {
    package let input: Int
    package let stream: StreamID
    /// The stream's saved name: an s6 log directory, or the path of an ordinary log.
    package let streamName: String
    /// One of the files of an s6 log directory (or multilog's, or svlogd's).
    package let isS6: Bool
    package let path: String
    package let captures: [String: String]
    package let identity: FileIdentity
    /// The first bytes, at most `Fingerprint.longest`.
    package let head: [UInt8]
    /// `head` without zeros at its end, which may not be written yet: what the content is to be known
    /// by from now on.
    package let begin: [UInt8]
    /// Bytes of the content, which of a compressed file are at least so many unless `hasKnownSize`.
    package let size: Int
    package var hasKnownSize = true
    /// Nobody is going to write to it.
    package let archived: Bool
    /// Found by the first scan of this run.
    package let firstScan: Bool
}

extension FileSighting {
    static func written(_ head: [UInt8]) -> [UInt8] {
        head.dropLast(ByteSearch.trailingZeros(in: head.span))
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
    package let file: FileID
    package let inode: UInt64
    /// Not in the directory of its log.
    package let isElsewhere: Bool

    package init(file: FileID, inode: UInt64, isElsewhere: Bool) {
        self.file = file
        self.inode = inode
        self.isElsewhere = isElsewhere
    }
}

/// A file that was saved, by this run or an earlier one.
package struct SavedFile: Sendable {
    package let file: FileID
    package let identity: FileIdentity
    package let path: String
    /// Physical: bytes of it that are delivered.
    package let position: Int
    /// The bytes before `position`.
    package let anchor: Anchor
    /// Something is known of its beginning.
    package let hasHead: Bool
    /// When anything was saved of it last, nanoseconds since 1970 by the agent's clock: says which of two was
    /// later, and nothing beside files' times.
    package let updated: Int64
    /// Physical bytes that it is known to have had.
    package let size: Int
    /// It was seen under a name under which nobody writes to it, and its size since.
    package let isArchived: Bool

    package init(
        file: FileID, identity: FileIdentity, path: String, position: Int, anchor: Anchor,
        hasHead: Bool, updated: Int64, size: Int, isArchived: Bool = false
    ) {
        self.file = file
        self.identity = identity
        self.path = path
        self.position = position
        self.anchor = anchor
        self.hasHead = hasHead
        self.updated = updated
        self.size = size
        self.isArchived = isArchived
    }
}

/// Where reading starts.
package struct FileStart: Sendable {
    package let file: FileID
    /// Logical offset of the next byte to read.
    package let offset: Int
    /// Bytes that were removed from the front: logical minus physical offset.
    package let base: Int
    /// The bytes before `offset`, to be compared; none when nothing was read.
    package let anchor: Anchor
    /// Whether any byte of it was known before this run.
    package let isKnown: Bool
    /// Physical bytes that the file is known to have had.
    package let size: Int
    /// It is this inode, but its content begins otherwise than what is known.
    package let isReplaced: Bool

    package init(
        file: FileID, offset: Int, base: Int, anchor: Anchor, isKnown: Bool, size: Int = 0,
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

/// What the Tailer reports. Paths are texts for people.
package enum TailerEvent: Sendable {
    /// A file could not be opened or read; it is tried again. Once per file and reason.
    case unreadable(path: String, error: String)
    case readableAgain(path: String)
    /// A file beside a log, or an earlier one of it, could not be read for a while: what is newer is
    /// shipped without it, and it is tried further.
    case passedOver(path: String)
    /// A file that could not be read is gone.
    case unreadableGone(path: String)
    /// A name that matches is no regular file, or has a second hard link; never opened for content.
    case refused(path: String, reason: String)
    /// A directory could not be listed; it is tried again.
    case unlistable(path: String, error: String)
    /// An exclusion without wildcards in its last segment names a directory here, which leaves out nothing:
    /// what is in it is read. Once for each exclusion.
    case excludedDirectory(path: String, exclusion: String)
    /// inotify gave no watch; the directory is scanned instead.
    case unwatched(path: String, error: String)
    /// There are `limit` watches, all that there may be, and most of them in `path`: who has most is
    /// scanned instead. Once, until there are enough again.
    case watchesShort(limit: Int, path: String, count: Int)
    /// There is no inotify instance to be had; everything is scanned instead. Once, until there is one.
    case inotifyMissing(error: String)
    case inotifyFound
    /// inotify lost events; everything is scanned.
    case overflow
    case opened(path: String, offset: Int)
    case truncated(path: String, read: Int, size: Int)
    /// The last lines of a file were overwritten in place: it is read on from where they began.
    case rewritten(path: String, offset: Int)
    /// An archive was removed between its sighting and its opening: its bytes, of unknown number, are
    /// lost.
    case missed(path: String)
    /// A file that was read to `from`, all of it that was ever seen, went while nobody looked: what was written
    /// to it after that, if anything, is lost.
    case vanished(path: String, from: Int)
    /// A file of which bytes are lost is there yet, at a place where no pattern leads.
    case foundElsewhere(path: String, place: String)
    /// A file's content was replaced, and what it was is read on in this copy.
    case copied(path: String, copy: String)
    /// Zeros that nobody wrote, left by a writer that went on at its old place in a truncated file.
    case hole(path: String, range: ByteRange)
    /// The rest of a compressed file, of unknown size, cannot be read.
    case damaged(path: String, error: String)
    /// A compressed file ends, at `size`, before what was read of its content when it was none.
    case endsEarly(path: String, read: Int, size: Int)
    /// Archives are what a processor of s6-log's made of files that were read. Once for each stream.
    case processed(path: String)
    /// An archive is what a processor of s6-log's made, in other words, and not all of that was read, or of
    /// which file it was made cannot be known: it is shipped whole.
    case unmatched(path: String)
    /// A file is compressed by what cannot be read: its bytes, of unknown number, are not shipped.
    case notReadable(path: String, compression: String)
    /// Bytes that were there and could not be read.
    case lost(path: String, range: ByteRange, reason: LossReason)
}

/// Why bytes that were there could not be read. The words are those of logs and metrics.
package enum LossReason: String, Hashable, Sendable, CaseIterable, CustomStringConvertible {
    /// The file was cut or its content replaced, and what it was is in no copy.
    case truncated
    /// The file was deleted, by rotation or otherwise.
    case deletedUnread = "deleted_unread"
    /// The file was moved to where no pattern leads, while nobody looked.
    case movedAway = "moved_away"
    /// It was removed, and kept open for its stream until that held more than its share.
    case heldLimit = "held_limit"
    /// What it was compressed to is damaged.
    case damaged

    package var description: String { rawValue }
}
