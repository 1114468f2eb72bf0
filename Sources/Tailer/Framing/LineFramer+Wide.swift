import Model
import Platform

/// Lines of UTF-16. Which of a character's two bytes comes first does not have to be known: a
/// newline is `0A 00` or `00 0A`, and in the other order each would be U+0A00, which is no
/// character.
extension LineFramer {
    func frameWide(
        _ chunk: Span<UInt8>, within surroundings: Surroundings, into frames: inout [Frame]
    ) {
        var start = 0
        var continues = surroundings.continuesLine
        while start < chunk.count {
            var skipped: UInt8 = 0
            if surroundings.offset.bytes == 0, start == 0, Self.hasWideMark(chunk) { skipped = 2 }
            let first = start + Int(skipped)
            let newline = Self.wideNewline(
                in: chunk, from: first, isOdd: surroundings.offset.bytes % 2 != 0)
            let end = newline ?? chunk.count
            var count = end - first
            if let newline, count >= 2, Self.isWideReturn(chunk, before: newline) { count -= 2 }
            // A CR, and half a newline, may yet turn out to belong to the line's end.
            if newline == nil, !surroundings.isFinal, count <= maxLine + 3 { return }
            if count > maxLine {
                // Where a line was begun within a character, its next part is not.
                let odd = (surroundings.offset.bytes + first) % 2
                let part = Self.widePart(of: chunk, from: first, longest: maxLine - odd)
                frames.append(
                    Frame(
                        offset: surroundings.offset + start, start: first, count: part,
                        length: Int(skipped) + part, flags: continues ? .continuation : .split,
                        skipped: skipped))
                start = first + part
                continues = true
                continue
            }
            let next = newline == nil ? end : end + 2
            frames.append(
                Frame(
                    offset: surroundings.offset + start, start: first, count: count,
                    length: next - start, flags: continues ? .continuation : .none,
                    skipped: skipped))
            start = next
            continues = false
        }
    }

    private static func hasWideMark(_ chunk: Span<UInt8>) -> Bool {
        chunk.count >= 2
            && (chunk[0] == 0xFF && chunk[1] == 0xFE || chunk[0] == 0xFE && chunk[1] == 0xFF)
    }

    /// The first byte of a newline whose both bytes are there, at an even offset of the file.
    private static func wideNewline(
        in chunk: Span<UInt8>, from start: Int, isOdd: Bool
    ) -> Int? {
        var index = start
        while let found = ByteSearch.newline(in: chunk, from: index) {
            let isFirst = found % 2 == (isOdd ? 1 : 0)
            if isFirst, found + 1 < chunk.count, chunk[found + 1] == 0 { return found }
            if !isFirst, found > start, chunk[found - 1] == 0 { return found - 1 }
            index = found + 1
        }
        return nil
    }

    /// Whether a CR of the newline's own form stands before it.
    private static func isWideReturn(_ chunk: Span<UInt8>, before newline: Int) -> Bool {
        let isLittle = chunk[newline] == UInt8(ascii: "\n")
        let (low, high) = isLittle ? (newline - 2, newline - 1) : (newline - 1, newline - 2)
        return chunk[low] == UInt8(ascii: "\r") && chunk[high] == 0
    }

    /// So many bytes, or two less where they would end within a pair of surrogates.
    private static func widePart(of chunk: Span<UInt8>, from start: Int, longest: Int) -> Int {
        let end = start + longest
        guard longest > 3, end + 1 < chunk.count else { return longest }
        let isLow = chunk[end] & 0xFC == 0xDC || chunk[end + 1] & 0xFC == 0xDC
        return isLow ? longest - 2 : longest
    }

    /// Bytes that are looked back over for a place to cut.
    private static let looked = 1024

    /// So many bytes, or less: behind the last one that is no part of a longer character, unless
    /// that is far.
    static func safePart(of chunk: Span<UInt8>, from start: Int, longest: Int) -> Int {
        var end = start + longest
        let first = max(start + 1, end - looked)
        while end > first {
            if chunk[end - 1] < UInt8(ascii: "0") { return end - start }
            end -= 1
        }
        return longest
    }

    /// Whether the bytes before a position, `before`, do not end a line.
    func continuesLine(after before: [UInt8]) -> Bool {
        guard form == .wide else { return before.last.map { $0 != UInt8(ascii: "\n") } ?? false }
        guard before.count >= 2 else { return !before.isEmpty }
        let end = (before[before.count - 2], before[before.count - 1])
        return end != (UInt8(ascii: "\n"), 0) && end != (0, UInt8(ascii: "\n"))
    }
}
