import Platform

/// Reads the registry of a live or dead agent, or of a copied directory, without a lock and without
/// changing anything.
///
/// The writer replaces the snapshot and then the journal, so a reader that took the snapshot first
/// could miss what lies between the two. It goes the other way:
/// 1. It opens the journal, which has everything up to now after its own beginning.
/// 2. The writer may replace the snapshot and the journal, once or often.
/// 3. The reader reads a snapshot. Whichever it gets, it reaches at least to the beginning of the
///    journal of step 1, for it was put in place before that one, or later.
/// 4. It reads the journal of step 1, which a replacement did not change, and skips what the
///    snapshot has.
/// So there is never a gap, however fast the writer compacts, and nothing that was saved before
/// step 1 is missed.
///
/// What remains is a line that is cut back after a failed write and may be seen half: so whatever
/// looks damaged is looked at again before it is believed.
package enum RegistryReader {
    /// Looks again before what looks damaged, and each time otherwise, is taken for damaged.
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
            // A line that was cut back is gone or another one; damage stays where it is.
            if found.summary.damaged == before { break }
            left -= 1
        }
        return RegistryContents(
            entries: found.state.table.sorted, inputs: found.state.inputs.sorted(),
            mustStartAtBeginning: found.state.mustStartAtBeginning,
            snapshotBytes: found.snapshotLength, journalBytes: found.journalEnd,
            summary: found.summary)
    }
}

/// The content of a registry's directory, seen from outside.
package struct RegistryContents: Sendable {
    /// By number.
    package let entries: [FileEntry]
    /// Inputs whose first scan is complete, by name.
    package let inputs: [String]
    /// Something was lost by damage, and not every input was scanned since: `start: end` is not
    /// obeyed.
    package let mustStartAtBeginning: Bool
    /// Bytes of the snapshot; 0 where there is none.
    package let snapshotBytes: Int
    /// Bytes of the journal's whole lines; nil where it is missing or cannot be read.
    package let journalBytes: Int?
    /// Faults as an agent would find them that starts now. A torn tail is no fault: with a live
    /// agent it is the record that is being written.
    package let summary: RecoverySummary
}
