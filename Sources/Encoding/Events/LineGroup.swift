import Model
import Platform

/// Lines of one chunk that are an event, or its beginning: nothing of them is kept as long as all
/// of them lie in the chunk, and their text is lent from there.
///
/// Where what stands between two lines is more than a newline (a label, a CR, a byte order mark,
/// what a container's runtime writes), the text is put together in `joined`, whose memory is used
/// again for the next event.
struct LineGroup {
    /// Index of its first frame.
    private(set) var first = 0
    /// None: nothing has begun.
    private(set) var lines = 0
    /// That of all its lines.
    private(set) var channel = Channel.log
    /// Of its first line.
    private(set) var time: Int64?
    /// Those of its first line.
    private(set) var attributes: [UInt8] = []
    /// Where its text lies in the chunk, unless it is in `joined`.
    private(set) var text = 0..<0
    private(set) var isJoined = false
    private(set) var joined: [UInt8] = []

    /// Bytes of its text.
    var count: Int { isJoined ? joined.count : text.count }

    mutating func clear() { lines = 0 }

    /// A line begins it, whose text is there in the chunk.
    mutating func begin(_ frame: Int, _ line: WholeLine, _ text: Range<Int>) {
        first = frame
        lines = 1
        channel = line.channel
        time = line.time
        attributes = line.attributes
        self.text = text
        isJoined = false
    }

    /// Its first line's text is not in the chunk as it is, but this.
    mutating func put(_ decoded: Span<UInt8>) {
        isJoined = true
        joined.removeAll(keepingCapacity: true)
        joined.append(decoded)
    }

    /// Another line, whose text is there in the chunk; behind a newline, or with none between them.
    mutating func append(_ more: Range<Int>, of chunk: Span<UInt8>, isNewLine: Bool) {
        if !isJoined, isNewLine, more.lowerBound == text.upperBound + 1,
            chunk[text.upperBound] == UInt8(ascii: "\n")
        {
            lines += 1
            text = text.lowerBound..<more.upperBound
            return
        }
        append(chunk.extracting(more), of: chunk, isNewLine: isNewLine)
    }

    /// Another line of that text.
    mutating func append(_ more: Span<UInt8>, of chunk: Span<UInt8>, isNewLine: Bool) {
        lines += 1
        if !isJoined { put(chunk.extracting(text)) }
        if isNewLine { joined.append(UInt8(ascii: "\n")) }
        joined.append(more)
    }
}

/// A line in one frame that neither goes on nor is the end of another one.
struct WholeLine {
    let channel: Channel
    /// In milliseconds since 1970, where it says when it was written.
    let time: Int64?
    /// An object of strings that is to stand in the document; none as a rule.
    let attributes: [UInt8]
    /// Where its text is in the line, unless the reader has it decoded.
    let text: Range<Int>
}

extension EventRun {
    /// How far lines were grouped.
    enum Grouped {
        /// The line at `next` begins what is not told here: its event goes on behind the chunk, is
        /// too long, has a line in parts, or one of another channel among its lines. Up to `read`
        /// all was looked at for that.
        case rest(next: Int, read: Int)
        /// The event that begins there needs so many bytes.
        case full(next: Int, needed: Int)
    }

    /// Hands over events from a frame on of which all lines lie in the chunk, one behind the other.
    /// It does what joining them one by one does, without keeping any; no event of their channels
    /// is open. Without `multiline` each line is one.
    func group(
        _ chunk: Span<UInt8>, from start: Int, by multiline: Multiline?,
        as reader: inout EventReader, in group: inout LineGroup, _ events: inout OpenEvents,
        to writer: inout EventWriter
    ) -> Grouped {
        let frames = frames.span
        group.clear()
        var index = start
        while index < frames.count {
            let frame = frames[index]
            guard frame.flags == .none,
                let line = reader.whole(
                    chunk.extracting(frame.start..<frame.start + frame.count)),
                group.lines > 0
                    ? line.channel == group.channel
                    : wants(line.channel) && events.isFresh(line.channel)
            else { break }
            let text = frame.start + line.text.lowerBound..<frame.start + line.text.upperBound
            var place = (begins: false, ends: true)
            var isNewLine = false
            if let multiline {
                place =
                    reader.isDecoded
                    ? multiline.place(of: reader.decoded.span, before: group.lines)
                    : multiline.place(of: chunk.extracting(text), before: group.lines)
                isNewLine = !multiline.skipsNewline
            }
            if place.begins, group.lines > 0 {
                if let needed = hand(group, chunk, &events, to: &writer) {
                    return .full(next: group.first, needed: needed)
                }
                group.clear()
            }
            if group.lines == 0 {
                group.begin(index, line, text)
                if reader.isDecoded { group.put(reader.decoded.span) }
            } else if group.lines >= limits.lines {
                return .rest(next: group.first, read: index + 1)
            } else if reader.isDecoded {
                group.append(reader.decoded.span, of: chunk, isNewLine: isNewLine)
            } else {
                group.append(text, of: chunk, isNewLine: isNewLine)
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
        let most = limits.encoded - EventLine.bytes(of: group.attributes)
        // A byte takes six at the most.
        if group.count <= most / 6 { return true }
        let size =
            group.isJoined
            ? PayloadSlab.jsonStringCount(group.joined.span, limit: limits.encoded +| 1)
            : PayloadSlab.jsonStringCount(
                chunk.extracting(group.text), limit: limits.encoded +| 1)
        return size <= most
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
        events.setLeftOut(group.channel, isLeftOut)
        if isLeftOut { return nil }
        writer.encoder.setTime(group.time)
        writer.encoder.setSource(
            group.channel, group.attributes, isMultiline: group.lines > 1)
        return writer.write(text, of: place, isPart: false)
    }
}
