import Platform

/// What of a file's first bytes was read, as a digest: 16 KiB of them at the most.
///
/// 1. A program in a crash loop truncates its log, and writes its banner and some lines into it.
/// 2. It starts again, and the log gets the size that it had. Its first bytes are the same, and its
///    lines end alike, so the bytes before each of them are the same, too.
struct FirstBytes {
    /// FNV-1a of 32 bits: each file that is read has one.
    private var digest: UInt32 = 0x811C_9DC5
    private var known: UInt16 = 0

    /// Bytes that it is of; none where nothing is known.
    var count: Int { Int(known) }

    static let longest = 16 * 1024

    /// Of a file whose first bytes are these.
    init(_ bytes: [UInt8] = []) { extend(bytes.span, at: 0) }

    /// `chunk` was read from `position`: what is behind a gap is not the file's first bytes.
    mutating func extend(_ chunk: Span<UInt8>, at position: Int) {
        guard position == count, count < Self.longest else { return }
        let more = min(chunk.count, Self.longest - count)
        for index in 0..<more { digest = (digest ^ UInt32(chunk[index])) &* 0x0100_0193 }
        known += UInt16(more)
    }

    /// Not all of them were read, or they are not what they were.
    mutating func cut(to position: Int) { if position < count { self = FirstBytes() } }

    /// Whether an open file begins so.
    func isAt(_ file: borrowing Descriptor) throws(SystemError) -> Bool {
        guard count > 0 else { return true }
        let bytes = try file.read(count: count, at: 0)
        return bytes.count == count && FirstBytes(bytes).digest == digest
    }
}
