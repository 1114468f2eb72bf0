import Model
import Platform

/// Files that a compressor or a processor has made of files of a stream, which their entries go
/// over to.
extension StreamTable {
    /// Bytes of the same beginning that are no banner.
    static let longestBanner = 4096

    /// A file that a candidate may have been made of, and where the stream has it.
    private struct Source {
        let saved: SavedFile
        let file: TailedFile?
        let closed: (name: [UInt8], file: LogStream.ClosedFile)?
        let awaiting: LogStream.FileAwaitingCopy?

        /// That, if there is a descriptor for it.
        var open: TailedFile? { file.flatMap { $0.isOpen ? $0 : nil } }

        /// Whether it was read to its end, and nothing can have come since that `candidate` has.
        func isRead(_ candidate: Candidate) -> Bool {
            closed.map { !$0.file.mayHaveGrown(before: candidate.status) }
                ?? awaiting.map { $0.unread == nil } ?? false
        }
    }

    /// A compressor has made `candidate` of a file of the stream: what is left to be read of that
    /// one goes by the new name from now on. Nil when it is none of those.
    ///
    /// `processed`: a processor of s6-log's has made it, which may have left its bytes as they
    /// were. `first` is the file that it was made of, if that is known. `elsewhere`: inodes where
    /// rotated files go.
    func recognise(
        _ candidate: Candidate, _ look: StreamLook, processed: Bool = false, first: FileID? = nil,
        elsewhere: Set<UInt64> = []
    ) -> FileOpener.OpenResult? {
        let stream = look.stream
        guard candidate.packed != nil || processed,
            knownFiles.file(candidate.identity, head: candidate.head) == nil
        else { return nil }
        let making = Recognition.Making(isProcessed: processed, isPlain: candidate.packed == nil)
        let known = knownFiles.saved(stream.name).reversed()
        let order = known.filter { $0.file == first } + known.filter { $0.file != first }
        let places = Places(stream)
        let live = stream.live?.id
        for saved in order where saved.file != live {
            let source = places.source(saved)
            let facts = facts(of: source, candidate, stream, elsewhere)
            let origin = Recognition.origin(
                of: making, facts, isS6: stream.kind == .s6,
                beginsAlike: { begins(candidate, as: source) },
                name: { name(of: source.saved.identity, look) },
                endsAlike: { isCopied(source.saved, source.file, to: candidate) },
                isWritten: { source.file.map(isWritten) ?? false })
            switch origin {
            case .another: continue
            case .undecided: return .notTakenUp(.postponed)
            case .holdsUp:
                stream.processing.holdsUp = true
                return .notTakenUp(.postponed)
            case .made: break
            }
            if processed { stream.processing.order.forget(source.saved.file) }
            let sequel = Recognition.sequel(of: making, facts) { source.isRead(candidate) }
            if let result = goOn(with: source, as: candidate, stream, sequel) { return result }
        }
        return nil
    }

    /// Where a stream has its files, which may be thousands.
    private struct Places {
        private let files: [FileID: TailedFile]
        private let closed: [FileID: (name: [UInt8], file: LogStream.ClosedFile)]
        private let awaiting: [FileID: LogStream.FileAwaitingCopy]

        init(_ stream: LogStream) {
            files = Dictionary(
                stream.files.map { ($0.id, $0) }, uniquingKeysWith: { first, _ in first })
            closed = Dictionary(
                stream.closed.map { ($0.value.id, ($0.key, $0.value)) },
                uniquingKeysWith: { first, _ in first })
            awaiting = Dictionary(
                stream.awaitingCopy.map { ($0.id, $0) }, uniquingKeysWith: { first, _ in first })
        }

        func source(_ saved: SavedFile) -> Source {
            Source(
                saved: saved, file: files[saved.file], closed: closed[saved.file],
                awaiting: awaiting[saved.file])
        }
    }

    private func facts(
        of source: Source, _ candidate: Candidate, _ stream: LogStream, _ elsewhere: Set<UInt64>
    ) -> Recognition.Source {
        let saved = source.saved
        // What became of an ordinary log's files of an earlier run is looked for when it begins.
        let isEarlier =
            stream.kind == .s6 && !stream.isReconciled
            || stream.obstacles.unopened.contains { $0.entry.file == saved.file }
        // What was read and went to another directory is known by its entry alone.
        let isElsewhere = candidate.request.isElsewhere && stream.isReconciled
        return Recognition.Source(
            isReplaced: source.file?.isReplaced ?? false,
            isSought: isEarlier || isElsewhere || source.file != nil || source.closed != nil
                || source.awaiting != nil,
            isAwaitingCopy: source.awaiting != nil,
            isElsewhere: elsewhere.contains(saved.identity.inode),
            isNameless: source.file.map { $0.name == nil } ?? false, isOpen: source.open != nil)
    }

    private func begins(_ candidate: Candidate, as source: Source) -> Bool {
        knownFiles.content(of: source.saved.file, beginsAs: candidate.head)
            || source.file.map { $0.name == nil && isPacked($0, in: candidate) } ?? false
    }

    private func name(of identity: FileIdentity, _ look: StreamLook) -> Recognition.Name {
        guard let name = look.names.name(of: identity.inode) else { return .none }
        let isArchive = look.stream.kind == .s6 && S6Name.isArchive(name)
        switch opener.presence(identity, name, look.directory.descriptor) {
        case .there: return .there(isArchive: isArchive)
        case .moved: return .moved(isArchive: isArchive)
        case .replaced: return .none
        }
    }

    /// `candidate` was made of a file, and has its entry from now on. Nil where the output knows
    /// better.
    private func goOn(
        with source: Source, as candidate: Candidate, _ stream: LogStream,
        _ sequel: Recognition.Sequel
    ) -> FileOpener.OpenResult? {
        let file = source.saved.file
        if case .settleLater = sequel {
            stream.processing.archives[candidate.request.name] = ProcessedArchive(
                inode: candidate.status.inode, source: file)
            return .notTakenUp(.postponed)
        }
        let end = sequel == .isRead ? knownFiles.progress(of: file)?.position : nil
        guard
            let start = output.relocated(
                file, to: candidate.sighting(isFirstScan: false, completeAt: end))
        else { return nil }
        if case .goOnByDescriptor = sequel, let open = source.open {
            open.becomeArchive(candidate)
            return .already(open)
        }
        if let closed = source.closed { stream.closed[closed.name] = nil }
        if let file = source.file { release(file, of: stream) }
        if source.awaiting != nil,
            let index = stream.awaitingCopy.firstIndex(where: { $0.id == file })
        {
            stream.awaitingCopy.remove(at: index)
        }
        guard case .isRead = sequel else { return opener.takeUp(candidate, at: start) }
        output.finished(start.file, end: start.offset)
        if candidate.request.isElsewhere {
            output.unfollowed(start.file)
        } else {
            stream.keep(
                LogStream.ClosedFile(identity: candidate.identity, id: start.file),
                as: candidate.request.name)
        }
        return .notTakenUp(.read)
    }

    /// 1. A log is rotated and compressed, and its program still has it open: it is told later.
    /// 2. What it writes until then is in no other file than the removed one, which is open here.
    ///
    /// So that is read to its end, and what the compressor has made waits for that.
    private func isWritten(_ file: TailedFile) -> Bool {
        guard !file.isFinal else { return false }
        do throws(SystemError) {
            return !(try file.opened().descriptor.hasNoWriter() ?? false)
        } catch {
            return false
        }
    }

    /// Whether `candidate`, which begins as a file did, is as long and ends alike; of what was not
    /// read to its end, whether it goes on alike where that was left.
    private func isCopied(
        _ saved: SavedFile, _ file: TailedFile?, to candidate: Candidate
    ) -> Bool {
        let size = candidate.status.end
        do throws(SystemError) {
            guard let file, file.isOpen else {
                guard size >= saved.position else { return false }
                return try candidate.continues(at: saved.position, after: saved.anchor.bytes)
            }
            let source = try file.opened()
            guard file.packed == nil, try source.descriptor.status().end == size else {
                return false
            }
            let last = max(.start, size - Fingerprint.longest)
            let theirs = try candidate.read(count: Fingerprint.longest, at: last)
            return try source.descriptor.read(count: Fingerprint.longest, at: last) == theirs
        } catch {
            opener.tell(candidate.request.path, error)
            return false
        }
    }

    /// Whether an open file, of whose beginning nothing may be known yet, is what `candidate`
    /// holds.
    func isPacked(_ file: TailedFile, in candidate: Candidate) -> Bool {
        guard file.isOpen, file.packed == nil, candidate.packed != nil else { return false }
        do throws(SystemError) {
            let source = try file.opened()
            let size = try source.descriptor.status().end
            guard candidate.hasKnownSize ? size == candidate.size : size >= candidate.size - 1
            else {
                return false
            }
            return try source.descriptor.read(count: Fingerprint.longest, at: 0) == candidate.head
        } catch {
            opener.tell(file.path, error)
            return false
        }
    }
    /// Whether `found` begins as is known of a file, and has the same bytes before `position`.
    func begins(
        _ found: Candidate, as file: FileID, _ position: PhysicalOffset, _ anchor: [UInt8]
    ) throws(SystemError) -> Bool {
        guard !anchor.isEmpty, knownFiles.content(of: file, beginsAs: found.head) else {
            return false
        }
        return try found.read(count: anchor.count, at: position - anchor.count) == anchor
    }
}
