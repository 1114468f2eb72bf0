import Model
import Platform

/// Ordinary logs: one path, and what rotation makes of its earlier files.
extension StreamTable {
    func lookAtPath(
        _ stream: LogStream, _ look: DirectoryTree.Look, _ rotated: [DirectoryEntry],
        _ directory: borrowing Descriptor, _ now: Int64
    ) -> Verdict {
        let verdict = lookAtFiles(of: stream, look, rotated, directory, now)
        // Only after a whole look, which finds what was compressed meanwhile under its new name.
        if case .fine = verdict { followClosed(stream, look.names, directory) }
        return verdict
    }

    private func lookAtFiles(
        of stream: LogStream, _ look: DirectoryTree.Look, _ rotated: [DirectoryEntry],
        _ directory: borrowing Descriptor, _ now: Int64
    ) -> Verdict {
        let node = look.node
        let inode = look.names.inode(of: stream.liveName)
        let hasLive = stream.live.map { $0.identity.inode == inode } ?? false
        if hasLive {
            followParked(stream, look.names, node, now)
        } else {
            leavePath(stream, look.names, node, now)
        }
        if !hasLive || !rotated.isEmpty { seeReplaced(stream) }
        for file in stream.files where file.isReplaced {
            let verdict = renew(file, of: stream, node, directory)
            guard case .fine = verdict else { return verdict }
        }
        if hasLive {
            guard let live = stream.live, !rotated.isEmpty else { return .fine }
            return lookForMissed(stream, live, rotated, look.names, node, directory, now)
        }
        if rotated.isEmpty, stream.files.isEmpty, stream.newest == nil,
            stream.isReconciled || output.saved(stream.name).isEmpty
        {
            // It was never seen before, and nothing lies beside it.
            reconcile(stream, look.names)
            return openLive(stream, look.names, directory, node, now)
        }
        return takeUpRotated(stream, hasLive: inode != nil, node, directory, now)
    }

    /// 1. A file is copied and truncated, and then renamed.
    /// 2. What lies beside it can only be judged once it is known that it is another content now.
    private func seeReplaced(_ stream: LogStream) {
        for file in stream.files where file.isOpen && !file.isReplaced {
            do throws(SystemError) {
                file.isReplaced = try !file.isIntact()
            } catch {
                _ = opener.trouble(file.path, error)
            }
        }
    }

    /// Names that rotation may have given to files of each path of a directory; of such that no pattern
    /// matches, too.
    func siblings(of look: DirectoryTree.Look) -> [[UInt8]: [DirectoryEntry]] {
        var found: [[UInt8]: [DirectoryEntry]] = [:]
        for entry in look.names.entries where entry.kind == .regular || entry.kind == .unknown {
            for base in RotatedName.bases(of: entry.name) {
                found[base, default: []].append(entry)
            }
        }
        return found
    }

    /// 1. A log appears in a directory, and is rotated before the first look at it.
    /// 2. There is no file under a name that matches.
    ///
    /// What was last written before this agent started is none of its business.
    func lookForUnseen(
        _ rotated: [[UInt8]: [DirectoryEntry]], _ look: DirectoryTree.Look,
        _ directory: borrowing Descriptor, _ now: Int64
    ) -> Verdict {
        let node = look.node
        var verdict = Verdict.fine
        for (base, entries) in rotated
        where node.streams[base] == nil && look.names.inode(of: base) == nil {
            guard let match = look.absent(base), isNew(entries, node, directory) else { continue }
            let stream = begin(match, in: node)
            verdict = worse(verdict, lookAtPath(stream, look, entries, directory, now))
        }
        return verdict
    }

    private func isNew(
        _ entries: [DirectoryEntry], _ node: DirectoryNode, _ directory: borrowing Descriptor
    ) -> Bool {
        for entry in entries {
            do throws(SystemError) {
                let status = try directory.status(of: entry.name)
                if status.isRegular, status.modified >= opener.startedAt { return true }
            } catch {
                // What is gone by now is nothing to begin a stream for.
                if error.code != .notFound {
                    _ = opener.trouble(node.text(of: entry.name), error)
                }
            }
        }
        return false
    }

    // MARK: The live file

    private func openLive(
        _ stream: LogStream, _ names: DirectoryNames, _ directory: borrowing Descriptor,
        _ node: DirectoryNode, _ now: Int64
    ) -> Verdict {
        guard let inode = names.inode(of: stream.liveName) else { return .fine }
        let request = FileOpener.Request(
            stream: stream, name: stream.liveName, path: stream.name, isArchived: false,
            inode: inode)
        switch opener.examine(request, in: directory) {
        case .candidate(let candidate):
            if isSuspect(candidate, stream, node, now) { return .retry }
            return accept(opener.takeUp(candidate), candidate, stream, node)
        case .failed(let result): return accept(result, nil, stream, node)
        }
    }

    private func accept(
        _ result: FileOpener.Result, _ candidate: Candidate?, _ stream: LogStream,
        _ node: DirectoryNode
    ) -> Verdict {
        switch result {
        case .opened(let file):
            stream.files.append(file)
            if let candidate {
                stream.newest = LogStream.Newest(
                    inode: candidate.status.inode, modified: candidate.status.modified,
                    birth: candidate.identity.birth)
            }
            awakened.append(stream)
            return .fine
        case .already(let file):
            // 1. `app.log` became `app.log.1`, which the pattern matches too.
            // 2. The stream that has it open reads it to its end; this one looks again later, and
            //    finds the position where that one stopped.
            if let mine = stream.files.firstIndex(where: { $0 === file }) {
                stream.files.append(stream.files.remove(at: mine))
                file.becomeLive()
                rename(file, to: stream.liveName, in: node, final: false)
                awakened.append(stream)
                return .fine
            }
            return .retry
        case .nothing(let retry): return retry ? .retry : .fine
        case .exhausted: return .retry
        case .vanished: return .again
        case .unknown: return .fine
        }
    }

    /// Time that what looks like a copy of another stream's file is held back, nanoseconds.
    private static let mostSuspicion: Int64 = 30_000_000_000

    /// 1. The pattern matches `app.log` and `app.log.1`.
    /// 2. logrotate copies the one to the other; that is seen before `app.log` is truncated.
    /// 3. Once it is, the copy is `app.log`'s earlier content, most of which was shipped; taken for
    ///    a file of its own it would be shipped again.
    ///
    /// A person's copy is a file of its own: after a while without a truncation it is taken for that.
    private func isSuspect(
        _ candidate: Candidate, _ stream: LogStream, _ node: DirectoryNode, _ now: Int64
    ) -> Bool {
        guard !opener.once, output.known(candidate.identity, head: candidate.head) == nil else {
            return false
        }
        for base in RotatedName.bases(of: stream.liveName) {
            guard let original = node.streams[base], original.kind == .path,
                let live = original.live
            else { continue }
            do throws(SystemError) {
                guard case .open = try opener.reopen(live) else { continue }
                // An empty one is a copy that was just begun.
                var isIts = live.isReplaced || candidate.size == 0
                if !isIts { isIts = try candidate.isBeginning(of: live) }
                if !isIts { isIts = try holds(candidate, live) }
                guard isIts else { continue }
            } catch {
                _ = opener.trouble(live.path, error)
                continue
            }
            let since = stream.suspectedSince
            if let since, since.inode == candidate.status.inode {
                if now - since.time > Self.mostSuspicion { continue }
            } else {
                stream.suspectedSince = (candidate.status.inode, now)
            }
            awakened.append(original)
            return true
        }
        return false
    }

    /// The stream's path no longer leads to its live file: that one is read on under its new name
    /// or none, until its end is proven.
    private func leavePath(
        _ stream: LogStream, _ names: DirectoryNames, _ node: DirectoryNode, _ now: Int64
    ) {
        for file in stream.files {
            guard let name = names.name(of: file.identity.inode) else {
                if file.name != nil { awakened.append(stream) }
                file.name = nil
                file.drainsSince = file.drainsSince ?? now
                continue
            }
            if name != stream.liveName {
                file.drainsSince = file.drainsSince ?? now
                if file.name != name { awakened.append(stream) }
                rename(file, to: name, in: node, final: false)
            }
        }
    }

    /// Names are how parked files are found again: those of the live file's predecessors are kept up
    /// to date too.
    private func followParked(
        _ stream: LogStream, _ names: DirectoryNames, _ node: DirectoryNode, _ now: Int64
    ) {
        for file in stream.files where !file.isOpen && file.name != stream.liveName {
            let name = names.name(of: file.identity.inode)
            if name != file.name { awakened.append(stream) }
            if let name {
                rename(file, to: name, in: node, final: false)
            } else {
                file.name = nil
            }
        }
    }

    /// What was read to its end and closed keeps its entry under whatever name, until it is deleted.
    private func followClosed(
        _ stream: LogStream, _ names: DirectoryNames, _ directory: borrowing Descriptor
    ) {
        guard !stream.closed.isEmpty else { return }
        for (name, closed) in stream.closed where names.inode(of: name) != closed.inode {
            do throws(SystemError) {
                // It may have got its name after the listing.
                if try directory.status(of: name).inode == closed.inode { continue }
            } catch {
                if error.code != .notFound { continue }
            }
            stream.closed[name] = nil
            if let new = names.name(of: closed.inode) {
                stream.closed[new] = closed
            } else if !stream.files.contains(where: { $0.id == closed.id }) {
                output.gone(closed.id)
            }
        }
    }

    func reconcile(_ stream: LogStream, _ names: DirectoryNames) {
        guard !stream.isReconciled else { return }
        stream.isReconciled = true
        output.listed(stream.name) { names.name(of: $0) != nil }
    }
}

// MARK: - What was rotated

extension StreamTable {
    /// The newest file of a stream that was taken up: what is newer than it was not.
    private struct Reference {
        var rotated: RotatedName?
        var isLive = false
        let modified: Int64
        /// Nanoseconds since 1970, where it is known.
        var birth: Int64?

        func isBefore(_ name: RotatedName, _ candidate: Candidate) -> Bool {
            if isLive { return false }
            if let rotated, let isOlder = rotated.isOlder(than: name) { return isOlder }
            // A compressor makes a new file of an old content.
            if candidate.packed == nil, let birth, let theirs = candidate.identity.birth {
                return birth < theirs
            }
            return modified <= candidate.status.modified
        }
    }

    /// A name that rotation gave, and what stands there.
    private struct Sibling {
        let name: [UInt8]
        let rotated: RotatedName
        let status: FileStatus
    }

    /// Files that are no longer under the stream's path, and the one that is there now.
    ///
    /// 1. A look finds another `app.log` than before.
    /// 2. It was rotated more than once since: between the two lie files that no look has seen.
    /// 3. So the new one is opened first and the directory listed after: whatever is older has a
    ///    name in that listing.
    private func takeUpRotated(
        _ stream: LogStream, hasLive: Bool, _ node: DirectoryNode,
        _ directory: borrowing Descriptor, _ now: Int64
    ) -> Verdict {
        var examination: FileOpener.Examination?
        if hasLive {
            let request = FileOpener.Request(
                stream: stream, name: stream.liveName, path: stream.name, isArchived: false)
            examination = opener.examine(request, in: directory)
            if case .failed(.exhausted) = examination { return .retry }
        }
        let names: DirectoryNames
        do throws(SystemError) {
            names = DirectoryNames(try directory.entries())
        } catch {
            _ = opener.trouble(node.text, error)
            return .retry
        }
        leavePath(stream, names, node, now)
        var isListed = true
        if case .candidate(let found) = examination {
            isListed = names.inode(of: stream.liveName) == found.status.inode
            // Rotated by now: under its new name the next look finds it.
            if !isListed, names.name(of: found.status.inode) != nil { return .again }
        }
        var liveID: FileID?
        var live: Candidate?
        if case .candidate(let found) = examination {
            if isSuspect(found, stream, node, now) { return .retry }
            live = found
            liveID = output.known(found.identity, head: found.head)
        }
        var (unknown, verdict) = unknownSiblings(of: stream, names, node, directory)
        guard case .fine = verdict else { return verdict }
        var strangers = Set(unknown.map(\.1.status.inode))
        if let live, liveID == nil { strangers.insert(live.status.inode) }
        var reference = reference(stream, names, strangers, directory)
        var saved: [SavedFile] = []
        if !stream.isReconciled {
            saved = output.saved(stream.name)
            verdict = openPredecessors(saved, stream, names, live: liveID, &unknown, directory, now)
            guard case .fine = verdict else { return verdict }
            if stream.files.contains(where: \.isReplaced) {
                for file in stream.files where file.isReplaced {
                    verdict = worse(verdict, renew(file, of: stream, node, directory))
                }
                guard case .fine = verdict else { return verdict }
                (unknown, verdict) = unknownSiblings(of: stream, names, node, directory)
                guard case .fine = verdict else { return verdict }
            }
            reference =
                self.reference(stream, saved, names, strangers, live: liveID, directory)
                ?? reference
        }
        reconcile(stream, names)
        // Of a stream that was never seen, what was written since this agent started.
        let newest = reference ?? Reference(modified: opener.startedAt)
        var begun = stream.files.last?.begunAt ?? .max
        if live != nil, let entry = saved.first(where: { $0.file == liveID }),
            entry.position == 0, !entry.hasHead
        {
            // Nothing was ever seen in it: what was copied from it since nobody has read.
            begun = entry.updated - Clock.fileTick
        }
        unknown.removeAll { recognise($0.1, of: stream, names) != nil }
        var unread: [Candidate] = []
        for (sibling, candidate) in unknown
        where
            // A copy of what the newest file held before it was truncated may be older by its name.
            (newest.isBefore(sibling.rotated, candidate) || sibling.status.modified >= begun)
            // What is empty may be a copy that was just begun, unless renaming has brought it there.
            && (candidate.status.size > 0 || newest.rotated != nil)
            && !isCopy(candidate, in: stream, live: live, liveID)
        {
            unread.append(candidate)
        }
        if let live, !isListed {
            // It was removed in between; only this descriptor still has its bytes.
            let birth = live.identity.birth ?? .max
            takeUp(
                unread.filter { $0.identity.birth ?? .min < birth }, stream, newest, now)
            if case .opened(let file) = opener.takeUp(live) {
                file.name = nil
                file.drainsSince = now
                stream.files.append(file)
                awakened.append(stream)
            }
            takeUp(
                unread.filter { $0.identity.birth ?? .min >= birth }, stream, before: nil, now)
            return .again
        }
        takeUp(unread, stream, newest, now)
        switch examination {
        case .candidate(let candidate):
            let verdict = accept(opener.takeUp(candidate), candidate, stream, node)
            if let file = stream.live, file.isReplaced {
                return worse(verdict, renew(file, of: stream, node, directory))
            }
            return verdict
        case .failed(let result): return accept(result, nil, stream, node)
        case nil: return .fine
        }
    }

    /// Files beside a live one that is still the same: a copy that was made and truncated from faster
    /// than was seen, or one that is being made.
    private func lookForMissed(
        _ stream: LogStream, _ live: TailedFile, _ rotated: [DirectoryEntry],
        _ names: DirectoryNames, _ node: DirectoryNode, _ directory: borrowing Descriptor,
        _ now: Int64
    ) -> Verdict {
        let (unknown, verdict) = unknownSiblings(of: stream, rotated, node, directory)
        guard case .fine = verdict else { return verdict }
        var unread: [Candidate] = []
        do throws(SystemError) {
            for (_, candidate) in unknown {
                if recognise(candidate, of: stream, names) != nil { continue }
                guard case .open = try opener.reopen(live) else { return .retry }
                if candidate.status.size == 0 {
                    // 1. A copy was begun. What is in the live file now is what will be copied.
                    // 2. The live file is truncated and filled again before anything of it was read.
                    let head = try live.opened().descriptor.read(
                        count: Fingerprint.longest, at: 0)
                    let now = try candidate.source.descriptor.status()
                    guard now.size == 0 else { return .again }
                    live.expect(head)
                } else if try holds(candidate, live) {
                    // A copy of what is being read: what lies beside it comes after it.
                    if try !live.isIntact() {
                        live.isReplaced = true
                        return renew(live, of: stream, node, directory)
                    }
                    live.waitsForMore = false
                    awakened.append(stream)
                } else if try candidate.isBeginning(of: live) {
                    // 1. Nothing of it was read yet. It is being copied.
                    // 2. It is truncated and filled again before its turn.
                    live.expect(candidate.head)
                    awakened.append(stream)
                } else if candidate.status.modified >= live.begunAt {
                    unread.append(candidate)
                } else {
                    stream.judged.insert(LogStream.Stamp(candidate.status))
                }
            }
        } catch {
            _ = opener.trouble(live.path, error)
            return .retry
        }
        takeUp(unread, stream, before: live, now)
        return .fine
    }

    /// The live file's content was replaced: what it held is looked for in a copy, and what was copied
    /// and truncated away since then in others.
    private func renew(
        _ live: TailedFile, of stream: LogStream, _ node: DirectoryNode,
        _ directory: borrowing Descriptor
    ) -> Verdict {
        do throws(SystemError) {
            guard case .open = try opener.reopen(live) else { return .retry }
            // Before the listing: what begins otherwise when it is read was replaced once more, and
            // a copy of it may be missing in that listing.
            let fresh = try opener.fresh(live, of: stream)
            let names = DirectoryNames(try directory.entries())
            var (unknown, verdict) = unknownSiblings(of: stream, names, node, directory)
            guard case .fine = verdict else { return verdict }
            unknown.removeAll { recognise($0.1, of: stream, names) != nil }
            var copy: Candidate?
            var later: [Candidate] = []
            for (_, candidate) in unknown {
                // What is empty is a copy that was just begun.
                if candidate.size == 0 { continue }
                if try candidate.isBeginning(of: live) { continue }
                if copy == nil, try holds(candidate, live) {
                    // What comes before it in order is older.
                    copy = candidate
                    later = []
                } else {
                    later.append(candidate)
                }
            }
            // What has taken its place is looked at next, and what was copied of that with it.
            if names.inode(of: stream.liveName) != live.identity.inode { later = [] }
            if copy == nil { later.removeAll { $0.status.modified < live.intactAt } }
            if let name = live.name, let mine = RotatedName(name, of: stream.liveName) {
                // What is newer than it has its turn when what took its place is taken up.
                later.removeAll { candidate in
                    RotatedName(candidate.request.name, of: stream.liveName)
                        .flatMap { mine.isOlder(than: $0) } ?? false
                }
            }
            if let copy,
                let earlier = opener.restart(live, fresh, continuedIn: copy)
            {
                insert(earlier, in: stream, before: live)
            } else {
                opener.restart(live, fresh)
            }
            takeUp(later, stream, before: live, Clock.monotonicNanoseconds())
            awakened.append(stream)
            return .fine
        } catch {
            _ = opener.trouble(live.path, error)
            return .retry
        }
    }

    /// Whether `candidate` holds what `file` held, as far as that was read.
    private func holds(
        _ candidate: Candidate, _ file: TailedFile
    ) throws(SystemError) -> Bool {
        let place = file.position - file.base
        if output.content(of: file.id, beginsAs: candidate.head) {
            return try candidate.continues(at: place, after: file.anchor)
        }
        // It was copied, and more was written and read before it was truncated: the copy is shorter
        // than what is known of the file's beginning.
        return candidate.size > 0 && candidate.size < min(place, Fingerprint.longest)
            && file.beginning.agrees(with: candidate.head)
    }

    /// A copy of a file that is read anyway: of the stream's newest, or of what is to be its live one.
    private func isCopy(
        _ candidate: Candidate, in stream: LogStream, live: Candidate?, _ liveID: FileID?
    ) -> Bool {
        do throws(SystemError) {
            if let live, try candidate.wasBeginning(of: live) { return true }
            // What the live file held before it was truncated: it looks for that itself.
            if let liveID, candidate.status.size > 0,
                output.content(of: liveID, beginsAs: candidate.head)
            {
                return true
            }
            guard let last = stream.files.last, last.isOpen, last.packed == nil else {
                return false
            }
            return try candidate.isBeginning(of: last)
        } catch {
            _ = opener.trouble(candidate.request.path, error)
            return false
        }
    }

    private func insert(_ file: TailedFile, in stream: LogStream, before live: TailedFile?) {
        let place = live.flatMap { live in stream.files.firstIndex { $0 === live } }
        stream.files.insert(file, at: place ?? stream.files.endIndex)
        awakened.append(stream)
    }

    /// What is newer than `reference` comes last, and what is older before it.
    private func takeUp(
        _ candidates: [Candidate], _ stream: LogStream, _ reference: Reference, _ now: Int64
    ) {
        let last = stream.files.last
        for candidate in candidates {
            if let last, isCopiedBefore(candidate, last, of: stream) {
                takeUp([candidate], stream, before: last, now)
                continue
            }
            let name = RotatedName(candidate.request.name, of: stream.liveName)
            let isNewer =
                reference.isLive || name.map { reference.isBefore($0, candidate) } ?? true
            takeUp([candidate], stream, before: isNewer ? nil : last, now)
        }
    }

    /// 1. A file is copied, truncated and filled again before any of it is read.
    /// 2. It is renamed to something that says nothing about its age. That changes its inode.
    private func isCopiedBefore(
        _ candidate: Candidate, _ file: TailedFile, of stream: LogStream
    ) -> Bool {
        guard file.isOpen, file.position == file.base, let birth = candidate.identity.birth,
            file.name.flatMap({ RotatedName($0, of: stream.liveName) }) == nil
        else { return false }
        do throws(SystemError) {
            let status = try file.opened().descriptor.status()
            return status.links > 0 && birth < status.changed
        } catch {
            _ = opener.trouble(file.path, error)
            return false
        }
    }

    private func takeUp(
        _ candidates: [Candidate], _ stream: LogStream, before live: TailedFile?, _ now: Int64
    ) {
        for candidate in candidates {
            guard case .opened(let file) = opener.takeUp(candidate) else { continue }
            file.drainsSince = now
            insert(file, in: stream, before: live)
        }
    }

    /// Files that were the stream's before this run and were not finished, under their new names; and
    /// what became of those that are not there.
    private func openPredecessors(
        _ saved: [SavedFile], _ stream: LogStream, _ names: DirectoryNames, live: FileID?,
        _ unknown: inout [(Sibling, Candidate)], _ directory: borrowing Descriptor, _ now: Int64
    ) -> Verdict {
        guard let node = stream.node else { return .fine }
        for entry in saved where entry.file != live {
            var file: TailedFile?
            if let name = names.name(of: entry.inode), name != stream.liveName {
                var request = FileOpener.Request(
                    stream: stream, name: name, path: node.text(of: name), isArchived: false)
                request.onlyIfKnown = true
                request.inode = entry.inode
                request.mayBePacked = true
                request.mayBeginWithZeros = true
                switch opener.open(request, in: directory) {
                case .opened(let opened): file = opened
                case .already, .nothing(retry: false): continue
                case .unknown: break
                case .nothing(retry: true), .exhausted: return .retry
                case .vanished: return .again
                }
            }
            do throws(SystemError) {
                // Its inode is gone: compressed, or copied to another place.
                if file == nil {
                    for (index, (_, candidate)) in unknown.enumerated() {
                        guard output.content(of: entry.file, beginsAs: candidate.head),
                            try candidate.continues(
                                at: entry.position, after: entry.anchor.bytes),
                            let start = output.relocated(
                                entry.file, to: candidate.sighting(isFirstScan: false))
                        else { continue }
                        unknown.remove(at: index)
                        if case .opened(let opened) = opener.takeUp(candidate, at: start) {
                            file = opened
                        }
                        break
                    }
                }
                guard let file else { continue }
                file.drainsSince = now
                output.moved(file.id, path: file.path, archived: file.isFinal)
                stream.files.append(file)
                awakened.append(stream)
            } catch {
                _ = opener.trouble(entry.path, error)
                return .retry
            }
        }
        return .fine
    }

    /// Siblings that nothing is known of, oldest first, opened and looked at.
    private func unknownSiblings(
        of stream: LogStream, _ names: DirectoryNames, _ node: DirectoryNode,
        _ directory: borrowing Descriptor
    ) -> ([(Sibling, Candidate)], Verdict) {
        let entries = names.entries.filter { entry in
            (entry.kind == .regular || entry.kind == .unknown)
                && RotatedName(entry.name, of: stream.liveName) != nil
        }
        return unknownSiblings(of: stream, entries, node, directory)
    }

    private func unknownSiblings(
        of stream: LogStream, _ entries: [DirectoryEntry], _ node: DirectoryNode,
        _ directory: borrowing Descriptor
    ) -> ([(Sibling, Candidate)], Verdict) {
        var siblings: [Sibling] = []
        for entry in entries {
            guard let rotated = RotatedName(entry.name, of: stream.liveName) else { continue }
            do throws(SystemError) {
                let status = try directory.status(of: entry.name)
                // Renamed since it was listed: what it was may be missing in this listing by now.
                guard status.inode == entry.inode else { return ([], .again) }
                guard status.isRegular else { continue }
                siblings.append(Sibling(name: entry.name, rotated: rotated, status: status))
            } catch {
                if error.code == .notFound { return ([], .again) }
                _ = opener.trouble(node.text(of: entry.name), error)
                return ([], .retry)
            }
        }
        let stamps = Set(siblings.map { LogStream.Stamp($0.status) })
        stream.judged.formIntersection(stamps)
        sort(&siblings)
        var unknown: [(Sibling, Candidate)] = []
        for sibling in siblings {
            let stamp = LogStream.Stamp(sibling.status)
            if stream.judged.contains(stamp) { continue }
            // 1. gzip writes `app.log.1.gz`; `app.log.1` is there until it is done.
            if sibling.rotated.isPacked,
                siblings.contains(where: {
                    !$0.rotated.isPacked && $0.rotated.order == sibling.rotated.order
                })
            {
                continue
            }
            let request = FileOpener.Request(
                stream: stream, name: sibling.name, path: node.text(of: sibling.name),
                isArchived: false, inode: sibling.status.inode, mayBePacked: true,
                mayBeginWithZeros: true)
            switch opener.examine(request, in: directory) {
            case .candidate(let candidate):
                if output.known(candidate.identity, head: candidate.head) != nil {
                    stream.judged.insert(stamp)
                } else {
                    unknown.append((sibling, candidate))
                }
            case .failed(.already), .failed(.nothing), .failed(.unknown), .failed(.opened): continue
            case .failed(.exhausted): return ([], .retry)
            case .failed(.vanished): return ([], .again)
            }
        }
        return (unknown, .fine)
    }

    /// Oldest first: by their names where those tell, else by their last changes.
    private func sort(_ siblings: inout [Sibling]) {
        let numbers = siblings.count { if case .number = $0.rotated.order { true } else { false } }
        let namesTell = numbers == 0 || numbers == siblings.count
        siblings.sort { a, b in
            if namesTell, let isOlder = a.rotated.isOlder(than: b.rotated) { return isOlder }
            if a.status.modified != b.status.modified {
                return a.status.modified < b.status.modified
            }
            return b.name.lexicographicallyPrecedes(a.name)
        }
    }

    private func reference(
        _ stream: LogStream, _ names: DirectoryNames, _ strangers: Set<UInt64>,
        _ directory: borrowing Descriptor
    ) -> Reference? {
        if let file = stream.files.last {
            var modified = file.changed
            do throws(SystemError) {
                if file.isOpen { modified = try file.opened().descriptor.status().modified }
            } catch {
                _ = opener.trouble(file.path, error)
            }
            return reference(
                file.identity.inode, modified, file.identity.birth, stream, names, strangers,
                directory)
        }
        return stream.newest.map {
            reference($0.inode, $0.modified, $0.birth, stream, names, strangers, directory)
        }
    }

    /// After a start: the file that was live when something was saved last.
    private func reference(
        _ stream: LogStream, _ saved: [SavedFile], _ names: DirectoryNames,
        _ strangers: Set<UInt64>, live: FileID?, _ directory: borrowing Descriptor
    ) -> Reference? {
        let newest =
            saved.last { $0.path == stream.name } ?? saved.max { $0.updated < $1.updated }
        guard let newest else { return nil }
        if newest.file == live { return Reference(isLive: true, modified: newest.updated) }
        let file = stream.files.first { $0.id == newest.file }
        return reference(
            file?.identity.inode ?? newest.inode, newest.updated, newest.birth, stream, names,
            file == nil ? strangers : [], directory)
    }

    private func reference(
        _ inode: UInt64, _ modified: Int64, _ birth: Int64?, _ stream: LogStream,
        _ names: DirectoryNames, _ strangers: Set<UInt64>, _ directory: borrowing Descriptor
    ) -> Reference {
        // The inode number of a file that is gone may be another one's by now.
        guard let name = names.name(of: inode), !strangers.contains(inode) else {
            return Reference(modified: modified, birth: birth)
        }
        var found = modified
        do throws(SystemError) {
            found = try directory.status(of: name).modified
        } catch {
            // It is gone by now: what was known of it has to do.
        }
        return Reference(
            rotated: RotatedName(name, of: stream.liveName), isLive: name == stream.liveName,
            modified: found, birth: birth)
    }
}
