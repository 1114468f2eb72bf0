import Platform

/// Writes snapshot.jsonl: all of a state, replaced whole or not at all.
enum Snapshot {
    /// The part of a state that is written: the entries without the tables that find them. Were
    /// those held too, the next file that is seen would have to copy them, which for 100,000
    /// entries takes 50 ms.
    struct Content: Sendable {
        /// Of the format.
        let version: Int
        /// The number of the last record that is contained.
        let through: Int
        let nextFile: Int
        let mustStartAtBeginning: Bool
        let inputs: Set<String>
        let chunks: [[FileEntry?]]
        let entries: Int

        init(_ state: RegistryState, version: Int, through: Int) {
            self.version = version
            self.through = through
            nextFile = state.nextFile
            mustStartAtBeginning = state.mustStartAtBeginning
            inputs = state.inputs
            chunks = state.table.chunks
            entries = state.table.count
        }
    }

    /// Bytes handed to one write(2).
    private static let pieceLength = 256 * 1024

    /// Returns the snapshot's bytes on the disk. After it returns the snapshot is durable.
    static func write(
        _ content: Content, in directory: borrowing Descriptor, witness: any FileStepWitness
    ) throws(SystemError) -> Int {
        var file = try AtomicFile(JournalFormat.snapshotName, in: directory, witness: witness)
        var lines = LineWriter()
        var written = 0
        var count = 0
        lines.write(
            SnapshotHeader(
                version: content.version, through: content.through, nextFile: content.nextFile,
                mustStartAtBeginning: content.mustStartAtBeginning, at: .now()))
        for name in content.inputs.sorted() {
            lines.write(input: name)
            count += 1
        }
        for chunk in content.chunks {
            for case let entry? in chunk {
                lines.write(entry)
                count += 1
            }
            if lines.bytes.count >= pieceLength {
                try file.write(lines.bytes)
                written += lines.bytes.count
                lines.clear()
            }
        }
        lines.write(trailer: count)
        try file.write(lines.bytes)
        written += lines.bytes.count
        try file.commit()
        return written
    }
}
