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
    private let witness: any FileStepWitness
    private var copy = Copy.none

    /// Where the copy of the front is, by its inode number, and its bytes.
    private enum Copy {
        case none
        case hidden(inode: UInt64, size: Int)
        case placed(inode: UInt64, size: Int)
    }

    /// Why a log is not touched.
    package enum Refusal: Error, Hashable, Sendable {
        /// Something else has the name: a link, a FIFO, another file than the one that is meant.
        case isOther
        /// It has so many names, and who looks after the others is not known.
        case hasLinks(Int)
        /// Another process holds its lock: another agent rotates it.
        case isLocked
        /// This process is root, and others may put into the directory what they like.
        case isOpenToOthers
        case failed(SystemError)
    }

    /// Bytes that are copied by one call.
    private static let piece = 1 << 20

    private init(
        _ directory: consuming Descriptor, _ file: consuming Descriptor, _ name: [UInt8],
        _ status: FileStatus, _ witness: any FileStepWitness
    ) {
        self.directory = directory
        self.file = file
        self.name = name
        self.status = status
        self.witness = witness
    }

    deinit { directory.unlock() }

    /// Opens the log `name` of a directory. `isRight` compares what was opened with what is known
    /// of it. The log is locked for all others who rotate logs so, as long as this lives.
    /// `witness` is for tests.
    package static func open(
        _ name: [UInt8], in directory: consuming Descriptor, isRoot: Bool,
        witness: any FileStepWitness = SilentWitness(),
        isRight: (borrowing Descriptor, FileStatus) throws(SystemError) -> Bool
    ) throws(Refusal) -> RotatedLog {
        let place: FileStatus
        let opened: Descriptor.Opened
        do throws(SystemError) {
            place = try directory.status()
        } catch {
            throw .failed(error)
        }
        guard !isRoot || !isOpenToOthers(place) else { throw .isOpenToOthers }
        do throws(SystemError) {
            opened = try directory.openFileToChange(name)
        } catch {
            throw error.code == .tooManyLinks ? .isOther : .failed(error)
        }
        switch consume opened {
        case .refused: throw .isOther
        case .file(let file, let status):
            guard status.links == 1 else { throw .hasLinks(status.links) }
            let isMine: Bool
            do throws(SystemError) {
                // Not the log itself: there are programs that lock theirs for each line.
                isMine = try directory.lock()
            } catch {
                throw .failed(error)
            }
            guard isMine else { throw .isLocked }
            let isSame: Bool
            do throws(SystemError) {
                isSame = try isRight(file, status)
            } catch {
                directory.unlock()
                throw .failed(error)
            }
            guard isSame else {
                directory.unlock()
                throw .isOther
            }
            return RotatedLog(directory, file, name, status, witness)
        }
    }

    /// Whether others than its owner may put into a directory what they like.
    static func isOpenToOthers(_ directory: FileStatus) -> Bool {
        directory.mode & 0o002 != 0 || (directory.mode & 0o020 != 0 && directory.group != 0)
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

    /// Whether any of the first `length` bytes is a hole, or may be, from `start` on.
    package func hasHole(before length: Int, from start: Int = 0) throws(SystemError) -> Bool {
        try file.nextHole(from: start).map { $0 < length } ?? true
    }

    /// Bytes that are free where it lies.
    package func freeBytes() throws(SystemError) -> Int { try file.freeBytes() }

    /// At most `count` bytes, from `offset` on.
    package func bytes(_ count: Int, at offset: Int = 0) throws(SystemError) -> [UInt8] {
        try file.read(count: count, at: offset)
    }

    /// Looks for the copy that an earlier run has made, which has this inode number and so many
    /// bytes. False where it is nowhere.
    package func findCopy(inode: UInt64, size: Int) throws(SystemError) -> Bool {
        if try isThere(hidden, inode, size) {
            copy = .hidden(inode: inode, size: size)
            return true
        }
        if try isThere(ArchiveShift.name(name, 1), inode, size) {
            copy = .placed(inode: inode, size: size)
            return true
        }
        return false
    }

    /// Its name leads to it still. Else who has renamed it has other plans for what lies here.
    private func checkName() throws(SystemError) {
        guard try isThere(name, status.inode) else {
            throw SystemError("fstatat", path: String(decoding: name, as: UTF8.self), code: .stale)
        }
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
        let mine = try made.status()
        copy = .hidden(inode: mine.inode, size: range.count)
        // Before anything is copied: who may not do that would copy in vain again and again.
        try made.setMode(status.mode)
        if mine.owner != status.owner || mine.group != status.group { try made.give(to: status) }
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

    /// An archive that is to be looked at, if its name leads to that inode still.
    package func isArchive(
        _ name: [UInt8], inode: UInt64,
        _ body: (borrowing Descriptor, FileStatus) throws(SystemError) -> Bool
    ) throws(SystemError) -> Bool {
        let opened = try directory.openFile(name)
        guard case .file(let file, let status) = consume opened, status.inode == inode else {
            return false
        }
        return try body(file, status)
    }

    /// Makes room for one more archive. `mayGo` is asked of what is beyond `keep`, and stops
    /// everything with EBUSY where it says no.
    package func shift(
        keep: Int, mayGo: ([UInt8], FileStatus) throws(SystemError) -> Bool
    ) throws(SystemError) {
        switch copy {
        case .none: throw SystemError("shift", code: .notFound)
        case .placed: return
        case .hidden: break
        }
        if let name = try archiveInTheWay(keep: keep, mayGo: mayGo) {
            throw SystemError("unlinkat", path: String(decoding: name, as: UTF8.self), code: .busy)
        }
        try checkName()
        for move in try moves(keep) {
            switch move {
            case .remove(let name):
                try checkIsOther(name)
                // It may be another one by now.
                guard try mayGo(name, try directory.status(of: name)) else {
                    throw SystemError(
                        "unlinkat", path: String(decoding: name, as: UTF8.self), code: .busy)
                }
                try directory.remove(name)
            case .rename(let old, let new):
                try checkIsOther(old)
                try directory.renameToNew(old, new)
            }
        }
    }

    /// The archive that would have to go, and may not.
    package func archiveInTheWay(
        keep: Int, mayGo: ([UInt8], FileStatus) throws(SystemError) -> Bool
    ) throws(SystemError) -> [UInt8]? {
        for case .remove(let name) in try moves(keep) {
            let status = try directory.status(of: name)
            guard status.isRegular, status.inode != self.status.inode, try mayGo(name, status)
            else { return name }
        }
        return nil
    }

    private func moves(_ keep: Int) throws(SystemError) -> [ArchiveShift.Move] {
        ArchiveShift.moves(of: name, among: try directory.entries().map(\.name), keep: keep)
    }

    /// 1. A front is copied.
    /// 2. A logrotate that was forgotten renames the log to the name of an archive; its writer has
    ///    it open.
    /// 3. What is removed or moved for want of room is the log.
    private func checkIsOther(_ name: [UInt8]) throws(SystemError) {
        guard try directory.status(of: name).inode != status.inode else {
            throw SystemError("fstatat", path: String(decoding: name, as: UTF8.self), code: .stale)
        }
    }

    /// The copy becomes the first archive, durably.
    ///
    /// 1. Two agents with two data directories rotate one log, and each makes its copy under the
    ///    same hidden name.
    /// 2. What the one has copied is removed by the other, whose copy is half written.
    /// 3. Were that taken for the archive, the front that goes would be nowhere.
    package func place() throws(SystemError) {
        let first = ArchiveShift.name(name, 1)
        let stale = SystemError(
            "fstatat", path: String(decoding: first, as: UTF8.self), code: .stale)
        switch copy {
        case .none: throw SystemError("place", code: .notFound)
        case .hidden(let inode, let size):
            try checkName()
            guard try isThere(hidden, inode, size) else { throw stale }
            try directory.renameToNew(hidden, first)
            copy = .placed(inode: inode, size: size)
            guard try isThere(first, inode, size) else { throw stale }
        case .placed(let inode, let size):
            guard try isThere(first, inode, size) else { throw stale }
        }
        try directory.synchronise()
    }

    /// Whether the first archive is still the copy.
    package func hasArchive() throws(SystemError) -> Bool {
        guard case .placed(let inode, let size) = copy else { return false }
        return try isThere(ArchiveShift.name(name, 1), inode, size)
    }

    /// The copy goes: all that it has is in the log.
    package func discard() throws(SystemError) {
        switch copy {
        case .none: return
        case .hidden(let inode, _):
            if try isThere(hidden, inode) { try directory.remove(hidden) }
        case .placed(let inode, _):
            let first = ArchiveShift.name(name, 1)
            if try isThere(first, inode) { try directory.remove(first) }
        }
        // Its entry leaves after it: without one it would be sent again.
        try directory.synchronise()
        copy = .none
    }

    // MARK: The front

    /// These bytes become a hole.
    package func punch(_ range: Range<Int>) throws(SystemError) { try file.punch(range) }

    /// What was written to the log up to now is on the disk, and so is what was punched.
    package func settle() throws(SystemError) {
        try witness.willTake(.synchronise(String(decoding: name, as: UTF8.self)))
        try file.synchroniseData()
    }

    /// The first `count` bytes, which are a hole, are gone.
    package func collapse(_ count: Int) throws(SystemError) { try file.collapse(front: count) }

    /// What was collapsed is on the disk.
    package func synchronise() throws(SystemError) { try file.synchronise() }
}
