import Model
import Platform
import Registry
import Rotator
import Tailer

/// Carries out a `Rotation` of one log: its steps are done by the registry, by whoever reads the
/// log, and by `RotatedLog`. One thread.
final class RotationRun {
    /// The parts that all rotations share.
    struct Parts: Sendable {
        let registry: Registry
        /// Asks the reader for a file of which all before the offset is to be removed.
        var lend: @Sendable (FileEntry, LogicalOffset) -> Bool = { _, _ in true }
        /// The reader has it back: its base, and its first bytes where those are others.
        var giveBack: @Sendable (FileEntry, Base, [UInt8]?) -> Void = { _, _, _ in }
        /// Nothing new is to be begun.
        var isOver: @Sendable () -> Bool = { false }
        /// Bytes that are free of those that the file system says: for tests.
        var free: @Sendable (Int) -> Int = { $0 }
        /// Bytes of one archive, of logs whose input says no size: while they are copied no other
        /// log is rotated.
        var longest = 16 << 30
        /// Asked before each step; an error is taken for the step's own. False ends everything
        /// there, as a kill would: for tests.
        var mayTake: @Sendable (Rotation.Step) throws(SystemError) -> Bool = { _ in true }
        /// The same before each step of compressing an archive.
        var mayPack: @Sendable (ArchivePacking.Step) throws(SystemError) -> Bool = { _ in true }
    }

    private let parts: Parts
    private let log: RotatedLog
    private let keep: Int
    /// As it was when the rotation began.
    private let entry: FileEntry
    /// What stands behind the front.
    private var next: [UInt8] = []
    private var archive: NewFile?
    /// Entries of archives that are removed to make room.
    private var leaving: Set<FileID> = []
    /// More of the log may go, and does so as the next archive.
    var leavesMore = false
    /// The base and the first bytes of what was changed.
    private var changed: (base: Base, head: [UInt8])?
    private(set) var rotation: Rotation
    /// The intent was entered, by this run or an earlier one.
    private var isIntended = false
    /// Another content was found where a killed run had begun.
    private var isOther = false

    private var registry: Registry { parts.registry }

    /// Of a log that holds what `entry` says.
    init(_ parts: Parts, _ entry: FileEntry, _ log: RotatedLog, keep: Int, _ rotation: Rotation) {
        self.parts = parts
        self.entry = entry
        self.log = log
        self.keep = keep
        self.rotation = rotation
        isIntended = entry.cut != nil
    }

    /// The name of the archive that would have to go, and may not.
    func archiveInTheWay() throws(SystemError) -> [UInt8]? {
        try log.archiveInTheWay(keep: keep, mayGo: mayGo)
    }

    /// To the end.
    func run() {
        while let step = rotation.step {
            do throws(SystemError) {
                guard try parts.mayTake(step) else { return }
                if let obstacle = obstacle(to: step) {
                    rotation.refused(obstacle)
                    continue
                }
                switch step {
                case .inspect: rotation.saw(try inspect())
                case .resolve: rotation.saw(try resolve())
                case .copy, .lend, .intend, .shift, .place, .punch, .settle, .announce, .collapse,
                    .discard, .giveBack:
                    try take(step)
                    rotation.done()
                }
            } catch {
                rotation.failed(error)
            }
        }
    }

    private func take(_ step: Rotation.Step) throws(SystemError) {
        switch step {
        case .copy: try copy()
        case .lend:
            let end = entry.base.logical(PhysicalOffset(rotation.length))
            guard parts.lend(entry, end) else { throw SystemError("lend", code: .busy) }
        case .intend: try intend()
        case .shift:
            leaving = []
            try log.shift(keep: keep, mayGo: mayGo)
        case .place:
            try log.place()
            // That is on the disk now, and their inode numbers may be other files' at once.
            for file in leaving { registry.gone(file) }
        case .punch(let range): try log.punch(range)
        case .settle: try log.settle()
        case .announce:
            guard registry.announceCollapse(entry.file), registry.force() else {
                throw Self.unsaved
            }
        case .collapse:
            try log.collapse(rotation.length)
            try log.synchronise()
        case .discard: try log.discard()
        case .giveBack: parts.giveBack(entry, changed?.base ?? entry.base, changed?.head)
        case .inspect, .resolve: break
        }
    }

    /// Why a step must not be done that removes bytes: the log, or its archive, is not what it was.
    private func obstacle(to step: Rotation.Step) -> SystemError? {
        do throws(SystemError) {
            switch step {
            case .punch(let range):
                try check()
                if range.lowerBound == 0 {
                    // Whole, or what an earlier run has left.
                    try checkHead { $0 != nil }
                    guard try log.hasArchive() else { throw stale }
                }
            case .collapse:
                try check()
                try checkHead { $0 == .punched }
            case .copy, .lend, .intend, .shift, .place, .settle, .announce, .resolve, .discard,
                .giveBack, .inspect:
                break
            }
            return nil
        } catch {
            return error
        }
    }

    private static let unsaved = SystemError("fsync", path: "journal.jsonl", code: .inputOutput)

    /// The log goes on as it is known: whoever truncates it meanwhile, or puts something else into
    /// it, loses nothing by us.
    ///
    /// 1. A file is copied, and its front is about to be punched.
    /// 2. A logrotate that was forgotten truncates it, and its writer goes on.
    /// 3. What was the front is what was written since, and in no archive.
    ///
    /// By what stands before the position, of which all has to be known: nothing is like whatever
    /// stands there. And by what stands behind the front.
    private func check() throws(SystemError) {
        guard let now = registry.entry(entry.file), now.generation == entry.generation,
            now.anchor.bytes.count == Anchor.longest, try Self.goesOn(now, log)
        else { throw stale }
        let behind = try log.bytes(Fingerprint.longest, at: rotation.length)
        guard now.cut.map({ $0.head.matches(head: behind) }) ?? (behind == next) else {
            throw stale
        }
    }

    /// The first bytes say of the cut what they should.
    private func checkHead(_ isRight: (FileEntry.CutEnd?) -> Bool) throws(SystemError) {
        let head = try head()
        guard let now = registry.entry(entry.file), isRight(now.cutEnd(head)) else { throw stale }
    }

    private var stale: SystemError { SystemError("check", path: entry.path, code: .stale) }

    /// Whether a log holds the bytes before the position of its entry, as far as those are known.
    static func goesOn(_ entry: FileEntry, _ log: RotatedLog) throws(SystemError) -> Bool {
        let position = entry.base.physical(entry.offset).bytes
        let anchor = entry.anchor.bytes
        guard try log.size() >= position, position >= anchor.count else { return false }
        return try log.bytes(anchor.count, at: position - anchor.count) == anchor
    }

    private func copy() throws(SystemError) {
        let length = rotation.length
        next = try log.bytes(Fingerprint.longest, at: length)
        // Zeros are what a hole looks like, and are told from it by nothing.
        guard next.count == Fingerprint.longest, next.contains(where: { $0 != 0 }) else {
            throw SystemError("read", path: entry.path, code: .invalid)
        }
        let hole = try log.frontHole()
        guard hole < length else { throw SystemError("lseek", path: entry.path, code: .invalid) }
        archive = try log.copy(hole..<length, isOver: parts.isOver) {
            (made, status) throws(SystemError) in
            let end = PhysicalOffset(status.size)
            let head = try made.read(count: Fingerprint.longest, at: 0)
            let last = max(0, status.size - Anchor.longest)
            return NewFile(
                input: entry.input, stream: entry.stream, path: "\(entry.path).1",
                identity: FileIdentity(of: made, status), fingerprint: .of(head: head), offset: end,
                anchor: Anchor(bytes: try made.read(count: status.size - last, at: last)),
                size: end, state: .archived)
        }
    }

    private func intend() throws(SystemError) {
        try check()
        guard let archive,
            registry.beginCut(
                entry.file, entry.generation, length: rotation.length, head: next, archive: archive)
                != nil
        else { throw stale }
        isIntended = true
        guard registry.force() else { throw Self.unsaved }
    }

    /// An archive that is known, that nobody writes to any more, and whose bytes are all delivered.
    /// One that is not known, or of which no byte was ever read (`start: end`), is somebody
    /// else's.
    private func mayGo(_ name: [UInt8], _ status: FileStatus) throws(SystemError) -> Bool {
        let isPacked = name.suffix(3).elementsEqual(".gz".utf8)
        let known = registry.entries().filter { $0.identity.hasNumbers(of: status) }
        guard !known.isEmpty,
            known.allSatisfy({ $0.isDone(size: status.size, isPacked: isPacked) })
        else { return false }
        return try log.isArchive(name, inode: status.inode) { (file, now) throws(SystemError) in
            for entry in known where try !entry.isContent(of: file, now, isPacked: isPacked) {
                return false
            }
            // With another name it is a file that goes on.
            if now.links == 1 { leaving.formUnion(known.lazy.map(\.file)) }
            return true
        }
    }

    /// What a killed run has left.
    private func inspect() throws(SystemError) -> Rotation.Sight {
        guard let cut = entry.cut, let end = entry.cutEnd(try head()), try Self.goesOn(entry, log)
        else {
            // What was collapsed has its position elsewhere.
            isOther = try entry.cutEnd(head()) != .collapsed
            return isOther ? .other : .collapsed
        }
        if cut.step == .punching, let archive = registry.entry(cut.archive) {
            _ = try log.findCopy(inode: archive.identity.inode, size: archive.size.bytes)
        }
        let hasHole = try log.hasHole(before: cut.length)
        return end == .untouched && hasHole ? .punched : Self.sight(end)
    }

    private func head() throws(SystemError) -> [UInt8] { try log.bytes(Fingerprint.longest) }

    /// Saves what became of the log.
    private func resolve() throws(SystemError) -> Rotation.Sight {
        let head = try head()
        if isOther {
            _ = registry.forgetCut(entry.file)
            return .other
        }
        // Nothing was removed before that.
        guard isIntended else { return .untouched }
        let hasHole = try log.hasHole(before: rotation.length)
        let isTouched = rotation.isTouched || hasHole
        if !isTouched, registry.entry(entry.file)?.cutEnd(head) == .untouched {
            // Before its entry leaves, or the next run would send it.
            try log.discard()
        }
        if let (settled, end) = registry.settleCut(entry.file, head: head, isTouched: isTouched) {
            if end != .untouched { changed = (settled.base, head) }
            return Self.sight(end)
        }
        // Another content stands there, or is known to.
        _ = registry.forgetCut(entry.file)
        return .other
    }

    private static func sight(_ end: FileEntry.CutEnd) -> Rotation.Sight {
        switch end {
        case .untouched: .untouched
        case .punched: .punched
        case .collapsed: .collapsed
        }
    }
}
