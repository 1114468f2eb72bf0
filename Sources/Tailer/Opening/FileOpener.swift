import Model
import Platform

/// Opens names that matched, finds out which file each is, and where its reading starts. Lives on
/// the reader thread.
final class FileOpener {
    private let output: any TailerOutput
    let once: Bool
    /// Files that may be open at a time: what the process may have, less what Kafka, the registry
    /// and directories need. A file beyond it is opened when another one is closed.
    private let mostOpen: Int
    /// Files that are open, so that one under two names is not read twice. An inode number cannot
    /// come back while the file is open.
    private(set) var open: [InodeKey: TailedFile] = [:]
    /// What was reported about a path and has not been mended; bounded by `mostTroubles`.
    private var troubles: [String: String] = [:]
    private static let mostTroubles = 10_000
    /// Set until every directory was scanned once.
    var isFirstScan = true

    init(output: any TailerOutput, mostOpen: Int, once: Bool) {
        self.output = output
        self.mostOpen = mostOpen
        self.once = once
    }

    /// What came of a name.
    enum Result {
        case opened(TailedFile)
        /// It is one of the open files.
        case already(TailedFile)
        /// Nothing that could be read; reported. `retry` when that may change without an event.
        case nothing(retry: Bool)
        /// The process or the system has no room for one more open file; reported. What is newer
        /// in the same stream has to wait too, or it would come first.
        case exhausted
        /// The name is gone, or another file's, since it was listed.
        case vanished
        /// It is not known, and only a known one was wanted.
        case unknown
    }

    /// How a name is to be opened.
    struct Request {
        let stream: LogStream
        let name: [UInt8]
        /// The whole path for people.
        let path: String
        /// Nobody writes to it under this name.
        var isArchived: Bool
        /// Names that the file may have. A second one that is not known could lead to a file that the
        /// directory's owner may not read, and the agent may.
        var mostLinks = 1
        /// The file that the listing showed under this name; another one is not taken for it.
        var inode: UInt64?
        /// Do not take it up unless the output knows it.
        var onlyIfKnown = false
    }

    /// A file that is open and that nothing else is known of yet.
    struct Held: ~Copyable {
        let descriptor: Descriptor
        let status: FileStatus
    }

    /// Opens `request.name` in `directory` and asks the output where to start.
    func open(_ request: Request, in directory: borrowing Descriptor) -> Result {
        switch hold(request, in: directory) {
        case .held(let file): adopt(request, file)
        case .failed(let result): result
        }
    }

    /// What came of holding a name.
    enum Holding: ~Copyable {
        case held(Held)
        case failed(Result)
    }

    /// Opens `request.name` without taking it up.
    func hold(_ request: Request, in directory: borrowing Descriptor) -> Holding {
        do {
            switch try directory.openFile(request.name) {
            case .file(let descriptor, let status):
                // 1. The listing shows `previous`, and a `current` newer than it.
                // 2. s6-log rotates, once or often, before `previous` is opened.
                // 3. What is opened now under this name comes after that `current`, and was read
                //    before it.
                if let inode = request.inode, status.inode != inode { return .failed(.vanished) }
                return .held(Held(descriptor: descriptor, status: status))
            case .refused(let status):
                return .failed(refuse(request.path, status))
            }
        } catch {
            return .failed(error.code == .notFound ? .vanished : trouble(request.path, error))
        }
    }

    /// Takes up a file that was held.
    func adopt(_ request: Request, _ held: consuming Held) -> Result {
        do {
            return try start(request, held)
        } catch {
            return trouble(request.path, error)
        }
    }

    private func start(_ request: Request, _ held: consuming Held) throws(SystemError) -> Result {
        // 1. `current` is held, and is empty: s6-log has just made it.
        // 2. s6-log fills it and renames it, and the listing shows it as an archive.
        // 3. With the size of step 1 it would be an archive that was read to its end.
        // So the size is looked at now: after the listing, that of an archive is the last one.
        let status = try held.descriptor.status()
        // A rotation gives the file its second name and takes the first: before or after it, the file
        // has one. A link from elsewhere is there all the time.
        let links = min(held.status.links, status.links)
        if links > request.mostLinks { return refuse(request.path, "it has \(links) hard links") }
        if let file = open[InodeKey(status)] { return .already(file) }
        guard open.count < mostOpen else {
            throw SystemError("open", path: request.path, code: .processLimit)
        }
        let descriptor = held.descriptor
        let identity = FileIdentity(
            handle: descriptor.handle(), device: status.device, inode: status.inode,
            birth: descriptor.birth())
        let head = try descriptor.read(count: Fingerprint.longest, at: 0)
        let stream = request.stream
        let sighting = FileSighting(
            input: stream.input, stream: stream.id, streamName: stream.name,
            isS6: stream.kind == .s6, path: request.path, captures: stream.captures,
            identity: identity, head: head, size: status.size,
            archived: request.isArchived, firstScan: isFirstScan)
        guard var start = output.opened(sighting, onlyIfKnown: request.onlyIfKnown) else {
            return .unknown
        }
        if start.isKnown, !(try Self.agrees(descriptor, start, size: status.size)) {
            output.report(
                .truncated(path: request.path, read: start.offset - start.base, size: status.size))
            start = output.restarted(start.file, sighting)
        }
        mended(request.path)
        let position = start.offset - start.base
        let before = min(position, Anchor.longest)
        let anchor = try descriptor.read(count: before, at: position - before)
        let file = TailedFile(
            start: start, descriptor: descriptor, sighting: sighting, name: request.name,
            anchor: anchor)
        if request.isArchived { file.becomeFinal() }
        if once { file.limit = file.size }
        open[InodeKey(status)] = file
        output.report(.opened(path: request.path, offset: start.offset))
        return .opened(file)
    }

    /// Whether the bytes before the saved position are still what they were.
    private static func agrees(
        _ descriptor: borrowing Descriptor, _ start: FileStart, size: Int
    ) throws(SystemError) -> Bool {
        let position = start.offset - start.base
        guard position >= 0, position <= size else { return false }
        let count = min(start.anchor.bytes.count, position)
        guard count > 0 else { return true }
        return try descriptor.read(count: count, at: position - count)
            == Array(start.anchor.bytes.suffix(count))
    }

    /// The file's content is new: the same inode is read again from its first byte.
    func restart(_ file: TailedFile, of stream: LogStream) throws(SystemError) {
        let status = try file.descriptor.status()
        let head = try file.descriptor.read(count: Fingerprint.longest, at: 0)
        let sighting = FileSighting(
            input: stream.input, stream: stream.id, streamName: stream.name,
            isS6: stream.kind == .s6, path: file.path, captures: stream.captures,
            identity: file.identity, head: head,
            size: status.size, archived: file.isFinal, firstScan: false)
        output.report(
            .truncated(path: file.path, read: file.position - file.base, size: status.size))
        if file.size > file.position {
            output.report(
                .lost(
                    path: file.path, range: ByteRange(start: file.position, end: file.size),
                    reason: "truncated"))
        }
        let start = output.restarted(file.id, sighting)
        file.restart(at: start, size: status.size, headLength: head.count)
    }

    /// The file leaves the table; its descriptor closes with its last reference.
    func close(_ file: TailedFile) {
        open[InodeKey(device: file.identity.device, inode: file.identity.inode)] = nil
    }

    // MARK: What is told once

    private func refuse(_ path: String, _ status: FileStatus) -> Result {
        refuse(path, "it is \(status.kindInWords), not a regular file")
    }

    private func refuse(_ path: String, _ reason: String) -> Result {
        if note(path, reason) { output.report(.refused(path: path, reason: reason)) }
        return .nothing(retry: false)
    }

    /// A file that cannot be read now: reported once, tried again, the others go on.
    func trouble(_ path: String, _ error: SystemError) -> Result {
        let text = "\(error.call): \(error.code)"
        if note(path, text) { output.report(.unreadable(path: path, error: text)) }
        switch error.code {
        case .processLimit, .systemLimit, .outOfMemory: return .exhausted
        default: return .nothing(retry: true)
        }
    }

    private func note(_ path: String, _ reason: String) -> Bool {
        if troubles[path] == reason { return false }
        if troubles.count >= Self.mostTroubles { troubles.removeAll() }
        troubles[path] = reason
        return true
    }

    /// A path that was reported can be read again.
    func mended(_ path: String) {
        if !troubles.isEmpty, troubles.removeValue(forKey: path) != nil {
            output.report(.readableAgain(path: path))
        }
    }
}
