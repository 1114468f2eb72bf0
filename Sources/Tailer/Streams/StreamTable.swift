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
    /// reach: a volume was unmounted while it was read. At most as many as were there.
    var outOfReach: [FileID: PhysicalOffset] = [:]
    /// Tells that a dormant stream was made again, as this one; and that one has ended.
    var hasWoken: (DormantStream, LogStream) -> Void = { _, _ in }
    var unwatch: (DormantStream) -> Void = { _ in }
    /// Directories that left the tree with dormant streams, until none is left in them.
    var forsaken: [(node: DirectoryNode, dormant: [DormantStream])] = []
    /// How long a parked file that lost its name is waited for to turn up elsewhere, nanoseconds.
    var patience: Int64 = 2_000_000_000
    /// How long a file is expected to be truncated after it was copied, nanoseconds.
    var truncationPatience = TailerIntervals().truncationPatience
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
        opener.wake = { [unowned self] in wake($0) }
    }

    func worse(_ a: LookEnd, _ b: LookEnd) -> LookEnd {
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
            input: match.input, captures: node.share(match.captures),
            link: match.link?.origin.path, earlierFiles: earlierFiles)
        stream.node = node
        node.streams[match.name] = stream
        return stream
    }

    /// A directory left the tree: what is open is read to its end, and nothing new comes.
    func gone(_ node: DirectoryNode, _ now: MonotonicTime) {
        for stream in node.streams.values { letGo(stream, in: node, now) }
        node.streams = [:]
        // Where the directory is only not there, as a prefix, each finds that out by itself.
        if node.isGone, !node.dormant.isEmpty {
            forsaken.append((node, Array(node.dormant.values)))
        }
        opener.gone(node)
    }

    /// Nothing leads to a stream any more.
    func letGo(_ stream: LogStream, in node: DirectoryNode, _ now: MonotonicTime) {
        for file in stream.files { file.becomeNameless(now) }
        unfollowClosed(stream)
        giveUpCopies(stream)
        tellEarlier(of: stream, node)
        leave(stream, now)
    }

    /// A stream leaves its directory with files that no name in it leads to, and ends with the last
    /// of them.
    func leave(_ stream: LogStream, _ now: MonotonicTime) {
        leaveEarlier(of: stream, now)
        guard !stream.files.isEmpty else { return end(stream) }
        stream.isOrphan = true
        // Nothing that happens there is about it any more.
        stream.node = nil
        for file in stream.files { file.drain(from: now) }
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
    ///
    /// Or what was made of it is another log's, and has its entry.
    func leave(_ closed: LogStream.ClosedFile) {
        if isInherited(closed.id, closed.identity) { return }
        if knownFiles.isElsewhere(closed.id) {
            output.unfollowed(closed.id)
        } else if !opener.isFollowed(closed.id, closed.identity) {
            output.gone(closed.id)
        }
    }

    /// Whether a file's entry went over to another inode: another stream has it.
    func isInherited(_ file: FileID, _ identity: FileIdentity) -> Bool {
        knownFiles.identity(of: file).map { !$0.agrees(with: identity) } ?? false
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
        let isRemoved = file.isRemoved
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
        } else if isRemoved {
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
        guard let name = file.name, node.hasStream(name) else { return false }
        return node.streams[name] !== stream
    }

    private func modified(_ file: TailedFile) -> FileTime {
        guard file.isOpen else { return file.changed }
        do throws(SystemError) {
            return try file.opened().descriptor.status().modified
        } catch {
            opener.tell(file.path, error)
            return file.changed
        }
    }

    /// s6-log writes no more to what it has renamed. With its archived state this is saved, so that
    /// the next run can tell whether all of it was read.
    func noteSize(of file: TailedFile) {
        guard file.packed == nil else { return }
        var size: PhysicalOffset?
        do throws(SystemError) {
            size = file.isOpen ? try file.opened().descriptor.status().end : file.glance()?.end
        } catch {
            opener.tell(file.path, error)
        }
        // Where it cannot be told, it has more than was read.
        output.grew(
            file.id, size: size.map { file.base.logical($0) } ?? (max(file.size, file.position) + 1)
        )
    }

    func rename(_ file: TailedFile, to name: [UInt8], in node: DirectoryNode, final: Bool) {
        guard file.name != name || (final && !file.isFinal) else { return }
        if let stream = file.stream, stream.kind == .path { stream.learn(name) }
        file.rename(to: name, path: node.text(of: name))
        if final { file.becomeFinal() }
        if final, file.stream?.kind == .s6 { noteSize(of: file) }
        if final, !file.isOpen, let status = file.glance() {
            // Should it be removed before it is opened again, this is what was there.
            file.sawFromOutside(size: status.end)
        }
        output.moved(file.id, path: file.path, archived: file.isFinal)
    }
}
