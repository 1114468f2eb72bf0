import Platform

/// The journal's end, where records are appended.
///
/// A write that fails in the middle (disk full) leaves part of a line. Nothing may be written
/// behind it, or two records would become one damaged line; so the file is cut back to its last
/// whole line before the next append. Cutting needs no space, and where it fails too, the append
/// fails and is tried again later. A kill between the two leaves a torn tail, which recovery cuts.
/// (To begin the next record on a new line instead would leave damage in the middle of a healthy
/// file.)
///
/// While a new journal takes its place, whole lines go into both: the rename that decides which of
/// the two is the journal may take the disk's time, and nobody waits for it.
///
/// A value under the registry's lock.
struct Journal: Sendable {
    /// Nil only where no journal could be made yet.
    private(set) var file: SharedDescriptor?
    /// Bytes up to the end of the last whole line.
    private(set) var length: Int
    /// The number of the last record written.
    private(set) var sequence: Int
    /// Part of a line may lie behind `length`, or behind the successor's.
    private var isTorn: Bool
    /// The journal that is about to take its place, and bytes up to the end of its last whole line.
    /// It holds the same records after the snapshot.
    private var successor: (file: SharedDescriptor, length: Int)?
    private let witness: any FileStepWitness

    init(
        file: SharedDescriptor?, length: Int, sequence: Int, isTorn: Bool,
        witness: any FileStepWitness
    ) {
        self.file = file
        self.length = length
        self.sequence = sequence
        self.isTorn = isTorn
        self.witness = witness
    }

    /// Appends whole lines that carry the next numbers, in one write(2) unless the kernel takes
    /// less. After an error none of them count.
    mutating func append(_ lines: LineWriter) throws(SystemError) {
        guard let file else {
            throw SystemError("open", path: JournalFormat.journalName, code: .notFound)
        }
        if isTorn {
            try Self.cut(file, JournalFormat.journalName, to: length, witness)
            if let (next, end) = successor { try Self.cut(next, Self.beside, to: end, witness) }
            isTorn = false
        }
        // Until all is written: an error of any kind may have left some of it.
        isTorn = true
        try Self.add(lines.bytes, to: file, JournalFormat.journalName, witness)
        if let (next, _) = successor { try Self.add(lines.bytes, to: next, Self.beside, witness) }
        isTorn = false
        length += lines.bytes.count
        successor?.length += lines.bytes.count
        sequence += lines.lines
    }

    private static let beside = JournalFormat.journalName + AtomicFile.suffix

    private static func cut(
        _ file: SharedDescriptor, _ name: String, to length: Int, _ witness: any FileStepWitness
    ) throws(SystemError) {
        try witness.willTake(.truncate(name, to: length))
        try file.descriptor.truncate(to: length)
    }

    private static func add(
        _ bytes: [UInt8], to file: SharedDescriptor, _ name: String, _ witness: any FileStepWitness
    ) throws(SystemError) {
        try witness.willTake(.write(name, bytes: bytes.count))
        try file.descriptor.write(bytes)
    }

    /// From now on every line goes into `file`, too, which is `length` bytes long.
    mutating func accompany(_ file: SharedDescriptor, length: Int) { successor = (file, length) }

    /// The successor did not take its place.
    mutating func stayAlone() { successor = nil }

    /// The successor has taken its place.
    mutating func succeed() {
        guard let (next, end) = successor else { return }
        file = next
        length = end
        successor = nil
    }
}
