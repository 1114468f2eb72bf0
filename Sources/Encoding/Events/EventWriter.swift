import Model
import Platform

/// Writes events and lines as documents, in as many records as each takes, as the input's rules
/// want it.
struct EventWriter: ~Copyable {
    var encoder: JSONRecordEncoder
    private var line: RuledLine
    private let slab: PayloadSlab
    /// Where the records end in the slab, and where in the file they begin, counted from `origin`.
    var ends: [UInt32]
    var offsets: [UInt32]
    private let origin: LogicalOffset
    let limit: Int
    let overhead: Int
    private let now: Int64

    /// `now` in milliseconds since 1970; all else as for `RecordEncoder.encodeEvents`.
    init(
        _ encoder: JSONRecordEncoder, _ rules: LineRules?, _ fields: JSONFields?, now: Int64,
        slab: PayloadSlab, ends: [UInt32], offsets: [UInt32], origin: LogicalOffset, limit: Int,
        overhead: Int
    ) {
        self.encoder = encoder
        line = RuledLine(rules, fields, time: nil, isLeftOut: false)
        self.slab = slab
        self.ends = ends
        self.offsets = offsets
        self.origin = origin
        self.limit = limit
        self.overhead = overhead
        self.now = now
    }

    var counts: LineCounts { line.counts }

    /// How far it has come.
    var mark: Mark { Mark(bytes: slab.count, records: ends.count, counts: line.counts) }

    struct Mark {
        let bytes: Int
        let records: Int
        fileprivate let counts: LineCounts
    }

    /// Takes back what was written since.
    mutating func cut(to mark: Mark) {
        slab.cut(to: mark.bytes)
        ends.removeLast(ends.count - mark.records)
        offsets.removeLast(offsets.count - mark.records)
        line.counts = mark.counts
    }

    /// A line is of another stream than is wanted.
    mutating func noteLeftOut() { line.counts.leftOut += 1 }

    /// Decides whether what begins with `text` is left out.
    mutating func leavesOut(_ text: Span<UInt8>, time: Int64?) -> Bool {
        guard line.hasRules else { return false }
        line.time = time
        line.judge(text, behind: 0, now: now)
        return line.isLeftOut
    }

    /// Bytes of the text, at least one of them, that went into a record, or that are needed in
    /// the slab. `isOpen`: it may leave what is near the end for the next part.
    mutating func write(
        _ text: Span<UInt8>, at offset: LogicalOffset, isPart: Bool, isOpen: Bool
    ) -> LinePart {
        let room = limit - slab.count - (ends.count + 1) * overhead
        let part: LinePart
        if line.hasRules {
            part = line.encode(
                text, behind: 0, by: &encoder, offset: offset.bytes, isPart: isPart,
                isOpen: isOpen, into: slab, room: room)
        } else {
            part = encoder.encode(
                text, offset: offset.bytes, isPart: isPart, into: slab, room: room)
        }
        if case .encoded = part {
            if encoder.isUndecoded { line.noteUndecoded(offset) }
            ends.append(UInt32(truncatingIfNeeded: slab.count))
            offsets.append(UInt32(truncatingIfNeeded: offset - origin))
        }
        return part
    }

    /// Bytes that the part needs which did not fit.
    func needed(_ text: Span<UInt8>) -> Int { line.needed ?? encoder.size(of: text) }

    /// An event's records, all or none: nil, or the bytes that are needed.
    mutating func write(_ event: EventJoiner.Event, isAtEnd: Bool) -> Int? {
        encoder.setTime(event.time)
        encoder.setSource(event.channel, event.attributes, isMultiline: event.isOfLines)
        return write(event.text.span, of: event.place.offset, isPart: event.isPart || !isAtEnd)
    }

    /// As above, of an event whose text this is. Masks may make it longer than one record; further
    /// ones have places of their own behind its beginning.
    mutating func write(_ all: Span<UInt8>, of place: LogicalOffset, isPart: Bool) -> Int? {
        let start = mark
        var done = 0
        repeat {
            let text = all.extracting(done..<all.count)
            let part = write(text, at: place + done, isPart: isPart || done > 0, isOpen: false)
            guard case .encoded(let count) = part else {
                let needed =
                    slab.count - start.bytes + needed(text) + (ends.count - start.records)
                    * overhead
                cut(to: start)
                return needed
            }
            done += count
        } while done < all.count
        return nil
    }
}
