import Model
import Platform

/// Archives of a processor's that hold what was read: each is entered as read when what it was made
/// of is delivered, and not before.
extension StreamTable {
    /// Ships `candidate`, which holds in other words what was not read of a file.
    func ship(
        _ candidate: Candidate, insteadOf file: FileID, of stream: LogStream
    ) -> FileOpener.OpenResult {
        if knownFiles.progress(of: file).map({ $0.position > .start }) ?? false {
            output.report(.unmatched(path: candidate.request.path))
        }
        forget(file, of: stream)
        return opener.takeUp(candidate)
    }

    /// Nothing more is to be had of a file, and nothing is lost of it.
    private func forget(_ file: FileID, of stream: LogStream) {
        if let open = stream.files.first(where: { $0.id == file }) { release(open, of: stream) }
        for key in stream.closed.filter({ $0.value.id == file }).keys { stream.closed[key] = nil }
        stream.awaitingCopy.removeAll { $0.id == file }
        output.gone(file)
    }

    /// Enters an archive as read when that of which it was made is delivered. Till then a start
    /// that follows a kill has to find it unknown.
    func settle(_ candidate: Candidate, _ here: S6Look) -> FileOpener.OpenResult {
        let stream = here.stream
        let name = candidate.request.name
        guard let archive = stream.processing.archives[name] else {
            return .notTakenUp(.postponed)
        }
        let source = archive.source
        guard isRead(source, of: stream) else {
            // It was let go, since its stream held too much.
            stream.processing.archives[name] = nil
            return recognise(candidate, here.look, processed: true, first: source)
                ?? ship(candidate, insteadOf: source, of: stream)
        }
        guard isSettled(archive, stream) else {
            if let node = stream.node { agenda.retry(node) }
            return .notTakenUp(.postponed)
        }
        stream.processing.archives[name] = nil
        enter(candidate, source, of: stream)
        if !stream.processing.isTold {
            stream.processing.isTold = true
            output.report(.processed(path: candidate.request.path))
        }
        return .notTakenUp(.read)
    }

    /// Whether all of the file is delivered that an archive was made of.
    private func isSettled(_ archive: ProcessedArchive, _ stream: LogStream) -> Bool {
        if stream.files.contains(where: { $0.id == archive.source }) { return false }
        let saved = knownFiles.saved(stream.name).first { $0.file == archive.source }
        guard let saved, let taken = knownFiles.progress(of: archive.source) else { return true }
        return taken.position <= saved.position
    }

    /// An archive may be entered as read since the last look.
    func hasSettled(_ stream: LogStream) -> Bool {
        stream.processing.archives.values.contains { isSettled($0, stream) }
    }

    private func enter(_ candidate: Candidate, _ source: FileID, of stream: LogStream) {
        let end = knownFiles.progress(of: source)?.position
        if candidate.packed != nil, knownFiles.content(of: source, beginsAs: candidate.head),
            let end,
            let start = output.relocated(
                source, to: candidate.sighting(isFirstScan: false, completeAt: end))
        {
            for key in stream.closed.filter({ $0.value.id == source }).keys {
                stream.closed[key] = nil
            }
            stream.awaitingCopy.removeAll { $0.id == source }
            output.finished(start.file, end: start.offset)
            stream.closed[candidate.request.name] = LogStream.ClosedFile(
                identity: candidate.identity, id: start.file)
            return
        }
        let start = output.rest(of: candidate.sighting(isFirstScan: false), from: nil)
        output.finished(start.file, end: start.offset)
        stream.closed[candidate.request.name] = LogStream.ClosedFile(
            identity: candidate.identity, id: start.file)
        forget(source, of: stream)
    }
}
