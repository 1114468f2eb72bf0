import Model
import Platform

/// Opens names that matched, finds out which file each is, and where its reading starts. Lives on
/// the reader thread.
final class FileOpener {
    let output: any TailerOutput
    var knownFiles: any KnownFiles { output.knownFiles }
    let once: Bool
    /// When this agent started, as files have it.
    var startTimes: StartTimes
    let stillness = Stillness()
    /// Who of the files has a descriptor.
    let cache: DescriptorCache
    /// Who of the compressed ones is being read.
    let unpacking = UnpackingShare()
    /// Files that are being read, so that one under two names is not read twice. The inode number
    /// of one that is open cannot come back; that of a parked one can, so it is compared by
    /// identity.
    private(set) var open: [InodeKey: TailedFile] = [:]
    /// Files of dormant streams, by the same; and what makes such a stream again.
    var dormant: [InodeKey: DormantStream] = [:]
    var wake: (DormantStream) -> Void = { _ in }
    /// Streams that have a parked file whose fate was found out by opening another name are woken.
    let agenda: Agenda
    /// Troubles that were reported about names and have not been mended.
    private var troubles = Troubles()
    /// Compressed files that wait for the removal of what they seem to be made of, and files whose
    /// entries went over to such a one.
    let inheritance = Inheritance()
    /// Set until every directory was scanned once.
    var isFirstScan = true {
        didSet { startTimes.isSettled = !isFirstScan }
    }

    /// `mostOpen`: files that may have a descriptor at a time; `heldBytes`: of the disk, by those
    /// of them that no name leads to.
    init(
        output: any TailerOutput, mostOpen: Int, heldBytes: Int = .max / 2, once: Bool,
        startTimes: StartTimes = StartTimes(), agenda: Agenda = Agenda()
    ) {
        self.agenda = agenda
        self.startTimes = startTimes
        self.output = output
        cache = DescriptorCache(most: mostOpen, heldBytes: heldBytes)
        self.once = once
    }

    /// The outcome of opening a name.
    enum OpenResult {
        case opened(TailedFile)
        /// It is one of the open files.
        case already(TailedFile)
        /// Nothing that could be read; reported. `retry` when that may change without an event.
        case nothing(retry: Bool)
        /// The process or the system has no room for one more open file; reported. What is newer
        /// in the same stream has to wait too, or it would come first.
        case exhausted
        /// The name is gone, or another file's, since it was listed.
        case missing
        /// It is not to be taken up, or not now; nothing is wrong with it.
        case notTakenUp(Reason)

        /// Why a file is not taken up.
        enum Reason {
            /// It is not known, and only a known one was wanted.
            case unknown
            /// No name leads to the file that was wanted.
            case missing
            /// Something else has to come first. Whoever says so has seen to another look.
            case postponed
            /// Its entry has all that it holds as read, and it needs no descriptor.
            case read
        }

        /// It could not be opened or read.
        init(_ error: SystemError) {
            self = error.isExhaustion ? .exhausted : .nothing(retry: true)
        }
    }

    /// How a name is to be opened.
    struct Request {
        let stream: LogStream
        let name: [UInt8]
        /// The whole path for people.
        let path: String
        /// Nobody writes to it under this name.
        var isArchived: Bool
        /// Names that the file may have. A second one that is not known could lead to a file that
        /// the directory's owner may not read, and the agent may.
        var mostLinks = 1
        /// The file that the listing showed under this name; another one is not taken for it.
        var inode: UInt64?
        /// Do not take it up unless the output knows it.
        var onlyIfKnown = false
        /// A compressed file is read as what it was.
        var mayBePacked = false
        /// It may be a copy of a file that was truncated under its writer: zeros before its first
        /// line are nobody's text.
        var mayBeginWithZeros = false
        /// Of a compressed one that is known by its identity nothing more is asked.
        var mayBeKnown = false
        /// It lies in another directory than the stream's: its name means nothing there.
        var isElsewhere = false
        /// The time since which whatever has changed beside it may be a copy of what it held;
        /// nanoseconds since 1970, as files there have it. Nil for the last change to itself.
        var since: FileTime?
    }

    /// A file that is open and that nothing else is known of yet.
    struct OpenFile: ~Copyable {
        let descriptor: Descriptor
        let status: FileStatus
    }

    /// Opens `request.name` in `directory` and asks the output where to start.
    func open(_ request: Request, in directory: borrowing Descriptor) -> OpenResult {
        switch hold(request, in: directory) {
        case .held(let file): adopt(request, file)
        case .failed(let result): result
        }
    }

    /// The outcome of holding a name.
    enum Holding: ~Copyable {
        case held(OpenFile)
        case failed(OpenResult)
    }

    /// Opens `request.name` without taking it up.
    func hold(_ request: Request, in directory: borrowing Descriptor) -> Holding {
        do {
            switch try openFile(request.name, in: directory) {
            case .file(let descriptor, let status):
                // 1. The listing shows `previous`, and a `current` newer than it.
                // 2. s6-log rotates, once or often, before `previous` is opened.
                // 3. What is opened now under this name comes after that `current`, and was read
                //    before it.
                if let inode = request.inode, status.inode != inode { return .failed(.missing) }
                return .held(OpenFile(descriptor: descriptor, status: status))
            case .refused(let status):
                return .failed(refuse(request.path, status))
            }
        } catch {
            if error.code == .notFound { return .failed(.missing) }
            tell(request.path, error)
            return .failed(OpenResult(error))
        }
    }

    /// Takes up a file that was held.
    func adopt(_ request: Request, _ held: consuming OpenFile) -> OpenResult {
        switch examine(request, held) {
        case .candidate(let candidate): takeUp(candidate)
        case .failed(let result): result
        }
    }

    /// The outcome of looking at a file.
    enum Examination {
        case candidate(Candidate)
        case failed(OpenResult)
    }

    /// Opens a name and looks at what is there without taking it up.
    func examine(_ request: Request, in directory: borrowing Descriptor) -> Examination {
        switch hold(request, in: directory) {
        case .held(let file): examine(request, file)
        case .failed(let result): .failed(result)
        }
    }

    /// Looks at a file that was held without taking it up.
    func examine(_ request: Request, _ held: consuming OpenFile) -> Examination {
        do throws(SystemError) {
            return try look(request, held)
        } catch {
            tell(request.path, error)
            return .failed(OpenResult(error))
        }
    }

    private func look(
        _ request: Request, _ held: consuming OpenFile
    ) throws(SystemError) -> Examination {
        // 1. `current` is held, and is empty: s6-log has just made it.
        // 2. s6-log fills it and renames it, and the listing shows it as an archive.
        // 3. With the size of step 1 it would be an archive that was read to its end.
        // So the size is looked at now: after the listing, that of an archive is the last one.
        let status = try held.descriptor.status()
        // A rotation gives the file its second name and takes the first: before or after it, the
        // file has one. A link from elsewhere is there all the time.
        let links = min(held.status.links, status.links)
        if status.isTooLarge { return .failed(refuse(request.path, Self.tooLarge)) }
        let descriptor = held.descriptor
        let identity = FileIdentity(of: descriptor, status)
        if links > request.mostLinks, !wasRead(identity, by: request.stream) {
            return .failed(refuse(request.path, "it has \(links) hard links"))
        }
        if let dormant = dormant[InodeKey(status)] { wake(dormant) }
        if let file = open[InodeKey(status)], !yields(file, identity, to: request.stream) {
            return .failed(.already(file))
        }
        guard cache.makeRoom() else {
            throw SystemError("open", path: request.path, code: .processLimit)
        }
        startTimes.saw(status.device, changed: status.changed, MonotonicTime.now())
        let isKnown =
            request.mayBeKnown && Self.tells(identity) && knownFiles.file(identity, head: []) != nil
        let candidate = try Candidate(
            request, descriptor, status, identity, isKnown: isKnown, once: once, stillness)
        if !isKnown { inherit(candidate) }
        return .candidate(candidate)
    }

    /// Whether the stream has read this very inode when it had one name: then nothing that its
    /// directory's owner may not read is behind it, whoever has given it a second one since.
    private func wasRead(_ identity: FileIdentity, by stream: LogStream) -> Bool {
        guard Self.tells(identity),
            let file = knownFiles.file(identity, head: []),
            let known = knownFiles.progress(of: file)
        else { return false }
        return known.stream == stream.name && known.position > .start
    }

    /// Whether an identity is no other file's, whatever that holds: an inode number alone comes
    /// back.
    private static func tells(_ identity: FileIdentity) -> Bool {
        identity.handle != nil || identity.birth != nil
    }

    /// Takes up a file, from where the output says.
    func takeUp(_ candidate: Candidate) -> OpenResult {
        if let unreadable = candidate.unreadable {
            return refuse(candidate.request.path, unreadable)
        }
        if inheritance.isSource(candidate) || isReadElsewhere(candidate) { return .missing }
        let sighting = candidate.sighting(isFirstScan: isFirstScan)
        guard let start = output.opened(sighting, onlyIfKnown: candidate.request.onlyIfKnown) else {
            return .notTakenUp(.unknown)
        }
        return takeUp(candidate, at: start)
    }

    /// Takes up a file from a start that the output gave.
    func takeUp(_ candidate: Candidate, at start: FileStart) -> OpenResult {
        do throws(SystemError) {
            return .opened(try begin(candidate, start))
        } catch {
            tell(candidate.request.path, error)
            return OpenResult(error)
        }
    }

    private func begin(
        _ candidate: Candidate, _ start: FileStart
    ) throws(SystemError) -> TailedFile {
        let request = candidate.request
        var isReplaced = start.isReplaced
        let position = start.base.physical(start.offset)
        var anchor = Array(start.anchor.bytes.suffix(max(0, position.bytes)))
        // What was copied or rotated away may end before what was read of it; it is read, then.
        let isPast =
            candidate.packed == nil && request.name != request.stream.liveName
            && position > candidate.size
        if start.isKnown, !isReplaced, !isPast, candidate.packed == nil {
            isReplaced = try !Self.agrees(
                candidate.source.descriptor, start, size: candidate.status.end)
            if !isReplaced {
                let before = min(position.bytes, Anchor.longest)
                anchor = try candidate.read(count: before, at: position - before)
            }
        }
        mended(request.path)
        let file = TailedFile(candidate, start, anchor: anchor)
        if inheritance.takeUp(start.file) { file.suppose() }
        let isLive = request.name == request.stream.liveName
        if request.isArchived || (!isLive && candidate.packed?.isWhole ?? false) {
            file.becomeFinal()
        }
        if isReplaced, !start.isReplaced, candidate.packed == nil {
            // Its last lines may have been rewritten meanwhile: its first turn tells.
            let found = try file.resumption(size: candidate.status.end)
            if case .rewritten = found { isReplaced = false }
            if case .undecided = found { isReplaced = false }
        }
        if isReplaced {
            file.wasReplaced(at: start.size, birth: candidate.identity.birthTime)
        } else if isPast {
            file.passEnd()
        }
        if once { file.readNoFurther() }
        open[file.key] = file
        cache.add(file)
        output.report(.opened(path: request.path, offset: start.offset))
        return file
    }

    /// Whether the bytes before the saved position are still what they were.
    private static func agrees(
        _ descriptor: borrowing Descriptor, _ start: FileStart, size: PhysicalOffset
    ) throws(SystemError) -> Bool {
        let position = start.base.physical(start.offset)
        guard position >= .start, position <= size else { return false }
        let count = min(start.anchor.bytes.count, position.bytes)
        guard count > 0 else { return true }
        return try descriptor.read(count: count, at: position - count)
            == Array(start.anchor.bytes.suffix(count))
    }

    /// A file as it is now, whose content is not the one that was read.
    struct Fresh {
        let sighting: FileSighting
        let changed: FileTime
        let diskSize: Int
        let compression: Compression?
        let packed: Decompressor?
        /// Its first bytes as they lie there.
        let raw: [UInt8]
    }

    func fresh(_ file: TailedFile, of stream: LogStream) throws(SystemError) -> Fresh {
        let source = try file.opened()
        let status = try source.descriptor.status()
        var head = try source.descriptor.read(count: Fingerprint.longest, at: 0)
        let raw = head
        let compression = stream.kind == .s6 && !file.isFinal ? nil : Compression(head: head)
        var packed: Decompressor?
        if let compression {
            head = []
            if compression.isReadable {
                let reader = Decompressor(compression, isWhole: once || file.isFinal)
                head = try Candidate.head(of: reader, source)
                // It has to wait for its share.
                reader.release()
                packed = reader
            }
        }
        return Fresh(
            sighting: FileSighting(
                input: stream.input, stream: stream.id, streamName: stream.name,
                isS6: stream.kind == .s6, path: file.path, captures: stream.captures,
                link: stream.link, identity: file.identity, head: head,
                begin: compression == nil ? FileSighting.written(head) : head,
                size: packed.map { PhysicalOffset($0.size) } ?? status.end,
                hasKnownSize: compression == nil, archived: file.isFinal, firstScan: false),
            changed: status.changed, diskSize: status.size, compression: compression,
            packed: packed, raw: raw)
    }

    /// The file's content is new, and what it was is in no copy: the same inode is read again from
    /// its first byte.
    func restart(_ file: TailedFile, _ fresh: Fresh, isTruncated: Bool = true) {
        if isTruncated {
            output.report(
                .truncated(
                    path: file.path, read: file.physicalPosition, size: fresh.sighting.size))
            if let range = file.content.knownUnread {
                output.report(.lost(path: file.path, range: range, reason: .truncated))
            }
        }
        file.restart(at: output.restarted(file.id, fresh.sighting), fresh)
    }

    /// The file's content is new, and what it was is in `copy`. Returns that one, to be read on.
    func restart(_ file: TailedFile, _ fresh: Fresh, continuedIn copy: Candidate) -> TailedFile? {
        let sighting = copy.sighting(isFirstScan: false)
        guard let starts = output.continued(file.id, in: sighting, fresh.sighting) else {
            return nil
        }
        let earlier = begin(copy, at: starts.copy, after: file)
        file.restart(at: starts.live, fresh)
        return earlier
    }

    /// The file's content is in `copy`, which is read on. What has taken its place is a file of
    /// which nothing is known.
    func relocate(_ file: TailedFile, to copy: Candidate) -> TailedFile? {
        guard let start = output.relocated(file.id, to: copy.sighting(isFirstScan: false)) else {
            return nil
        }
        let earlier = begin(copy, at: start, after: file)
        // What was seen last under this number is the size of what was there.
        if copy.packed == nil { output.grew(file.id, size: earlier.base.logical(copy.size)) }
        return earlier
    }

    private func begin(
        _ copy: Candidate, at start: FileStart, after file: TailedFile
    ) -> TailedFile {
        output.report(.copied(path: file.path, copy: copy.request.path))
        let earlier = TailedFile(copy, start, anchor: file.anchor)
        if copy.packed == nil {
            earlier.becomeFinal()
            // What was seen of it and came between the copy and the truncation.
            reportLost(file, from: max(file.position, file.base.logical(copy.size)))
            if earlier.position > earlier.size { earlier.passEnd() }
        } else {
            // That is known when its end is reached.
            earlier.expect(size: file.size)
            earlier.drain(from: .now())
        }
        if once { earlier.readNoFurther() }
        open[earlier.key] = earlier
        cache.add(earlier)
        return earlier
    }

    private func reportLost(_ file: TailedFile, from start: LogicalOffset) {
        guard file.written > start else { return }
        output.report(
            .lost(
                path: file.path, range: ByteRange(start: start, end: file.written),
                reason: .truncated))
    }

    /// The file leaves the table, and its descriptor is closed.
    func close(_ file: TailedFile) {
        forget(file)
        cache.close(file)
    }

    /// The file leaves the table, if it is there: another one may have its inode number by now.
    func forget(_ file: TailedFile) {
        if open[file.key] === file { open[file.key] = nil }
    }

    /// A file that is parked as it was before its stream was dormant.
    func follow(_ file: TailedFile) { open[file.key] = file }

    // MARK: What is told once

    /// Names that something is wrong with at this moment, and those of them that may be read later.
    var troubleCount: Int { troubles.count }
    var unreadableCount: Int { troubles.unreadable }

    /// Once for each path; a look at it may follow another rotation.
    func refuse(_ path: String, _ compression: Compression) -> OpenResult {
        if troubles.note(path, .refused, "compressed by \(compression)") {
            output.report(.notReadable(path: path, compression: compression.description))
        }
        return .nothing(retry: false)
    }

    private func refuse(_ path: String, _ status: FileStatus) -> OpenResult {
        refuse(path, "it is \(status.kindInWords), not a regular file")
    }

    private func refuse(_ path: String, _ reason: String) -> OpenResult {
        if troubles.note(path, .refused, reason) {
            output.report(.refused(path: path, reason: reason))
        }
        return .nothing(retry: false)
    }

    /// A pod may make such a file at no cost, and positions within it would be no numbers.
    static let tooLarge = "it is larger than 1 EiB"

    /// A path cannot be read now: reported once, tried again, the others go on.
    func tell(_ path: String, _ error: SystemError) {
        let text = "\(error.call): \(error.code)"
        if troubles.note(path, .unreadable, text) {
            output.report(.unreadable(path: path, error: text))
        }
    }

    /// The trouble that was reported about a path is over, because nothing is there any more.
    func forgetTrouble(_ path: String) {
        if troubles.forget(path) == .unreadable { output.report(.unreadableGone(path: path)) }
    }

    /// A path that was reported can be read again.
    func mended(_ path: String) {
        if troubles.forget(path) != nil { output.report(.readableAgain(path: path)) }
    }

    /// A directory could be listed; what was wrong with other names than these is over.
    func listed(_ node: DirectoryNode, _ names: DirectoryNames) {
        guard !troubles.isEmpty else { return }
        mended(node.text)
        troubles.listed(node.text, names.entries.lazy.map(\.name))
    }

    /// A directory left the tree.
    func gone(_ node: DirectoryNode) { troubles.gone(node.text) }
}

extension SystemError {
    /// The process or the system has no room for one more open file. It is nothing about the one
    /// that was to be opened.
    var isExhaustion: Bool {
        code == .processLimit || code == .systemLimit || code == .outOfMemory
    }
}
