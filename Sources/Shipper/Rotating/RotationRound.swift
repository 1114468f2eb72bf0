import Encoding
import Model
import Platform
import Registry
import Rotator
import Settings
import Synchronization

/// One look at all logs that inputs ask to have rotated. Sendable; the rotator's thread alone
/// looks.
final class RotationRound: Sendable {
    private let policies: [String: (input: Settings.Input, policy: RotationPolicy)]
    private let parts: RotationRun.Parts
    private let counters: Counters
    private let log: Log
    private let isNear: @Sendable (String) -> Bool
    private let state = Mutex(State())

    private struct State {
        /// When a log is tried again that could not be rotated; those of logs that are known.
        var retries: [FileID: Int64] = [:]
        /// What the file systems can do that logs lie on, by their numbers.
        var removals: [UInt64: FrontRemoval] = [:]
    }

    /// Before a log is tried again that could not be rotated, nanoseconds: something has to change
    /// that takes time, or a person.
    private static let pause: Int64 = 60_000_000_000
    /// The same of one that has its front as a hole, and in an archive: another try makes another
    /// archive of what is left, and removes one of lines for it.
    private static let longPause: Int64 = 86_400_000_000_000
    /// The same of one that was busy, or not delivered.
    private static let shortPause: Int64 = 200_000_000

    /// Why a log was not rotated.
    enum Obstacle: Error {
        /// What is delivered of it, of so many bytes, is not worth it yet.
        case isUndelivered(size: PhysicalOffset)
        case refused(RotatedLog.Refusal)
        /// It has a hole where it should have bytes.
        case hasHoles
        /// The copy of its front, of so many bytes, would fill the disk.
        case hasNoRoom(Int)
        /// An archive would have to go that may hold what is not delivered.
        case archiveStays(String)
        /// No front can be taken away there.
        case cannotCollapse(String)
        case isS6
        /// What a container runtime wrote is told by a log's first bytes, which go.
        case isContainers
        /// Its reader is not sure of it at this moment.
        case isBusy
        case failed(SystemError)
        /// Its front is a hole, in part or whole, and an archive.
        case isHalfDone(SystemError)
    }

    init(
        _ settings: Settings, _ parts: RotationRun.Parts, _ counters: Counters, _ log: Log,
        isNear: @escaping @Sendable (String) -> Bool
    ) {
        policies = Self.policies(settings)
        self.parts = parts
        self.counters = counters
        self.log = log
        self.isNear = isNear
    }

    private static func policies(
        _ settings: Settings
    ) -> [String: (input: Settings.Input, policy: RotationPolicy)] {
        var policies: [String: (input: Settings.Input, policy: RotationPolicy)] = [:]
        for input in settings.inputs {
            if let rotation = input.rotation {
                policies[input.name] = (
                    input, RotationPolicy(size: rotation.size, keep: rotation.keep)
                )
            }
        }
        return policies
    }

    /// Whether any input asks for it.
    static func isAsked(_ settings: Settings) -> Bool {
        settings.inputs.contains { $0.rotation != nil }
    }

    /// Rotates what is due. `now` is monotonic. The nanoseconds that rotating took.
    @discardableResult
    func look(_ now: Int64) -> Int64 {
        var rotating: Int64 = 0
        let entries = parts.registry.entries().filter { policies[$0.input] != nil }
        let known = Set(entries.lazy.map(\.file))
        state.withLock { state in
            for file in state.retries.keys where !known.contains(file) { state.retries[file] = nil }
        }
        for entry in entries {
            if parts.isOver() { break }
            guard entry.state == .active, entry.cut == nil,
                let (input, policy) = policies[entry.input],
                isNear(entry.path), state.withLock({ $0.retries[entry.file] ?? .min }) <= now
            else { continue }
            do throws(Obstacle) {
                guard try isDue(entry, policy) else { continue }
                let began = Clock.monotonicNanoseconds()
                defer { rotating += Clock.monotonicNanoseconds() - began }
                try rotate(entry, input, policy)
            } catch {
                let pause = tell(entry, policy, error)
                state.withLock { $0.retries[entry.file] = now + pause }
            }
        }
        return rotating
    }

    /// Whether the file of an entry is a log, under its own name, of that size.
    private func isDue(_ entry: FileEntry, _ policy: RotationPolicy) throws(Obstacle) -> Bool {
        let stream = ExactText(entry.stream)
        let isS6 = ExactText(entry.path).parent == stream
        guard isS6 || ExactText(entry.path) == stream else { return false }
        let status: FileStatus
        do throws(SystemError) {
            status = try FileStatus.glance(at: PathText.bytes(of: entry.path))
        } catch {
            // Its reader finds out what became of it.
            return false
        }
        // What it takes on the disk: one that is written without O_APPEND has a hole after each
        // rotation, and is never smaller.
        guard status.inode == entry.identity.inode, status.device == entry.identity.device,
            min(status.size, status.allocated) >= policy.size
        else { return false }
        if isS6 { throw .isS6 }
        // Nothing is opened for what the entry says alone.
        let most = FrontLength.of(
            delivered: entry.base.physical(entry.offset).bytes, size: status.size, alignment: 1)
        guard most >= policy.size / 2 else {
            throw .isUndelivered(size: PhysicalOffset(status.size))
        }
        return true
    }

    private func rotate(
        _ entry: FileEntry, _ input: Settings.Input, _ policy: RotationPolicy
    ) throws(Obstacle) {
        let began = Clock.monotonicNanoseconds()
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
        let (hole, length) = try front(entry, rotated, policy, alignment)
        try checkBeginning(rotated, length, isGuessed: input.format == .auto)
        let run = RotationRun(
            parts, entry, rotated, keep: policy.keep,
            Rotation(length: length, block: alignment))
        try checkRoom(rotated, run, copying: length - hole)
        // Nothing is copied for a reader who is not sure of the log, and may not be for long.
        guard parts.lend(entry, entry.base.logical(PhysicalOffset(length))) else {
            throw .isBusy
        }
        parts.giveBack(entry, entry.base, nil)
        run.run()
        try settle(entry, run.rotation, began)
    }

    /// Bytes that may go of a log that is due, and of those the hole that an earlier rotation left.
    /// About as many as a log may have: one that has grown for days goes in parts.
    private func front(
        _ entry: FileEntry, _ rotated: RotatedLog, _ policy: RotationPolicy, _ alignment: Int
    ) throws(Obstacle) -> (hole: Int, length: Int) {
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
            limit: hole +| max(policy.size, alignment))
        // Not bit by bit, while nothing is acknowledged.
        guard length - hole >= policy.size / 2 else {
            throw .isUndelivered(size: PhysicalOffset(size))
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
        return (hole, length)
    }

    /// Nothing is copied that cannot become an archive, or that leaves the log's writer no room.
    private func checkRoom(
        _ rotated: RotatedLog, _ run: RotationRun, copying count: Int
    ) throws(Obstacle) {
        let obstacle: Obstacle?
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
    ) throws(Obstacle) {
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
    private func alignment(_ rotated: RotatedLog) throws(Obstacle) -> Int {
        let device = rotated.status.device
        let known = state.withLock { $0.removals[device] }
        let removal: FrontRemoval
        do throws(SystemError) {
            removal = if let known { known } else { try rotated.probe() }
        } catch {
            throw .failed(error)
        }
        if known == nil {
            state.withLock { state in
                // A node has some tens of file systems; numbers of those that are gone stay.
                if state.removals.count >= Self.mostRemovals { state.removals = [:] }
                state.removals[device] = removal
            }
        }
        switch removal {
        case .collapse(let alignment): return alignment
        case .punch: throw .cannotCollapse("FALLOC_FL_COLLAPSE_RANGE is not supported there")
        case .none(let error): throw .cannotCollapse("\(error)")
        }
    }

    private static let mostRemovals = 1_024

    /// Tells and counts what came of it.
    private func settle(
        _ entry: FileEntry, _ rotation: Rotation, _ began: Int64
    ) throws(Obstacle) {
        guard rotation.sight == .collapsed else {
            let failure = rotation.failure ?? SystemError("rotate", code: .stale)
            throw rotation.sight == .punched ? .isHalfDone(failure) : .failed(failure)
        }
        counters.rotated(bytes: rotation.length)
        log.info(
            "log rotated",
            [
                "path": .text(entry.path), "method": "collapse",
                "bytes": .count(rotation.length), "archive": .text("\(entry.path).1"),
                "milliseconds": .count(
                    Int(clamping: (Clock.monotonicNanoseconds() - began) / 1_000_000)),
                "bytes_lost": .count(0),
            ])
        if let failure = rotation.failure {
            log.fault(
                .warn, key: "rotated \(entry.path)",
                "a log was rotated, and what became of it was hard to tell",
                ["path": .text(entry.path), "error": "\(failure)"])
        }
    }

    /// How long the log is left alone, nanoseconds.
    private func tell(
        _ entry: FileEntry, _ policy: RotationPolicy, _ obstacle: Obstacle
    ) -> Int64 {
        let path = Log.Value.text(entry.path)
        let key = "rotate \(entry.path)"
        switch obstacle {
        case .isUndelivered(let size):
            // Twice its size, it is no more what was asked for.
            if size >= PhysicalOffset(policy.size) + policy.size {
                log.fault(
                    .warn, key: "grows \(entry.path)",
                    "a log grows beyond its size: what Kafka has not acknowledged is not removed",
                    ["path": path, "undelivered": .count(entry.lag(size: size))])
            }
            return Self.shortPause
        case .isS6:
            log.fault(
                .error, key: key,
                "a log of s6-log is not rotated: it rotates itself; use its directives n and s",
                ["path": path])
        case .isContainers:
            log.fault(
                .error, key: key,
                "a log that a container runtime writes is not rotated where format is auto: say cri or docker",
                ["path": path])
        case .hasHoles:
            counters.rotationFailed()
            log.fault(
                .error, key: key,
                "a log is not rotated: it has holes, as where its program does not append (O_APPEND)",
                ["path": path])
        case .hasNoRoom(let count):
            counters.rotationFailed()
            log.fault(
                .error, key: key,
                "a log is not rotated: its disk has too little room for the archive",
                ["path": path, "bytes": .count(count)])
        case .archiveStays(let name):
            counters.rotationFailed()
            log.fault(
                .error, key: key,
                "a log is not rotated: its oldest archive is not delivered, or not known; move it away",
                ["path": path, "archive": .text(name)])
        case .cannotCollapse(let reason):
            counters.rotationFailed()
            log.fault(
                .error, key: key,
                "a log is not rotated: its file system cannot remove the front of a file in place",
                ["path": path, "error": .text(reason)])
        case .refused(let refusal):
            counters.rotationFailed()
            log.fault(
                .error, key: key, "a log is not rotated, and was not touched",
                ["path": path, "error": .text(Self.text(refusal))])
        case .isHalfDone(let error):
            counters.rotationFailed()
            log.fault(
                .error, key: key,
                "a log was rotated in part, and is left alone for a day; nothing of it is lost",
                ["path": path, "error": "\(error)"])
            return Self.longPause
        case .isBusy: return Self.shortPause
        // This is the end, and the next run begins anew.
        case .failed(let error) where error.code == .interrupted: return Self.pause
        case .failed(let error):
            counters.rotationFailed()
            log.fault(
                .error, key: key, "a log could not be rotated; nothing of it is lost",
                ["path": path, "error": "\(error)"])
        }
        return Self.pause
    }

    static func text(_ refusal: RotatedLog.Refusal) -> String {
        switch refusal {
        case .isOther: "under its name is something else than the file that is read"
        case .isLocked: "another process has locked it, as another agent that rotates it"
        case .hasLinks(let count): "\(count) names lead to it"
        case .isOpenToOthers:
            "others may write to its directory, and the agent is root; make it writable for its owner "
                + "alone"
        case .failed(let error): "\(error)"
        }
    }
}
