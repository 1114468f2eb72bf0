import Model
import Platform

/// A name that rotation gave, and what stands there.
struct Sibling {
    let name: [UInt8]
    let rotated: RotatedName
    let status: FileStatus
}

/// What a look at the siblings of a log came to.
struct UnknownSiblings {
    /// Those that nothing is known of, oldest first, opened and looked at.
    var found: [(Sibling, Candidate)] = []
    /// There are more, newer than these.
    var isPartial = false
    /// Of no use unless `fine`.
    var verdict = StreamTable.Verdict.fine

    static func failed(_ verdict: StreamTable.Verdict) -> UnknownSiblings {
        UnknownSiblings(verdict: verdict)
    }
}

extension StreamTable {
    /// Siblings that nothing is known of, `most` of them.
    func unknownSiblings(
        of stream: LogStream, _ names: DirectoryNames, _ node: DirectoryNode,
        _ directory: borrowing Descriptor, _ now: Int64, most: Int
    ) -> UnknownSiblings {
        let entries = names.entries.filter { entry in
            (entry.kind == .regular || entry.kind == .unknown)
                && isSibling(entry.name, of: stream)
        }
        return unknownSiblings(of: stream, entries, node, directory, now, most: most)
    }

    /// Whether a name is an earlier file's. Of what is only alike to one, a file that a pattern matches is a
    /// log of its own.
    private func isSibling(_ name: [UInt8], of stream: LogStream) -> Bool {
        guard stream.rotated(name) != nil else { return false }
        return !stream.hasLearnt(name) || !isMatched(name)
    }

    func unknownSiblings(
        of stream: LogStream, _ entries: [DirectoryEntry], _ node: DirectoryNode,
        _ directory: borrowing Descriptor, _ now: Int64, most: Int
    ) -> UnknownSiblings {
        var siblings: [Sibling] = []
        var verdict = Verdict.fine
        for entry in entries {
            guard let rotated = stream.rotated(entry.name) else { continue }
            do throws(SystemError) {
                let status = try directory.status(of: entry.name)
                // Renamed since it was listed: what it was may be missing in this listing by now.
                guard status.inode == entry.inode else {
                    throw SystemError("fstatat", code: .notFound)
                }
                guard status.isRegular else { continue }
                siblings.append(Sibling(name: entry.name, rotated: rotated, status: status))
            } catch {
                let isRace = error.code == .notFound
                if !isRace { _ = opener.trouble(node.text(of: entry.name), error) }
                if waits(for: stream, entry.inode, entry.name, node, now, isRace: isRace) {
                    verdict = worse(verdict, isRace ? .again : .retry)
                }
            }
        }
        guard case .fine = verdict else { return .failed(verdict) }
        let stamps = Set(siblings.map { LogStream.Stamp($0.status) })
        stream.judged.formIntersection(stamps)
        stream.beside.formIntersection(stamps)
        sort(&siblings)
        let unpacked = Set(siblings.lazy.filter { !$0.rotated.isPacked }.map(\.rotated.order))
        var unknown = UnknownSiblings()
        for sibling in siblings {
            let stamp = LogStream.Stamp(sibling.status)
            if sibling.status.size == 0,
                opener.stillness.time(of: sibling.status, now) < mostPatience
            {
                // A write into it is no event.
                soon.append(node)
            }
            if stream.judged.contains(stamp) { continue }
            // 1. gzip writes `app.log.1.gz`; `app.log.1` is there until it is done.
            if sibling.rotated.isPacked, unpacked.contains(sibling.rotated.order) { continue }
            if unknown.found.count >= most {
                unknown.isPartial = true
                break
            }
            let request = FileOpener.Request(
                stream: stream, name: sibling.name, path: node.text(of: sibling.name),
                isArchived: false, inode: sibling.status.inode, mayBePacked: true,
                mayBeginWithZeros: true)
            switch opener.examine(request, in: directory) {
            case .candidate(let candidate) where candidate.isInTheMaking:
                // Writes into it are no events.
                soon.append(node)
            case .candidate(let candidate):
                opener.mended(request.path)
                if let file = output.known(candidate.identity, head: candidate.head) {
                    stream.judged.insert(stamp)
                    stream.obstacles.forget(candidate.status.inode)
                    if isUnfinished(file, candidate, stream, node) {
                        takeUp([candidate], stream, before: stream.live, now)
                    } else {
                        follow(file, candidate, stream)
                    }
                } else {
                    unknown.found.append((sibling, candidate))
                }
            case .failed(.nothing(retry: true)):
                let inode = sibling.status.inode
                if waits(for: stream, inode, sibling.name, node, now, status: sibling.status) {
                    verdict = worse(verdict, .retry)
                }
            case .failed(.already), .failed(.nothing), .failed(.unknown), .failed(.opened): continue
            case .failed(.exhausted):
                stream.hasMoreRotated = true
                return .failed(.retry)
            case .failed(.vanished):
                let inode = sibling.status.inode
                if waits(for: stream, inode, sibling.name, node, now, isRace: true) {
                    verdict = worse(verdict, .again)
                }
            }
        }
        guard case .fine = verdict else { return .failed(verdict) }
        return unknown
    }

    /// How long a rotated file without content is looked at often, nanoseconds.
    private var mostPatience: Int64 { 60_000_000_000 }

    /// Takes those out that a compressor has made of files of the stream. What is unread of them is
    /// read before `live`. `elsewhere` are the inodes in archives.
    func recognise(
        _ unknown: inout UnknownSiblings, of stream: LogStream, _ names: DirectoryNames,
        before live: TailedFile?, _ directory: borrowing Descriptor, _ now: Int64,
        elsewhere: Set<UInt64> = []
    ) {
        var others: [(Sibling, Candidate)] = []
        for (sibling, candidate) in unknown.found {
            switch recognise(candidate, of: stream, names, directory, elsewhere: elsewhere) {
            case nil: others.append((sibling, candidate))
            case .opened(let file):
                file.drainsSince = now
                insert(file, in: stream, before: live)
            case .already, .nothing, .exhausted, .vanished, .unknown: break
            }
        }
        unknown.found = others
    }

    /// 1. A file is read to its end. Its directory is renamed, or is back after a while.
    /// 2. Of the stream that finds it, it is a sibling that needs not be read.
    ///
    /// From now on it is that stream's: its entry has the new path, and leaves with the file. What the
    /// stream itself has of an earlier run is dealt with when it begins.
    private func follow(_ file: FileID, _ candidate: Candidate, _ stream: LogStream) {
        guard let known = output.progress(of: file),
            stream.isReconciled || ExactText(known.stream) != ExactText(stream.name),
            candidate.packed != nil || known.position >= candidate.size, !has(file, stream)
        else { return }
        output.moved(file, path: candidate.request.path, archived: true)
        stream.keep(
            LogStream.ClosedFile(identity: candidate.identity, id: file),
            as: candidate.request.name)
    }

    /// Whether a known file that is not open holds more than was read of it: it was another stream's,
    /// or was written to once more after nobody had it open. Files of an earlier run have their turn
    /// when the stream begins.
    private func isUnfinished(
        _ file: FileID, _ candidate: Candidate, _ stream: LogStream, _ node: DirectoryNode
    ) -> Bool {
        guard candidate.unreadable == nil, let known = output.progress(of: file),
            known.position == 0 || output.content(of: file, beginsAs: candidate.head)
        else { return false }
        // What another stream of this directory has, it reads itself. One of the directory's earlier name
        // cannot: no name that it knows leads to it.
        let isFromElsewhere = ExactText(known.stream).parent != ExactText(node.text)
        // Whether that was read to its end is found out at no cost where nothing has changed.
        if candidate.packed != nil { return isFromElsewhere && !has(file, stream) }
        guard known.position < candidate.size else { return false }
        return ExactText(known.stream) == ExactText(stream.name)
            ? stream.isReconciled
            : isFromElsewhere || stream.claimed.contains(candidate.request.name)
    }

    private func has(_ file: FileID, _ stream: LogStream) -> Bool {
        stream.closed.values.contains { $0.id == file } || stream.files.contains { $0.id == file }
    }

    /// What lies elsewhere is older or newer than what lies here.
    func add(_ others: [(Sibling, Candidate)], to unknown: inout UnknownSiblings) {
        guard !others.isEmpty else { return }
        unknown.found += others
        let namesTell = namesTell(unknown.found.map(\.0))
        unknown.found.sort { isOlder($0.0, $1.0, namesTell: namesTell) }
    }

    /// Oldest first: by their names where those tell, else by their last changes.
    func sort(_ siblings: inout [Sibling]) {
        let namesTell = namesTell(siblings)
        siblings.sort { isOlder($0, $1, namesTell: namesTell) }
    }

    private func namesTell(_ siblings: [Sibling]) -> Bool {
        let numbers = siblings.count { if case .number = $0.rotated.order { true } else { false } }
        return numbers == 0 || numbers == siblings.count
    }

    private func isOlder(_ a: Sibling, _ b: Sibling, namesTell: Bool) -> Bool {
        if namesTell, let isOlder = a.rotated.isOlder(than: b.rotated) { return isOlder }
        if a.status.modified != b.status.modified {
            return a.status.modified < b.status.modified
        }
        // Of one tick of the clock: names of one kind tell still.
        let (mine, theirs) = (a.rotated.kind, b.rotated.kind)
        if mine != theirs { return mine < theirs }
        if let isOlder = a.rotated.isOlder(than: b.rotated) { return isOlder }
        return b.name.lexicographicallyPrecedes(a.name)
    }
}
