import Model
import Platform

/// A file that is replaced whole, at its path, by the same content in a new inode.
///
/// 1. A log is synchronised by rsync, edited by `sed -i`, saved by an editor, or copied up by overlayfs
///    when a writer opens it. What is at its path begins as it did, and has no entry.
/// 2. All of it would be sent again.
///
/// So its entry goes over to the new inode when that begins as the old one, has the same bytes before the
/// position, and holds at least as much; and when no name leads to the old one any more.
///
/// A program that is started anew may write the same banner into a new log, which must not be taken for
/// the old one: a line that was skipped would be lost. Therefore what is the same has to be more than a
/// banner, or the new inode has to be older than the loss of the last name of the old one: it was
/// renamed over it.
extension StreamTable {
    /// Bytes of the same beginning that are no banner.
    private static let longestBanner = 4096

    /// `found` stands at the stream's path and is not known. True when it is from now on what goes on with
    /// a file that the stream has read.
    func succeed(
        _ found: Candidate, _ stream: LogStream, _ saved: [SavedFile], _ names: DirectoryNames,
        _ now: Int64
    ) -> Bool {
        guard found.packed == nil, found.status.links > 0 else { return false }
        do throws(SystemError) {
            if let file = stream.files.last {
                guard file.name == nil, file.packed == nil, !file.isFinal, !file.isReplaced,
                    file.position > file.base, try holdsAll(found, of: file),
                    output.succeeded(file.id, by: found.sighting(isFirstScan: false))
                else { return false }
                try leave(file, to: found, stream, now)
                return true
            }
            guard let entry = saved.last(where: { $0.path == stream.name }),
                names.name(of: entry.identity.inode) ?? stream.liveName == stream.liveName,
                entry.position >= Self.longestBanner, found.status.size >= entry.position,
                try begins(found, as: entry.file, entry.position, entry.anchor.bytes)
            else { return false }
            return output.succeeded(entry.file, by: found.sighting(isFirstScan: false))
        } catch {
            _ = opener.trouble(stream.name, error)
            return false
        }
    }

    /// Whether `found` begins as is known of a file, and has the same bytes before a physical position.
    private func begins(
        _ found: Candidate, as file: FileID, _ position: Int, _ anchor: [UInt8]
    ) throws(SystemError) -> Bool {
        guard !anchor.isEmpty, output.content(of: file, beginsAs: found.head) else { return false }
        return try found.read(count: anchor.count, at: position - anchor.count) == anchor
    }

    /// Whether `found` holds all that `file` holds and held.
    private func holdsAll(_ found: Candidate, of file: TailedFile) throws(SystemError) -> Bool {
        let position = file.position - file.base
        let size = file.written - file.base
        guard found.status.size >= max(position, size),
            try begins(found, as: file.id, position, file.anchor)
        else { return false }
        for mark in file.landmarks.spread where mark.offset <= file.position {
            let count = min(Anchor.longest, mark.offset - file.base)
            let bytes = try found.read(count: count, at: mark.offset - file.base - count)
            guard Landmarks.digest(bytes) == mark.digest else { return false }
        }
        guard file.isOpen else { return position >= Self.longestBanner && size <= position }
        let old = try file.opened()
        let status = try old.descriptor.status()
        if status.inode == found.status.inode, status.device == found.status.device {
            // Copied up beneath us: the very file that is open.
            return true
        }
        let end = max(position, status.size)
        let count = min(Anchor.longest, end)
        let head = try old.descriptor.read(count: min(end, Self.longestBanner), at: 0)
        guard found.status.size >= end,
            try old.descriptor.read(count: count, at: end - count)
                == found.read(count: count, at: end - count),
            try found.read(count: head.count, at: 0) == head
        else { return false }
        if head.count == Self.longestBanner { return true }
        guard status.links == 0, let birth = found.identity.birth else { return false }
        return birth < status.changed
    }

    /// What may still be written to the old inode, by somebody who has it open, is read as a file of its
    /// own from its present end on.
    private func leave(
        _ file: TailedFile, to found: Candidate, _ stream: LogStream, _ now: Int64
    ) throws(SystemError) {
        var isLeft = !file.isOpen
        if file.isOpen {
            let old = try file.opened()
            let status = try old.descriptor.status()
            isLeft = status.inode == found.status.inode && status.device == found.status.device
            if !isLeft { isLeft = old.descriptor.hasNoWriter() ?? false }
        }
        if isLeft {
            release(file, of: stream)
            return
        }
        let fresh = try opener.fresh(file, of: stream)
        file.restart(at: output.rest(of: fresh.sighting), fresh)
        file.drainsSince = now
        awakened.append(stream)
    }
}
