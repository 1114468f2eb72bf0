package import Model
package import Platform

/// Turns the lines of one file into records of a slab. Sendable, without state of its own; the
/// reader thread uses it.
///
/// Cutting a line that is too long for one record depends on nothing but the line, the longest
/// record and the size of the envelope in whole kilobytes, never on the room there is: after a
/// restart the same parts come out, with the same ids, though the file may have been renamed. Where
/// a part begins is all that the next one hangs on (`EncodingProgress.isCut`).
package struct RecordEncoder: Sendable {
    private let codec: RecordCodec
    private let template: RecordTemplate
    /// Cut off and made a document's time.
    private let labels: LabelFormat?
    /// What lines may begin with, though it stays there.
    private let times: LabelFormat?
    private let longestPart: Int
    private let keepsEmptyLines: Bool
    /// Nil where they ask for nothing.
    private let rules: LineRules?
    private let container: ContainerFormat?
    private let multiline: Multiline?
    /// Nil where lines are no members of documents.
    private let fields: JSONFields?
    private let own: OwnKeys?
    /// How long events may become, where lines are joined.
    package let limits: EventJoiner.Limits

    /// Least bytes of message that a record must leave room for.
    package static let leastPart = 64
    private static let step = 1024

    /// `longestRecord` in bytes of value. Throws when it is hardly longer than the envelope alone.
    ///
    /// `labels` are those that lines may begin with: cut off and made the document's time. Nil
    /// where lines have none. A raw value keeps its label whatever it is, because it is the line as
    /// it is; rules look behind it all the same. `container` is how a container runtime wrote
    /// them, if one did, and `longestMessage` the bytes that lines are joined to at most then; a
    /// raw value is never joined.
    package init(
        codec: RecordCodec, template: RecordTemplate, path: String, longestRecord: Int,
        keepsEmptyLines: Bool, labels: LabelFormat? = nil, rules: LineRules = LineRules(),
        container: ContainerFormat? = nil, multiline: Multiline? = nil,
        fields: JSONFields? = nil, channel: Channel? = nil, longestMessage: Int = .max
    ) throws(EncodingError) {
        // What is no container's has no streams, and is not left out.
        self.channel = container == nil ? nil : channel
        var envelope = codec == .json ? template.envelope : 0
        if codec == .json, !rules.isEmpty { envelope += RecordFlags.longestOfRules }
        if codec == .json, container != nil || multiline != nil {
            envelope += JSONRecordEncoder.longestSource
        }
        self.fields = codec == .json ? fields : nil
        if self.fields != nil { envelope += JSONRecordEncoder.longestOfFields }
        own = self.fields.map { _ in template.ownKeys(haveSource: container != nil) }
        let rounded = (envelope + Self.step - 1) / Self.step * Self.step
        // A record that is short itself cannot give whole kilobytes away.
        let reserved = longestRecord >= 8 * rounded ? rounded : envelope
        guard longestRecord - reserved >= Self.leastPart else {
            throw EncodingError(path: path, envelope: envelope, longestRecord: longestRecord)
        }
        self.codec = codec
        self.template = template
        self.labels = codec == .json || !rules.isEmpty ? labels : nil
        times = labels
        self.longestPart = longestRecord - reserved
        self.keepsEmptyLines = keepsEmptyLines
        self.rules = rules.isEmpty ? nil : rules
        self.container = codec == .json ? container : nil
        self.multiline = codec == .json ? multiline : nil
        var limits = EventJoiner.Limits(bytes: max(1, longestMessage), encoded: longestPart)
        if let multiline {
            limits.lines = multiline.mostLines
            limits.silence = multiline.silence
            limits.age = max(limits.age, multiline.silence)
        }
        self.limits = limits
    }

    /// Bytes of text that surely are one record, though nothing of them is split.
    package var longestText: Int {
        let text = longestPart / 4 * 3
        return joins ? min(text, limits.bytes) : text
    }

    /// The lines of which stream of a container become records; nil: all.
    private let channel: Channel?

    /// Its lines are joined to events: `encodeEvents` is to be called.
    package var joins: Bool { container != nil || multiline != nil }

    /// Bytes of a slab that so many lines take as a rule, and of what each record costs elsewhere:
    /// more of them only where far more is escaped than in any log that people read.
    package func expectedSize(lines: Int, bytes: Int, overhead: Int) -> Int {
        let envelope = codec == .json ? template.envelope : 0
        return bytes + bytes / 4 + lines * (envelope + overhead)
    }

    /// The time of the line that `frame` of `chunk` is, or is a part of, as its document has it, in
    /// milliseconds since 1970; also where there is no document.
    package func time(
        of frame: Frame, in chunk: Span<UInt8>, readTime: Int64, lineTime: Int64?
    ) -> Int64 {
        var time: Int64?
        if let times {
            var reader = LabelReader(times)
            time =
                frame.flags.contains(.continuation)
                ? lineTime
                : reader.label(of: chunk.extracting(frame.start..<frame.start + frame.count))?
                    .milliseconds
        }
        return time ?? Timestamp(nanoseconds: readTime).milliseconds
    }

    /// Encodes lines of `frames` from `start` on, whose bytes lie in `chunk`, until all are done or
    /// the next record would make the slab longer than `limit` bytes. The end of each record in the
    /// slab is appended to `ends`, and where in the file it begins to `offsets`, counted from where
    /// `start` is. `readTime` in nanoseconds since 1970.
    ///
    /// `overhead` are bytes that each record costs elsewhere and that count towards `limit`, though
    /// they are not in the slab.
    ///
    /// `lineTime` is that of the encoding that went before, for a first frame that goes on with its
    /// last line; nil where that is not known. So is `leavesLineOut`, false where it is not known.
    ///
    /// A line of a time from `until` on, milliseconds since 1970, ends it, too.
    ///
    /// A slab may come back with no record in it although frames were done with: empty lines, and
    /// those that rules leave out.
    package func encode(
        _ frames: [Frame], from start: FramePosition, of chunk: Span<UInt8>, readTime: Int64,
        lineTime: Int64? = nil, leavesLineOut: Bool = false, until: Int64 = .max,
        into slab: PayloadSlab, limit: Int,
        overhead: Int = 0, ends: inout [UInt32], offsets: inout [UInt32]
    ) -> EncodingProgress {
        precondition(slab.capacity <= Int(UInt32.max), "a slab too large for 32-bit record ends")
        let run = LineRun(
            frames: frames, start: start, limit: min(limit, slab.capacity), overhead: overhead,
            keepsEmptyLines: keepsEmptyLines, labels: until == .max ? labels : times,
            cutsLabels: codec == .json, lineTime: lineTime, leavesLineOut: leavesLineOut,
            rules: rules, fields: fields, until: until,
            now: Timestamp(nanoseconds: readTime).milliseconds)
        switch codec {
        case .json:
            let time = Timestamp(nanoseconds: readTime)
            let encoder = JSONRecordEncoder(
                template: template, readTime: time, longestPart: longestPart,
                hasRules: rules != nil, fields: writer(now: run.now))
            return run.encode(
                by: encoder, of: chunk, into: slab, ends: &ends, offsets: &offsets)
        case .raw:
            let encoder = RawRecordEncoder(longestPart: longestPart)
            return run.encode(
                by: encoder, of: chunk, into: slab, ends: &ends, offsets: &offsets)
        }
    }
}

/// The outcome of encoding an open event by itself.
package enum OpenEventPart: Hashable, Sendable {
    /// Its records are in the slab; what rules did.
    case encoded(LineCounts)
    /// Nothing is: its slab has to be that long.
    case full(needed: Int)
}

extension RecordEncoder {
    /// Joins lines of `frames` to events, from index `start` on, and encodes these, until
    /// all are done or kept in `events`, or the next record would make the slab longer than
    /// `limit` bytes. The frames are of this generation of the file; `origin` is where offsets
    /// are counted from, at or before everything that is open in it. All else as for `encode`.
    package func encodeEvents(
        _ frames: [Frame], from start: Int, of chunk: Span<UInt8>, events: inout OpenEvents,
        origin: EventPlace, readTime: Int64, now: MonotonicTime, into slab: PayloadSlab,
        limit: Int, overhead: Int = 0, ends: inout [UInt32], offsets: inout [UInt32]
    ) -> EventProgress {
        precondition(slab.capacity <= Int(UInt32.max), "a slab too large for 32-bit record ends")
        let run = EventRun(
            frames: frames, start: start, file: origin.file, generation: origin.generation,
            keepsEmptyLines: keepsEmptyLines, channel: channel,
            groupsSingleLines: rules?.masks.isEmpty ?? true, limits: limits, now: now)
        let reader = EventReader(
            container: container, labels: labels, multiline: multiline, longestPart: longestPart)
        var writer = EventWriter(
            joined(readTime), rules, fields, now: readTime / 1_000_000, slab: slab, ends: ends,
            offsets: offsets, origin: origin.offset, limit: min(limit, slab.capacity),
            overhead: overhead)
        (ends, offsets) = ([], [])
        let progress = run.encode(chunk, as: reader, events: &events, by: &writer)
        events.joiner.dropSpare()
        (ends, offsets) = (writer.ends, writer.offsets)
        return progress
    }

    /// Encodes an open event by itself, as far as it has come, in records at `ends` of the slab and
    /// `offsets` from its beginning: none where it is empty, or rules leave it out.
    package func encode(
        _ event: EventJoiner.Event, of events: inout OpenEvents, isAtEnd: Bool, readTime: Int64,
        into slab: PayloadSlab, ends: inout [UInt32], offsets: inout [UInt32]
    ) -> OpenEventPart {
        var writer = EventWriter(
            joined(readTime), rules, fields, now: readTime / 1_000_000, slab: slab, ends: ends,
            offsets: offsets, origin: event.place.offset, limit: slab.capacity, overhead: 0)
        let needed = events.write(
            event, isAtEnd: isAtEnd, keepsEmpty: keepsEmptyLines, by: &writer)
        (ends, offsets) = (writer.ends, writer.offsets)
        return needed.map { .full(needed: $0) } ?? .encoded(writer.counts)
    }

    /// Bytes of a slab with which an open event has room, and how many records it may take; more
    /// where a mask is told by then that a limit of time kept from being told now.
    package func size(of event: EventJoiner.Event) -> (bytes: Int, records: Int) {
        let encoder = joined(0)
        let own = event.attributes.count + 32
        guard let rules, !rules.masks.isEmpty else {
            return (encoder.sizeAsFields(of: event.text.span) + own, 1)
        }
        var masker = LineMasker(rules.masks)
        let text = event.text.span
        let isMasked = masker.apply(text, from: 0, isOpen: false)
        let bytes =
            isMasked
            ? PayloadSlab.jsonStringCount(masker.bytes.span, limit: .max)
            : PayloadSlab.jsonStringCount(text, limit: .max)
        // A record ends before a replacement, or a character, that would not fit.
        let least = max(1, longestPart - own - 6 * rules.longestReplacement - 8)
        let records = bytes / least + 1
        return (bytes + records * (encoder.envelope + own), records)
    }

    private func joined(_ readTime: Int64) -> JSONRecordEncoder {
        JSONRecordEncoder(
            template: template, readTime: Timestamp(nanoseconds: readTime),
            longestPart: longestPart, hasRules: rules != nil, hasSource: true,
            fields: writer(now: readTime / 1_000_000))
    }

    /// `now` in milliseconds since 1970.
    private func writer(now: Int64) -> SharedFieldsWriter? {
        guard let fields, let own else { return nil }
        return SharedFieldsWriter(FieldsWriter(fields, own: own, now: now))
    }
}

/// The form of a record's value.
package enum RecordCodec: Hashable, Sendable {
    /// The document of `RecordTemplate`.
    case json
    /// The line's bytes as they are.
    case raw
}

/// Why a file's lines cannot be encoded.
package struct EncodingError: Error, Hashable, Sendable, CustomStringConvertible {
    /// The file's path, for people.
    package let path: String
    /// Bytes that a record takes beside its message.
    package let envelope: Int
    /// Bytes that a record may have.
    package let longestRecord: Int

    package var description: String {
        "\(path): a record takes \(envelope) bytes beside its message, which leaves too little of"
            + " the \(longestRecord) that a record may have; raise message.max.bytes or shorten"
            + " the input's fields and tags"
    }
}

/// How far a run of frames was encoded.
package struct EncodingProgress: Hashable, Sendable {
    /// The place up to which all is in the slab, or was an empty line.
    package let position: FramePosition
    /// A frame that is a part of a line was too long for a record: what is behind the position is
    /// to be framed anew from there.
    package let isCut: Bool
    /// nil when all frames are done with, or the next is of a later time than was asked for; else
    /// the bytes that the next record needs at most.
    package let needed: Int?
    /// The time that the last line was labelled with, in milliseconds since 1970; nil when it was
    /// not.
    package let lineTime: Int64?
    /// Rules left the last line out: if it goes on in the next frame, that is left out, too.
    package let leavesLineOut: Bool
    /// What rules did.
    package let counts: LineCounts
}

/// The outcome of encoding the next record of a line.
enum LinePart {
    /// It is in the slab and holds so many bytes of the message.
    case encoded(Int)
    /// It does not fit; the slab is as before.
    case full
}

/// The part of encoding that differs between codecs.
protocol LineEncoder {
    /// The time of the records from now on, in milliseconds since 1970; nil for the read time,
    /// which it is at first.
    mutating func setTime(_ milliseconds: Int64?)

    /// Whether the records from now on say that a limit kept a rule from being told.
    mutating func setUndecided(_ isUndecided: Bool)

    /// Appends one record with as much of `message` as one record may have. `offset` is that of the
    /// message's first byte in the file, `isPart` whether more of its line went before or comes
    /// behind it in another frame, `room` the bytes that may be appended.
    mutating func encode(
        _ message: Span<UInt8>, offset: Int, isPart: Bool, into slab: PayloadSlab, room: Int
    ) -> LinePart

    /// The last record's line was to be members of its document, and something was wrong with it.
    var isUndecoded: Bool { get }

    /// Bytes of room with which `encode` will not say `full`.
    func size(of message: Span<UInt8>) -> Int
}

/// One batch: the loop that is the same for all codecs, compiled for each of them.
private struct LineRun {
    let frames: [Frame]
    let start: FramePosition
    let limit: Int
    let overhead: Int
    let keepsEmptyLines: Bool
    let labels: LabelFormat?
    /// Whether they are no part of the message.
    let cutsLabels: Bool
    let lineTime: Int64?
    let leavesLineOut: Bool
    let rules: LineRules?
    let fields: JSONFields?
    /// Where the time of the next line is not before it, it is another run's.
    let until: Int64
    /// In milliseconds since 1970.
    let now: Int64

    func encode<Encoder: LineEncoder>(
        by encoder: Encoder, of chunk: Span<UInt8>, into slab: PayloadSlab, ends: inout [UInt32],
        offsets: inout [UInt32]
    ) -> EncodingProgress {
        let origin = start.offset(in: self.frames) ?? LogicalOffset(0)
        let frames = frames.span
        var encoder = encoder
        var labels = labels.map(LabelReader.init)
        var line = RuledLine(rules, fields, time: lineTime, isLeftOut: leavesLineOut)
        var index = start.frame
        var done = start.byte
        // What is left of the limit for the next record's value.
        var room = limit - slab.count - overhead
        var mark = (bytes: slab.count, records: ends.count)
        while index < frames.count {
            let frame = frames[index]
            var from = done
            var label = 0
            if done == 0 { mark = (slab.count, ends.count) }
            if labels != nil {
                // Of a line that was cut the first part alone has a label; the others, its time.
                if !frame.flags.contains(.continuation) {
                    let text = chunk.extracting(frame.start..<frame.start + frame.count)
                    let read = labels?.label(of: text)
                    line.time = read?.milliseconds
                    if let read, done == 0 { label = read.length }
                }
                encoder.setTime(line.time)
                if cutsLabels { from += label }
            }
            if until != .max, (line.time ?? now) >= until {
                return progress(FramePosition(frame: index, byte: done), line)
            }
            if from == frame.count, !keepsEmptyLines {
                index += 1
                continue
            }
            let message = chunk.extracting(frame.start + from..<frame.start + frame.count)
            if line.hasRules {
                // Of a line in parts the first one tells.
                if done == 0, !frame.flags.contains(.continuation) {
                    line.judge(message, behind: cutsLabels ? 0 : label, now: now)
                }
                if line.isLeftOut {
                    index += 1
                    continue
                }
            }
            let offset = frame.place(of: done)
            let isPart = done > 0 || frame.flags.contains(.split)
            let isCut = frame.isCut
            let part =
                line.hasRules
                ? line.encode(
                    message, behind: cutsLabels ? 0 : label, by: &encoder, offset: offset.bytes,
                    isPart: isPart, isOpen: line.goesOn(behind: frame), into: slab, room: room)
                : encoder.encode(
                    message, offset: offset.bytes, isPart: isPart, into: slab, room: room)
            guard case .encoded(let count) = part else {
                let needed = line.needed ?? encoder.size(of: message)
                if done > 0, frame.flags.contains(.decoded) {
                    // No position is within what is not in the file as it is.
                    let all =
                        slab.count - mark.bytes + needed
                        + (ends.count - mark.records) * overhead
                    slab.cut(to: mark.bytes)
                    ends.removeLast(ends.count - mark.records)
                    offsets.removeLast(offsets.count - mark.records)
                    return progress(FramePosition(frame: index, byte: 0), line, needed: all)
                }
                return progress(FramePosition(frame: index, byte: done), line, needed: needed)
            }
            if encoder.isUndecoded { line.noteUndecoded(offset) }
            ends.append(UInt32(truncatingIfNeeded: slab.count))
            offsets.append(UInt32(truncatingIfNeeded: offset - origin))
            room = limit - slab.count - (ends.count + 1) * overhead
            done = from + count
            if done == frame.count {
                index += 1
                done = 0
            } else if isCut, !frame.flags.contains(.decoded) {
                // 1. A part of a line, cut where the longest line would end, is too long for a
                //    record, and is cut in two.
                // 2. The agent ends between the two. The next one counts the longest line from
                //    there.
                // 3. All parts behind are others, under other ids.
                // So it is counted from there at once.
                return progress(FramePosition(frame: index, byte: done), line, isCut: true)
            }
        }
        return progress(FramePosition(frame: index, byte: 0), line)
    }

    private func progress(
        _ position: FramePosition, _ line: borrowing RuledLine, isCut: Bool = false,
        needed: Int? = nil
    ) -> EncodingProgress {
        EncodingProgress(
            position: position, isCut: isCut, needed: needed, lineTime: line.time,
            leavesLineOut: line.isLeftOut, counts: line.counts)
    }
}

extension Frame {
    /// More of its line comes in the next frame.
    var isCut: Bool {
        guard flags.contains(.split) else { return false }
        return flags.contains(.decoded) ? flags.contains(.open) : length == Int(skipped) + count
    }

    /// Where a record begins that has this message from byte `done` on. What is `decoded` has no
    /// such place, but another one for each record.
    func place(of done: Int) -> LogicalOffset {
        if done == 0 { return offset }
        return flags.contains(.decoded)
            ? min(messageOffset + done, offset + (length - 1)) : messageOffset + done
    }
}
