import Model
import Platform
import Registry
import Tailer

/// Decides about each of Filebeat's positions: which file it is of now, and whether that proves to
/// be the same.
///
/// A position is taken over only if skipping what lies before it can lose nothing:
///
/// - The file is the row's: by inode and device, by the SHA-256 of its first 1024 bytes, by the
///   inode where a marker file stood for the device, or, where a row knows only a path, by having
///   been there when Filebeat wrote the row (its birth time says so), or because the operator says
///   so (`trustsPaths`).
/// - It was there when Filebeat wrote its registry last; an inode number is given out again within
///   milliseconds.
/// - It is at least as long as Filebeat has read, and that ends at the end of a line. What was
///   truncated and filled again mostly is not.
///
/// Where a file has several rows, one that does not fit speaks against all of them, and of those
/// that do the smallest position counts. Everything else is listed with its reason, and shipped
/// from its beginning as if Filebeat had never been.
struct Takeover {
    /// One line of the result.
    struct Item {
        /// The path now, or the one that Filebeat knew.
        let path: String
        var offset: PhysicalOffset?
        var size: PhysicalOffset?
        let admission: Admission
    }

    /// Whether a position is taken into the registry.
    enum Admission {
        case taken(remark: String?)
        /// An archive of an s6 log directory, older than what Filebeat was reading.
        case older
        /// The registry has it already.
        case known(FileEntry)
        case refused(String)
    }

    private(set) var items: [Item] = []
    private(set) var adopted: [AdoptedFile] = []

    struct Options {
        /// Positions of rows that know nothing but a path are taken over.
        var trustsPaths = false
        /// Archives that s6-log made before what Filebeat was reading are shipped too.
        var rereadsArchives = false
    }

    private let files: [StreamFile]
    private let written: Int64
    private let names: [String]
    private let options: Options
    private let known: RegisteredFiles
    /// Filebeat's paths may lead anywhere, and what answered a moment ago may be gone.
    private var mounts: SilentMounts

    private static let silence = "its file system does not answer: import again when it does"

    /// `names`: of the inputs. `known`: what our registry has. `mounts`: those that did not answer
    /// when `files` were looked for.
    init(
        _ filebeat: FilebeatDirectory, _ files: [StreamFile], names: [String],
        known: RegisteredFiles,
        mounts: SilentMounts, options: Options
    ) {
        self.files = files
        self.mounts = mounts
        self.names = names
        self.known = known
        self.options = options
        written = filebeat.written
        for row in filebeat.store.unusableRows {
            items.append(Item(path: row.name, admission: .refused(row.reason)))
        }
        let claims = claims(filebeat.store.rows)
        var oldest: [[UInt8]: Int] = [:]
        for index in claims.keys.sorted() {
            guard judge(files[index], claims[index] ?? []), let place = files[index].place else {
                continue
            }
            let stream = Array(files[index].stream.utf8)
            oldest[stream] = min(oldest[stream] ?? place, place)
        }
        if !options.rereadsArchives {
            for (index, file) in files.enumerated() where claims[index] == nil {
                guard let place = file.place, let first = oldest[Array(file.stream.utf8)],
                    place < first
                else { continue }
                passOver(file)
            }
        }
        items.sort { $0.path < $1.path }
    }

    // MARK: Which file

    /// Rows by the index of their file; those of none become items.
    private mutating func claims(_ rows: [FilebeatRow]) -> [Int: [FilebeatRow]] {
        var byInode: [UInt64: [Int]] = [:]
        var byPath: [[UInt8]: Int] = [:]
        for (index, file) in files.enumerated() {
            byInode[file.inode, default: []].append(index)
            byPath[PathText.bytes(of: file.path)] = index
        }
        let hasFingerprints = rows.contains { row in
            if case .fingerprint = row.identity { true } else { false }
        }
        let byHead = hasFingerprints ? heads() : [:]
        var claims: [Int: [FilebeatRow]] = [:]
        for row in rows {
            let here = byPath[Array(row.source.utf8)]
            var found: [Int]
            switch row.identity {
            case .native(let inode, let device):
                found = (byInode[inode] ?? []).filter { files[$0].device == device }
            case .inodeMarker(let inode):
                found = (byInode[inode] ?? []).filter { isBeside(files[$0].path, row.source) }
            case .path: found = here.map { [$0] } ?? []
            case .fingerprint(let digest): found = byHead[digest] ?? []
            }
            // Several names of one file, or files that begin alike: Filebeat's own path tells.
            if found.count > 1, let here, found.contains(here) { found = [here] }
            if let index = found.first, found.allSatisfy({ isSame($0, index) }) {
                claims[index, default: []].append(row)
            } else if found.isEmpty {
                items.append(
                    Item(path: row.source, offset: row.offset, admission: .refused(absence(row))))
            } else {
                items.append(
                    Item(
                        path: row.source, offset: row.offset,
                        admission: .refused("\(found.count) files begin like it")))
            }
        }
        return claims
    }

    private func isSame(_ a: Int, _ b: Int) -> Bool {
        files[a].inode == files[b].inode && files[a].device == files[b].device
    }

    private func isBeside(_ path: String, _ other: String) -> Bool {
        guard let mine = path.utf8.directoryAndName, let theirs = other.utf8.directoryAndName
        else { return false }
        return mine.directory.elementsEqual(theirs.directory)
    }

    /// Files by the SHA-256 of their first 1024 bytes. What cannot be read is in no row's place,
    /// and the row says that its file is missing.
    private mutating func heads() -> [[UInt8]: [Int]] {
        var heads: [[UInt8]: [Int]] = [:]
        for (index, file) in files.enumerated() {
            switch look(at: file, before: []) {
            case .found(let excerpt):
                guard !excerpt.isPacked, excerpt.head.count == Fingerprint.longest else { continue }
                heads[Fingerprint.of(head: excerpt.head).digest, default: []].append(index)
            case .unreachable(let reason):
                items.append(
                    Item(path: file.path, admission: .refused("cannot be read: \(reason)")))
            case .other, .missing, nil: break
            }
        }
        return heads
    }

    /// `StreamFile.look`; nil where its file system does not answer.
    private mutating func look(
        at file: StreamFile, before offsets: [PhysicalOffset]
    ) -> PlaceLook<StreamFile.Excerpt>? {
        patiently(PathText.bytes(of: file.path)) { file.look(before: offsets) }
    }

    private mutating func patiently<Found: Sendable>(
        _ path: [UInt8], _ look: @escaping @Sendable () -> PlaceLook<Found>
    ) -> PlaceLook<Found>? {
        do throws(SystemError) {
            return try mounts.patiently(path) { look() }
        } catch {
            // Without a thread there is no telling whether it answers.
            return .unreachable(.failed(error))
        }
    }

    private static let link =
        "is a symbolic link; an input has to match where it leads, or to follow it (follow_symlinks)"

    /// Why no file was found for a row.
    private mutating func absence(_ row: FilebeatRow) -> String {
        let path = Array(row.source.utf8)
        let status: FileStatus
        switch patiently(path, { FilePlace.glance(at: path) }) {
        case .found(let found): status = found
        case .other, .missing: return "is gone, and no file that an input matches is it"
        case .unreachable(let reason): return "cannot be read: \(reason)"
        case nil: return Self.silence
        }
        if status.isLink { return Self.link }
        let foreign = "no input of the configuration matches it"
        switch row.identity {
        case .native(let inode, let device):
            if status.inode == inode, status.device == device { return foreign }
            return
                "another file is there now: inode \(status.inode) of device \(status.device), and not "
                + "\(inode) of \(device)"
        case .inodeMarker(let inode):
            if status.inode == inode { return foreign }
            return "another file is there now: inode \(status.inode), and not \(inode)"
        case .path: return foreign
        case .fingerprint:
            return "no file that an input matches begins with the 1024 bytes that Filebeat noted"
        }
    }

    // MARK: Whether it is the same

    /// Takes over the position of a file with its rows, or says why not; true if the file is known
    /// now.
    private mutating func judge(_ file: StreamFile, _ rows: [FilebeatRow]) -> Bool {
        let offsets = rows.map(\.offset)
        guard let offset = offsets.min() else { return false }
        var item = Item(path: file.path, offset: offset, admission: .refused(""))
        func say(_ admission: Admission) -> Item {
            Item(path: item.path, offset: item.offset, size: item.size, admission: admission)
        }
        let answer = self.look(at: file, before: offsets)
        guard case .found(let excerpt) = answer else {
            let reason =
                switch answer {
                case .found, nil: Self.silence
                case .other: "was replaced just now; import again"
                case .missing: "was removed or renamed just now; import again"
                case .unreachable(let reason): "cannot be read: \(reason)"
                }
            items.append(say(.refused(reason)))
            return false
        }
        item.size = excerpt.size
        for row in rows {
            if let reason = objection(row, excerpt) {
                items.append(say(.refused(reason)))
                return false
            }
        }
        switch known.find(identity: excerpt.identity, head: excerpt.head) {
        case .same(let entry):
            items.append(say(.known(entry)))
            return false
        case .otherContent(let entry):
            items.append(say(.known(entry)))
            return false
        case .none: break
        }
        adopt(file, excerpt, at: offset, anchor: excerpt.before[offset] ?? [])
        items.append(say(.taken(remark: remark(rows, file))))
        return true
    }

    /// The reason that speaks against a row, if any does.
    private func objection(_ row: FilebeatRow, _ excerpt: StreamFile.Excerpt) -> String? {
        if excerpt.isPacked {
            return "is compressed, and Filebeat's position is not of its content"
        }
        if let birth = excerpt.identity.birth, birth > written {
            return
                "was made after Filebeat had written its registry last: another file with the same "
                + "inode number"
        }
        switch row.identity {
        case .path where !options.trustsPaths:
            guard let birth = excerpt.identity.birth, let updated = row.updated, birth <= updated
            else {
                return
                    "nothing but its path tells that it is the same file, and it may be newer than "
                    + "what Filebeat read: --trust-paths takes it over"
            }
        case .fingerprint(let digest):
            guard excerpt.head.count == Fingerprint.longest,
                Fingerprint.of(head: excerpt.head).digest == digest
            else { return "no longer begins with the 1024 bytes that Filebeat noted" }
        case .path, .native, .inodeMarker: break
        }
        if row.offset > excerpt.size {
            return
                "is shorter than what Filebeat has read of it (\(row.offset.bytes) bytes): truncated "
                + "or replaced"
        }
        if row.offset > .start, excerpt.before[row.offset]?.last != 0x0A {
            return
                "has no end of a line where Filebeat stopped (at byte \(row.offset.bytes)): truncated or "
                + "replaced, and written again"
        }
        return nil
    }

    private func remark(_ rows: [FilebeatRow], _ file: StreamFile) -> String? {
        var parts: [String] = []
        if let row = rows.first, Array(row.source.utf8) != PathText.bytes(of: file.path) {
            parts.append("was \(row.source)")
        }
        let offsets = Set(rows.map(\.offset))
        if rows.count > 1 {
            parts.append(
                offsets.count > 1
                    ? "\(rows.count) rows, up to \((offsets.max() ?? .start).bytes): the smallest position counts"
                    : "\(rows.count) rows")
        }
        return parts.isEmpty ? nil : parts.joined(separator: "; ")
    }

    private mutating func adopt(
        _ file: StreamFile, _ excerpt: StreamFile.Excerpt, at offset: PhysicalOffset,
        anchor: [UInt8]
    ) {
        adopted.append(
            AdoptedFile(
                NewFile(
                    input: names[file.input], stream: file.stream, path: file.path,
                    identity: excerpt.identity, fingerprint: Fingerprint.of(head: excerpt.head),
                    offset: offset, size: excerpt.size,
                    state: file.isArchived ? .archived : .active),
                anchor: Anchor(bytes: anchor)))
    }

    /// 1. Filebeat reads `current`, and forgets a file once that was renamed and is read.
    /// 2. So the archives that are older than what it reads now are not in its registry, although
    ///    it has shipped them; and those it missed it would never have shipped.
    /// 3. The agent would ship all of them, again or at last: up to all that the directory may
    ///    hold.
    private mutating func passOver(_ file: StreamFile) {
        var answer = look(at: file, before: [])
        var size = PhysicalOffset.start
        if case .found(let first) = answer {
            size = first.size
            answer = look(at: file, before: [size])
        }
        switch answer {
        case .found(let excerpt):
            guard case .none = known.find(identity: excerpt.identity, head: excerpt.head) else {
                return
            }
            adopt(file, excerpt, at: size, anchor: excerpt.before[size] ?? [])
            items.append(Item(path: file.path, offset: size, size: excerpt.size, admission: .older))
        case .other, .missing: return
        case .unreachable(let reason):
            items.append(Item(path: file.path, admission: .refused("cannot be read: \(reason)")))
        case nil: items.append(Item(path: file.path, admission: .refused(Self.silence)))
        }
    }
}
