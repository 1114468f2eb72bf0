import Model
import Platform

/// Files of a log that an earlier run has read.
extension StreamTable {
    /// Files that were the stream's before this run and were not finished, under their new names;
    /// and what became of those that are not there.
    func openPredecessors(
        _ saved: [SavedFile], _ look: StreamLook, live: FileID?, _ archived: Archived,
        _ unknown: inout [(RotatedFile, Candidate)]
    ) -> LookEnd {
        let stream = look.stream
        for entry in saved where entry.file != live {
            let inode = entry.identity.inode
            let name = look.names.name(of: inode) ?? stream.liveName
            var file: TailedFile?
            switch openSaved(entry, look) {
            case .opened(let opened): file = opened
            case .already, .nothing(retry: false): continue
            case .notTakenUp: break
            case .exhausted: return .retry
            case .nothing(retry: true):
                // What is newer is not opened before it.
                if waits(look, inode, name) { return .retry }
                passUnopened(entry, look)
                continue
            case .missing:
                if waits(look, inode, name, isRace: true) { return .again }
                passUnopened(entry, look)
                continue
            }
            if file == nil, let moved = archived.known[entry.file],
                case .opened(let opened) = opener.takeUp(moved)
            {
                file = opened
            }
            if file == nil,
                archived.waiting.contains(entry.file)
                    || stream.files.contains(where: { $0.id == entry.file })
            {
                continue
            }
            // Its inode is gone: compressed, or copied to another place.
            if file == nil {
                let found = openElsewhere(entry, look, &unknown)
                guard case .fine = found.end else { return found.end }
                file = found.file
            }
            guard let file else { continue }
            file.drain(from: look.now)
            output.moved(file.id, path: file.path, archived: file.isFinal)
            stream.files.append(file)
            agenda.wake(stream)
        }
        return .fine
    }

    /// A file of an earlier run under the name that its inode has now; `missing` where it has none.
    func openSaved(_ entry: SavedFile, _ look: StreamLook) -> FileOpener.OpenResult {
        let stream = look.stream
        guard let node = stream.node, let name = look.names.name(of: entry.identity.inode),
            name != stream.liveName,
            opener.presence(entry.identity, name, look.directory.descriptor) != .replaced
        else { return .notTakenUp(.missing) }
        var request = FileOpener.Request(
            stream: stream, name: name, path: node.text(of: name), isArchived: false)
        request.onlyIfKnown = true
        request.inode = entry.identity.inode
        request.mayBePacked = true
        request.mayBeginWithZeros = true
        return opener.open(request, in: look.directory.descriptor)
    }

    /// A file of an earlier run that is in another inode now.
    private func openElsewhere(
        _ entry: SavedFile, _ look: StreamLook, _ unknown: inout [(RotatedFile, Candidate)]
    ) -> (file: TailedFile?, end: LookEnd) {
        var end = LookEnd.fine
        for (index, (rotatedFile, candidate)) in unknown.enumerated() {
            do throws(SystemError) {
                guard knownFiles.content(of: entry.file, beginsAs: candidate.head),
                    try candidate.continues(at: entry.position, after: entry.anchor.bytes),
                    let start = output.relocated(
                        entry.file, to: candidate.sighting(isFirstScan: false))
                else { continue }
                unknown.remove(at: index)
                guard case .opened(let opened) = opener.takeUp(candidate, at: start) else { break }
                return (opened, .fine)
            } catch {
                opener.tell(candidate.request.path, error)
                if waits(look, candidate.status.inode, rotatedFile.name, status: candidate.status) {
                    end = .retry
                }
            }
        }
        return (nil, end)
    }
}
