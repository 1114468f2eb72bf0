import Model
import Platform

/// Lines of one chunk that are an event, or its beginning: nothing of them is kept as long as all
/// of them lie in the chunk, and their text is lent from there.
///
/// Where what stands between two lines is more than a newline (a label, a CR, a byte order mark),
/// the text is put together in `joined`, whose memory is used again for the next event.
struct LineGroup {
    /// Index of its first frame.
    private(set) var first = 0
    /// None: nothing has begun.
    private(set) var lines = 0
    /// Of its first line.
    private(set) var time: Int64?
    /// Where its text lies in the chunk, unless it is in `joined`.
    private(set) var text = 0..<0
    private(set) var isJoined = false
    private(set) var joined: [UInt8] = []

    /// Bytes of its text.
    var count: Int { isJoined ? joined.count : text.count }

    mutating func clear() { lines = 0 }

    /// A line begins it, whose text is there in the chunk.
    mutating func begin(_ frame: Int, _ text: Range<Int>, time: Int64?) {
        first = frame
        lines = 1
        self.time = time
        self.text = text
        isJoined = false
    }

    /// Another line, whose text is there in the chunk; behind a newline, or with none between them.
    mutating func append(_ more: Range<Int>, of chunk: Span<UInt8>, isNewLine: Bool) {
        lines += 1
        if !isJoined {
            if isNewLine, more.lowerBound == text.upperBound + 1,
                chunk[text.upperBound] == UInt8(ascii: "\n")
            {
                text = text.lowerBound..<more.upperBound
                return
            }
            isJoined = true
            joined.removeAll(keepingCapacity: true)
            joined.append(chunk.extracting(text))
        }
        if isNewLine { joined.append(UInt8(ascii: "\n")) }
        joined.append(chunk.extracting(more))
    }
}

extension EventRun {
    /// How far lines were grouped.
    enum Grouped {
        /// The line at `next` begins what is not told here: its event goes on behind the chunk, is
        /// too long, or has a line in parts. Up to `read` all was looked at for that.
        case rest(next: Int, read: Int)
        /// The event that begins there needs so many bytes.
        case full(next: Int, needed: Int)
    }

    /// Hands over events from a frame on of which all lines lie in the chunk. It does what joining
    /// them one by one does, without keeping any; no event is open.
    func group(
        _ chunk: Span<UInt8>, from start: Int, by multiline: Multiline,
        as reader: inout EventReader, in group: inout LineGroup, _ events: inout OpenEvents,
        to writer: inout EventWriter
    ) -> Grouped {
        let frames = frames.span
        group.clear()
        var index = start
        while index < frames.count {
            let frame = frames[index]
            guard frame.flags == .none else { break }
            let line = chunk.extracting(frame.start..<frame.start + frame.count)
            let label = reader.label(of: line)
            let text = frame.start + (label?.length ?? 0)..<frame.start + frame.count
            let place = multiline.place(of: chunk.extracting(text), before: group.lines)
            if place.begins, group.lines > 0 {
                if let needed = hand(group, chunk, &events, to: &writer) {
                    return .full(next: group.first, needed: needed)
                }
                group.clear()
            }
            if group.lines == 0 {
                group.begin(index, text, time: label?.milliseconds)
            } else if group.lines < limits.lines {
                group.append(text, of: chunk, isNewLine: !multiline.skipsNewline)
            } else {
                return .rest(next: group.first, read: index + 1)
            }
            guard fits(group, chunk) else { return .rest(next: group.first, read: index + 1) }
            index += 1
            if place.ends {
                if let needed = hand(group, chunk, &events, to: &writer) {
                    return .full(next: group.first, needed: needed)
                }
                group.clear()
            }
        }
        return .rest(next: group.lines > 0 ? group.first : index, read: index + 1)
    }

    /// Whether it is no longer than an event may be.
    private func fits(_ group: LineGroup, _ chunk: Span<UInt8>) -> Bool {
        guard group.count <= limits.bytes else { return false }
        // A byte takes six at the most.
        if group.count <= limits.encoded / 6 { return true }
        let size =
            group.isJoined
            ? PayloadSlab.jsonStringCount(group.joined.span, limit: limits.encoded +| 1)
            : PayloadSlab.jsonStringCount(
                chunk.extracting(group.text), limit: limits.encoded +| 1)
        return size <= limits.encoded
    }

    private func hand(
        _ group: LineGroup, _ chunk: Span<UInt8>, _ events: inout OpenEvents,
        to writer: inout EventWriter
    ) -> Int? {
        let place = frames[group.first].offset
        if group.isJoined {
            return hand(group.joined.span, group, at: place, &events, to: &writer)
        }
        return hand(chunk.extracting(group.text), group, at: place, &events, to: &writer)
    }

    private func hand(
        _ text: Span<UInt8>, _ group: LineGroup, at place: LogicalOffset,
        _ events: inout OpenEvents, to writer: inout EventWriter
    ) -> Int? {
        if text.isEmpty, !keepsEmptyLines { return nil }
        let isLeftOut = writer.leavesOut(text, time: group.time)
        events.setLeftOut(.log, isLeftOut)
        if isLeftOut { return nil }
        writer.encoder.setTime(group.time)
        writer.encoder.setSource(.log, isMultiline: group.lines > 1)
        return writer.write(text, of: place, isPart: false)
    }
}
