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
    ///
    /// What is there is found out first; what is to be done about it is a plan (`TakeUpPlan`),
    /// which is carried out then.
    func takeUpRotated(_ look: StreamLook, hasLive: Bool) -> LookEnd {
        do throws(LookEnd) {
            var found = try findRotated(look, hasLive: hasLive)
            let reach = reach(of: found)
            found.stream.obstacles.settle(after: reach.newest)
            recognise(&found.unknown, found.look, before: nil, elsewhere: found.archived.inodes)
            let unread = unread(&found, reach)
            let plan = TakeUpPlan.make(facts(of: found, unread)) {
                opener.cache.makeRoom(for: $0)
            }
            return carryOut(plan, unread, found, reach)
        } catch {
            return error
        }
    }

    func isLong(_ listed: SharedListing.Listed, of stream: LogStream) -> Bool {
        listed.rotatedFiles(of: stream).count >= Self.mostInOnePiece
    }

    // MARK: What is to be read

    /// Rotated files that are to be read, oldest first.
    private struct Unread {
        var open: [Candidate] = []
        var closed: [RotatedFile] = []
    }

    private func unread(
        _ found: inout RotatedFindings, _ reach: TakeUpPlan.Reach
    ) -> Unread {
        let (stream, archived) = (found.stream, found.archived)
        let judged = stream.judgedArchives.count
        var unread = Unread(open: unreadOpen(found, reach))
        // What is open may be copies of what is read anyway, all of it: it would be open with each
        // look.
        found.unknown.isPartial =
            archived.isPartial
            && (!unread.open.isEmpty || stream.judgedArchives.count > judged
                || isKnownByNow(archived))
        stream.portions = found.unknown.isPartial ? (reach.newest, reach.begun) : nil
        unread.closed = unreadClosed(found, reach)
        return unread
    }

    private func unreadOpen(
        _ found: RotatedFindings, _ reach: TakeUpPlan.Reach
    ) -> [Candidate] {
        let stream = found.stream
        var unread: [Candidate] = []
        for (rotatedFile, candidate) in found.unknown.found {
            let stamp = LogStream.Stamp(candidate.status)
            var file = file(
                rotatedFile, Stranger(candidate), stamp, candidate.status.size,
                modified: rotatedFile.status.modified, found)
            file.isNewest = candidate.request.isElsewhere && isNewest(candidate, of: stream)
            switch reach.meaning(of: file) {
            case .itself: stream.judgedArchives.insert(stamp)
            case .older:
                stream.obstacles.forget(candidate.status.inode)
                if candidate.request.isElsewhere {
                    stream.judgedArchives.insert(stamp)
                } else {
                    stream.beside.insert(LogStream.Stamp(rotatedFile.status))
                }
                if found.unknown.isPartial {
                    stream.judged.insert(LogStream.Stamp(rotatedFile.status))
                }
            case .empty: break
            case .unread:
                if !isCopy(candidate, in: stream, live: found.live, found.liveID) {
                    unread.append(candidate)
                }
            }
        }
        return unread
    }

    private func unreadClosed(
        _ found: RotatedFindings, _ reach: TakeUpPlan.Reach
    ) -> [RotatedFile] {
        let stream = found.stream
        var unread: [RotatedFile] = []
        for (rotatedFile, stranger) in found.unknown.strangers
        where !isFreshCopy(rotatedFile, found) {
            let stamp = LogStream.Stamp(rotatedFile.status)
            let file = file(
                rotatedFile, stranger, stamp, rotatedFile.status.size,
                modified: stranger.modified, found)
            switch reach.meaning(of: file) {
            case .itself, .older:
                stream.obstacles.forget(rotatedFile.status.inode)
                stream.beside.insert(stamp)
            case .empty: break
            case .unread: unread.append(rotatedFile.born(stranger))
            }
        }
        return unread
    }

    private func file(
        _ rotatedFile: RotatedFile, _ stranger: Stranger, _ stamp: LogStream.Stamp, _ size: Int,
        modified: FileTime, _ found: RotatedFindings
    ) -> TakeUpPlan.File {
        let stream = found.stream
        return TakeUpPlan.File(
            rotated: rotatedFile.rotated, stranger: stranger, modified: modified, size: size,
            isBeside: stream.beside.contains(stamp),
            // Which of them are copies of what a known file held is found out when that is taken
            // up.
            isClaimed: found.liveID == nil && stream.claimed.contains(rotatedFile.name),
            isWanted: stream.obstacles.wants(stamp.inode, stranger))
    }

    /// 1. The newest is read to its end and forgotten when it leaves its directory.
    /// 2. It is found again in another one.
    private func isNewest(_ candidate: Candidate, of stream: LogStream) -> Bool {
        guard let newest = stream.newest else { return false }
        return newest.inode == candidate.identity.inode
            && newest.birth == candidate.identity.birthTime
    }

    /// Whether one that is not open is a copy of what is to be the live file, as far as is known.
    private func isFreshCopy(_ rotatedFile: RotatedFile, _ found: RotatedFindings) -> Bool {
        guard let live = found.live else { return false }
        // What a known file held it looks for itself.
        if found.liveID != nil {
            return found.stream.freshCopies[LogStream.Stamp(rotatedFile.status)] != nil
        }
        return found.stream.isFreshCopy(rotatedFile, of: live.head, size: live.status.end)
    }

    private func facts(of found: RotatedFindings, _ unread: Unread) -> TakeUpPlan.Facts {
        var live = TakeUpPlan.Live.none
        if let candidate = found.live {
            live = found.isListed ? .listed : .removed(birth: candidate.identity.birthTime)
        }
        return TakeUpPlan.Facts(
            unread: unread.open.map {
                .init(isElsewhere: $0.request.isElsewhere, birth: $0.identity.birthTime)
            },
            hasClosed: !unread.closed.isEmpty, isPartial: found.unknown.isPartial, live: live)
    }

    // MARK: Taking up

    private func carryOut(
        _ plan: [TakeUpPlan.Action], _ unread: Unread, _ found: RotatedFindings,
        _ reach: TakeUpPlan.Reach
    ) -> LookEnd {
        let (look, stream) = (found.look, found.stream)
        // All of them stand in one order, whatever was there before the first of them.
        let last = stream.files.last
        var end = LookEnd.fine
        stream.hasMoreRotated = false
        for action in plan {
            switch action {
            case .takeUp(let indices):
                takeUp(indices.map { unread.open[$0] }, look, reach.newest, last: last)
            case .takeUpWhileThereIsRoom(let indices):
                for index in indices {
                    guard opener.cache.makeRoom() else { break }
                    takeUp([unread.open[index]], look, reach.newest, last: last)
                }
                stream.hasMoreRotated = true
            case .takeUpLast(let indices):
                takeUp(indices.map { unread.open[$0] }, look, before: nil)
            case .takeTurns(let indices, let isBeforeRemoved):
                let open = indices.map { unread.open[$0] }
                end = takeTurns(
                    unread.closed + rotatedFiles(open, of: stream), look,
                    .after(reach.newest, last: last),
                    waiting: isBeforeRemoved ? found.live : nil)
            case .takeUpRemoved: takeUpRemoved(found)
            case .goOnWithLive: end = goOnWithLive(found)
            case .end(let other): end = worse(end, other)
            }
        }
        return end
    }

    /// Open candidates as what is to be opened when its turn comes.
    private func rotatedFiles(_ candidates: [Candidate], of stream: LogStream) -> [RotatedFile] {
        candidates.compactMap { candidate in
            stream.rotated(candidate.request.name).map { rotated in
                RotatedFile(
                    name: candidate.request.name, rotated: rotated, status: candidate.status,
                    birth: candidate.identity.birthTime)
            }
        }
    }

    /// There are more to be taken up than are open: all of them in their order, and then what waits
    /// for them.
    private func takeTurns(
        _ rotatedFiles: [RotatedFile], _ look: StreamLook, _ rank: EarlierFiles.Rank,
        waiting: Candidate?
    ) -> LookEnd {
        var rotatedFiles = rotatedFiles
        sort(&rotatedFiles)
        look.stream.earlier = EarlierFiles(rotatedFiles, rank, waiting: waiting)
        return goOnWithEarlier(look)
    }

    /// The live file was removed between its opening and the listing: only this descriptor still
    /// has its bytes.
    private func takeUpRemoved(_ found: RotatedFindings) {
        guard let live = found.live, case .opened(let file) = opener.takeUp(live) else { return }
        file.becomeNameless(found.look.now)
        found.stream.files.append(file)
        agenda.wake(found.stream)
    }

    /// The file at the stream's own path is the live one from now on, if it can be opened.
    private func goOnWithLive(_ found: RotatedFindings) -> LookEnd {
        let (look, stream) = (found.look, found.stream)
        switch found.examination {
        case .candidate(let candidate):
            let end = accept(opener.takeUp(candidate), candidate, look)
            stream.savedTime = .min
            if let file = stream.live, file.isReplaced {
                file.wasIntact(at: found.savedTime)
                // That is another piece.
                if isLong(found.listed, of: stream) { return worse(end, .underWay) }
                return worse(end, renew(file, look))
            }
            // Which of those are copies of what a known file held can be told now.
            let hasClaimed =
                found.unknown.found.contains { stream.claimed.contains($0.0.name) }
                || found.unknown.strangers.contains { stream.claimed.contains($0.0.name) }
            return found.liveID != nil && hasClaimed ? .again : end
        case .failed(let result): return accept(result, nil, look)
        case nil: return .fine
        }
    }

    func insert(_ file: TailedFile, in stream: LogStream, before live: TailedFile?) {
        // From now on it is read, and not counted when its name goes.
        stream.obstacles.forget(file.identity.inode)
        let place = live.flatMap { live in stream.files.lastIndex { $0 === live } }
        stream.files.insert(file, at: place ?? stream.files.endIndex)
        agenda.wake(stream)
    }

    /// Takes up files: those newer than `newestTakenUp` come last, and those older before it.
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
}
