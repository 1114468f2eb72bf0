import Model
import Platform

/// Files whose content was replaced, and the copies that others made of what it was.
extension StreamTable {
    /// 1. A file is copied and truncated, and then renamed.
    /// 2. What lies beside it can only be judged once it is known that it is another content now.
    func seeReplaced(_ stream: LogStream) {
        for file in stream.files where file.isOpen && !file.isReplaced {
            do throws(SystemError) {
                if try file.isWhatWasRead() { continue }
                let size = try file.opened().descriptor.status().end
                if case .replaced = try file.resumption(size: size) {
                    file.becomeReplaced()
                } else {
                    // Its turn finds out what became of it.
                    agenda.wake(stream)
                }
            } catch {
                opener.tell(file.path, error)
            }
        }
    }

    /// Finds out what became of the content of files that hold another one now. One that cannot be
    /// read holds up what is newer for a while.
    func renewReplaced(_ look: StreamLook, hasLive: Bool) -> LookEnd {
        let stream = look.stream
        var end = LookEnd.fine
        for file in stream.files where file.isReplaced {
            let renewed = renew(file, look)
            // It goes on: nothing stands in its way.
            if case .underWay = renewed { return renewed }
            if stream.earlier != nil { return renewed }
            guard case .fine = renewed else {
                let isLive = hasLive && file === stream.live
                if isLive || waits(look, file) { end = worse(end, renewed) }
                continue
            }
        }
        return end
    }

    /// The live file's content was replaced: what it held is looked for in a copy, and what was
    /// copied and truncated away since then in others. What is to be done then is a plan
    /// (`CopyPlan`).
    func renew(_ live: TailedFile, _ look: StreamLook) -> LookEnd {
        do throws(LookEnd) {
            var look = look
            let (fresh, listed) = try trying(live) {
                () throws(SystemError) -> (FileOpener.Fresh, SharedListing.Listed)? in
                guard case .open = try opener.reopen(live) else { return nil }
                // Before the listing: what begins otherwise when it is read was replaced once more,
                // and a copy of it may be missing in that listing.
                let fresh = try opener.fresh(live, of: look.stream)
                live.saw(changed: fresh.changed)
                return (fresh, try list(look))
            }
            look.names = listed.names
            look.now = MonotonicTime.now()
            let unknown = try searchCopies(of: live, look, listed)
            let plan = CopyPlan.make(try compare(unknown, live, fresh, look))
            look.stream.expectsTruncationUntil = .zero
            agenda.wake(look.stream)
            return try trying(live) { () throws(SystemError) -> LookEnd? in
                try carryOut(plan, unknown, live, fresh, look)
            }
        } catch {
            return error
        }
    }

    /// A step that needs the file; nil, or what fails, is tried again with the next look.
    private func trying<Value>(
        _ file: TailedFile, _ step: () throws(SystemError) -> Value?
    ) throws(LookEnd) -> Value {
        do throws(SystemError) {
            if let value = try step() { return value }
        } catch {
            opener.tell(file.path, error)
        }
        throw LookEnd.retry
    }

    /// Rotated files that nothing is known of, here and where they may go, oldest first; those that
    /// were closed again without a candidate.
    private func searchCopies(
        of live: TailedFile, _ look: StreamLook, _ listed: SharedListing.Listed
    ) throws(LookEnd) -> [(RotatedFile, Candidate?)] {
        let stream = look.stream
        var unknown = unknownRotatedFiles(look, listed, for: sought(stream))
        guard case .fine = unknown.end else { throw unknown.end }
        // What was no business of the stream may be what this file held. Once: what this search
        // has come to holds for its next slice.
        if live.search() { stream.judgedArchives = [] }
        let archived = searchArchives(look)
        if archived.isUnderWay { throw LookEnd.underWay }
        if !archived.isStable { throw LookEnd.again }
        add(archived.unknown, to: &unknown)
        recognise(&unknown, look, before: live, elsewhere: archived.inodes)
        return inOrder(unknown)
    }

    private func compare(
        _ unknown: [(RotatedFile, Candidate?)], _ live: TailedFile, _ fresh: FileOpener.Fresh,
        _ look: StreamLook
    ) throws(LookEnd) -> CopyPlan.Facts {
        let stream = look.stream
        var facts = CopyPlan.Facts(
            begun: live.begunAt, intact: live.content.intactAt,
            isInPlace: look.liveInode == live.identity.inode,
            rotated: live.name.flatMap(stream.rotated))
        var hasCopy = false
        for (rotatedFile, candidate) in unknown {
            var file = CopyPlan.File(
                modified: rotatedFile.status.modified, isOpen: candidate != nil,
                isElsewhere: candidate?.request.isElsewhere ?? false,
                rotated: facts.rotated.flatMap { _ in stream.rotated(rotatedFile.name) })
            if let candidate {
                file.content = try content(of: candidate, live, look, hasCopy: hasCopy)
                if file.content == .past { hasCopy = true }
            } else if rotatedFile.status.size == 0 || isFreshCopy(rotatedFile, fresh, of: stream) {
                file.content = .nothing
            }
            facts.files.append(file)
        }
        return facts
    }

    /// `hasCopy`: there is one by now, and no other is asked for that.
    private func content(
        of candidate: Candidate, _ live: TailedFile, _ look: StreamLook, hasCopy: Bool
    ) throws(LookEnd) -> CopyPlan.Content {
        // What is empty is a copy that was just begun.
        if candidate.size == .start { return .nothing }
        do throws(SystemError) {
            if try candidate.isBeginning(of: live) { return .nothing }
            if hasCopy { return .other }
            return try holds(candidate, live) ? .past : .other
        } catch {
            opener.tell(candidate.request.path, error)
            let inode = candidate.status.inode
            let name = candidate.request.name
            if waits(look, inode, name, status: candidate.status) { throw LookEnd.retry }
            return .nothing
        }
    }

    private func isFreshCopy(
        _ rotatedFile: RotatedFile, _ fresh: FileOpener.Fresh, of stream: LogStream
    ) -> Bool {
        stream.isFreshCopy(rotatedFile, of: fresh.sighting.head, size: fresh.sighting.size)
            || stream.isFreshCopy(rotatedFile, of: fresh.raw, size: PhysicalOffset(fresh.diskSize))
    }

    private func carryOut(
        _ plan: [CopyPlan.Action], _ unknown: [(RotatedFile, Candidate?)], _ live: TailedFile,
        _ fresh: FileOpener.Fresh, _ look: StreamLook
    ) throws(SystemError) -> LookEnd {
        let stream = look.stream
        var end = LookEnd.fine
        for action in plan {
            let place = stream.files.firstIndex { $0 === live } ?? stream.files.endIndex
            switch action {
            case .takeUp(let indices):
                takeUp(indices.compactMap { unknown[$0].1 }, look, before: live)
            case .restart(let copy, let later):
                takeUp(later.compactMap { unknown[$0].1 }, look, before: live)
                if let copy = copy.flatMap({ unknown[$0].1 }),
                    let earlier = opener.restart(live, fresh, continuedIn: copy)
                {
                    stream.files.insert(earlier, at: place)
                } else {
                    opener.restart(live, fresh)
                }
                stream.freshCopies = [:]
            case .takeTurns(let copy, let elsewhere, let here):
                takeUp(elsewhere.compactMap { unknown[$0].1 }, look, before: live)
                // While nothing has changed: without a descriptor all of it is done once more.
                let held = try hold(live)
                let before = goOn(live, in: copy.flatMap { unknown[$0].1 }, at: place, look)
                var waiting: Candidate?
                if case .after = before { waiting = candidate(live, held, of: stream) }
                stream.earlier = EarlierFiles(
                    here.map { unknown[$0].0 }, before, waiting: waiting)
                end = goOnWithEarlier(look)
                // With the last of them the file itself has its turn.
                if stream.earlier == nil { end = worse(end, .underWay) }
            }
        }
        return end
    }

    /// Where what comes before a log's new content stands, which is more than is taken up at once.
    ///
    /// 1. Of what it held nothing is found. Its entry stays as it is until all of them have theirs.
    /// 2. The agent is killed meanwhile. The next run finds the content replaced, and looks for the
    ///    others.
    ///
    /// Of what goes on in a copy, the copy has the entry from now on. The log is none that is known
    /// until its turn comes: after a restart, too, all that is newer than the copy is read before
    /// it.
    private func goOn(_ live: TailedFile, in copy: Candidate?, at place: Int, _ look: StreamLook)
        -> EarlierFiles.Rank
    {
        let stream = look.stream
        guard let copy, let earlier = opener.relocate(live, to: copy) else { return .before(live) }
        stream.files.insert(earlier, at: place)
        release(live, of: stream)
        let status = copy.status
        // A compressor makes a new file of an old content.
        let birth = copy.packed == nil ? copy.identity.birthTime : nil
        stream.newest = LogStream.Newest(
            inode: status.inode, modified: status.modified, birth: birth)
        // Where it lies elsewhere, its inode number may be another file's here.
        let strangers: Set<UInt64> = copy.request.isElsewhere ? [status.inode] : []
        let newestTakenUp = newestTakenUp(status.inode, status.modified, birth, look, strangers)
        return .after(newestTakenUp, last: earlier)
    }

    /// Another descriptor of an open file.
    private func hold(_ file: TailedFile) throws(SystemError) -> FileOpener.OpenFile {
        let source = try file.opened()
        return FileOpener.OpenFile(
            descriptor: try source.descriptor.duplicate(), status: try source.descriptor.status())
    }

    /// The file that holds another content now, as one that is no file of the stream until its turn
    /// comes.
    private func candidate(
        _ live: TailedFile, _ held: consuming FileOpener.OpenFile, of stream: LogStream
    ) -> Candidate? {
        let request = FileOpener.Request(
            stream: stream, name: stream.liveName, path: live.path, isArchived: false,
            mayBePacked: true, mayBeginWithZeros: true)
        guard case .candidate(let candidate) = opener.examine(request, held) else { return nil }
        return candidate
    }

    /// Whether `candidate` holds what `file` held, as far as that was read.
    func holds(
        _ candidate: Candidate, _ file: TailedFile
    ) throws(SystemError) -> Bool {
        // Of what is compressed, nothing may be known.
        guard !candidate.head.isEmpty else { return false }
        let place = file.physicalPosition
        if knownFiles.content(of: file.id, beginsAs: candidate.head) {
            return try candidate.continues(at: place, after: file.anchor)
        }
        // Nothing of it was read; it was copied before the bytes that were seen of it were
        // complete.
        if place == .start, candidate.size > .start, file.expectedHead.starts(with: candidate.head)
        {
            return true
        }
        // It was copied, and more was written and seen before it was truncated: the copy is shorter
        // than what is known of the file's beginning.
        let known = max(file.headLength - 1, min(place.bytes, Fingerprint.longest))
        guard candidate.size > .start, candidate.size.bytes <= known,
            file.content.beginning.agrees(with: candidate.head)
        else { return false }
        return try candidate.continues(at: place, after: file.anchor)
    }

    /// A copy of a file that is read anyway: of the stream's newest, or of what is to be its live
    /// one.
    func isCopy(
        _ candidate: Candidate, in stream: LogStream, live: Candidate?, _ liveID: FileID?
    ) -> Bool {
        isCopy(candidate, of: live, liveID) || isCopyOfNewest(candidate, in: stream)
    }

    /// A copy of what is to be the live file, or of what that held.
    func isCopy(_ candidate: Candidate, of live: Candidate?, _ liveID: FileID?) -> Bool {
        do throws(SystemError) {
            if let live, try candidate.wasBeginning(of: live) { return true }
        } catch {
            opener.tell(candidate.request.path, error)
            return false
        }
        // What the live file held before it was truncated: it looks for that itself.
        guard let liveID, candidate.status.size > 0 else { return false }
        return knownFiles.content(of: liveID, beginsAs: candidate.head)
    }

    func isCopyOfNewest(_ candidate: Candidate, in stream: LogStream) -> Bool {
        guard let last = stream.files.last, last.packed == nil else { return false }
        // Where many are taken up it is parked by now, and most are none.
        let known = last.expectedHead.prefix(candidate.head.count)
        guard last.isOpen || candidate.head.starts(with: known) else { return false }
        return isBeginning(candidate, of: last)
    }

    /// 1. A file is copied, truncated and filled again before any of it is read.
    /// 2. It is renamed to something that says nothing about its age. That changes its inode.
    func isCopiedBefore(
        _ candidate: Candidate, _ file: TailedFile, of stream: LogStream
    ) -> Bool {
        guard file.isAtStart, let birth = candidate.identity.birthTime,
            file.name.flatMap(stream.rotated) == nil
        else { return false }
        do throws(SystemError) {
            guard case .open = try opener.reopen(file) else { return false }
            let status = try file.opened().descriptor.status()
            return status.links > 0 && birth < status.changed
        } catch {
            opener.tell(file.path, error)
            return false
        }
    }
}
