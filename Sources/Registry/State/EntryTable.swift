import Model

/// The entries by number, by handle, by device and inode, and by stream.
///
/// A copy of `chunks` is taken in constant time, and changing the table afterwards copies one chunk
/// at a time, so that a snapshot of 100,000 entries never stops an advance for longer than copying
/// 256 of them takes. A copy of the whole table would be no cheaper to take, but the next entry
/// that comes or leaves would pay for copies of all the others' keys.
struct EntryTable: Sendable {
    /// Entries by slot, nil where one left. Invariant: every chunk but the last is full.
    private(set) var chunks: [[FileEntry?]] = []
    private var slots = Shards<FileID, Int>()
    private(set) var count = 0
    /// Slots whose entry left; taken again first, so the table is as long as it ever was full.
    private var free: [Int] = []
    private var byHandle = Shards<Handle, Holders>()
    private var byInode = Shards<Inode, Holders>()
    /// A look at one directory asks for one stream's files, and there are as many directories as
    /// streams: going through all entries each time would make the first scan quadratic.
    private var byStream = Shards<String, Holders>()

    private static let chunkLength = 256

    private struct Handle: Hashable, Sendable {
        let device: UInt64
        let bytes: [UInt8]
    }

    private struct Inode: Hashable, Sendable {
        let device: UInt64
        let number: UInt64
    }

    /// Mostly one file; several in a stream with archives, and while an inode number was given out
    /// again and the old entry is still there. The first case spares an allocation per entry.
    private enum Holders: Sendable {
        case one(FileID)
        case several(Set<FileID>)

        var all: [FileID] {
            switch self {
            case .one(let file): [file]
            case .several(let files): files.sorted()
            }
        }
    }

    /// Makes room for `count` entries at once; growing step by step hashes every key again each
    /// time.
    mutating func reserve(_ count: Int) {
        slots.reserve(count)
        byHandle.reserve(count)
        byInode.reserve(count)
        byStream.reserve(count)
    }

    subscript(_ file: FileID) -> FileEntry? {
        guard let slot = slots[file] else { return nil }
        return chunks[slot / Self.chunkLength][slot % Self.chunkLength]
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
        (byStream[stream]?.all.compactMap { self[$0] } ?? [])
            .filter { $0.stream.utf8.elementsEqual(stream.utf8) }
    }

    /// Adds the entry, or replaces the one of its number.
    mutating func put(_ entry: FileEntry) {
        if let slot = slots[entry.file] {
            let (chunk, index) = (slot / Self.chunkLength, slot % Self.chunkLength)
            if let old = chunks[chunk][index],
                old.identity != entry.identity || old.stream != entry.stream
            {
                unlist(old)
                list(entry)
            }
            chunks[chunk][index] = entry
            return
        }
        if let slot = free.popLast() {
            chunks[slot / Self.chunkLength][slot % Self.chunkLength] = entry
            slots[entry.file] = slot
        } else {
            if chunks.last.map({ $0.count == Self.chunkLength }) ?? true {
                var chunk: [FileEntry?] = []
                chunk.reserveCapacity(Self.chunkLength)
                chunks.append(chunk)
            }
            let last = chunks.count - 1
            slots[entry.file] = last * Self.chunkLength + chunks[last].count
            chunks[last].append(entry)
        }
        count += 1
        list(entry)
    }

    /// Changes an entry in place, all but its number and its identity. False where there is none.
    mutating func change(_ file: FileID, _ body: (inout FileEntry) -> Void) -> Bool {
        guard let slot = slots[file] else { return false }
        let (chunk, index) = (slot / Self.chunkLength, slot % Self.chunkLength)
        guard chunks[chunk][index] != nil else { return false }
        chunks[chunk][index].withEntry(body)
        return true
    }

    /// False where there is none.
    mutating func remove(_ file: FileID) -> Bool {
        guard let slot = slots.removeValue(forKey: file) else { return false }
        let (chunk, index) = (slot / Self.chunkLength, slot % Self.chunkLength)
        if let entry = chunks[chunk][index] { unlist(entry) }
        chunks[chunk][index] = nil
        free.append(slot)
        count -= 1
        return true
    }

    /// The entries that may be a file with this identity: same handle, or same device and inode.
    func candidates(for identity: FileIdentity) -> [FileEntry] {
        var files: [FileID] = []
        if let bytes = identity.handle,
            let holders = byHandle[Handle(device: identity.device, bytes: bytes)]
        {
            files = holders.all
        }
        if let holders = byInode[Inode(device: identity.device, number: identity.inode)] {
            // There are many where a number was given out often.
            let known = Set(files)
            files += holders.all.filter { !known.contains($0) }
        }
        return files.compactMap { self[$0] }
    }

    private mutating func list(_ entry: FileEntry) {
        let identity = entry.identity
        if let bytes = identity.handle {
            Self.add(
                entry.file, &byHandle[Handle(device: identity.device, bytes: bytes)])
        }
        Self.add(entry.file, &byInode[Inode(device: identity.device, number: identity.inode)])
        Self.add(entry.file, &byStream[entry.stream])
    }

    private mutating func unlist(_ entry: FileEntry) {
        let identity = entry.identity
        if let bytes = identity.handle {
            Self.drop(
                entry.file, &byHandle[Handle(device: identity.device, bytes: bytes)])
        }
        Self.drop(entry.file, &byInode[Inode(device: identity.device, number: identity.inode)])
        Self.drop(entry.file, &byStream[entry.stream])
    }

    private static func add(_ file: FileID, _ holders: inout Holders?) {
        // Taken out, so that a large set is changed in place and not copied.
        switch holders.take() {
        case nil: holders = .one(file)
        case .one(let other): holders = .several([other, file])
        case .several(var files):
            files.insert(file)
            holders = .several(files)
        }
    }

    private static func drop(_ file: FileID, _ holders: inout Holders?) {
        switch holders.take() {
        case nil: break
        case .one(let other): holders = other == file ? nil : .one(other)
        case .several(var files):
            files.remove(file)
            if files.count > 1 {
                holders = .several(files)
            } else {
                holders = files.first.map { .one($0) }
            }
        }
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
            if entry.fingerprint.matches(head: head) {
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
