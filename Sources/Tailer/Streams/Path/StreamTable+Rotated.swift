import Model
import Platform

/// Earlier files of ordinary logs: those that a look has seen before they were rotated, and those
/// that it has not.
extension StreamTable {
    /// Rotated files that are taken up at once, so that they leave descriptors to others.
    var mostAtOnce: Int { max(16, min(64, opener.cache.most / 2)) }

    /// Files that are no longer under the stream's path, and the one that is there now.
    ///
    /// 1. A look finds another `app.log` than before.
    /// 2. It was rotated more than once since: between the two lie files that no look has seen.
    /// 3. So the new one is opened first and the directory listed after: whatever is older has a
    ///    name in that listing.
    func takeUpRotated(_ look: StreamLook, hasLive: Bool) -> Verdict {
        var look = look
        let stream = look.stream
        var examination: FileOpener.Examination?
        if hasLive {
            let request = FileOpener.Request(
                stream: stream, name: stream.liveName, path: stream.name, isArchived: false,
                mayBePacked: true)
            examination = opener.examine(request, in: look.directory.descriptor)
            if case .failed(.exhausted) = examination { return .retry }
        }
        let listed: SharedListing.Listed
        do throws(SystemError) {
            listed = try list(look)
        } catch {
            _ = opener.trouble(look.node.text, error)
            return .retry
        }
        look.names = listed.names
        leavePath(look)
        var isListed = true
        if case .candidate(let found) = examination {
            isListed = look.liveInode == found.status.inode
            // Rotated by now: under its new name the next look finds it.
            if !isListed, look.names.name(of: found.status.inode) != nil { return .again }
        }
        var liveID: FileID?
        var live: Candidate?
        if case .candidate(let found) = examination {
            live = found
            liveID = knownFiles.file(found.identity, head: found.head)
        }
        let saved = stream.isReconciled ? [] : knownFiles.saved(stream.name)
        if !stream.isReconciled { stream.savedTime = time(of: saved, look) }
        let savedTime = stream.savedTime
        for entry in saved {
            // An earlier run's files tell what rotation makes of their names.
            guard let name = look.names.name(of: entry.identity.inode), stream.rotated(name) == nil,
                opener.presence(entry.identity, name, look.directory.descriptor) == .there
            else { continue }
            stream.learn(name)
        }
        if let found = live, liveID == nil, isListed {
            switch succeed(found, look, saved) {
            case .goesOn: liveID = knownFiles.file(found.identity, head: found.head)
            case .undecided: return .retry
            case .none: break
            }
        }
        // What became of saved files is looked for among all.
        var unknown = unknownRotatedFiles(look, listed, for: sought(stream))
        guard case .fine = unknown.verdict else { return unknown.verdict }
        var archived = searchArchives(look)
        if archived.isUnderWay { return .underWay }
        if !archived.isStable || wasRotated(look) { return .again }
        // Under its new name the next look finds it.
        if let live, !isListed, archived.keys.contains(InodeKey(live.status)) { return .again }
        add(archived.unknown, to: &unknown)
        if archived.isPartial { unknown.isPartial = true }
        var strangers = unknown.inodes
        if let live, liveID == nil { strangers.insert(live.status.inode) }
        var newestTakenUp = newestTakenUp(look, strangers)
        if !stream.isReconciled {
            // What is newer is not opened before it.
            if archived.hasFailed, !opener.once, stream.obstacles.hasToWait(look.now) {
                return .retry
            }
            var verdict = openPredecessors(saved, look, live: liveID, archived, &unknown.found)
            guard case .fine = verdict else { return verdict }
            let hasReplaced = stream.files.contains(where: \.isToBeRenewed)
            if stream.files.contains(where: \.isReplaced) {
                verdict = renewReplaced(look, hasLive: false)
                guard case .fine = verdict else { return verdict }
                if isLong(listed, of: stream), hasReplaced { return .underWay }
                unknown = unknownRotatedFiles(look, listed, for: sought(stream))
                guard case .fine = unknown.verdict else { return unknown.verdict }
                archived = searchArchives(look)
                if archived.isUnderWay { return .underWay }
                if !archived.isStable || wasRotated(look) {
                    return .again
                }
                add(archived.unknown, to: &unknown)
            }
            newestTakenUp =
                self.newestTakenUp(look, saved, at: savedTime, strangers, live: liveID)
                ?? newestTakenUp
        }
        guard archived.waiting.isEmpty else {
            // Whenever one of those that are open is read to its end, the next one has its turn.
            stream.hasMoreRotated = true
            return .retry
        }
        takeUpMoved(archived, look)
        if stream.isReconciled {
            // What was made of a file takes its entry over before that one leaves.
            recognise(&unknown, look, before: nil, elsewhere: archived.inodes)
        }
        if archived.isComplete {
            reconcile(look, held: live?.identity, archived)
        }
        // Of a stream that was never seen, what was written since this agent started.
        let device =
            live?.status.device ?? unknown.found.first?.1.status.device
            ?? unknown.strangers.first?.0.status.device
        let newest =
            stream.portions?.after ?? newestTakenUp
            ?? NewestTakenUp(modified: device.map { opener.startTimes.time(on: $0) } ?? .min)
        stream.obstacles.settle(after: newest)
        var begun = stream.files.last?.begunAt ?? .max
        if live != nil, let entry = saved.first(where: { $0.file == liveID }),
            entry.position == 0, !entry.hasHead
        {
            // Nothing was ever seen in it: what was copied from it since nobody has read.
            begun = savedTime
        }
        if let portions = stream.portions { begun = min(begun, portions.begun) }
        recognise(&unknown, look, before: nil, elsewhere: archived.inodes)
        let judged = stream.judgedArchives.count
        var unread = unread(
            unknown, of: stream, after: newest, begun: begun, live: live, liveID: liveID)
        // What is open may be copies of what is read anyway, all of it: it would be open with each
        // look.
        unknown.isPartial =
            archived.isPartial
            && (!unread.isEmpty || stream.judgedArchives.count > judged || isKnownByNow(archived))
        stream.portions = unknown.isPartial ? (newest, begun) : nil
        let others = unknown.strangers.filter { rotatedFile, _ in
            guard let live else { return true }
            // What a known file held it looks for itself.
            if liveID != nil {
                return stream.freshCopies[LogStream.Stamp(rotatedFile.status)] == nil
            }
            return !stream.isFreshCopy(rotatedFile, of: live.head, size: live.status.size)
        }
        let closed = self.unread(
            others, of: stream, after: newest, begun: begun, liveID: liveID)
        if !closed.isEmpty {
            takeUpLater(unread, closed, look, newest, unlisted: isListed ? nil : live)
            let verdict = goOnWithEarlier(look)
            // What comes after them has its turn at once.
            return worse(verdict, .underWay)
        }
        let wanted = unread.count + (live == nil ? 0 : 1)
        if isListed, unknown.isPartial || (wanted > 0 && !opener.cache.makeRoom(for: wanted)) {
            // The others, and the live one, come after these.
            let isFutile = unknown.isPartial && unread.isEmpty
            // All of them stand in one order, whatever was there before the first of them.
            let last = stream.files.last
            while !unread.isEmpty, opener.cache.makeRoom() {
                takeUp([unread.removeFirst()], look, newest, last: last)
            }
            stream.hasMoreRotated = true
            return isFutile ? .again : .retry
        }
        stream.hasMoreRotated = false
        if let live, !isListed {
            takeUp(unread, andRemoved: live, look, after: newest)
            return .again
        }
        takeUp(unread, look, newest)
        switch examination {
        case .candidate(let candidate):
            let verdict = accept(opener.takeUp(candidate), candidate, look)
            stream.savedTime = .min
            if let file = stream.live, file.isReplaced {
                file.wasIntact(at: savedTime)
                // That is another piece.
                if isLong(listed, of: stream) { return worse(verdict, .underWay) }
                return worse(verdict, renew(file, look))
            }
            let isDone =
                liveID == nil
                || !(unknown.found.contains { stream.claimed.contains($0.0.name) }
                    || unknown.strangers.contains { stream.claimed.contains($0.0.name) })
            return isDone ? verdict : .again
        case .failed(let result): return accept(result, nil, look)
        case nil: return .fine
        }
    }

    private func isLong(_ listed: SharedListing.Listed, of stream: LogStream) -> Bool {
        listed.rotatedFiles(of: stream).count >= Self.mostInOnePiece
    }

    /// Those of `unknown` that are newer than `newest`, or that may be copies of what the newest
    /// file held since `begun`; without those that are read anyway.
    private func unread(
        _ unknown: UnknownRotatedFiles, of stream: LogStream, after newest: NewestTakenUp,
        begun: FileTime,
        live: Candidate?, liveID: FileID?
    ) -> [Candidate] {
        var unread: [Candidate] = []
        for (rotatedFile, candidate) in unknown.found {
            // 1. The newest is read to its end and forgotten when it leaves its directory.
            // 2. It is found again in another one.
            if candidate.request.isElsewhere, let known = stream.newest,
                known.inode == candidate.identity.inode, known.birth == candidate.identity.birthTime
            {
                stream.judgedArchives.insert(LogStream.Stamp(candidate.status))
                continue
            }
            // Which of them are copies of what a known file held is found out when that is taken
            // up.
            let isClaimed = liveID == nil && stream.claimed.contains(rotatedFile.name)
            // A copy of what the newest file held before it was truncated may be older by its name.
            let stamp = LogStream.Stamp(candidate.status)
            let isLater =
                rotatedFile.status.modified >= begun && !stream.beside.contains(stamp)
            guard
                newest.isBefore(rotatedFile.rotated, candidate) || isLater || isClaimed
                    || stream.obstacles.wants(candidate)
            else {
                stream.obstacles.forget(candidate.status.inode)
                if candidate.request.isElsewhere {
                    stream.judgedArchives.insert(stamp)
                } else {
                    stream.beside.insert(LogStream.Stamp(rotatedFile.status))
                }
                if unknown.isPartial { stream.judged.insert(LogStream.Stamp(rotatedFile.status)) }
                continue
            }
            // What is empty may be a copy that was just begun: the next look tells.
            if candidate.status.size > 0,
                !isCopy(candidate, in: stream, live: live, liveID)
            {
                unread.append(candidate)
            }
        }
        return unread
    }

    /// The same of those that are not open.
    private func unread(
        _ strangers: [(RotatedFile, Stranger)], of stream: LogStream, after newest: NewestTakenUp,
        begun: FileTime, liveID: FileID?
    ) -> [RotatedFile] {
        var unread: [RotatedFile] = []
        for (rotatedFile, stranger) in strangers {
            let stamp = LogStream.Stamp(rotatedFile.status)
            let isClaimed = liveID == nil && stream.claimed.contains(rotatedFile.name)
            let isLater = stranger.modified >= begun && !stream.beside.contains(stamp)
            if newest.isBefore(rotatedFile.rotated, stranger) || isLater || isClaimed
                || stream.obstacles.wants(rotatedFile.status.inode, stranger)
            {
                if rotatedFile.status.size > 0 { unread.append(rotatedFile.born(stranger)) }
                continue
            }
            stream.obstacles.forget(rotatedFile.status.inode)
            stream.beside.insert(stamp)
        }
        return unread
    }

    /// There are more to be taken up than are open: all of them in their order, and then the live
    /// one.
    private func takeUpLater(
        _ unread: [Candidate], _ closed: [RotatedFile], _ look: StreamLook, _ newest: NewestTakenUp,
        unlisted: Candidate?
    ) {
        let stream = look.stream
        let last = stream.files.last
        // What lies elsewhere is open, and would be searched for.
        takeUp(unread.filter(\.request.isElsewhere), look, newest)
        var rotatedFiles = closed
        for candidate in unread where !candidate.request.isElsewhere {
            guard let rotated = stream.rotated(candidate.request.name) else { continue }
            rotatedFiles.append(
                RotatedFile(
                    name: candidate.request.name, rotated: rotated, status: candidate.status,
                    birth: candidate.identity.birthTime))
        }
        sort(&rotatedFiles)
        stream.earlier = EarlierFiles(
            rotatedFiles, .after(newest, last: last), waiting: unlisted)
    }

    /// The live file was removed between its opening and the listing: only this descriptor still
    /// has its bytes. What is older comes before it.
    private func takeUp(
        _ unread: [Candidate], andRemoved live: Candidate, _ look: StreamLook,
        after newest: NewestTakenUp
    ) {
        let stream = look.stream
        let birth = live.identity.birthTime ?? .max
        takeUp(unread.filter { $0.identity.birthTime ?? .min < birth }, look, newest)
        if case .opened(let file) = opener.takeUp(live) {
            file.lostName(look.now)
            stream.files.append(file)
            agenda.wake(stream)
        }
        takeUp(unread.filter { $0.identity.birthTime ?? .min >= birth }, look, before: nil)
    }

    /// Files beside a live one that is still the same: a copy that was made and truncated from
    /// faster than was seen, or one that is being made.
    func lookForMissed(_ look: StreamLook, _ live: TailedFile, _ rotated: [DirectoryEntry])
        -> Verdict
    {
        let stream = look.stream
        var unknown = unknownRotatedFiles(look, rotated, for: nil)
        guard case .fine = unknown.verdict else { return unknown.verdict }
        stream.hasMoreRotated = unknown.isPartial
        recognise(&unknown, look, before: live)
        var unread: [Candidate] = []
        var verdict = Verdict.fine
        for (_, candidate) in unknown.found {
            do throws(SystemError) {
                guard case .open = try opener.reopen(live) else { return .retry }
                switch try judge(candidate, beside: live, look) {
                case .done: break
                case .unread: unread.append(candidate)
                case .changed: return .again
                case .replaced: return renew(live, look)
                }
            } catch {
                // One that cannot be read does not keep the others from their turn.
                _ = opener.trouble(candidate.request.path, error)
                let inode = candidate.status.inode
                if waits(look, inode, candidate.request.name, status: candidate.status) {
                    verdict = .retry
                }
            }
        }
        while !unread.isEmpty, opener.cache.makeRoom() {
            takeUp([unread.removeFirst()], look, before: live)
        }
        if !unread.isEmpty { stream.hasMoreRotated = true }
        if stream.hasMoreRotated { return .retry }
        return unknown.isCut ? worse(verdict, .underWay) : verdict
    }

    private enum Judgement {
        /// There is nothing more to do about it.
        case done
        case unread
        /// It is written to while it is looked at.
        case changed
        /// The live file's content is another one by now.
        case replaced
    }

    private func judge(_ candidate: Candidate, beside live: TailedFile, _ look: StreamLook)
        throws(SystemError) -> Judgement
    {
        let stream = look.stream
        if candidate.status.size == 0 {
            // 1. A copy was begun. What is in the live file now is what will be copied.
            // 2. The live file is truncated and filled again before anything of it was read.
            let head = try live.opened().descriptor.read(count: Fingerprint.longest, at: 0)
            let status = try candidate.source.descriptor.status()
            guard status.size == 0 else { return .changed }
            live.expect(head)
            expectTruncation(look, candidate)
            stream.judged.insert(LogStream.Stamp(candidate.status))
            return .done
        }
        if try holds(candidate, live) {
            // A copy of what is being read: what lies beside it comes after it.
            if try !live.isIntact() {
                live.becomeReplaced()
                return .replaced
            }
            live.lookAgain()
            expectTruncation(look, candidate)
            // Whether it is still one is asked again when the live file is replaced.
            if candidate.packed != nil {
                stream.copies.insert(LogStream.Stamp(candidate.status))
            }
            return .done
        }
        if try candidate.isBeginning(of: live) {
            // 1. Nothing of it was read yet. It is being copied.
            // 2. It is truncated and filled again before its turn.
            live.expect(candidate.head)
            expectTruncation(look, candidate)
            return .done
        }
        let isWanted = stream.obstacles.wants(candidate)
        stream.obstacles.forget(candidate.status.inode)
        let isLater =
            candidate.status.modified >= live.begunAt
            && !stream.beside.contains(LogStream.Stamp(candidate.status))
        if isLater || isWanted || stream.claimed.contains(candidate.request.name) {
            return .unread
        }
        stream.judged.insert(LogStream.Stamp(candidate.status))
        return .done
    }

    func insert(_ file: TailedFile, in stream: LogStream, before live: TailedFile?) {
        // From now on it is read, and not counted when its name goes.
        stream.obstacles.forget(file.identity.inode)
        let place = live.flatMap { live in stream.files.lastIndex { $0 === live } }
        stream.files.insert(file, at: place ?? stream.files.endIndex)
        agenda.wake(stream)
    }

    /// 1. The live file was copied, or is being copied.
    /// 2. More is written to it.
    /// 3. It is truncated. What was not read of it by then is lost.
    ///
    /// A person's copy is followed by no truncation: after a while none is expected any more.
    private func expectTruncation(_ look: StreamLook, _ copy: Candidate) {
        let stream = look.stream
        agenda.wake(stream)
        // What lay there when this agent started is no copy that is being made.
        guard copy.status.modified >= opener.startTimes.time(on: copy.status.device),
            opener.stillness.time(of: copy.status, look.now) < 5_000_000_000
        else { return }
        stream.expectsTruncationUntil = look.now + 2_000_000_000
        agenda.retry(look.node)
    }

    /// Takes up files: those newer than `newestTakenUp` come last, and those older before it.
    func takeUp(_ candidates: [Candidate], _ look: StreamLook, _ newestTakenUp: NewestTakenUp) {
        let stream = look.stream
        takeUp(candidates, look, newestTakenUp, last: stream.files.last)
    }

    /// `last`: the stream's last file before any of them was taken up.
    func takeUp(
        _ candidates: [Candidate], _ look: StreamLook, _ newestTakenUp: NewestTakenUp,
        last: TailedFile?
    ) {
        let stream = look.stream
        for candidate in candidates {
            if let last, isCopiedBefore(candidate, last, of: stream) {
                takeUp([candidate], look, before: last)
                continue
            }
            let name = stream.rotated(candidate.request.name)
            let isNewer =
                newestTakenUp.isLive || name.map { newestTakenUp.isBefore($0, candidate) } ?? true
            takeUp([candidate], look, before: isNewer ? nil : last)
        }
    }

    func takeUp(_ candidates: [Candidate], _ look: StreamLook, before live: TailedFile?) {
        for candidate in candidates {
            guard case .opened(let file) = opener.takeUp(candidate) else { continue }
            file.drain(from: look.now)
            insert(file, in: look.stream, before: live)
        }
    }

    /// Files that were the stream's before this run and were not finished, under their new names;
    /// and what became of those that are not there.
    func openPredecessors(
        _ saved: [SavedFile], _ look: StreamLook, live: FileID?, _ archived: Archived,
        _ unknown: inout [(RotatedFile, Candidate)]
    ) -> Verdict {
        let stream = look.stream
        for entry in saved where entry.file != live {
            let inode = entry.identity.inode
            let name = look.names.name(of: inode) ?? stream.liveName
            var file: TailedFile?
            switch openSaved(entry, look) {
            case .opened(let opened): file = opened
            case .already, .nothing(retry: false): continue
            case .unknown: break
            case .exhausted: return .retry
            case .nothing(retry: true):
                // What is newer is not opened before it.
                if waits(look, inode, name) { return .retry }
                passUnopened(entry, look)
                continue
            case .vanished:
                if waits(look, inode, name, isRace: true) { return .again }
                passUnopened(entry, look)
                continue
            }
            if file == nil, let moved = archived.known[entry.file],
                case .opened(let opened) = opener.takeUp(moved)
            {
                file = opened
            }
            if file == nil,
                archived.waiting.contains(entry.file)
                    || stream.files.contains(where: { $0.id == entry.file })
            {
                continue
            }
            // Its inode is gone: compressed, or copied to another place.
            if file == nil {
                let found = openElsewhere(entry, look, &unknown)
                guard case .fine = found.verdict else { return found.verdict }
                file = found.file
            }
            guard let file else { continue }
            file.drain(from: look.now)
            output.moved(file.id, path: file.path, archived: file.isFinal)
            stream.files.append(file)
            agenda.wake(stream)
        }
        return .fine
    }

    /// A file of an earlier run under the name that its inode has now; `unknown` where it has none.
    func openSaved(_ entry: SavedFile, _ look: StreamLook) -> FileOpener.Result {
        let stream = look.stream
        guard let node = stream.node, let name = look.names.name(of: entry.identity.inode),
            name != stream.liveName,
            opener.presence(entry.identity, name, look.directory.descriptor) != .replaced
        else { return .unknown }
        var request = FileOpener.Request(
            stream: stream, name: name, path: node.text(of: name), isArchived: false)
        request.onlyIfKnown = true
        request.inode = entry.identity.inode
        request.mayBePacked = true
        request.mayBeginWithZeros = true
        return opener.open(request, in: look.directory.descriptor)
    }

    /// A file of an earlier run that is in another inode now.
    private func openElsewhere(
        _ entry: SavedFile, _ look: StreamLook, _ unknown: inout [(RotatedFile, Candidate)]
    ) -> (file: TailedFile?, verdict: Verdict) {
        var verdict = Verdict.fine
        for (index, (rotatedFile, candidate)) in unknown.enumerated() {
            do throws(SystemError) {
                guard knownFiles.content(of: entry.file, beginsAs: candidate.head),
                    try candidate.continues(at: entry.position, after: entry.anchor.bytes),
                    let start = output.relocated(
                        entry.file, to: candidate.sighting(isFirstScan: false))
                else { continue }
                unknown.remove(at: index)
                guard case .opened(let opened) = opener.takeUp(candidate, at: start) else { break }
                return (opened, .fine)
            } catch {
                _ = opener.trouble(candidate.request.path, error)
                if waits(look, candidate.status.inode, rotatedFile.name, status: candidate.status) {
                    verdict = .retry
                }
            }
        }
        return (nil, verdict)
    }
}
