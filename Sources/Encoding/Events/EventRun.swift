import Model
import Platform

/// One batch of lines that are joined to events, as documents.
struct EventRun {
    let frames: [Frame]
    let start: Int
    /// Where the records' offsets are counted from.
    let origin: LogicalOffset
    let file: FileID
    let generation: GenerationID
    let limit: Int
    let overhead: Int
    let keepsEmptyLines: Bool
    let format: ContainerFormat
    let limits: EventJoiner.Limits
    let now: MonotonicTime

    /// Where the records go.
    struct Sink {
        let slab: PayloadSlab
        var ends: [UInt32]
        var offsets: [UInt32]

        /// Takes back what was added behind that.
        mutating func cut(to bytes: Int, records: Int) {
            slab.cut(to: bytes)
            ends.removeLast(ends.count - records)
            offsets.removeLast(offsets.count - records)
        }
    }

    func encode(
        by encoder: JSONRecordEncoder, of chunk: Span<UInt8>, events: inout OpenEvents,
        into sink: inout Sink
    ) -> EventProgress {
        var encoder = encoder
        var reader = ContainerReader(format, longestPart: encoder.longestPart)
        var malformed = 0
        var firstMalformed: Int?
        var index = start
        while index < frames.count {
            let frame = frames[index]
            let line = chunk.extracting(frame.start..<frame.start + frame.count)
            let piece = reader.piece(
                line, frame, &events,
                EventPlace(
                    file: file, generation: generation, offset: frame.offset))
            let outcome: Outcome
            if reader.isDecoded {
                let decoded = reader.decoded
                outcome = hand(
                    decoded.span, piece, frame, by: &encoder, &events, into: &sink)
            } else {
                outcome = hand(
                    line.extracting(piece.text), piece, frame, by: &encoder, &events, into: &sink)
            }
            switch outcome {
            case .done:
                if piece.isMalformed {
                    malformed += 1
                    firstMalformed = firstMalformed ?? index
                }
                events.passed(frame, piece)
                index += 1
            case .again: continue
            case .full(let needed):
                return EventProgress(
                    frame: index, stop: .full(needed), malformed: malformed,
                    firstMalformed: firstMalformed)
            case .foreign(let isAtEnd, let isTaken):
                if isTaken {
                    events.passed(frame, piece)
                    index += 1
                }
                return EventProgress(
                    frame: index,
                    stop: .foreign(
                        piece.line.channel, isAtEnd: isAtEnd, isTaken: isTaken),
                    malformed: malformed,
                    firstMalformed: firstMalformed)
            }
        }
        return EventProgress(
            frame: index, stop: .end, malformed: malformed,
            firstMalformed: firstMalformed)
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
        _ text: Span<UInt8>, _ piece: EventPiece, _ frame: Frame,
        by encoder: inout JSONRecordEncoder,
        _ events: inout OpenEvents, into sink: inout Sink
    ) -> Outcome {
        let line = piece.line
        guard !piece.isMalformed else {
            return handWhole(
                text, piece, frame, isPart: frame.flags.contains(.split), by: &encoder, &events,
                into: &sink)
        }
        // A part of it is sent, so it is no piece of another event.
        if let isPart = events.isResumed(at: line.place) {
            return handWhole(
                text, piece, frame, isPart: isPart, by: &encoder, &events, into: &sink)
        }
        let step = events.joiner.add(
            text, line, encoded: encoder.messageSize(of: text), limits, now: now)
        switch step {
        case .kept: return .done
        case .whole(let isPart):
            return handWhole(
                text, piece, frame, isPart: isPart, by: &encoder, &events, into: &sink)
        case .ends:
            return end(line.channel, isAtEnd: true, isTaken: true, by: &encoder, &events, &sink)
        case .first(let isAtEnd):
            return end(
                line.channel, isAtEnd: isAtEnd, isTaken: false, by: &encoder, &events, &sink)
        }
    }

    /// Ends a channel's event, with the line that is looked at or before it.
    private func end(
        _ channel: Channel, isAtEnd: Bool, isTaken: Bool, by encoder: inout JSONRecordEncoder,
        _ events: inout OpenEvents, _ sink: inout Sink
    ) -> Outcome {
        guard let event = events.joiner.event(channel) else { return .done }
        if event.place.generation != generation {
            return .foreign(isAtEnd: isAtEnd, isTaken: isTaken)
        }
        if let needed = hand(event, isAtEnd: isAtEnd, by: &encoder, into: &sink) {
            if isTaken { events.joiner.takeBack(channel) }
            return .full(needed)
        }
        events.joiner.close(channel, isAtEnd: isAtEnd)
        return isTaken ? .done : .again
    }

    /// Bytes that are needed where there is too little room.
    private func hand(
        _ event: EventJoiner.Event, isAtEnd: Bool, by encoder: inout JSONRecordEncoder,
        into sink: inout Sink
    ) -> Int? {
        if event.text.isEmpty, !keepsEmptyLines { return nil }
        encoder.setTime(event.time)
        encoder.setSource(event.channel, event.attributes)
        let part = encoder.encode(
            event.text.span, offset: event.place.offset.bytes, isPart: event.isPart || !isAtEnd,
            into: sink.slab, room: room(sink))
        guard case .encoded = part else { return encoder.size(of: event.text.span) }
        note(event.place.offset, &sink)
        return nil
    }

    /// Hands over a line that is kept nowhere, in as many parts as it takes.
    private func handWhole(
        _ text: Span<UInt8>, _ piece: EventPiece, _ frame: Frame, isPart: Bool,
        by encoder: inout JSONRecordEncoder, _ events: inout OpenEvents, into sink: inout Sink
    ) -> Outcome {
        if text.isEmpty, !keepsEmptyLines { return .done }
        encoder.setTime(piece.line.time)
        encoder.setSource(
            piece.line.channel, piece.line.attributes, isMalformed: piece.isMalformed)
        let before = events.resumption(of: piece.line.place)
        let (bytes, records) = (sink.slab.count, sink.ends.count)
        var done = before
        repeat {
            var end = text.count
            if end - done > limits.bytes {
                end = ByteSearch.boundary(in: text, upTo: done + limits.bytes)
                if end <= done { end = done + limits.bytes }
            }
            let offset =
                done == 0 ? frame.offset : frame.messageOffset + piece.text.lowerBound + done
            let part = encoder.encode(
                text.extracting(done..<end), offset: offset.bytes,
                isPart: isPart || done > 0 || end < text.count, into: sink.slab, room: room(sink))
            guard case .encoded(let count) = part else {
                let all = together(text.extracting(before..<text.count), encoder)
                if sink.ends.count > records, all <= Self.mostTogether, records > 0 || limit < all {
                    sink.cut(to: bytes, records: records)
                    events.resume(piece.line.place, done: before, isPart: isPart)
                    return .full(all)
                }
                events.resume(piece.line.place, done: done, isPart: isPart)
                return .full(encoder.size(of: text.extracting(done..<end)))
            }
            note(offset, &sink)
            done += count
        } while done < text.count
        events.forgetResumed()
        return .done
    }

    /// Parts of a line that are no longer than this together go in one batch: a run that stops
    /// between two of them has sent the first one, and the position stands before both.
    private static let mostTogether = 128 * 1024

    /// Bytes of a slab that all parts of a line take at most.
    private func together(_ text: Span<UInt8>, _ encoder: JSONRecordEncoder) -> Int {
        let encoded = PayloadSlab.jsonStringCount(text, limit: Self.mostTogether)
        let parts = text.count / limits.bytes + encoded / max(1, encoder.longestPart) + 2
        return encoded + parts * (encoder.size(of: text.extracting(0..<0)) + overhead)
    }

    /// What is left of the limit for the next record's value.
    private func room(_ sink: Sink) -> Int {
        limit - sink.slab.count - (sink.ends.count + 1) * overhead
    }

    private func note(_ offset: LogicalOffset, _ sink: inout Sink) {
        sink.ends.append(UInt32(truncatingIfNeeded: sink.slab.count))
        sink.offsets.append(UInt32(truncatingIfNeeded: offset - origin))
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
