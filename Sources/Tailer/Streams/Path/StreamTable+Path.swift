import Model
import Platform

/// Ordinary logs: one path, and what rotation makes of its earlier files.
extension StreamTable {
    func lookAtPath(_ look: StreamLook, _ rotated: [DirectoryEntry]) -> LookEnd {
        let stream = look.stream
        stream.obstacles.beginLook()
        let end = lookAtFiles(look, rotated)
        // Only after a whole look, which finds what was compressed meanwhile under its new name.
        if case .underWay = end { return end }
        stream.surveyed = 0
        if case .fine = end {
            stream.obstacles.endLook()
            followClosed(look)
            tryObstacles(look)
        }
        return end
    }

    private func lookAtFiles(_ look: StreamLook, _ rotated: [DirectoryEntry]) -> LookEnd {
        let stream = look.stream
        let inode = look.liveInode
        let hasLive = stream.live.map { $0.identity.inode == inode } ?? false
        if hasLive {
            followEarlier(look)
        } else {
            leavePath(look)
        }
        settleClosed(look)
        if !hasLive || !rotated.isEmpty { seeReplaced(stream) }
        let taken = goOnWithEarlier(look)
        guard case .fine = taken else { return taken }
        let hasReplaced = stream.files.contains(where: \.isToBeRenewed)
        if !hasLive || hasReplaced,
            !surveyAhead(look, rotated)
        {
            return .underWay
        }
        let renewed = renewReplaced(look, hasLive: hasLive)
        guard case .fine = renewed else { return renewed }
        if hasReplaced, rotated.count >= Self.mostInOnePiece { return .underWay }
        if hasLive {
            followElsewhere(look)
            guard let live = stream.live, !rotated.isEmpty else { return .fine }
            return lookForMissed(look, live, rotated)
        }
        if rotated.isEmpty, stream.files.isEmpty, stream.newest == nil,
            stream.portions == nil
        {
            let saved = stream.isReconciled ? [] : knownFiles.saved(stream.name)
            if saved.isEmpty {
                // It was never seen before, and nothing lies beside it.
                reconcile(look)
                return openLive(look)
            }
            if let end = openKnown(look, saved) { return end }
        }
        return takeUpRotated(look, hasLive: inode != nil)
    }

    /// 1. A log appears in a directory, and is rotated before the first look at it.
    /// 2. There is no file under a name that matches.
    ///
    /// What was last written before this agent started is none of its business.
    func lookForUnseen(_ base: [UInt8], _ entries: [DirectoryEntry], _ look: DirectoryLook)
        -> LookEnd
    {
        let node = look.node
        guard !node.hasStream(base), look.names.inode(of: base) == nil else { return .fine }
        // What a pattern matches is a log of its own until there is one whose name it had.
        //
        // 1. `app.log.2` becomes `app.log.2.gz`, and is removed.
        // 2. The pattern matches both. That is `app.log`'s, and no earlier file of a log
        //    `app.log.2`.
        let others = entries.filter { entry in
            !node.hasStream(entry.name)
                && !RotatedName.bases(of: entry.name).contains { other in
                    other != base
                        && (node.hasStream(other) || look.names.inode(of: other) != nil
                            || (other.count < base.count && look.missing(other) != nil))
                }
        }
        guard !others.isEmpty, let match = look.missing(base), isNew(others, look) else {
            return .fine
        }
        let stream = begin(match, in: node)
        return lookAtPath(look.at(stream), others)
    }

    private func isNew(
        _ entries: [DirectoryEntry], _ look: DirectoryLook
    ) -> Bool {
        for entry in entries {
            do throws(SystemError) {
                let status = try look.directory.descriptor.status(of: entry.name)
                if status.isRegular,
                    status.modified >= opener.startTimes.time(on: status.device)
                {
                    return true
                }
            } catch {
                // What is gone by now is nothing to begin a stream for.
                if error.code != .notFound {
                    opener.tell(look.node.text(of: entry.name), error)
                }
            }
        }
        return false
    }

    // MARK: The live file

    private func openLive(_ look: StreamLook) -> LookEnd {
        let stream = look.stream
        guard let inode = look.liveInode else { return .fine }
        let request = FileOpener.Request(
            stream: stream, name: stream.liveName, path: stream.name, isArchived: false,
            inode: inode, mayBePacked: true, since: look.changed)
        switch opener.examine(request, in: look.directory.descriptor) {
        case .candidate(let candidate) where candidate.awaitsRemoval: return .retry
        case .candidate(let candidate):
            return accept(opener.takeUp(candidate), candidate, look)
        case .failed(let result): return accept(result, nil, look)
        }
    }

    /// 1. An agent is started anew. What an earlier run has saved of a log is one file.
    /// 2. That has its name still, and nothing lies beside it.
    ///
    /// Nothing has to be looked for. Nil where it is another file, or cannot be opened.
    private func openKnown(_ look: StreamLook, _ saved: [SavedFile]) -> LookEnd? {
        let stream = look.stream
        guard saved.count == 1, let entry = saved.first,
            ExactText(entry.path) == ExactText(stream.name), !hasArchives(stream),
            stream.obstacles.isEmpty, let inode = look.liveInode,
            inode == entry.identity.inode
        else { return nil }
        let request = FileOpener.Request(
            stream: stream, name: stream.liveName, path: stream.name, isArchived: false,
            inode: inode, mayBePacked: true, since: look.changed)
        guard
            case .candidate(let candidate) = opener.examine(request, in: look.directory.descriptor),
            knownFiles.file(candidate.identity, head: candidate.head) == entry.file
        else { return nil }
        reconcile(look)
        let end = accept(opener.takeUp(candidate), candidate, look)
        guard let file = stream.live, file.isReplaced else { return end }
        file.wasIntact(at: time(of: saved, look))
        return worse(end, renew(file, look))
    }

    func accept(_ result: FileOpener.OpenResult, _ candidate: Candidate?, _ look: StreamLook)
        -> LookEnd
    {
        let stream = look.stream
        switch result {
        case .opened(let file):
            stream.files.append(file)
            stream.freshCopies = [:]
            if let candidate {
                stream.newest = LogStream.Newest(
                    inode: candidate.status.inode, modified: candidate.status.modified,
                    birth: candidate.identity.birthTime)
            }
            agenda.wake(stream)
            return .fine
        case .already(let file):
            // 1. `app.log` became `app.log.1`, which the pattern matches too.
            // 2. The stream that has it open reads it to its end; this one looks again later, and
            //    finds the position where that one stopped.
            if let mine = stream.files.firstIndex(where: { $0 === file }) {
                stream.files.append(stream.files.remove(at: mine))
                file.becomeLive()
                rename(file, to: stream.liveName, in: look.node, final: false)
                agenda.wake(stream)
                return .fine
            }
            return .retry
        case .nothing(let retry): return retry ? .retry : .fine
        case .exhausted: return .retry
        case .missing: return .again
        case .notTakenUp: return .fine
        }
    }

    /// The stream's path no longer leads to its live file: that one is read on under its new name
    /// or none, until its end is proven.
    func leavePath(_ look: StreamLook) {
        let stream = look.stream
        for file in stream.files {
            guard let name = look.names.name(of: file.identity.inode) else {
                if file.name != nil { agenda.wake(stream) }
                file.becomeNameless(look.now)
                continue
            }
            if name != stream.liveName {
                file.drain(from: look.now)
                if file.name != name { agenda.wake(stream) }
                rename(file, to: name, in: look.node, final: false)
            }
        }
    }

    /// Names are how parked files are found again, and how files that were closed are told apart:
    /// those of the live file's predecessors are kept up to date too.
    private func followEarlier(_ look: StreamLook) {
        let stream = look.stream
        for file in stream.files where file.name != stream.liveName {
            let name = look.names.name(of: file.identity.inode)
            if name != file.name { agenda.wake(stream) }
            if let name {
                rename(file, to: name, in: look.node, final: false)
            } else {
                file.becomeNameless(look.now)
            }
        }
    }

    /// A file that was read to its end and closed keeps its entry under whatever name, until it is
    /// removed.
    private func followClosed(_ look: StreamLook) {
        let stream = look.stream
        giveUpCopies(stream)
        var moved: [(name: [UInt8], file: LogStream.ClosedFile)] = []
        for (name, closed) in stream.closed where look.names.inode(of: name) != closed.inode {
            do throws(SystemError) {
                // It may have got its name after the listing.
                if !name.contains(UInt8(ascii: "/")),
                    try look.directory.descriptor.status(of: name).inode == closed.inode
                {
                    continue
                }
            } catch {
                if error.code != .notFound { continue }
            }
            moved.append((name, closed))
            stream.closed[name] = nil
        }
        // Each has left its old name before another one gets that: all of them move on at once.
        for (earlier, closed) in moved {
            if let name = newName(of: closed, look) {
                // Where it cannot be read on now, the next look finds it moved once more.
                let isFollowed = readOn(closed, name, look)
                if let isFollowed { stream.keep(closed, as: isFollowed ? name : earlier) }
            } else if !stream.files.contains(where: { $0.id == closed.id }) {
                leave(closed)
            }
        }
    }

    /// A closed file has another name. Nil when it is read on under that, false when it is to be
    /// and cannot be now.
    ///
    /// 1. `worker.1.log` lies beside `worker.log` and is taken for an earlier file of it. Its
    ///    writer, who opens it for each line, has it open at no look: it is read to its end and
    ///    closed.
    /// 2. A line is written to it, and before anybody looks it is rotated to `worker.1.log.1`,
    ///    which is no name that `worker.log` would have.
    private func readOn(_ closed: LogStream.ClosedFile, _ name: [UInt8], _ look: StreamLook)
        -> Bool?
    {
        let stream = look.stream
        guard let node = stream.node, let known = knownFiles.progress(of: closed.id) else {
            return true
        }
        do throws(SystemError) {
            let status = try look.directory.descriptor.status(of: name)
            guard status.inode == closed.inode, status.end > known.position else { return true }
        } catch {
            return error.code == .notFound
        }
        var request = FileOpener.Request(
            stream: stream, name: name, path: node.text(of: name), isArchived: false,
            inode: closed.inode)
        request.onlyIfKnown = true
        request.mayBePacked = true
        switch opener.open(request, in: look.directory.descriptor) {
        case .opened(let file):
            file.drain(from: look.now)
            output.moved(file.id, path: file.path, archived: false)
            insert(file, in: stream, before: stream.live)
            return nil
        case .exhausted, .missing:
            agenda.retry(node)
            return false
        case .nothing(retry: true):
            guard let entry = knownFiles.saved(stream.name).first(where: { $0.file == closed.id })
            else { return true }
            pass(closed.inode, name, look)
            passUnopened(entry, look)
            agenda.retry(node)
            return nil
        case .already, .notTakenUp, .nothing(retry: false): return true
        }
    }

    /// The name that a closed file has now; nil where none leads to it.
    ///
    /// Whoever rotates removes the oldest file, and the new one gets its inode number at once.
    func newName(of closed: LogStream.ClosedFile, _ look: StreamLook) -> [UInt8]? {
        guard let name = look.names.name(of: closed.inode),
            opener.presence(closed.identity, name, look.directory.descriptor) != .replaced
        else { return nil }
        return name
    }

    /// The fate of the stream's files of an earlier run is known: those without a name leave, but
    /// for one that is held open and about to be read, and for those on other file systems than
    /// were listed:
    ///
    /// 1. A log on a volume is read and rotated.
    /// 2. The volume is unmounted, and somebody writes a log of that name to where it was.
    /// 3. The volume is mounted again. Without its entries all of it would be sent once more.
    func reconcile(_ look: StreamLook, held: FileIdentity? = nil, _ archived: Archived = Archived())
    {
        let stream = look.stream
        // What was moved on and pruned there leaves with the next rotation.
        let isComplete = stream.isReconciled && stream.awaitingCopy.isEmpty
        guard !stream.isReconciled || (isComplete && hasArchives(stream)) else { return }
        stream.isReconciled = true
        // There are file systems whose files have other devices than their directories.
        var devices = archived.devices.union(stream.files.lazy.map(\.identity.device))
        if let held { devices.insert(held.device) }
        if let key = inode(of: look.directory.descriptor) { devices.insert(key.device) }
        output.listed(stream.name, on: devices) { identity in
            if let held, held.inode == identity.inode { return identity.agrees(with: held) }
            if archived.inodes.contains(identity.inode) { return true }
            // Its number may be another file's by now.
            guard let name = look.names.name(of: identity.inode) else { return false }
            return opener.presence(identity, name, look.directory.descriptor) != .replaced
        }
    }
}
