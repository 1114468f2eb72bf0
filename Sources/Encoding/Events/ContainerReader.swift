import Model

/// Reads the frames of one batch as a container runtime wrote them.
struct ContainerReader {
    private let format: ContainerFormat
    private var cri = CRIReader()
    private var docker: DockerReader
    /// The text of the last line is not in it as it is, but `decoded`.
    private(set) var isDecoded = false
    var decoded: [UInt8] { docker.decoded }

    /// `longestPart`: bytes that a record has for its message, of which attributes may take a
    /// part.
    init(_ format: ContainerFormat, longestPart: Int = .max) {
        self.format = format
        docker = DockerReader(mostAttributes: longestPart / 4)
    }

    /// The frame's line; as it is, and marked as malformed, where it is none of the format.
    mutating func piece(
        _ line: Span<UInt8>, _ frame: Frame, _ events: inout OpenEvents, _ place: EventPlace
    ) -> EventPiece {
        isDecoded = false
        if frame.flags.contains(.continuation) { return rest(of: line, frame, events, place) }
        guard let read = read(line) else { return malformed(line, place) }
        return EventPiece(
            line: EventLine(
                channel: read.channel, place: place, time: read.milliseconds, beginsEvent: false,
                endsEvent: !read.isPartial && !frame.isCut,
                beginsLine: !events.isMidLine(read.channel),
                isPartial: read.isPartial || frame.isCut,
                attributes: docker.attributes),
            text: read.text, isPartial: read.isPartial, isMalformed: false)
    }

    /// As `EventReader.whole`.
    mutating func whole(_ line: Span<UInt8>) -> EventReader.Whole? {
        guard let read = read(line), !read.isPartial, docker.attributes.isEmpty else { return nil }
        return EventReader.Whole(
            channel: read.channel, time: read.milliseconds, text: read.text, isDecoded: isDecoded)
    }

    private mutating func read(_ line: Span<UInt8>) -> ContainerLine? {
        switch format {
        case .cri: return cri.read(line)
        case .docker:
            let read = docker.read(line)
            isDecoded = read != nil && docker.isDecoded
            return read
        }
    }

    /// A frame that goes on with a line has no beginning to be read.
    private func rest(
        of line: Span<UInt8>, _ frame: Frame, _ events: OpenEvents, _ place: EventPlace
    ) -> EventPiece {
        guard format == .cri, let before = events.continued(at: place) else {
            return malformed(line, place)
        }
        return EventPiece(
            line: EventLine(
                channel: before.line.channel, place: place, time: before.line.time,
                beginsEvent: false, endsEvent: !before.isPartial && !frame.isCut, beginsLine: false,
                isPartial: before.isPartial || frame.isCut),
            text: 0..<line.count, isPartial: before.isPartial, isMalformed: false)
    }

    private func malformed(_ line: Span<UInt8>, _ place: EventPlace) -> EventPiece {
        EventPiece(
            line: EventLine(
                channel: .log, place: place, time: nil, beginsEvent: true, endsEvent: true),
            text: 0..<line.count, isPartial: false, isMalformed: true)
    }
}
