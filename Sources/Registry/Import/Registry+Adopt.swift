package import Model
import Platform
import Synchronization

extension Registry {
    /// Enters files that this registry does not know, all or none: they are on the disk, in a new
    /// snapshot, when this returns true. False where not all of that could be written, and the
    /// observer was told why: then all of them are on the disk or none is.
    package func adopt(_ files: [AdoptedFile]) -> Bool {
        guard !files.isEmpty else { return true }
        let now = Timestamp.now()
        journaled.withLock { journaled in
            for adopted in files {
                let new = adopted.file
                let file = journaled.state.fresh
                let entry = FileEntry(
                    file: file, input: new.input, stream: new.stream, path: new.path,
                    identity: new.identity, fingerprint: new.fingerprint,
                    generation: generation.mint(new.identity, file, count: 0),
                    generationCount: 0, base: .none, offset: Base.none.logical(new.offset),
                    anchor: adopted.anchor, size: new.size, state: new.state, updated: now)
                _ = journaled.state.apply(.seen(entry))
            }
            // Nothing of it goes into the journal, where a crash could leave the first few of them.
            journaled.demandRewrite()
        }
        compact()
        return isWritten
    }
}

/// A file whose first bytes another program has delivered.
package struct AdoptedFile: Hashable, Sendable {
    /// The file as this registry is to know it, with the offset that was delivered.
    package let file: NewFile
    /// The bytes just before `file.offset`.
    package let anchor: Anchor

    package init(_ file: NewFile, anchor: Anchor) {
        self.file = file
        self.anchor = anchor
    }
}

/// The files of a registry, to be looked up without it.
package struct RegisteredFiles: Sendable {
    private var table = EntryTable()

    /// Copies the entries into tables of its own.
    package init(_ entries: [FileEntry]) {
        table.reserve(entries.count)
        for entry in entries { table.put(entry) }
    }

    /// As `Registry.find`.
    package func find(identity: FileIdentity, head: [UInt8]) -> FileMatch {
        FileMatch.among(table.candidates(for: identity), identity: identity, head: head)
    }
}
