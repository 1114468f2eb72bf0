import Model
import Platform

/// The reader's one buffer, with a memory of what is in it: when only a part of a chunk could be
/// handed over for want of credit, the rest is not read from the file again.
final class ChunkBuffer {
    /// Bytes that one read asks for.
    static let readSize = 256 * 1024

    /// Bytes that a kernel copies from a file without a look at whether it was truncated meanwhile.
    private static let atOnce = 4096
    /// Bytes of a compressed file, compressed or not, that one turn goes through: some 10 ms of
    /// work with gzip, 40 with bzip2. What a file of few bytes holds that becomes as many as one
    /// likes, or of many that become none, is gone through in as many turns as it takes, and others
    /// have theirs between.
    private static let unpackedAtOnce = 1 << 20

    private var bytes: [UInt8]
    /// Which file's bytes these are; nil when none. Its id would not do: a copy takes over that of
    /// the file whose content it has, as far as it has it. Not weak, which would take 48 bytes of
    /// every file that was ever read: a file that is done with stays until the next one is read.
    private var owner: TailedFile?
    /// And of which of its contents.
    private var ownerRestarts = 0
    /// Logical offset of `bytes[0]`.
    private var offset = LogicalOffset(0)
    private var count = 0
    /// The last bytes lent were newly read, so reading again gives no more.
    private(set) var isFresh = false

    /// Big enough that a line of `maxLine` bytes with its terminator and a byte order mark fits.
    init(maxLine: Int) {
        bytes = [UInt8](repeating: 0, count: max(Self.readSize, maxLine + 8) + Anchor.longest)
    }

    /// The outcome of loading a file's bytes.
    enum Load {
        case done
        /// A compressed file is being unpacked up to its position: to be called again.
        case underWay
        /// A compressed file ends before its position.
        case endsEarly
        /// The file's content is not the one that was read.
        case replaced
    }

    /// Makes sure that bytes of `file` from its position on are here: those that are, or with
    /// `refill` and where there are none, newly read ones up to the logical offset `limit`.
    ///
    /// The bytes before the position, or before anything was read those that the file began with,
    /// are read along with the rest, so that a file that was truncated and has grown again is never
    /// read on.
    func load(_ file: TailedFile, refill: Bool, limit: LogicalOffset) throws(SystemError) -> Load {
        let isHere =
            owner === file && ownerRestarts == file.content.restarts
            && file.position >= offset && file.position < offset + count
        isFresh = !isHere || refill
        guard isFresh else { return .done }
        owner = nil
        let anchor = file.anchor
        let start = file.position - anchor.count
        let wanted = min(bytes.count, limit - start)
        let source = try file.opened()
        if let packed = file.packed {
            let read = try packed.read(
                into: &bytes, count: wanted, at: file.base.physical(start).bytes,
                budget: Self.unpackedAtOnce,
                in: source.descriptor)
            file.updatePackedSize()
            guard let read else { return .underWay }
            if PhysicalOffset(packed.size) < file.physicalPosition {
                // Until it is final, more of it is waited for.
                return packed.isAtEnd ? .endsEarly : .underWay
            }
            count = read
        } else if wanted < bytes.count {
            let read = try source.descriptor.read(count: wanted, at: file.base.physical(start))
            bytes.replaceSubrange(0..<read.count, with: read)
            count = read.count
        } else {
            count = try source.descriptor.read(into: &bytes, at: file.base.physical(start))
        }
        guard count >= anchor.count, bytes[0..<anchor.count] == anchor[...] else {
            return .replaced
        }
        // 1. The size of a file is asked: 2,500 bytes.
        // 2. It is truncated, and filled with 60.
        // 3. Its beginning is asked, or it is read at once: that is the new content's.
        // 4. The next look finds it shorter than it was, and it would be read once more.
        if file.packed == nil, count < min(wanted, file.size - start) {
            let size = try source.descriptor.status().end
            if file.base.logical(size) < file.size { return .replaced }
        }
        let head = file.expectedHead
        if !head.isEmpty {
            let known = min(head.count, wanted)
            guard count >= known, bytes[0..<known] == head[..<known] else { return .replaced }
        }
        // 1. The anchor was read, and then the file was truncated.
        // 2. A writer that does not append wrote on at its old place before the rest was read.
        // 3. The rest is zeros.
        if count > Self.atOnce, file.packed == nil, !anchor.isEmpty {
            guard try source.descriptor.holds(anchor.span, at: file.base.physical(start)) else {
                return .replaced
            }
        }
        if file.packed == nil, !(try file.content.beginning.isAt(source.descriptor)) {
            return .replaced
        }
        file.sawIntact()
        offset = start
        owner = file
        ownerRestarts = file.content.restarts
        return .done
    }

    /// Lends what `load` made sure of.
    func withBytes<R>(of file: TailedFile, _ body: (Span<UInt8>) -> R) -> R {
        let start = file.position - offset
        let lent = bytes
        return body(lent.span.extracting(start..<count))
    }

    /// Forgets the bytes: the file's content is no longer what it was.
    func forget() { owner = nil }
}
