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
    /// The same before the last line that ended an event of another file.
    private var unfinishedBefore: (piece: EventLine, isPartial: Bool)?

    /// Of each channel: an event of which a part is handed over is left out, its last piece did not
    /// end its line, and its event ends with that line.
    private var leftOut: ChannelSet = .none
    private var midLine: ChannelSet = .none
    private var ending: ChannelSet = .none

    package init() {}

    /// Nothing is open or handed over in part: what comes next begins an event.
    var isFresh: Bool {
        joiner.isFresh && resumed == nil && unfinished == nil && midLine == .none
    }

    /// Nothing of a channel is open or handed over in part, nor a line of any.
    func isFresh(_ channel: Channel) -> Bool {
        joiner.isFresh(channel) && resumed == nil && unfinished == nil
            && !midLine.contains(channel)
    }

    func isLeftOut(_ channel: Channel) -> Bool { leftOut.contains(channel) }

    mutating func setLeftOut(_ channel: Channel, _ isLeftOut: Bool) {
        leftOut.set(channel, isLeftOut)
    }

    /// A channel's next piece goes on with its last one's line. An open event knows better: of it a
    /// piece may have been taken back.
    func isMidLine(_ channel: Channel) -> Bool {
        joiner.isMidLine(channel) ?? midLine.contains(channel)
    }

    /// The line that it goes on with ends its event.
    func isEnding(_ channel: Channel) -> Bool { ending.contains(channel) }

    /// An open event's records, unless it is left out: nil, or the bytes that they need.
    mutating func write(
        _ event: EventJoiner.Event, isAtEnd: Bool, keepsEmpty: Bool, by writer: inout EventWriter
    ) -> Int? {
        if event.text.isEmpty, !keepsEmpty { return nil }
        if !event.isPart {
            leftOut.set(event.channel, writer.leavesOut(event.text.span, time: event.time))
        }
        return leftOut.contains(event.channel) ? nil : writer.write(event, isAtEnd: isAtEnd)
    }

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

    /// A frame is done with that ends an event, if that can be handed over; else it is taken back.
    mutating func passedToEnd(_ frame: Frame, _ piece: EventPiece) {
        unfinishedBefore = unfinished
        passed(frame, piece)
    }

    /// The last line, which ended the open event of a channel, comes again.
    package mutating func takeBack(_ channel: Channel) {
        joiner.takeBack(channel)
        unfinished = unfinishedBefore
    }

    /// A frame is done with.
    mutating func passed(_ frame: Frame, _ piece: EventPiece) {
        if !piece.isMalformed {
            midLine.set(piece.line.channel, piece.line.isPartial)
            ending.set(piece.line.channel, piece.endsEventWithLine)
        }
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
    /// Its line, which may go on, is the last one of its event.
    var endsEventWithLine = false
}

/// Some channels.
private struct ChannelSet: Equatable {
    private var bits: UInt8 = 0
    static var none: ChannelSet { ChannelSet() }

    func contains(_ channel: Channel) -> Bool { bits & (1 << channel.rawValue) != 0 }

    mutating func set(_ channel: Channel, _ isIn: Bool) {
        if isIn { bits |= 1 << channel.rawValue } else { bits &= ~(1 << channel.rawValue) }
    }
}
