import Kafka
import Model
import Platform
import Registry
import Tailer

/// What becomes of the Tailer's frames: credit, encoding, and the producer. Made and used on the
/// reader thread only.
final class ReaderOutput: TailerOutput {
    /// What all runs of the pipeline share; every part of it is Sendable.
    struct Parts: Sendable {
        let settings: Settings
        let registry: Registry
        let producer: Producer
        let budget: InFlightBudget
        let ledger: DeliveryLedger
        let counters: Counters
        let agent: AgentIdentity
        let events: EventLog
        /// Bytes of one record's value at the most.
        let longestRecord: Int
        /// What is known of volumes that have other numbers since the machine was started.
        var volumes = VolumeNumbers.sure
        /// Called when a reader has scanned each of its directories once.
        let scanned: @Sendable (Int) -> Void
    }

    private struct Stream {
        let lane: Lane
        let input: Int
    }

    private struct File {
        let stream: StreamID
        let generation: GenerationID
        /// As it was opened, for its records.
        let path: String
        let captures: [String: String]
        /// In an s6 log directory.
        let isS6: Bool
        let device: UInt64
        let inode: UInt64
        /// Logical minus physical offset.
        let base: Int
        /// The last bytes before the position, for the next batch's anchor.
        var anchor: Anchor
        /// When the last line was logged, if its label said so: parts of it may follow.
        var lineTime: Int64?
        /// What the next record takes, which begins there, once that was refused.
        var awaited: (offset: Int, credit: Int)?
    }

    private let parts: Parts
    private let territory: Territory?
    private let inputs: [InputPlan]
    private let tailing: [TailerInput]
    /// Streams with an open file; bounded by those.
    private var streams: [StreamID: Stream] = [:]
    /// Open files.
    private var files: [FileID: File] = [:]
    /// Encoders of files that were read lately: a thousand bytes each, so ten thousand quiet files
    /// have none. Nil for a file whose records could hold no line; its lines wait.
    private var encoders: [FileID: RecordEncoder?] = [:]
    private static let mostEncoders = 1024
    /// Streams that were saved before this run, with the devices of their files, by directory, until that
    /// is asked for: what is mounted late has its turn late.
    private var savedStreams: [ExactText: [ExactText: Set<UInt64>]]?
    private var places = EntryPlaces()
    private var hasScannedAll = false
    /// Saved files that are not where they were, until all directories were scanned:
    ///
    /// 1. While no agent runs, `a/app.log` is moved to `b/app.log`.
    /// 2. `a` is scanned first.
    ///
    /// At most as many as there are entries. Some were read by this run before they were missing.
    private var unlisted: [(entry: FileEntry, wasFollowed: Bool)] = []
    /// Inputs whose first scan ever this is: `start: end` is for what it finds.
    private let newInputs: Set<Int>

    /// What a slab holds; more streams share the credit the smaller it is, and less work is done
    /// for each batch the larger it is.
    static let slabSize = 256 * 1024
    /// What a batch costs beside its records: itself, its place in its lane, in the ledger and in
    /// the tracker.
    static let batchOverhead = 512
    /// A stream that cannot get this much credit waits.
    static let leastCredit = 4 * 1024

    /// Inputs whose first scan has not been.
    static func newInputs(_ settings: Settings, _ registry: Registry) -> Set<Int> {
        let damaged = registry.mustStartAtBeginning
        return Set(
            settings.inputs.indices.filter {
                settings.inputs[$0].start == .end && !damaged
                    && !registry.inputIsKnown(settings.inputs[$0].name)
            })
    }

    /// For one reader, which has this of all directories: everything, unless told otherwise.
    init(_ parts: Parts, territory: Territory? = nil, newInputs: Set<Int>? = nil) {
        self.parts = parts
        self.territory = territory
        self.newInputs = newInputs ?? Self.newInputs(parts.settings, parts.registry)
        inputs = parts.settings.inputs.map { InputPlan($0, parts.settings.output.kafka) }
        tailing = inputs.map(\.tailing)
    }

    // MARK: Files

    func opened(_ sighting: FileSighting, onlyIfKnown: Bool) -> FileStart? {
        let registry = parts.registry
        switch registry.find(identity: sighting.identity, head: sighting.head) {
        case .same(let entry):
            if entry.identity.device == sighting.identity.device { parts.volumes.opened(entry) }
            registry.headGrew(entry.file, head: sighting.begin)
            if !sighting.archived, !sighting.isS6,
                ExactText(sighting.path) == ExactText(sighting.streamName),
                ExactText(entry.stream) != ExactText(sighting.streamName)
            {
                // It is another log's live file now, and that is where the next run looks for it.
                registry.joined(entry.file, stream: sighting.streamName)
                registry.moved(entry.file, path: sighting.path, state: .active)
            }
            if ExactText(entry.path) != ExactText(sighting.path)
                || entry.state == .unreachable || entry.state == .deleted
                || (sighting.archived && entry.state == .active)
            {
                // With that state goes its last size.
                if sighting.archived, sighting.isS6, sighting.hasKnownSize {
                    parts.ledger.saveSize(entry.file, sighting.size)
                }
                registry.moved(
                    entry.file, path: sighting.path,
                    state: sighting.archived ? .archived : .active)
            }
            return start(entry, sighting, isKnown: true)
        case .otherContent(let entry):
            return start(entry, sighting, isKnown: true, isReplaced: true)
        case .none:
            if onlyIfKnown { return nil }
            return start(see(sighting), sighting, isKnown: false)
        }
    }

    private func see(_ sighting: FileSighting, readTo end: Int? = nil) -> FileEntry {
        for entry in parts.registry.displaced(by: sighting.identity)
        where hasScannedAll && files[entry.file] == nil && !parts.ledger.isFollowed(entry.file)
            && isMine(entry.path)
            && !directory(of: entry.path).elementsEqual(directory(of: sighting.path))
        {
            // In its own directory, or where its archives go, it may have been copied or compressed. Its
            // stream looks for that, be it later than this one:
            //
            // 1. While no agent runs, `b/app.log.1` is compressed, which gives its inode number back.
            // 2. The new `a/app.log` gets that, and is found first.
            // 3. Without its entry what was left of `b/app.log.1` would be nobody's.
            leave(entry)
        }
        let input = parts.settings.inputs[sighting.input]
        let isPast = sighting.firstScan && newInputs.contains(sighting.input)
        return parts.registry.see(
            NewFile(
                input: input.name, stream: sighting.streamName, path: sighting.path,
                identity: sighting.identity, fingerprint: Fingerprint.of(head: sighting.begin),
                // Where a compressed one ends is not known: with no bytes, it is read.
                offset: end ?? (isPast && sighting.hasKnownSize ? sighting.size : 0),
                size: end ?? (isPast && !sighting.hasKnownSize ? 0 : sighting.size),
                state: sighting.archived ? .archived : .active))
    }

    /// Another reader has what lies there.
    private func isMine(_ path: String) -> Bool { territory?.has(path) ?? true }

    private func directory(of path: String) -> Substring.UTF8View {
        guard let slash = path.utf8.lastIndex(of: UInt8(ascii: "/")) else { return path[...].utf8 }
        return path.utf8[..<slash]
    }

    func restarted(_ file: FileID, _ sighting: FileSighting) -> FileStart {
        let entry =
            parts.registry.truncated(
                file, identity: sighting.identity,
                fingerprint: Fingerprint.of(head: sighting.begin)) ?? see(sighting)
        let start = start(entry, sighting, isKnown: false)
        if sighting.hasKnownSize { parts.ledger.grew(start.file, size: sighting.size) }
        return start
    }

    func rewound(
        _ file: FileID, _ sighting: FileSighting, to place: Int, anchor: [UInt8]
    ) -> FileStart? {
        guard !parts.ledger.isOutstanding(file),
            let entry = parts.registry.rewritten(
                file, from: place, anchor: Anchor(bytes: anchor),
                fingerprint: Fingerprint.of(head: sighting.begin), size: sighting.size)
        else { return nil }
        return start(entry, sighting, isKnown: true)
    }

    func continued(
        _ file: FileID, in copy: FileSighting, _ live: FileSighting
    ) -> (copy: FileStart, live: FileStart)? {
        let fresh = NewFile(
            input: parts.settings.inputs[live.input].name, stream: live.streamName,
            path: live.path, identity: live.identity, fingerprint: Fingerprint.of(head: live.begin),
            offset: 0, size: live.size)
        guard
            let entries = parts.registry.continued(
                file, in: copy.identity, path: copy.path, size: size(of: copy, file), live: fresh)
        else { return nil }
        // What was seen last under this number is the size of the file that goes on.
        parts.ledger.grew(file, size: entries.copy.size)
        return (
            start(entries.copy, copy, isKnown: true), start(entries.live, live, isKnown: false)
        )
    }

    func relocated(_ file: FileID, to sighting: FileSighting) -> FileStart? {
        let entry = parts.registry.relocated(
            file, to: sighting.identity, path: sighting.path, size: size(of: sighting, file))
        guard let entry else { return nil }
        let start = start(entry, sighting, isKnown: true)
        // What was seen last under this number is the size of what was there.
        parts.ledger.grew(file, size: entry.size)
        return start
    }

    func succeeded(_ file: FileID, by sighting: FileSighting) -> Bool {
        parts.registry.relocated(
            file, to: sighting.identity, path: sighting.path, size: sighting.size, state: .active)
            != nil
    }

    func rest(of sighting: FileSighting, from place: Int?) -> FileStart {
        let end = place ?? (sighting.hasKnownSize ? sighting.size : 0)
        return start(see(sighting, readTo: end), sighting, isKnown: false)
    }

    /// What is to be saved as the size of the content of `file`, which goes on in another one. Until the
    /// end of a compressed one was reached that is more than the position: what was seen when it was
    /// none, or one byte.
    private func size(of sighting: FileSighting, _ file: FileID) -> Int {
        guard !sighting.hasKnownSize, let known = progress(of: file),
            let entry = parts.registry.entry(file)
        else { return sighting.size }
        return max(entry.size, sighting.size, known.position + 1)
    }

    private func start(
        _ entry: FileEntry, _ sighting: FileSighting, isKnown: Bool, isReplaced: Bool = false
    ) -> FileStart {
        let plan = inputs[sighting.input]
        if streams[sighting.stream] == nil {
            let names = plan.names(sighting.captures, stream: sighting.streamName)
            streams[sighting.stream] = Stream(
                lane: parts.producer.lane(topic: names.topic, key: names.key),
                input: sighting.input)
        }
        let (offset, anchor) = parts.ledger.begin(
            entry.file, entry.generation, at: entry.offset, anchor: entry.anchor)
        // It may have left since it was found; from now on it cannot.
        parts.registry.keep(entry)
        places.add(entry)
        files[entry.file] = File(
            stream: sighting.stream, generation: entry.generation, path: sighting.path,
            captures: sighting.captures, isS6: sighting.isS6, device: sighting.identity.device,
            inode: sighting.identity.inode, base: entry.base, anchor: anchor, lineTime: nil)
        encoders[entry.file] = nil
        return FileStart(
            file: entry.file, offset: offset, base: entry.base, anchor: anchor, isKnown: isKnown,
            size: entry.size, isReplaced: isReplaced)
    }

    func saved(_ stream: String) -> [SavedFile] {
        parts.registry.entries(ofStream: stream).map { entry in
            SavedFile(
                file: entry.file, identity: entry.identity, path: entry.path,
                position: entry.offset - entry.base, anchor: entry.anchor,
                hasHead: entry.fingerprint.length > 0,
                updated: entry.updated.nanoseconds, size: entry.size,
                isArchived: entry.state == .archived)
        }
    }

    func savedStreams(in directory: String, on device: UInt64) -> [SavedStream] {
        let directory = ExactText(directory)
        if savedStreams == nil {
            var streams: [ExactText: [ExactText: Set<UInt64>]] = [:]
            for entry in parts.registry.entries() {
                let (parent, stream) = EntryPlaces.log(of: entry)
                guard let parent else { continue }
                streams[parent, default: [:]][stream, default: []]
                    .insert(entry.identity.device)
            }
            savedStreams = streams
        }
        guard let streams = savedStreams?[directory] else { return [] }
        let absent = streams.filter { !$0.value.contains(device) }
        savedStreams?[directory] = absent.isEmpty ? nil : absent
        return streams.sorted { $0.key < $1.key }
            .map { SavedStream(path: $0.key.text, isOnDevice: $0.value.contains(device)) }
    }

    func formers(in directory: String, on device: UInt64) -> [FormerFile] {
        let directory = ExactText(directory)
        return places.entries(in: directory, of: parts.registry).compactMap { entry in
            // What is open is read where it is, and two must not read it.
            guard entry.identity.device != device, files[entry.file] == nil else { return nil }
            let isElsewhere = ExactText(entry.path).parent != directory
            return FormerFile(
                file: entry.file, inode: entry.identity.inode, isElsewhere: isElsewhere)
        }
    }

    func renumber(
        _ former: FormerFile, name: [UInt8], in directory: borrowing Descriptor
    ) throws(SystemError) {
        guard let entry = parts.registry.entry(former.file), files[former.file] == nil,
            entry.identity.inode == former.inode
        else { return }
        var identity: FileIdentity?
        if !former.isElsewhere {
            identity = try DeviceNumbers.identity(of: entry, as: name, in: directory)
        } else if isMine(entry.path) {
            identity = try DeviceNumbers.identity(of: entry)
        }
        guard let identity else { return }
        parts.registry.renumbered([entry.file: identity])
        let log = EntryPlaces.log(of: entry)
        if let parent = log.directory {
            savedStreams?[parent]?[log.path]?.insert(identity.device)
        }
    }

    func known(_ identity: FileIdentity, head: [UInt8]) -> FileID? {
        switch parts.registry.find(identity: identity, head: head) {
        case .same(let entry), .otherContent(let entry): entry.file
        case .none: nil
        }
    }

    func progress(of file: FileID) -> (stream: String, position: Int)? {
        guard let entry = parts.registry.entry(file) else { return nil }
        let end = parts.ledger.sentEnd(file, entry.generation) ?? entry.offset
        return (entry.stream, end - entry.base)
    }

    func content(of file: FileID, beginsAs head: [UInt8]) -> Bool {
        guard let entry = parts.registry.entry(file), entry.fingerprint.length > 0 else {
            return false
        }
        return entry.fingerprint.matches(head: head)
    }

    func skipped(_ file: FileID, bytes: Int) {
        let zeros = min(bytes, Anchor.longest)
        guard let earlier = files[file]?.anchor.bytes else { return }
        files[file]?.anchor = Anchor(
            bytes: earlier.suffix(Anchor.longest - zeros) + [UInt8](repeating: 0, count: zeros))
    }

    func grew(_ file: FileID, size: Int) {
        if let source = files[file] { parts.ledger.grew(file, size: size - source.base) }
    }

    func headGrew(_ file: FileID, head: [UInt8]) { parts.registry.headGrew(file, head: head) }

    func headChanged(_ file: FileID, head: [UInt8]) {
        parts.registry.headChanged(file, to: Fingerprint.of(head: head))
    }

    func moved(_ file: FileID, path: String, archived: Bool) {
        if archived, files[file]?.isS6 ?? false { parts.ledger.saveSize(file) }
        let former = parts.registry.entry(file).flatMap { ExactText($0.path).parent }
        parts.registry.moved(file, path: path, state: archived ? .archived : .active)
        if let entry = parts.registry.entry(file), ExactText(entry.path).parent != former {
            places.add(entry)
        }
    }

    func finished(_ file: FileID, end: Int) {
        close(file)
        // 1. A log that was read to its end is compressed. What was made of it may hold more.
        // 2. It is unpacked, and has no more: nothing is delivered that would save this with it.
        // 3. It is removed. One byte that never was would be counted as lost.
        if !parts.ledger.isOutstanding(file) { parts.ledger.saveSize(file) }
    }

    private func close(_ file: FileID) {
        files[file] = nil
        encoders[file] = nil
    }

    func gone(_ file: FileID) {
        close(file)
        parts.ledger.leave(file)
    }

    func unfollowed(_ file: FileID) {
        // Another stream may have found it by now.
        if files[file] == nil { parts.ledger.unfollow(file) }
    }

    func listed(
        _ stream: String, on devices: Set<UInt64>, isThere: (FileIdentity) -> Bool
    ) {
        for entry in parts.registry.entries(ofStream: stream)
        where files[entry.file] == nil && devices.contains(entry.identity.device)
            && !parts.ledger.isOutstanding(entry.file) && !isThere(entry.identity)
        {
            if hasScannedAll {
                leave(entry)
            } else {
                unlisted.append((entry, parts.ledger.isFollowed(entry.file)))
            }
        }
    }

    /// Those leave that were missing where they had been, and that no other directory had.
    private func leaveUnlisted() {
        for (earlier, wasFollowed) in unlisted {
            guard let entry = parts.registry.entry(earlier.file), files[entry.file] == nil,
                wasFollowed || !parts.ledger.isFollowed(entry.file),
                !parts.ledger.isOutstanding(entry.file), entry.identity == earlier.identity,
                ExactText(entry.path) == ExactText(earlier.path)
            else { continue }
            leave(entry)
        }
        unlisted = []
    }

    /// The file of an entry is no longer on the disk, and nobody has it open here; or it was moved to where no
    /// pattern leads, and may come back: a directory that is bound to another place (`mount --bind`) is not there for
    /// a while; or nobody knows whether that is its device. That one's entry stays, and what is unread of it
    /// counts as lost, once.
    private func leave(_ entry: FileEntry) {
        // The entry was looked up a moment ago: its last delivery may be saved only now.
        let delivered = max(entry.offset, parts.ledger.delivered(entry.file) ?? 0)
        let whereabouts = whereabouts(of: entry)
        if case .at(let place, _) = whereabouts,
            tailing.contains(where: { $0.reads(PathText.text(place)) })
        {
            // It is another log's by now, whose stream has the last word.
            return
        }
        if case .unknown = whereabouts, standsElsewhere(entry) { return }
        for event in GoneFile.events(entry, delivered: delivered, whereabouts) { report(event) }
        if isElsewhere(whereabouts) || !isSure(of: entry) {
            parts.registry.moved(entry.file, path: entry.path, state: .deleted)
            // Until it is deleted there, or comes back.
            parts.ledger.unfollow(entry.file)
        } else {
            parts.ledger.leave(entry.file)
        }
    }

    /// Whether the file stands under the name that its entry has, in another log's directory:
    ///
    /// 1. A file that was read is moved alone to the directory of another log, and is found there. Its entry stays
    ///    that of the log that it was.
    /// 2. The agent is started anew, and may not ask by handle. That log's directory does not list the file.
    /// 3. Taken for deleted, it would be sent again with the next start.
    private func standsElsewhere(_ entry: FileEntry) -> Bool {
        let directory = ExactText(entry.path).parent
        let stream = ExactText(entry.stream)
        guard directory != stream, directory != stream.parent, isMine(entry.path),
            tailing.contains(where: { $0.reads(entry.path) }), GoneFile.isUnderItsName(entry)
        else { return false }
        switch EntryLook(entry) {
        case .same, .packed: return true
        case .other, .unreachable: return false
        }
    }

    private func isElsewhere(_ whereabouts: Whereabouts) -> Bool {
        if case .at = whereabouts { true } else { false }
    }

    /// Whether its device is the one that it was on: this run has read it, or that is proven.
    private func isSure(of entry: FileEntry) -> Bool {
        parts.ledger.delivered(entry.file) != nil
            || parts.volumes.isSure(of: entry, mayLook: isMine)
    }

    /// Nothing is known of what lies with another reader, and may hang.
    private func whereabouts(of entry: FileEntry) -> Whereabouts {
        guard entry.path.utf8.first == UInt8(ascii: "/"), isMine(entry.path) else {
            return .unknown
        }
        let directory = String(directory(of: entry.path)) ?? ""
        return GoneFile.whereabouts(
            of: entry,
            from: directory.isEmpty ? Array("/".utf8) : PathText.bytes(of: directory))
    }

    func isElsewhere(_ file: FileID) -> Bool {
        guard let entry = parts.registry.entry(file) else { return false }
        if !isMine(entry.path) || GoneFile.isUnderItsName(entry) { return true }
        if case .at = whereabouts(of: entry) { return true }
        return false
    }

    func ended(_ stream: StreamID) {
        if let ended = streams.removeValue(forKey: stream) { parts.producer.close(ended.lane) }
        parts.budget.forget(stream)
    }

    func scannedAll() {
        hasScannedAll = true
        leaveUnlisted()
        let reader = territory?.reader ?? 0
        if reader == 0 {
            for input in parts.settings.inputs { parts.registry.inputScanned(input.name) }
            if parts.registry.mustStartAtBeginning { parts.registry.settled() }
        }
        parts.scanned(reader)
    }

    func report(_ event: TailerEvent) {
        parts.counters.count(event)
        parts.events.report(event)
    }

    // MARK: Lines

    func hasRoom(_ stream: StreamID) -> Bool {
        // Without a lane it has no file either.
        guard let lane = streams[stream]?.lane else { return true }
        let works = lane.works(now: Clock.monotonicNanoseconds())
        return parts.budget.canTake(
            stream, of: lane.destination, works: works, Self.leastCredit)
    }

    /// Whether its records could hold a line.
    func canTake(_ file: FileID) -> Bool {
        if case .some(.none) = encoders[file] { return false }
        return true
    }

    func take(_ file: FileID, _ chunk: Span<UInt8>, _ frames: [Frame]) -> Int {
        guard let source = files[file], let stream = streams[source.stream],
            let encoder = encoder(file, source, stream.input), let begin = frames.first?.offset
        else { return 0 }
        let readTime = Clock.wallNanoseconds()
        var position = FramePosition.start
        var offset = begin
        var lineTime = source.lineTime
        // Who takes less than what it waits for is served, and its turn is over.
        var least = Self.leastCredit
        if let awaited = source.awaited, awaited.offset == begin { least = awaited.credit }
        files[file]?.awaited = nil
        let overhead = stream.lane.overheadPerRecord
        while position.frame < frames.count {
            let credit = parts.budget.take(
                source.stream, of: stream.lane.destination,
                works: stream.lane.works(now: Clock.monotonicNanoseconds()), atLeast: least,
                atMost: max(least, Self.slabSize))
            guard credit > 0 else {
                if least > Self.leastCredit { files[file]?.awaited = (offset, least) }
                break
            }
            var slab = PayloadSlab(capacity: credit)
            var ends: [UInt32] = []
            // As many as there are lines, or as fit with nothing in them.
            ends.reserveCapacity(min(frames.count - position.frame, credit / overhead))
            var offsets: [UInt32] = []
            offsets.reserveCapacity(ends.capacity)
            let progress = encoder.encode(
                frames, from: position, of: chunk, readTime: readTime, lineTime: lineTime,
                into: slab, limit: credit, overhead: overhead, ends: &ends,
                offsets: &offsets)
            guard let reached = progress.position.offset(in: frames), reached > offset else {
                // Not even one record fits into so little.
                give(source.stream, stream.lane, back: credit)
                guard let needed = progress.needed, needed + overhead > least else {
                    break
                }
                least = needed + overhead
                continue
            }
            let spent = min(credit, slab.count + ends.count * overhead + Self.batchOverhead)
            if slab.count < slab.capacity / 2 { slab = slab.fitted() }
            give(source.stream, stream.lane, back: credit - spent)
            let range = ByteRange(start: offset, end: reached)
            let anchor = self.anchor(chunk, before: reached - begin, after: source.anchor)
            files[file]?.anchor = anchor
            lineTime = progress.lineTime
            files[file]?.lineTime = lineTime
            parts.ledger.sent(file, source.generation, range, anchor: anchor)
            parts.counters.sent(records: ends.count)
            parts.producer.send(
                RecordBatch(
                    lane: stream.lane, slab: slab, recordEnds: ends, file: file,
                    stream: source.stream, generation: source.generation, range: range,
                    anchor: anchor, credit: spent, recordOffsets: offsets))
            position = progress.position
            offset = reached
            least = Self.leastCredit
            if progress.isCut { break }
        }
        parts.counters.taken(offset - begin)
        return offset - begin
    }

    private func encoder(_ file: FileID, _ source: File, _ input: Int) -> RecordEncoder? {
        if let known = encoders[file] { return known }
        if encoders.count >= Self.mostEncoders { encoders.removeAll(keepingCapacity: true) }
        let plan = inputs[input]
        let template = RecordTemplate(
            path: source.path, captures: source.captures, device: source.device,
            inode: source.inode, generation: source.generation, node: parts.settings.node,
            fields: plan.fields, tags: plan.settings.tags, agent: parts.agent)
        var made: RecordEncoder?
        do {
            made = try plan.encoder(
                template, path: source.path, isS6: source.isS6,
                longestRecord: parts.longestRecord)
        } catch {
            parts.events.cannotEncode(error)
        }
        encoders[file] = .some(made)
        return made
    }

    private func give(_ stream: StreamID, _ lane: Lane, back bytes: Int) {
        // A stream that was refused is woken by the next delivery, or was this one.
        _ = parts.budget.giveBack(stream, of: lane.destination, bytes, unused: true)
    }

    /// The bytes before index `end` of the chunk; where it is shorter than an anchor, together with
    /// those before the chunk.
    private func anchor(_ chunk: Span<UInt8>, before end: Int, after earlier: Anchor) -> Anchor {
        var bytes: [UInt8] = []
        bytes.reserveCapacity(Anchor.longest)
        let fromChunk = min(end, Anchor.longest)
        bytes.append(contentsOf: earlier.bytes.suffix(Anchor.longest - fromChunk))
        for index in (end - fromChunk)..<end { bytes.append(chunk[index]) }
        return Anchor(bytes: bytes)
    }
}
