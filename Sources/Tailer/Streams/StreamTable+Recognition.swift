import Model
import Platform

/// Files that a compressor or a processor has made of files of a stream, which their entries go
/// over to.
extension StreamTable {
    /// Bytes of the same beginning that are no banner.
    static let longestBanner = 4096

    /// A compressor has made `candidate` of a file of the stream: what is left to be read of that
    /// one goes by the new name from now on. Nil when it is none of those.
    ///
    /// `processed`: a processor of s6-log's has made it, which may have left its bytes as they
    /// were. `first` is the file that it was made of, if that is known.
    func recognise(
        _ candidate: Candidate, _ look: StreamLook, processed: Bool = false, first: FileID? = nil,
        elsewhere: Set<UInt64> = []
    ) -> FileOpener.Result? {
        let stream = look.stream
        guard candidate.packed != nil || processed,
            knownFiles.file(candidate.identity, head: candidate.head) == nil
        else { return nil }
        let known = knownFiles.saved(stream.name).reversed()
        let order = known.filter { $0.file == first } + known.filter { $0.file != first }
        // A stream may have thousands of each.
        let filesByID = Dictionary(
            stream.files.map { ($0.id, $0) }, uniquingKeysWith: { first, _ in first })
        let closedByID = Dictionary(
            stream.closed.map { ($0.value.id, $0) }, uniquingKeysWith: { first, _ in first })
        let awaitingByID = Dictionary(
            stream.awaitingCopy.enumerated().map { ($1.id, $0) },
            uniquingKeysWith: { first, _ in first })
        for saved in order where saved.file != stream.live?.id {
            let file = filesByID[saved.file]
            // What it held was copied before: it looks for that itself.
            if let file, file.isReplaced { continue }
            let closed = closedByID[saved.file]
            let awaiting = awaitingByID[saved.file]
            // What became of an ordinary log's files of an earlier run is looked for when it
            // begins.
            let isEarlier =
                stream.kind == .s6 && !stream.isReconciled
                || stream.obstacles.unopened.contains { $0.entry.file == saved.file }
            // What was read and went to another directory is known by its entry alone.
            let isElsewhere = candidate.request.isElsewhere && stream.isReconciled
            guard isEarlier || isElsewhere || file != nil || closed != nil || awaiting != nil,
                knownFiles.content(of: saved.file, beginsAs: candidate.head)
                    || file.map({ $0.name == nil && isPacked($0, in: candidate) }) ?? false
            else { continue }
            // Until the compressor has removed what it read, that has the name.
            if awaiting == nil, elsewhere.contains(saved.identity.inode) { return .unknown }
            if awaiting == nil, file == nil || file?.name != nil,
                let name = look.names.name(of: saved.identity.inode)
            {
                let presence = opener.presence(saved.identity, name, look.directory.descriptor)
                // Of what a processor makes: what was renamed or removed since it was listed is not
                // there.
                if presence == .there || (presence == .moved && !processed) {
                    // An archive of s6-log's stays what it is: what begins alike is another one.
                    if stream.kind == .s6, S6Name.isArchive(name) { continue }
                    // The name was given to another file since it was listed: the next listing
                    // tells, and what is newer waits for that.
                    if stream.kind == .s6, presence == .moved { stream.processing.holdsUp = true }
                    return .unknown
                }
            }
            if candidate.packed == nil, !isCopied(saved, file, to: candidate) { continue }
            if !processed, let file, file.isOpen, isWritten(file) { return .unknown }
            if processed {
                stream.processing.order.forget(saved.file)
                if let file, file.isOpen {
                    stream.processing.archives[candidate.request.name] = ProcessedArchive(
                        inode: candidate.status.inode, source: file.id)
                    return .unknown
                }
            }
            // That two archives begin alike is no proof: what a processor made is read once more,
            // up to the position and to its end, where its order does not tell. For what a whole
            // log holds that may take minutes.
            //
            // Nor is it known that all of it was read where it was written to once more before it
            // was compressed.
            let isRead =
                !processed
                && (closed.map { !$0.value.mayHaveGrown(before: candidate.status) }
                    ?? awaiting.map { stream.awaitingCopy[$0].unread == nil } ?? false)
            let end = isRead ? knownFiles.progress(of: saved.file)?.position : nil
            guard
                let start = output.relocated(
                    saved.file, to: candidate.sighting(isFirstScan: false, completeAt: end))
            else { continue }
            if let file, file.isOpen {
                file.becomeArchive(candidate)
                return .already(file)
            }
            if let closed { stream.closed[closed.key] = nil }
            if let file { release(file, of: stream) }
            if let awaiting { stream.awaitingCopy.remove(at: awaiting) }
            guard isRead else { return opener.takeUp(candidate, at: start) }
            output.finished(start.file, end: start.offset)
            if candidate.request.isElsewhere {
                output.unfollowed(start.file)
            } else {
                stream.keep(
                    LogStream.ClosedFile(identity: candidate.identity, id: start.file),
                    as: candidate.request.name)
            }
            return .unknown
        }
        return nil
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
        let size = candidate.status.size
        do throws(SystemError) {
            guard let file, file.isOpen else {
                guard size >= saved.position else { return false }
                return try candidate.continues(at: saved.position, after: saved.anchor.bytes)
            }
            let source = try file.opened()
            guard file.packed == nil, try source.descriptor.status().size == size else {
                return false
            }
            let last = max(0, size - Fingerprint.longest)
            let theirs = try candidate.read(count: Fingerprint.longest, at: last)
            return try source.descriptor.read(count: Fingerprint.longest, at: last) == theirs
        } catch {
            _ = opener.trouble(candidate.request.path, error)
            return false
        }
    }

    /// Whether an open file, of whose beginning nothing may be known yet, is what `candidate`
    /// holds.
    func isPacked(_ file: TailedFile, in candidate: Candidate) -> Bool {
        guard file.isOpen, file.packed == nil, candidate.packed != nil else { return false }
        do throws(SystemError) {
            let source = try file.opened()
            let size = try source.descriptor.status().size
            guard candidate.hasKnownSize ? size == candidate.size : size >= candidate.size - 1
            else {
                return false
            }
            return try source.descriptor.read(count: Fingerprint.longest, at: 0) == candidate.head
        } catch {
            _ = opener.trouble(file.path, error)
            return false
        }
    }
    /// Whether `found` begins as is known of a file, and has the same bytes before a physical
    /// position.
    func begins(
        _ found: Candidate, as file: FileID, _ position: Int, _ anchor: [UInt8]
    ) throws(SystemError) -> Bool {
        guard !anchor.isEmpty, knownFiles.content(of: file, beginsAs: found.head) else {
            return false
        }
        return try found.read(count: anchor.count, at: position - anchor.count) == anchor
    }
}
