import Model
import Platform

/// One file of a stream, from its opening to the end of its bytes. Lives on the reader thread.
///
/// Between two turns its descriptor may be closed, which is called parked: everything else stays,
/// and its next turn opens it again (`FileOpener.reopen`).
final class TailedFile {
    /// Changes when its content is replaced and goes on elsewhere.
    private(set) var id: FileID
    /// Where it stands. Changed by the verbs below alone.
    private(set) var state: State<SharedDescriptor>
    /// Changed by `DescriptorCache` alone.
    var place = DescriptorCache.Place()
    /// Descriptors and bytes that it keeps from others; changed by `HeldFiles` alone, which hears
    /// of what matters.
    var held = HeldShares.Amount()
    /// Set while it may be open.
    weak var holds: HeldFiles?
    /// The stream that reads it.
    private(set) weak var stream: LogStream?
    /// Where it was seen last. Changed by the verbs below alone.
    private(set) var lastSeen: Name
    /// The inode that is open.
    let key: InodeKey
    /// Its content is compressed, and read as what it was. All offsets are of that.
    private(set) var packed: Decompressor?
    /// It is compressed by what cannot be read, so nothing of it is.
    private(set) var unreadable: Compression?
    /// Of a compressed file: what its content is known to have been when it was none.
    private var seenSize = LogicalOffset(0)
    /// Of a compressed file: it was read to its end, or as far as there is any of it.
    private(set) var isComplete = false
    /// Of a compressed file: when it was read last.
    var unpackedAt = MonotonicTime.zero
    /// How long it may have what it takes to be read while others wait for that, nanoseconds.
    var unpackingTime = UnpackingShare.firstTime
    /// Of a compressed file: its bytes on the disk when last looked at.
    var diskSize: Int?
    /// Logical offset of the next byte to hand over. Everything before was taken by the output.
    var position: LogicalOffset
    private(set) var base: Base
    /// Logical size when last looked at.
    var size: LogicalOffset
    /// Logical size that was seen from outside while it was closed, or when it had to be.
    var lastSize = LogicalOffset(0)
    /// Time of the last change to its content when last looked at, nanoseconds.
    var modified = FileTime.zero
    /// The bytes before `position`, at most `Anchor.longest`: when the file does not hold them any
    /// more, its content is another one.
    private(set) var anchor: [UInt8]
    /// The byte before `position` is there and is no newline.
    var continuesLine: Bool {
        !isInZeros && (anchor.last.map { $0 != UInt8(ascii: "\n") } ?? false)
    }
    /// Bytes at the beginning that the output knows for the fingerprint.
    var headLength: Int
    /// The bytes from `position` to `size` are the beginning of a line and were looked at: there is
    /// nothing to do before the file grows or becomes final.
    var waitsForMore = false
    /// `--once`: the logical offset where reading ends.
    var limit = LogicalOffset.max
    /// When its content, names or mode last changed, as of the last look at it, nanoseconds since
    /// 1970.
    private(set) var changed: FileTime
    /// The size that it had before it was seen to grow, until it is known to have grown by more of
    /// the same content.
    private var provenSize: LogicalOffset?
    var hasUnprovenGrowth: Bool { provenSize != nil && packed == nil }
    /// The bytes that it has to begin with while nothing was read: those that were seen of it
    /// before.
    private(set) var expectedHead: [UInt8]
    /// The very first bytes as they were read: the ends of many lines are alike, so an anchor alone
    /// does not tell one content from another.
    private(set) var beginning = Beginning.unknown
    /// Zeros before its first line are what a truncation left, and nobody's text.
    private(set) var mayBeginWithZeros: Bool
    /// The knowledge of the bytes before the position, beside the anchor.
    var landmarks = Landmarks()
    /// The last bytes of the file when it was left with the beginning of a line at its end, at most
    /// `Anchor.longest`; none when more came since.
    var tail: [UInt8] = []
    /// Zeros that reached the end of what was read, and what is known to follow them.
    var zeros: ZeroRun?
    /// Zeros reached its end while it was written to: its writer fills what is there already.
    var isPreallocated = false
    /// Where zeros began that were passed and not told of yet: more of them may follow.
    var untoldHole: LogicalOffset?
    /// Up to there, logical, another file has what it holds, which is read on instead.
    private var successorEnd = LogicalOffset(0)
    /// Zeros were skipped just before `position`.
    private(set) var isInZeros = false
    /// It has grown beyond what is read of any file, and that was reported.
    var isTooLarge = false
    /// How often its content was replaced in this run.
    private(set) var restarts = 0
    /// When this content was first seen by this run, or before, as files
    /// beside it have it.
    private(set) var begunAt: FileTime
    /// Its first line waits for looks at its directory.
    var firstLineWait: FirstLineWait?
    /// The fault of its compressed bytes was reported, or that it ends early.
    var isDamaged = false
    /// When its content was last known to be the one that was read, or before; nanoseconds since
    /// 1970, as files beside it have it.
    var intactAt: FileTime

    /// `anchor` is the bytes before the start.
    init(_ candidate: Candidate, _ start: FileStart, anchor: [UInt8]) {
        id = start.file
        state = State(candidate.source)
        stream = candidate.request.stream
        changed = candidate.status.changed
        lastSeen = Name(candidate)
        key = InodeKey(candidate.status)
        packed = candidate.packed
        position = start.offset
        base = start.base
        size = start.base.logical(candidate.size)
        if candidate.packed != nil {
            seenSize = start.base.logical(start.size)
            diskSize = candidate.status.size
            // 1. Its end is not known before it is reached: it has one byte more than was produced.
            // 2. When it was, it has as many as were read. It may have been appended to since,
            //    unless it still has the time that its compressor took over from what it
            //    compressed.
            let isAsMade =
                candidate.request.isArchived
                || candidate.identity.birthTime.map { candidate.status.modified < $0 } ?? false
            isComplete = seenSize == start.offset && (!start.isKnown || isAsMade)
        }
        headLength = candidate.begin.count
        self.anchor = anchor
        expectedHead = start.offset == start.base.start ? candidate.begin : []
        if start.offset > start.base.start, candidate.packed == nil {
            let read = min(candidate.head.count, start.base.physical(start.offset))
            beginning = Beginning(head: Array(candidate.head[..<read]))
        }
        // One of an earlier run that was read from its beginning up to nowhere may have been
        // truncated then.
        mayBeginWithZeros =
            candidate.request.mayBeginWithZeros
            || (start.isKnown && start.offset == start.base.start)
        intactAt = candidate.request.since ?? candidate.status.changed
        // Of what it was when it was live, copies are none of this run's.
        begunAt = candidate.request.name == candidate.request.stream.liveName ? intactAt : .max
        updatePackedSize()
    }

    /// It was looked at, and was last changed at that time.
    func saw(changed time: FileTime) {
        if time < changed {
            // The clock of its file system was set back: what happens from now on has earlier
            // times.
            begunAt = min(begunAt, time)
            intactAt = min(intactAt, time)
        }
        changed = time
    }

    /// A look has found it longer than it was.
    ///
    /// 1. A log of 100 bytes is read. It is overwritten whole with 300 bytes.
    /// 2. Its size alone says that 200 bytes were added to it, which nobody reads any more.
    func grew(to size: LogicalOffset) {
        provenSize = provenSize ?? self.size
        self.size = size
    }

    /// Its content is another one: what it was seen to grow by is that one's.
    func forgetUnprovenGrowth() {
        if let provenSize { size = provenSize }
        provenSize = nil
    }

    /// Its content was the one that was read a moment ago.
    func sawIntact() {
        provenSize = nil
        // When exactly, by the clock of its file system, nobody knows: not before that.
        intactAt = changed
    }

    /// Its content is known to have been so long, in logical bytes, when it was not compressed.
    func expect(size: LogicalOffset) {
        seenSize = max(seenSize, size)
        updatePackedSize()
    }

    /// There is no more of this compressed file, whatever its position.
    func complete() {
        isComplete = true
        updatePackedSize()
    }

    /// Bytes of it before the position that are there.
    var physicalPosition: Int { base.physical(position) }

    /// Nothing of it was read that is there.
    var isAtStart: Bool { position <= base.start }

    /// Physical bytes when last looked at.
    var physicalSize: Int { diskSize ?? base.physical(size) }

    /// Of a compressed file there is at least one byte more than was produced until its end was
    /// reached.
    func updatePackedSize() {
        guard let packed else { return }
        if isComplete {
            size = position
        } else if packed.isAtEnd || packed.isWaiting {
            size = base.logical(packed.size)
        } else {
            size = max(seenSize, base.logical(packed.size), position + 1)
        }
    }

    /// Whether only more bytes, or the proof that none will come, give this file anything to do.
    var continuesToWait: Bool { waitsForMore && !isFinal }

    /// Logical size without zeros at the end that are not written yet.
    var written: LogicalOffset {
        guard let zeros, !zeros.isFollowed, zeros.end >= size else { return size }
        return min(zeros.start, size)
    }

    /// Its writer fills what is there already, which changes no size and may be no event.
    var isFilled: Bool { !isFinal && written < size }

    /// It is to be looked at by the clock: what happens to it may be no event.
    var needsLooks: Bool { isFilled || isInDoubt }

    /// Logical offset behind which nothing is read, whatever is there: a look at the file would
    /// take what was read beyond that for what it held before a truncation.
    var readLimit: LogicalOffset { min(limit, base.logical(OutsideNumber.most)) }

    /// Logical offset where reading has to end for now.
    var end: LogicalOffset { unreadable == nil ? min(size, limit) : position }

    /// No name anywhere leads to it.
    var isUnlinked: Bool {
        guard let source = state.source else { return false }
        do throws(SystemError) {
            return try source.descriptor.status().links == 0
        } catch {
            // A network file system says so of a file that somebody else removed.
            return true
        }
    }

    /// The first `count` bytes of `chunk`, which begins at `position`, are taken.
    func advance(over chunk: Span<UInt8>, _ count: Int) {
        if physicalPosition == beginning.count {
            beginning.extend(chunk.extracting(0..<count))
        }
        position += count
        isInZeros = false
        if !expectedHead.isEmpty { expectedHead = [] }
        // Bytes that were read are there, whatever the last look at the size said.
        size = max(size, position)
        if count < Anchor.longest {
            anchor.removeFirst(max(0, anchor.count + count - Anchor.longest))
        } else {
            anchor.removeAll(keepingCapacity: true)
        }
        for index in max(0, count - Anchor.longest)..<count { anchor.append(chunk[index]) }
    }

    /// It was seen to begin with `head`, and nothing was read.
    func expect(_ head: [UInt8]) {
        if isAtStart, expectedHead.count < head.count { expectedHead = head }
    }

    /// Whether it still holds what was read of it, as far as the bytes before the position tell; or
    /// what it was seen to begin with, while nothing was read.
    func isIntact() throws(SystemError) -> Bool {
        guard packed == nil, unreadable == nil else { return true }
        let source = try opened()
        guard try source.descriptor.status().size >= physicalPosition else { return false }
        if isAtStart {
            return try source.descriptor.read(count: expectedHead.count, at: 0) == expectedHead
        }
        let isThere =
            try source.descriptor.read(count: anchor.count, at: physicalPosition - anchor.count)
            == anchor
        guard isThere else { return false }
        return try beginning.isAt(source.descriptor)
    }

    /// Zeros that stand for nothing, `count` of them from `position` on, are passed.
    func skip(_ count: Int) {
        if isAtStart { beginning = .unknown }
        position += count
        size = max(size, position)
        isInZeros = true
        tail = []
        anchor = Array(anchor.suffix(max(0, Anchor.longest - count)))
        anchor += [UInt8](repeating: 0, count: min(count, Anchor.longest))
        expectedHead = []
    }

    /// Bytes that its content is known to have had, and that are not in what was made of it.
    var missingAtEnd: ByteRange? {
        guard let packed, packed.isAtEnd else { return nil }
        let start = max(position, base.logical(packed.size))
        // The one byte more that stands for an end that was not reached.
        return seenSize > start + 1 ? ByteRange(start, seenSize) : nil
    }

    /// The range that is known to have been unread of it, if its content is another one.
    var knownUnread: ByteRange? {
        let end = packed == nil ? size : seenSize - 1
        return end > position
            ? ByteRange(position, packed == nil ? size : seenSize) : nil
    }

    /// The position is beyond its end: there is nothing more.
    func passEnd() {
        size = max(base.start, min(size, position))
        position = size
        anchor = []
    }

    /// The bytes that it holds up to a physical offset are read on in another file.
    func succeeded(at end: Int) { successorEnd = base.logical(end) }

    /// Nothing was written to it since, and nothing will be: a line that was not finished is the
    /// other file's.
    func passWhatIsElsewhere() {
        guard isFinal, position < size, size <= successorEnd else { return }
        position = size
        anchor = []
        expectedHead = []
    }

    /// It was cut behind the position, to `size` bytes.
    func cut(to size: Int) {
        self.size = base.logical(size)
        provenSize = nil
        waitsForMore = false
        tail = []
        zeros = nil
    }

    /// Its last lines were rewritten, and are read from where the first of them began; `anchor` is
    /// the bytes before that.
    func rewind(to start: FileStart, _ anchor: [UInt8], _ fresh: FileOpener.Fresh) {
        id = start.file
        position = start.offset
        size = base.logical(fresh.sighting.size)
        provenSize = nil
        headLength = fresh.sighting.begin.count
        self.anchor = anchor
        beginning = beginning.cut(to: physicalPosition)
        landmarks.forget(behind: position)
        isInZeros = false
        zeros = nil
        tail = []
        waitsForMore = false
        saw(changed: fresh.changed)
        intactAt = changed
        restarts += 1
        if limit != .max { limit = max(limit, size) }
    }

    /// The content is another one: back to its first byte.
    func restart(at start: FileStart, _ fresh: FileOpener.Fresh) {
        let sighting = fresh.sighting
        id = start.file
        changed = fresh.changed
        headLength = sighting.begin.count
        position = start.offset
        base = start.base
        packed = fresh.packed
        unreadable = fresh.compression.flatMap { $0.isReadable ? nil : $0 }
        seenSize = LogicalOffset(0)
        isComplete = false
        isDamaged = false
        diskSize = packed == nil ? nil : fresh.diskSize
        size = start.base.logical(sighting.size)
        provenSize = nil
        updatePackedSize()
        anchor = []
        beginning = .unknown
        expectedHead = isAtStart ? sighting.begin : []
        mayBeginWithZeros = true
        isInZeros = false
        zeros = nil
        landmarks = Landmarks()
        tail = []
        isPreallocated = false
        successorEnd = LogicalOffset(0)
        isTooLarge = false
        waitsForMore = false
        intactAt = changed
        begunAt = changed
        restarts += 1
        firstLineWait = nil
        if limit != .max { limit = size }
        state.restart()
        assertInvariants()
    }
}

// MARK: - Where it stands

extension TailedFile {
    var phase: Phase { state.phase }
    /// Nobody will write to it any more.
    var isFinal: Bool { state.isFinal }
    /// It became final since its size was last looked at.
    var hasOldSize: Bool { state.hasOldSize }
    /// Since when somebody may still write to what was rotated away; nil where it is live or final.
    var drainsSince: MonotonicTime? { state.draining?.since }
    /// Its name in the stream's directory; nil when it has none there any more.
    var name: [UInt8]? { lastSeen.name }
    /// The name that it has or had last.
    var lastName: [UInt8] { lastSeen.last }
    var path: String { lastSeen.path }
    /// The inode that its name leads to.
    var identity: FileIdentity { lastSeen.identity }
    /// Its content is not the one that was read.
    var isReplaced: Bool { state.isReplaced }
    /// It is not known yet whether its content is another one.
    var isInDoubt: Bool { state.isInDoubt }
    /// The content that it had is looked for, and that is not given up for now.
    var isToBeRenewed: Bool { isReplaced && !isPassedOver }
    /// Newer files are read without it, because it cannot be read.
    var isPassedOver: Bool { state.isPassedOver }
    var isOpen: Bool { state.source != nil }

    /// All that is to be found out about it is whether more was written to it, and whether nobody
    /// will.
    var isAtRest: Bool {
        guard state.draining != nil, !isReplaced, !needsLooks, state.mayBeFound
        else { return false }
        // One that is parked and has no name is waited for, and no longer than that.
        return (isOpen || name != nil) && (position >= end || continuesToWait)
    }

    /// It is not under its stream's own name any more: somebody may still write to it.
    func drain(from now: MonotonicTime) {
        state.drain(from: now)
        assertInvariants()
        assertNamed()
    }

    /// No name in its stream's directory leads to it any more.
    func lostName(_ now: MonotonicTime) {
        changeName { $0.lose() }
        drain(from: now)
    }

    /// A look has found it under a name, in its stream's directory.
    func rename(to name: [UInt8], path: String) {
        changeName { $0.change(to: name, path: path) }
        state.find()
        assertNamed()
    }

    /// It was found in another directory, and opened there.
    func move(to path: String) { lastSeen.move(to: path) }

    /// A compressor has made an archive of it, which has its entry and its name from now on. What
    /// is open here is read to its end.
    func becomeArchive(_ archive: Candidate) {
        lead(to: archive.identity)
        rename(to: archive.request.name, path: archive.request.path)
        becomeFinal()
    }

    /// Its name leads to this inode, whatever is open here.
    func lead(to identity: FileIdentity) { lastSeen.lead(to: identity) }

    private func changeName(_ change: (inout Name) -> Void) {
        let hadName = name != nil
        change(&lastSeen)
        if hadName != (name != nil) { holds?.update(self) }
    }

    /// Somebody writes to it. Where it was rotated away, the time for that begins anew.
    func sawWriting(_ now: MonotonicTime) { state.sawWriting(now) }

    /// It was asked in vain whether somebody may still write to it.
    func proofFailed(_ now: MonotonicTime, isBlind: Bool, latest: MonotonicTime = .never) {
        state.proofFailed(now, isBlind: isBlind, latest: latest)
    }

    /// From now on what is there is all there will be.
    func becomeFinal() {
        guard state.becomeFinal() else { return }
        // What was seen of zeros at its end may have been filled since.
        zeros = nil
        packed?.isWhole = true
        waitsForMore = false
        holds?.update(self)
        assertInvariants()
    }

    /// It has its stream's own name again, so it may be written to again.
    func becomeLive() {
        begunAt = min(begunAt, changed)
        packed?.isWhole = false
        state.becomeLive()
        holds?.update(self)
        assertInvariants()
    }

    /// Its size is known as of now.
    func sawSize() { state.sawSize() }

    /// It is final and holds less than it did: the next look tells.
    func doubtSize() { state.doubtSize() }

    /// Its end is another one. Since when, if that may be all.
    func doubt(from now: MonotonicTime) -> MonotonicTime? { state.doubt(from: now) }

    /// Its content goes on as it was read.
    func trust() { state.trust() }

    /// Its content is not the one that was read.
    func becomeReplaced() {
        forgetUnprovenGrowth()
        guard state.becomeReplaced() else { return }
        assertInvariants()
    }

    /// Archives are searched for what it held. False where they were before.
    func search() -> Bool {
        let isFirst = !state.isSearched
        state.search()
        return isFirst
    }

    /// It could not be read now. Since when it cannot.
    func failed(_ now: MonotonicTime) -> MonotonicTime { state.failed(now) }

    /// What is newer is read without it. False where that is so already.
    func passOver(_ now: MonotonicTime) -> Bool { state.passOver(now) }

    /// It could be read.
    func wasRead() { state.wasRead() }

    /// Its descriptor, which is the caller's as long as it keeps it. Its turn has it opened before.
    func opened() throws(SystemError) -> SharedDescriptor {
        guard let source = state.source else {
            throw SystemError("read", path: path, code: .badDescriptor)
        }
        return source
    }

    /// It was opened again.
    func unpark(_ source: SharedDescriptor) { state.unpark(source) }

    /// Its descriptor is closed as soon as nobody uses it.
    func park() {
        guard state.park() else { return }
        packed?.release()
    }

    /// It is parked, and a look has not found it. Since when; nil where it is not looked for.
    func miss(_ now: MonotonicTime) -> MonotonicTime? {
        defer { assertNamed() }
        return state.miss(now)
    }

    /// Another file has its inode number.
    func remove() { state.remove() }

    /// Another stream reads it from now on.
    func takeOver() { state.takeOver() }

    /// What is so of a file that has its place in its stream.
    private func assertNamed() {
        assert(phase != .live || name != nil, "who writes to a live file does so by its name")
        if case .missing = state.parking {
            assert(name == nil, "what has a name is looked for there")
        }
    }

    /// What is so between two transitions, whatever happens outside. Checked at each of them in
    /// debug builds alone: a fault of ours is found by a test, and no pod's agent ends of it.
    func assertInvariants() {
        assert(!isReplaced || !hasUnprovenGrowth, "what it grew by is another content's")
        assert(!isFinal || packed?.isWhole ?? true, "nobody writes to it: its end is its end")
    }
}

/// The first bytes of a file: 64 of them at the most.
struct Beginning {
    private(set) var count: Int
    private var bytes: [64 of UInt8]

    private static let longest = 64
    /// Agrees with everything.
    static let unknown = Beginning(head: [])

    /// Of a file that begins with `chunk`.
    init(_ chunk: Span<UInt8>) {
        count = min(chunk.count, Self.longest)
        var bytes: [64 of UInt8] = .init(repeating: 0)
        for index in 0..<count { bytes[index] = chunk[index] }
        self.bytes = bytes
    }

    init(head: [UInt8]) {
        self.init(head.span)
    }

    /// Its content goes on with `chunk`.
    mutating func extend(_ chunk: Span<UInt8>) {
        for index in 0..<min(chunk.count, Self.longest - count) {
            bytes[count] = chunk[index]
            count += 1
        }
    }

    func cut(to count: Int) -> Beginning {
        var shorter = self
        shorter.count = min(count, self.count)
        return shorter
    }

    /// Whether what begins with `head` begins so, as far as both are known; not without any byte.
    func agrees(with head: [UInt8]) -> Bool {
        let common = min(count, head.count)
        for index in 0..<common where bytes[index] != head[index] { return false }
        return common > 0
    }

    /// Whether an open file begins so.
    func isAt(_ file: borrowing Descriptor) throws(SystemError) -> Bool {
        guard count > 0 else { return true }
        let read = try file.read(count: count, at: 0)
        return read.count == count && agrees(with: read)
    }
}
