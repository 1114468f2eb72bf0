import Model

/// The entries by number, by handle, by device and inode, by stream, and by their beginnings.
///
/// A copy of `chunks` is taken in constant time, and changing the table afterwards copies one chunk
/// at a time, so that a snapshot of 100,000 entries never stops an advance for longer than copying
/// 256 of them takes. A copy of the whole table would be no cheaper to take, but the next entry
/// that comes or leaves would pay for copies of all the others' keys.
struct EntryTable: Sendable {
    /// Entries by slot, nil where one left. Invariant: every chunk but the last is full.
    private(set) var chunks: [[FileEntry?]] = []
    private(set) var count = 0
    /// Slots whose entry left; taken again first, so the table is as long as it ever was full.
    private var free: [Int] = []
    /// By number, by handle, by device and inode: several while an inode number was given out again
    /// and the old entry is still there.
    private var byFile = SlotIndex()
    private var byHandle = SlotIndex()
    private var byInode = SlotIndex()
    /// A look at one directory asks for one stream's files, and there are as many directories as
    /// streams: going through all entries each time would make the first scan quadratic.
    private var byStream = SlotIndex()
    /// What a compressor has made of a file is told by how it begins.
    private var byBeginning = SlotIndex()
    /// How many entries have a fingerprint of each length.
    private var lengths = [UInt32](repeating: 0, count: Fingerprint.longest + 1)

    private static let chunkLength = 256

    /// Makes room for `count` entries at once.
    mutating func reserve(_ count: Int) {
        byFile.reserve(count)
        byHandle.reserve(count)
        byInode.reserve(count)
        byStream.reserve(count)
        byBeginning.reserve(count)
    }

    subscript(_ file: FileID) -> FileEntry? { slot(of: file).flatMap { self[slot: $0] } }

    private subscript(slot slot: Int) -> FileEntry? {
        chunks[slot / Self.chunkLength][slot % Self.chunkLength]
    }

    /// In the order of their numbers.
    var sorted: [FileEntry] { Self.sorted(chunks) }

    /// The entries of these chunks, in the order of their numbers.
    static func sorted(_ chunks: [[FileEntry?]]) -> [FileEntry] {
        var all: [FileEntry] = []
        all.reserveCapacity(chunks.count * chunkLength)
        for chunk in chunks { for case let entry? in chunk { all.append(entry) } }
        all.sort { $0.file < $1.file }
        return all
    }

    /// The entries of one stream, in the order of their numbers.
    func entries(ofStream stream: String) -> [FileEntry] {
        // Swift takes two spellings of one character for equal, and a file system does not: `é` in
        // one code point and in two are two streams.
        entries(in: byStream, Self.hash(stream: stream)) {
            $0.stream.utf8.elementsEqual(stream.utf8)
        }.sorted { $0.file < $1.file }
    }

    /// Adds the entry, or replaces the one of its number.
    mutating func put(_ new: FileEntry) {
        var entry = new
        // Most logs are their own streams: one text is enough.
        if entry.path.utf8.elementsEqual(entry.stream.utf8) { entry.path = entry.stream }
        if let slot = slot(of: entry.file) {
            let (chunk, index) = (slot / Self.chunkLength, slot % Self.chunkLength)
            if let old = chunks[chunk][index],
                old.identity != entry.identity || old.stream != entry.stream
                    || old.fingerprint != entry.fingerprint
            {
                unlist(old, slot)
                list(entry, slot)
            }
            chunks[chunk][index] = entry
            return
        }
        let slot: Int
        if let left = free.popLast() {
            slot = left
            chunks[slot / Self.chunkLength][slot % Self.chunkLength] = entry
        } else {
            if chunks.last.map({ $0.count == Self.chunkLength }) ?? true {
                var chunk: [FileEntry?] = []
                chunk.reserveCapacity(Self.chunkLength)
                chunks.append(chunk)
            }
            let last = chunks.count - 1
            slot = last * Self.chunkLength + chunks[last].count
            chunks[last].append(entry)
        }
        count += 1
        byFile.insert(slot, entry.file.tableHash)
        list(entry, slot)
    }

    /// Changes an entry in place, all but what it is found by. False where there is none.
    mutating func change(_ file: FileID, _ body: (inout FileEntry) -> Void) -> Bool {
        guard let slot = slot(of: file) else { return false }
        let (chunk, index) = (slot / Self.chunkLength, slot % Self.chunkLength)
        guard chunks[chunk][index] != nil else { return false }
        chunks[chunk][index].withEntry(body)
        return true
    }

    /// False where there is none.
    mutating func remove(_ file: FileID) -> Bool {
        guard let slot = slot(of: file) else { return false }
        let (chunk, index) = (slot / Self.chunkLength, slot % Self.chunkLength)
        byFile.remove(slot)
        if let entry = chunks[chunk][index] { unlist(entry, slot) }
        chunks[chunk][index] = nil
        free.append(slot)
        count -= 1
        return true
    }

    /// The entries that may be a file with this identity: same handle, or same device and inode.
    func candidates(for identity: FileIdentity) -> [FileEntry] {
        var found: [FileEntry] = []
        if identity.handle != nil {
            found = entries(in: byHandle, Self.hash(handle: identity)) {
                $0.identity.device == identity.device && $0.identity.handle == identity.handle
            }
        }
        // One whose handle is the same is there already.
        let others = entries(in: byInode, Self.hash(inode: identity)) {
            $0.identity.device == identity.device && $0.identity.inode == identity.inode
                && (identity.handle == nil || $0.identity.handle != identity.handle)
        }
        return found.sorted { $0.file < $1.file } + others.sorted { $0.file < $1.file }
    }

    /// The lengths of the beginnings that are known of files.
    var lengthsOfBeginnings: Set<Int> {
        Set(lengths.indices.dropFirst().filter { lengths[$0] > 0 })
    }

    /// The entries whose files have one of these beginnings, in the order of their numbers.
    func entries(beginningAs beginnings: Beginnings) -> [FileEntry] {
        beginnings.fingerprints.flatMap { fingerprint in
            entries(in: byBeginning, Self.hash(beginning: fingerprint)) {
                $0.fingerprint == fingerprint
            }
        }.sorted { $0.file < $1.file }
    }

    private func slot(of file: FileID) -> Int? {
        var slot = byFile.first(file.tableHash)
        while let found = slot, self[slot: found]?.file != file {
            slot = byFile.next(after: found)
        }
        return slot
    }

    private func entries(
        in index: SlotIndex, _ hash: UInt32, where isWanted: (FileEntry) -> Bool
    ) -> [FileEntry] {
        var found: [FileEntry] = []
        var slot = index.first(hash)
        while let place = slot {
            if let entry = self[slot: place], isWanted(entry) { found.append(entry) }
            slot = index.next(after: place)
        }
        return found
    }

    private mutating func list(_ entry: FileEntry, _ slot: Int) {
        byHandle.insert(slot, Self.hash(handle: entry.identity))
        byInode.insert(slot, Self.hash(inode: entry.identity))
        byStream.insert(slot, Self.hash(stream: entry.stream))
        byBeginning.insert(slot, Self.hash(beginning: entry.fingerprint))
        lengths[min(entry.fingerprint.length, Fingerprint.longest)] += 1
    }

    private mutating func unlist(_ entry: FileEntry, _ slot: Int) {
        byHandle.remove(slot)
        byInode.remove(slot)
        byStream.remove(slot)
        byBeginning.remove(slot)
        lengths[min(entry.fingerprint.length, Fingerprint.longest)] -= 1
    }

    private static func hash(handle identity: FileIdentity) -> UInt32 {
        var hasher = Hasher()
        hasher.combine(identity.device)
        if let handle = identity.handle {
            hasher.combine(handle)
        } else {
            // It is found by none, and stands in nobody's way.
            hasher.combine(identity.inode)
        }
        return SlotIndex.hash(hasher.finalize())
    }

    private static func hash(inode identity: FileIdentity) -> UInt32 {
        var hasher = Hasher()
        hasher.combine(identity.device)
        hasher.combine(identity.inode)
        return SlotIndex.hash(hasher.finalize())
    }

    private static func hash(stream: String) -> UInt32 { SlotIndex.hash(stream.hashValue) }

    private static func hash(beginning: Fingerprint) -> UInt32 {
        SlotIndex.hash(beginning.hashValue)
    }
}

extension Optional<FileEntry> {
    /// Changes what is there in place, without a copy of its strings and arrays.
    fileprivate mutating func withEntry(_ body: (inout FileEntry) -> Void) {
        guard var entry = take() else { return }
        body(&entry)
        self = entry
    }
}

extension FileMatch {
    /// Picks among the candidates of an identity by the content that the file has now. Where
    /// several agree (file systems that keep neither handles nor birth times), known content wins
    /// over other content, a longer fingerprint over a shorter one, and the newer entry over the
    /// older.
    static func among(
        _ candidates: [FileEntry], identity: FileIdentity, head: [UInt8]
    ) -> FileMatch {
        var same: FileEntry?
        var other: FileEntry?
        for entry in candidates where entry.identity.agrees(with: identity) {
            if entry.cutEnd(head) != nil {
                let (length, best) = (entry.fingerprint.length, same?.fingerprint.length ?? -1)
                if length > best || (length == best && entry.file > same?.file ?? entry.file) {
                    same = entry
                }
            } else if other.map({ entry.file > $0.file }) ?? true {
                other = entry
            }
        }
        if let same { return .same(same) }
        if let other { return .otherContent(other) }
        return .none
    }
}
