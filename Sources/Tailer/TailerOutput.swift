package import Model

/// What the Tailer hands on, and the three things that come back: the saved position at open, credit
/// and (later) the watermark. Implemented by the pipeline. Every call is made on the reader thread.
package protocol TailerOutput: AnyObject {
    /// A file was opened and will be read: where to start, from what was saved or as new. Nil when
    /// it is not known and only a known one was wanted.
    func opened(_ sighting: FileSighting, onlyIfKnown: Bool) -> FileStart?

    /// The inode numbers of a stream's saved files, oldest first.
    func saved(_ stream: String) -> [UInt64]

    /// The file's content is another than before: a new generation, to be read from its first byte.
    func restarted(_ file: FileID, _ sighting: FileSighting) -> FileStart

    /// A file has grown to `size`, logical.
    func grew(_ file: FileID, size: Int)

    /// A file that was shorter than a whole fingerprint has grown.
    func headGrew(_ file: FileID, head: [UInt8])

    /// A file has another name now; `archived` when nobody is going to write to it under that name.
    func moved(_ file: FileID, path: String, archived: Bool)

    /// Whether the stream may hand over anything now. After a no, `Tailer.wake` follows a change.
    func hasRoom(_ stream: StreamID) -> Bool

    /// Takes frames, which follow each other without a gap from `frames[0].offset`, and whose bytes
    /// lie in `chunk`. Returns how many bytes of the file were taken responsibility for: they end at
    /// the end of a frame or of a part of one; 0 when there is no room. Neither argument outlives
    /// the call.
    func take(_ file: FileID, _ chunk: Span<UInt8>, _ frames: [Frame]) -> Int

    /// Everything up to `end`, the final size, was taken: nothing more comes from this file.
    func finished(_ file: FileID, end: Int)

    /// The file's last name is gone and it was read as far as it could be.
    func gone(_ file: FileID)

    /// A directory was listed and `isThere` says of an inode number whether it is in it: saved files
    /// of the stream that are neither open nor there are no longer on the disk.
    func listed(_ stream: String, isThere: (UInt64) -> Bool)

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
    package let size: Int
    /// Nobody is going to write to it.
    package let archived: Bool
    /// Found by the first scan of this run.
    package let firstScan: Bool
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

    package init(file: FileID, offset: Int, base: Int, anchor: Anchor, isKnown: Bool) {
        self.file = file
        self.offset = offset
        self.base = base
        self.anchor = anchor
        self.isKnown = isKnown
    }
}

/// What the Tailer reports. Paths are texts for people.
package enum TailerEvent: Sendable {
    /// A file could not be opened or read; it is tried again. Once per file and reason.
    case unreadable(path: String, error: String)
    case readableAgain(path: String)
    /// A name that matches is no regular file, or has a second hard link; never opened for content.
    case refused(path: String, reason: String)
    /// A directory could not be listed; it is tried again.
    case unlistable(path: String, error: String)
    /// inotify gave no watch; the directory is scanned instead.
    case unwatched(path: String, error: String)
    /// inotify lost events; everything is scanned.
    case overflow
    case opened(path: String, offset: Int)
    case truncated(path: String, read: Int, size: Int)
    /// An archive was removed between its sighting and its opening: its bytes, of unknown number, are
    /// lost.
    case missed(path: String)
    /// Bytes that were there and could not be read.
    case lost(path: String, range: ByteRange, reason: String)
}
