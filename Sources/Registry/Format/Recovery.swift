import Model
import Platform

/// Reads a registry's directory without changing anything in it: the state that can be proven, and
/// every fault. What a writer makes of the faults is `Registry.open`'s business.
struct Recovery {
    private(set) var state = RegistryState()
    private(set) var summary = RecoverySummary()
    /// The number of the last record, whether in the journal or only in the snapshot.
    private(set) var sequence = 0
    private(set) var hasJournal = false
    /// Where the journal's last whole line ends; nil where it could not be found.
    private(set) var journalEnd: Int?
    /// Bytes of the snapshot; 0 where there is none.
    private(set) var snapshotLength = 0
    /// Those of the files that were read.
    private(set) var versions: Set<Int> = []
    /// Files in which damage was found.
    private(set) var damagedFiles: Set<String> = []
    /// The snapshot's `through`; nil where it is unknown.
    private var through: Int?

    /// Faults kept with their text; a file of garbage has no end of them.
    static let faultLimit = 64

    /// Neither file is there: nothing was ever saved here.
    var isFresh: Bool { !hasJournal && snapshotLength == 0 && summary.isWhole }

    /// An empty state, where the directory could not even be made.
    init() {}

    /// `path` is the directory's, for messages.
    init(reading directory: borrowing Descriptor, path: String) throws(RegistryError) {
        let began = Clock.monotonicNanoseconds()
        // The journal is opened before the snapshot and read after it, so that a reader without a
        // lock gets a consistent pair whatever the writer replaces meanwhile; `RegistryReader` says
        // why.
        let journal = try Self.open(JournalFormat.journalName, in: directory, path: path)
        let snapshot = try Self.open(JournalFormat.snapshotName, in: directory, path: path)
        let hasSnapshot = snapshot != nil
        if let snapshot { try readSnapshot(snapshot, path: path) }
        hasJournal = journal != nil
        if let journal { try readJournal(journal, path: path, hasSnapshot: hasSnapshot) }
        if hasSnapshot && !hasJournal {
            note(JournalFormat.journalName, 0, "is missing with the whole file")
        }
        summary.entries = state.table.count
        summary.nanoseconds = Clock.monotonicNanoseconds() - began
    }

    private mutating func note(_ file: String, _ position: Int, _ what: String) {
        summary.damagedCount += 1
        damagedFiles.insert(file)
        guard summary.damaged.count < Self.faultLimit else { return }
        summary.damaged.append(RegistryFault(file: file, position: position, what: what))
    }

    /// Opens one of the two files, nil where it is not there.
    private static func open(
        _ name: String, in directory: borrowing Descriptor, path: String
    ) throws(RegistryError) -> SharedDescriptor? {
        do {
            return SharedDescriptor(try directory.readable(named: name))
        } catch {
            if error.code == .notFound { return nil }
            throw .unusable(path: "\(path)/\(name)", error)
        }
    }

    private static func size(
        of file: SharedDescriptor, _ name: String, path: String
    ) throws(RegistryError) -> Int {
        do {
            return try file.descriptor.status().size
        } catch {
            throw .unusable(path: "\(path)/\(name)", error)
        }
    }

    /// Calls `body` for each line; reading errors become faults. Nil where the lines could not be
    /// read to the end.
    private mutating func eachLine(
        of file: SharedDescriptor, _ name: String, size: Int,
        _ body: (inout Recovery, [UInt8], Range<Int>?, Int) throws(RegistryError) -> Void
    ) throws(RegistryError) -> LineReader.End? {
        var copy = self
        defer { self = copy }
        do {
            return try LineReader.forEachLine(of: file.descriptor, size: size) {
                (buffer, line, position) throws(RegistryError) in
                try body(&copy, buffer, line, position)
            }
        } catch {
            switch error {
            case .stopped(let error): throw error
            case .unreadable(let position, let error):
                copy.note(name, position, "cannot be read: \(error)")
                return nil
            }
        }
    }

    private mutating func readSnapshot(
        _ file: SharedDescriptor, path: String
    ) throws(RegistryError) {
        let name = JournalFormat.snapshotName
        let size = try Self.size(of: file, name, path: path)
        snapshotLength = size
        // A guess within bounds: an entry's line is rarely shorter, and garbage may have any
        // length.
        state.table.reserve(min(size / 512, 1 << 18))
        /// Lines between header and trailer, damaged ones too.
        var lines = 0
        var isFirst = true
        var trailer: Int?
        let end = try eachLine(of: file, name, size: size) {
            (found, buffer, range, position) throws(RegistryError) in
            if trailer != nil { found.note(name, position, "follows the trailer") }
            defer { isFirst = false }
            do throws(LineFault) {
                guard let range else { throw LineFault(what: "is too long") }
                var scanner = try LineScanner(buffer, range)
                switch try scanner.snapshotLine() {
                case .header(let version, let header):
                    guard isFirst else { throw LineFault(what: "is a second header") }
                    guard let header else {
                        throw LineFault(what: "has version \(version)", version: version)
                    }
                    found.versions.insert(version)
                    guard header.through <= RegistryState.mostGiven else {
                        // Believed, it would say that the whole journal is contained.
                        found.through = 0
                        throw LineFault(what: "names a record that was never written")
                    }
                    found.through = header.through
                    found.sequence = header.through
                    found.state.given(below: header.nextFile)
                    found.state.mustStartAtBeginning = header.mustStartAtBeginning
                    return
                case .entry(let entry): _ = found.state.apply(.seen(entry))
                case .input(let input): _ = found.state.apply(.input(input))
                case .trailer(let count):
                    trailer = count
                    if count != lines {
                        throw LineFault(what: "counts \(count) lines where there are \(lines)")
                    }
                    return
                }
            } catch {
                try found.take(error, name, position, path: path)
            }
            // A damaged first line stands for the header.
            if !isFirst { lines += 1 }
        }
        if let end {
            if end.torn > 0 { note(name, end.position, "ends in the middle") }
            if trailer == nil { note(name, end.position, "is missing: the trailer") }
        }
        if through == nil, summary.damagedCount == 0 {
            note(name, 0, "is missing: the header")
        }
    }

    /// A newer format ends the reading; everything else is damage.
    private mutating func take(
        _ fault: LineFault, _ name: String, _ position: Int, path: String
    ) throws(RegistryError) {
        if let version = fault.version, version > JournalFormat.version {
            throw .newerVersion(path: "\(path)/\(name)", version: version)
        }
        note(name, position, fault.what)
    }

    private mutating func readJournal(
        _ file: SharedDescriptor, path: String, hasSnapshot: Bool
    ) throws(RegistryError) {
        let name = JournalFormat.journalName
        let size = try Self.size(of: file, name, path: path)
        /// The number of the last record that was read, or that came before the file.
        var last: Int?
        var isFirst = true
        /// The line before was damaged, which explains a number that is missing.
        var isExplained = false
        let contained = through ?? 0
        let end = try eachLine(of: file, name, size: size) {
            (found, buffer, range, position) throws(RegistryError) in
            defer { isFirst = false }
            do throws(LineFault) {
                guard let range else { throw LineFault(what: "is too long") }
                var scanner = try LineScanner(buffer, range)
                switch try scanner.journalLine() {
                case .header(let version, let header):
                    guard isFirst else { throw LineFault(what: "is a second header") }
                    guard let header else {
                        throw LineFault(what: "has version \(version)", version: version)
                    }
                    found.versions.insert(version)
                    if header.after <= RegistryState.mostGiven { last = header.after }
                    if header.after > contained {
                        found.note(
                            JournalFormat.snapshotName, 0,
                            hasSnapshot
                                ? "is older than the journal: records \(contained + 1) to "
                                    + "\(header.after) are in neither"
                                : "is missing with the whole file")
                    }
                case .record(let number, let change):
                    if isFirst { found.note(name, position, "stands where the header belongs") }
                    if let before = last {
                        // The order of lines is that of changes, whatever their numbers say.
                        if number <= before {
                            found.note(name, position, "has number \(number) after \(before)")
                        } else if number > max(before, contained) + 1, !isExplained {
                            found.note(
                                name, position,
                                "has number \(number) after \(before): records are missing before it"
                            )
                        }
                    }
                    if number <= RegistryState.mostGiven { last = number }
                    if number > contained { _ = found.state.apply(change) }
                }
                isExplained = false
            } catch {
                isExplained = true
                try found.take(error, name, position, path: path)
            }
        }
        sequence = max(sequence, last ?? 0)
        journalEnd = end?.position
        if let end {
            summary.tornTail = end.torn
            if isFirst { note(name, 0, "is missing: the header") }
        }
    }
}

/// One place where a file of the registry is not what was written.
package struct RegistryFault: Hashable, Sendable, CustomStringConvertible {
    /// The file's name in the registry's directory.
    package let file: String
    /// Where the damaged line begins, or where something is missing, in bytes from the file's
    /// start.
    package let position: Int
    /// A phrase that follows "the line".
    package let what: String

    package var description: String { "\(file): byte \(position): \(what)" }
}

/// The findings of an opening: how much is known, and what was damaged.
package struct RecoverySummary: Hashable, Sendable {
    /// Files known.
    package var entries = 0
    /// The first faults, at most `Recovery.faultLimit`; none in a healthy registry.
    package var damaged: [RegistryFault] = []
    /// All faults, also those beyond the limit.
    package var damagedCount = 0
    /// Bytes of a record that was being written when the writer died; cut, and no fault.
    package var tornTail = 0
    /// Under which names damaged files were kept.
    package var setAside: [String] = []
    /// Time it took to read.
    package var nanoseconds: Int64 = 0

    /// Whether anything may have been lost.
    package var isWhole: Bool { damagedCount == 0 && tornTail == 0 }
}
