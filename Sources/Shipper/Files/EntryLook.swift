import Model
import Platform
import Registry
import Tailer

/// The file at an entry's path now.
enum EntryLook {
    /// The file of the entry, open for reading, with the content that is known of it, and its size.
    case same(SharedDescriptor, size: Int)
    /// Another file, or other content.
    case other
    /// Compressed: its bytes are not those that offsets count.
    case packed
    case unreachable(SystemError)

    init(_ entry: FileEntry) {
        do throws(SystemError) {
            self = try Self.look(entry)
        } catch {
            self = .unreachable(error)
        }
    }

    var isPacked: Bool {
        if case .packed = self { true } else { false }
    }

    /// Why it is not the same.
    var reason: String {
        switch self {
        case .same: "it is as it is known"
        case .other: "another file, or other content, has its name"
        case .packed: "it is compressed"
        case .unreachable(let error): "it cannot be opened: \(error)"
        }
    }

    private static func look(_ entry: FileEntry) throws(SystemError) -> EntryLook {
        let path = PathText.bytes(of: entry.path)
        guard let (place, name) = path.directoryAndName else { return .other }
        switch try directory(Array(place) + [UInt8(ascii: "/")]).openFile(Array(name)) {
        case .refused: return .other
        case .file(let file, let status):
            let identity = FileIdentity(of: file, status)
            guard
                entry.identity.agrees(with: identity)
                    || entry.identity.isRenumbered(from: identity)
            else { return .other }
            let head = try file.read(count: Fingerprint.longest, at: 0)
            guard entry.fingerprint.matches(head: head) else {
                return Compression(head: head) == nil ? .other : .packed
            }
            return .same(SharedDescriptor(file), size: status.size)
        }
    }

    /// A directory whose name need not be UTF-8.
    static func directory(_ path: [UInt8]) throws(SystemError) -> Descriptor {
        try Descriptor.open(path, O.directory)
    }
}

/// Finds where lines begin in a file, from behind.
enum LineSearch {
    /// The end of the last newline before the physical offset `position`, or 0.
    static func lineStart(in file: SharedDescriptor, before position: Int) throws(SystemError)
        -> Int
    {
        var end = position
        while end > 0 {
            let start = max(0, end - (64 << 10))
            let bytes = try file.descriptor.read(count: end - start, at: start)
            if let newline = bytes.lastIndex(of: UInt8(ascii: "\n")) { return start + newline + 1 }
            end = start
        }
        return 0
    }
}
