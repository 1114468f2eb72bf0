import Glibc
import Model
import Patterns
import Platform
import Synchronization
import Testing

@testable import Tailer

/// An output that remembers what it was told, and positions over several runs, as the registry does.
final class RecordingOutput: TailerOutput, KnownFiles, Sendable {
    struct Saved {
        let id: FileID
        var identity: FileIdentity
        /// The first bytes, as far as they were seen.
        var head: [UInt8]
        var stream: String
        var path: String
        /// Of its content.
        var base: Base
        var offset: LogicalOffset
        var size: PhysicalOffset
        var anchor: [UInt8]
        var isFinished = false
        /// Where it ends, as that was told last while it was read.
        var end: LogicalOffset?
        var isGone = false

        /// Where the kernel has what is at `offset`.
        var physicalOffset: PhysicalOffset { base.physical(offset) }

        var file: SavedFile {
            SavedFile(
                file: id, identity: identity, path: path, position: physicalOffset,
                anchor: Anchor(bytes: anchor), hasHead: !head.isEmpty,
                updated: Timestamp(milliseconds: 0), size: size, base: base)
        }
    }

    struct State {
        var files: [Saved] = []
        /// Messages by stream name, in the order of arrival.
        var lines: [String: [[UInt8]]] = [:]
        var names: [StreamID: String] = [:]
        /// By stream name, the link that led to it.
        var links: [String: String] = [:]
        var events: [TailerEvent] = []
        /// Files whose fronts were about to be removed.
        var leaving: [FileID] = []
        var ended: [StreamID] = []
        var resting: Set<StreamID> = []
        /// Files of dormant streams, and how often one was dormant no longer.
        var asleep: Set<FileID> = []
        var woken = 0
        /// The links of those that had one.
        var wokenBy: [String] = []
        var scans = 0
        var hasRoom = true
        /// Calls of `take` since the last of `sendTaken`, and the most that there ever were.
        var unsent = 0
        var mostUnsent = 0
        /// Something that was taken is not delivered.
        var isOnItsWay = false
        var gone = 0
        var unfollowed: [FileID] = []
        /// Called once for each file that has a successor, before that is entered.
        var whenSucceeded: (@Sendable () -> Void)?
        /// Called whenever it is asked for a file of unknown name.
        var asked: @Sendable () -> Void = {}
        var bases: Bases

        mutating func see(_ sighting: FileSighting) -> FileStart {
            let id = FileID(number: files.count)
            let base = bases.next()
            files.append(
                Saved(
                    id: id, identity: sighting.identity, head: sighting.begin,
                    stream: sighting.streamName, path: sighting.path, base: base,
                    offset: base.start,
                    size: sighting.size, anchor: []))
            return FileStart(
                file: id, offset: base.start, base: base, anchor: .none, isKnown: false,
                size: sighting.size)
        }

        mutating func relocate(_ file: FileID, to sighting: FileSighting) -> FileStart {
            files[file.number].identity = sighting.identity
            files[file.number].path = sighting.path
            // Until the end of a compressed one is known, it has more than was read.
            files[file.number].size =
                sighting.hasKnownSize
                ? sighting.size
                : max(sighting.size, files[file.number].physicalOffset + 1)
            let saved = files[file.number]
            return FileStart(
                file: file, offset: saved.offset, base: saved.base,
                anchor: Anchor(bytes: saved.anchor), isKnown: true, size: saved.size)
        }
    }
    let state = Mutex(State(bases: Bases()))

    func opened(_ sighting: FileSighting, onlyIfKnown: Bool) -> FileStart? {
        state.withLock { state in
            state.names[sighting.stream] = sighting.streamName
            if let link = sighting.link { state.links[sighting.streamName] = link }
            if let known = state.files.last(where: { $0.identity == sighting.identity }) {
                return FileStart(
                    file: known.id, offset: known.offset, base: known.base,
                    anchor: Anchor(bytes: known.anchor), isKnown: true)
            }
            guard !onlyIfKnown else { return nil }
            return state.see(sighting)
        }
    }

    /// As if an earlier run had read a file to its end.
    func know(_ path: String, stream: String) throws {
        let descriptor = try Descriptor.open(path, O_RDONLY)
        let status = try descriptor.status()
        let identity = FileIdentity(of: descriptor, status)
        let head = try descriptor.read(count: Fingerprint.longest, at: 0)
        state.withLock { state in
            let base = state.bases.next()
            state.files.append(
                Saved(
                    id: FileID(number: state.files.count), identity: identity, head: head,
                    stream: stream, path: path, base: base, offset: base.logical(status.end),
                    size: status.end,
                    anchor: Array(head.suffix(Anchor.longest))))
        }
    }

    var knownFiles: any KnownFiles { self }

    func saved(_ stream: String) -> [SavedFile] {
        state.withLock { state in
            state.files.filter { ExactText($0.stream) == ExactText(stream) && !$0.isGone }
                .map(\.file)
        }
    }

    func saved(_ file: FileID) -> SavedFile? {
        state.withLock { state in
            state.files[file.number].isGone ? nil : state.files[file.number].file
        }
    }

    func savedStreams(in directory: String, on device: UInt64) -> [SavedStream] {
        state.withLock { state in
            Set(state.files.lazy.map(\.stream)).filter { stream in
                ExactText(stream).isBeneath(directory)
                    && !stream.dropFirst(directory.count + 1).contains("/")
            }.sorted().map { SavedStream(path: $0, isOnDevice: true) }
        }
    }

    func formers(in directory: String, on device: UInt64) -> [FormerFile] { [] }

    func renumber(_ former: FormerFile, name: [UInt8], in directory: borrowing Descriptor) {}

    func file(_ identity: FileIdentity, head: [UInt8]) -> FileID? {
        state.withLock { $0.asked }()
        return state.withLock { state in
            state.files.last { $0.identity == identity && !$0.isGone }?.id
        }
    }

    func progress(of file: FileID) -> (stream: String, position: PhysicalOffset)? {
        state.withLock { state in
            let saved = state.files[file.number]
            return saved.isGone ? nil : (saved.stream, saved.physicalOffset)
        }
    }

    func content(of file: FileID, beginsAs head: [UInt8]) -> Bool {
        state.withLock { state in
            let known = state.files[file.number].head
            return !known.isEmpty && head.starts(with: known)
        }
    }

    func restarted(_ file: FileID, _ sighting: FileSighting) -> FileStart {
        state.withLock { state in
            let base = state.bases.next()
            state.files[file.number].base = base
            state.files[file.number].offset = base.start
            state.files[file.number].anchor = []
            state.files[file.number].head = sighting.begin
            return FileStart(
                file: file, offset: base.start, base: base, anchor: .none, isKnown: false)
        }
    }

    func rewound(
        _ file: FileID, _ sighting: FileSighting, to place: LogicalOffset, anchor: [UInt8]
    ) -> FileStart? {
        state.withLock { state in
            guard !state.isOnItsWay else { return nil }
            let base = state.files[file.number].base
            #expect(place > base.start, "no logical offset")
            state.files[file.number].offset = place
            state.files[file.number].anchor = anchor
            state.files[file.number].head = sighting.begin
            return FileStart(
                file: file, offset: place, base: base, anchor: Anchor(bytes: anchor),
                isKnown: true)
        }
    }

    func headChanged(_ file: FileID, head: [UInt8]) { headGrew(file, head: head) }

    func continued(
        _ file: FileID, in copy: FileSighting, _ live: FileSighting
    ) -> (copy: FileStart, live: FileStart)? {
        state.withLock { state in
            (state.relocate(file, to: copy), state.see(live))
        }
    }

    func relocated(_ file: FileID, to sighting: FileSighting) -> FileStart? {
        state.withLock { $0.relocate(file, to: sighting) }
    }

    func inherited(_ file: FileID, by sighting: FileSighting) -> Bool {
        state.withLock { state in
            _ = state.relocate(file, to: sighting)
            state.files[file.number].stream = sighting.streamName
            return true
        }
    }

    func identity(of file: FileID) -> FileIdentity? {
        state.withLock { $0.files[file.number].isGone ? nil : $0.files[file.number].identity }
    }

    func isOnDisk(_ file: FileID) -> Bool { false }

    func origins(of sighting: FileSighting) -> [FileOrigin] { [] }

    func succeeded(_ file: FileID, by sighting: FileSighting) -> Bool {
        state.withLock { $0.whenSucceeded }?()
        return state.withLock { state in
            _ = state.relocate(file, to: sighting)
            return true
        }
    }

    func rest(of sighting: FileSighting, from place: PhysicalOffset?) -> FileStart {
        state.withLock { state in
            let start = state.see(sighting)
            let offset = start.base.logical(place ?? sighting.size)
            state.files[start.file.number].offset = offset
            return FileStart(
                file: start.file, offset: offset, base: start.base, anchor: .none, isKnown: false)
        }
    }

    func skipped(_ file: FileID, bytes: Int) {
        state.withLock { $0.files[file.number].offset += bytes }
    }

    func frontLeaves(_ file: FileID) { state.withLock { $0.leaving.append(file) } }

    func frontRemoved(_ file: FileID, base: Base) {
        state.withLock { $0.files[file.number].base = base }
    }

    func headGrew(_ file: FileID, head: [UInt8]) {
        state.withLock { $0.files[file.number].head = head }
    }

    func moved(_ file: FileID, path: String, archived: Bool) {
        state.withLock { $0.files[file.number].path = path }
    }

    func hasRoom(_ stream: StreamID) -> Bool { state.withLock { $0.hasRoom } }

    func canTake(_ file: FileID) -> Bool { true }

    func take(_ file: FileID, _ chunk: Span<UInt8>, _ frames: [Frame]) -> Int {
        var messages: [[UInt8]] = []
        for frame in frames {
            var message: [UInt8] = []
            for index in frame.start..<(frame.start + frame.count) { message.append(chunk[index]) }
            messages.append(message)
        }
        let consumed = frames.reduce(0) { $0 + $1.length }
        var anchor: [UInt8] = []
        for index in max(0, consumed - 64)..<consumed { anchor.append(chunk[index]) }
        state.withLock { state in
            #expect(frames.first?.offset == state.files[file.number].offset)
            state.files[file.number].offset += consumed
            anchor = (state.files[file.number].anchor + anchor).suffix(64)
            state.files[file.number].anchor = anchor
            state.lines[state.files[file.number].stream, default: []] += messages
            state.unsent += 1
            state.mostUnsent = max(state.mostUnsent, state.unsent)
        }
        return consumed
    }

    func endOverdue(_ now: MonotonicTime) -> MonotonicTime? { nil }

    func endEvents() {}

    func sendTaken() { state.withLock { $0.unsent = 0 } }

    func finished(_ file: FileID, end: LogicalOffset) {
        state.withLock { state in
            #expect(end >= state.files[file.number].base.start, "no logical offset")
            state.files[file.number].isFinished = true
        }
    }
    func gone(_ file: FileID) {
        state.withLock { state in
            state.gone += 1
            state.files[file.number].isGone = true
        }
    }
    func unfollowed(_ file: FileID) {
        state.withLock { $0.unfollowed.append(file) }
    }
    func isElsewhere(_ file: FileID) -> Bool { false }
    func listed(
        _ stream: String, on devices: Set<UInt64>, isThere: (FileIdentity) -> Bool
    ) {}
    func grew(_ file: FileID, size: LogicalOffset) {
        state.withLock { state in
            #expect(size >= state.files[file.number].base.start, "no logical size")
            state.files[file.number].end = size
        }
    }
    func rests(_ stream: StreamID) { state.withLock { _ = $0.resting.insert(stream) } }

    func sleeps(_ stream: StreamID, _ file: FileID) -> SleepNote? {
        state.withLock { state in
            guard !state.isOnItsWay else { return nil }
            state.asleep.insert(file)
            return SleepNote(shared: nil, code: UInt8(truncatingIfNeeded: file.number))
        }
    }

    func wakes(_ sleeper: Sleeper) {
        state.withLock { state in
            #expect(state.asleep.remove(sleeper.file) != nil, "it was not asleep")
            #expect(sleeper.note.code == UInt8(truncatingIfNeeded: sleeper.file.number))
            state.names[sleeper.stream] = sleeper.name
            state.woken += 1
            if let link = sleeper.link { state.wokenBy.append(link) }
        }
    }

    func leaves(_ sleeper: Sleeper) {
        state.withLock { state in
            #expect(state.asleep.remove(sleeper.file) != nil, "it was not asleep")
            state.ended.append(sleeper.stream)
        }
    }

    func anchor(of file: FileID) -> [UInt8] {
        state.withLock { state in state.files.first { $0.id == file }?.anchor ?? [] }
    }

    func ended(_ stream: StreamID) { state.withLock { $0.ended.append(stream) } }
    func scannedAll() { state.withLock { $0.scans += 1 } }
    func report(_ event: TailerEvent) {
        state.withLock { state in state.events.append(state.bases.whole(event)) }
    }

    /// All messages as text, of all streams or of one.
    func texts(_ stream: String? = nil) -> [String] {
        state.withLock { state in
            let streams = stream.map { [$0] } ?? state.lines.keys.sorted()
            return streams.flatMap { state.lines[$0] ?? [] }
                .map { String(decoding: $0, as: UTF8.self) }
        }
    }
    var count: Int { state.withLock { $0.lines.values.reduce(0) { $0 + $1.count } } }
}

/// A Tailer over patterns in one directory.
func startTailer(
    _ output: RecordingOutput, _ paths: [String], exclude: [String] = [], maxLine: Int = 1024,
    once: Bool = false, openFiles: Int = 1000, watches: Int = 1000, watchedScan: Int64? = nil,
    sweep: Int64 = 5_000_000, linkRoots: [String] = [],
    _ change: (inout TailerIntervals) -> Void = { _ in }
) throws -> Tailer {
    var intervals = TailerIntervals()
    intervals.unwatchedScan = 50_000_000
    intervals.slowestPoll = 40_000_000
    intervals.idle = 200_000_000
    if let watchedScan { intervals.watchedScan = watchedScan }
    change(&intervals)
    return try Tailer(
        inputs: [
            TailerInput(
                name: "test", paths: try paths.map { try PathPattern($0) },
                exclude: try exclude.map { try PathGlob($0) }, maxLine: maxLine,
                linkRoots: linkRoots, sweep: sweep)
        ],
        once: once, intervals: intervals, openFiles: openFiles, heldBytes: 1 << 30,
        watches: watches,
        output: { output },
        ended: { error in if let error { Issue.record("\(error)") } })
}
