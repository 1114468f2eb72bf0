import Model
import Platform

/// The faults of names at this moment, so that each is told once and counted as long as it lasts.
/// By the bytes of names: two spellings of one text are two names. Lives on the reader thread.
struct Troubles {
    enum Kind: Hashable {
        /// No regular file, or with a name that could lead elsewhere.
        case refused
        /// It may be readable later.
        case unreadable
    }

    /// One name's trouble, in as few bytes as tell it from another.
    private struct Note: Hashable {
        let kind: Kind
        let reason: Int
    }

    /// By directory, and there by the hash of the name.
    private var notes: [[UInt8]: [Int: Note]] = [:]
    private(set) var count = 0
    private(set) var unreadable = 0
    /// Names with a trouble that are remembered, of some 40 bytes each. What is wrong with others
    /// is told whenever it is met, as far as the log lets it.
    private let most: Int

    init(most: Int = 200_000) { self.most = most }

    var isEmpty: Bool { notes.isEmpty }

    private static func place(of path: String) -> (directory: [UInt8], name: Int) {
        let bytes = Array(path.utf8)
        guard let (directory, name) = bytes.directoryAndName else { return ([], hash(bytes[...])) }
        return (Array(directory), hash(name))
    }

    private static func hash(_ bytes: ArraySlice<UInt8>) -> Int {
        var hasher = Hasher()
        hasher.combine(bytes)
        return hasher.finalize()
    }

    /// Something is wrong with a path. Whether that is news.
    mutating func note(_ path: String, _ kind: Kind, _ reason: String) -> Bool {
        let (directory, name) = Self.place(of: path)
        let note = Note(kind: kind, reason: Self.hash(Array(reason.utf8)[...]))
        let earlier = notes[directory]?[name]
        if earlier == note { return false }
        guard earlier != nil || count < most else { return true }
        if let earlier { counted(earlier, -1) }
        counted(note, 1)
        notes[directory, default: [:]][name] = note
        return true
    }

    private mutating func counted(_ note: Note, _ change: Int) {
        count += change
        if note.kind == .unreadable { unreadable += change }
    }

    /// Nothing is wrong with a path any more; what was, if anything.
    mutating func forget(_ path: String) -> Kind? {
        guard !notes.isEmpty else { return nil }
        let (directory, name) = Self.place(of: path)
        guard let note = notes[directory]?.removeValue(forKey: name) else { return nil }
        if notes[directory]?.isEmpty == true { notes[directory] = nil }
        counted(note, -1)
        return note.kind
    }

    /// A directory was listed, and has these names alone.
    mutating func listed(_ directory: String, _ names: some Sequence<[UInt8]>) {
        guard !notes.isEmpty else { return }
        let key = Array(directory.utf8)
        guard let known = notes[key] else { return }
        let listed = Set(names.map { Self.hash($0[...]) })
        let left = known.filter { listed.contains($0.key) }
        for (name, note) in known where left[name] == nil { counted(note, -1) }
        notes[key] = left.isEmpty ? nil : left
    }

    /// A directory is gone with all that was in it.
    mutating func gone(_ directory: String) {
        guard let known = notes.removeValue(forKey: Array(directory.utf8)) else { return }
        for note in known.values { counted(note, -1) }
    }
}
