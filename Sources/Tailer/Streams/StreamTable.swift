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
