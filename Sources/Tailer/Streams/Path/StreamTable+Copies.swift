import Model
import Platform

/// Files whose content was replaced, and the copies that others made of what it was.
extension StreamTable {
    /// 1. A file is copied and truncated, and then renamed.
    /// 2. What lies beside it can only be judged once it is known that it is another content now.
    func seeReplaced(_ stream: LogStream) {
        for file in stream.files where file.isOpen && !file.isReplaced {
            do throws(SystemError) {
                if try file.isIntact() { continue }
                let size = try file.opened().descriptor.status().size
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
    func renewReplaced(_ look: StreamLook, hasLive: Bool) -> Verdict {
        let stream = look.stream
        var verdict = Verdict.fine
        for file in stream.files where file.isReplaced {
            let renewed = renew(file, look)
            // It goes on: nothing stands in its way.
            if case .underWay = renewed { return renewed }
            if stream.earlier != nil { return renewed }
            guard case .fine = renewed else {
                let isLive = hasLive && file === stream.live
                if isLive || waits(look, file) { verdict = worse(verdict, renewed) }
                continue
            }
        }
        return verdict
    }

    /// The live file's content was replaced: what it held is looked for in a copy, and what was
    /// copied and truncated away since then in others.
    func renew(_ live: TailedFile, _ look: StreamLook) -> Verdict {
        var look = look
        let stream = look.stream
        do throws(SystemError) {
            guard case .open = try opener.reopen(live) else { return .retry }
            // Before the listing: what begins otherwise when it is read was replaced once more, and
            // a copy of it may be missing in that listing.
            let fresh = try opener.fresh(live, of: stream)
            live.saw(changed: fresh.changed)
            let listed = try list(look)
            look.names = listed.names
            look.now = MonotonicTime.now()
            var unknown = unknownRotatedFiles(look, listed, for: sought(stream))
            guard case .fine = unknown.verdict else { return unknown.verdict }
            // What was no business of the stream may be what this file held. Once: what this search
            // has come to holds for its next slice.
            if live.search() { stream.judgedArchives = [] }
            let archived = searchArchives(look)
            if archived.isUnderWay { return .underWay }
            if !archived.isStable { return .again }
            add(archived.unknown, to: &unknown)
            recognise(&unknown, look, before: live, elsewhere: archived.inodes)
            var copy: Candidate?
            var missed: [Candidate] = []
            var later: [(RotatedFile, Candidate?)] = []
            for (rotatedFile, candidate) in inOrder(unknown) {
                // What is empty is a copy that was just begun.
                guard let candidate else {
                    let isFresh =
                        stream.isFreshCopy(
                            rotatedFile, of: fresh.sighting.head, size: fresh.sighting.size)
                        || stream.isFreshCopy(rotatedFile, of: fresh.raw, size: fresh.diskSize)
                    if rotatedFile.status.size > 0, !isFresh { later.append((rotatedFile, nil)) }
                    continue
                }
                if candidate.size == 0 { continue }
                do throws(SystemError) {
                    if try candidate.isBeginning(of: live) { continue }
                    if copy == nil, try holds(candidate, live) {
                        // What comes before it in order is older. Where something happens all the
                        // time it may not have been looked for before what this file holds was
                        // read: late, but whole.
                        copy = candidate
                        later.removeAll { $0.0.status.modified < live.begunAt }
                        missed = later.compactMap(\.1)
                        // What is not open has its turn after this.
                        later.removeAll { $0.1 != nil }
                    } else {
                        later.append((rotatedFile, candidate))
                    }
                } catch {
                    opener.tell(candidate.request.path, error)
                    let inode = candidate.status.inode
                    let name = candidate.request.name
                    if waits(look, inode, name, status: candidate.status) {
                        return .retry
                    }
                }
            }
            // What has taken its place is looked at next, and what was copied of that with it.
            if look.liveInode != live.identity.inode { later = [] }
            if copy == nil { later.removeAll { $0.0.status.modified < live.intactAt } }
            if let name = live.name, let mine = stream.rotated(name) {
                // What is newer than it has its turn when what took its place is taken up.
                later.removeAll { rotatedFile, _ in
                    stream.rotated(rotatedFile.name).flatMap { mine.isOlder(than: $0) } ?? false
                }
            }
            stream.expectsTruncationUntil = .zero
            agenda.wake(stream)
            takeUp(missed, look, before: live)
            let place = stream.files.firstIndex { $0 === live } ?? stream.files.endIndex
            guard later.contains(where: { $0.1 == nil }) else {
                // What is older has its entry before what it made way for begins.
                takeUp(later.compactMap(\.1), look, before: live)
                if let copy, let earlier = opener.restart(live, fresh, continuedIn: copy) {
                    stream.files.insert(earlier, at: place)
                } else {
                    opener.restart(live, fresh)
                }
                stream.freshCopies = [:]
                return .fine
            }
            // What lies elsewhere is open, and would be searched for.
            let elsewhere = later.compactMap(\.1).filter(\.request.isElsewhere)
            takeUp(elsewhere, look, before: live)
            let rotatedFiles = later.filter { !($0.1?.request.isElsewhere ?? false) }.map(\.0)
            // While nothing has changed: without a descriptor all of it is done once more.
            let held = try hold(live)
            let before = goOn(live, in: copy, at: place, look)
            var waiting: Candidate?
            if case .after = before { waiting = candidate(live, held, of: stream) }
            stream.earlier = EarlierFiles(rotatedFiles, before, waiting: waiting)
            let verdict = goOnWithEarlier(look)
            // With the last of them the file itself has its turn.
            return worse(verdict, stream.earlier == nil ? .underWay : .fine)
        } catch {
            opener.tell(live.path, error)
            return .retry
        }
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
        -> EarlierFiles.Place
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
    private func hold(_ file: TailedFile) throws(SystemError) -> FileOpener.Held {
        let source = try file.opened()
        return FileOpener.Held(
            descriptor: try source.descriptor.duplicate(), status: try source.descriptor.status())
    }

    /// The file that holds another content now, as one that is no file of the stream until its turn
    /// comes.
    private func candidate(
        _ live: TailedFile, _ held: consuming FileOpener.Held, of stream: LogStream
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
        if place == 0, candidate.size > 0, file.expectedHead.starts(with: candidate.head) {
            return true
        }
        // It was copied, and more was written and seen before it was truncated: the copy is shorter
        // than what is known of the file's beginning.
        let known = max(file.headLength - 1, min(place, Fingerprint.longest))
        guard candidate.size > 0, candidate.size <= known,
            file.beginning.agrees(with: candidate.head)
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
