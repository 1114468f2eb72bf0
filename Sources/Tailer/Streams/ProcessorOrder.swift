import Model

/// Which file of an s6 log directory an archive was made of by a processor (`!sed ...`), told by
/// order alone. Names of archives stand for their labels: they sort by time.
///
/// 1. s6-log renames `current` to `previous`, and a processor makes `processed` of it.
/// 2. `previous` is removed, and `processed` gets an archive's name. Only then is `current` rotated
///    again.
///
/// So each file becomes one archive, in the files' order. Files that were never followed have
/// archives, too; but what there was when a file was first seen was made of older ones. And
/// archives may be removed before they are seen: the oldest first, so none was while an older one
/// is there; else events tell of each, as long as they are heard.
struct ProcessorOrder {
    struct Source {
        /// Nil for one that was there and was not followed.
        let file: FileID?
        /// The newest archive that there was when it was first seen; empty when there was none.
        let after: [UInt8]
        /// The directory's watching since then, by its number.
        let watching: Int?
    }

    enum Match: Equatable {
        /// It was made of this file.
        case file(FileID)
        /// It was made of a file that was never followed.
        case unseen
        /// An event tells, which is there and not read yet.
        case awaited
        /// Archives may have been removed before it, so of which file it was made cannot be known.
        case unknown
    }

    /// Files that were followed and whose archive was not seen, oldest first; the live one is the
    /// last.
    private(set) var sources: [Source] = []
    /// All up to this archive are dealt with.
    private var newest: [UInt8] = []
    /// Later archives that events told of.
    private var names: Set<[UInt8]> = []
    /// The file whose archive was found last.
    private var matched: FileID?

    /// More files without an archive, or archives that are dealt with by none, are made by no
    /// s6-log.
    private static let most = 1_024

    /// A file has no archive's name and is followed, from now on or from an earlier run.
    mutating func follow(_ source: Source) {
        guard source.file == nil || source.file != matched,
            !sources.contains(where: { $0.file != nil && $0.file == source.file })
        else { return }
        if sources.count >= Self.most { forgetAll() }
        sources.append(source)
    }

    mutating func appeared(_ archives: [[UInt8]]) {
        guard !sources.isEmpty else { return }
        for name in archives where newest.lexicographicallyPrecedes(name) { names.insert(name) }
        if names.count > Self.most { forgetAll() }
    }

    /// It was too much, or there is no processor: of which file the next ones are made is not
    /// known.
    mutating func forgetAll() {
        sources = []
        names = []
    }

    mutating func forget(_ file: FileID) { sources.removeAll { $0.file == file } }

    /// An archive is known otherwise.
    mutating func pass(_ archive: [UInt8]) {
        guard newest.lexicographicallyPrecedes(archive) else { return }
        newest = archive
        names = names.filter { archive.lexicographicallyPrecedes($0) }
    }

    /// Finds the file that an archive was made of that is not known otherwise: the next one in
    /// order. `oldest` is the first archive there is; `isRotated` says whether a file is neither
    /// `current` nor `previous` any more.
    mutating func match(
        _ archive: [UInt8], oldest: [UInt8], watching: Int?, isThere: ([UInt8]) -> Bool,
        isRotated: (FileID) -> Bool
    ) -> Match {
        guard let first = sources.first, first.file.map(isRotated) ?? true else {
            pass(archive)
            return .unseen
        }
        let after = newest.lexicographicallyPrecedes(first.after) ? first.after : newest
        if after.lexicographicallyPrecedes(oldest) {
            guard let watching, first.watching == watching else {
                pass(archive)
                return .unknown
            }
            guard names.contains(archive) else { return .awaited }
            removed(before: archive, isThere: isThere, isRotated: isRotated)
        }
        defer { pass(archive) }
        guard let source = take(archive, isRotated) else { return .unseen }
        matched = source.file
        return source.file.map { .file($0) } ?? .unseen
    }

    /// Archives before this one, or all, that events told of and that are not there any more had a
    /// file each.
    mutating func removed(
        before archive: [UInt8]? = nil, isThere: ([UInt8]) -> Bool, isRotated: (FileID) -> Bool
    ) {
        for name in names.sorted(by: { $0.lexicographicallyPrecedes($1) }) where !isThere(name) {
            if let archive, !name.lexicographicallyPrecedes(archive) { break }
            _ = take(name, isRotated)
            pass(name)
        }
    }

    private mutating func take(_ archive: [UInt8], _ isRotated: (FileID) -> Bool) -> Source? {
        guard let source = sources.first, source.file.map(isRotated) ?? true,
            source.after.lexicographicallyPrecedes(archive)
        else { return nil }
        return sources.removeFirst()
    }
}
