import Model
import Platform

/// The reader's one buffer, with a memory of what is in it: when only a part of a chunk could be
/// handed over for want of credit, the rest is not read from the file again.
final class ChunkBuffer {
    /// What one read asks for.
    static let readSize = 256 * 1024

    private var bytes: [UInt8]
    /// Which file's bytes these are; nil when none.
    private var file: FileID?
    /// Logical offset of `bytes[0]`.
    private var offset = 0
    private var count = 0
    /// The last bytes lent were newly read, so reading again gives no more.
    private(set) var isFresh = false

    /// Big enough that a line of `maxLine` bytes with its terminator and a byte order mark fits.
    init(maxLine: Int) {
        bytes = [UInt8](repeating: 0, count: max(Self.readSize, maxLine + 8) + Anchor.longest)
    }

    /// Makes sure that bytes of `file` from its position on are here: those that are, or with `refill`
    /// and where there are none, newly read ones up to the logical offset `limit`.
    ///
    /// False when the bytes before the position are no longer what they were: they are read along
    /// with the rest, so that a file that was truncated and has grown again is never read on.
    func load(_ file: TailedFile, refill: Bool, limit: Int) throws(SystemError) -> Bool {
        let isHere =
            self.file == file.id && file.position >= offset && file.position < offset + count
        isFresh = !isHere || refill
        guard isFresh else { return true }
        self.file = nil
        let anchor = file.anchor
        let start = file.position - anchor.count
        let wanted = min(bytes.count, limit - start)
        if wanted < bytes.count {
            let read = try file.descriptor.read(count: wanted, at: start - file.base)
            bytes.replaceSubrange(0..<read.count, with: read)
            count = read.count
        } else {
            count = try file.descriptor.read(into: &bytes, at: start - file.base)
        }
        guard count >= anchor.count, bytes[0..<anchor.count] == anchor[...] else { return false }
        offset = start
        self.file = file.id
        return true
    }

    /// Lends what `load` made sure of.
    func withBytes<R>(of file: TailedFile, _ body: (Span<UInt8>) -> R) -> R {
        let start = file.position - offset
        let lent = bytes
        return body(lent.span.extracting(start..<count))
    }

    /// Forgets the bytes: the file's content is no longer what it was.
    func forget() { file = nil }
}
