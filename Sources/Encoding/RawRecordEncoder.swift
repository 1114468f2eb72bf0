import Model
import Platform

/// Writes the bytes of lines as they are, without their ends.
struct RawRecordEncoder: LineEncoder {
    let longestPart: Int

    /// The value has no time.
    func setTime(_ milliseconds: Int64?) {}

    /// Nor anything else that is not the line's.
    func setUndecided(_ isUndecided: Bool) {}

    /// It is the line, whatever that is.
    var isUndecoded: Bool { false }

    func encode(
        _ message: Span<UInt8>, offset: Int, isPart: Bool, into slab: PayloadSlab, room: Int
    ) -> LinePart {
        let count = cut(message)
        guard count <= room else { return .full }
        slab.append(message.extracting(0..<count))
        return .encoded(count)
    }

    func size(of message: Span<UInt8>) -> Int { cut(message) }

    /// Bytes of the next record: all, or as many whole characters as one may have.
    private func cut(_ message: Span<UInt8>) -> Int {
        if message.count <= longestPart { return message.count }
        return ByteSearch.boundary(in: message, upTo: longestPart)
    }
}
