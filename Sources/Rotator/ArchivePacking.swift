package import Platform

/// One archive that is being compressed, a little at a time.
///
///     create → pack … → prove … → enter → place → remove
///
/// The packed bytes go to a hidden file beside it, which has the archive's owner, mode and times.
/// When that is on the disk it is unpacked again: only what has as many bytes with the same
/// checksum as were read of the archive, of which nothing has changed meanwhile, is believed. Then
/// it is entered in the registry, gets its name durably, and the plain one goes. A kill at any step
/// leaves the plain one, or both whole, or the packed one.
package final class ArchivePacking {
    /// What is done next.
    package enum Step: Hashable, Sendable {
        case pack, prove, enter, place, remove
    }

    /// Names of hidden files begin so; no pattern leads there, unless one names what begins with a
    /// dot.
    static let prefix = Array(".shipper-packing-".utf8)
    /// Bytes that are taken by one call.
    private static let piece = 256 << 10

    private let shelf: ArchiveShelf
    private let source: Descriptor
    private let target: Descriptor
    private let log: [UInt8]
    private let hidden: [UInt8]
    /// The archive as it was when it was opened.
    package let status: FileStatus
    private let writer: GzipWriter
    private var checksum: UInt32 = 0
    private var proof: Decompressor?
    private var proven = 0
    private var proofChecksum: UInt32 = 0
    private var buffer = [UInt8](repeating: 0, count: piece)
    /// The packed file's bytes, once all of it is written.
    package private(set) var packedSize = 0
    /// It has the archive's name.
    private var isPlaced = false
    /// The next one.
    package private(set) var step = Step.pack

    /// Opens an archive of the log `log`, if `isRight` of what was opened, and makes the hidden
    /// file. Nil where it is another one by now, has other names, or is being packed by another.
    package init?(
        _ archive: Archive, of log: [UInt8], on shelf: ArchiveShelf,
        isRight: (borrowing Descriptor, FileStatus) throws(SystemError) -> Bool
    ) throws(SystemError) {
        let opened = try shelf.directory.openFile(archive.name)
        guard case .file(let source, let status) = consume opened, status.inode == archive.inode,
            status.links == 1, try isRight(source, status)
        else { return nil }
        hidden = Self.prefix + Array("\(status.inode)".utf8)
        try shelf.discard(leftover: hidden)
        let made: Descriptor
        do throws(SystemError) {
            made = try shelf.directory.makeFile(hidden)
        } catch {
            if error.code == .exists { return nil }
            throw error
        }
        // For as long as it is written: whoever can lock it may take it for a leftover.
        guard try made.lock() else { return nil }
        try made.setMode(status.mode)
        let mine = try made.status()
        if mine.owner != status.owner || mine.group != status.group { try made.give(to: status) }
        writer = try GzipWriter()
        self.shelf = shelf
        self.source = source
        target = made
        self.log = log
        self.status = status
    }

    /// Packs or proves about `count` bytes of the archive. True when that is through, and all that
    /// is left is to `finish`.
    package func goOn(_ count: Int) throws(SystemError) -> Bool {
        var left = count
        while left > 0 {
            switch step {
            case .pack: left -= try pack()
            case .prove: left -= try prove()
            case .enter, .place, .remove: return true
            }
        }
        return step != .pack && step != .prove
    }

    private func pack() throws(SystemError) -> Int {
        let count = try source.read(into: &buffer, at: writer.taken)
        if count > 0 {
            let bytes = buffer
            let piece = bytes.span.extracting(0..<count)
            checksum = Checksum.crc32(piece, after: checksum)
            try writer.write(piece, to: target)
            return count
        }
        guard writer.taken == status.size else { throw changed }
        try writer.finish(to: target)
        try target.setTimes(status.modified)
        try target.synchronise()
        packedSize = try target.status().size
        let proof = Decompressor(.gzip, isWhole: true)
        self.proof = proof
        step = .prove
        return 1
    }

    private func prove() throws(SystemError) -> Int {
        guard let proof else { throw changed }
        let count = try proof.read(
            into: &buffer, count: buffer.count, at: proven, budget: .max, in: target)
        guard let count, proof.fault == nil else { throw damaged }
        if count > 0 {
            let bytes = buffer
            proofChecksum = Checksum.crc32(
                bytes.span.extracting(0..<count), after: proofChecksum)
            proven += count
            return count
        }
        guard proven == status.size, proofChecksum == checksum else { throw damaged }
        self.proof = nil
        step = .enter
        return 1
    }

    /// It was written to, by somebody who had it open yet.
    private var changed: SystemError { SystemError("pread", code: .stale) }
    private var damaged: SystemError { SystemError("inflate", code: .inputOutput) }

    /// The steps that are left. `mayTake` is asked before each, and false ends all there, as a kill
    /// would. `enter` saves that the packed file is known and delivered, durably, and `mayGo` is
    /// asked of the plain one before that and before it goes. `confirm` sees to it that the packed
    /// one is known still once it has its name, and before the plain one goes: who looked at the
    /// directory before may have taken it for one that is gone.
    ///
    /// The archive may have another number by now.
    package func finish(
        mayTake: (Step) throws(SystemError) -> Bool,
        mayGo: (FileStatus) -> Bool,
        enter: (borrowing Descriptor, FileStatus, [UInt8]) throws(SystemError) -> Void,
        confirm: () throws(SystemError) -> Void = {}
    ) throws(SystemError) -> [UInt8]? {
        try shelf.locked { () throws(SystemError) in
            guard try mayTake(.enter) else { return nil }
            let now = try source.status()
            guard now.size == status.size, now.modified == status.modified, now.links == 1,
                mayGo(now), let name = try plainName()
            else { throw changed }
            let packed = try target.status()
            let new = name + Array(".gz".utf8)
            guard packed.size == packedSize, packed.links == 1,
                try shelf.status(of: hidden)?.inode == packed.inode,
                try shelf.status(of: new) == nil
            else { throw SystemError("renameat2", code: .exists) }
            try enter(target, packed, new)
            step = .place
            guard try mayTake(.place) else { return nil }
            try shelf.directory.renameToNew(hidden, new)
            isPlaced = true
            try confirm()
            guard try shelf.status(of: new)?.inode == packed.inode else { throw changed }
            try shelf.directory.synchronise()
            step = .remove
            guard try mayTake(.remove) else { return nil }
            try confirm()
            guard let again = try shelf.status(of: name), again.inode == status.inode,
                again.size == status.size, again.modified == status.modified, mayGo(again)
            else { throw changed }
            try shelf.directory.remove(name)
            try shelf.directory.synchronise()
            return new
        }
    }

    /// Where the archive is now.
    private func plainName() throws(SystemError) -> [UInt8]? {
        try shelf.directory.entries().first {
            $0.inode == status.inode && ArchiveShift.number(of: $0.name, log)?.ending == ""
        }?.name
    }

    /// What was written of it goes, unless it has a name of its own already: false then.
    package func giveUp() throws(SystemError) -> Bool {
        guard !isPlaced else { return false }
        if try shelf.status(of: hidden)?.inode == target.status().inode {
            try shelf.directory.remove(hidden)
        }
        return true
    }
}
