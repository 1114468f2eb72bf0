package import Model
package import Platform

/// Makes UTF-8 of the lines of one chunk after the other, as frames of a chunk of its own. These
/// lie in the file where the lines do. Its memory is used again; one thread at a time.
///
/// A line that is too long for one record comes in parts as short as records are, each of whole
/// characters: where they begin in the file is known for the beginning of a frame alone. That hangs
/// on the line and the longest record, so after a restart the same parts come out.
package struct LineDecoder {
    /// The text of all frames, one behind the other.
    package private(set) var text: [UInt8] = []
    /// Those of the lines that were decoded last.
    package private(set) var frames: [Frame] = []

    /// Bytes of text from which on no more lines are decoded: where there is little credit, the
    /// rest of a long chunk would be decoded again each time.
    private static let mostText = 64 * 1024

    package init() {}

    /// Decodes the first of `lines`, of `chunk`, at least one. `longest`: bytes of text of one
    /// part. False where the system has lost its converter.
    package mutating func decode(
        _ lines: [Frame], of chunk: Span<UInt8>, from encoding: TextEncoding, longest: Int,
        codec: RecordCodec
    ) -> Bool {
        text.removeAll(keepingCapacity: true)
        frames.removeAll(keepingCapacity: true)
        guard let decoder = TextDecoder(encoding) else { return false }
        for line in lines where text.count < Self.mostText {
            let bytes = chunk.extracting(line.start..<line.start + line.count)
            // The second half of a newline, where a line was looked for by its first one.
            let isTorn = encoding.isWide && line.messageOffset.bytes % 2 == 1 && !bytes.isEmpty
            let from = isTorn ? 1 : 0
            let whole = bytes.extracting(from..<bytes.count)
            let start = text.count
            let most = max(64, longest)
            var read = decoder.decode(whole, room: most, into: &text)
            if read == whole.count, fits(from: start, most) {
                add(line, start, flags: line.flags)
                continue
            }
            text.removeLast(text.count - start)
            // A byte takes six in a record at the most.
            let part = max(64, most / 6)
            var done = 0
            while done < whole.count {
                let start = text.count
                let rest = whole.extracting(done..<whole.count)
                read = max(1, decoder.decode(rest, room: part, into: &text))
                add(line, start, done == 0 ? 0 : from + done, from + done + read)
                done += read
            }
        }
        if codec == .raw { replaceInvalid() }
        return true
    }

    private func fits(from start: Int, _ most: Int) -> Bool {
        let count = text.count - start
        if count <= most / 6 { return true }
        return PayloadSlab.jsonStringCount(
            text.span.extracting(start..<text.count), limit: most + 1) <= most
    }

    private mutating func add(_ line: Frame, _ start: Int, flags: Frame.Flags) {
        var flags = flags
        if flags.contains(.split) {
            flags.insert(.decoded)
            if line.isCut { flags.insert(.open) }
        }
        frames.append(
            Frame(
                offset: line.offset, start: start, count: text.count - start,
                length: line.length, flags: flags, skipped: line.skipped))
    }

    /// A part of a line: from the byte `begin` of its message to `end`.
    private mutating func add(_ line: Frame, _ start: Int, _ begin: Int, _ end: Int) {
        let isLast = end == line.count
        var flags: Frame.Flags =
            begin == 0 && !line.flags.contains(.continuation)
            ? .split : .continuation
        flags.insert(.decoded)
        if !isLast || line.isCut { flags.insert(.open) }
        let offset = begin == 0 ? line.offset : line.messageOffset + begin
        let next = isLast ? line.offset + line.length : line.messageOffset + end
        frames.append(
            Frame(
                offset: offset, start: start, count: text.count - start, length: next - offset,
                flags: flags, skipped: begin == 0 ? line.skipped : 0))
    }

    /// A raw value has nobody who would do that later.
    private mutating func replaceInvalid() {
        guard text.contains(0xFF) else { return }
        var replaced: [UInt8] = []
        for index in frames.indices {
            let frame = frames[index]
            let start = replaced.count
            for byte in text[frame.start..<frame.start + frame.count] {
                if byte == 0xFF {
                    replaced.append(contentsOf: [0xEF, 0xBF, 0xBD])
                } else {
                    replaced.append(byte)
                }
            }
            frames[index].start = start
            frames[index].count = replaced.count - start
        }
        text = replaced
    }
}
