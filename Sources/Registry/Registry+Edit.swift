package import Model
import Platform
import Synchronization

extension Registry {
    /// Makes all of these changes or none, and returns when they are on the disk. Edits of files
    /// that are not known change nothing.
    ///
    /// They go past the rules of the journal, whose records can move a position forward only: so
    /// that none is taken for one of them, they are in a new snapshot alone, which is in place
    /// whole or not at all. Where it cannot be written this throws, and the registry is closed as
    /// it was.
    package func edit(_ edits: [RegistryEdit]) throws(RegistryError) {
        let now = Timestamp.now()
        journaled.withLock { journaled in
            for edit in edits { journaled.state.edit(edit, at: now) }
            journaled.demandRewrite()
        }
        compact()
        if let failure = health.failure {
            // `close` would try once more what is reported as failed here.
            journaled.withLock { $0.close() }
            throw failure
        }
    }
}

/// A change of an entry that an operator makes while no agent runs.
package enum RegistryEdit: Hashable, Sendable {
    /// The entry leaves: its file, if it is still there, is one that was never seen.
    case forget(FileID)
    /// The position moves, back or forward, within its generation: what is sent again has the ids
    /// that it had. `anchor` is the bytes before `offset`, where they are known; `size` where the
    /// file ends, if it was looked at.
    case rewind(FileID, to: LogicalOffset, anchor: Anchor, size: PhysicalOffset?)
}

extension RegistryState {
    fileprivate mutating func edit(_ edit: RegistryEdit, at now: Timestamp) {
        switch edit {
        case .forget(let file): _ = table.remove(file)
        case .rewind(let file, let offset, let anchor, let size):
            _ = table.change(file) { entry in
                entry.offset = offset
                entry.anchor = anchor
                entry.size = size ?? entry.size
                entry.updated = now
            }
        }
    }
}
