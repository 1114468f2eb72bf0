import Model
import Platform

/// Files that no name leads to any more: they await their copies, and go.
extension StreamTable {
    /// A parked file was not found for a while: it was removed, unless it is on a file system that
    /// is not mounted now, or was moved with all of it read.
    func missing(_ file: TailedFile, of stream: LogStream) {
        if findElsewhere(file, of: stream) { return }
        guard isOutOfReach(file) || (unread(of: file) == nil && knownFiles.isElsewhere(file.id))
        else {
            return gone(file, of: stream)
        }
        if opener.once, let range = unread(of: file) {
            outOfReach[file.id] = file.base.physical(range.end)
        }
        release(file, of: stream)
        output.finished(file.id, end: file.position)
        output.unfollowed(file.id)
    }

    /// Adds what is unread of files that are out of reach and were not read on since.
    func addOutOfReach(to left: inout TailerLeftovers) {
        for (file, end) in outOfReach {
            // What is not known any more was told as lost.
            guard let progress = knownFiles.progress(of: file), progress.position < end else {
                continue
            }
            left.files[file] = end - progress.position
        }
    }

    private func isOutOfReach(_ file: TailedFile) -> Bool {
        guard let directory = ExactText(file.path).parent else { return false }
        return !DirectoryPlace.of(directory).lacks(device: file.identity.device)
    }

    /// A file was removed while it was parked: its bytes, read or not, are out of reach.
    func removed(_ file: TailedFile, of stream: LogStream) {
        if !findElsewhere(file, of: stream) { gone(file, of: stream) }
    }

    private func gone(_ file: TailedFile, of stream: LogStream) {
        release(file, of: stream)
        awaitCopy(file, of: stream, unread: unread(of: file), reason: .deletedUnread)
    }

    /// A file has no name any more and is closed.
    func awaitCopy(
        _ file: TailedFile, of stream: LogStream, unread: ByteRange?, reason: LossReason,
        isRead: Bool = false
    ) {
        stream.awaitingCopy.append(
            LogStream.FileAwaitingCopy(
                id: file.id, identity: file.identity, path: file.path, unread: unread,
                reason: reason, isRead: isRead, end: file.physicalPosition,
                anchor: file.anchor))
        if !stream.isOrphan, !opener.once, let node = stream.node {
            // A compressor may have removed it, and then it has another name: the next look tells.
            agenda.look(at: node)
        } else {
            giveUpCopies(stream)
        }
    }

    /// A whole look has not found what was removed, but for some that are awaited.
    func giveUpCopies(_ stream: LogStream, but awaited: Set<FileID> = []) {
        for file in stream.awaitingCopy where !awaited.contains(file.id) {
            // Another stream has found it, and reads what is left.
            if opener.isFollowed(file.id, file.identity) || isInherited(file.id, file.identity) {
                continue
            }
            if let range = file.unread {
                output.report(.lost(path: file.path, range: range, reason: file.reason))
            }
            output.gone(file.id)
        }
        stream.awaitingCopy = stream.awaitingCopy.filter { awaited.contains($0.id) }
    }

    /// The stream has nothing more to do with a file.
    func release(_ file: TailedFile, of stream: LogStream) {
        opener.close(file)
        stream.files.removeAll { $0 === file }
    }
}
