import Platform

/// What a registry's directory says, seen from outside.
package struct RegistryContents: Sendable {
    /// By number.
    package let entries: [FileEntry]
    /// Inputs whose first scan is complete, by name.
    package let inputs: [String]
    package let mustStartAtBeginning: Bool
    /// Faults as an agent would find them that starts now. A torn tail is no fault: with a live agent it
    /// is the record that is being written.
    package let summary: RecoverySummary
}

/// Reads the registry of a live or dead agent, or of a copied directory, without a lock and without
/// changing anything.
///
/// The writer replaces the snapshot and then the journal, so between opening the one and the other:
/// 1. The reader reads the old snapshot.
/// 2. The writer replaces the snapshot and the journal.
/// 3. The reader reads the new journal, which begins where the *new* snapshot ends: records between the
///    two are in neither of what it read.
/// The journal's header tells, and the reader begins again. Every other order is a consistent pair.
/// Likewise a line that is cut back after a failed write may be seen half; so whatever looks damaged is
/// looked at again before it is believed.
package enum RegistryReader {
    /// Looks before what looks damaged is taken for damaged. A live agent compacts at most every few
    /// seconds, and a look at 100,000 entries takes less than one.
    private static let attempts = 20

    /// `directory` is the data directory. Throws where it or its files cannot be read.
    package static func read(directory: String) throws(RegistryError) -> RegistryContents {
        let path = "\(directory)/\(JournalFormat.directoryName)"
        let files: Descriptor
        do {
            files = try Descriptor.directory(atPath: path)
        } catch {
            throw .unreadable(path: path, error)
        }
        var found = try Recovery(reading: files, path: path)
        var left = attempts
        while found.summary.damagedCount > 0, left > 0 {
            let before = found.summary.damaged
            found = try Recovery(reading: files, path: path)
            // A race shows itself at another place or number each time; damage stays where it is.
            if found.summary.damaged == before { break }
            left -= 1
        }
        return RegistryContents(
            entries: found.state.table.sorted, inputs: found.state.inputs.sorted(),
            mustStartAtBeginning: found.state.mustStartAtBeginning, summary: found.summary)
    }
}
