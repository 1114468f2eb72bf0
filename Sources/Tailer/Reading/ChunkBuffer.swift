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
        bytes = [UInt8](repeating: 0, count: max(Self.readSize, maxLine + 8))
    }

    /// Lends the bytes of `file` from its position on: those that are here, or else newly read.
    /// `limit` is the logical offset not to read past.
    func withBytes<R>(
        of file: TailedFile, refill: Bool, limit: Int, _ body: (Span<UInt8>) -> R
    ) throws(SystemError) -> R {
        let have = offset + count - file.position
        let isHere = self.file == file.id && file.position >= offset && have > 0
        isFresh = !isHere || refill
        if isFresh {
            self.file = nil
            let wanted = min(bytes.count, limit - file.position)
            if wanted < bytes.count {
                let read = try file.descriptor.read(
                    count: wanted, at: file.position - file.base)
                bytes.replaceSubrange(0..<read.count, with: read)
                count = read.count
            } else {
                count = try file.descriptor.read(into: &bytes, at: file.position - file.base)
            }
            offset = file.position
            self.file = file.id
        }
        let start = file.position - offset
        let lent = bytes
        return body(lent.span.extracting(start..<count))
    }

    /// Forgets the bytes: the file's content is no longer what it was.
    func forget() { file = nil }
}
