package import Model
import Platform

extension Frame {
    /// The terminated lines of `bytes`, which stand at `offset` in their file; a CR before a
    /// newline is left out.
    package static func lines(of bytes: [UInt8], at offset: LogicalOffset = 0) -> [Frame] {
        var frames: [Frame] = []
        var start = 0
        while let end = ByteSearch.newline(in: bytes.span, from: start) {
            let cr = end > start && bytes[end - 1] == 0x0D
            frames.append(
                Frame(
                    offset: offset + start, start: start, count: end - start - (cr ? 1 : 0),
                    length: end - start + 1, flags: .none))
            start = end + 1
        }
        return frames
    }
}
