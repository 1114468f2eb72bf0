package import Model
package import Platform

/// The Tailer's way out: files as they are opened, change and end, their frames as far as there is
/// credit for them, and events. The saved position comes back when a file is opened. Implemented by
/// the pipeline. Every call is made on the reader thread.
package protocol TailerOutput: AnyObject {
    /// Answers questions about files.
    var knownFiles: any KnownFiles { get }

    /// A file was opened and will be read: where to start, from what was saved or as new. Nil when
    /// it is not known and only a known one was wanted.
    func opened(_ sighting: FileSighting, onlyIfKnown: Bool) -> FileStart?

    /// The file's content is another than before: a new generation, to be read from its first byte.
    func restarted(_ file: FileID, _ sighting: FileSighting) -> FileStart

    /// The bytes of the file from `place` on are others than those that were taken, and those
    /// before are the same; `anchor` is the last of these. A new generation that goes on there, so
    /// that no id stands for two lines. Nil while something of the old one is on its way, or when
    /// the file is not known.
    func rewound(
        _ file: FileID, _ sighting: FileSighting, to place: LogicalOffset, anchor: [UInt8]
    ) -> FileStart?

    /// The file's content is another than before, and what it was is in `copy` now: that one is the
    /// file from now on, and `live` a new one. Nil when the file is not known.
    func continued(
        _ file: FileID, in copy: FileSighting, _ live: FileSighting
    ) -> (copy: FileStart, live: FileStart)?

    /// The file's content, all of it, is in another inode now. Nil when the file is not known.
    func relocated(_ file: FileID, to sighting: FileSighting) -> FileStart?

    /// `sighting` is what a compressor has made of the file, which may have left since: it has its
    /// entry from now on, and belongs to the stream that has sighted it. It is not read before it
    /// is opened. False when nothing is known of the file any more.
    func inherited(_ file: FileID, by sighting: FileSighting) -> Bool

    /// The file was replaced whole by the same content in another inode, which is written to. False
    /// when the file is not known.
    func succeeded(_ file: FileID, by sighting: FileSighting) -> Bool

    /// A file of which all before `place` was read as another one's: it is new, and begins there;
    /// at its present end where that is nil.
    func rest(of sighting: FileSighting, from place: PhysicalOffset?) -> FileStart

    /// Looks whether what has this name in the directory is such a file, of which nothing but its
    /// device's number has changed, and knows it by that from then on. Of one that is elsewhere,
    /// what has its own path. Called before anything else there is opened.
    func renumber(_ former: FormerFile, name: [UInt8], in directory: borrowing Descriptor)
        throws(SystemError)

    /// Nothing follows the file's last frame, up to where its next one begins: a hole and zeros
    /// beside it, `bytes` of them.
    func skipped(_ file: FileID, bytes: Int)

    /// A file has grown to `size`, logical.
    func grew(_ file: FileID, size: LogicalOffset)

    /// The front of a file is about to be removed: where it ends is not known any more.
    func frontLeaves(_ file: FileID)

    /// What was before `base` is gone from the front of a file; all places in it stay.
    func frontRemoved(_ file: FileID, base: Base)

    /// A file that was shorter than a whole fingerprint has grown.
    func headGrew(_ file: FileID, head: [UInt8])

    /// An unfinished line within the first bytes became something else: the file begins with
    /// `head`, and is the same.
    func headChanged(_ file: FileID, head: [UInt8])

    /// A file has another name now; `archived` when nobody is going to write to it under that name.
    func moved(_ file: FileID, path: String, archived: Bool)

    /// Whether the stream may hand over anything now. After a no, `Tailer.wake` follows a change.
    func hasRoom(_ stream: StreamID) -> Bool

    /// Takes frames, which follow each other without a gap from `frames[0].offset`, and whose bytes
    /// lie in `chunk`. Returns how many bytes of the file were taken responsibility for: they end
    /// at the end of a frame or of a part of one; 0 when there is no room. Neither argument
    /// outlives the call.
    func take(_ file: FileID, _ chunk: Span<UInt8>, _ frames: [Frame]) -> Int

    /// Events of several lines end that have been open for as long as one may be. Returns when it
    /// is to be asked again; nil while none is open.
    func endOverdue(_ now: MonotonicTime) -> MonotonicTime?

    /// Events of several lines end, though more may come of them: with `--once` nobody waits.
    func endEvents()

    /// What was taken goes on its way now, if it does not yet: the reader is through with what it
    /// had to read, or has read for so long that others should not wait for the rest.
    func sendTaken()

    /// Whether the file's frames can be taken at all, once there is room.
    func canTake(_ file: FileID) -> Bool

    /// Everything up to `end`, the final size, was taken: nothing more comes from this file.
    func finished(_ file: FileID, end: LogicalOffset)

    /// The file's last name is gone and it was read as far as it could be.
    func gone(_ file: FileID)

    /// The file was read to its end, or there was no room to hold it before that, and no name that
    /// its stream looks at leads to it: it was moved away, alone or with its directory. It may be
    /// found again under another name, or under the old one when that is back.
    func unfollowed(_ file: FileID)

    /// A stream's directories were listed, which lie on `devices`, and `isThere` says of a file
    /// whether it is in them: saved files of the stream that are of these devices and neither open
    /// nor there are no longer on the disk, unless they turn up in another directory of the first
    /// scan. Of what is not mounted now nothing is known.
    func listed(
        _ stream: String, on devices: Set<UInt64>, isThere: (FileIdentity) -> Bool)

    /// Nothing came of the stream for seconds, and what it has is read: what it needs to hand over
    /// may be let go of, and is made anew with its next line. Told again now and then.
    func rests(_ stream: StreamID)

    /// The stream, which rests, and its one file, which is read to the end of a line, are to take
    /// as little memory as they may: what is kept for both is let go of but for what is returned.
    /// Nil where more would have to be kept, or something is on its way; then nothing changes.
    func sleeps(_ stream: StreamID, _ file: FileID) -> SleepNote?

    /// What `sleeps` let go of is needed again. The file was not read meanwhile.
    func wakes(_ sleeper: Sleeper)

    /// A stream that sleeps ends, because its file's entry is another one's, or nobody's: nothing
    /// is said of the file.
    func leaves(_ sleeper: Sleeper)

    /// The bytes before the position of an open file, as the output keeps them.
    func anchor(of file: FileID) -> [UInt8]

    /// No file of the stream is left, and no name in its place.
    func ended(_ stream: StreamID)

    /// Every directory was scanned once since the start.
    func scannedAll()

    /// Something an operator should know.
    func report(_ event: TailerEvent)
}
