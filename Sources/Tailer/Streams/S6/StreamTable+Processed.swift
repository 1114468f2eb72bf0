import Model
import Platform

/// Archives that a processor of s6-log's has made of a log: they are shipped only where the lines
/// that they were made of were not read. Of which file that was is told by the order of rotations
/// (`ProcessorOrder`), or by content (`Recognition`) where the order is not known or something was
/// not read. Where neither tells, all of it is shipped, and that is said: a line that comes twice
/// is better than one that does not come.
extension StreamTable {
    /// An archive that is not to be shipped.
    struct ProcessedArchive {
        let inode: UInt64
        /// The file that it was made of, which is read or being read.
        let source: FileID
    }

    /// A look at an s6 log directory's one stream, after its new files were opened.
    struct S6Look {
        let look: StreamLook
        /// The names of `look` in their order.
        let listing: S6Listing
        /// When a processor's last run was over, or s6-log first started, as files have it. Nil
        /// where no s6-log writes.
        let ranAt: FileTime?

        var stream: LogStream { look.stream }
        var node: DirectoryNode { look.node }
        var names: DirectoryNames { look.names }
        var directory: SharedDescriptor { look.directory }
        var now: MonotonicTime { look.now }
        /// The number of the watch that tells of names; nil where none is believed.
        var watching: Int? { look.scanned.watching }
    }

    /// A stream's knowledge of its processor.
    struct Processing: Blank {
        var order = ProcessorOrder()
        /// Files of an earlier run are in that order.
        var isBegun = false
        /// A processor runs, or has run since the look before.
        var isActive = false
        /// `S6Look.ranAt` of that.
        var ranAt: FileTime?
        /// Archives that are not entered as read yet; bounded by the directory.
        var archives: [[UInt8]: ProcessedArchive] = [:]
        /// Nothing that is newer is taken up before the next look.
        var holdsUp = false
        /// Since when something is held up.
        var waitsSince: MonotonicTime?
        /// Looks in a row at a directory where nothing is being rotated, with files that have no
        /// archive.
        var looksAtRest = 0
        /// It was said that archives are what a processor made.
        var isTold = false

        var isBlank: Bool {
            order.isBlank && !isBegun && !isActive && ranAt == nil && archives.isEmpty && !holdsUp
                && waitsSince == nil && looksAtRest == 0 && !isTold
        }
    }

    /// When a processor has run last: it leaves `newstate`, which becomes `state` then.
    func ranAt(in directory: borrowing Descriptor) -> FileTime? {
        do throws(SystemError) {
            return try directory.status(of: S6Name.state).changed
        } catch {
            // multilog and svlogd have none without a processor.
            return nil
        }
    }

    /// A processor was at work when the directory was listed.
    func isRunning(_ here: S6Look) -> Bool {
        [S6Name.processed, S6Name.newState].contains { here.names.inode(of: $0) != nil }
    }

    /// Whether a processor may have made an archive: it was written to before that was over, and
    /// what s6-log itself wrote is newer than the last run.
    static func isProcessed(_ candidate: Candidate, _ here: S6Look) -> Bool {
        guard S6Name.isArchive(candidate.request.name), let time = here.ranAt else { return false }
        return candidate.status.modified <= time
    }

    /// Before the archives of a directory are looked at.
    func beginProcessing(_ here: S6Look) {
        let stream = here.stream
        stream.processing.isActive =
            isRunning(here) || !stream.isReconciled || stream.processing.ranAt != here.ranAt
        stream.processing.ranAt = here.ranAt
        stream.processing.holdsUp = false
        if !stream.processing.isBegun {
            stream.processing.isBegun = true
            followEarlier(here)
        }
        stream.processing.order.appeared(here.node.appeared.archives)
        for source in stream.processing.order.sources {
            guard let file = source.file, let identity = identity(of: file, in: stream),
                let name = here.names.name(of: identity.inode), S6Name.isArchive(name),
                opener.presence(identity, name, here.directory.descriptor) == .there
            else { continue }
            // What has its inode's number may be made of it by a processor, and this is not.
            stream.processing.order.isItself(file, name)
        }
        let there = stream.processing.archives.filter { here.names.inode(of: $0) == $1.inode }
        stream.processing.archives = there
    }

    /// Files of an earlier run that had no archive's name and are not there any more. All archives
    /// that there were when one of them was first seen are known, or were made of others of them.
    private func followEarlier(_ here: S6Look) {
        let stream = here.stream
        var newest: [UInt8] = []
        for saved in knownFiles.saved(stream.name).sorted(by: { $0.file < $1.file }) {
            let name = PathText.bytes(of: saved.path).directoryAndName?.name
            if let name, S6Name.isArchive(Array(name)) {
                // What was entered later may be newer than the file.
                if newest.lexicographicallyPrecedes(name) { newest = Array(name) }
            } else if isRotated(saved.file, here) {
                stream.processing.order.follow(
                    .init(file: saved.file, after: newest, watching: nil))
            }
        }
    }

    /// After a directory's files were taken up, those of them that have no archive yet.
    func followLater(_ here: S6Look) {
        for name in [S6Name.previous, S6Name.current] { follow(name, here) }
    }

    private func follow(_ name: [UInt8], _ here: S6Look) {
        let stream = here.stream
        guard let inode = here.names.inode(of: name) else { return }
        let file =
            stream.files.first { $0.identity.inode == inode && $0.name == name }?.id
            ?? stream.closed[name].flatMap { $0.inode == inode ? $0.id : nil }
        guard let file else { return }
        stream.processing.order.follow(
            .init(
                file: file, after: here.listing.newestArchive ?? [],
                watching: here.watching))
    }

    private func identity(of file: FileID, in stream: LogStream) -> FileIdentity? {
        stream.files.first { $0.id == file }?.identity
            ?? stream.closed.values.first { $0.id == file }?.identity
            ?? knownFiles.saved(stream.name).first { $0.file == file }?.identity
    }

    /// Whether a file is neither `current` nor `previous` any more, whatever the listing says; or
    /// `whenListed`, was not when that was made.
    private func isRotated(_ file: FileID, _ here: S6Look, whenListed: Bool = false) -> Bool {
        guard let identity = identity(of: file, in: here.stream),
            let name = here.names.name(of: identity.inode)
        else { return true }
        switch opener.presence(identity, name, here.directory.descriptor) {
        case .there: return false
        case .moved: return !whenListed
        case .replaced: return true
        }
    }

    // MARK: One archive

    /// Takes up an archive that no look has seen before.
    func takeUpProcessed(_ candidate: Candidate, _ here: S6Look) -> FileOpener.OpenResult {
        let stream = here.stream
        let name = candidate.request.name
        if stream.processing.archives[name] != nil {
            return settle(candidate, here)
        }
        guard knownFiles.file(candidate.identity, head: candidate.head) == nil else {
            stream.processing.order.pass(name)
            return opener.takeUp(candidate)
        }
        switch match(name, here) {
        case .file(let file):
            return takeUp(candidate, madeOf: file, here)
        case .awaited:
            stream.processing.holdsUp = true
            return .notTakenUp(.postponed)
        case .unseen:
            return recognise(candidate, here.look, processed: true)
                ?? opener.takeUp(candidate)
        case .unknown:
            if let found = recognise(candidate, here.look, processed: true) {
                return found
            }
            output.report(.unmatched(path: candidate.request.path))
            return opener.takeUp(candidate)
        }
    }

    /// A processor has made an archive of a file.
    func takeUp(_ candidate: Candidate, madeOf file: FileID, _ here: S6Look)
        -> FileOpener.OpenResult
    {
        let stream = here.stream
        let name = candidate.request.name
        if stream.processing.archives[name] != nil {
            return settle(candidate, here)
        }
        if isRead(file, of: stream) {
            stream.processing.archives[name] = ProcessedArchive(
                inode: candidate.status.inode, source: file)
            return settle(candidate, here)
        }
        return recognise(candidate, here.look, processed: true, first: file)
            ?? ship(candidate, insteadOf: file, of: stream)
    }

    /// The file that an archive of svlogd's was made of.
    enum Original {
        case file(FileID)
        /// It is there yet.
        case awaited
        /// Nothing that is known.
        case none
    }

    /// 1. svlogd renames `current` to `@….u`, and its processor makes `@….t` of that.
    /// 2. It renames `@….t` to `@….s`, and then removes `@….u`: for a moment both are archives by
    ///    their names.
    ///
    /// Nothing else has the same label twice.
    func original(of candidate: Candidate, _ here: S6Look) -> Original {
        let stream = here.stream
        guard let name = S6Name.original(of: candidate.request.name),
            knownFiles.file(candidate.identity, head: candidate.head) == nil
        else { return .none }
        // It is read under its own name, and known by that as long as it has it.
        if here.names.inode(of: name) != nil { return .awaited }
        if let file = stream.files.first(where: { $0.lastName == name }) { return .file(file.id) }
        if let closed = stream.closed[name] { return .file(closed.id) }
        let awaiting = stream.awaitingCopy.first { isLast(name, of: $0.path) }?.id
        let saved =
            awaiting ?? knownFiles.saved(stream.name).last { isLast(name, of: $0.path) }?.file
        return saved.map { .file($0) } ?? .none
    }

    private func isLast(_ name: [UInt8], of path: String) -> Bool {
        PathText.bytes(of: path).suffix(name.count + 1).elementsEqual([UInt8(ascii: "/")] + name)
    }

    private func match(_ name: [UInt8], _ here: S6Look) -> ProcessorOrder.Match {
        let stream = here.stream
        var rotated: Set<FileID> = []
        for source in stream.processing.order.sources {
            guard let file = source.file else { continue }
            if isRotated(file, here) { rotated.insert(file) }
        }
        let isPatient = holds(stream, here.now)
        let match = stream.processing.order.match(
            name, oldest: here.listing.oldestArchive ?? name,
            watching: isPatient ? here.watching : nil,
            isThere: { here.names.inode(of: $0) != nil }, isRotated: { rotated.contains($0) })
        if match != .awaited { stream.processing.waitsSince = nil }
        return match
    }

    /// Whether newer files wait; false where they have waited too long.
    private func holds(_ stream: LogStream, _ now: MonotonicTime) -> Bool {
        let since = stream.processing.waitsSince ?? now
        stream.processing.waitsSince = since
        return now - since < Obstacles.mostPatience
    }

    /// Everything that the file held is read, or is being read through its descriptor.
    func isRead(_ file: FileID, of stream: LogStream) -> Bool {
        if let file = stream.files.first(where: { $0.id == file }) { return file.isOpen }
        if stream.closed.values.contains(where: { $0.id == file }) { return true }
        if let awaiting = stream.awaitingCopy.first(where: { $0.id == file }) {
            return awaiting.isRead
        }
        // An earlier run has seen it when it was `previous`, and its size.
        let saved = knownFiles.saved(stream.name).first { $0.file == file }
        return saved.map { $0.isArchived && $0.position == $0.size } ?? true
    }

    // MARK: Waiting

    /// 1. A processor makes `processed` of `previous`, which s6-log removes.
    /// 2. It is looked for, and has no archive's name yet.
    /// 3. What is newer would come first.
    func waitsForProcessed(_ here: S6Look) -> Bool {
        let stream = here.stream
        guard here.names.inode(of: S6Name.processed) != nil,
            here.names.inode(of: S6Name.previous) == nil
        else {
            stream.processing.waitsSince = nil
            return false
        }
        let rotated = stream.processing.order.sources.first { source in
            source.file.map { isRotated($0, here) } ?? true
        }
        if let rotated, rotated.file.map({ isRead($0, of: stream) }) ?? true { return false }
        if holds(stream, here.now) { return true }
        if rotated == nil {
            stream.processing.order.follow(
                .init(
                    file: nil, after: here.listing.newestArchive ?? [],
                    watching: here.watching))
        }
        stream.processing.waitsSince = nil
        return false
    }

    /// After a look that went through the whole directory. Files whose archive is awaited stay.
    ///
    /// 1. A listing is no moment: it may show neither `processed` nor the archive that it becomes.
    /// 2. So a file is given up when it has no archive in two listings while nothing is being
    ///    rotated.
    func endProcessing(_ here: S6Look) -> LookEnd {
        let stream = here.stream
        var rotated: Set<FileID> = []
        for source in stream.processing.order.sources {
            guard let file = source.file else { continue }
            if isRotated(file, here, whenListed: true) {
                rotated.insert(file)
            }
        }
        stream.processing.order.removed(
            isThere: { here.names.inode(of: $0) != nil }, isRotated: { rotated.contains($0) })
        rotated.formIntersection(stream.processing.order.sources.compactMap(\.file))
        guard !rotated.isEmpty, here.names.inode(of: S6Name.processed) == nil,
            here.names.inode(of: S6Name.previous) == nil
        else {
            stream.processing.looksAtRest = 0
            return .fine
        }
        if stream.processing.isActive, stream.processing.looksAtRest == 0 {
            stream.processing.looksAtRest = 1
            return .again
        }
        stream.processing.looksAtRest = 0
        for file in rotated { stream.processing.order.forget(file) }
        return .fine
    }

    /// Files of which something may be found yet, though no name leads to them.
    func awaited(_ stream: LogStream) -> Set<FileID> {
        guard stream.processing.isActive || stream.processing.looksAtRest > 0 else {
            return Set(stream.processing.archives.values.map(\.source))
        }
        return Set(stream.processing.order.sources.compactMap(\.file))
            .union(stream.processing.archives.values.map(\.source))
    }
}
