import Model
import Platform
import Registry
import Tailer

/// Files that a compressed one may have been made of, as far as the registry tells: a pure value.
///
/// 1. `app.log` is renamed to `app-1.log`, which a pattern matches as a log of its own.
/// 2. It is compressed there, to what is another log's file by its name.
///
/// How it begins tells whose content it is. The rest is compared when it is read.
struct FileOrigins {
    /// The likeliest first.
    let origins: [(entry: FileEntry, origin: FileOrigin)]

    /// Files that begin alike may be thousands, where all of them begin with the same banner.
    private static let most = 16
    /// Bytes of one beginning that are no accident.
    private static let leastAlike = 64
    /// Directories up to which an archive of a log may lie apart from it.
    private static let mostApart = 2

    init(of sighting: FileSighting, _ known: [FileEntry], departed: [FileEntry]) {
        let path = ExactText(sighting.path)
        let stream = ExactText(sighting.streamName)
        // Of its own files the stream finds out by itself which of them it is.
        if known.contains(where: { ExactText($0.stream) == stream && Self.tells($0, sighting) }) {
            origins = []
            return
        }
        let above = Self.ancestors(of: path)
        let name = Self.name(of: path)
        func origin(_ entry: FileEntry, hasLeft: Bool) -> (FileEntry, FileOrigin)? {
            let its = ExactText(entry.path)
            guard Self.tells(entry, sighting), !above.isDisjoint(with: Self.ancestors(of: its))
            else { return nil }
            let isUnread = !hasLeft && entry.state != .deleted && entry.offset < entry.end
            return (
                entry,
                FileOrigin(
                    file: entry.file, identity: entry.identity, path: entry.path,
                    hasLeft: hasLeft, position: entry.base.physical(entry.offset),
                    anchor: entry.anchor,
                    unread: isUnread ? ByteRange(start: entry.offset, end: entry.end) : nil,
                    isNamesake: name.starts(with: Self.name(of: its)))
            )
        }
        let found =
            departed.compactMap { origin($0, hasLeft: true) }
            + known.compactMap { origin($0, hasLeft: false) }
        func rank(_ item: (entry: FileEntry, origin: FileOrigin)) -> (Int, Int, Timestamp) {
            let isBeside = ExactText(item.entry.path).parent == path.parent
            return (isBeside ? 1 : 0, item.origin.isNamesake ? 1 : 0, item.entry.updated)
        }
        origins = Array(found.sorted { rank($0) > rank($1) }.prefix(Self.most))
    }

    /// Whether that an entry's file begins alike says anything.
    private static func tells(_ entry: FileEntry, _ sighting: FileSighting) -> Bool {
        let length = entry.fingerprint.length
        return length >= leastAlike
            || (sighting.hasKnownSize && length == sighting.size.bytes
                && entry.base.physical(entry.offset) == sighting.size)
    }

    /// The directory of a path, and those above it, but for the root of the file system.
    private static func ancestors(of path: ExactText) -> Set<ExactText> {
        var ancestors: Set<ExactText> = []
        var next = path.parent
        while let directory = next, directory != ExactText("/"), ancestors.count <= mostApart {
            ancestors.insert(directory)
            next = directory.parent
        }
        return ancestors
    }

    private static func name(of path: ExactText) -> Substring.UTF8View {
        path.text.utf8.directoryAndName?.name ?? path.text[...].utf8
    }
}
