import Encoding
import Model
import Patterns
import Platform
import Registry
import Rotator
import Settings
import Synchronization

/// Looks at all logs that inputs ask to have rotated. One thread.
final class RotationRound {
    private let policies: [String: Asked]
    /// All of them, in order.
    private let inputs: [Settings.Input]
    let parts: RotationRun.Parts
    private let counters: Counters
    private let log: Log
    private let isNear: @Sendable (String) -> Bool
    private let archives: ArchiveKeeper
    private var clock: RotationClock
    /// When it is looked next which inputs have no log at all.
    private var missingTold = Int64.min
    /// When a log is tried again that could not be rotated; those of logs that are known.
    private var retries: [FileID: Int64] = [:]
    /// Logs that were rotated in part, and until when they are left alone.
    private var resting: [FileID: Int64] = [:]
    /// What the file systems can do that logs lie on, by their numbers.
    var removals: [UInt64: FrontRemoval] = [:]

    /// What an input asks for.
    struct Asked {
        let input: Settings.Input
        let policy: RotationPolicy
        let missingOK: Bool
    }

    /// Why a log is due.
    enum Due {
        case size
        /// Since that moment, by the clock on the wall.
        case time(Int64)
        case wish
    }

    /// Before a log is tried again that could not be rotated, nanoseconds: something has to change
    /// that takes time, or a person.
    private static let pause: Int64 = 60_000_000_000
    /// The same of one that has its front as a hole, and in an archive: another try makes another
    /// archive of what is left, and removes one of lines for it.
    private static let longPause: Int64 = 86_400_000_000_000
    /// The same of one that was busy, or not delivered.
    private static let shortPause: Int64 = 200_000_000
    /// A log that is due for longer, and cannot be rotated for want of acknowledgements, is told;
    /// nanoseconds.
    private static let patience: Int64 = 60_000_000_000
    /// The smallest block that any file system takes a front of.
    private static let leastBlock = 4096

    init(
        _ settings: Settings, _ parts: RotationRun.Parts, _ counters: Counters, _ log: Log,
        zone: ZoneRules = .local(ProcessContext.environment()["TZ"]),
        isNear: @escaping @Sendable (String) -> Bool
    ) {
        var policies: [String: Asked] = [:]
        for input in settings.inputs {
            if let rotation = input.rotation {
                policies[input.name] = Asked(
                    input: input, policy: rotation.policy, missingOK: rotation.missingOK)
            }
        }
        self.policies = policies
        inputs = settings.inputs
        self.parts = parts
        self.counters = counters
        self.log = log
        self.isNear = isNear
        archives = ArchiveKeeper(parts, counters, log)
        clock = RotationClock(zone)
    }

    /// Whether any input asks for it.
    static func isAsked(_ settings: Settings) -> Bool {
        settings.inputs.contains { $0.rotation != nil }
    }

    /// What came of a look.
    struct Look {
        /// Nanoseconds that rotating and compressing took.
        var working: Int64 = 0
        /// Something is left to be done at once.
        var isUnderWay = false
    }

    /// Rotates what is due, and does a little of what there is to do to archives. `now` is
    /// monotonic, `wall` of the clock on the wall.
    @discardableResult
    func look(_ now: Int64, wall: Int64 = Clock.wallNanoseconds()) -> Look {
        var look = Look()
        let all = parts.registry.entries()
        let entries = all.filter { asked($0) != nil }
        let files = Set(entries.lazy.map(\.file))
        for file in retries.keys where !files.contains(file) { retries[file] = nil }
        clock.keep(files)
        for file in resting.keys where !files.contains(file) { resting[file] = nil }
        tellMissing(entries, now)
        for entry in entries {
            if parts.isOver() { break }
            guard entry.state == .active, entry.cut == nil, let asked = asked(entry),
                isNear(entry.path), retries[entry.file] ?? .min <= now
            else { continue }
            do throws(RotationObstacle) {
                guard let due = try due(entry, asked.policy, wall) else { continue }
                let began = Clock.monotonicNanoseconds()
                defer { look.working += Clock.monotonicNanoseconds() - began }
                _ = try rotate(entry, asked, due, wall)
            } catch {
                let pause = tell(entry, asked.policy, error, wall)
                retries[entry.file] = now + pause
            }
        }
        let began = Clock.monotonicNanoseconds()
        // What was archived a moment ago is known to the registry, and not to what was asked.
        let known = look.working > 0 ? parts.registry.entries() : all
        look.isUnderWay = archives.look(kept(entries), among: known, now: now, wall: wall)
        look.working += Clock.monotonicNanoseconds() - began
        return look
    }

    /// What is asked for the log of an entry, if it is to be rotated. An entry keeps the name of
    /// the input that found it: after another input has taken that one's place, its path tells.
    private func asked(_ entry: FileEntry) -> Asked? {
        if let asked = policies[entry.input] {
            return asked.input.exclude.contains { $0.matches(entry.path) } ? nil : asked
        }
        guard !inputs.contains(where: { $0.name == entry.input }) else { return nil }
        // The first one that leads there reads it, whether it asks for rotation or not.
        return inputs.first { RotationPlace(entry.path, $0) != nil }.flatMap { policies[$0.name] }
    }

    /// Logs whose archives are looked after.
    private func kept(_ entries: [FileEntry]) -> [ArchiveKeeper.Kept] {
        entries.compactMap { entry in
            guard let asked = asked(entry), entry.state == .active,
                ExactText(entry.path) == ExactText(entry.stream), isNear(entry.path)
            else { return nil }
            return ArchiveKeeper.Kept(
                entry: entry, input: asked.input, policy: asked.policy.archives)
        }
    }

    /// Whether the input of an entry asks for rotation, on a disk of this machine.
    func isAsked(_ entry: FileEntry) -> Bool {
        asked(entry) != nil && isNear(entry.path)
    }

    /// What came of one log by hand.
    enum Result {
        case rotated(bytes: Int)
        /// For that reason.
        case notDue(String)
    }

    /// Rotates one log by hand, if it is due or `isForced`. Where `isDry` all is looked at, and
    /// nothing done but on a scratch file.
    func rotate(
        _ entry: FileEntry, wall: Int64, isForced: Bool, isDry: Bool
    ) throws(RotationObstacle) -> Result {
        guard let asked = asked(entry), entry.cut == nil else { throw .isBusy }
        if !isForced, resting[entry.file] ?? .min > Clock.monotonicNanoseconds() {
            return .notDue("it was rotated in part, and is left alone for a day")
        }
        guard let due = try due(entry, asked.policy, wall, isWished: isForced) else {
            return .notDue(notDue(entry, asked.policy))
        }
        if isDry { return .rotated(bytes: try prepare(entry, asked, due).rotation.length) }
        return .rotated(bytes: try rotate(entry, asked, due, wall))
    }

    private func notDue(_ entry: FileEntry, _ policy: RotationPolicy) -> String {
        let size = Quantity.text(bytes: entry.size.bytes)
        let most = policy.size.map { " of \(Quantity.text(bytes: $0))" } ?? ""
        return "it has \(size)\(most)" + (policy.isTimed ? ", and its time has not come" : "")
    }

    /// What there is to do to the archives of a log, or why that cannot be told.
    func plan(_ entry: FileEntry, wall: Int64) -> (plan: ArchivePlan?, problem: String?) {
        guard let kept = kept([entry]).first else { return (nil, nil) }
        do throws(RotatedLog.Refusal) {
            return (try archives.plan(kept, among: parts.registry.entries(), wall: wall), nil)
        } catch {
            return (nil, RotationObstacle.text(error))
        }
    }

    /// Does all that there is to do to archives at once, for a command that nothing else waits for.
    func finishArchives() {
        archives.finish(kept(parts.registry.entries())) { self.parts.registry.entries() }
    }

    /// This is the end of the run.
    func stop() { archives.stop() }

    private func tellMissing(_ entries: [FileEntry], _ now: Int64) {
        guard now >= missingTold else { return }
        missingTold = now +| Self.pause
        for (name, asked) in policies
        where !asked.missingOK && parts.registry.inputIsKnown(name)
            && !entries.contains(where: {
                self.asked($0)?.input.name == name && $0.state == .active
            })
        {
            log.fault(
                .warn, key: "missing \(name)", "no log is there to be rotated (missing_ok: false)",
                ["input": .text(name)])
        }
    }

    /// Whether the file of an entry is a log, under its own name, that is to be rotated now.
    private func due(
        _ entry: FileEntry, _ policy: RotationPolicy, _ wall: Int64, isWished: Bool = false
    ) throws(RotationObstacle) -> Due? {
        let stream = ExactText(entry.stream)
        let isS6 = ExactText(entry.path).parent == stream
        guard isS6 || ExactText(entry.path) == stream else { return nil }
        let status: FileStatus
        do throws(SystemError) {
            status = try FileStatus.glance(at: PathText.bytes(of: entry.path))
        } catch {
            // Its reader finds out what became of it.
            return nil
        }
        guard status.inode == entry.identity.inode, status.device == entry.identity.device else {
            return nil
        }
        // What it takes on the disk: one that is written without O_APPEND has a hole after each
        // rotation, and is never smaller.
        let isLarge = policy.size.map { min(status.size, status.allocated) >= $0 } ?? false
        let moment = clock.due(
            entry.file, policy, birth: entry.identity.birth, now: wall,
            rotated: { Self.lastRotation(entry.path, wall) })
        let due: Due
        if isLarge {
            due = .size
        } else if let moment {
            due = .time(moment)
        } else if isWished {
            due = .wish
        } else {
            return nil
        }
        if isS6 { throw .isS6 }
        // Nothing is opened for what the entry says alone.
        let most = FrontLength.of(
            delivered: entry.base.physical(entry.offset).bytes, size: status.size, alignment: 1)
        let whole = FrontLength.of(
            delivered: status.size, size: status.size, alignment: Self.leastBlock)
        let size = PhysicalOffset(status.size)
        switch due {
        case .size:
            guard most >= (policy.size ?? 0) / 2 else {
                throw .isUndelivered(size: size, overdue: 0)
            }
        case .time(let moment):
            guard whole > 0 else { throw .isTooSmall }
            // Not bit by bit, while nothing is acknowledged.
            guard most >= whole / 2 else {
                throw .isUndelivered(size: size, overdue: wall - moment)
            }
        case .wish:
            guard whole > 0 else { throw .isTooSmall }
            guard most >= Self.leastBlock else {
                throw .isUndelivered(size: size, overdue: 0)
            }
        }
        return due
    }

    /// When the newest archive of a log was changed last; nil where there is none. One that cannot
    /// be looked at counts as of `now`: no log is rotated early for it.
    private static func lastRotation(_ path: String, _ now: Int64) -> Int64? {
        [".1", ".1.gz"].compactMap { ending in
            do throws(SystemError) {
                return try FileStatus.glance(at: PathText.bytes(of: path + ending))
                    .modified.nanoseconds
            } catch {
                return error.code == .notFound ? nil : now
            }
        }.max()
    }

    private func rotate(
        _ entry: FileEntry, _ asked: Asked, _ due: Due, _ wall: Int64
    ) throws(RotationObstacle) -> Int {
        let began = Clock.monotonicNanoseconds()
        let run = try prepare(entry, asked, due)
        // Nothing is copied for a reader who is not sure of the log, and may not be for long.
        guard parts.lend(entry, entry.base.logical(PhysicalOffset(run.rotation.length))) else {
            throw .isBusy
        }
        parts.giveBack(entry, entry.base, nil)
        run.run()
        try settle(entry, run.rotation, began)
        // What is more than one archive may have goes with the next looks.
        if !run.leavesMore { clock.passed(entry.file, asked.policy, now: wall) }
        archives.rotated(entry.file)
        return run.rotation.length
    }

    /// Tells and counts what came of it.
    private func settle(
        _ entry: FileEntry, _ rotation: Rotation, _ began: Int64
    ) throws(RotationObstacle) {
        guard rotation.sight == .collapsed else {
            // Whoever asked for it: another one would make one more archive, for nothing.
            if rotation.sight == .punched {
                let until = Clock.monotonicNanoseconds() +| Self.longPause
                (resting[entry.file], retries[entry.file]) = (until, until)
            }
            let failure = rotation.failure ?? SystemError("rotate", code: .stale)
            throw rotation.sight == .punched ? .isHalfDone(failure) : .failed(failure)
        }
        (resting[entry.file], retries[entry.file]) = (nil, nil)
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
        _ entry: FileEntry, _ policy: RotationPolicy, _ obstacle: RotationObstacle, _ wall: Int64
    ) -> Int64 {
        switch obstacle {
        case .isUndelivered(let size, let overdue):
            // Twice its size, it is no more what was asked for.
            let isLarge = policy.size.map { size >= PhysicalOffset($0) + $0 } ?? false
            if isLarge || overdue > Self.patience {
                log.fault(
                    .warn, key: "grows \(entry.path)", obstacle.message,
                    ["path": .text(entry.path), "undelivered": .count(entry.lag(size: size))])
            }
            return Self.shortPause
        case .isTooSmall:
            clock.passed(entry.file, policy, now: wall)
            return Self.shortPause
        case .isBusy: return Self.shortPause
        case .failed(let error) where error.code == .interrupted: return Self.pause
        case .isHalfDone, .isS6, .isContainers, .hasHoles, .hasNoRoom, .archiveStays,
            .cannotCollapse, .refused, .failed:
            if obstacle.isFailure { counters.rotationFailed() }
            let data: KeyValuePairs<String, Log.Value> =
                if let (key, value) = obstacle.detail {
                    ["path": .text(entry.path), key: .text(value)]
                } else {
                    ["path": .text(entry.path)]
                }
            log.fault(.error, key: "rotate \(entry.path)", obstacle.message, data)
            if case .isHalfDone = obstacle { return Self.longPause }
            return Self.pause
        }
    }
}
