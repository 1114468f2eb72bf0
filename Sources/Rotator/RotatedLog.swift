package import Platform

/// A log that is rotated in place, and what lies beside it: what the steps of a `Rotation` do to
/// files. One thread uses it; the writer of the log waits for it no longer than for one call.
///
/// Whoever owns the directory is not trusted: the log is opened without following a link, what was
/// opened is compared before anything is changed, no name is replaced, and what is made beside it
/// gets the log's owner and mode.
package final class RotatedLog {
    private let directory: Descriptor
    private let file: Descriptor
    private let name: [UInt8]
    /// As it was opened.
    package let status: FileStatus
    private var copy = Copy.none

    /// Where the copy of the front is, by its inode number.
    private enum Copy {
        case none
        case hidden(inode: UInt64)
        case placed(inode: UInt64)
    }

    /// Why a log is not touched.
    package enum Refusal: Error, Hashable, Sendable {
        /// Something else has the name: a link, a FIFO, another file than the one that is meant.
        case isOther
        /// It has so many names, and who looks after the others is not known.
        case hasLinks(Int)
        /// This process is root, and others may put into the directory what they like.
        case isOpenToOthers
        case failed(SystemError)
    }

    /// Bytes that are copied by one call.
    private static let piece = 1 << 20

    private init(
        _ directory: consuming Descriptor, _ file: consuming Descriptor, _ name: [UInt8],
        _ status: FileStatus
    ) {
        self.directory = directory
        self.file = file
        self.name = name
        self.status = status
    }

    /// Opens the log `name` of a directory. `isRight` compares what was opened with what is known
    /// of it.
    package static func open(
        _ name: [UInt8], in directory: consuming Descriptor, isRoot: Bool,
        isRight: (borrowing Descriptor, FileStatus) throws(SystemError) -> Bool
    ) throws(Refusal) -> RotatedLog {
        let place: FileStatus
        let opened: Descriptor.Opened
        do throws(SystemError) {
            place = try directory.status()
        } catch {
            throw .failed(error)
        }
        let isOpen = place.mode & 0o002 != 0 || (place.mode & 0o020 != 0 && place.group != 0)
        guard !isRoot || !isOpen else { throw .isOpenToOthers }
        do throws(SystemError) {
            opened = try directory.openFileToChange(name)
        } catch {
            throw error.code == .tooManyLinks ? .isOther : .failed(error)
        }
        switch consume opened {
        case .refused: throw .isOther
        case .file(let file, let status):
            guard status.links == 1 else { throw .hasLinks(status.links) }
            let isSame: Bool
            do throws(SystemError) {
                isSame = try isRight(file, status)
            } catch {
                throw .failed(error)
            }
            guard isSame else { throw .isOther }
            return RotatedLog(directory, file, name, status)
        }
    }

    // MARK: Looks

    /// What the directory's file system can do.
    package func probe() throws(SystemError) -> FrontRemoval {
        try FrontRemoval.probe(in: directory)
    }

    /// Bytes that it has now.
    package func size() throws(SystemError) -> Int { try file.status().size }

    /// Where the bytes begin that an earlier rotation has left; 0 as a rule.
    package func frontHole() throws(SystemError) -> Int {
        if let data = try file.nextData(from: 0) { return data }
        return try size()
    }

    /// At most `count` bytes, from `offset` on.
    package func bytes(_ count: Int, at offset: Int = 0) throws(SystemError) -> [UInt8] {
        try file.read(count: count, at: offset)
    }

    /// Looks for the copy that an earlier run has made, which has this inode number and so many
    /// bytes. False where it is nowhere.
    package func findCopy(inode: UInt64, size: Int) throws(SystemError) -> Bool {
        if try isThere(hidden, inode, size) {
            copy = .hidden(inode: inode)
            return true
        }
        if try isThere(ArchiveShift.name(name, 1), inode, size) {
            copy = .placed(inode: inode)
            return true
        }
        return false
    }

    private func isThere(
        _ name: [UInt8], _ inode: UInt64, _ size: Int? = nil
    ) throws(SystemError) -> Bool {
        do throws(SystemError) {
            let status = try directory.status(of: name)
            return status.isRegular && status.inode == inode
                && size.map { $0 == status.size } ?? true
        } catch {
            if error.code == .notFound { return false }
            throw error
        }
    }

    // MARK: The archive

    /// The copy's name until it is whole; no pattern leads there, unless one names what begins with
    /// a dot. By it the next rotation of the log finds what a killed one has left.
    private var hidden: [UInt8] { Array(".shipper-rotating-\(status.inode)".utf8) }

    /// Copies `range` of the log to a hidden file beside it, which is on the disk when this
    /// returns. `isOver` is asked now and then, and ends it with EINTR. Lends the copy to `body`.
    package func copy<R>(
        _ range: Range<Int>, isOver: () -> Bool,
        _ body: (borrowing Descriptor, FileStatus) throws(SystemError) -> R
    ) throws(SystemError) -> R {
        try removeLeftover()
        let made = try directory.makeFile(hidden)
        copy = .hidden(inode: try made.status().inode)
        var buffer = [UInt8](repeating: 0, count: min(Self.piece, range.count))
        var place = range.lowerBound
        while place < range.upperBound {
            if isOver() { throw SystemError("copy", code: .interrupted) }
            let wanted = min(buffer.count, range.upperBound - place)
            if wanted < buffer.count { buffer.removeLast(buffer.count - wanted) }
            let count = try file.read(into: &buffer, at: place)
            // Shorter than it was: it is not the file any more that was looked at.
            guard count > 0 else { throw SystemError("pread", code: .stale) }
            var written = 0
            try made.write(buffer.span.extracting(0..<count), progress: &written)
            place += count
        }
        let mine = try made.status()
        if mine.owner != status.owner || mine.group != status.group { try made.give(to: status) }
        try made.setMode(status.mode)
        try made.synchronise()
        let whole = try made.status()
        guard whole.size == range.count else { throw SystemError("write", code: .inputOutput) }
        return try body(made, whole)
    }

    private func removeLeftover() throws(SystemError) {
        do throws(SystemError) {
            try directory.remove(hidden)
        } catch {
            guard error.code == .notFound else { throw error }
        }
    }

    /// Makes room for one more archive. `mayGo` is asked of what is beyond `keep`, and stops
    /// everything with EBUSY where it says no.
    package func shift(
        keep: Int, mayGo: ([UInt8], FileStatus) -> Bool
    ) throws(SystemError) {
        switch copy {
        case .none: throw SystemError("shift", code: .notFound)
        case .placed: return
        case .hidden: break
        }
        let names = try directory.entries().map(\.name)
        let moves = ArchiveShift.moves(of: name, among: names, keep: keep)
        for case .remove(let name) in moves {
            let status = try directory.status(of: name)
            guard status.isRegular, mayGo(name, status) else {
                throw SystemError(
                    "unlinkat", path: String(decoding: name, as: UTF8.self), code: .busy)
            }
        }
        for move in moves {
            switch move {
            case .remove(let name): try directory.remove(name)
            case .rename(let old, let new): try directory.renameToNew(old, new)
            }
        }
    }

    /// The copy becomes the first archive, durably.
    package func place() throws(SystemError) {
        switch copy {
        case .none: throw SystemError("place", code: .notFound)
        case .hidden(let inode):
            try directory.renameToNew(hidden, ArchiveShift.name(name, 1))
            copy = .placed(inode: inode)
        case .placed: break
        }
        try directory.synchronise()
    }

    /// The copy goes: all that it has is in the log.
    package func discard() throws(SystemError) {
        switch copy {
        case .none: return
        case .hidden(let inode):
            if try isThere(hidden, inode) { try directory.remove(hidden) }
        case .placed(let inode):
            let first = ArchiveShift.name(name, 1)
            if try isThere(first, inode) { try directory.remove(first) }
        }
        copy = .none
    }

    // MARK: The front

    /// These bytes become a hole.
    package func punch(_ range: Range<Int>) throws(SystemError) { try file.punch(range) }

    /// What was written to the log up to now is on the disk, and so is what was punched.
    package func settle() throws(SystemError) { try file.synchroniseData() }

    /// The first `count` bytes, which are a hole, are gone.
    package func collapse(_ count: Int) throws(SystemError) { try file.collapse(front: count) }

    /// What was collapsed is on the disk.
    package func synchronise() throws(SystemError) { try file.synchronise() }
}
