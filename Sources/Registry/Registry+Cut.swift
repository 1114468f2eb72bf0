package import Model
import Platform
import Synchronization

/// The removal of a file's front in place: `FrontCut` tells the steps. Any thread; nobody else
/// reads the file or judges it meanwhile.
extension Registry {
    /// Enters the archive that has the front of a file, all of it delivered, and the intent to
    /// remove that: both are in the journal by one write. `head` is what stands behind the front.
    /// Nil, and nothing is changed, where that is no more what this entry says: of another
    /// generation, not delivered so far, or with such an intent already; where what stands before
    /// the position is not known, by which it is told that the file goes on; and where what is
    /// saved could not be written, or is of a format that has no cuts.
    package func beginCut(
        _ file: FileID, _ generation: GenerationID, length: Int, head: [UInt8], archive: NewFile
    ) -> FileEntry? {
        change { journaled in
            guard version >= JournalFormat.version, journaled.isWritten,
                var entry = journaled.state.table[file], entry.generation == generation,
                entry.cut == nil, length > 0, entry.anchor.bytes.count == Anchor.longest,
                entry.offset - entry.base.start >= length +| Anchor.longest,
                head.contains(where: { $0 != 0 })
            else { return (nil, []) }
            let number = journaled.state.fresh
            let copy = FileEntry(
                file: number, input: archive.input, stream: archive.stream, path: archive.path,
                identity: archive.identity, fingerprint: archive.fingerprint,
                generation: self.generation.mint(archive.identity, number, count: 0),
                generationCount: 0, base: newBase, offset: newBase.logical(archive.offset),
                anchor: archive.anchor, size: archive.size, state: .archived, updated: .now())
            entry.cut = FrontCut(
                length: length, step: .punching, head: .of(head: head), archive: number)
            entry.updated = .now()
            return (entry, [.seen(copy), .cutting(entry)])
        }
    }

    /// Enters what an archive was compressed to, of which all is delivered: whatever is known of
    /// the one is known of the other, which has the inode `identity`. Both are known until the
    /// first one's file is gone: neither is ever a file that nobody knows. Nil where that is not
    /// known or not delivered.
    package func packed(
        _ file: FileID, to identity: FileIdentity, path: String
    ) -> FileEntry? {
        change { journaled in
            guard let entry = journaled.state.table[file], entry.state == .archived,
                entry.cut == nil, entry.offset >= entry.end
            else { return (nil, []) }
            let copy = FileEntry(
                file: journaled.state.fresh, input: entry.input, stream: entry.stream, path: path,
                identity: identity, fingerprint: entry.fingerprint, generation: entry.generation,
                generationCount: entry.generationCount, base: entry.base, offset: entry.offset,
                anchor: entry.anchor, size: entry.size, state: .archived, updated: .now())
            return (copy, [.seen(copy)])
        }
    }

    /// The front is a hole, durably, and is removed next. False where no such intent is known.
    package func announceCollapse(_ file: FileID) -> Bool {
        change { journaled in
            guard var entry = journaled.state.table[file], let cut = entry.cut else {
                return (false, [])
            }
            entry.cut = FrontCut(
                length: cut.length, step: .collapsing, head: cut.head, archive: cut.archive)
            entry.updated = .now()
            return (true, [.cutting(entry)])
        }
    }

    /// The intent comes to its end, which the file's first bytes tell: base, fingerprint and
    /// anchor are renewed with it, by one write. Where nothing was done the archive's entry leaves
    /// with it, unless the archive stays. Nil, and nothing is changed, where there is none, or
    /// another content stands there.
    ///
    /// `isTouched` where the file has a hole, or may have: then it is not as it was, whatever it
    /// begins with.
    package func settleCut(
        _ file: FileID, head: [UInt8], isTouched: Bool = false, keepsArchive: Bool = false
    ) -> (entry: FileEntry, end: FileEntry.CutEnd)? {
        change { journaled in
            guard let known = journaled.state.table[file], let cut = known.cut,
                let seen = known.cutEnd(head)
            else { return (nil, []) }
            let end = seen == .untouched && isTouched ? .punched : seen
            var entry = known.settled(end, head: head)
            entry.updated = .now()
            var changes: [Change] = [.cut(entry)]
            if end == .untouched, !keepsArchive { changes.append(.gone(cut.archive)) }
            return ((entry, end), changes)
        }
    }

    /// The intent leaves: another content stands in the file, and the archive is what it is. False
    /// where there is none.
    package func forgetCut(_ file: FileID) -> Bool {
        change { journaled in
            guard var entry = journaled.state.table[file], entry.cut != nil else {
                return (false, [])
            }
            entry.cut = nil
            entry.updated = .now()
            return (true, [.cut(entry)])
        }
    }

    /// Forces all that was changed to the disk. False where something is in memory only: whatever
    /// hangs on its being saved must not be done.
    package func force() -> Bool {
        sync()
        return journaled.withLock { $0.isWritten && $0.failure == nil && !$0.isClosed }
    }
}
