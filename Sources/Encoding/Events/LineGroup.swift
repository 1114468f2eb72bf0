import Model
import Platform

/// Lines of one chunk that are an event, or its beginning: nothing of them is kept as long as all
/// of them lie in the chunk, and their text is lent from there.
///
/// Where what stands between two lines is more than a newline (a label, a CR, a byte order mark),
/// the text is put together in `joined`, whose memory is used again for the next event. All lines
/// are of one channel: where a container's two are mixed, they are joined one by one.
struct LineGroup {
    /// Index of its first frame.
    private(set) var first = 0
    /// None: nothing has begun.
    private(set) var lines = 0
    private(set) var channel = Channel.log
    /// Lines of the channel that nobody wants, between its own.
    var leftOut = 0
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
    mutating func begin(_ frame: Int, _ text: Range<Int>, of line: EventReader.Whole) {
        first = frame
        lines = 1
        leftOut = 0
        channel = line.channel
        time = line.time
        self.text = text
        isJoined = false
    }

    /// The same of a line whose text is not there as it is.
    mutating func begin(_ frame: Int, decoded text: Span<UInt8>, of line: EventReader.Whole) {
        begin(frame, 0..<0, of: line)
        isJoined = true
        joined.removeAll(keepingCapacity: true)
        joined.append(text)
    }

    /// Another line, whose text is not there as it is.
    mutating func append(
        decoded more: Span<UInt8>, of chunk: Span<UInt8>, isNewLine: Bool
    ) {
        lines += 1
        join(chunk)
        if isNewLine { joined.append(UInt8(ascii: "\n")) }
        joined.append(more)
    }

    private mutating func join(_ chunk: Span<UInt8>) {
        guard !isJoined else { return }
        isJoined = true
        joined.removeAll(keepingCapacity: true)
        joined.append(chunk.extracting(text))
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
            join(chunk)
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
            guard let whole = reader.whole(line) else { break }
            if let channel, whole.channel != channel {
                if group.lines > 0 { group.leftOut += 1 } else { writer.noteLeftOut() }
                index += 1
                continue
            }
            if group.lines > 0, whole.channel != group.channel { break }
            let text = frame.start + whole.text.lowerBound..<frame.start + whole.text.upperBound
            let decoded = whole.isDecoded ? reader.decoded : []
            let place =
                whole.isDecoded
                ? multiline.place(of: decoded.span, before: group.lines)
                : multiline.place(of: chunk.extracting(text), before: group.lines)
            if place.begins, group.lines > 0 {
                if let needed = hand(group, chunk, &events, to: &writer) {
                    return .full(next: group.first, needed: needed)
                }
                group.clear()
            }
            if group.lines == 0, whole.isDecoded {
                group.begin(index, decoded: decoded.span, of: whole)
            } else if group.lines == 0 {
                group.begin(index, text, of: whole)
            } else if group.lines < limits.lines, whole.isDecoded {
                group.append(
                    decoded: decoded.span, of: chunk, isNewLine: !multiline.skipsNewline)
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
        if !text.isEmpty || keepsEmptyLines {
            let isLeftOut = writer.leavesOut(text, time: group.time)
            events.setLeftOut(group.channel, isLeftOut)
            if !isLeftOut {
                writer.encoder.setTime(group.time)
                writer.encoder.setSource(group.channel, isMultiline: group.lines > 1)
                if let needed = writer.write(text, of: place, isPart: false) { return needed }
            }
        }
        for _ in 0..<group.leftOut { writer.noteLeftOut() }
        return nil
    }
}
