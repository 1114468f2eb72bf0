package import Model
import Platform

/// Cuts a chunk of a file into lines. Only a newline ends a line: an end of file in the middle of
/// one is nothing, because a writer's page boundaries show through.
package struct LineFramer: Sendable {
    /// Bytes of a message at the most.
    package let maxLine: Int
    /// How a newline is bytes.
    package let form: LineForm

    /// A limit below 1 is a mistake of ours and stops the process.
    package init(maxLine: Int, form: LineForm = .ascii) {
        precondition(maxLine > 0, "a line of at most \(maxLine) bytes")
        self.maxLine = form == .wide ? max(2, maxLine / 2 * 2) : maxLine
        self.form = form
    }

    /// Where a chunk lies in its file, and what is known of the bytes before and after it.
    package struct Surroundings: Sendable {
        /// Where the chunk's first byte lies.
        package var offset: LogicalOffset
        /// The chunk starts inside a line of which earlier parts were shipped.
        package var continuesLine: Bool
        /// Nothing will ever follow the chunk: what has no newline is a line as well.
        package var isFinal: Bool
        /// A line may begin with a zero, because there is no hole in the chunk. Of its first line
        /// that is known in any case.
        package var hasText: Bool

        package init(
            offset: LogicalOffset, continuesLine: Bool, isFinal: Bool, hasText: Bool = false
        ) {
            self.offset = offset
            self.continuesLine = continuesLine
            self.isFinal = isFinal
            self.hasText = hasText
        }
    }

    /// Replaces `frames` by the lines of `chunk`, in order and without a gap. What is left over at
    /// the end is the beginning of a line that has not ended yet, or zeros that may be a hole.
    package func frame(
        _ chunk: Span<UInt8>, within surroundings: Surroundings, into frames: inout [Frame]
    ) {
        frames.removeAll(keepingCapacity: true)
        if form == .wide { return frameWide(chunk, within: surroundings, into: &frames) }
        var start = 0
        var continues = surroundings.continuesLine
        while start < chunk.count {
            if start > 0, chunk[start] == 0, !surroundings.hasText { return }
            var skipped: UInt8 = 0
            if surroundings.offset.bytes == 0 && start == 0 { skipped = Self.byteOrderMark(chunk) }
            let first = start + Int(skipped)
            let newline = ByteSearch.newline(in: chunk, from: first)
            let end = newline ?? chunk.count
            var count = end - first
            if newline != nil, count > 0, chunk[end - 1] == UInt8(ascii: "\r") { count -= 1 }
            if newline == nil && !surroundings.isFinal {
                // A CR may yet turn out to belong to the line's end.
                let open = count > 0 && chunk[end - 1] == UInt8(ascii: "\r") ? count - 1 : count
                if open <= maxLine { return }
            }
            if count > maxLine {
                let part =
                    form == .longCharacters
                    ? Self.safePart(of: chunk, from: first, longest: maxLine)
                    : Self.part(of: chunk, from: first, longest: maxLine)
                frames.append(
                    Frame(
                        offset: surroundings.offset + start, start: first, count: part,
                        length: Int(skipped) + part, flags: continues ? .continuation : .split,
                        skipped: skipped))
                start = first + part
                continues = true
                continue
            }
            frames.append(
                Frame(
                    offset: surroundings.offset + start, start: first, count: count,
                    length: (newline == nil ? end : end + 1) - start,
                    flags: continues ? .continuation : .none, skipped: skipped))
            start = newline == nil ? end : end + 1
            continues = false
        }
    }

    /// The first `longest` bytes or a little less, so that no UTF-8 character is cut in two.
    private static func part(of chunk: Span<UInt8>, from start: Int, longest: Int) -> Int {
        var end = start + longest
        var back = 0
        while back < 3, end > start + 1, chunk[end] & 0xC0 == 0x80 {
            end -= 1
            back += 1
        }
        // Three continuation bytes without a head are no UTF-8: cut where the limit says.
        return chunk[end] & 0xC0 == 0x80 ? longest : end - start
    }

    private static func byteOrderMark(_ chunk: Span<UInt8>) -> UInt8 {
        chunk.count >= 3 && chunk[0] == 0xEF && chunk[1] == 0xBB && chunk[2] == 0xBF ? 3 : 0
    }
}
