import Model
import Platform

/// One batch of lines that are joined to events, as documents.
struct EventRun {
    let frames: [Frame]
    let start: Int
    let file: FileID
    let generation: GenerationID
    let keepsEmptyLines: Bool
    /// Lines of other streams of a container are left out; nil: none is for that.
    let channel: Channel?
    /// Lines that are events by themselves may be grouped: no mask makes several records of one.
    let groupsSingleLines: Bool
    let limits: EventJoiner.Limits
    let now: MonotonicTime

    func encode(
        _ chunk: Span<UInt8>, as reader: EventReader, events: inout OpenEvents,
        by writer: inout EventWriter
    ) -> EventProgress {
        var reader = reader
        var malformed = 0
        var firstMalformed: Int?
        var index = start
        // A line is read once, though the event before it is handed over first.
        var read: EventPiece?
        var group = LineGroup()
        // From there on lines may be grouped in the chunk; where that comes to nothing, the next
        // lines are not read for it.
        var groupable = start
        var pause = 0
        while index < frames.count {
            if index >= groupable, groupsSingleLines || reader.multiline != nil,
                read.map({ events.isFresh($0.line.channel) }) ?? events.isFresh
            {
                read = nil
                switch self.group(
                    chunk, from: index, by: reader.multiline, as: &reader, in: &group, &events,
                    to: &writer)
                {
                case .rest(let next, let seen):
                    pause = next > index ? 0 : min(Self.longestPause, 2 * pause + 1)
                    (index, groupable) = (next, seen + pause)
                case .full(let next, let needed):
                    return progress(next, .full(needed), malformed, firstMalformed, writer)
                }
                guard index < frames.count else { break }
            }
            let frame = frames[index]
            let line = chunk.extracting(frame.start..<frame.start + frame.count)
            let place = EventPlace(file: file, generation: generation, offset: frame.offset)
            let piece: EventPiece
            if let known = read {
                piece = known
                read = nil
            } else {
                piece = reader.piece(line, frame, &events, place)
            }
            if !piece.isMalformed, !wants(piece.line.channel) {
                if piece.line.beginsLine { writer.noteLeftOut() }
                events.passed(frame, piece)
                index += 1
                continue
            }
            let outcome: Outcome
            if reader.isDecoded {
                let decoded = reader.decoded
                outcome = hand(decoded.span, piece, frame, &events, by: &writer)
            } else {
                outcome = hand(line.extracting(piece.text), piece, frame, &events, by: &writer)
            }
            let stop: EventProgress.Stop
            switch outcome {
            case .done:
                if piece.isMalformed {
                    malformed += 1
                    firstMalformed = firstMalformed ?? index
                }
                events.passed(frame, piece)
                index += 1
                continue
            case .again:
                read = piece
                continue
            case .full(let needed): stop = .full(needed)
            case .foreign(let isAtEnd, let isTaken):
                if isTaken {
                    events.passedToEnd(frame, piece)
                    index += 1
                }
                stop = .foreign(piece.line.channel, isAtEnd: isAtEnd, isTaken: isTaken)
            }
            return progress(index, stop, malformed, firstMalformed, writer)
        }
        return progress(index, .end, malformed, firstMalformed, writer)
    }

    /// Whether lines of a container's stream become records.
    func wants(_ channel: Channel) -> Bool { self.channel.map { $0 == channel } ?? true }

    /// Lines that are joined one by one before it is tried again to group them.
    private static let longestPause = 63

    private func progress(
        _ frame: Int, _ stop: EventProgress.Stop, _ malformed: Int, _ firstMalformed: Int?,
        _ writer: borrowing EventWriter
    ) -> EventProgress {
        EventProgress(
            frame: frame, stop: stop, malformed: malformed, firstMalformed: firstMalformed,
            counts: writer.counts)
    }

    private enum Outcome {
        /// The line is in the slab, or kept.
        case done
        /// The event before it is in the slab.
        case again
        /// It does not fit; nothing is changed. So many bytes are needed.
        case full(Int)
        /// Of an event that began in another file.
        case foreign(isAtEnd: Bool, isTaken: Bool)
    }

    private func hand(
        _ text: Span<UInt8>, _ piece: EventPiece, _ frame: Frame, _ events: inout OpenEvents,
        by writer: inout EventWriter
    ) -> Outcome {
        let line = piece.line
        guard !piece.isMalformed else {
            return handWhole(
                text, piece, frame, isPart: frame.flags.contains(.split),
                isFirst: !frame.flags.contains(.continuation), &events, by: &writer)
        }
        // A part of it is sent, so it is no piece of another event.
        if let isPart = events.isResumed(at: line.place) {
            return handWhole(
                text, piece, frame, isPart: isPart, isFirst: false, &events, by: &writer)
        }
        let goesOn = events.joiner.goesOn(line)
        let step = events.joiner.add(
            text, line, encoded: writer.encoder.messageSize(of: text), limits, now: now)
        switch step {
        case .kept: return .done
        case .whole(let isPart):
            return handWhole(
                text, piece, frame, isPart: isPart, isFirst: !goesOn, &events, by: &writer)
        case .ends:
            return end(line.channel, isAtEnd: true, isTaken: true, &events, by: &writer)
        case .first(let isAtEnd):
            return end(line.channel, isAtEnd: isAtEnd, isTaken: false, &events, by: &writer)
        }
    }

    /// Ends a channel's event, with the line that is looked at or before it.
    private func end(
        _ channel: Channel, isAtEnd: Bool, isTaken: Bool, _ events: inout OpenEvents,
        by writer: inout EventWriter
    ) -> Outcome {
        guard let event = events.joiner.event(channel) else { return .done }
        if event.place.generation != generation {
            return .foreign(isAtEnd: isAtEnd, isTaken: isTaken)
        }
        if let needed = events.write(
            event, isAtEnd: isAtEnd, keepsEmpty: keepsEmptyLines, by: &writer)
        {
            if isTaken { events.joiner.takeBack(channel) }
            return .full(needed)
        }
        events.joiner.close(channel, isAtEnd: isAtEnd)
        return isTaken ? .done : .again
    }

    /// Hands over a line that is kept nowhere, in as many parts as it takes.
    private func handWhole(
        _ text: Span<UInt8>, _ piece: EventPiece, _ frame: Frame, isPart: Bool, isFirst: Bool,
        _ events: inout OpenEvents, by writer: inout EventWriter
    ) -> Outcome {
        if text.isEmpty, !keepsEmptyLines { return .done }
        let channel = piece.line.channel
        if isFirst {
            let isLeftOut = writer.leavesOut(text, time: piece.line.time)
            events.setLeftOut(channel, isLeftOut)
        }
        if events.isLeftOut(channel) {
            events.forgetResumed()
            return .done
        }
        writer.encoder.setTime(piece.line.time)
        writer.encoder.setSource(channel, piece.line.attributes, isMalformed: piece.isMalformed)
        let before = events.resumption(of: piece.line.place)
        let mark = writer.mark
        var done = before
        repeat {
            var end = text.count
            if end - done > limits.bytes {
                end = ByteSearch.boundary(in: text, upTo: done + limits.bytes)
                if end <= done { end = done + limits.bytes }
            }
            let offset = frame.place(of: done == 0 ? 0 : piece.text.lowerBound + done)
            let part = writer.write(
                text.extracting(done..<end), at: offset,
                isPart: isPart || done > 0 || end < text.count, isOpen: end < text.count)
            guard case .encoded(let count) = part else {
                let all = together(text.extracting(before..<text.count), writer)
                if writer.ends.count > mark.records, all <= Self.mostTogether,
                    mark.records > 0 || writer.limit < all
                {
                    writer.cut(to: mark)
                    events.resume(piece.line.place, done: before, isPart: isPart)
                    return .full(all)
                }
                events.resume(piece.line.place, done: done, isPart: isPart)
                return .full(writer.needed(text.extracting(done..<end)))
            }
            done += count
        } while done < text.count
        events.forgetResumed()
        return .done
    }

    /// Parts of a line that are no longer than this together go in one batch: a run that stops
    /// between two of them has sent the first one, and the position stands before both.
    private static let mostTogether = 128 * 1024

    /// Bytes of a slab that all parts of a line take at most.
    private func together(_ text: Span<UInt8>, _ writer: borrowing EventWriter) -> Int {
        let encoded = PayloadSlab.jsonStringCount(text, limit: Self.mostTogether)
        let parts =
            text.count / limits.bytes + encoded / max(1, writer.encoder.longestPart) + 2
        let empty = writer.encoder.size(of: text.extracting(0..<0))
        return encoded + parts * (empty + writer.overhead)
    }
}

/// How far a run of frames was joined and encoded.
package struct EventProgress: Hashable, Sendable {
    /// Index of the first frame that is neither in the slab nor kept.
    package let frame: Int
    /// Says why it came no further.
    package let stop: Stop
    /// Lines that were not as their format has them.
    package let malformed: Int
    /// Index of the first of those.
    package let firstMalformed: Int?
    /// What rules did.
    package let counts: LineCounts

    /// Why it ended there.
    package enum Stop: Hashable, Sendable {
        /// All frames are done with.
        case end
        /// The next record needs so many bytes at most.
        case full(Int)
        /// The channel's open event, which began in another file, is to be handed over by itself.
        /// Where it `isAtEnd` that is all of it; where it `isTaken` the frame before is the last
        /// one that it has lines of.
        case foreign(Channel, isAtEnd: Bool, isTaken: Bool)
    }
}
