import Model
import Platform

extension LogStream {
    /// What a stream knows of files beside those that it reads. A node has a hundred thousand quiet
    /// streams that know nothing of the kind, so it is made when there is something to know.
    final class Surroundings {
        /// The first of its files that is asked for the proof of its end in the next turn, where
        /// one turn is too short.
        var nextProof = 0
        /// Names whose files were read to their final end and closed; bounded by the directory.
        /// Where another file of that name was closed since, a slash and the file's number follow.
        var closed: [[UInt8]: ClosedFile] = [:]
        /// Of an s6 log directory: what its archives' names tell.
        var census = ArchiveCensus()
        /// Archives that the listing still has and that are not there; bounded by the directory.
        var phantoms: Set<[UInt8]> = []
        /// The same of `previous`, a name that many files have one after the other: the inode that
        /// was listed, and looks that have not found it.
        var missingPrevious: (inode: UInt64, looks: Int)?
        /// Of an s6 log directory: what became of its files in a processor.
        var processing = StreamTable.Processing()
        /// Files that were closed after their last name was gone, until the next whole look.
        var awaitingCopy: [FileAwaitingCopy] = []
        /// Rotated files that were looked at and are not to be read: known, or none of this
        /// stream's. Bounded by the directory.
        var judged: Set<Stamp> = []
        /// Rotated files that lay there, as they are, when its live file was opened, and were none
        /// of its business: no copies of what that held since. Bounded by the directory.
        var beside: Set<Stamp> = []
        /// The same of what lies in archives; bounded by those directories.
        var judgedArchives: Set<Stamp> = []
        /// Rotated files that hold nothing of the files `sought`, and are none that is known; those
        /// of `judged` and what stayed open left out. Bounded by the directory.
        var strangers: [Stamp: Stranger] = [:]
        /// The same of what lies in archives, open or not; bounded by those directories.
        var strangersElsewhere: [Stamp: Stranger] = [:]
        var sought: Set<FileID> = []
        /// How many names beside it were gone through before a search for what it has read.
        var surveyed = 0
        /// Rotated files that are refused, with the last change to anything of theirs. Bounded by
        /// the directory.
        var refused: [Stamp: FileTime] = [:]
        /// Compressed copies of what its live file holds. Bounded by the directory.
        var copies: Set<Stamp> = []
        /// Rotated files that hold what its live file holds or held, which is not taken up yet, and
        /// what they begin with: they are asked again when that is, or holds something else.
        /// Bounded by the directory.
        var freshCopies: [Stamp: [UInt8]] = [:]
        /// The files that are to be taken up before anything newer is.
        var earlier: EarlierFiles?
        /// Names beside its own that the pattern matches, too: those files are read whatever their
        /// age.
        var claimed: Set<[UInt8]> = []
        /// While it has more of them than were taken up, in archives: what is newer than this is to
        /// be read, and copies of what its newest file held since it was `begun`, whatever was
        /// taken up meanwhile.
        var portions: (after: NewestTakenUp, begun: FileTime)?
        /// Names that its files were seen to get, as shapes, where those are nothing that is known
        /// of rotation; at most `mostShapes`.
        var shapes: Set<[UInt8]> = []
        /// The file that got the name of an editor's backup last, and when that was seen, monotonic
        /// nanoseconds.
        var backup: (inode: UInt64, since: MonotonicTime)?
        /// Files beside it that cannot be read.
        var obstacles = Obstacles()

        /// Nothing is known: it need not be kept.
        var isBlank: Bool {
            nextProof.isBlank
                && closed.isBlank
                && census.isBlank
                && phantoms.isBlank
                && missingPrevious.isBlank
                && processing.isBlank
                && awaitingCopy.isBlank
                && judged.isBlank
                && beside.isBlank
                && judgedArchives.isBlank
                && strangers.isBlank
                && strangersElsewhere.isBlank
                && sought.isBlank
                && surveyed.isBlank
                && refused.isBlank
                && copies.isBlank
                && freshCopies.isBlank
                && earlier.isBlank
                && claimed.isBlank
                && portions.isBlank
                && shapes.isBlank
                && backup.isBlank
                && obstacles.isBlank
        }
    }
}

// MARK: - What is known of them

extension LogStream {
    /// Nothing at all where nothing is known. While one of them is changed, others may be read:
    /// they stand each for itself in their class.
    private subscript<Value: Blank>(
        path: ReferenceWritableKeyPath<Surroundings, Value>
    ) -> Value {
        @inline(__always) get { surroundings?[keyPath: path] ?? Value() }
        @inline(__always) _modify {
            if let surroundings {
                yield &surroundings[keyPath: path]
                return
            }
            var value = Value()
            // What was done before an error was thrown is done.
            defer { if !value.isBlank { keepSurroundings()[keyPath: path] = value } }
            yield &value
        }
    }

    var nextProof: Int {
        get { self[\.nextProof] }
        _modify { yield &self[\.nextProof] }
    }

    var closed: [[UInt8]: ClosedFile] {
        get { self[\.closed] }
        _modify { yield &self[\.closed] }
    }

    var census: ArchiveCensus {
        get { self[\.census] }
        _modify { yield &self[\.census] }
    }

    var phantoms: Set<[UInt8]> {
        get { self[\.phantoms] }
        _modify { yield &self[\.phantoms] }
    }

    var missingPrevious: (inode: UInt64, looks: Int)? {
        get { self[\.missingPrevious] }
        _modify { yield &self[\.missingPrevious] }
    }

    var processing: StreamTable.Processing {
        get { self[\.processing] }
        _modify { yield &self[\.processing] }
    }

    var awaitingCopy: [FileAwaitingCopy] {
        get { self[\.awaitingCopy] }
        _modify { yield &self[\.awaitingCopy] }
    }

    var judged: Set<Stamp> {
        get { self[\.judged] }
        _modify { yield &self[\.judged] }
    }

    var beside: Set<Stamp> {
        get { self[\.beside] }
        _modify { yield &self[\.beside] }
    }

    var judgedArchives: Set<Stamp> {
        get { self[\.judgedArchives] }
        _modify { yield &self[\.judgedArchives] }
    }

    var strangers: [Stamp: Stranger] {
        get { self[\.strangers] }
        _modify { yield &self[\.strangers] }
    }

    var strangersElsewhere: [Stamp: Stranger] {
        get { self[\.strangersElsewhere] }
        _modify { yield &self[\.strangersElsewhere] }
    }

    var sought: Set<FileID> {
        get { self[\.sought] }
        _modify { yield &self[\.sought] }
    }

    var surveyed: Int {
        get { self[\.surveyed] }
        _modify { yield &self[\.surveyed] }
    }

    var refused: [Stamp: FileTime] {
        get { self[\.refused] }
        _modify { yield &self[\.refused] }
    }

    var copies: Set<Stamp> {
        get { self[\.copies] }
        _modify { yield &self[\.copies] }
    }

    var freshCopies: [Stamp: [UInt8]] {
        get { self[\.freshCopies] }
        _modify { yield &self[\.freshCopies] }
    }

    var earlier: EarlierFiles? {
        get { self[\.earlier] }
        _modify { yield &self[\.earlier] }
    }

    var claimed: Set<[UInt8]> {
        get { self[\.claimed] }
        _modify { yield &self[\.claimed] }
    }

    var portions: (after: NewestTakenUp, begun: FileTime)? {
        get { self[\.portions] }
        _modify { yield &self[\.portions] }
    }

    var shapes: Set<[UInt8]> {
        get { self[\.shapes] }
        _modify { yield &self[\.shapes] }
    }

    var backup: (inode: UInt64, since: MonotonicTime)? {
        get { self[\.backup] }
        _modify { yield &self[\.backup] }
    }

    var obstacles: Obstacles {
        get { self[\.obstacles] }
        _modify { yield &self[\.obstacles] }
    }
}
