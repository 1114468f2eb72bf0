import Platform

/// Writes snapshot.jsonl: all of a state, replaced whole or not at all.
enum Snapshot {
    /// Bytes handed to one write(2).
    private static let pieceLength = 256 * 1024

    /// Returns the snapshot's bytes on the disk. After it returns the snapshot is durable.
    static func write(
        _ state: RegistryState, through: Int, in directory: borrowing Descriptor,
        witness: any FileStepWitness
    ) throws(SystemError) -> Int {
        var file = try AtomicFile(JournalFormat.snapshotName, in: directory, witness: witness)
        var lines = LineWriter()
        var written = 0
        var count = 0
        lines.write(
            SnapshotHeader(
                through: through, nextFile: state.nextFile,
                mustStartAtBeginning: state.mustStartAtBeginning, at: .now()))
        for name in state.inputs.sorted() {
            lines.write(input: name)
            count += 1
        }
        for chunk in state.table.chunks {
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
