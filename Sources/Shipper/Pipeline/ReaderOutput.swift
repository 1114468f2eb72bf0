import Encoding
import Kafka
import Model
import Platform
import Registry
import Settings
import Tailer

/// Takes the Tailer's frames: credit, encoding, and the producer. It knows the open files; the
/// memory of all files is its `FileMemory`. Made and used on the reader thread only.
final class ReaderOutput: TailerOutput {
    /// The parts that all readers share; each of them is Sendable.
    struct Parts: Sendable {
        let settings: Settings
        let registry: Registry
        let producer: Producer
        let budget: InFlightBudget
        let ledger: DeliveryLedger
        let counters: Counters
        let agent: AgentIdentity
        let events: EventLog
        let topics: TopicPool
        /// Bytes of one record's value at the most.
        let longestRecord: Int
        /// The volumes that have other numbers since the machine was started, as far as that is
        /// known.
        var volumes = VolumeNumbers.sure
        /// The wall clock; tests have one of their own.
        var now: @Sendable () -> Timestamp = Timestamp.now
        /// Called when a reader has scanned each of its directories once.
        let scanned: @Sendable (Int) -> Void

        /// Counts an event of the Tailer's, or of its kind, and logs it.
        func report(_ event: TailerEvent) {
            counters.count(event)
            events.report(event)
        }
    }

    struct Stream {
        /// None before its first line, and while it rests.
        var lane: Lane?
        /// Of the topic that it leads to; nil while it has none.
        var share: TopicShare?
        let input: Int
        /// What its key is made of.
        let name: String
        let captures: [String: String]
        /// Where its topic is that of a day.
        var days = StreamDays()
        /// Where its lines are joined; nil until one is.
        var events: StreamEvents?
    }

    /// A class, so that a batch changes it where it is: with a value in the dictionary each change
    /// would be a search and a copy.
    final class File {
        let stream: StreamID
        let generation: GenerationID
        /// As it was opened, for its records: the link's, where one leads to it.
        let path: String
        let device: UInt64
        let inode: UInt64
        var base: Base
        /// The last bytes before the position, for the next batch's anchor.
        var anchor: Anchor
        /// When the last line was logged, if its label said so: parts of it may follow.
        var lineTime: Int64?
        /// Whether rules left it out: so they do its parts.
        var leavesLineOut = false
        /// In an s6 log directory.
        let isS6: Bool
        /// As its byte order mark has it, where the input's may have one.
        var encoding: TextEncoding
        /// How a container runtime wrote it, if one did.
        var container: ContainerFormat?
        /// Nothing of it was read, and its first bytes tell how it is written.
        var isUndecided = false
        /// A line of it is not like that, and that was told.
        var hasMalformed = false
        /// The same of a line that was to be members of its document.
        var hasUndecoded = false

        init(
            _ entry: FileEntry, _ sighting: FileSighting, anchor: Anchor, _ encoding: TextEncoding
        ) {
            self.encoding = encoding.resolved(head: sighting.head.span)
            stream = sighting.stream
            generation = entry.generation
            path = sighting.link ?? sighting.path
            device = sighting.identity.device
            inode = sighting.identity.inode
            base = entry.base
            self.anchor = anchor
            isS6 = sighting.isS6
        }

        /// One of a stream that was dormant.
        init(
            _ entry: FileEntry, of stream: StreamID, path: String, anchor: Anchor,
            _ encoding: TextEncoding
        ) {
            self.encoding = encoding
            self.stream = stream
            generation = entry.generation
            self.path = path
            device = entry.identity.device
            inode = entry.identity.inode
            base = entry.base
            self.anchor = anchor
            isS6 = false
        }
    }

    let parts: Parts
    let territory: Territory?
    let inputs: [InputPlan]
    let memory: FileMemory
    /// Of lines that are no UTF-8; lends its memory from chunk to chunk.
    private var decoder = LineDecoder()
    /// Streams with an open file; bounded by those.
    var streams = DenseTable<StreamID, Stream>()
    /// When streams were last gone through whose topic is that of a day.
    var today = Int.min
    /// Open files.
    var files: [FileID: File] = [:]
    /// The credit that a file's next record takes, which begins there, once it was refused. Few
    /// files have such a record.
    var awaited: [FileID: (offset: LogicalOffset, credit: Int)] = [:]
    /// Encoders of files that were read lately: a thousand bytes each, so ten thousand quiet files
    /// have none. Nil for a file whose records could hold no line; its lines wait.
    var encoders: [FileID: Encoder?] = [:]
    struct Encoder {
        let records: RecordEncoder
        let headers: RecordHeaders
    }
    private static let mostEncoders = 1024
    /// Streams that have a lane. When there are so many, those with nothing on its way rest; then
    /// twice as many as are left may come, so that going through all of them is seldom.
    private var lanes = 0
    private var mostLanes = fewLanes
    /// Half a kilobyte each.
    private static let fewLanes = 4_096
    /// Streams with open events.
    var openEvents = OpenStreams()
    /// Batches that were taken and are not sent yet, in order, and their bytes: less than a slab,
    /// and the turns between two calls of `sendTaken`.
    private var taken: [RecordBatch] = []
    private var takenBytes = 0

    /// Bytes of a slab; more streams share the credit the smaller it is, and less work is done for
    /// each batch the larger it is.
    static let slabSize = 256 * 1024
    /// Bytes that a batch costs beside its records: itself, its place in its lane, in the ledger
    /// and in the tracker.
    static let batchOverhead = 512
    /// A stream that cannot get this much credit waits.
    static let leastCredit = 4 * 1024

    /// For one reader, which has this of all directories: everything, unless told otherwise.
    init(_ parts: Parts, territory: Territory? = nil, newInputs: Set<Int>? = nil) {
        self.parts = parts
        self.territory = territory
        inputs = parts.settings.inputs.map { InputPlan($0, parts.settings.output.kafka) }
        memory = FileMemory(
            parts, territory: territory, newInputs: newInputs, tailing: inputs.map(\.tailing))
    }

    // MARK: Files

    var knownFiles: any KnownFiles { memory }

    func opened(_ sighting: FileSighting, onlyIfKnown: Bool) -> FileStart? {
        guard let found = memory.opened(sighting, onlyIfKnown: onlyIfKnown) else { return nil }
        return start(
            found.entry, sighting, isKnown: found.isKnown, isReplaced: found.isReplaced)
    }

    func restarted(_ file: FileID, _ sighting: FileSighting) -> FileStart {
        let start = start(memory.restarted(file, sighting), sighting, isKnown: false)
        if sighting.hasKnownSize { parts.ledger.grew(start.file, size: sighting.size) }
        return start
    }

    func rewound(
        _ file: FileID, _ sighting: FileSighting, to place: LogicalOffset, anchor: [UInt8]
    ) -> FileStart? {
        memory.rewound(file, sighting, to: place, anchor: anchor)
            .map { start($0, sighting, isKnown: true) }
    }

    func continued(
        _ file: FileID, in copy: FileSighting, _ live: FileSighting
    ) -> (copy: FileStart, live: FileStart)? {
        guard let entries = memory.continued(file, in: copy, live) else { return nil }
        return (
            start(entries.copy, copy, isKnown: true), start(entries.live, live, isKnown: false)
        )
    }

    func relocated(_ file: FileID, to sighting: FileSighting) -> FileStart? {
        guard let entry = memory.relocated(file, to: sighting) else { return nil }
        let start = start(entry, sighting, isKnown: true)
        // What was seen last under this number is the size of what was there.
        parts.ledger.grew(file, size: entry.size)
        return start
    }

    func inherited(_ file: FileID, by sighting: FileSighting) -> Bool {
        memory.inherited(file, by: sighting)
    }

    func succeeded(_ file: FileID, by sighting: FileSighting) -> Bool {
        memory.succeeded(file, by: sighting)
    }

    func rest(of sighting: FileSighting, from place: PhysicalOffset?) -> FileStart {
        let end = place ?? (sighting.hasKnownSize ? sighting.size : .start)
        return start(memory.see(sighting, readTo: end), sighting, isKnown: false)
    }

    private func start(
        _ entry: FileEntry, _ sighting: FileSighting, isKnown: Bool, isReplaced: Bool = false
    ) -> FileStart {
        let plan = inputs[sighting.input]
        if streams[sighting.stream] == nil {
            var stream = Stream(
                input: sighting.input, name: sighting.streamName, captures: sighting.captures)
            // Which day's it is, its first line says.
            if !plan.isDated {
                stream.share = parts.topics.enter(names(of: stream).topic).map {
                    parts.producer.join($0)
                }
            }
            streams[sighting.stream] = stream
        }
        let (offset, anchor) = parts.ledger.begin(
            entry.file, entry.generation, at: entry.offset, anchor: entry.anchor)
        memory.begin(entry, isS6: sighting.isS6)
        let opened = File(entry, sighting, anchor: anchor, plan.settings.encoding)
        opened.container = plan.container(isS6: sighting.isS6, head: sighting.head.span)
        opened.isUndecided =
            plan.guesses(isS6: sighting.isS6) && offset <= entry.base.start
        files[entry.file] = opened
        awaited[entry.file] = nil
        encoders[entry.file] = nil
        return FileStart(
            file: entry.file, offset: offset, base: entry.base, anchor: anchor,
            isKnown: isKnown, size: entry.size, isReplaced: isReplaced)
    }

    func grew(_ file: FileID, size: LogicalOffset) {
        if let source = files[file] { parts.ledger.grew(file, size: source.base.physical(size)) }
    }

    // What was seen of its end is counted from a byte that goes.
    func frontLeaves(_ file: FileID) { parts.ledger.forgetSize(file) }

    func frontRemoved(_ file: FileID, base: Base) { files[file]?.base = base }

    func headGrew(_ file: FileID, head: [UInt8]) { memory.headGrew(file, head: head) }

    func headChanged(_ file: FileID, head: [UInt8]) { memory.headChanged(file, head: head) }

    func renumber(
        _ former: FormerFile, name: [UInt8], in directory: borrowing Descriptor
    ) throws(SystemError) {
        try memory.renumber(former, name: name, in: directory)
    }

    func moved(_ file: FileID, path: String, archived: Bool) {
        memory.moved(file, path: path, archived: archived)
    }

    func finished(_ file: FileID, end: LogicalOffset) {
        close(file)
        // 1. A log that was read to its end is compressed. What was made of it may hold more.
        // 2. It is unpacked, and has no more: nothing is delivered that would save this with it.
        // 3. It is removed. One byte that never was would be counted as lost.
        if !parts.ledger.isOutstanding(file) { parts.ledger.saveSize(file) }
    }

    private func close(_ file: FileID) {
        files[file] = nil
        awaited[file] = nil
        encoders[file] = nil
        memory.end(file)
    }

    func gone(_ file: FileID) {
        if parts.ledger.isKeptBack(file) { endEvents(in: file) }
        close(file)
        parts.ledger.leave(file)
    }

    func unfollowed(_ file: FileID) { memory.unfollowed(file) }

    func listed(
        _ stream: String, on devices: Set<UInt64>, isThere: (FileIdentity) -> Bool
    ) {
        memory.listed(stream, on: devices, isThere: isThere)
    }

    func skipped(_ file: FileID, bytes: Int) {
        let zeros = min(bytes, Anchor.longest)
        guard let source = files[file] else { return }
        let earlier = source.anchor.bytes
        source.anchor = Anchor(
            bytes: earlier.suffix(Anchor.longest - zeros) + [UInt8](repeating: 0, count: zeros))
    }

    func ended(_ stream: StreamID) {
        endEvents(of: stream)
        // What has no topic now is read again by a later run: the position stands before it.
        openEvents.note(stream, nil, due: nil)
        // Nothing is sent on a lane that is closed.
        sendTaken()
        leaveTopic(stream)
        streams[stream] = nil
        parts.budget.forget(stream)
    }

    /// What is on its way is delivered all the same. The topic `isOver` where it is that of a day
    /// which is.
    func leaveTopic(_ id: StreamID, isOver: Bool = false) {
        guard let stream = streams[id], let share = stream.share else { return }
        if let lane = stream.lane {
            parts.producer.close(lane)
            lanes -= 1
        } else {
            parts.producer.leave(share)
        }
        parts.topics.leave(names(of: stream).topic, share.name, isOver: isOver)
        streams[id]?.lane = nil
        streams[id]?.share = nil
    }

    func rests(_ stream: StreamID) {
        // A lane that is to get records is empty until they are sent.
        sendTaken()
        // One with records on their way is needed until they are there.
        guard let lane = streams[stream]?.lane, lane.isEmpty else { return }
        streams[stream]?.lane = nil
        lanes -= 1
        parts.producer.rest(lane)
    }

    func anchor(of file: FileID) -> [UInt8] { files[file]?.anchor.bytes ?? [] }

    /// 1. An agent starts on a node with a hundred thousand files.
    /// 2. It reads all of them before the first has been quiet for seconds.
    ///
    /// What each of their lanes takes at that moment would never be given back.
    private func restLanes() {
        for stream in streams.allKeys { rests(stream) }
        mostLanes = max(Self.fewLanes, 2 * lanes)
    }

    /// The way of a stream's records, made anew where it has rested.
    func lane(_ id: StreamID, _ stream: Stream, on share: TopicShare) -> Lane {
        if let lane = stream.lane { return lane }
        let key = names(of: stream).key
        if lanes >= mostLanes { restLanes() }
        let lane = parts.producer.lane(on: share, key: key)
        streams[id]?.lane = lane
        lanes += 1
        return lane
    }

    func scannedAll() {
        memory.scannedAll()
        let reader = territory?.reader ?? 0
        if reader == 0 {
            for input in parts.settings.inputs { parts.registry.inputScanned(input.name) }
            if parts.registry.mustStartAtBeginning { parts.registry.settled() }
        }
        parts.scanned(reader)
    }

    func report(_ event: TailerEvent) { parts.report(event) }

    // MARK: Lines

    func hasRoom(_ stream: StreamID) -> Bool {
        // Who is no stream has no file either.
        guard let known = streams[stream] else { return true }
        if inputs[known.input].isDated {
            if known.days.awaitsEnd, !isDelivered(stream) { return false }
            // Which topic it is the next line says.
            if known.days.day == nil { return parts.budget.canTake(stream, Self.leastCredit) }
        }
        guard let share = share(stream, known) else { return false }
        let works = share.works(now: Clock.monotonicNanoseconds())
        return parts.budget.canTake(
            stream, of: share.destination, works: works, Self.leastCredit)
    }

    /// Of the topic of a stream; nil while it has none, which is asked for each time.
    func share(_ id: StreamID, _ stream: Stream, isAgain: Bool = true) -> TopicShare? {
        if let share = stream.share { return share }
        guard let topic = parts.topics.enter(names(of: stream).topic, isAgain: isAgain) else {
            return nil
        }
        let share = parts.producer.join(topic)
        streams[id]?.share = share
        streams[id]?.days.isLive = stream.days.day == parts.now().day
        return share
    }

    func names(of stream: Stream) -> (topic: TopicPool.Wish, key: [UInt8]) {
        inputs[stream.input].names(
            stream.captures, stream: stream.name, day: stream.days.day ?? 0)
    }

    /// Whether its records could hold a line.
    func canTake(_ file: FileID) -> Bool {
        if case .some(.none) = encoders[file] { return false }
        return true
    }

    func take(_ file: FileID, _ chunk: Span<UInt8>, _ frames: [Frame]) -> Int {
        guard let source = files[file], let stream = streams[source.stream],
            let first = frames.first
        else { return 0 }
        if source.encoding.isUTF8 { return take(file, source, stream, chunk, chunk, frames) }
        if first.offset.bytes == 0 { source.encoding = source.encoding.resolved(head: chunk) }
        guard let encoder = encoder(file, source, stream) else { return 0 }
        // It leaves its memory to the next chunk.
        var lines = LineDecoder()
        swap(&lines, &decoder)
        defer { swap(&lines, &decoder) }
        let isDecoded = lines.decode(
            frames, of: chunk, from: source.encoding, longest: encoder.records.longestText,
            codec: inputs[stream.input].codec)
        guard isDecoded else {
            parts.events.cannotDecode(source.path, source.encoding.name)
            return 0
        }
        return take(file, source, stream, chunk, lines.text.span, lines.frames)
    }

    /// Takes `frames`, whose bytes are in `text`, and which lie in the file where those of `chunk`
    /// do.
    private func take(
        _ file: FileID, _ source: File, _ stream: Stream, _ chunk: Span<UInt8>,
        _ text: Span<UInt8>, _ frames: [Frame]
    ) -> Int {
        guard let begin = frames.first?.offset else { return 0 }
        if source.isUndecided { decide(file, source, inputs[stream.input], text) }
        guard let encoder = encoder(file, source, stream) else { return 0 }
        let isDated = inputs[stream.input].isDated
        let readTime = parts.now().nanoseconds
        if encoder.records.joins {
            guard let lane = eventLane(source.stream, stream, readTime) else { return 0 }
            return takeEvents(of: source, file, by: encoder, lane, chunk, text, frames)
        }
        var way = isDated ? nil : way(source.stream, stream)
        guard way != nil || isDated else { return 0 }
        var position = FramePosition.start
        var offset = begin
        var lineTime = source.lineTime
        var leavesLineOut = source.leavesLineOut
        let before = source.anchor
        // Who takes less than what it waits for is served, and its turn is over.
        var least = Self.leastCredit
        if let awaited = awaited.removeValue(forKey: file), awaited.offset == begin {
            least = awaited.credit
        }
        while position.frame < frames.count {
            if isDated {
                way = self.way(
                    source.stream,
                    at: encoder.records.time(
                        of: frames[position.frame], in: text, readTime: readTime,
                        lineTime: lineTime))
            }
            guard let (lane, until) = way else { break }
            let overhead = lane.overheadPerRecord + encoder.headers.overhead
            // A slab of a few lines is as large as those: one of the full size would be taken from
            // the system and given back for each of them.
            let expected = encoder.records.expectedSize(
                lines: frames.count - position.frame, bytes: max(0, text.count - (offset - begin)),
                overhead: overhead)
            let credit = parts.budget.take(
                source.stream, of: lane.destination,
                works: lane.works(now: Clock.monotonicNanoseconds()), atLeast: least,
                atMost: max(least, min(expected + Self.batchOverhead, Self.slabSize)))
            guard credit > 0 else {
                if least > Self.leastCredit { awaited[file] = (offset, least) }
                break
            }
            var slab = PayloadSlab(capacity: credit)
            var ends: [UInt32] = []
            // As many as there are lines, or as fit with nothing in them.
            ends.reserveCapacity(min(frames.count - position.frame, credit / overhead))
            var offsets: [UInt32] = []
            offsets.reserveCapacity(ends.capacity)
            let progress = encoder.records.encode(
                frames, from: position, of: text, readTime: readTime, lineTime: lineTime,
                leavesLineOut: leavesLineOut, until: until, into: slab, limit: credit,
                overhead: overhead, ends: &ends, offsets: &offsets)
            guard let reached = progress.position.offset(in: frames), reached > offset else {
                // Not even one record fits into so little.
                give(source.stream, lane, back: credit)
                guard let needed = progress.needed, needed + overhead > least else {
                    break
                }
                least = needed + overhead
                continue
            }
            let spent = min(credit, slab.count + ends.count * overhead + Self.batchOverhead)
            if slab.count < slab.capacity / 2 { slab = slab.fitted() }
            give(source.stream, lane, back: credit - spent)
            let range = ByteRange(start: offset, end: reached)
            let anchor = self.anchor(chunk, before: reached - begin, after: before)
            source.anchor = anchor
            lineTime = progress.lineTime
            source.lineTime = lineTime
            leavesLineOut = progress.leavesLineOut
            source.leavesLineOut = leavesLineOut
            tell(progress.counts, of: source, inputs[stream.input])
            parts.ledger.sent(file, source.generation, range, anchor: anchor)
            parts.counters.sent(records: ends.count)
            send(
                RecordBatch(
                    lane: lane, slab: slab, recordEnds: ends, file: file,
                    stream: source.stream, generation: source.generation, range: range,
                    anchor: anchor, credit: spent, recordOffsets: offsets,
                    headers: encoder.headers))
            position = progress.position
            offset = reached
            least = Self.leastCredit
            if progress.isCut { break }
        }
        parts.counters.taken(offset - begin)
        return offset - begin
    }

    /// What rules did, and the first line of a file that was to be members of its document and is
    /// none.
    func tell(_ counts: LineCounts, of source: File, _ plan: InputPlan) {
        parts.counters.ruled(counts)
        guard let first = counts.firstUndecoded, !source.hasUndecoded else { return }
        source.hasUndecoded = true
        guard plan.tellsUndecoded else { return }
        parts.events.malformed(source.path, offset: first, format: "json")
    }

    func send(_ batch: RecordBatch) {
        taken.append(batch)
        takenBytes += batch.slab.count
        if takenBytes >= Self.slabSize { sendTaken() }
    }

    /// Batches go to the client in one go: it wakes its threads for the first record of each
    /// partition, and sends what comes to the partition shortly after along with that.
    func sendTaken() {
        guard !taken.isEmpty else { return }
        for batch in taken { parts.producer.send(batch) }
        taken.removeAll(keepingCapacity: true)
        takenBytes = 0
    }

    /// What was there when the file was opened may have been less.
    private func decide(
        _ file: FileID, _ source: File, _ plan: InputPlan, _ text: Span<UInt8>
    ) {
        source.isUndecided = false
        let head = text.extracting(0..<min(text.count, ContainerFormat.headLength))
        let container = plan.container(isS6: source.isS6, head: head)
        guard container != source.container else { return }
        source.container = container
        encoders[file] = nil
    }

    private func encoder(_ file: FileID, _ source: File, _ stream: Stream) -> Encoder? {
        if let known = encoders[file] { return known }
        if encoders.count >= Self.mostEncoders { encoders.removeAll(keepingCapacity: true) }
        let plan = inputs[stream.input]
        let template = plan.template(
            path: source.path, captures: stream.captures, device: source.device,
            inode: source.inode, generation: source.generation, node: parts.settings.node,
            agent: parts.agent)
        let headers = plan.headers(path: source.path, captures: stream.captures)
        var made: Encoder?
        do {
            made = Encoder(
                records: try plan.encoder(
                    template, path: source.path, isS6: source.isS6, container: source.container,
                    longestRecord: parts.longestRecord, headers: headers),
                headers: headers)
        } catch {
            parts.events.cannotEncode(error)
        }
        encoders[file] = .some(made)
        return made
    }

    func give(_ stream: StreamID, _ lane: Lane, back bytes: Int) {
        // A stream that was refused is woken by the next delivery, or was this one.
        _ = parts.budget.giveBack(stream, of: lane.destination, bytes, unused: true)
    }

    /// The bytes before index `end` of the chunk; where it is shorter than an anchor, together with
    /// those before the chunk.
    func anchor(_ chunk: Span<UInt8>, before end: Int, after earlier: Anchor) -> Anchor {
        var bytes: [UInt8] = []
        bytes.reserveCapacity(Anchor.longest)
        let fromChunk = min(end, Anchor.longest)
        bytes.append(contentsOf: earlier.bytes.suffix(Anchor.longest - fromChunk))
        for index in (end - fromChunk)..<end { bytes.append(chunk[index]) }
        return Anchor(bytes: bytes)
    }
}
