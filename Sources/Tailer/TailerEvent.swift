package import Model

/// An event that the Tailer reports. Paths are texts for people.
package enum TailerEvent: Sendable {
    /// A file could not be opened or read; it is tried again. Once per file and reason.
    case unreadable(path: String, error: String)
    case readableAgain(path: String)
    /// A file beside a log, or an earlier one of it, could not be read for a while: what is newer
    /// is shipped without it, and it is tried further.
    case passedOver(path: String)
    /// A file that could not be read is gone.
    case unreadableGone(path: String)
    /// A name that matches is no regular file, or has a second hard link; never opened for content.
    case refused(path: String, reason: String)
    /// A symbolic link is not followed. Once for each reason.
    case linkNotFollowed(path: String, reason: String)
    /// A symbolic link leads to what is not there, or not yet. Once, until it is.
    case linkDangles(path: String, target: String)
    /// A symbolic link of which one of these was told is followed, and leads to something.
    case linkLeads(path: String, target: String)
    /// A directory could not be listed; it is tried again.
    case unlistable(path: String, error: String)
    /// An exclusion without wildcards in its last segment names a directory here, which leaves out
    /// nothing: what is in it is read. Once for each exclusion.
    case excludedDirectory(path: String, exclusion: String)
    /// inotify gave no watch; the directory is scanned instead.
    case unwatched(path: String, error: String)
    /// There are `limit` watches, all that there may be, and most of them in `path`: who has most
    /// is scanned instead. Once, until there are enough again.
    case watchesShort(limit: Int, path: String, count: Int)
    /// There is no inotify instance to be had; everything is scanned instead. Once, until there is
    /// one.
    case inotifyMissing(error: String)
    case inotifyFound
    /// inotify lost events; everything is scanned.
    case overflow
    case opened(path: String, offset: LogicalOffset)
    case truncated(path: String, read: PhysicalOffset, size: PhysicalOffset)
    /// The last lines of a file were overwritten in place: it is read on from where they began.
    case rewritten(path: String, offset: LogicalOffset)
    /// An archive was removed between its sighting and its opening: its bytes, of unknown number,
    /// are lost.
    case missed(path: String)
    /// In an s6 log directory so many archives appeared between two looks that the names of `count`
    /// of them are not known: those that were removed unread are not told.
    case archivesForgotten(path: String, count: Int)
    /// A file that was read to `from`, all of it that was ever seen, went while nobody looked: what
    /// was written to it after that, if anything, is lost.
    case goneUnseen(path: String, from: LogicalOffset)
    /// A file of which bytes are lost is there yet, at a place where no pattern leads.
    case foundElsewhere(path: String, place: String)
    /// A file's content was replaced, and what it was is read on in this copy.
    case copied(path: String, copy: String)
    /// A file was compressed to what another log's name has, which goes on where it was left.
    case compressedAs(path: String, archive: String)
    /// Zeros that nobody wrote, left by a writer that went on at its old place in a truncated file.
    case hole(path: String, range: ByteRange)
    /// The rest of a compressed file, of unknown size, cannot be read.
    case damaged(path: String, error: String)
    /// A compressed file ends, at `size`, before what was read of its content when it was none.
    case endsEarly(path: String, read: PhysicalOffset, size: PhysicalOffset)
    /// Archives are what a processor of s6-log's made of files that were read. Once for each
    /// stream.
    case processed(path: String)
    /// An archive is what a processor of s6-log's made, in other words, and not all of that was
    /// read, or of which file it was made cannot be known: it is shipped whole.
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
    /// The file was removed, by rotation or otherwise.
    case deletedUnread = "deleted_unread"
    /// The file was moved to where no pattern leads, while nobody looked.
    case movedAway = "moved_away"
    /// It was removed, and kept open for its stream until that held more than its share.
    case heldLimit = "held_limit"
    /// The compressed file that was made of it is damaged.
    case damaged

    package var description: String { rawValue }
}
