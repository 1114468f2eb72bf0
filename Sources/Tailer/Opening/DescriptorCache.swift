import Model
import Platform

/// Keeps the files' descriptors below a bound: where one more is needed, a file that was quiet for
/// long is parked. Lives on the reader thread.
///
/// The order is that of a clock: files stand in a ring, one that was used since the hand passed it
/// last is passed over once more. So a turn costs one store, and nothing is sorted.
final class DescriptorCache {
    /// Descriptors that files may have at a time.
    let most: Int
    private(set) var count = 0
    /// Those that cannot be closed without loss.
    let holds: HeldFiles
    /// Open files; and some that are no longer, until the hand comes by or they outnumber the
    /// others.
    private var ring = RingQueue<TailedFile>()
    /// Bounded by twice the open files.
    var remembered: Int { ring.count }
    /// The file whose turn it is: it is not parked to open another one.
    var current: TailedFile?
    /// Files that were parked to make room, since somebody took them off: those of one pass of the
    /// loop, `mostNoted` at the most. What is not among them has its next poll, or stays awake
    /// until something happens to it.
    private var parked: [TailedFile] = []
    private static let mostNoted = 4_096
    /// Every open file was looked at and has to stay; until one is used or closed.
    private var isExhausted = false

    /// Files passed by the hand in search of one that is quiet and read to its end, before one with
    /// unread bytes is taken as well.
    private static let mostQuietLooks = 64

    /// Where a file stands in the cache.
    struct RingState {
        var isInRing = false
        /// Since the hand passed it last.
        var wasUsed = false
    }

    /// `heldBytes`: of the disk, by files that no name leads to.
    init(most: Int, heldBytes: Int) {
        self.most = most
        holds = HeldFiles(descriptors: most, bytes: heldBytes)
    }

    /// A file got its descriptor; there was room for it.
    func add(_ file: TailedFile) {
        count += 1
        file.holds = holds
        holds.update(file)
        use(file)
        guard !file.ringState.isInRing else { return }
        file.ringState.isInRing = true
        ring.append(file)
        if ring.count > 2 * count + 64 { sweep() }
    }

    /// An open file is used.
    func use(_ file: TailedFile) {
        file.ringState.wasUsed = true
        isExhausted = false
    }

    /// A file is parked, or done with.
    func close(_ file: TailedFile) {
        guard file.isOpen else { return }
        file.park()
        holds.update(file)
        count -= 1
        isExhausted = false
    }

    /// A file is lent, with its descriptor, until it is added again. False where it has none.
    func lend(_ file: TailedFile) -> Bool {
        guard file.lend() else { return false }
        holds.update(file)
        count -= 1
        isExhausted = false
        return true
    }

    /// Sees to it that so many more descriptors may be opened; false where too many open files have
    /// to stay.
    func makeRoom(for more: Int = 1) -> Bool {
        while count + more > most {
            guard parkOne() else { return false }
        }
        return true
    }

    /// Files that were parked to make room since this was asked last.
    func takeParked() -> [TailedFile] {
        defer { parked = [] }
        return parked
    }

    /// 1. A file is quiet and parked. It is renamed, and more rotated files follow.
    /// 2. Those are opened. They are unread, and stay open.
    /// 3. They wait for the first one, and that for a descriptor.
    ///
    /// So the last of those makes room, although it may be removed before its turn.
    func parkNewer(than file: TailedFile) -> Bool {
        guard let stream = file.stream else { return false }
        for other in stream.files.reversed() {
            if other === file { return false }
            if other.isOpen, other !== current, other.glance() != nil {
                close(other)
                return true
            }
        }
        return false
    }

    /// Parks a file, if one may be.
    func parkOne() -> Bool {
        if isExhausted { return false }
        if let file = find(looks: Self.mostQuietLooks, quiet: true)
            ?? find(looks: 2 * ring.count, quiet: false)
        {
            close(file)
            if parked.count < Self.mostNoted { parked.append(file) }
            return true
        }
        isExhausted = true
        return false
    }

    private func find(looks: Int, quiet: Bool) -> TailedFile? {
        for _ in 0..<min(looks, 2 * ring.count) {
            guard let file = ring.popFirst() else { return nil }
            guard file.isOpen else {
                file.ringState.isInRing = false
                continue
            }
            if !file.ringState.wasUsed, file !== current, Self.mayBeParked(file, quiet: quiet) {
                file.ringState.isInRing = false
                return file
            }
            file.ringState.wasUsed = false
            ring.append(file)
        }
        return nil
    }

    private func sweep() {
        for _ in 0..<ring.count {
            guard let file = ring.popFirst() else { return }
            if file.isOpen { ring.append(file) } else { file.ringState.isInRing = false }
        }
    }

    /// Whether the file can be found again: its name leads to it at this moment. What is final and
    /// unread stays, because whoever rotated it may remove it. With `quiet` it has to be read to
    /// its end, too.
    private static func mayBeParked(_ file: TailedFile, quiet: Bool) -> Bool {
        let isRead = file.position >= file.size
        if file.isFinal && !isRead { return false }
        if quiet && !isRead && !file.waitsForMore { return false }
        guard let status = file.glance() else { return false }
        return !quiet || status.size == file.diskSize
    }
}

extension TailedFile {
    /// The status of the file under its name now, if that is this one as far as its numbers tell.
    func glance() -> FileStatus? {
        guard let name, let node = stream?.node else { return nil }
        // Whatever else it finds: opening it tells, and says so.
        guard case .found(let status) = FilePlace.glance(at: node.bytes(of: name)),
            identity.hasNumbers(of: status)
        else { return nil }
        return status
    }

    /// A parked file: nothing happened to it since it was looked at last. Device and inode number
    /// may be another file's by now, but then the time of the last change is another one too.
    var isUnchanged: Bool {
        guard state.mayBeFound, let status = glance() else { return false }
        return status.size == diskSize && status.changed == changed
    }
}
