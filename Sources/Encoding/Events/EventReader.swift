import Model
import Platform

/// Reads the frames of one batch: of which channel each is, what of it belongs to its event, and
/// how it stands to the lines before it.
struct EventReader {
    private var container: ContainerReader?
    private var labels: LabelReader?
    private let multiline: Multiline?

    /// Lines that are whole say themselves how they stand to those beside them.
    var groups: Multiline? { multiline }

    /// A line that is no piece, and that has nothing which only its event keeps.
    struct Whole {
        let channel: Channel
        let time: Int64?
        /// The text in the line, unless it `isDecoded`.
        let text: Range<Int>
        let isDecoded: Bool
    }

    /// Nil for what is a piece, has attributes, or is none of the format.
    mutating func whole(_ line: Span<UInt8>) -> Whole? {
        if container != nil { return container?.whole(line) }
        let label = label(of: line)
        return Whole(
            channel: .log, time: label?.milliseconds, text: (label?.length ?? 0)..<line.count,
            isDecoded: false)
    }

    /// `container` is how a container's runtime wrote them, if one did; `labels` may stand before
    /// lines of no container.
    init(
        container: ContainerFormat?, labels: LabelFormat?, multiline: Multiline?, longestPart: Int
    ) {
        self.container = container.map { ContainerReader($0, longestPart: longestPart) }
        self.labels = labels.map(LabelReader.init)
        self.multiline = multiline
    }

    /// The text of the last line is not in it as it is, but `decoded`.
    var isDecoded: Bool { container?.isDecoded ?? false }
    var decoded: [UInt8] { container?.decoded ?? [] }

    /// The frame's line; as it is, and marked as malformed, where it is none of the format.
    mutating func piece(
        _ line: Span<UInt8>, _ frame: Frame, _ events: inout OpenEvents, _ place: EventPlace
    ) -> EventPiece {
        let piece =
            container?.piece(line, frame, &events, place) ?? plain(line, frame, events, place)
        guard let multiline, !piece.isMalformed else { return piece }
        if isDecoded {
            let decoded = decoded
            return grouped(piece, decoded.span, multiline, events)
        }
        return grouped(piece, line.extracting(piece.text), multiline, events)
    }

    /// What stands before the text of a line of no container.
    mutating func label(of line: Span<UInt8>) -> LineLabel? { labels?.label(of: line) }

    private mutating func plain(
        _ line: Span<UInt8>, _ frame: Frame, _ events: OpenEvents, _ place: EventPlace
    ) -> EventPiece {
        var start = 0
        var time: Int64?
        if frame.flags.contains(.continuation) {
            time = events.continued(at: place)?.line.time
        } else if let label = label(of: line) {
            (start, time) = (label.length, label.milliseconds)
        }
        return EventPiece(
            line: EventLine(
                channel: .log, place: place, time: time, beginsEvent: false,
                endsEvent: !frame.isCut, isPartial: frame.isCut),
            text: start..<line.count, isPartial: false, isMalformed: false)
    }

    /// The same piece, as one of an event of several lines. Of a line in pieces the first one
    /// tells.
    private func grouped(
        _ piece: EventPiece, _ text: Span<UInt8>, _ multiline: Multiline, _ events: OpenEvents
    ) -> EventPiece {
        let line = piece.line
        let begins: Bool
        let ends: Bool
        let beginsLine = !events.isMidLine(line.channel)
        if beginsLine {
            (begins, ends) = multiline.place(of: text, before: events.joiner.lines(line.channel))
        } else {
            (begins, ends) = (false, events.isEnding(line.channel))
        }
        var grouped = EventPiece(
            line: EventLine(
                channel: line.channel, place: line.place, time: line.time, beginsEvent: begins,
                endsEvent: ends && !line.isPartial,
                isNewLine: beginsLine && !multiline.skipsNewline, beginsLine: beginsLine,
                isPartial: line.isPartial, attributes: line.attributes),
            text: piece.text, isPartial: piece.isPartial, isMalformed: false)
        grouped.endsEventWithLine = ends
        return grouped
    }
}
