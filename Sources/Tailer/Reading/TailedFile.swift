import Model
import Platform

/// One file of a stream, from its opening to the end of its bytes. Lives on the reader thread.
///
/// It is three values: where it stands (`State`), where it was seen (`Name`), and what is known of
/// its bytes (`Content`). Who looks at a file or reads it tells what happened by a verb; what
/// follows from that, and that it fits, is found out here.
///
/// Between two turns its descriptor may be closed, which is called parked: everything else stays,
/// and its next turn opens it again (`FileOpener.reopen`).
final class TailedFile {
    private(set) var state: State<SharedDescriptor>
    private(set) var lastSeen: Name
    private(set) var content: Content
    /// The inode that is open.
    let key: InodeKey
    /// The stream that reads it.
    private(set) weak var stream: LogStream?
    /// Changed by `DescriptorCache` alone.
    var ringState = DescriptorCache.RingState()
    /// Set while it may be open.
    weak var holds: HeldFiles?
    /// None while it takes nothing from others.
    private var shares: Shares?

    /// `anchor` is the bytes before the start.
    init(_ candidate: Candidate, _ start: FileStart, anchor: [UInt8]) {
        state = State(candidate.source)
        lastSeen = Name(candidate)
        content = Content(candidate, start, anchor: anchor)
        key = InodeKey(candidate.status)
        stream = candidate.request.stream
    }

    /// One without a descriptor, as it was when nothing was left to do about it.
    init(parked name: Name, _ content: Content, _ key: InodeKey, of stream: LogStream) {
        (state, lastSeen, self.content, self.key) = (.parked, name, content, key)
        self.stream = stream
    }

    /// What is so between two transitions, whatever happens outside. Checked at each of them in
    /// debug builds alone: a fault of ours is found by a test, and no pod's agent ends of it.
    private func assertInvariants() {
        content.assertInvariants()
        assert(!isReplaced || !content.hasUnprovenGrowth, "what it grew by is another content's")
        assert(!isFinal || packed?.isWhole ?? true, "nobody writes to it: its end is its end")
    }

    /// The same of a file that has its place in its stream.
    private func assertNamed() {
        assert(phase != .live || name != nil, "who writes to a live file does so by its name")
        if case .missing = state.parking {
            assert(name == nil, "what has a name is looked for there")
        }
    }
}

// MARK: - What it takes from others

extension TailedFile {
    /// Few files have any of it, and a node has a hundred thousand quiet ones.
    private final class Shares {
        var held = HeldShares.Amount()
        var unpacking = UnpackingShare.Time()
    }

    /// Descriptors and bytes that it keeps from others; changed by `HeldFiles` alone, which hears
    /// of what matters.
    var held: HeldShares.Amount {
        get { shares?.held ?? HeldShares.Amount() }
        set { if newValue != held { keepShares().held = newValue } }
    }

    /// Changed by `UnpackingShare` alone.
    var unpacking: UnpackingShare.Time {
        get { shares?.unpacking ?? UnpackingShare.Time() }
        set { keepShares().unpacking = newValue }
    }

    private func keepShares() -> Shares {
        if let shares { return shares }
        let made = Shares()
        shares = made
        return made
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
    /// Its content is not the one that was read.
    var isReplaced: Bool { state.isReplaced }
    /// It is not known yet whether its content is another one.
    var isInDoubt: Bool { state.isInDoubt }
    var doubtedSince: MonotonicTime? { state.doubtedSince }
    /// The content that it had is looked for, and that is not given up for now.
    var isToBeRenewed: Bool { isReplaced && !isPassedOver }
    /// Newer files are read without it, because it cannot be read.
    var isPassedOver: Bool { state.isPassedOver }
    var isOpen: Bool { state.source != nil }

    /// Its writer fills what is there already, which changes no size and may be no event.
    var isFilled: Bool { !isFinal && written < size }

    /// It is to be looked at by the clock: what happens to it may be no event.
    var needsLooks: Bool { isFilled || isInDoubt }

    /// Whether only more bytes, or the proof that none will come, give this file anything to do.
    var continuesToWait: Bool { waitsForMore && !isFinal }

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
        assertNamed()
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
        content.becomeFinal()
        holds?.update(self)
        assertInvariants()
    }

    /// It has its stream's own name again, so it may be written to again. That name is given to it
    /// next.
    func becomeLive() {
        state.becomeLive()
        content.becomeLive()
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
        content.forgetUnprovenGrowth()
        state.becomeReplaced()
        assertInvariants()
    }

    /// It was found like that, by a run that comes after the one that read it.
    func wasReplaced(at size: PhysicalOffset, birth: FileTime?) {
        becomeReplaced()
        content.wasReplaced(at: size, birth: birth)
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

    var isLent: Bool { state.isLent }

    /// Whether its front may be removed, all before `end`: it is its log's live file, it was read
    /// so far, and nothing about it is in doubt.
    func mayBeLent(upTo end: LogicalOffset) -> Bool {
        phase == .live && state.isUntroubled && name != nil && packed == nil
            && content.unreadable == nil && !needsLooks && zeros == nil && position >= end
    }

    /// Nothing of it is read or judged until it is back.
    func lend() -> Bool { state.lend() }

    /// It is back. What was before `base` is gone from its front, and it begins with `head` now;
    /// nothing has changed where that is nil.
    func takeBack(_ base: Base, beginsWith head: [UInt8]?) {
        guard state.takeBack(), let head else { return }
        content.frontRemoved(base, beginsWith: head)
        assertInvariants()
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
}

// MARK: - Where it was seen

extension TailedFile {
    /// Its name in the stream's directory; nil when it has none there any more.
    var name: [UInt8]? { lastSeen.name }
    /// The name that it has or had last.
    var lastName: [UInt8] { lastSeen.last }
    var path: String { lastSeen.path }
    /// The inode that its name leads to.
    var identity: FileIdentity { lastSeen.identity }

    /// No name anywhere leads to it.
    var isRemoved: Bool {
        guard let source = state.source else { return false }
        do throws(SystemError) {
            return try source.descriptor.status().links == 0
        } catch {
            // A network file system says so of a file that somebody else removed.
            return true
        }
    }

    /// No name in its stream's directory leads to it any more.
    func becomeNameless(_ now: MonotonicTime) {
        changeName { $0.becomeNameless() }
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
}

// MARK: - What is known of its bytes

extension TailedFile {
    /// Changes when its content is replaced and goes on elsewhere.
    var id: FileID { content.id }
    var base: Base { content.base }
    /// Logical offset of the next byte to hand over.
    var position: LogicalOffset { content.position }
    var physicalPosition: PhysicalOffset { content.physicalPosition }
    /// Logical size when last looked at.
    var size: LogicalOffset { content.size }
    var diskSize: Int { content.diskSize }
    var written: LogicalOffset { content.written }
    var end: LogicalOffset { content.end }
    var isAtStart: Bool { content.isAtStart }
    var anchor: [UInt8] { content.anchor }
    var expectedHead: [UInt8] { content.expectedHead }
    var headLength: Int { content.headLength }
    var waitsForMore: Bool { content.waitsForMore }
    var zeros: ZeroRun? { content.zeros }
    var mayBeginWithZeros: Bool { content.mayBeginWithZeros }
    var changed: FileTime { content.changed }
    var modified: FileTime { content.modified }
    var begunAt: FileTime { content.begunAt }
    /// Of a compressed file: it is read as what it was.
    var packed: Decompressor? { content.packing?.reader }

    func advance(over chunk: Span<UInt8>, _ count: Int) { content.advance(over: chunk, count) }
    func skip(_ count: Int) { content.skip(count) }
    func share(anchor bytes: [UInt8]) { content.share(anchor: bytes) }
    func endHole() -> LogicalOffset? { content.endHole() }
    func passEnd() { content.passEnd() }
    func succeeded(at end: PhysicalOffset) { content.succeeded(at: end) }
    /// What another file has is passed, once nobody will write on here.
    func passWhatIsElsewhere() { if isFinal { content.passWhatIsElsewhere() } }
    func waitForMore() { content.waitForMore() }
    func lookAgain() { content.lookAgain() }
    func wait(forFirstLine wait: FirstLineWait) { content.wait(forFirstLine: wait) }
    func readNoFurther() { content.readNoFurther() }
    func saw(changed time: FileTime) { content.saw(changed: time) }

    /// The same at a look that may find out whether it is intact.
    func look(saw time: FileTime) {
        content.saw(changed: time)
        content.proof.saw(changed: time, MonotonicTime.now())
    }

    /// Whether its change time alone tells that it is what it was when it was read again last
    /// (`ContentProof`).
    func isProvenIntact(in stream: LogStream) -> Bool {
        content.proof.isProven && !content.isPreallocated && !isInDoubt
            && !(stream.node?.hasOtherWriters ?? true)
    }

    /// Its change time alone tells that, whoever may write to it.
    var isUntouched: Bool { content.proof.isProven }

    /// A look has found it intact.
    func provedIntact(_ now: MonotonicTime) { content.proof.sawIntact(now) }
    func saw(modified time: FileTime) { content.saw(modified: time) }
    func grew(to size: LogicalOffset) { content.grew(to: size) }
    func cut(to size: PhysicalOffset) { content.cut(to: size) }
    func sawFromOutside(size: PhysicalOffset) { content.sawFromOutside(size: size) }
    func becomeTooLarge() -> Bool { content.becomeTooLarge() }
    func headGrew(to count: Int) { content.headGrew(to: count) }
    func expect(_ head: [UInt8]) { content.expect(head) }
    func expect(size: LogicalOffset) { content.expect(size: size) }
    func forgetUnprovenGrowth() { content.forgetUnprovenGrowth() }
    func sawIntact() { content.sawIntact() }
    func wasIntact(at time: FileTime) { content.wasIntact(at: time) }
    func saw(_ zeros: ZeroRun?) { content.saw(zeros) }
    func becomePreallocated() { content.becomePreallocated() }
    func sawDisk(size: Int) { content.sawDisk(size: size) }
    func updatePackedSize() { content.updatePackedSize() }

    /// Whether its content is only supposed to be that of its entry.
    var isSupposed: Bool { content.packing?.isSupposed ?? false }

    func suppose(_ isSupposed: Bool = true) { content.suppose(isSupposed) }
    func complete() { content.complete() }
    func becomeDamaged() -> Bool { content.becomeDamaged() }
    func knows(_ landmarks: Landmarks) { content.landmarks = landmarks }
    func begins(_ bytes: FirstBytes) { content.begins(bytes) }
    func remember(_ chunk: Span<UInt8>, _ frames: [Frame], _ count: Int) {
        content.remember(chunk, frames, count)
    }
    func remember(tail chunk: Span<UInt8>) { content.remember(tail: chunk) }

    /// Whether it still holds what was read of it, as far as the bytes before the position tell; or
    /// what it was seen to begin with, while nothing was read.
    /// `size`: where that was just asked for.
    func isIntact(size: PhysicalOffset? = nil) throws(SystemError) -> Bool {
        guard packed == nil, content.unreadable == nil else { return true }
        let source = try opened()
        let known = if let size { size } else { try source.descriptor.status().end }
        guard known >= physicalPosition else { return false }
        if isAtStart {
            return try source.descriptor.read(count: expectedHead.count, at: 0) == expectedHead
        }
        let before = physicalPosition - anchor.count
        guard try source.descriptor.holds(anchor.span, at: before) else { return false }
        return try content.beginning.isAt(source.descriptor)
    }

    /// Its last lines were rewritten: `Content.rewind`.
    func rewind(to start: FileStart, _ anchor: [UInt8], _ fresh: FileOpener.Fresh) {
        content.rewind(to: start, anchor, fresh)
        assertInvariants()
    }

    /// The content is another one: back to its first byte.
    func restart(at start: FileStart, _ fresh: FileOpener.Fresh) {
        content = content.replaced(at: start, fresh)
        state.restart()
        assertInvariants()
    }
}
