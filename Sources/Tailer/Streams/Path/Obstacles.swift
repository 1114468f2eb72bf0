import Model
import Platform

/// Files beside a log that cannot be looked at or opened: the disk is sick, the handle stale, the
/// rights were taken away, or the listing has a name that leads nowhere.
///
/// Order is worth a while of waiting for them, and no more: then the stream goes on, and they are
/// tried beside it, until they can be read or are gone. Lives on the reader thread.
struct Obstacles: Blank {
    /// A file that the stream has gone on without.
    struct Passed {
        var name: [UInt8]
        var path: String
        /// The mark in its name as that was then.
        let rotated: RotatedName?
        let since: MonotonicTime
        /// The newest file that the stream had taken up by then; nil where nothing was to be found
        /// out about it.
        var after: NewestTakenUp?
        /// Its status, where that could be seen.
        let status: FileStatus?
    }

    struct Unopened {
        let entry: SavedFile
        /// The path that it had last.
        var path: String
        /// As long as it was seen to be, by this run or an earlier one.
        var size: PhysicalOffset
    }

    /// By the inode numbers of the listing, so that a rotation changes nothing; bounded by the
    /// directory.
    private(set) var passed: [UInt64: Passed] = [:]
    /// Files of an earlier run that could not be opened; bounded by what was saved of the stream.
    var unopened: [Unopened] = []
    /// Since when the stream has waited for one or another of them.
    private var waitsSince: MonotonicTime?
    private var waits = false

    /// Time enough for what happens when files are made, moved and given away, or a disk stumbles;
    /// nanoseconds.
    static let mostPatience: Int64 = 5_000_000_000
    /// How long a passed file is tried as often as a directory is scanned that cannot be watched;
    /// nanoseconds. After that, whenever there is a reason to look, and with the scans by the
    /// clock.
    private static let mostZeal: Int64 = 60_000_000_000

    var isEmpty: Bool { passed.isEmpty && unopened.isEmpty }
    var isBlank: Bool { isEmpty && waitsSince == nil && !waits }

    mutating func beginLook() { waits = false }

    /// A whole look has nothing to wait for any more.
    mutating func endLook() {
        if !waits { waitsSince = nil }
    }

    /// Whether the stream has to wait for something that stands in its way.
    mutating func hasToWait(_ now: MonotonicTime) -> Bool {
        let since = waitsSince ?? now
        waitsSince = since
        guard now - since < Self.mostPatience else { return false }
        waits = true
        return true
    }

    /// The stream has come on: what it waits for now is another thing than before.
    ///
    /// 1. Hundreds of files are taken up, which takes minutes. One is renamed while it is opened.
    /// 2. So is another one, long after, and would be passed over at once.
    mutating func comeOn() { waitsSince = nil }

    mutating func pass(_ inode: UInt64, _ item: Passed) { passed[inode] = item }

    mutating func forget(_ inode: UInt64) { passed[inode] = nil }

    mutating func rename(_ inode: UInt64, to name: [UInt8], path: String) {
        passed[inode]?.name = name
        passed[inode]?.path = path
    }

    /// Takes over the obstacles of another stream, whose files are this one's from now on.
    mutating func join(_ others: Obstacles) {
        passed.merge(others.passed) { mine, _ in mine }
        unopened += others.unopened
    }

    /// The stream goes on after what it had taken up last.
    mutating func settle(after newestTakenUp: NewestTakenUp) {
        for (inode, item) in passed where item.after == nil {
            passed[inode]?.after = newestTakenUp
        }
    }

    /// A file that was passed over is wanted if it comes after `newestTakenUp`.
    mutating func settle(_ inode: UInt64, after newestTakenUp: NewestTakenUp) {
        if passed[inode]?.after == nil { passed[inode]?.after = newestTakenUp }
    }

    /// Whether a file that can be read again comes after what the stream had when it went on
    /// without it.
    func wants(_ candidate: Candidate) -> Bool {
        wants(candidate.status.inode, Stranger(candidate))
    }

    func wants(_ inode: UInt64, _ stranger: Stranger) -> Bool {
        guard let item = passed[inode], let after = item.after else { return false }
        guard let rotated = item.rotated else { return true }
        return after.isBefore(rotated, stranger)
    }

    /// Something is to be tried again soon.
    func isZealous(_ now: MonotonicTime) -> Bool {
        passed.values.contains { now - $0.since < Self.mostZeal }
    }
}

extension Obstacles.Passed {
    /// Whether its bytes were to be read, as far as can be said of a file that nobody could open.
    var wasWanted: Bool {
        guard let after, !after.isLive else { return false }
        if let rotated, let isOlder = after.rotated?.isOlder(than: rotated) {
            // What was written later was to be read whatever the names say.
            return isOlder || status.map { after.modified < $0.modified } ?? false
        }
        guard let status else { return true }
        return after.modified <= status.modified
    }
}

extension StreamTable {
    /// Something beside a log cannot be read now. Whether that is waited for; if not, the stream
    /// goes on without it.
    ///
    /// `isRace`: it may just have been renamed, which another look finds out.
    func waits(
        _ look: StreamLook, _ inode: UInt64, _ name: [UInt8], status: FileStatus? = nil,
        isRace: Bool = false
    ) -> Bool {
        let stream = look.stream
        if stream.obstacles.passed[inode] != nil { return false }
        // With `--once` time does not come.
        if !opener.once || isRace, stream.obstacles.hasToWait(look.now) { return true }
        pass(inode, name, look, status: status)
        output.report(.passedOver(path: look.node.text(of: name)))
        return false
    }

    /// The stream goes on without a file that cannot be read, which is tried again soon.
    func pass(_ inode: UInt64, _ name: [UInt8], _ look: StreamLook, status: FileStatus? = nil) {
        let stream = look.stream
        guard stream.obstacles.passed[inode] == nil else { return }
        stream.obstacles.pass(
            inode,
            Obstacles.Passed(
                name: name, path: look.node.text(of: name), rotated: stream.rotated(name),
                since: look.now, after: nil, status: status))
    }

    /// The same of a file that the stream has open, or had.
    func waits(_ look: StreamLook, _ file: TailedFile) -> Bool {
        guard !file.isPassedOver else { return false }
        if !opener.once, look.stream.obstacles.hasToWait(look.now) { return true }
        guard file.passOver(look.now) else { return false }
        output.report(.passedOver(path: file.path))
        return false
    }

    /// Tries what the stream has gone on without, and counts what is gone of it.
    func tryObstacles(_ look: StreamLook) {
        let stream = look.stream
        guard !stream.obstacles.isEmpty else { return }
        for (inode, item) in stream.obstacles.passed where item.since < look.now {
            let name = look.names.name(of: inode)
            guard name != item.name else { continue }
            opener.forgetTrouble(item.path)
            if let name {
                stream.obstacles.rename(inode, to: name, path: look.node.text(of: name))
                continue
            }
            stream.obstacles.forget(inode)
            let isSaved = stream.obstacles.unopened.contains { $0.entry.identity.inode == inode }
            if item.wasWanted, !isSaved { reportGone(item) }
        }
        tryUnopened(look)
        if stream.obstacles.isZealous(look.now) { agenda.retry(look.node) }
    }

    private func reportGone(_ item: Obstacles.Passed) {
        guard let status = item.status else { return output.report(.missed(path: item.path)) }
        output.report(
            .lost(
                path: item.path, range: status.whole,
                reason: .deletedUnread))
    }

    private func tryUnopened(_ look: StreamLook) {
        let stream = look.stream
        var unopened: [Obstacles.Unopened] = []
        for var item in stream.obstacles.unopened {
            let entry = item.entry
            guard !stream.files.contains(where: { $0.id == entry.file }) else { continue }
            see(&item, look)
            switch openSaved(entry, look) {
            case .opened(let file):
                opener.mended(item.path)
                file.drain(from: look.now)
                output.moved(file.id, path: file.path, archived: file.isFinal)
                insert(file, in: stream, before: stream.files.first)
            case .already: continue
            case .notTakenUp(.missing) where isOnItsVolume(entry, look),
                .notTakenUp(.unknown) where isOnItsVolume(entry, look):
                reportGone(item)
            case .nothing, .exhausted, .missing, .notTakenUp: unopened.append(item)
            }
        }
        stream.obstacles.unopened = unopened
    }

    /// Where another file system is in its directory's place, it may be back with its own.
    private func isOnItsVolume(_ entry: SavedFile, _ look: StreamLook) -> Bool {
        inode(of: look.directory.descriptor)?.device == entry.identity.device
    }

    /// A file of an earlier run cannot be opened: the stream goes on without it.
    func passUnopened(_ entry: SavedFile, _ look: StreamLook) {
        let stream = look.stream
        var item = Obstacles.Unopened(entry: entry, path: entry.path, size: entry.size)
        see(&item, look)
        stream.obstacles.unopened.append(item)
    }

    /// Brings up to date what can be seen of a file that cannot be opened.
    private func see(_ item: inout Obstacles.Unopened, _ look: StreamLook) {
        guard let name = look.names.name(of: item.entry.identity.inode), let node = look.stream.node
        else {
            return
        }
        do throws(SystemError) {
            let status = try look.directory.descriptor.status(of: name)
            guard status.inode == item.entry.identity.inode else { return }
            item.path = node.text(of: name)
            item.size = max(item.size, status.end)
        } catch {
            // What was seen before has to do; that it cannot be read was told.
        }
    }

    private func reportGone(_ item: Obstacles.Unopened) {
        opener.forgetTrouble(item.path)
        if opener.isFollowed(item.entry.file, item.entry.identity) { return }
        // Those who look after entries that nobody follows may have found it gone first, and told.
        guard let known = knownFiles.progress(of: item.entry.file) else { return }
        // What was on its way when it was passed over was delivered since.
        let start = max(item.entry.position, known.position)
        if item.size > start {
            let base = item.entry.base
            output.report(
                .lost(
                    path: item.path,
                    range: ByteRange(start: base.logical(start), end: base.logical(item.size)),
                    reason: .deletedUnread))
        }
        output.gone(item.entry.file)
    }
}
