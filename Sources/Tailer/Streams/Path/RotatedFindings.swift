import Model
import Platform

/// What a look has found of a log whose path leads to another file than before, or to none.
struct RotatedFindings {
    /// By the listing that was made after the live file was opened.
    let look: StreamLook
    let listed: SharedListing.Listed
    /// What stands at the log's path; nil where the listing before had nothing there.
    let examination: FileOpener.Examination?
    /// The listing has the log's name, and under it the file that was opened.
    let isListed: Bool
    /// What is known of that file.
    var liveID: FileID?
    /// What an earlier run has saved of the log, until it is known what became of that.
    let saved: [SavedFile]
    /// When that was, or before.
    let savedTime: FileTime
    /// Rotated files that nothing is known of.
    var unknown = UnknownRotatedFiles()
    var archived = StreamTable.Archived()
    var newestTakenUp: NewestTakenUp?

    var stream: LogStream { look.stream }

    /// The file at the log's path, where it could be opened.
    var live: Candidate? {
        if case .candidate(let candidate) = examination { candidate } else { nil }
    }
}

/// What is found out about the rotated files of a log, and what becomes of those that are known.
extension StreamTable {
    /// Finds out what there is to be taken up: the file that has the log's name now, and all that
    /// nothing is known of. Files that are known go on under their new names.
    func findRotated(
        _ look: StreamLook, hasLive: Bool
    ) throws(LookEnd) -> RotatedFindings {
        var found = try meetLive(look, hasLive: hasLive)
        let stream = found.stream
        if let live = found.live, found.liveID == nil, found.isListed {
            switch succeed(live, found.look, found.saved) {
            case .goesOn: found.liveID = knownFiles.file(live.identity, head: live.head)
            case .undecided: throw LookEnd.retry
            case .none: break
            }
        }
        try search(&found)
        // Under its new name the next look finds it.
        if let live = found.live, !found.isListed,
            found.archived.keys.contains(InodeKey(live.status))
        {
            throw LookEnd.again
        }
        if found.archived.isPartial { found.unknown.isPartial = true }
        var strangers = found.unknown.inodes
        if let live = found.live, found.liveID == nil { strangers.insert(live.status.inode) }
        found.newestTakenUp = newestTakenUp(found.look, strangers)
        if !stream.isReconciled { try findPredecessors(&found, strangers) }
        guard found.archived.waiting.isEmpty else {
            // Whenever one of those that are open is read to its end, the next one has its turn.
            stream.hasMoreRotated = true
            throw LookEnd.retry
        }
        takeUpMoved(found.archived, found.look)
        if stream.isReconciled {
            // What was made of a file takes its entry over before that one leaves.
            recognise(&found.unknown, found.look, before: nil, elsewhere: found.archived.inodes)
        }
        if found.archived.isComplete {
            reconcile(found.look, held: found.live?.identity, found.archived)
        }
        return found
    }

    /// Opens the file that has the log's name, and lists the directory after that.
    private func meetLive(
        _ look: StreamLook, hasLive: Bool
    ) throws(LookEnd) -> RotatedFindings {
        var look = look
        let stream = look.stream
        var examination: FileOpener.Examination?
        if hasLive {
            let request = FileOpener.Request(
                stream: stream, name: stream.liveName, path: stream.name, isArchived: false,
                mayBePacked: true)
            examination = opener.examine(request, in: look.directory.descriptor)
            if case .failed(.exhausted) = examination { throw LookEnd.retry }
            if case .candidate(let live) = examination, live.awaitsRemoval { throw LookEnd.retry }
        }
        let listed: SharedListing.Listed
        do throws(SystemError) {
            listed = try list(look)
        } catch {
            opener.tell(look.node.text, error)
            throw LookEnd.retry
        }
        look.names = listed.names
        leavePath(look)
        var isListed = true
        var liveID: FileID?
        if case .candidate(let live) = examination {
            isListed = look.liveInode == live.status.inode
            // Rotated by now: under its new name the next look finds it.
            if !isListed, look.names.name(of: live.status.inode) != nil { throw LookEnd.again }
            liveID = knownFiles.file(live.identity, head: live.head)
        }
        let saved = stream.isReconciled ? [] : knownFiles.saved(stream.name)
        if !stream.isReconciled { stream.savedTime = time(of: saved, look) }
        for entry in saved {
            // An earlier run's files tell what rotation makes of their names.
            guard let name = look.names.name(of: entry.identity.inode), stream.rotated(name) == nil,
                opener.presence(entry.identity, name, look.directory.descriptor) == .there
            else { continue }
            stream.learn(name)
        }
        return RotatedFindings(
            look: look, listed: listed, examination: examination, isListed: isListed,
            liveID: liveID, saved: saved, savedTime: stream.savedTime)
    }

    /// Looks at all rotated files, here and where they may go: what became of saved files, and of
    /// content that was replaced, is looked for among all.
    private func search(_ found: inout RotatedFindings) throws(LookEnd) {
        found.unknown = unknownRotatedFiles(
            found.look, found.listed, for: sought(found.stream))
        guard case .fine = found.unknown.end else { throw found.unknown.end }
        found.archived = searchArchives(found.look)
        if found.archived.isUnderWay { throw LookEnd.underWay }
        if !found.archived.isStable || wasRotated(found.look) { throw LookEnd.again }
        add(found.archived.unknown, to: &found.unknown)
    }

    /// The log's files of an earlier run come first. `strangers`: inodes of files that nothing is
    /// known of.
    private func findPredecessors(
        _ found: inout RotatedFindings, _ strangers: Set<UInt64>
    ) throws(LookEnd) {
        let (look, stream) = (found.look, found.stream)
        // What is newer is not opened before it.
        if found.archived.hasFailed, !opener.once, stream.obstacles.hasToWait(look.now) {
            throw LookEnd.retry
        }
        var end = openPredecessors(
            found.saved, look, live: found.liveID, found.archived, &found.unknown.found)
        guard case .fine = end else { throw end }
        let hasReplaced = stream.files.contains(where: \.isToBeRenewed)
        if stream.files.contains(where: \.isReplaced) {
            end = renewReplaced(look, hasLive: false)
            guard case .fine = end else { throw end }
            if hasReplaced, isLong(found.listed, of: stream) { throw LookEnd.underWay }
            try search(&found)
        }
        found.newestTakenUp =
            newestTakenUp(
                look, found.saved, at: found.savedTime, strangers, live: found.liveID)
            ?? found.newestTakenUp
    }

    /// How far the log was read before what is to be taken up now.
    func reach(of found: RotatedFindings) -> TakeUpPlan.Reach {
        let (live, stream) = (found.live, found.stream)
        // Of a stream that was never seen, what was written since this agent started.
        let device =
            live?.status.device ?? found.unknown.found.first?.1.status.device
            ?? found.unknown.strangers.first?.0.status.device
        let newest =
            stream.portions?.after ?? found.newestTakenUp
            ?? NewestTakenUp(modified: device.map { opener.startTimes.time(on: $0) } ?? .min)
        var begun = stream.files.last?.begunAt ?? .max
        if live != nil, let entry = found.saved.first(where: { $0.file == found.liveID }),
            entry.position == .start, !entry.hasHead
        {
            // Nothing was ever seen in it: what was copied from it since nobody has read.
            begun = found.savedTime
        }
        if let portions = stream.portions { begun = min(begun, portions.begun) }
        return TakeUpPlan.Reach(newest: newest, begun: begun)
    }
}
