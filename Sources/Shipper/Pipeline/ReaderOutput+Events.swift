import Encoding
import Kafka
import Model
import Platform
import Tailer

/// Lines that are joined to events (`EventJoiner`, decision 21).
///
/// All bytes that a call is given are taken, also those of an event that has not ended. The ranges
/// that go to the ledger end where the first open event begins; a range that covers an event goes
/// with the batch that has its record.
extension ReaderOutput {
    /// Of one call of `take`.
    private struct Chunk {
        let file: FileID
        let source: File
        let encoder: Encoder
        let lane: Lane
        let frames: [Frame]
        let begin: LogicalOffset
        /// The bytes before `begin`.
        let anchor: Anchor
        let readTime: Int64
        let now: MonotonicTime

        func offset(of frame: Int) -> LogicalOffset {
            FramePosition(frame: frame, byte: 0).offset(in: frames) ?? begin
        }
    }

    func takeEvents(
        of source: File, _ file: FileID, by encoder: Encoder, _ lane: Lane, _ chunk: Span<UInt8>,
        _ text: Span<UInt8>, _ frames: [Frame]
    ) -> Int {
        guard let begin = frames.first?.offset, makeRoom() else { return 0 }
        let events = events(of: source.stream, encoder)
        let call = Chunk(
            file: file, source: source, encoder: encoder, lane: lane, frames: frames, begin: begin,
            anchor: source.anchor, readTime: parts.now().nanoseconds, now: MonotonicTime.now())
        var index = 0
        var least = awaitedCredit(file, at: begin)
        var isRefused = false
        while index < frames.count, !isRefused {
            let reached = call.offset(of: index)
            let left = max(0, text.count - (reached - begin))
            guard let slab = slab(for: call, from: index, left, least) else {
                wait(for: least, of: file, at: reached)
                break
            }
            var ends: [UInt32] = []
            var offsets: [UInt32] = []
            ends.reserveCapacity(min(frames.count - index, slab.capacity / overhead(call)))
            offsets.reserveCapacity(ends.capacity)
            let sent = events.keptBack(of: source.generation)?.sent ?? reached
            let progress = encoder.records.encodeEvents(
                frames, from: index, of: text, events: &events.open,
                origin: EventPlace(file: file, generation: source.generation, offset: sent),
                readTime: call.readTime, now: call.now, into: slab, limit: slab.capacity,
                overhead: overhead(call), ends: &ends, offsets: &offsets)
            tell(progress, call)
            index = progress.frame
            var single: Single?
            var credit = slab.capacity
            if case .foreign(let channel, let isAtEnd, let isTaken) = progress.stop {
                // It goes first. What was taken for records behind it may be all that the stream
                // can have, so that is given back before it asks.
                if ends.isEmpty {
                    give(call.source.stream, lane, back: credit)
                    credit = 0
                    single = self.credit(for: channel, isAtEnd: isAtEnd, of: events, call)
                    isRefused = single == nil
                }
                if single == nil, isTaken {
                    events.open.takeBack(channel)
                    index -= 1
                }
            }
            let isSent = settle(
                events, call, from: sent, to: call.offset(of: index), chunk, slab, credit, ends,
                offsets)
            if let single { send(single, of: events, call) }
            if case .full(let needed) = progress.stop, !isSent {
                // Not even one record fits into so little.
                guard needed + overhead(call) > least else { break }
                least = needed + overhead(call)
            } else {
                least = Self.leastCredit
            }
        }
        note(source.stream, events)
        let taken = call.offset(of: index) - begin
        parts.counters.taken(taken)
        return taken
    }

    private func overhead(_ call: Chunk) -> Int {
        call.lane.overheadPerRecord + call.encoder.headers.overhead
    }

    /// One for what comes next, of which all is credit.
    private func slab(
        for call: Chunk, from index: Int, _ bytes: Int, _ least: Int
    ) -> PayloadSlab? {
        let expected = call.encoder.records.expectedSize(
            lines: call.frames.count - index, bytes: bytes, overhead: overhead(call))
        let credit = parts.budget.take(
            call.source.stream, of: call.lane.destination,
            works: call.lane.works(now: call.now.nanoseconds), atLeast: least,
            atMost: max(least, min(expected + Self.batchOverhead, Self.slabSize)))
        return credit > 0 ? PayloadSlab(capacity: credit) : nil
    }

    /// What was encoded goes on its way, and what was kept is noted. The file is read up to
    /// `reached`, and sent up to `sent`. Of the slab's `credit` the batch keeps what it needs.
    /// False where there is nothing to go.
    private func settle(
        _ events: StreamEvents, _ call: Chunk, from sent: LogicalOffset, to reached: LogicalOffset,
        _ chunk: Span<UInt8>, _ slab: PayloadSlab, _ credit: Int, _ ends: [UInt32],
        _ offsets: [UInt32]
    ) -> Bool {
        let source = call.source
        let isHeld = events.isHeld(source.generation)
        let low =
            isHeld ? sent : min(events.open.joiner.low(of: source.generation) ?? reached, reached)
        let lowAnchor =
            low >= call.begin
            ? anchor(chunk, before: low - call.begin, after: call.anchor) : Anchor.none
        source.anchor = anchor(chunk, before: reached - call.begin, after: call.anchor)
        let kept = StreamEvents.KeptBack(
            file: call.file, generation: source.generation, sent: low, taken: reached,
            anchor: source.anchor, encoder: call.encoder)
        let isSent = !ends.isEmpty || low > sent
        let spent =
            isSent
            ? min(credit, slab.count + ends.count * overhead(call) + Self.batchOverhead) : 0
        give(source.stream, call.lane, back: credit - spent)
        events.keepBack(kept)
        let others = events.release().filter { $0.generation != source.generation }
        if isSent {
            let range = ByteRange(start: sent, end: low)
            parts.ledger.sent(call.file, source.generation, range, anchor: lowAnchor)
            for part in others {
                parts.ledger.sent(part.file, part.generation, part.range, anchor: part.anchor)
            }
            parts.counters.sent(records: ends.count)
            send(
                RecordBatch(
                    lane: call.lane,
                    slab: slab.count < slab.capacity / 2 ? slab.fitted() : slab,
                    recordEnds: ends, file: call.file, stream: source.stream,
                    generation: source.generation, range: range, anchor: lowAnchor, credit: spent,
                    recordOffsets: offsets, headers: call.encoder.headers, others: others))
        }
        if low < reached {
            parts.ledger.took(
                call.file, source.generation, upTo: reached, anchor: source.anchor)
        }
        return isSent
    }

    /// What is no line of its format: each is counted, and the first one told.
    private func tell(_ progress: EventProgress, _ call: Chunk) {
        if let stream = streams[call.source.stream] {
            tell(progress.counts, of: call.source, inputs[stream.input])
        }
        guard let first = progress.firstMalformed else { return }
        parts.counters.malformed(lines: progress.malformed)
        guard !call.source.hasMalformed else { return }
        call.source.hasMalformed = true
        parts.events.malformed(
            call.source.path, offset: call.frames[first].offset,
            format: call.source.container?.rawValue ?? "")
    }

    // MARK: Events by themselves

    /// An event that goes by itself, with the credit for it.
    private struct Single {
        let channel: Channel
        let isAtEnd: Bool
        let credit: Int
    }

    private func credit(
        for channel: Channel, isAtEnd: Bool, of events: StreamEvents, _ call: Chunk
    ) -> Single? {
        guard let event = events.open.joiner.event(channel) else { return nil }
        return credit(
            for: event, isAtEnd: isAtEnd, of: events, call.source.stream, call.lane,
            isForced: false)
    }

    /// Nil where there is none now.
    private func credit(
        for event: EventJoiner.Event, isAtEnd: Bool, of events: StreamEvents, _ stream: StreamID,
        _ lane: Lane, isForced: Bool
    ) -> Single? {
        guard let encoder = events.keptBack(of: event.place.generation)?.encoder else {
            return nil
        }
        let size = encoder.records.size(of: event)
        let needed =
            size.bytes + Self.batchOverhead
            + size.records * (lane.overheadPerRecord + encoder.headers.overhead)
        let works = lane.works(now: Clock.monotonicNanoseconds())
        if isForced {
            parts.budget.force(stream, of: lane.destination, works: works, needed)
        } else {
            let granted = parts.budget.take(
                stream, of: lane.destination, works: works, atLeast: needed, atMost: needed)
            guard granted > 0 else { return nil }
        }
        return Single(channel: event.channel, isAtEnd: isAtEnd, credit: needed)
    }

    private func send(_ single: Single, of events: StreamEvents, _ call: Chunk) {
        send(single, of: events, call.source.stream, call.lane)
    }

    /// Hands over an open event in a batch of its own, and closes it.
    private func send(_ single: Single, of events: StreamEvents, _ stream: StreamID, _ lane: Lane) {
        guard let event = events.open.joiner.event(single.channel),
            let kept = events.keptBack(of: event.place.generation)
        else { return give(stream, lane, back: single.credit) }
        var credit = single.credit
        var slab = PayloadSlab(capacity: credit)
        var ends: [UInt32] = []
        var offsets: [UInt32] = []
        encoding: while true {
            let part = kept.encoder.records.encode(
                event, of: &events.open, isAtEnd: single.isAtEnd,
                readTime: parts.now().nanoseconds, into: slab, ends: &ends, offsets: &offsets)
            switch part {
            case .encoded(let counts):
                if let source = files[kept.file], let stream = streams[stream] {
                    tell(counts, of: source, inputs[stream.input])
                } else {
                    parts.counters.ruled(counts)
                }
                break encoding
            case .full(let needed):
                // A limit of time hangs on the machine: a mask may tell more than it did when the
                // credit was counted. What is missing is in memory already.
                let more = max(needed - credit, credit)
                parts.budget.force(
                    stream, of: lane.destination,
                    works: lane.works(now: Clock.monotonicNanoseconds()), more)
                credit += more
                slab = PayloadSlab(capacity: credit)
            }
        }
        events.open.joiner.close(single.channel, isAtEnd: single.isAtEnd)
        var released = events.release()
        for part in released {
            parts.ledger.sent(part.file, part.generation, part.range, anchor: part.anchor)
        }
        // Other events may have lines of its file yet: then no position moves.
        let own = released.firstIndex { $0.generation == kept.generation }
        let main =
            own.map { released.remove(at: $0) }
            ?? RecordBatch.Part(
                file: kept.file, generation: kept.generation,
                range: ByteRange(start: kept.sent, end: kept.sent), anchor: .none)
        parts.counters.sent(records: ends.count)
        send(
            RecordBatch(
                lane: lane, slab: slab, recordEnds: ends, file: main.file, stream: stream,
                generation: main.generation, range: main.range, anchor: main.anchor,
                credit: credit,
                recordOffsets: offsets.map {
                    $0 &+ UInt32(truncatingIfNeeded: event.place.offset - main.range.start)
                },
                headers: kept.encoder.headers, others: released))
    }

    // MARK: Their ends

    /// Where events go; nil while the stream has no topic. A day's topic is that of the day on
    /// which they are read: an event may wait for its end, and other channels' do not wait for it.
    func eventLane(_ id: StreamID, _ stream: Stream, _ readTime: Int64) -> Lane? {
        inputs[stream.input].isDated
            ? way(id, at: Timestamp(nanoseconds: readTime).milliseconds)?.lane
            : way(id, stream)?.lane
    }

    private func events(of stream: StreamID, _ encoder: Encoder) -> StreamEvents {
        if let events = streams[stream]?.events {
            events.limits = encoder.records.limits
            return events
        }
        let events = StreamEvents(limits: encoder.records.limits)
        streams[stream]?.events = events
        return events
    }

    private func note(_ stream: StreamID, _ events: StreamEvents) {
        let joiner = events.open.joiner
        openEvents.note(
            stream, joiner.isEmpty ? nil : joiner.bytes, due: joiner.nextDue(events.limits))
    }

    /// Events end to which nothing was added for long; returns when others may.
    func endOverdue(_ now: MonotonicTime) -> MonotonicTime? {
        guard let due = openEvents.due, due <= now else { return openEvents.due }
        openEvents.due = nil
        for stream in openEvents.bytes.keys {
            guard let events = streams[stream]?.events else { continue }
            for channel in events.open.joiner.overdue(now, events.limits) {
                _ = end(channel, of: stream, events, isForced: false)
            }
            note(stream, events)
        }
        sendTaken()
        // What waits for credit is asked for again, and what ends all the time is not.
        openEvents.due = openEvents.due.map { max($0, now + OpenStreams.pause) }
        return openEvents.due
    }

    /// All events end that are open, whatever is yet to come of them.
    func endEvents() {
        for stream in openEvents.bytes.keys { endEvents(of: stream) }
        sendTaken()
    }

    /// Those end that have lines of a file that nobody could read again.
    func endEvents(in file: FileID) {
        for stream in openEvents.bytes.keys { endEvents(of: stream, in: file) }
    }

    /// Those of a stream end, or those that have lines of a file that nobody could read again.
    func endEvents(of stream: StreamID, in file: FileID? = nil) {
        guard let events = streams[stream]?.events, !events.open.joiner.isEmpty else { return }
        for channel in Channel.allCases {
            guard let event = events.open.joiner.event(channel) else { continue }
            if let file, !event.places.contains(where: { $0.file == file }) { continue }
            _ = end(channel, of: stream, events, isForced: true)
        }
        note(stream, events)
    }

    /// False where there is no credit for it now.
    private func end(
        _ channel: Channel, of stream: StreamID, _ events: StreamEvents, isForced: Bool
    ) -> Bool {
        guard let known = streams[stream], let event = events.open.joiner.event(channel),
            let lane = eventLane(stream, known, parts.now().nanoseconds)
        else { return false }
        guard
            let single = credit(
                for: event, isAtEnd: !event.isMidLine, of: events, stream, lane,
                isForced: isForced)
        else { return false }
        send(single, of: events, stream, lane)
        return true
    }

    /// Whether open events may hold more: where they are many, the larger ones end.
    private func makeRoom() -> Bool {
        guard openEvents.isFull else { return true }
        for stream in openEvents.largest {
            guard let events = streams[stream]?.events else { continue }
            for channel in Channel.allCases where events.open.joiner.event(channel) != nil {
                _ = end(channel, of: stream, events, isForced: false)
            }
            note(stream, events)
        }
        return !openEvents.isFull
    }

    private func awaitedCredit(_ file: FileID, at offset: LogicalOffset) -> Int {
        guard let awaited = awaited.removeValue(forKey: file), awaited.offset == offset else {
            return Self.leastCredit
        }
        return awaited.credit
    }

    private func wait(for credit: Int, of file: FileID, at offset: LogicalOffset) {
        if credit > Self.leastCredit { awaited[file] = (offset, credit) }
    }
}
