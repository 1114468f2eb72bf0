package import Model

/// A place in a run of frames: before one of them, or between two parts of its message.
package struct FramePosition: Hashable, Sendable {
    /// Index of the frame; the number of frames when all are done with.
    package let frame: Int
    /// Bytes of its message that are done with, its label's among them; above 0 only between two
    /// parts of a line that was too long for one record.
    package let byte: Int

    package init(frame: Int, byte: Int) {
        self.frame = frame
        self.byte = byte
    }

    /// Before the first byte of the first frame.
    package static let start = FramePosition(frame: 0, byte: 0)

    /// Where this is in the file: what is before it in the file is done with, and a reader
    /// that starts again there goes on with the same records. Nil for a run without frames.
    package func offset(in frames: [Frame]) -> LogicalOffset? {
        if byte > 0 { return frames[frame].messageOffset + byte }
        if frame < frames.count { return frames[frame].offset }
        return frames.last.map { $0.offset + $0.length }
    }
}
