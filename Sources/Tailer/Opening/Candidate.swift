import Model
import Platform

/// A file that is open and was looked at, and that is not taken up yet. Lives on the reader thread.
final class Candidate {
    let request: FileOpener.Request
    let source: SharedDescriptor
    let status: FileStatus
    let identity: FileIdentity
    /// The first bytes of its content, at most `Fingerprint.longest`; of a compressed one that is
    /// known by its identity none, until they are asked for.
    private(set) var head: [UInt8]
    /// Its content is compressed, and is read as what it was.
    let packed: Decompressor?
    /// It is compressed by what cannot be read: it is no text, and nothing is known of its content.
    let unreadable: Compression?
    /// Compressed, and it is not to be taken up yet: whoever writes it has not come so far that its
    /// content could be told from another's, or has not removed what it is made of.
    private(set) var isInTheMaking: Bool
    /// It seems to be made of a file that is there yet: it waits until that is gone.
    private(set) var awaitsRemoval = false

    /// Bytes, compressed and not, that are gone through for the beginning of a compressed file.
    static let mostForHead = 1 << 20
    /// Where nobody can tell whether a file is being written: for how long it is as it is by then,
    /// nanoseconds.
    private static let patience: Int64 = 60_000_000_000

    /// `once`: nobody waits for more of a compressed file than is there. `isKnown`: its identity is
    /// known, and what a compressed one holds is not asked for.
    init(
        _ request: FileOpener.Request, _ descriptor: consuming Descriptor, _ status: FileStatus,
        _ identity: FileIdentity, isKnown: Bool = false, once: Bool, _ stillness: Stillness
    ) throws(SystemError) {
        self.request = request
        self.status = status
        self.identity = identity
        source = SharedDescriptor(descriptor)
        let head = try source.descriptor.read(count: Fingerprint.longest, at: 0)
        guard request.mayBePacked, let compression = Compression(head: head) else {
            self.head = head
            packed = nil
            unreadable = nil
            isInTheMaking = false
            return
        }
        guard compression.isReadable else {
            self.head = []
            packed = nil
            unreadable = compression
            isInTheMaking = false
            return
        }
        unreadable = nil
        let mayGrow = request.name == request.stream.liveName
        let packed = Decompressor(
            compression,
            isWhole: once || request.isArchived
                || (!mayGrow && source.descriptor.hasNoWriter() == true))
        if isKnown {
            self.head = []
            self.packed = packed
            isInTheMaking = false
            return
        }
        var content = try Self.head(of: packed, source)
        if packed.isWaiting {
            let isWhole =
                source.descriptor.hasNoWriter()
                ?? (stillness.time(of: status, MonotonicTime.now()) >= Self.patience)
            if isWhole {
                packed.isWhole = true
                content = try Self.head(of: packed, source)
            }
        }
        isInTheMaking = packed.isWaiting && content.count < Fingerprint.longest
        self.head = content
        self.packed = packed
        // There may be many, and most of them are not read any further.
        packed.release()
    }

    /// Reads the head of a compressed one that was not asked for it.
    func completeHead() throws(SystemError) {
        guard head.isEmpty, let packed else { return }
        head = try Self.head(of: packed, source)
        packed.release()
    }

    /// What it seems to be made of is there yet.
    func awaitRemoval() {
        awaitsRemoval = true
        isInTheMaking = true
    }

    /// No name leads to it any more, nobody writes to it, and it ends where it did when it was
    /// looked at. False where that cannot be told.
    var isRemoved: Bool {
        do throws(SystemError) {
            guard source.descriptor.hasNoWriter() == true else { return false }
            let now = try source.descriptor.status()
            return now.links == 0 && now.size == status.size
        } catch {
            return false
        }
    }

    /// Whether a compressed one holds, before `position`, what was read of a file up to there. Nil
    /// where that takes more than is unpacked at once.
    func unpacks(
        to anchor: [UInt8], before position: PhysicalOffset
    ) throws(SystemError) -> Bool? {
        guard let packed, !anchor.isEmpty, position >= PhysicalOffset(anchor.count) else {
            return nil
        }
        defer { packed.release() }
        var content = [UInt8](repeating: 0, count: anchor.count)
        let count = try packed.read(
            into: &content, count: anchor.count, at: (position - anchor.count).bytes,
            budget: Self.mostForHead, in: source.descriptor)
        guard let count else { return nil }
        if count < anchor.count { return packed.isAtEnd ? false : nil }
        return content == anchor
    }

    /// `head` as far as it is known to be written.
    var begin: [UInt8] { packed == nil ? FileSighting.written(head) : head }

    static func head(
        of packed: Decompressor, _ source: SharedDescriptor
    ) throws(SystemError) -> [UInt8] {
        var content = [UInt8](repeating: 0, count: Fingerprint.longest)
        let count = try packed.read(
            into: &content, count: content.count, at: 0, budget: mostForHead,
            in: source.descriptor)
        return Array(content.prefix(count ?? 0))
    }

    /// Bytes of its content; of a compressed one whose end was not reached fewer than it has.
    var size: PhysicalOffset { packed.map { PhysicalOffset($0.size) } ?? status.end }

    /// `size` is that.
    var hasKnownSize: Bool { packed?.isAtEnd ?? (unreadable == nil) }

    /// It may not be compared by its bytes.
    private var isPlain: Bool { packed == nil && unreadable == nil }

    /// At most `count` bytes of a plain one.
    func read(count: Int, at offset: PhysicalOffset) throws(SystemError) -> [UInt8] {
        try source.descriptor.read(count: count, at: offset)
    }

    /// `completeAt`: all of its content is known to be read, which is so long.
    func sighting(isFirstScan: Bool, completeAt: PhysicalOffset? = nil) -> FileSighting {
        let stream = request.stream
        return FileSighting(
            input: stream.input, stream: stream.id, streamName: stream.name,
            isS6: stream.kind == .s6, path: request.path, captures: stream.captures,
            link: stream.link, identity: identity, head: head, begin: begin,
            size: completeAt ?? size,
            hasKnownSize: completeAt != nil || hasKnownSize,
            archived: request.isArchived, firstScan: isFirstScan)
    }

    /// Whether it holds what a file held that was read up to `position`, and whose bytes before
    /// that are `anchor`. Its head is known to agree.
    ///
    /// A copy that ends before the position has nothing unread; a compressed one is compared when
    /// it is read.
    func continues(
        at position: PhysicalOffset, after anchor: [UInt8]
    ) throws(SystemError) -> Bool {
        guard isPlain, status.end >= position, position > .start, !anchor.isEmpty else {
            return true
        }
        let known = anchor.suffix(position.bytes)
        return try read(count: known.count, at: position - known.count) == Array(known)
    }

    /// Whether its content is the beginning of what `file` holds now.
    func isBeginning(of file: TailedFile) throws(SystemError) -> Bool {
        guard isPlain, status.size > 0 else { return false }
        let source = try file.opened()
        guard try source.descriptor.status().size >= status.size else { return false }
        let start = max(.start, status.end - Anchor.longest)
        let theirs = try source.descriptor.read(count: head.count, at: 0)
        guard theirs == head else { return false }
        return try source.descriptor.read(count: status.end - start, at: start)
            == read(count: status.end - start, at: start)
    }

    /// Whether its content was the beginning of what `other`, a plain file, held when that was
    /// looked at. Where that was truncated since, only their beginnings tell.
    func wasBeginning(of other: Candidate) throws(SystemError) -> Bool {
        guard isPlain, other.isPlain, status.size > 0, status.size <= other.status.size,
            other.head.starts(with: head)
        else { return false }
        guard try other.source.descriptor.status().size >= status.size else { return true }
        let start = max(.start, status.end - Anchor.longest)
        return try other.read(count: status.end - start, at: start)
            == read(count: status.end - start, at: start)
    }
}
