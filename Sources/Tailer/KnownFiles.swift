package import Model

/// The questions that the Tailer asks about files that are or were known. Answers are as of now,
/// and change only through `TailerOutput`. Every call is made on the reader thread.
package protocol KnownFiles: AnyObject {
    /// A stream's saved files, oldest first.
    func saved(_ stream: String) -> [SavedFile]

    /// The file as it is saved; nil when it is not known.
    func saved(_ file: FileID) -> SavedFile?

    /// The streams of a directory, which lies on this device now, that had saved files when this
    /// run began: an ordinary one's live file, or the `current` of an s6 log directory; those that
    /// were asked for and are on it may be left out from then on.
    func savedStreams(in directory: String, on device: UInt64) -> [SavedStream]

    /// Files of a directory, or of logs in it, that are not open and were on another device than
    /// this when they were saved: what is mounted there now may be what was mounted then, and have
    /// another number.
    func formers(in directory: String, on device: UInt64) -> [FormerFile]

    /// The number of the file with this identity, whatever its content is now; nil when it was
    /// never seen.
    func file(_ identity: FileIdentity, head: [UInt8]) -> FileID?

    /// The saved name of a file's stream, and how far its bytes were taken, delivered or not; nil
    /// when it is not known.
    func progress(of file: FileID) -> (stream: String, position: PhysicalOffset)?

    /// Whether something that begins with `head` begins as the file's known content does. False
    /// while nothing is known of that.
    func content(of file: FileID, beginsAs head: [UInt8]) -> Bool

    /// The inode that the file's content is in, as far as is known; nil when it is not known.
    func identity(of file: FileID) -> FileIdentity?

    /// Files of other streams that a compressed one, of which nothing is known, may have been made
    /// of, the likeliest first: it lies near them and begins like them.
    func origins(of sighting: FileSighting) -> [FileOrigin]

    /// Whether a file is on the disk, as far as can be told, wherever it is.
    func isOnDisk(_ file: FileID) -> Bool

    /// Whether a file that is not where its stream had it is somewhere else on its file system, as
    /// far as that can be told: it may be found there, or come back.
    func isElsewhere(_ file: FileID) -> Bool
}
