import Model
import Platform

/// The streams, and what a look at a directory means for them. Lives on the reader thread.
final class StreamTable {
    let output: any TailerOutput
    var knownFiles: any KnownFiles { output.knownFiles }
    let opener: FileOpener
    private var lastStream: Int
    /// For the loop, which the opener shares it with.
    let agenda: Agenda
    /// Whether a pattern matches a name in the directory that is looked at.
    var isMatched: ([UInt8]) -> Bool = { _ in false }
    /// Listings that the streams of the directory that is looked at have in common.
    var shared = SharedListing()
    /// Listings beside those that a look begins with.
    var listings = 0
    /// Streams without a directory that still have open files; bounded by those.
    private(set) var orphans: [LogStream] = []
    /// With `--once`, where bytes end of files that were closed with some unread and are out of
    /// reach, physical: a volume was unmounted while it was read. At most as many as were there.
    private var outOfReach: [FileID: Int] = [:]
    /// How long a parked file that lost its name is waited for to turn up elsewhere, nanoseconds.
    var patience: Int64 = 2_000_000_000
    /// Files of one stream that are taken up before its last ones, read or not, at some kilobytes
    /// each. With an entry, a file is known to whatever comes: a restart, a compressor, its
    /// removal. More than these wait for their turn; and they are more than a program leaves open,
    /// for those are never done with.
    var mostEarlier = 4_096
    /// The same of all streams: about 4 KB each, so 64 MB at the most, where a hundred logs were
    /// rotated thousands of times while no agent ran.
    var mostEarlierOfAll = 16_384
    /// A stream may have so many whatever others have: what is read of it in a row, beside a few
    /// that a program leaves open.
    var leastEarlier = 64
    /// How many there are of all streams.
    let earlierFiles = EarlierCount()

    /// Where rotated files may go, by input.
    let archives: [ArchiveSearch]

    /// Streams are numbered from `firstStream` on: those of each reader otherwise.
    init(
        output: any TailerOutput, opener: FileOpener, archives: [ArchiveSearch] = [],
        firstStream: Int = 0
    ) {
        lastStream = firstStream
        self.output = output
        self.archives = archives
        self.opener = opener
        agenda = opener.agenda
    }

    /// The next thing to do for the tree after a look.
    enum Verdict {
        case fine
        /// Something could not be read and may be later.
        case retry
        /// It changed while it was looked at.
        case again
        /// There is more of it than a slice is enough for.
        case underWay
    }

    func worse(_ a: Verdict, _ b: Verdict) -> Verdict {
        switch (a, b) {
        case (.again, _), (_, .again): .again
        case (.underWay, _), (_, .underWay): .underWay
        case (.retry, _), (_, .retry): .retry
        case (.fine, .fine): .fine
        }
    }

    func begin(_ match: DirectoryTree.Match, in node: DirectoryNode) -> LogStream {
        lastStream += 1
        let isS6 = match.name == S6Name.current
        let stream = LogStream(
            id: StreamID(number: lastStream), kind: isS6 ? .s6 : .path,
            name: isS6 ? node.text : node.text(of: match.name), liveName: match.name,
            input: match.input, captures: match.captures, earlierFiles: earlierFiles)
        stream.node = node
        node.streams[match.name] = stream
        return stream
    }

    /// A directory left the tree: what is open is read to its end, and nothing new comes.
    func dropped(_ node: DirectoryNode, _ now: MonotonicTime) {
        for stream in node.streams.values {
            for file in stream.files { file.name = nil }
            unfollowClosed(stream)
            giveUpCopies(stream)
            tellEarlier(of: stream, node)
            leave(stream, now)
        }
        node.streams = [:]
        opener.dropped(node)
    }

    /// A stream leaves its directory with files that no name in it leads to, and ends with the last
    /// of them.
    func leave(_ stream: LogStream, _ now: MonotonicTime) {
        leaveEarlier(of: stream, now)
        guard !stream.files.isEmpty else { return end(stream) }
        stream.isOrphan = true
        // Nothing that happens there is about it any more.
        stream.node = nil
        for file in stream.files { file.drainsSince = file.drainsSince ?? now }
        orphans.append(stream)
        agenda.wake(stream)
    }

    /// Another directory has the name by now: what was read to its end in the earlier one is out of
    /// sight, as with one that left. What is open goes on as what has lost its name.
    func swapped(_ node: DirectoryNode, _ now: MonotonicTime) {
        for stream in node.streams.values {
            unfollowClosed(stream)
            // What was to be taken up there is not what has those names here.
            tellEarlier(of: stream, node)
            leaveEarlier(of: stream, now)
        }
    }

    /// 1. Files are read to their ends and closed.
    /// 2. Their directory is renamed, or moved away and back, or its volume is unmounted for a
    ///    while.
    ///
    /// Without their entries all of it would be sent again. Whether they are gone is found out by
    /// those who look after entries that nobody follows.
    private func unfollowClosed(_ stream: LogStream) {
        for closed in stream.closed.values { output.unfollowed(closed.id) }
        stream.closed = [:]
    }

    /// A file that was read to its end is not under its name any more, in its directory or at all.
    ///
    /// 1. It is moved to another directory, alone.
    /// 2. A pattern leads there, and it is found: before this or after it.
    ///
    /// Or it is another log's by now:
    ///
    /// 1. `a.log` is moved over `b.log`, whose stream goes on with it.
    /// 2. Another one is moved over that. No name leads to the first one any more, but somebody
    ///    writes to it.
    ///
    /// Without its entry nothing more of it would be shipped.
    func leave(_ closed: LogStream.ClosedFile) {
        if knownFiles.isElsewhere(closed.id) {
            output.unfollowed(closed.id)
        } else if !opener.isFollowed(closed.id, closed.identity) {
            output.gone(closed.id)
        }
    }

    /// An orphan's last file was closed.
    func end(_ stream: LogStream) {
        if stream.isOrphan { orphans.removeAll { $0 === stream } }
        output.ended(stream.id)
    }

    /// A file was read to its final end: it needs no descriptor any more.
    func finish(_ file: TailedFile, of stream: LogStream) {
        if stream.kind == .s6, file.name == nil {
            // It was never seen as `previous`, and is no less final for that.
            noteSize(of: file)
            output.moved(file.id, path: file.path, archived: true)
        }
        output.finished(file.id, end: file.position)
        let isUnlinked = file.isUnlinked
        if stream.newest?.inode == file.identity.inode { stream.newest?.modified = modified(file) }
        opener.close(file)
        stream.files.removeAll { $0 === file }
        if let node = stream.node, stream.hasMoreRotated || isAwaited(file, node, butFor: stream) {
            agenda.look(at: node)
        }
        if let name = file.name {
            let time = file.packed == nil && file.modified != .zero ? file.modified : nil
            stream.keep(
                LogStream.ClosedFile(identity: file.identity, id: file.id, modified: time),
                as: name)
        } else if isUnlinked {
            awaitCopy(file, of: stream, unread: nil, reason: .deletedUnread, isRead: true)
        } else {
            // It was only moved to where no pattern leads, and may come back.
            output.unfollowed(file.id)
        }
    }

    /// It was moved to what another stream reads, which goes on with it. Till then nobody sees what
    /// is written to it.
    private func isAwaited(
        _ file: TailedFile, _ node: DirectoryNode, butFor stream: LogStream
    ) -> Bool {
        guard let name = file.name, let other = node.streams[name] else { return false }
        return other !== stream
    }

    private func modified(_ file: TailedFile) -> FileTime {
        guard file.isOpen else { return file.changed }
        do throws(SystemError) {
            return try file.opened().descriptor.status().modified
        } catch {
            _ = opener.trouble(file.path, error)
            return file.changed
        }
    }

    /// A compressor has made `candidate` of a file of the stream: what is left to be read of that
    /// one goes by the new name from now on. Nil when it is none of those.
    ///
    /// `processed`: a processor of s6-log's has made it, which may have left its bytes as they
    /// were. `first` is the file that it was made of, if that is known.
    func recognise(
        _ candidate: Candidate, of stream: LogStream, _ names: DirectoryNames,
        _ directory: borrowing Descriptor, processed: Bool = false, first: FileID? = nil,
        elsewhere: Set<UInt64> = []
    ) -> FileOpener.Result? {
        guard candidate.packed != nil || processed,
            knownFiles.file(candidate.identity, head: candidate.head) == nil
        else { return nil }
        let known = knownFiles.saved(stream.name).reversed()
        let order = known.filter { $0.file == first } + known.filter { $0.file != first }
        // A stream may have thousands of each.
        let filesByID = Dictionary(
            stream.files.map { ($0.id, $0) }, uniquingKeysWith: { first, _ in first })
        let closedByID = Dictionary(
            stream.closed.map { ($0.value.id, $0) }, uniquingKeysWith: { first, _ in first })
        let awaitingByID = Dictionary(
            stream.awaitingCopy.enumerated().map { ($1.id, $0) },
            uniquingKeysWith: { first, _ in first })
        for saved in order where saved.file != stream.live?.id {
            let file = filesByID[saved.file]
            // What it held was copied before: it looks for that itself.
            if let file, file.isReplaced { continue }
            let closed = closedByID[saved.file]
            let awaiting = awaitingByID[saved.file]
            // What became of an ordinary log's files of an earlier run is looked for when it
            // begins.
            let isEarlier =
                stream.kind == .s6 && !stream.isReconciled
                || stream.obstacles.unopened.contains { $0.entry.file == saved.file }
            // What was read and went to another directory is known by its entry alone.
            let isElsewhere = candidate.request.isElsewhere && stream.isReconciled
            guard isEarlier || isElsewhere || file != nil || closed != nil || awaiting != nil,
                knownFiles.content(of: saved.file, beginsAs: candidate.head)
                    || file.map({ $0.name == nil && isPacked($0, in: candidate) }) ?? false
            else { continue }
            // Until the compressor has removed what it read, that has the name.
            if awaiting == nil, elsewhere.contains(saved.identity.inode) { return .unknown }
            if awaiting == nil, file == nil || file?.name != nil,
                let name = names.name(of: saved.identity.inode)
            {
                let presence = opener.presence(saved.identity, name, directory)
                // Of what a processor makes: what was renamed or removed since it was listed is not
                // there.
                if presence == .there || (presence == .moved && !processed) {
                    // An archive of s6-log's stays what it is: what begins alike is another one.
                    if stream.kind == .s6, S6Name.isArchive(name) { continue }
                    // The name was given to another file since it was listed: the next listing
                    // tells, and what is newer waits for that.
                    if stream.kind == .s6, presence == .moved { stream.processing.holdsUp = true }
                    return .unknown
                }
            }
            if candidate.packed == nil, !isCopied(saved, file, to: candidate) { continue }
            if !processed, let file, file.isOpen, isWritten(file) { return .unknown }
            if processed {
                stream.processing.order.forget(saved.file)
                if let file, file.isOpen {
                    stream.processing.archives[candidate.request.name] = ProcessedArchive(
                        inode: candidate.status.inode, source: file.id)
                    return .unknown
                }
            }
            // That two archives begin alike is no proof: what a processor made is read once more,
            // up to the position and to its end, where its order does not tell. For what a whole
            // log holds that may take minutes.
            //
            // Nor is it known that all of it was read where it was written to once more before it
            // was compressed.
            let isRead =
                !processed
                && (closed.map { !$0.value.mayHaveGrown(before: candidate.status) }
                    ?? awaiting.map { stream.awaitingCopy[$0].unread == nil } ?? false)
            let end = isRead ? knownFiles.progress(of: saved.file)?.position : nil
            guard
                let start = output.relocated(
                    saved.file, to: candidate.sighting(isFirstScan: false, completeAt: end))
            else { continue }
            if let file, file.isOpen {
                file.identity = candidate.identity
                file.name = candidate.request.name
                file.path = candidate.request.path
                file.becomeFinal()
                return .already(file)
            }
            if let closed { stream.closed[closed.key] = nil }
            if let file { release(file, of: stream) }
            if let awaiting { stream.awaitingCopy.remove(at: awaiting) }
            guard isRead else { return opener.takeUp(candidate, at: start) }
            output.finished(start.file, end: start.offset)
            if candidate.request.isElsewhere {
                output.unfollowed(start.file)
            } else {
                stream.keep(
                    LogStream.ClosedFile(identity: candidate.identity, id: start.file),
                    as: candidate.request.name)
            }
            return .unknown
        }
        return nil
    }

    /// 1. A log is rotated and compressed, and its program still has it open: it is told later.
    /// 2. What it writes until then is in no other file than the removed one, which is open here.
    ///
    /// So that is read to its end, and what the compressor has made waits for that.
    private func isWritten(_ file: TailedFile) -> Bool {
        guard !file.isFinal else { return false }
        do throws(SystemError) {
            return !(try file.opened().descriptor.hasNoWriter() ?? false)
        } catch {
            return false
        }
    }

    /// Whether `candidate`, which begins as a file did, is as long and ends alike; of what was not
    /// read to its end, whether it goes on alike where that was left.
    private func isCopied(
        _ saved: SavedFile, _ file: TailedFile?, to candidate: Candidate
    ) -> Bool {
        let size = candidate.status.size
        do throws(SystemError) {
            guard let file, file.isOpen else {
                guard size >= saved.position else { return false }
                return try candidate.continues(at: saved.position, after: saved.anchor.bytes)
            }
            let source = try file.opened()
            guard file.packed == nil, try source.descriptor.status().size == size else {
                return false
            }
            let last = max(0, size - Fingerprint.longest)
            let theirs = try candidate.read(count: Fingerprint.longest, at: last)
            return try source.descriptor.read(count: Fingerprint.longest, at: last) == theirs
        } catch {
            _ = opener.trouble(candidate.request.path, error)
            return false
        }
    }

    /// Whether an open file, of whose beginning nothing may be known yet, is what `candidate`
    /// holds.
    func isPacked(_ file: TailedFile, in candidate: Candidate) -> Bool {
        guard file.isOpen, file.packed == nil, candidate.packed != nil else { return false }
        do throws(SystemError) {
            let source = try file.opened()
            let size = try source.descriptor.status().size
            guard candidate.hasKnownSize ? size == candidate.size : size >= candidate.size - 1
            else {
                return false
            }
            return try source.descriptor.read(count: Fingerprint.longest, at: 0) == candidate.head
        } catch {
            _ = opener.trouble(file.path, error)
            return false
        }
    }

    /// A parked file was not found for a while: it was deleted, unless it is on a file system that
    /// is not mounted now, or was moved with all of it read.
    func missing(_ file: TailedFile, of stream: LogStream) {
        if findElsewhere(file, of: stream) { return }
        guard isOutOfReach(file) || (unread(of: file) == nil && knownFiles.isElsewhere(file.id))
        else {
            return gone(file, of: stream)
        }
        if opener.once, let range = unread(of: file) {
            outOfReach[file.id] = file.base.physical(LogicalOffset(range.end))
        }
        release(file, of: stream)
        output.finished(file.id, end: file.position)
        output.unfollowed(file.id)
    }

    /// Adds what is unread of files that are out of reach and were not read on since.
    func addOutOfReach(to left: inout TailerLeftovers) {
        for (file, end) in outOfReach {
            // What is not known any more was told as lost.
            guard let progress = knownFiles.progress(of: file), progress.position < end else {
                continue
            }
            left.files[file] = end - progress.position
        }
    }

    private func isOutOfReach(_ file: TailedFile) -> Bool {
        guard let directory = ExactText(file.path).parent else { return false }
        return !DirectoryPlace.of(directory).lacks(device: file.identity.device)
    }

    /// A file was deleted while it was parked: its bytes, read or not, are out of reach.
    func deleted(_ file: TailedFile, of stream: LogStream) {
        if !findElsewhere(file, of: stream) { gone(file, of: stream) }
    }

    private func gone(_ file: TailedFile, of stream: LogStream) {
        release(file, of: stream)
        awaitCopy(file, of: stream, unread: unread(of: file), reason: .deletedUnread)
    }

    /// A file has no name any more and is closed.
    func awaitCopy(
        _ file: TailedFile, of stream: LogStream, unread: ByteRange?, reason: LossReason,
        isRead: Bool = false
    ) {
        stream.awaitingCopy.append(
            LogStream.FileAwaitingCopy(
                id: file.id, identity: file.identity, path: file.path, unread: unread,
                reason: reason, isRead: isRead, end: file.physicalPosition,
                anchor: file.anchor))
        if !stream.isOrphan, !opener.once, let node = stream.node {
            // A compressor may have removed it, and then it has another name: the next look tells.
            agenda.look(at: node)
        } else {
            giveUpCopies(stream)
        }
    }

    /// A whole look has not found what was removed, but for some that are awaited.
    func giveUpCopies(_ stream: LogStream, but awaited: Set<FileID> = []) {
        for file in stream.awaitingCopy where !awaited.contains(file.id) {
            // Another stream has found it, and reads what is left.
            if opener.isFollowed(file.id, file.identity) { continue }
            if let range = file.unread {
                output.report(.lost(path: file.path, range: range, reason: file.reason))
            }
            output.gone(file.id)
        }
        stream.awaitingCopy = stream.awaitingCopy.filter { awaited.contains($0.id) }
    }

    /// The stream has nothing more to do with a file.
    func release(_ file: TailedFile, of stream: LogStream) {
        opener.close(file)
        stream.files.removeAll { $0 === file }
    }

    /// s6-log writes no more to what it has renamed. With its archived state this is saved, so that
    /// the next run can tell whether all of it was read.
    private func noteSize(of file: TailedFile) {
        guard file.packed == nil else { return }
        var size: Int?
        do throws(SystemError) {
            size = file.isOpen ? try file.opened().descriptor.status().size : file.glance()?.size
        } catch {
            _ = opener.trouble(file.path, error)
        }
        // Where it cannot be told, it has more than was read.
        output.grew(
            file.id, size: size.map { file.base.logical($0) } ?? (max(file.size, file.position) + 1)
        )
    }

    func rename(_ file: TailedFile, to name: [UInt8], in node: DirectoryNode, final: Bool) {
        guard file.name != name || (final && !file.isFinal) else { return }
        if let stream = file.stream, stream.kind == .path { stream.learn(name) }
        file.name = name
        file.missingSince = nil
        file.path = node.text(of: name)
        if final { file.becomeFinal() }
        if final, file.stream?.kind == .s6 { noteSize(of: file) }
        if final, !file.isOpen, let status = file.glance() {
            // Should it be removed before it is opened again, this is what was there.
            file.lastSize = file.base.logical(status.size)
        }
        output.moved(file.id, path: file.path, archived: file.isFinal)
    }
}
