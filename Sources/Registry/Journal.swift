import Platform

/// An open journal.jsonl. Shared, so that a thread may fsync it while another appends.
final class JournalFile: Sendable {
    let descriptor: Descriptor

    init(_ descriptor: consuming Descriptor) { self.descriptor = descriptor }
}

/// The journal's end, where records are appended.
///
/// A write that fails in the middle (disk full) leaves part of a line. Nothing may be written behind
/// it, or two records would become one damaged line; so the file is cut back to its last whole line
/// before the next append. Cutting needs no space, and where it fails too, the append fails and is
/// tried again later. A kill between the two leaves a torn tail, which recovery cuts. (To begin the
/// next record on a new line instead would leave damage in the middle of a healthy file.)
///
/// A value under the registry's lock.
struct Journal: Sendable {
    /// Nil only where no journal could be made yet.
    private(set) var file: JournalFile?
    /// Bytes up to the end of the last whole line.
    private(set) var length: Int
    /// The number of the last record written.
    private(set) var sequence: Int
    /// Part of a line may lie behind `length`.
    private var isTorn: Bool
    private let witness: any FileStepWitness

    init(
        file: JournalFile?, length: Int, sequence: Int, isTorn: Bool, witness: any FileStepWitness
    ) {
        self.file = file
        self.length = length
        self.sequence = sequence
        self.isTorn = isTorn
        self.witness = witness
    }

    /// Appends whole lines that carry the next numbers, in one write(2) unless the kernel takes less.
    /// After an error none of them count.
    mutating func append(_ lines: LineWriter) throws(SystemError) {
        guard let file else {
            throw SystemError("open", path: JournalFormat.journalName, code: .notFound)
        }
        if isTorn {
            try witness.willTake(.truncate(JournalFormat.journalName, to: length))
            try file.descriptor.truncate(to: length)
            isTorn = false
        }
        // Until all is written: an error of any kind may have left some of it.
        isTorn = true
        try witness.willTake(.write(JournalFormat.journalName, bytes: lines.bytes.count))
        try file.descriptor.write(lines.bytes)
        isTorn = false
        length += lines.bytes.count
        sequence += lines.lines
    }

    /// Goes on in another file, which holds the same records after the snapshot.
    mutating func move(to file: JournalFile, length: Int) {
        self.file = file
        self.length = length
        isTorn = false
    }
}
