// The registry on disk, format versions 1 and 2.
//
// <data>/registry/ (mode 0700) holds two files (mode 0600). snapshot.jsonl is the state at one
// moment, journal.jsonl what changed since. Beside them may lie <name>.new, a file that was being
// written when the agent died and means nothing, and <name>.damaged-<time>, a file that was damaged
// when the agent started and means nothing either, kept for people. <data>/lock is held with
// flock(2) by the one process that may write here and contains its process number.
//
// Both files are JSON Lines: one flat object a line, ended by "\n", UTF-8, keys in the order given
// here and no white space. The last key of every line is "crc": 8 hex digits (lower case), CRC-32
// as zlib computes it of all bytes of the line before `,"crc"`.
//
// Values: numbers are 0...2^60 unless said otherwise; base, offset, size and generation_count
// beyond that are read as 2^60, for earlier builds wrote what the file system said. Hex is lower
// case. Texts have `"` and `\` escaped by `\`; newline, return and tab as `\n \r \t`; other bytes
// below 0x20 and 0x7F as `\u00xx`; nothing else is escaped. Times are UTC to the millisecond,
// `2026-11-23T04:02:35.685Z`, and no position is decided by them. Paths are texts
// in the spelling of PathText: a byte that is no UTF-8 stands as \xHH (so `\\xHH` in
// the JSON), and comes back as it was.
//
// snapshot.jsonl
//
//   {"format":"shipper-registry-snapshot","version":V,"through":N,"next_file":F,"at":TIME}
//     through       the journal's records up to this number are contained
//     next_file     the number that the next file gets; numbers are never given twice
//     at_beginning  true, or left out: something was lost by damage, so until every input was
//                   scanned whole once, files are read from their beginning even with `start: end`
//   {"input":NAME}                 for each input whose first scan is complete, by name
//   {"file":F, ENTRY}              for each file, in no particular order
//   {"end":COUNT}                  the trailer: the number of lines between the header and this one
//
// next_file is followed by at_beginning where that is true. A snapshot is written beside, fsynced
// and renamed, and the directory fsynced, so one without its trailer is damaged. What an operator
// does by hand (`registry forget`, `rewind`) is in a new snapshot alone: it may move a position
// back, which no record of the journal can.
//
// ENTRY, the state of one file:
//   input, stream, path            texts
//   device, inode                  decimal numbers of 64 bits in quotes, since JSON readers round
//                                  them
//   handle                         left out where there is none: hex of the type (4 bytes, big
//                                  endian) and the bytes of name_to_handle_at(2)
//   birth                          left out where there is none: nanoseconds since 1970, may be
//                                  negative
//   head_length, head              the fingerprint: SHA-256 (hex) over the first head_length <=
//                                  1024 bytes
//   generation, generation_count   16 hex digits, minted as `Generation` says; lives before this
//                                  one (of the content, and of its last lines where those were
//                                  rewritten)
//   base                           bytes removed from the front by rotation in place
//   offset                         logical position up to which everything is delivered
//   anchor                         hex of the at most 64 bytes just before it
//   size                           physical bytes when last looked at
//   state                          active; archived, its end is final; deleted, it went with its
//                                  directory, and what was unread was counted as lost; unreachable,
//                                  it or its volume cannot be read now, and the entry stays
//   updated                        time of the entry's last change; a time before the machine was
//                                  started, where the file was not seen since, and all that is
//                                  noted of it is that it is out of sight
//   cut, cut_step, cut_head_length, cut_head, cut_archive
//                                  left out, all of them, unless the front of the file is being
//                                  removed in place: its bytes; punching or collapsing; the
//                                  fingerprint of what stands behind it; the number of the archive
//                                  that has it. `FrontCut` says what may be found on the disk then
//
// journal.jsonl
//
//   {"format":"shipper-registry-journal","version":V,"after":N,"at":TIME}
//     after         the number of the last record before this file
//   {"n":N,"op":OP, ...}           records; n grows by one from line to line
//
//   "seen","file":F, ENTRY         a file seen for the first time; written again, whole, where
//                                  earlier records of it could not be written, where its content is
//                                  in another inode now (a copy, or what a compressor made of it),
//                                  and where its device has another number, and where an unfinished
//                                  line that its fingerprint covers became another one
//   "advance","file":F,"generation":G,"offset":O,"anchor":A,"size":S,"at":TIME
//                                  size is left out where it is not known
//   "head","file":F,"generation":G,"head_length":L,"head":H,"at":TIME
//   "moved","file":F,"path":P,"state":S,"at":TIME
//   "truncated","file":F, ENTRY    a new generation of a known file: of its content, or of what is
//                                  behind the offset
//   "cutting","file":F, ENTRY      the front of a known file is about to be removed in place, or
//                                  the next step of that: ENTRY has the cut
//   "cut","file":F, ENTRY          that has come to its end: base, anchor and fingerprint are those
//                                  of what is there now, in one record
//   "gone","file":F                the entry leaves
//   "input","input":NAME           the input's first scan is complete
//   "settled"                      at_beginning ends
//
// Reading. The state is the snapshot and, on top of it, every record with n > through in order.
// Records state facts, not differences, and are taken so that a line that is missing can only lose
// progress: an advance counts for its own generation only and moves a position forward only; an
// ENTRY of an older generation is ignored; a change of an unknown file is ignored. So the lines
// after a damaged one are used, and so is a journal that begins before the snapshot, which is what
// a crash between the replacement of the one and of the other leaves.
//
// What is damaged: a line whose checksum or form is wrong; a number n that goes back, or jumps,
// unless the snapshot contains what is missing; a missing file while the other one says there was
// one; a snapshot whose trailer is missing or counts otherwise. Bytes after a journal's last
// newline are a torn tail: the record that was being written. Either is reported with its byte
// position, the damaged file is kept under another name, and the state that was read is saved anew
// with at_beginning.
//
// A line with a correct checksum that this version does not understand is damaged as well, so
// another operation or key raises `version`, and a version above the reader's own is refused, not
// damaged. Version 1 has neither the operations "cutting" and "cut" nor the keys of a cut. Both are
// read. Version 2 is written only where an input asks for rotation in place, or an entry has a cut
// when the registry is opened: so an older agent can go on where nobody rotates. Where a file is of
// the other version, both are written anew when an agent opens them.
import Model
import Platform

/// The constants of the format, and its lines to and from values.
enum JournalFormat {
    /// The newest one; all from `oldestVersion` on are read.
    static let version = 2
    /// The first one, which has no cuts.
    static let oldestVersion = 1
    static let snapshotName = "snapshot.jsonl"
    static let journalName = "journal.jsonl"
    static let directoryName = "registry"
    static let snapshotFormat = "shipper-registry-snapshot"
    static let journalFormat = "shipper-registry-journal"

    static let checksumKey = Array(#","crc":""#.utf8)
    /// `,"crc":"`, 8 digits, `"}`.
    static let checksumLength = checksumKey.count + 10

    static func isKnown(_ version: Int) -> Bool {
        (oldestVersion...self.version).contains(version)
    }

    /// MAX_HANDLE_SZ and the type before it.
    static let longestHandle = 128 + 4
}

/// The first line of the snapshot.
struct SnapshotHeader: Hashable, Sendable {
    var version: Int
    var through: Int
    var nextFile: Int
    var mustStartAtBeginning: Bool
    var at: Timestamp
}

/// The first line of the journal.
struct JournalHeader: Hashable, Sendable {
    var version: Int
    var after: Int
    var at: Timestamp
}

extension LineWriter {
    mutating func write(_ header: SnapshotHeader) {
        string("format", JournalFormat.snapshotFormat)
        integer("version", header.version)
        integer("through", header.through)
        integer("next_file", header.nextFile)
        if header.mustStartAtBeginning { flag("at_beginning") }
        time("at", header.at)
        end()
    }

    mutating func write(_ header: JournalHeader) {
        string("format", JournalFormat.journalFormat)
        integer("version", header.version)
        integer("after", header.after)
        time("at", header.at)
        end()
    }

    /// A line of the snapshot.
    mutating func write(_ entry: FileEntry) {
        fields(entry)
        end()
    }

    /// A line of the snapshot.
    mutating func write(input name: String) {
        string("input", name)
        end()
    }

    /// The last line of the snapshot.
    mutating func write(trailer count: Int) {
        integer("end", count)
        end()
    }

    /// A line of the journal.
    mutating func write(_ change: Change, number: Int) {
        integer("n", number)
        switch change {
        case .seen(let entry):
            string("op", "seen")
            fields(entry)
        case .advance(let advance, let at):
            string("op", "advance")
            integer("file", advance.file.number)
            hex("generation", advance.generation.value)
            integer("offset", advance.offset.bytes)
            hex("anchor", advance.anchor.bytes)
            if let size = advance.size { integer("size", size.bytes) }
            time("at", at)
        case .head(let file, let generation, let fingerprint, let at):
            string("op", "head")
            integer("file", file.number)
            hex("generation", generation.value)
            integer("head_length", fingerprint.length)
            hex("head", fingerprint.digest)
            time("at", at)
        case .moved(let file, let path, let state, let at):
            string("op", "moved")
            integer("file", file.number)
            string("path", path)
            string("state", state.rawValue)
            time("at", at)
        case .truncated(let entry):
            string("op", "truncated")
            fields(entry)
        case .cutting(let entry):
            string("op", "cutting")
            fields(entry)
        case .cut(let entry):
            string("op", "cut")
            fields(entry)
        case .gone(let file):
            string("op", "gone")
            integer("file", file.number)
        case .input(let name):
            string("op", "input")
            string("input", name)
        case .settled:
            string("op", "settled")
        }
        end()
    }

    private mutating func fields(_ entry: FileEntry) {
        integer("file", entry.file.number)
        string("input", entry.input)
        string("stream", entry.stream)
        string("path", entry.path)
        string("device", String(entry.identity.device))
        string("inode", String(entry.identity.inode))
        if let handle = entry.identity.handle { hex("handle", handle) }
        if let birth = entry.identity.birth { signed("birth", birth) }
        integer("head_length", entry.fingerprint.length)
        hex("head", entry.fingerprint.digest)
        hex("generation", entry.generation.value)
        integer("generation_count", entry.generationCount)
        integer("base", entry.base.bytes)
        integer("offset", entry.offset.bytes)
        hex("anchor", entry.anchor.bytes)
        integer("size", entry.size.bytes)
        string("state", entry.state.rawValue)
        time("updated", entry.updated)
        guard let cut = entry.cut else { return }
        integer("cut", cut.length)
        string("cut_step", cut.step.rawValue)
        integer("cut_head_length", cut.head.length)
        hex("cut_head", cut.head.digest)
        integer("cut_archive", cut.archive.number)
    }
}

/// One line of the snapshot.
enum SnapshotLine {
    case header(version: Int, SnapshotHeader?)
    case input(String)
    case entry(FileEntry)
    case trailer(Int)
}

/// One line of the journal.
enum JournalLine {
    case header(version: Int, JournalHeader?)
    case record(number: Int, Change)
}

extension LineScanner {
    /// A header of another version comes without its content.
    mutating func snapshotLine() throws(LineFault) -> SnapshotLine {
        if has("format") {
            let version = try self.version(of: JournalFormat.snapshotFormat)
            guard JournalFormat.isKnown(version) else { return .header(version: version, nil) }
            let header = SnapshotHeader(
                version: version, through: try integer("through"),
                nextFile: try integer("next_file"),
                mustStartAtBeginning: try flag("at_beginning"), at: try time("at"))
            try finish()
            return .header(version: version, header)
        }
        if let name = try input() { return .input(name) }
        if has("end") {
            let count = try integer()
            try finish()
            return .trailer(count)
        }
        let entry = try self.entry()
        try finish()
        return .entry(entry)
    }

    /// A header of another version comes without its content.
    mutating func journalLine() throws(LineFault) -> JournalLine {
        if has("format") {
            let version = try self.version(of: JournalFormat.journalFormat)
            guard JournalFormat.isKnown(version) else { return .header(version: version, nil) }
            let header = JournalHeader(
                version: version, after: try integer("after"), at: try time("at"))
            try finish()
            return .header(version: version, header)
        }
        let number = try integer("n")
        let change = try self.change()
        try finish()
        return .record(number: number, change)
    }

    private mutating func version(of format: String) throws(LineFault) -> Int {
        guard try string() == format else { throw LineFault(what: "names another format") }
        return try integer("version")
    }

    private mutating func input() throws(LineFault) -> String? {
        guard has("input") else { return nil }
        let name = try string()
        try finish()
        return name
    }

    private mutating func change() throws(LineFault) -> Change {
        switch try string("op") {
        case "seen": return .seen(try entry())
        case "truncated": return .truncated(try entry())
        case "cutting": return .cutting(try entry())
        case "cut": return .cut(try entry())
        case "advance":
            let file = FileID(number: try integer("file"))
            let generation = GenerationID(value: try hex64("generation"))
            let offset = LogicalOffset(try quantity("offset"))
            let anchor = Anchor(bytes: try hex("anchor", limit: Anchor.longest))
            let size = has("size") ? PhysicalOffset(try quantity()) : nil
            let advance = Advance(
                file: file, generation: generation, offset: offset, anchor: anchor, size: size)
            return .advance(advance, at: try time("at"))
        case "head":
            let file = FileID(number: try integer("file"))
            let generation = GenerationID(value: try hex64("generation"))
            return .head(file, generation, try fingerprint(), at: try time("at"))
        case "moved":
            return .moved(
                FileID(number: try integer("file")), path: try string("path"),
                state: try state(), at: try time("at"))
        case "gone": return .gone(FileID(number: try integer("file")))
        case "input": return .input(try string("input"))
        case "settled": return .settled
        case let other: throw LineFault(what: "has an unknown operation, \"\(other.prefix(32))\"")
        }
    }

    private mutating func fingerprint(_ key: String = "head") throws(LineFault) -> Fingerprint {
        let length = try integer("\(key)_length")
        let digest = try hex(key, limit: 32)
        guard length <= Fingerprint.longest, digest.count == 32 else {
            throw LineFault(what: "has no fingerprint of sensible length")
        }
        return Fingerprint(length: length, digest: digest)
    }

    private mutating func state() throws(LineFault) -> FileState {
        let name = try string("state")
        guard let state = FileState(rawValue: name) else {
            throw LineFault(what: "has an unknown state, \"\(name.prefix(32))\"")
        }
        return state
    }

    private mutating func entry() throws(LineFault) -> FileEntry {
        let file = FileID(number: try integer("file"))
        let (input, stream) = (try string("input"), try string("stream"))
        let path = try string("path")
        let (device, inode) = (try decimal("device"), try decimal("inode"))
        let handle = try optionalHex("handle", limit: JournalFormat.longestHandle)
        let birth = try optionalSigned("birth")
        let fingerprint = try fingerprint()
        let generation = GenerationID(value: try hex64("generation"))
        let count = try quantity("generation_count")
        let (base, offset) = (try quantity("base"), try quantity("offset"))
        let anchor = try hex("anchor", limit: Anchor.longest)
        // Before the first byte of a file there is nothing, and no position.
        let start = min(base, offset)
        var entry = FileEntry(
            file: file, input: input, stream: stream, path: path,
            identity: FileIdentity(handle: handle, device: device, inode: inode, birth: birth),
            fingerprint: fingerprint, generation: generation, generationCount: count,
            base: Base(start), offset: LogicalOffset(offset),
            anchor: Anchor(bytes: anchor.suffix(offset - start)),
            size: PhysicalOffset(try quantity("size")), state: try state(),
            updated: try time("updated"))
        entry.cut = try cut(before: offset - start)
        return entry
    }

    /// Of a file whose position is so many bytes behind its first one.
    private mutating func cut(before position: Int) throws(LineFault) -> FrontCut? {
        guard has("cut") else { return nil }
        let length = try quantity()
        let name = try string("cut_step")
        guard let step = FrontCut.Step(rawValue: name) else {
            throw LineFault(what: "has an unknown step, \"\(name.prefix(32))\"")
        }
        let cut = FrontCut(
            length: length, step: step, head: try fingerprint("cut_head"),
            archive: FileID(number: try integer("cut_archive")))
        guard length > 0, length <= position else {
            throw LineFault(what: "removes what is not delivered")
        }
        return cut
    }
}
