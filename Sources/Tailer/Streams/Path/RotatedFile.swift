import Model
import Platform

/// A name that rotation gave, and what stands there.
struct RotatedFile {
    let name: [UInt8]
    let rotated: RotatedName
    let status: FileStatus
    /// Of one that was opened, where it is known.
    var birth: FileTime?
}

/// The findings of a look at the rotated files of a log.
struct UnknownRotatedFiles {
    /// Those that nothing is known of, oldest first, opened and looked at.
    var found: [(RotatedFile, Candidate)] = []
    /// The same, closed again: what is looked for is not in them.
    var strangers: [(RotatedFile, Stranger)] = []
    /// There are more than these, newer ones.
    var isPartial = false
    /// The same, for want of time.
    var isCut = false
    /// Of no use unless `fine`.
    var end = LookEnd.fine

    var inodes: Set<UInt64> {
        Set(found.map(\.1.status.inode)).union(strangers.map(\.0.status.inode))
    }

    static func failed(_ end: LookEnd) -> UnknownRotatedFiles {
        UnknownRotatedFiles(end: end)
    }
}

extension StreamTable {
    /// Rotated files that nothing is known of: all of them, where content of the stream is looked
    /// for, or the first few.
    func unknownRotatedFiles(
        _ look: StreamLook, _ listed: SharedListing.Listed, for sought: SoughtFiles?
    ) -> UnknownRotatedFiles {
        let stream = look.stream
        let rotatedFiles = listed.rotatedFiles(of: stream)
        return unknownRotatedFiles(look, rotatedFiles, for: sought)
    }

    /// Whether a name is an earlier file's. Of what is only alike to one, a file that a pattern
    /// matches is a log of its own.
    private func rotated(_ entry: DirectoryEntry, of stream: LogStream) -> RotatedName? {
        guard entry.kind == .regular || entry.kind == .unknown,
            let rotated = stream.rotated(entry.name),
            !stream.hasLearnt(entry.name) || !isMatched(entry.name)
        else { return nil }
        return rotated
    }

    func unknownRotatedFiles(
        _ look: StreamLook, _ entries: [DirectoryEntry], for sought: SoughtFiles?
    ) -> UnknownRotatedFiles {
        let stream = look.stream
        var survey = RotatedFileSurvey(for: sought, mostOpen: mostAtOnce)
        let listed = listRotatedFiles(look, entries, for: sought)
        guard case .fine = listed.end else { return .failed(listed.end) }
        var unknown = UnknownRotatedFiles()
        unknown.strangers = listed.strangers
        var end = LookEnd.fine
        survey.pace.begin()
        for rotatedFile in listed.rotatedFiles {
            if survey.pace.isOver {
                guard sought == nil else { return .failed(.underWay) }
                unknown.isCut = true
                break
            }
            if sought == nil, unknown.found.count >= mostAtOnce {
                unknown.isPartial = true
                break
            }
            let looked = self.look(at: rotatedFile, look, &survey, &unknown)
            if case .exhausted = looked {
                stream.hasMoreRotated = true
                return .failed(.retry)
            }
            if case .waits(let waits) = looked { end = worse(end, waits) }
        }
        guard case .fine = end else { return .failed(end) }
        return unknown
    }

    private enum RotatedFileLook {
        case done
        case waits(LookEnd)
        case exhausted
    }

    private func look(
        at rotatedFile: RotatedFile, _ look: StreamLook, _ survey: inout RotatedFileSurvey,
        _ unknown: inout UnknownRotatedFiles
    ) -> RotatedFileLook {
        let stream = look.stream
        let stamp = LogStream.Stamp(rotatedFile.status)
        let inode = rotatedFile.status.inode
        let request = FileOpener.Request(
            stream: stream, name: rotatedFile.name, path: look.node.text(of: rotatedFile.name),
            isArchived: false, inode: inode, mayBePacked: true,
            mayBeginWithZeros: true, mayBeKnown: true)
        switch opener.examine(request, in: look.directory.descriptor) {
        case .candidate(let candidate) where candidate.isInTheMaking:
            // Writes into it are no events.
            agenda.retry(look.node)
        case .candidate(let candidate):
            opener.mended(request.path)
            stream.refused[stamp] = nil
            guard let file = knownFiles.file(candidate.identity, head: candidate.head) else {
                add(rotatedFile, candidate, of: stream, to: &unknown, &survey)
                return .done
            }
            let isUnfinished = isUnfinished(file, candidate, look)
            // Those have their turn in order.
            if isUnfinished, survey.isAhead { return .done }
            stream.judged.insert(stamp)
            survey.pace.progress()
            stream.obstacles.forget(inode)
            if !isUnfinished {
                follow(file, candidate, stream)
            } else if !comesAlive(file, rotatedFile, of: stream, in: look.node) {
                takeUp([candidate], look, before: stream.live)
            }
        case .failed(.nothing(retry: true)):
            if survey.isAhead { return .done }
            if waits(look, inode, rotatedFile.name, status: rotatedFile.status) {
                return .waits(.retry)
            }
        case .failed(.nothing(retry: false)):
            stream.refused[stamp] = rotatedFile.status.changed
            survey.pace.progress()
        case .failed(.already), .failed(.notTakenUp), .failed(.opened): break
        case .failed(.exhausted): return .exhausted
        case .failed(.missing):
            if survey.isAhead { return .done }
            if waits(look, inode, rotatedFile.name, isRace: true) {
                return .waits(.again)
            }
        }
        return .done
    }

    /// Before anything is searched for among very many rotated files: finds out in slices which of
    /// them hold nothing of it. What comes after that, and is one piece, has nothing to open then.
    /// The names may be old: nothing else follows from them. True when all were gone through.
    func surveyAhead(_ look: StreamLook, _ entries: [DirectoryEntry]) -> Bool {
        let stream = look.stream
        guard entries.count >= Self.mostInOnePiece, stream.surveyed < entries.count else {
            return true
        }
        var survey = RotatedFileSurvey(aheadOf: sought(stream))
        survey.pace.begin()
        var unknown = UnknownRotatedFiles()
        while stream.surveyed < entries.count {
            if survey.pace.isOver { return false }
            let entry = entries[stream.surveyed]
            stream.surveyed += 1
            survey.pace.progress()
            guard let rotated = rotated(entry, of: stream) else { continue }
            let status: FileStatus
            do throws(SystemError) {
                status = try look.directory.descriptor.status(of: entry.name)
            } catch {
                // Whoever searches finds out the same, and what to do about it.
                continue
            }
            let stamp = LogStream.Stamp(status)
            guard status.isRegular, status.inode == entry.inode, !stream.judged.contains(stamp),
                stream.strangers[stamp] == nil, stream.refused[stamp] != status.changed
            else { continue }
            let rotatedFile = RotatedFile(name: entry.name, rotated: rotated, status: status)
            // Whoever searches finds out that there is no descriptor, and waits for one.
            if case .exhausted = self.look(at: rotatedFile, look, &survey, &unknown) {
                return true
            }
            unknown = UnknownRotatedFiles()
        }
        return true
    }

    /// So many rotated files are listed, looked at and put in order in one piece, in some
    /// milliseconds.
    static let mostInOnePiece = 2_048

    /// Rotated files that are to be looked at, and what is known of others.
    private struct ListedRotatedFiles {
        /// Oldest first.
        var rotatedFiles: [RotatedFile] = []
        var strangers: [(RotatedFile, Stranger)] = []
        var end = LookEnd.fine
    }

    /// All that is done here is done for each of them every time.
    private func listRotatedFiles(
        _ look: StreamLook, _ entries: [DirectoryEntry], for sought: SoughtFiles?
    ) -> ListedRotatedFiles {
        let stream = look.stream
        var listed = ListedRotatedFiles()
        var stamps: [LogStream.Stamp] = []
        var unpacked: [RotatedName.Order] = []
        var names = NameOrder()
        var hasEmpty = false
        var hasPacked = false
        for entry in entries {
            guard look.node.alive[entry.name] == nil, let rotated = rotated(entry, of: stream)
            else {
                continue
            }
            do throws(SystemError) {
                let status = try look.directory.descriptor.status(of: entry.name)
                // Renamed since it was listed: what it was may be missing in this listing by now.
                guard status.inode == entry.inode else {
                    throw SystemError("fstatat", code: .notFound)
                }
                guard status.isRegular else { continue }
                let stamp = LogStream.Stamp(status)
                stamps.append(stamp)
                names.add(rotated, modified: status.modified)
                if !rotated.isPacked { unpacked.append(rotated.order) }
                if status.size == 0, opener.stillness.time(of: status, look.now) < mostPatience {
                    hasEmpty = true
                }
                if stream.judged.contains(stamp) || stream.refused[stamp] == status.changed {
                    continue
                }
                let rotatedFile = RotatedFile(name: entry.name, rotated: rotated, status: status)
                if sought == nil, isSettled(rotatedFile, stamp, stream) { continue }
                if rotated.isPacked { hasPacked = true }
                listed.rotatedFiles.append(rotatedFile)
            } catch {
                let isRace = error.code == .notFound
                if !isRace { opener.tell(look.node.text(of: entry.name), error) }
                if waits(look, entry.inode, entry.name, isRace: isRace) {
                    listed.end = worse(listed.end, isRace ? .again : .retry)
                }
            }
        }
        guard case .fine = listed.end else { return listed }
        // A write into it is no event.
        if hasEmpty { agenda.retry(look.node) }
        stream.keepStamps(stamps)
        if hasPacked {
            // 1. gzip writes `app.log.1.gz`; `app.log.1` is there until it is done.
            let unpacked = Set(unpacked)
            listed.rotatedFiles.removeAll {
                $0.rotated.isPacked && unpacked.contains($0.rotated.order)
            }
        }
        if sought != nil, !stream.strangers.isEmpty {
            var others: [RotatedFile] = []
            for rotatedFile in listed.rotatedFiles {
                if let stranger = stream.strangers[LogStream.Stamp(rotatedFile.status)] {
                    listed.strangers.append((rotatedFile, stranger))
                } else {
                    others.append(rotatedFile)
                }
            }
            listed.rotatedFiles = others
        }
        sort(&listed.rotatedFiles, namesTell: names.tells)
        return listed
    }

    /// Whether a rotated file was looked at, and lay there before what the live file holds was
    /// written: it is none of what that was copied to since. What becomes of that file later is
    /// looked for in it once more.
    private func isSettled(
        _ rotatedFile: RotatedFile, _ stamp: LogStream.Stamp, _ stream: LogStream
    ) -> Bool {
        if stream.copies.contains(stamp) { return true }
        guard let stranger = stream.strangers[stamp], let live = stream.live else { return false }
        return (stranger.modified < live.begunAt || stream.beside.contains(stamp))
            && !stream.claimed.contains(rotatedFile.name)
            && !stream.obstacles.wants(rotatedFile.status.inode, stranger)
    }

    /// How long a rotated file without content is looked at often, nanoseconds.
    private var mostPatience: Int64 { 60_000_000_000 }

    /// Takes those out that a compressor has made of files of the stream. What is unread of them is
    /// read before `live`. `elsewhere` are the inodes in archives.
    func recognise(
        _ unknown: inout UnknownRotatedFiles, _ look: StreamLook, before live: TailedFile?,
        elsewhere: Set<UInt64> = []
    ) {
        let stream = look.stream
        var others: [(RotatedFile, Candidate)] = []
        for (rotatedFile, candidate) in unknown.found {
            switch recognise(candidate, look, elsewhere: elsewhere) {
            case nil: others.append((rotatedFile, candidate))
            case .opened(let file):
                file.drain(from: look.now)
                insert(file, in: stream, before: live)
            case .already, .nothing, .exhausted, .missing, .notTakenUp: break
            }
        }
        unknown.found = others
    }

    /// 1. A file is read to its end. Its directory is renamed, or is back after a while.
    /// 2. Of the stream that finds it, it is a rotated file that needs not be read.
    ///
    /// From now on it is that stream's: its entry has the new path, and leaves with the file. What
    /// the stream itself has of an earlier run is dealt with when it begins.
    private func follow(_ file: FileID, _ candidate: Candidate, _ stream: LogStream) {
        guard let known = knownFiles.progress(of: file),
            stream.isReconciled || ExactText(known.stream) != ExactText(stream.name),
            candidate.packed != nil || known.position >= candidate.size, !has(file, stream)
        else { return }
        output.moved(file, path: candidate.request.path, archived: true)
        stream.keep(
            LogStream.ClosedFile(identity: candidate.identity, id: file),
            as: candidate.request.name)
    }

    /// Whether a known file that is not open holds more than was read of it: it was another
    /// stream's, or was written to once more after nobody had it open. Files of an earlier run have
    /// their turn when the stream begins.
    private func isUnfinished(_ file: FileID, _ candidate: Candidate, _ look: StreamLook) -> Bool {
        let stream = look.stream
        guard candidate.unreadable == nil, let known = knownFiles.progress(of: file) else {
            return false
        }
        if opener.inheritance.awaitsTurn(file) {
            return !has(file, stream) && hasHead(candidate)
        }
        // What another stream of this directory has, it reads itself. One of the directory's
        // earlier name cannot: no name that it knows leads to it.
        let isFromElsewhere = ExactText(known.stream).parent != ExactText(look.node.text)
        if candidate.packed != nil {
            // Whether that was read to its end is found out at no cost where nothing has changed.
            guard isFromElsewhere, !has(file, stream), hasHead(candidate) else { return false }
        }
        guard known.position == .start || knownFiles.content(of: file, beginsAs: candidate.head)
        else {
            return false
        }
        if candidate.packed != nil { return true }
        guard known.position < candidate.size else { return false }
        return ExactText(known.stream) == ExactText(stream.name)
            ? stream.isReconciled
            : isFromElsewhere || stream.claimed.contains(candidate.request.name)
    }

    /// Whether the beginning of what was known by its identity can be read now.
    func hasHead(_ candidate: Candidate) -> Bool {
        do throws(SystemError) {
            try candidate.completeHead()
            return true
        } catch {
            opener.tell(candidate.request.path, error)
            return false
        }
    }

    private func has(_ file: FileID, _ stream: LogStream) -> Bool {
        stream.closed.values.contains { $0.id == file } || stream.files.contains { $0.id == file }
    }

    /// Adds files that lie elsewhere, and puts all of them in order: each may be older or newer
    /// than those here.
    func add(_ others: [(RotatedFile, Candidate)], to unknown: inout UnknownRotatedFiles) {
        guard !others.isEmpty else { return }
        unknown.found += others
        let namesTell = namesTell(unknown.found.map(\.0))
        unknown.found.sort { isOlder($0.0, $1.0, namesTell: namesTell) }
    }

    /// Oldest first: by their names where those tell, else by their last changes.
    func sort(_ rotatedFiles: inout [RotatedFile], namesTell: Bool? = nil) {
        let namesTell = namesTell ?? self.namesTell(rotatedFiles)
        rotatedFiles.sort { isOlder($0, $1, namesTell: namesTell) }
    }

    func namesTell(_ rotatedFiles: [RotatedFile]) -> Bool {
        var names = NameOrder()
        for rotatedFile in rotatedFiles {
            names.add(rotatedFile.rotated, modified: rotatedFile.status.modified)
        }
        return names.tells
    }

    func isOlder(_ a: RotatedFile, _ b: RotatedFile, namesTell: Bool) -> Bool {
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
