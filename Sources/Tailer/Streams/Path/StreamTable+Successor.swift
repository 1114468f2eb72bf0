import Model
import Platform

/// A file that is replaced whole, at its path, by the same content in a new inode.
///
/// 1. A log is synchronised by rsync, edited by `sed -i`, saved by an editor, or copied up by
///    overlayfs when a writer opens it. What is at its path begins as it did, and has no entry.
/// 2. All of it would be sent again.
///
/// So its entry goes over to the new inode when that begins as the old one, has the same bytes
/// before the position, and holds at least as much; and when no name leads to the old one any more.
///
/// A program that is started anew may write the same banner into a new log, which must not be taken
/// for the old one: a line that was skipped would be lost. Therefore what is the same has to be
/// more than a banner, or the new inode has to be older than the loss of the last name of the old
/// one: it was renamed over it.
///
/// An editor may give the old file another name first, write the new one, and remove the old one
/// then, or leave it there. That name is `app.log~`: a file that has just got it waits a moment for
/// what its editor does.
extension StreamTable {
    /// How long an editor may take to write a file anew and to remove the old one, nanoseconds.
    private static let mostSaving: Int64 = 2_000_000_000

    enum Succession {
        case goesOn
        /// An editor may be about to make it so.
        case undecided
        case none
    }

    /// `found` stands at the stream's path and is not known. Whether it is from now on what goes on
    /// with a file that the stream has read.
    func succeed(_ found: Candidate, _ look: StreamLook, _ saved: [SavedFile]) -> Succession {
        let stream = look.stream
        guard found.packed == nil, found.status.links > 0 else { return .none }
        do throws(SystemError) {
            if try succeedAwaitingCopy(found, stream) { return .goesOn }
            if let file = stream.files.last {
                guard file.name == nil || isBackup(file, of: stream), file.packed == nil,
                    !file.isFinal, !file.isReplaced, !file.isAtStart
                else { return .none }
                if file.name != nil {
                    guard case .open = try opener.reopen(file) else { return .none }
                }
                guard let end = try commonEnd(found, of: file) else {
                    guard isBeingSaved(file, of: stream, look.now) else { return .none }
                    return try begins(found, as: file) ? .undecided : .none
                }
                // What may fail comes first: once its entry went over, the file must not be read on
                // as it was.
                let rest = try rest(of: file, behind: end, found, stream)
                guard output.succeeded(file.id, by: found.sighting(isFirstScan: false)) else {
                    return .none
                }
                leave(file, rest, stream, look.now)
                return .goesOn
            }
            guard let entry = saved.last(where: { $0.path == stream.name }),
                look.names.name(of: entry.identity.inode) ?? stream.liveName == stream.liveName,
                entry.position.bytes >= Self.longestBanner, found.status.end >= entry.position,
                try begins(found, as: entry.file, entry.position, entry.anchor.bytes),
                output.succeeded(entry.file, by: found.sighting(isFirstScan: false))
            else { return .none }
            return .goesOn
        } catch {
            opener.tell(stream.name, error)
            return .none
        }
    }

    /// 1. A look finds that the last name of a file is gone, and ends before it has looked at what
    ///    took its place.
    /// 2. Nobody has the file open: it is read to its end, and closed.
    private func succeedAwaitingCopy(
        _ found: Candidate, _ stream: LogStream
    ) throws(SystemError) -> Bool {
        let paths = [stream.liveName, backupName(of: stream)].map { name in
            ExactText(stream.node?.text(of: name) ?? stream.name)
        }
        guard
            let index = stream.awaitingCopy.lastIndex(where: {
                $0.isRead && paths.contains(ExactText($0.path))
            })
        else { return false }
        let awaiting = stream.awaitingCopy[index]
        guard awaiting.end.bytes >= Self.longestBanner, found.status.end >= awaiting.end,
            try begins(found, as: awaiting.id, awaiting.end, awaiting.anchor),
            output.succeeded(awaiting.id, by: found.sighting(isFirstScan: false))
        else { return false }
        stream.awaitingCopy.remove(at: index)
        return true
    }

    /// Whether a file has the name that editors give to the one that they are about to replace.
    private func isBackup(_ file: TailedFile, of stream: LogStream) -> Bool {
        file.name == backupName(of: stream)
    }

    private func backupName(of stream: LogStream) -> [UInt8] {
        stream.liveName + [UInt8(ascii: "~")]
    }

    /// The same, and it got that name just now.
    func isBeingSaved(_ file: TailedFile, of stream: LogStream, _ now: MonotonicTime) -> Bool {
        guard stream.kind == .path, !opener.once, file.drainsSince != nil,
            isBackup(file, of: stream)
        else { return false }
        // Somebody may go on writing to it: its time does not begin anew.
        if stream.backup?.inode != file.identity.inode {
            stream.backup = (file.identity.inode, now)
        }
        return now - (stream.backup?.since ?? now) < Self.mostSaving
    }

    /// Whether `found` may become what an open file is: nothing in its first bytes is another.
    private func begins(_ found: Candidate, as file: TailedFile) throws(SystemError) -> Bool {
        let old = try file.opened().descriptor.read(count: Self.longestBanner, at: 0)
        let new = try found.read(count: Self.longestBanner, at: .start)
        return zip(old, new).allSatisfy(==)
    }

    /// Where what `file` holds ends, if `found` holds all of that and of what it held.
    private func commonEnd(
        _ found: Candidate, of file: TailedFile
    ) throws(SystemError) -> PhysicalOffset? {
        let position = file.physicalPosition
        let size = file.base.physical(file.written)
        guard found.status.end >= max(position, size),
            try begins(found, as: file.id, position, file.anchor)
        else { return nil }
        for mark in file.content.landmarks.spread where mark.offset <= file.position {
            let place = file.base.physical(mark.offset)
            let count = min(Anchor.longest, place.bytes)
            let bytes = try found.read(count: count, at: place - count)
            guard Landmarks.digest(bytes) == mark.digest else { return nil }
        }
        guard file.isOpen else {
            return position.bytes >= Self.longestBanner && size <= position ? position : nil
        }
        let old = try file.opened()
        let status = try old.descriptor.status()
        if status.inode == found.status.inode, status.device == found.status.device {
            // Copied up beneath us: the very file that is open.
            return position
        }
        let end = max(position, status.end)
        let count = min(Anchor.longest, end.bytes)
        let head = try old.descriptor.read(count: min(end.bytes, Self.longestBanner), at: 0)
        guard found.status.end >= end,
            try old.descriptor.read(count: count, at: end - count)
                == found.read(count: count, at: end - count),
            try found.read(count: head.count, at: .start) == head
        else { return nil }
        if head.count == Self.longestBanner { return end }
        guard status.links == 0, let birth = found.identity.birthTime else { return nil }
        return birth < status.changed ? end : nil
    }

    /// The rest of a file that another one has succeeded.
    private struct Rest {
        let fresh: FileOpener.Fresh
        /// Where that begins.
        let place: PhysicalOffset
        /// Up to there the other one has it.
        let end: PhysicalOffset
    }

    /// The bytes that were or may still be written to the old inode, by somebody who has it open,
    /// behind those that were compared; nil when there are no more to come.
    ///
    /// 1. The two are compared, up to the end of the old one.
    /// 2. Its writer, who has it open, goes on. That is in no other file.
    private func rest(
        of file: TailedFile, behind end: PhysicalOffset, _ found: Candidate, _ stream: LogStream
    ) throws(SystemError) -> Rest? {
        guard file.isOpen else { return nil }
        let old = try file.opened()
        let status = try old.descriptor.status()
        if status.inode == found.status.inode, status.device == found.status.device { return nil }
        // The size is asked second: a writer may have written and gone before the first.
        if old.descriptor.hasNoWriter() ?? false, try old.descriptor.status().end <= end {
            guard file.name != nil else { return nil }
            // It stays known for what it is, until its editor removes it.
            return Rest(fresh: try opener.fresh(file, of: stream), place: end, end: end)
        }
        let fresh = try opener.fresh(file, of: stream)
        // Truncated meanwhile: all of it is new.
        if PhysicalOffset(fresh.diskSize) < end {
            return Rest(fresh: fresh, place: .start, end: .start)
        }
        let place = try lineStart(in: old, before: end, from: file.physicalPosition)
        return Rest(fresh: fresh, place: place, end: end)
    }

    /// Where the unfinished line begins that ends at `end` for now, or the part of it that
    /// `position` is before; where it is very long, `end`.
    private func lineStart(
        in file: SharedDescriptor, before end: PhysicalOffset, from position: PhysicalOffset
    ) throws(SystemError) -> PhysicalOffset {
        let first = max(position, end - Self.longestUnfinished)
        var stop = end
        while stop > first {
            let start = max(first, stop - ChunkBuffer.readSize)
            let bytes = try file.descriptor.read(count: stop - start, at: start)
            if let newline = bytes.lastIndex(of: UInt8(ascii: "\n")) { return start + newline + 1 }
            stop = start
        }
        return first == position ? position : end
    }

    /// Bytes in which the beginning of an unfinished line is looked for: a few milliseconds. A
    /// longer line is shipped in parts anyway.
    private static let longestUnfinished = 4 << 20

    /// The rest of the old inode is read as a file of its own, from the beginning of the line that
    /// was not finished when the two were compared.
    private func leave(
        _ file: TailedFile, _ rest: Rest?, _ stream: LogStream, _ now: MonotonicTime
    ) {
        guard let rest else { return release(file, of: stream) }
        file.restart(at: output.rest(of: rest.fresh.sighting, from: rest.place), rest.fresh)
        file.succeeded(at: rest.end)
        file.drain(from: now)
        file.sawWriting(now)
        agenda.wake(stream)
    }
}
