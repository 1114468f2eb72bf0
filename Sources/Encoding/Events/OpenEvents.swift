import Model

/// What has to be known of a stream's lines up to here, to go on with the next one: its open
/// events, and lines that are handed over in part. A value; the reader thread has it.
package struct OpenEvents: Sendable {
    /// Those that have not ended.
    package var joiner = EventJoiner()
    /// The line that is handed over in part: where it begins, the bytes of its text that are done,
    /// and whether it belongs to an event of several lines.
    private var resumed: (place: EventPlace, done: Int, isPart: Bool)?
    /// The line of which the next frame is another part: it was longer than a frame may be.
    private var unfinished: (piece: EventLine, isPartial: Bool)?

    package init() {}

    /// Bytes of a line's text that were handed over before.
    func resumption(of place: EventPlace) -> Int {
        resumed.flatMap { $0.place == place ? $0.done : nil } ?? 0
    }

    /// Whether a line is handed over in part, and then whether it is itself a part of an event.
    func isResumed(at place: EventPlace) -> Bool? {
        resumed.flatMap { $0.place == place ? $0.isPart : nil }
    }

    /// Of a line so much is handed over, and there is no room for the rest now.
    mutating func resume(_ place: EventPlace, done: Int, isPart: Bool) {
        resumed = (place, done, isPart)
    }

    /// A line is handed over whole.
    mutating func forgetResumed() { if resumed != nil { resumed = nil } }

    /// What the frame goes on with that continues a line.
    func continued(at place: EventPlace) -> (line: EventLine, isPartial: Bool)? {
        unfinished.flatMap { $0.piece.place.generation == place.generation ? $0 : nil }
            .map { ($0.piece, $0.isPartial) }
    }

    /// A frame is done with.
    mutating func passed(_ frame: Frame, _ piece: EventPiece) {
        if frame.isCut, !piece.isMalformed {
            unfinished = (piece.line, piece.isPartial)
        } else if unfinished != nil {
            unfinished = nil
        }
    }
}

/// A line, or a part of one, as it is to be joined.
struct EventPiece {
    let line: EventLine
    /// Where its text is in the frame's bytes.
    let text: Range<Int>
    /// The line's end is not that of its event.
    let isPartial: Bool
    let isMalformed: Bool
}
