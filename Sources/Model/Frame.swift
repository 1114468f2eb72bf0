/// One framed line: where it lies in the file, and where its bytes lie in the chunk it was read
/// with.
package struct Frame: Sendable, BitwiseCopyable {
    /// Where the line's first byte lies.
    package var offset: LogicalOffset
    /// Index of the first message byte in the chunk.
    package var start: Int
    /// Message bytes: without the newline, without a CR before it, without a byte order mark.
    package var count: Int
    /// How far the position moves when this line is done with: the line with its terminator.
    package var length: Int
    /// `split` for each part of a line that was too long for one record.
    package var flags: Flags
    /// Bytes between `offset` and the first message byte: those of a byte order mark.
    package var skipped: UInt8

    /// Where the first message byte lies.
    package var messageOffset: LogicalOffset { offset + Int(skipped) }

    /// How the line was cut, as far as a reader of the record has to know.
    package struct Flags: OptionSet, Sendable, BitwiseCopyable {
        package let rawValue: UInt8
        /// The message is not in the file as it is, so that its bytes are not those of `length`.
        @inlinable package static var decoded: Flags { Flags(rawValue: 4) }

        /// Of one that is `decoded` and `split`: more of its line comes in the next frame.
        @inlinable package static var open: Flags { Flags(rawValue: 8) }

        @inlinable package init(rawValue: UInt8) { self.rawValue = rawValue }

        /// No flag. A literal `[]` is a call through generic code of the standard library: 80 ns,
        /// which is more than all else that framing a line costs.
        @inlinable package static var none: Flags { Flags(rawValue: 0) }

        /// A part of a line that was longer than `max_line`; the parts follow each other.
        @inlinable package static var split: Flags { Flags(rawValue: 1) }

        /// As `split`, and not the line's first part.
        @inlinable package static var continuation: Flags { Flags(rawValue: 3) }
    }

    @inlinable package init(
        offset: LogicalOffset, start: Int, count: Int, length: Int, flags: Flags, skipped: UInt8 = 0
    ) {
        self.offset = offset
        self.start = start
        self.count = count
        self.length = length
        self.flags = flags
        self.skipped = skipped
    }
}
