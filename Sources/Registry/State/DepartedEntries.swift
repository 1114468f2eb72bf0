import Model

/// Entries that left lately, because no name leads to their files any more: what a compressor has
/// made of one of those may be found after that. 64 of each of 64 groups of directories, so that
/// who removes many files makes little of what others removed be forgotten.
struct DepartedEntries: Sendable {
    private static let groups = 64
    private static let mostOfGroup = 64

    /// The oldest is at `next`, once a group is full.
    private struct Group: Sendable {
        var entries: [FileEntry] = []
        var next = 0
    }
    private var rings = Array(repeating: Group(), count: groups)
    /// The groups that the files are in.
    private var places: [FileID: Int] = [:]

    /// The lengths of the beginnings that are known of them.
    var lengthsOfBeginnings: Set<Int> {
        var lengths: Set<Int> = []
        for ring in rings { for entry in ring.entries { lengths.insert(entry.fingerprint.length) } }
        return lengths
    }

    /// Those whose files had one of these beginnings.
    func entries(beginningAs beginnings: Beginnings) -> [FileEntry] {
        var found: [FileEntry] = []
        for ring in rings {
            for entry in ring.entries where beginnings.fingerprints.contains(entry.fingerprint) {
                found.append(entry)
            }
        }
        return found
    }

    subscript(_ file: FileID) -> FileEntry? {
        places[file].flatMap { rings[$0].entries.first { $0.file == file } }
    }

    /// Nothing tells a file by its content of whose beginning nothing is known.
    mutating func add(_ entry: FileEntry) {
        guard entry.fingerprint.length > 0, places[entry.file] == nil else { return }
        let directory = ExactText(entry.path).parent ?? ExactText(entry.path)
        let group = Int(UInt(bitPattern: directory.hashValue) % UInt(Self.groups))
        if rings[group].entries.count < Self.mostOfGroup {
            rings[group].entries.append(entry)
        } else {
            let next = rings[group].next
            places[rings[group].entries[next].file] = nil
            rings[group].entries[next] = entry
            rings[group].next = (next + 1) % Self.mostOfGroup
        }
        places[entry.file] = group
    }

    /// It is known again.
    mutating func remove(_ file: FileID) {
        guard let group = places.removeValue(forKey: file) else { return }
        let ring = rings[group]
        let oldestFirst = ring.entries[ring.next...] + ring.entries[..<ring.next]
        rings[group] = Group(entries: oldestFirst.filter { $0.file != file })
    }
}

/// What fingerprints of a file are that begins like another one.
struct Beginnings: Sendable {
    let fingerprints: Set<Fingerprint>

    /// Of a file that begins with `head`, as far as one of these lengths covers it. A digest takes
    /// some microseconds, and there are a thousand lengths: to be made without a lock.
    init(of head: [UInt8], lengths: Set<Int>) {
        fingerprints = Set(
            lengths.lazy.filter { $0 > 0 && $0 <= head.count }.map { .of(head: Array(head[..<$0])) }
        )
    }
}
