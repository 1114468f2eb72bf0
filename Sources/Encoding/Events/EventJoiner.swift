package import Model
package import Platform

/// Joins the lines of one log to events: container runtimes write a long line in pieces, and a
/// stack trace has many lines.
///
/// A pure value over lines. Whoever reads them says of each how it stands to the event before it
/// (`EventLine`), and is told what to do (`Step`); what is kept of lines is the text of events
/// that have not ended. There is one for each channel, and a channel's lines leave those of the
/// others alone.
///
/// An event ends with its last line, before the line that begins the next one, when it becomes as
/// long as one may be, or when nothing was added to it for a while. Of each file that it has lines
/// of it knows where the first one begins: the position of none of them moves over that while the
/// event is open (`low`), so a run that comes after a crash reads all of it again.
package struct EventJoiner: Sendable {
    /// How long an event may become, and how long it may be open.
    package struct Limits: Hashable, Sendable {
        /// Bytes of text.
        package var bytes: Int
        /// Bytes of text as a record has it.
        package var encoded: Int
        /// Pieces of one count, too.
        package var lines: Int
        /// Nanoseconds without another line.
        package var silence: Int64
        /// Nanoseconds from its first line, however many come.
        package var age: Int64

        package init(
            bytes: Int, encoded: Int, lines: Int = .max, silence: Int64 = 5_000_000_000,
            age: Int64 = 60_000_000_000
        ) {
            self.bytes = bytes
            self.encoded = encoded
            self.lines = lines
            self.silence = silence
            self.age = age
        }
    }

    /// What is to be done with a line.
    package enum Step: Hashable, Sendable {
        /// It is an event by itself, and nothing is kept of it; it belongs to an event that was
        /// handed over already where `isPart`.
        case whole(isPart: Bool)
        /// It was added to an event that goes on.
        case kept
        /// It was added to the open event, which ends with it: that is handed over, and then
        /// closed; or the line is taken back where that is not possible now.
        case ends
        /// The open event ends before it: that is handed over and closed, and the line is added
        /// after that. It is all of the event where it `isAtEnd`, else a part.
        case first(isAtEnd: Bool)
    }

    /// Files that one event may have lines of: more rotations than it takes to write a line.
    private static let mostPlaces = 8

    /// Those that have not ended, one for each channel at the most.
    private var open: [Event] = []
    /// Channels whose last line was not the end of its event, which was handed over all the same.
    private var cut: [Channel] = []
    /// How many were opened.
    private var begun = 0
    /// Memory of the last text that was handed over, for the next one; none between two chunks.
    private var spare: [UInt8] = []

    package init() {}

    /// Bytes of all text that is kept.
    package var bytes: Int { open.reduce(0) { $0 +| $1.text.count } }

    /// No event is open, whatever was cut.
    package var isEmpty: Bool { open.isEmpty }

    /// No event is open, and none was handed over in part.
    var isFresh: Bool { open.isEmpty && cut.isEmpty }

    /// As above, of a channel.
    func isFresh(_ channel: Channel) -> Bool {
        !cut.contains(channel) && !open.contains { $0.channel == channel }
    }

    /// The open event of a channel.
    package func event(_ channel: Channel) -> Event? { open.first { $0.channel == channel } }

    /// Whether the open event of a channel ends within a line; nil where none is open.
    func isMidLine(_ channel: Channel) -> Bool? {
        for index in open.indices where open[index].channel == channel {
            return open[index].isMidLine
        }
        return nil
    }

    /// How many lines the open event of a channel has; none where none is open.
    func lines(_ channel: Channel) -> Int {
        for index in open.indices where open[index].channel == channel { return open[index].lines }
        return 0
    }

    /// Whether a line is a further part of an event that was handed over in part, and of which
    /// nothing is open.
    func goesOn(_ line: EventLine) -> Bool {
        !line.beginsEvent && cut.contains(line.channel)
            && !open.contains { $0.channel == line.channel }
    }

    /// Adds a line of which `text` is what belongs to the event; `encoded` are the bytes that it
    /// takes in a record, and count only where it is kept or ends an event.
    package mutating func add(
        _ text: Span<UInt8>, _ line: EventLine, encoded: @autoclosure () -> Int, _ limits: Limits,
        now: MonotonicTime
    ) -> Step {
        let index = open.firstIndex { $0.channel == line.channel }
        guard let index else {
            if line.beginsEvent { cut.removeAll { $0 == line.channel } }
            let isPart = cut.contains(line.channel)
            if line.endsEvent {
                if isPart { cut.removeAll { $0 == line.channel } }
                return .whole(isPart: isPart)
            }
            // They are in each part of it.
            let size = encoded() +| line.attributeBytes
            guard text.count <= limits.bytes, size <= limits.encoded else {
                if !isPart { cut.append(line.channel) }
                return .whole(isPart: true)
            }
            begun += 1
            var memory: [UInt8] = []
            swap(&memory, &spare)
            memory.append(text)
            open.append(
                Event(memory, line, encoded: size, isPart: isPart, number: begun, now: now))
            return .kept
        }
        if line.beginsEvent { return .first(isAtEnd: !open[index].isMidLine) }
        let size = encoded()
        guard open[index].takes(text.count, size, line, limits, Self.mostPlaces) else {
            return .first(isAtEnd: false)
        }
        open[index].append(text, line, encoded: size, now: now)
        return line.endsEvent ? .ends : .kept
    }

    /// Undoes the `add` that ended the open event of a channel.
    package mutating func takeBack(_ channel: Channel) {
        guard let index = open.firstIndex(where: { $0.channel == channel }) else { return }
        open[index].takeBack()
    }

    /// The open event of a channel is handed over. Where it is not at its end, what comes of it yet
    /// is another part of it.
    ///
    /// 1. E begins, D begins, E ends. The position stands before D.
    /// 2. After a kill E's end is read again, and its beginning is not.
    ///
    /// So what was open at the end of another event that began before it waits before that, too.
    package mutating func close(_ channel: Channel, isAtEnd: Bool) {
        if let index = open.firstIndex(where: { $0.channel == channel }) {
            var closed = open.remove(at: index)
            for other in open.indices { open[other].outlived(closed) }
            spare = closed.takeText()
            spare.removeAll(keepingCapacity: true)
        }
        cut.removeAll { $0 == channel }
        if !isAtEnd { cut.append(channel) }
    }

    /// Memory that is kept for the next event only is given back.
    mutating func dropSpare() { spare = [] }

    /// Where the first line begins that an open event has in this generation of a file: what is
    /// behind it is not done with.
    package func low(of generation: GenerationID) -> LogicalOffset? {
        var low: LogicalOffset?
        for event in open {
            for place in event.places + event.earlier where place.generation == generation {
                low = min(low ?? place.offset, place.offset)
            }
        }
        return low
    }

    /// Channels whose event has been open for as long as one may be.
    package func overdue(_ now: MonotonicTime, _ limits: Limits) -> [Channel] {
        open.filter { $0.due(limits) <= now }.map(\.channel)
    }

    /// When the next event will have been open for as long as one may be.
    package func nextDue(_ limits: Limits) -> MonotonicTime? {
        open.map { $0.due(limits) }.min()
    }
}

/// Which of a container's two streams a line was written to; `log` for what is no container's.
package enum Channel: UInt8, Hashable, Sendable, CaseIterable {
    case log, stdout, stderr
}

/// How a line stands to the event before it.
package struct EventLine: Hashable, Sendable {
    /// Whose events it is joined to.
    package let channel: Channel
    /// Where it begins.
    package let place: EventPlace
    /// When it was written, in milliseconds since 1970, where it says so.
    package let time: Int64?
    /// What came before it is another event.
    package let beginsEvent: Bool
    /// What comes after it is another event.
    package let endsEvent: Bool
    /// It is a line of its own within the event, and no piece that goes on where the last one ends.
    package let isNewLine: Bool
    /// It is the first piece of its line, or all of it.
    package let beginsLine: Bool
    /// It is a piece that does not end its line.
    package let isPartial: Bool
    /// An object of strings that is to stand in the document; none as a rule.
    package let attributes: [UInt8]

    /// Bytes that those take in a document.
    var attributeBytes: Int { Self.bytes(of: attributes) }

    /// Bytes that attributes take in a document, with what stands around them.
    static func bytes(of attributes: [UInt8]) -> Int {
        attributes.isEmpty ? 0 : attributes.count + 32
    }

    package init(
        channel: Channel, place: EventPlace, time: Int64?, beginsEvent: Bool, endsEvent: Bool,
        isNewLine: Bool = false, beginsLine: Bool = true, isPartial: Bool = false,
        attributes: [UInt8] = []
    ) {
        self.channel = channel
        self.place = place
        self.time = time
        self.beginsEvent = beginsEvent
        self.endsEvent = endsEvent
        self.isNewLine = isNewLine
        self.beginsLine = beginsLine
        self.isPartial = isPartial
        self.attributes = attributes
    }
}

/// Where an event's line begins.
package struct EventPlace: Hashable, Sendable {
    /// By which the ledger knows it.
    package let file: FileID
    /// The life of the file's content that it is in.
    package let generation: GenerationID
    /// Of its first byte, as records have it.
    package let offset: LogicalOffset

    package init(file: FileID, generation: GenerationID, offset: LogicalOffset) {
        self.file = file
        self.generation = generation
        self.offset = offset
    }
}

extension EventJoiner {
    /// An event that has not ended.
    package struct Event: Sendable {
        /// That of all its lines.
        package let channel: Channel
        /// Of its first line.
        package let time: Int64?
        /// Those of its first line.
        package let attributes: [UInt8]
        /// Of all its lines, joined.
        package private(set) var text: [UInt8]
        /// Where its first line begins.
        package let place: EventPlace
        /// Where the first line in each further file begins that it has lines of.
        private var furtherPlaces: [EventPlace] = []
        /// A part of it was handed over before.
        package let isPart: Bool
        /// The end of its last line is not known.
        package private(set) var isMidLine: Bool
        /// Of all text, as a record has it; more than that where a character is cut by a piece's
        /// end.
        package private(set) var encoded: Int
        /// Lines that it has, each counted by its first piece.
        package private(set) var lines = 1
        /// Lines, and not pieces of one alone, are in it.
        package var isOfLines: Bool { lines > 1 }
        /// Where events begin that began before it and ended after that, in each of their files.
        fileprivate private(set) var earlier: [EventPlace] = []
        /// How many such events follow from one another.
        private var chain = 0
        /// In the order in which events were opened.
        private let number: Int
        private let began: MonotonicTime
        private var lastLine: MonotonicTime
        /// How it was before the last line.
        private var before:
            (
                count: Int, encoded: Int, places: Int, lines: Int, lastLine: MonotonicTime,
                isMidLine: Bool
            )

        fileprivate init(
            _ text: [UInt8], _ line: EventLine, encoded: Int, isPart: Bool, number: Int,
            now: MonotonicTime
        ) {
            channel = line.channel
            time = line.time
            attributes = line.attributes
            self.text = text
            place = line.place
            self.isPart = isPart
            isMidLine = line.isPartial
            self.encoded = encoded
            self.number = number
            began = now
            lastLine = now
            before = (0, 0, 0, 1, now, false)
        }

        /// Where the first line begins in each file that it has lines of, of its own file first.
        package var places: [EventPlace] { [place] + furtherPlaces }

        private func isIn(_ generation: GenerationID) -> Bool {
            place.generation == generation
                || furtherPlaces.contains { $0.generation == generation }
        }

        /// The text, which nobody asks for any more.
        fileprivate mutating func takeText() -> [UInt8] {
            var taken: [UInt8] = []
            swap(&taken, &text)
            return taken
        }

        /// Events of two channels may overlap without an end, and the position is to go on some
        /// time: after so many of them a kill may ship the rest of one by itself.
        private static let longestChain = 256

        /// Another one has ended.
        fileprivate mutating func outlived(_ other: Event) {
            guard other.number < number, other.chain < Self.longestChain else { return }
            chain = max(chain, other.chain + 1)
            for place in other.places + other.earlier {
                if let index = earlier.firstIndex(where: { $0.generation == place.generation }) {
                    if place.offset < earlier[index].offset { earlier[index] = place }
                } else {
                    earlier.append(place)
                }
            }
        }

        fileprivate func takes(
            _ count: Int, _ encoded: Int, _ line: EventLine, _ limits: Limits, _ mostPlaces: Int
        ) -> Bool {
            // A newline is two bytes in a record.
            let joint = line.isNewLine ? 1 : 0
            return (!line.beginsLine || lines < limits.lines) && text.count +| count +| joint
                <= limits.bytes
                && self.encoded +| encoded +| 2 * joint <= limits.encoded
                && (isIn(line.place.generation) || furtherPlaces.count + 1 < mostPlaces)
        }

        fileprivate mutating func append(
            _ more: Span<UInt8>, _ line: EventLine, encoded: Int, now: MonotonicTime
        ) {
            before = (text.count, self.encoded, furtherPlaces.count, lines, lastLine, isMidLine)
            if line.isNewLine {
                text.append(UInt8(ascii: "\n"))
                self.encoded += 2
            }
            text.append(more)
            self.encoded += encoded
            if line.beginsLine { lines += 1 }
            lastLine = now
            isMidLine = line.isPartial
            if !isIn(line.place.generation) { furtherPlaces.append(line.place) }
        }

        fileprivate mutating func takeBack() {
            text.removeLast(text.count - before.count)
            encoded = before.encoded
            furtherPlaces.removeLast(furtherPlaces.count - before.places)
            lastLine = before.lastLine
            isMidLine = before.isMidLine
            lines = before.lines
        }

        fileprivate func due(_ limits: Limits) -> MonotonicTime {
            min(lastLine + limits.silence, began + limits.age)
        }
    }
}
