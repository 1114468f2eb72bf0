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
        /// The archive that is this very file, of which no processor has made another.
        var archive: [UInt8]?
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

    /// Nothing was found out yet.
    var isBlank: Bool { sources.isEmpty && newest.isEmpty && names.isEmpty && matched == nil }

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

    /// Events told of these names. Of which file one was made may be known later:
    ///
    /// 1. A new directory is listed, with `previous` and `current`.
    /// 2. `previous` becomes an archive, and an event tells of that.
    /// 3. Only then are the two files opened and followed.
    mutating func appeared(_ archives: [[UInt8]]) {
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

    /// No processor has made `archive` of the file: it is the file, under another name.
    mutating func isItself(_ file: FileID, _ archive: [UInt8]) {
        guard let place = sources.firstIndex(where: { $0.file == file }) else { return }
        sources[place].archive = archive
    }

    /// An archive is known otherwise. Where it is one of the files itself, those before that one
    /// have had theirs:
    ///
    /// 1. `previous` and `current` are followed. The archive that is made of the first is removed.
    /// 2. The second becomes an archive without a processor. Events told of both.
    /// 3. What comes then is not the first one's.
    mutating func pass(_ archive: [UInt8]) {
        let place = sources.lastIndex { source in
            source.archive.map { !archive.lexicographicallyPrecedes($0) } ?? false
        }
        if let place { sources.removeFirst(place + 1) }
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
                // Of which of these the next ones were made is not known, either.
                sources.removeAll { $0.file.map(isRotated) ?? true }
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
    /// file each. Such a name is for another look where its file is not rotated yet, as the caller
    /// has it:
    ///
    /// 1. A directory is listed. Then its first file is rotated, and an event tells of the archive.
    /// 2. The listing has no such archive, and has the file as `current`.
    /// 3. The archive is removed, and the second file's archive comes. With the first name
    ///    forgotten, that would be the first file's, and its lines would not come.
    mutating func removed(
        before archive: [UInt8]? = nil, isThere: ([UInt8]) -> Bool, isRotated: (FileID) -> Bool
    ) {
        for name in names.sorted(by: { $0.lexicographicallyPrecedes($1) }) where !isThere(name) {
            if let archive, !name.lexicographicallyPrecedes(archive) { break }
            if let next = sources.first, next.after.lexicographicallyPrecedes(name),
                !(next.file.map(isRotated) ?? true)
            {
                return
            }
            _ = take(name, isRotated)
            pass(name)
        }
    }

    private mutating func take(_ archive: [UInt8], _ isRotated: (FileID) -> Bool) -> Source? {
        guard let source = sources.first, source.archive == nil,
            source.file.map(isRotated) ?? true,
            source.after.lexicographicallyPrecedes(archive)
        else { return nil }
        return sources.removeFirst()
    }
}
