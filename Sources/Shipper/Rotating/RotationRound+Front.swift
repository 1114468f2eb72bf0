import Encoding
import Model
import Platform
import Registry
import Rotator
import Settings

/// What is found out of a log that is due.
extension RotationRound {
    /// All that is found out before anything is done.
    func prepare(
        _ entry: FileEntry, _ asked: Asked, _ due: Due
    ) throws(RotationObstacle) -> RotationRun {
        let (input, policy) = (asked.input, asked.policy)
        guard let place = RotationPlace(entry.path, input) else { throw .refused(.isOther) }
        let rotated: RotatedLog
        do throws(RotatedLog.Refusal) {
            rotated = try place.open(entry) { (entry, file) throws(SystemError) in
                let head = try file.read(count: Fingerprint.longest, at: 0)
                return head.count == Fingerprint.longest && entry.fingerprint.matches(head: head)
            }
        } catch {
            throw .refused(error)
        }
        let alignment = try alignment(rotated)
        let (hole, length, leavesMore) = try front(entry, rotated, policy, due, alignment)
        try checkBeginning(rotated, length, isGuessed: input.format == .auto)
        let run = RotationRun(
            parts, entry, rotated, keep: policy.keep,
            Rotation(length: length, block: alignment))
        run.leavesMore = leavesMore
        try checkRoom(rotated, run, copying: length - hole)
        return run
    }

    /// Bytes that may go of a log that is due, and of those the hole that an earlier rotation left.
    /// About as many as a log may have: one that has grown for days goes in parts.
    private func front(
        _ entry: FileEntry, _ rotated: RotatedLog, _ policy: RotationPolicy, _ due: Due,
        _ alignment: Int
    ) throws(RotationObstacle) -> (hole: Int, length: Int, leavesMore: Bool) {
        let hole: Int
        let size: Int
        do throws(SystemError) {
            hole = try rotated.frontHole()
            size = try rotated.size()
        } catch {
            throw .failed(error)
        }
        let length = FrontLength.of(
            delivered: entry.base.physical(entry.offset).bytes, size: size, alignment: alignment,
            limit: hole +| max(policy.size ?? parts.longest, alignment))
        let most = FrontLength.of(
            delivered: entry.base.physical(entry.offset).bytes, size: size, alignment: alignment)
        switch due {
        case .size:
            // Not bit by bit, while nothing is acknowledged.
            guard length - hole >= (policy.size ?? 0) / 2 else {
                throw .isUndelivered(size: PhysicalOffset(size), overdue: 0)
            }
        case .time, .wish:
            guard length > hole else {
                let whole = FrontLength.of(delivered: size, size: size, alignment: alignment)
                if whole > hole { throw .isUndelivered(size: PhysicalOffset(size), overdue: 0) }
                throw .isTooSmall
            }
        }
        // 1. A program writes without O_APPEND, and its log is rotated.
        // 2. It writes on at its old place, and leaves a hole before that.
        // 3. Each rotation would make an archive of zeros, and remove one of lines for it.
        let hasHoles: Bool
        do throws(SystemError) {
            hasHoles = try rotated.hasHole(before: length, from: hole)
        } catch {
            throw .failed(error)
        }
        if hasHoles { throw .hasHoles }
        return (hole, length, most > length)
    }

    /// Nothing is copied that cannot become an archive, or that leaves the log's writer no room.
    private func checkRoom(
        _ rotated: RotatedLog, _ run: RotationRun, copying count: Int
    ) throws(RotationObstacle) {
        let obstacle: RotationObstacle?
        do throws(SystemError) {
            if let name = try run.archiveInTheWay() {
                obstacle = .archiveStays(String(decoding: name, as: UTF8.self))
            } else if parts.free(try rotated.freeBytes()) < count *| 2 {
                obstacle = .hasNoRoom(count)
            } else {
                obstacle = nil
            }
        } catch {
            throw .failed(error)
        }
        if let obstacle { throw obstacle }
    }

    /// How a log is written has to be told by its first bytes after the cut as it was before:
    ///
    /// 1. A log of a container runtime loses its front, and begins in the middle of a line.
    /// 2. The agent is started anew, and takes it for plain text.
    ///
    /// And it must not look like one that is compressed.
    private func checkBeginning(
        _ rotated: RotatedLog, _ length: Int, isGuessed: Bool
    ) throws(RotationObstacle) {
        let head: [UInt8]
        let next: [UInt8]
        do throws(SystemError) {
            head = try rotated.bytes(Fingerprint.longest)
            next = try rotated.bytes(Fingerprint.longest, at: length)
        } catch {
            throw .failed(error)
        }
        if isGuessed, ContainerFormat.guess(head.span) != nil { throw .isContainers }
        // With more delivered the cut is another one.
        guard Compression(head: next) == nil, !isGuessed || ContainerFormat.guess(next.span) == nil
        else { throw .isBusy }
    }

    /// Of what may go, where what is left can be moved to the front.
    private func alignment(_ rotated: RotatedLog) throws(RotationObstacle) -> Int {
        let device = rotated.status.device
        let known = removals[device]
        let removal: FrontRemoval
        do throws(SystemError) {
            removal = if let known { known } else { try rotated.probe() }
        } catch {
            throw .failed(error)
        }
        if known == nil {
            // A node has some tens of file systems; numbers of those that are gone stay.
            if removals.count >= Self.mostRemovals { removals = [:] }
            removals[device] = removal
        }
        switch removal {
        case .collapse(let alignment): return alignment
        case .punch: throw .cannotCollapse("FALLOC_FL_COLLAPSE_RANGE is not supported there")
        case .none(let error): throw .cannotCollapse("\(error)")
        }
    }

    private static let mostRemovals = 1_024
}
