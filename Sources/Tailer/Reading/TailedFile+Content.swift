import Model
import Platform

extension TailedFile {
    /// What is known of the bytes of one content, and how far they were read. A value: with another
    /// content the file gets another one. Its verbs alone change it; nobody but the file has it to
    /// change. Offsets are logical where nothing else is said.
    struct Content {
        /// Its generation.
        private(set) var id: FileID
        private(set) var base: Base
        /// The next byte to hand over. Everything before was taken by the output.
        private(set) var position: LogicalOffset
        /// The size when last looked at. Where it is less than the position, the next look finds
        /// out what became of the rest.
        var size: LogicalOffset
        /// The size that it had before it was seen to grow, until it is known to have grown by more
        /// of the same content. Not above `size`.
        private var provenSize: LogicalOffset?
        /// `--once`: where reading ends.
        private(set) var limit = LogicalOffset.max

        /// The bytes before the position, at most `Anchor.longest`: when the file does not hold
        /// them any more, its content is another one.
        private(set) var anchor: [UInt8]
        /// The very first bytes as they were read, none of them at the position or behind it: the
        /// ends of many lines are alike, so an anchor alone does not tell one content from another.
        private(set) var beginning = Beginning.unknown
        /// Of more of them.
        private(set) var firstBytes = FirstBytes()
        /// The bytes that it has to begin with while nothing was read, and none after that: those
        /// that were seen of it before.
        private(set) var expectedHead: [UInt8]
        /// Bytes at the beginning that the output knows for the fingerprint.
        private(set) var headLength: Int
        /// The knowledge of the bytes before the position, beside the anchor.
        var landmarks = Landmarks()
        /// The bytes from the position to the size are the beginning of a line and were looked at.
        private(set) var waitsForMore = false

        /// Zeros before its first line are what a truncation left, and nobody's text.
        private(set) var mayBeginWithZeros: Bool
        /// Zeros were skipped just before the position.
        private(set) var isInZeros = false
        /// Zeros reached its end while it was written to: its writer fills what is there already.
        private(set) var isPreallocated = false

        /// When content, names or mode last changed, as of the last look.
        private(set) var changed: FileTime
        /// Whether a look need not read it again.
        var proof = ContentProof()
        /// When the content last changed, as of the last look; zero before the first.
        private(set) var modified = FileTime.zero
        /// When it was last known to be the one that was read, or before, as files beside it have
        /// it.
        private(set) var intactAt: FileTime
        /// When this run saw it first, or before, as files beside it have it.
        private(set) var begunAt: FileTime
        /// How often it was replaced in this run.
        private(set) var restarts = 0
        /// One at the most, and none while nothing of it is known. An array is copied when it is
        /// changed, as a value's box has to be.
        private var exceptions: [Exceptions] = []
    }
}

// MARK: - What few files have

extension TailedFile.Content {
    /// What is known of few files and of hardly any that is read and quiet: a node has a hundred
    /// thousand of those.
    struct Exceptions: Blank {
        /// The size that was seen from outside while the file was closed, or when it had to be.
        fileprivate var lastSize: LogicalOffset?
        /// Up to there another file has what it holds, which is read on instead.
        fileprivate var successorEnd: LogicalOffset?
        /// It has grown beyond what is read of any file, and that was reported.
        fileprivate var isTooLarge = false
        /// It is compressed, and read as what it was: all offsets are of that.
        fileprivate var packing: TailedFile.Packing?
        /// It is compressed by what cannot be read, so nothing of it is.
        fileprivate var unreadable: Compression?
        /// The last bytes of the file when it was left with the beginning of a line at its end, at
        /// most `Anchor.longest`; none when more came since.
        fileprivate var tail: [UInt8] = []
        /// Its first line waits for looks at its directory.
        fileprivate var firstLineWait: FirstLineWait?
        /// Zeros that reached the end of what was read, and what is known to follow them. None of a
        /// compressed file, which nobody fills.
        fileprivate var zeros: ZeroRun?
        /// Of a compressed file: where zeros began that were passed and not told of yet. More of
        /// them may follow.
        fileprivate var untoldHole: LogicalOffset?

        var isBlank: Bool {
            lastSize == nil && successorEnd == nil && !isTooLarge && packing == nil
                && unreadable == nil && tail.isEmpty && firstLineWait == nil && zeros == nil
                && untoldHole == nil
        }
    }

    var hasExceptions: Bool { !exceptions.isEmpty }

    private(set) var lastSize: LogicalOffset {
        get { exceptions.first?.lastSize ?? LogicalOffset(0) }
        set { note(\.lastSize, newValue) }
    }

    private var successorEnd: LogicalOffset {
        get { exceptions.first?.successorEnd ?? LogicalOffset(0) }
        set { note(\.successorEnd, newValue) }
    }

    private(set) var isTooLarge: Bool {
        get { exceptions.first?.isTooLarge ?? false }
        set { note(\.isTooLarge, newValue) }
    }

    var packing: TailedFile.Packing? {
        get { exceptions.first?.packing }
        set { note(\.packing, newValue) }
    }

    private(set) var unreadable: Compression? {
        get { exceptions.first?.unreadable }
        set { note(\.unreadable, newValue) }
    }

    var tail: [UInt8] {
        get { exceptions.first?.tail ?? [] }
        set { note(\.tail, newValue) }
    }

    private(set) var firstLineWait: FirstLineWait? {
        get { exceptions.first?.firstLineWait }
        set { note(\.firstLineWait, newValue) }
    }

    private(set) var zeros: ZeroRun? {
        get { exceptions.first?.zeros }
        set { note(\.zeros, newValue) }
    }

    private(set) var untoldHole: LogicalOffset? {
        get { exceptions.first?.untoldHole }
        set { note(\.untoldHole, newValue) }
    }

    private mutating func note<Value: Blank>(
        _ path: WritableKeyPath<Exceptions, Value>, _ value: Value
    ) {
        if exceptions.isEmpty {
            if value.isBlank { return }
            exceptions.append(Exceptions())
        }
        exceptions[0][keyPath: path] = value
        if exceptions[0].isBlank { exceptions = [] }
    }
}

// MARK: - Its beginning

extension TailedFile.Content {
    /// `anchor` is the bytes before the start.
    init(_ candidate: Candidate, _ start: FileStart, anchor: [UInt8]) {
        let request = candidate.request
        let isAtStart = start.offset == start.base.start
        id = start.file
        base = start.base
        position = start.offset
        size = start.base.logical(candidate.size)
        let before = max(0, start.base.physical(start.offset).bytes)
        self.anchor = Array(anchor.suffix(min(Anchor.longest, before)))
        expectedHead = isAtStart ? candidate.begin : []
        headLength = candidate.begin.count
        // One of an earlier run that was read from its beginning up to nowhere may have been
        // truncated then.
        mayBeginWithZeros = request.mayBeginWithZeros || (start.isKnown && isAtStart)
        changed = candidate.status.changed
        intactAt = request.since ?? candidate.status.changed
        // Of what it was when it was live, copies are none of this run's.
        begunAt = request.name == request.stream.liveName ? intactAt : .max
        packing = candidate.packed.map { TailedFile.Packing($0, of: candidate, start) }
        if start.offset > start.base.start, candidate.packed == nil {
            let read = min(candidate.head.count, start.base.physical(start.offset).bytes)
            beginning = Beginning(head: Array(candidate.head[..<read]))
        }
        updatePackedSize()
        assertInvariants()
    }

    /// The content that a file has now is another one, and is read from `start`.
    func replaced(at start: FileStart, _ fresh: FileOpener.Fresh) -> Self {
        var next = Self(
            id: start.file, base: start.base, position: start.offset,
            size: start.base.logical(fresh.sighting.size), anchor: [],
            expectedHead: start.offset <= start.base.start ? fresh.sighting.begin : [],
            headLength: fresh.sighting.begin.count, mayBeginWithZeros: true,
            changed: fresh.changed, intactAt: fresh.changed, begunAt: fresh.changed)
        next.modified = modified
        next.restarts = restarts + 1
        next.packing = fresh.packed.map { TailedFile.Packing($0, diskSize: fresh.diskSize) }
        next.unreadable = fresh.compression.flatMap { $0.isReadable ? nil : $0 }
        next.updatePackedSize()
        if limit != .max { next.limit = next.size }
        next.assertInvariants()
        return next
    }

    /// One of which that much is known, and nothing else.
    init(
        id: FileID, base: Base, position: LogicalOffset, size: LogicalOffset, anchor: [UInt8],
        expectedHead: [UInt8], headLength: Int, mayBeginWithZeros: Bool, changed: FileTime,
        intactAt: FileTime, begunAt: FileTime
    ) {
        self.id = id
        self.base = base
        self.position = position
        self.size = size
        self.anchor = anchor
        self.expectedHead = expectedHead
        self.headLength = headLength
        self.mayBeginWithZeros = mayBeginWithZeros
        self.changed = changed
        self.intactAt = intactAt
        self.begunAt = begunAt
    }
}

// MARK: - What follows from it

extension TailedFile.Content {
    /// Nothing of it was read that is there.
    var isAtStart: Bool { position <= base.start }

    /// Where the kernel has the next byte.
    var physicalPosition: PhysicalOffset { base.physical(position) }

    /// Bytes on the disk when last looked at.
    var diskSize: Int { packing?.diskSize ?? base.physical(size).bytes }

    /// The byte before the position is there and is no newline.
    var continuesLine: Bool {
        !isInZeros && (anchor.last.map { $0 != UInt8(ascii: "\n") } ?? false)
    }

    /// What it grew by may be another content's.
    var hasUnprovenGrowth: Bool { provenSize != nil && packing == nil }

    /// The size without zeros at the end that are not written yet.
    var written: LogicalOffset {
        guard let zeros, !zeros.isFollowed, zeros.end >= size else { return size }
        return min(zeros.start, size)
    }

    /// Behind that nothing is read, whatever is there: a look at the file would take what was read
    /// beyond that for what it held before a truncation.
    var readLimit: LogicalOffset { min(limit, base.logical(PhysicalOffset(OutsideNumber.most))) }

    /// Where reading has to end for now.
    var end: LogicalOffset { unreadable == nil ? min(size, limit) : position }

    /// Bytes that it is known to have had, and that are not in what was made of it.
    var missingAtEnd: ByteRange? {
        guard let packing, packing.reader.isAtEnd else { return nil }
        let start = max(position, base.logical(PhysicalOffset(packing.reader.size)))
        // The one byte more that stands for an end that was not reached.
        return packing.seenSize > start + 1 ? ByteRange(start: start, end: packing.seenSize) : nil
    }

    /// The range that is known to have been unread of it, if the file holds another one by now.
    var knownUnread: ByteRange? {
        guard let packing else {
            return size > position ? ByteRange(start: position, end: size) : nil
        }
        return packing.seenSize > position + 1
            ? ByteRange(start: position, end: packing.seenSize) : nil
    }

    /// Relations that hold whatever happens outside. Checked in debug builds alone.
    func assertInvariants() {
        assert(
            anchor.count <= min(Anchor.longest, max(0, physicalPosition.bytes)), "bytes before it")
        assert(beginning.count <= max(0, physicalPosition.bytes), "bytes that were read")
        assert(firstBytes.count <= max(0, physicalPosition.bytes), "bytes that were read")
        assert(expectedHead.isEmpty || isAtStart, "expected of what was not read")
        assert((landmarks.last ?? position) <= position, "remembered of what was read")
        assert((provenSize ?? size) <= size, "it grew")
        assert(packing == nil || unreadable == nil, "it can be unpacked, or cannot")
        assert(packing == nil || (zeros == nil && !isPreallocated), "nobody fills what is packed")
        assert(untoldHole.map { packing != nil && $0 <= position } ?? true, "passed when unpacked")
        assert(!(packing?.isComplete ?? false) || size == position, "there is no more of it")
    }
}

// MARK: - How far it was read

extension TailedFile.Content {
    /// The first `count` bytes of `chunk`, which begins at the position, are taken.
    mutating func advance(over chunk: Span<UInt8>, _ count: Int) {
        if physicalPosition.bytes == beginning.count {
            beginning.extend(chunk.extracting(0..<count))
        }
        firstBytes.extend(chunk.extracting(0..<count), at: physicalPosition.bytes)
        position += count
        isInZeros = false
        if !expectedHead.isEmpty { expectedHead = [] }
        if firstLineWait != nil { firstLineWait = nil }
        // Bytes that were read are there, whatever the last look at the size said.
        size = max(size, position)
        if count < Anchor.longest {
            anchor.removeFirst(max(0, anchor.count + count - Anchor.longest))
        } else {
            anchor.removeAll(keepingCapacity: true)
        }
        // As much as it may ever hold, and not twice as much.
        anchor.reserveCapacity(Anchor.longest)
        for index in max(0, count - Anchor.longest)..<count { anchor.append(chunk[index]) }
        assertInvariants()
    }

    /// Somebody else keeps the same anchor: one of them is enough.
    mutating func share(anchor bytes: [UInt8]) {
        if bytes == anchor { anchor = bytes }
    }

    /// Zeros that stand for nothing, `count` of them from the position on, are passed.
    mutating func skip(_ count: Int) {
        let start = position
        if isAtStart { beginning = .unknown }
        position += count
        size = max(size, position)
        isInZeros = true
        tail = []
        anchor = Array(anchor.suffix(max(0, Anchor.longest - count)))
        anchor += [UInt8](repeating: 0, count: min(count, Anchor.longest))
        expectedHead = []
        // Those of an ordinary file are told when they are passed.
        if packing != nil { untoldHole = untoldHole ?? start }
        assertInvariants()
    }

    /// The zeros that were passed last end here. Where they began, if they were not told of.
    mutating func endHole() -> LogicalOffset? {
        defer { untoldHole = nil }
        return untoldHole
    }

    /// The position is beyond its end: there is nothing more.
    mutating func passEnd() {
        size = max(base.start, min(size, position))
        position = size
        anchor = []
        beginning = beginning.cut(to: physicalPosition.bytes)
        firstBytes.cut(to: physicalPosition.bytes)
        assertInvariants()
    }

    /// The bytes that it holds up to `end` are read on in another file.
    mutating func succeeded(at end: PhysicalOffset) { successorEnd = base.logical(end) }

    /// Nothing was written to it since, and nothing will be: a line that was not finished is the
    /// other file's.
    mutating func passWhatIsElsewhere() {
        guard position < size, size <= successorEnd else { return }
        position = size
        anchor = []
        expectedHead = []
        assertInvariants()
    }

    /// Its last lines were rewritten, and are read from where the first of them began; `anchor` is
    /// the bytes before that.
    mutating func rewind(to start: FileStart, _ anchor: [UInt8], _ fresh: FileOpener.Fresh) {
        id = start.file
        position = start.offset
        size = base.logical(fresh.sighting.size)
        provenSize = nil
        headLength = fresh.sighting.begin.count
        self.anchor = anchor
        beginning = beginning.cut(to: physicalPosition.bytes)
        firstBytes.cut(to: physicalPosition.bytes)
        landmarks.forget(behind: position)
        isInZeros = false
        zeros = nil
        tail = []
        waitsForMore = false
        saw(changed: fresh.changed)
        intactAt = changed
        restarts += 1
        if limit != .max { limit = max(limit, size) }
        assertInvariants()
    }

    /// What was before `base` is gone from its front, and it begins with `head` now. Places stay
    /// what they are.
    mutating func frontRemoved(_ base: Base, beginsWith head: [UInt8]) {
        self.base = base
        let before = max(0, physicalPosition.bytes)
        anchor = Array(anchor.suffix(before))
        beginning = Beginning(head: Array(head.prefix(before)))
        firstBytes = FirstBytes()
        headLength = head.count
        expectedHead = []
        // What is there is looked at once more before it is read on.
        landmarks = Landmarks()
        proof = ContentProof()
        assertInvariants()
    }

    /// There is nothing to do before the file grows or becomes final.
    mutating func waitForMore() { waitsForMore = true }

    /// What was the beginning of a line is looked at once more.
    mutating func lookAgain() { waitsForMore = false }

    mutating func wait(forFirstLine wait: FirstLineWait) { firstLineWait = wait }

    /// `--once`: what is there now is all that is read. How long a compressed file is turns out.
    mutating func readNoFurther() {
        if packing == nil { limit = size }
    }
}

// MARK: - What was seen of it

extension TailedFile.Content {
    /// It was looked at, and was last changed at that time.
    mutating func saw(changed time: FileTime) {
        if time < changed {
            // The clock of its file system was set back: what happens from now on has earlier
            // times.
            begunAt = min(begunAt, time)
            intactAt = min(intactAt, time)
        }
        changed = time
    }

    /// It was looked at, and was last written to at that time: what was the beginning of a line
    /// may have been replaced.
    mutating func saw(modified time: FileTime) {
        guard time != modified else { return }
        modified = time
        waitsForMore = false
        zeros?.isOld = true
    }

    /// A look has found it longer than it was.
    ///
    /// 1. A log of 100 bytes is read. It is overwritten whole with 300 bytes.
    /// 2. Its size alone says that 200 bytes were added to it, which nobody reads any more.
    mutating func grew(to size: LogicalOffset) {
        provenSize = provenSize ?? self.size
        self.size = size
        waitsForMore = false
        assertInvariants()
    }

    /// It was cut behind the position, to `size`.
    mutating func cut(to size: PhysicalOffset) {
        self.size = base.logical(size)
        provenSize = nil
        waitsForMore = false
        tail = []
        zeros = nil
        assertInvariants()
    }

    /// It was so long, as seen from outside.
    mutating func sawFromOutside(size: PhysicalOffset) { lastSize = base.logical(size) }

    /// It has grown beyond what is read of any file. False where that was told.
    mutating func becomeTooLarge() -> Bool {
        defer { isTooLarge = true }
        return !isTooLarge
    }

    /// It is known to begin so, as far as it was read.
    mutating func begins(_ beginning: Beginning) {
        self.beginning = beginning
        assertInvariants()
    }

    /// The same of more bytes.
    mutating func begins(_ bytes: FirstBytes) {
        firstBytes = bytes
        assertInvariants()
    }

    /// The output knows so many of its first bytes.
    mutating func headGrew(to count: Int) { headLength = count }

    /// It was seen to begin with `head`, and nothing was read.
    mutating func expect(_ head: [UInt8]) {
        if isAtStart, expectedHead.count < head.count { expectedHead = head }
    }

    /// It was the one that was read a moment ago.
    mutating func sawIntact() {
        provenSize = nil
        // When exactly, by the clock of its file system, nobody knows: not before that.
        intactAt = changed
    }

    /// An earlier run has found it the one that was read, at that time or after.
    mutating func wasIntact(at time: FileTime) { intactAt = max(intactAt, time) }

    /// The file holds another one: what it was seen to grow by is that one's.
    mutating func forgetUnprovenGrowth() {
        if let provenSize { size = provenSize }
        provenSize = nil
    }

    /// The file was found with another one. This one ended at `size` when an earlier run saw it
    /// last. When that was, its file system has not said: `birth` at the earliest.
    mutating func wasReplaced(at size: PhysicalOffset, birth: FileTime?) {
        self.size = base.logical(size)
        intactAt = birth ?? .min
    }

    /// Nobody can write to it any more: what was seen of zeros at its end may have been filled
    /// since.
    mutating func becomeFinal() {
        zeros = nil
        waitsForMore = false
        packing?.reader.isWhole = true
    }

    /// It may be written to again.
    mutating func becomeLive() {
        begunAt = min(begunAt, changed)
        packing?.reader.isWhole = false
    }

    /// Zeros were followed to where they end, or may end.
    mutating func saw(_ zeros: ZeroRun?) {
        self.zeros = zeros
        assertInvariants()
    }

    /// Its writer fills what is there already.
    mutating func becomePreallocated() { isPreallocated = true }
}
