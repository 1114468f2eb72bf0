import Model
import Platform

/// The streams, and what a look at a directory means for them. Lives on the reader thread.
final class StreamTable {
    let output: any TailerOutput
    let opener: FileOpener
    private var lastStream = 0
    /// Streams that may have something to read since the last look; the loop empties it.
    var awakened: [LogStream] = []
    /// Directories that are to be looked at again; the loop empties it.
    var outdated: [DirectoryNode] = []
    /// Streams without a directory that still have open files; bounded by those.
    private(set) var orphans: [LogStream] = []

    init(output: any TailerOutput, opener: FileOpener) {
        self.output = output
        self.opener = opener
    }

    /// What the tree has to do after a look.
    enum Verdict {
        case fine
        /// Something could not be read and may be later.
        case retry
        /// It changed while it was looked at.
        case again
    }

    /// A directory was scanned: brings its streams up to date.
    func look(
        _ look: DirectoryTree.Look, _ directory: borrowing Descriptor, _ now: Int64
    ) -> Verdict {
        let node = look.node
        var verdict = Verdict.fine
        var seen: Set<[UInt8]> = []
        let isS6 =
            look.matches.contains { $0.name == S6Name.current }
            || node.streams[S6Name.current] != nil
        let rotated = isS6 ? [:] : siblings(of: look)
        // What was rotated belongs to the stream whose name it had, if a pattern matches both.
        let matches =
            rotated.isEmpty
            ? look.matches : look.matches.sorted { $0.name.count < $1.name.count }
        for match in matches {
            // In an s6 log directory everything else that s6-log made belongs to its one stream.
            if isS6, match.name != S6Name.current,
                S6Name.own.contains(match.name) || S6Name.isArchive(match.name)
            {
                continue
            }
            seen.insert(match.name)
            let stream = node.streams[match.name] ?? begin(match, in: node)
            if stream.kind == .path {
                let rotated = rotated[match.name] ?? []
                verdict = worse(verdict, lookAtPath(stream, look, rotated, directory, now))
            }
        }
        if !isS6 {
            verdict = worse(verdict, lookForUnseen(rotated, look, directory, now))
        }
        if let stream = node.streams[S6Name.current] {
            seen.insert(S6Name.current)
            verdict = worse(verdict, lookAtS6(stream, look, directory, now))
        }
        for (name, stream) in node.streams where !seen.contains(name) {
            if stream.kind == .path {
                verdict = worse(
                    verdict, lookAtPath(stream, look, rotated[name] ?? [], directory, now))
            }
            if stream.files.isEmpty, case .fine = verdict {
                node.streams[name] = nil
                end(stream)
            }
        }
        return verdict
    }

    func worse(_ a: Verdict, _ b: Verdict) -> Verdict {
        switch (a, b) {
        case (.again, _), (_, .again): .again
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
            input: match.input, captures: match.captures)
        stream.node = node
        node.streams[match.name] = stream
        return stream
    }

    /// A directory left the tree: what is open is read to its end, and nothing new comes.
    func dropped(_ node: DirectoryNode, _ now: Int64) {
        for stream in node.streams.values {
            stream.isOrphan = true
            for file in stream.files {
                file.name = nil
                file.drainsSince = file.drainsSince ?? now
            }
            for closed in stream.closed.values { output.gone(closed.id) }
            stream.closed = [:]
            if stream.files.isEmpty {
                end(stream)
            } else {
                orphans.append(stream)
                awakened.append(stream)
            }
        }
        node.streams = [:]
    }

    /// An orphan's last file was closed.
    func end(_ stream: LogStream) {
        orphans.removeAll { $0 === stream }
        output.ended(stream.id)
    }

    /// A file was read to its final end: it needs no descriptor any more.
    func finish(_ file: TailedFile, of stream: LogStream) {
        output.finished(file.id, end: file.position)
        let isUnlinked = file.isUnlinked
        if stream.newest?.inode == file.identity.inode { stream.newest?.modified = modified(file) }
        opener.close(file)
        stream.files.removeAll { $0 === file }
        if let name = file.name {
            stream.closed[name] = LogStream.ClosedFile(inode: file.identity.inode, id: file.id)
        } else if isUnlinked, !stream.isOrphan, let name = file.lastName,
            let node = stream.node
        {
            // A compressor may have removed it, and then it has another name: the next look tells.
            stream.closed[name] = LogStream.ClosedFile(inode: file.identity.inode, id: file.id)
            outdated.append(node)
        } else if isUnlinked {
            output.gone(file.id)
        }
        // Else it was only moved to where no pattern leads, and may come back.
    }

    private func modified(_ file: TailedFile) -> Int64 {
        guard file.isOpen else { return file.changed }
        do throws(SystemError) {
            return try file.opened().descriptor.status().modified
        } catch {
            _ = opener.trouble(file.path, error)
            return file.changed
        }
    }

    /// A compressor has made `candidate` of a file of the stream: what is left to be read of that one
    /// goes by the new name from now on. Nil when it is none of those.
    func recognise(
        _ candidate: Candidate, of stream: LogStream, _ names: DirectoryNames
    ) -> FileOpener.Result? {
        guard candidate.packed != nil,
            output.known(candidate.identity, head: candidate.head) == nil
        else { return nil }
        for saved in output.saved(stream.name).reversed() where saved.file != stream.live?.id {
            let open = stream.files.first { $0.id == saved.file && $0.name == nil }
            guard
                output.content(of: saved.file, beginsAs: candidate.head)
                    || open.map({ isPacked($0, in: candidate) }) ?? false
            else { continue }
            let file = stream.files.first { $0.id == saved.file }
            let closed = stream.closed.first { $0.value.id == saved.file }
            guard file != nil || closed != nil else { continue }
            // Until the compressor has removed what it read, that has the name.
            if names.name(of: saved.inode) != nil { return .unknown }
            guard
                let start = output.relocated(
                    saved.file, to: candidate.sighting(isFirstScan: false))
            else { continue }
            if let closed { stream.closed[closed.key] = nil }
            if let file {
                file.identity = candidate.identity
                file.name = candidate.request.name
                file.path = candidate.request.path
                file.becomeFinal()
                return .already(file)
            }
            stream.closed[candidate.request.name] = LogStream.ClosedFile(
                inode: candidate.status.inode, id: start.file)
            output.finished(start.file, end: start.offset)
            return .unknown
        }
        return nil
    }

    /// Whether an open file, of whose beginning nothing may be known yet, is what `candidate` holds.
    private func isPacked(_ file: TailedFile, in candidate: Candidate) -> Bool {
        guard file.isOpen, file.packed == nil else { return false }
        do throws(SystemError) {
            let source = try file.opened()
            guard try source.descriptor.status().size == candidate.size else { return false }
            return try source.descriptor.read(count: Fingerprint.longest, at: 0) == candidate.head
        } catch {
            _ = opener.trouble(file.path, error)
            return false
        }
    }

    /// A file was deleted while it was parked: its bytes, read or not, are out of reach.
    func deleted(_ file: TailedFile, of stream: LogStream) {
        if file.size > file.position {
            output.report(
                .lost(
                    path: file.path, range: ByteRange(start: file.position, end: file.size),
                    reason: "deleted_unread"))
        }
        release(file, of: stream)
        output.gone(file.id)
    }

    /// The stream has nothing more to do with a file.
    func release(_ file: TailedFile, of stream: LogStream) {
        opener.close(file)
        stream.files.removeAll { $0 === file }
    }

    func rename(_ file: TailedFile, to name: [UInt8], in node: DirectoryNode, final: Bool) {
        guard file.name != name || (final && !file.isFinal) else { return }
        file.name = name
        file.path = node.text(of: name)
        if final { file.becomeFinal() }
        output.moved(file.id, path: file.path, archived: file.isFinal)
    }
}

// MARK: - s6 log directories

extension StreamTable {
    private func lookAtS6(
        _ stream: LogStream, _ look: DirectoryTree.Look, _ directory: borrowing Descriptor,
        _ now: Int64
    ) -> Verdict {
        var names = look.names
        let first = S6Listing(names.entries)
        var held: FileOpener.Held?
        var refused: UInt64?
        var verdict = Verdict.fine
        let current = FileOpener.Request(
            stream: stream, name: S6Name.current, path: look.node.text(of: S6Name.current),
            isArchived: false)
        if let item = first.current,
            !opener.isTaken(InodeKey(device: look.device, inode: item.inode), for: stream)
        {
            // 1. The listing shows `current`; s6-log rotates it away; `current` opened by name is
            //    the next file, and the one between would come after it.
            // 2. So a new `current` is opened first and the directory listed after: whatever is
            //    older than the open file has a name in that listing.
            switch opener.hold(current, in: directory) {
            case .held(let file): held = consume file
            case .failed(let result):
                verdict = accept(result, stream)
                refused = item.inode
            }
            do {
                names = DirectoryNames(try directory.entries())
            } catch {
                _ = opener.trouble(look.node.text, error)
                return .retry
            }
        }
        let listing = S6Listing(names.entries)
        follow(stream, listing, look.node, now)
        if let pruned = Self.take(&held, unlessListed: listing) {
            // It was rotated and removed in between; only this descriptor still has its bytes, and
            // whatever the listing has that is not open yet is newer.
            var request = current
            request.isArchived = true
            request.mostLinks = 2
            let result = opener.adopt(request, pruned)
            verdict = worse(verdict, accept(result, stream, isPruned: true))
        }
        for item in listing.items {
            let known = stream.files.contains { $0.identity.inode == item.inode }
            if known || stream.closed[item.name]?.inode == item.inode { continue }
            let request = FileOpener.Request(
                stream: stream, name: item.name, path: look.node.text(of: item.name),
                isArchived: !item.isCurrent, mostLinks: item.mostLinks, inode: item.inode)
            var result = FileOpener.Result.unknown
            if let taken = Self.take(&held, inode: item.inode) {
                result = opener.adopt(request, taken)
            } else if !item.isCurrent {
                result = openWhereverItIs(request, names, look.node, directory)
            } else if opener.isTaken(
                InodeKey(device: look.device, inode: item.inode), for: stream)
            {
                // Another stream has it open, of a pattern that leads here by another way or of
                // this directory's earlier name: it reads on, and this one looks again later.
                verdict = worse(verdict, .retry)
            } else if !opener.once, item.inode != refused {
                // A `current` newer than the one that was held: the next look takes it up. With
                // `--once` it is newer than the start.
                verdict = worse(verdict, .again)
            }
            verdict = worse(verdict, accept(result, stream))
            switch result {
            case .exhausted:
                // What is newer would come before it.
                return verdict
            case .vanished where !item.isCurrent && !opener.isFirstScan:
                // An archive's name is given once, and what was `previous` was looked for among
                // the archives.
                output.report(.missed(path: request.path))
            case .opened, .already, .nothing, .vanished, .unknown: break
            }
        }
        forgetMissing(stream, names)
        if !stream.isReconciled, case .fine = verdict { reconcile(stream, names) }
        return verdict
    }

    /// 1. The listing shows `previous`; s6-log gives it its archive's name before it is opened.
    /// 2. Nothing is missed, but what is newer must not come first, and may be held already.
    /// 3. So it is looked for under its new name, once: an archive keeps its name until it is removed.
    private func openWhereverItIs(
        _ request: FileOpener.Request, _ names: DirectoryNames, _ node: DirectoryNode,
        _ directory: borrowing Descriptor
    ) -> FileOpener.Result {
        let result = openArchive(request, names, directory)
        guard case .vanished = result, request.name == S6Name.previous else { return result }
        let entries: [DirectoryEntry]
        do {
            entries = try directory.entries()
        } catch {
            return opener.trouble(node.text, error)
        }
        guard
            let item = S6Listing(entries).items.first(where: {
                $0.inode == request.inode && S6Name.isArchive($0.name)
            })
        else { return .vanished }
        return openArchive(
            FileOpener.Request(
                stream: request.stream, name: item.name, path: node.text(of: item.name),
                isArchived: true, mostLinks: item.mostLinks, inode: item.inode),
            DirectoryNames(entries), directory)
    }

    /// An archive may be what a processor of s6-log made of `previous`.
    private func openArchive(
        _ request: FileOpener.Request, _ names: DirectoryNames,
        _ directory: borrowing Descriptor
    ) -> FileOpener.Result {
        var request = request
        request.mayBePacked = true
        switch opener.examine(request, in: directory) {
        case .candidate(let candidate):
            return recognise(candidate, of: request.stream, names) ?? opener.takeUp(candidate)
        case .failed(let result): return result
        }
    }

    private static func take(
        _ held: inout FileOpener.Held?, inode: UInt64
    ) -> FileOpener.Held? {
        guard let file = held.take() else { return nil }
        if file.status.inode == inode { return file }
        held = consume file
        return nil
    }

    private static func take(
        _ held: inout FileOpener.Held?, unlessListed listing: S6Listing
    ) -> FileOpener.Held? {
        guard let file = held.take() else { return nil }
        let inode = file.status.inode
        if !listing.items.contains(where: { $0.inode == inode }) { return file }
        held = consume file
        return nil
    }

    /// Gives open files the names that they have now. What s6-log renamed it never writes to again.
    private func follow(
        _ stream: LogStream, _ listing: S6Listing, _ node: DirectoryNode, _ now: Int64
    ) {
        for file in stream.files {
            guard let item = listing.items.first(where: { $0.inode == file.identity.inode }) else {
                if file.name != nil { awakened.append(stream) }
                file.name = nil
                file.drainsSince = file.drainsSince ?? now
                continue
            }
            if file.name != item.name { awakened.append(stream) }
            rename(file, to: item.name, in: node, final: !item.isCurrent)
        }
    }

    private func accept(
        _ result: FileOpener.Result, _ stream: LogStream, isPruned: Bool = false
    ) -> Verdict {
        switch result {
        case .opened(let file):
            if isPruned {
                file.name = nil
                stream.files.append(file)
            } else {
                insert(file, into: stream)
            }
            if file.isFinal, file.position >= file.size, file.name != nil, !file.isReplaced {
                finish(file, of: stream)
            } else {
                awakened.append(stream)
            }
            return .fine
        case .already, .unknown: return .fine
        case .nothing(let retry): return retry ? .retry : .fine
        case .exhausted: return .retry
        case .vanished: return .again
        }
    }

    /// By label: an archive that is found late still comes before what is newer.
    private func insert(_ file: TailedFile, into stream: LogStream) {
        let place =
            stream.files.firstIndex { other in
                guard let name = file.name, name != stream.liveName else { return false }
                guard let theirs = other.name else { return false }
                if !S6Name.isArchive(theirs) {
                    return S6Name.isArchive(name) || theirs == stream.liveName
                }
                return name.lexicographicallyPrecedes(theirs)
            } ?? stream.files.endIndex
        stream.files.insert(file, at: place)
    }

    private func forgetMissing(_ stream: LogStream, _ names: DirectoryNames) {
        // 1. A processor makes `processed` of `previous`, which s6-log removes.
        // 2. `processed` gets its archive's name: until then that content has none.
        if names.inode(of: S6Name.processed) != nil { return }
        // 1. A file was read to its end as `previous` and closed.
        // 2. It is an archive now: its old name is missing, but it is not gone, and under the new one
        //    it may not have been opened yet.
        let missing = stream.closed.filter { name, closed in
            names.inode(of: name) != closed.inode
                && (names.name(of: closed.inode) == nil
                    || stream.files.contains { $0.id == closed.id }
                    || stream.closed.contains { $0.key != name && $0.value.id == closed.id })
        }
        guard !missing.isEmpty else { return }
        for name in missing.keys { stream.closed[name] = nil }
        let kept = Set(stream.closed.values.map(\.id)).union(stream.files.map(\.id))
        for closed in missing.values where !kept.contains(closed.id) { output.gone(closed.id) }
    }
}
