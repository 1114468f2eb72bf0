import Platform

/// Every inotify watch of the reader thread: on directories, and on quiet files. How many there may
/// be is bounded, and shared out (`Watches+Shares.swift`).
///
/// A watch is a hint and no more: an overflow may have used one up without a word, so none that is
/// older than the last overflow is believed. Where there is no inotify at all, nothing is watched.
final class Watches {
    private var inotify: Inotify?
    /// Without, nothing is ever heard of between scans.
    let isWanted: Bool
    let limit: Int
    let intervals: TailerIntervals
    let report: (TailerEvent) -> Void
    /// The directories of the prefixes, and those that links lead to.
    var roots: () -> [DirectoryNode] = { [] }

    /// One watch may serve two nodes, where prefixes of two patterns overlap.
    private var directories: [Inotify.Watch: [DirectoryNode]] = [:]
    private var files: [Inotify.Watch: any WatchedLog] = [:]
    var count: Int { directories.count + files.count }
    /// Files that are watched.
    var fileCount: Int { files.count }

    /// How often the queue of events has overflowed.
    private(set) var epoch = 0
    /// Events of directories since then.
    private(set) var events = 0
    /// Streams whose watch is gone or not to be believed; the loop empties it.
    var woken: [any WatchedLog] = []
    /// Directories whose watch was taken; the tree empties it.
    var unwatched: [DirectoryNode] = []

    /// The kernel had no more than this; until `fewUntil`.
    private var few = Int.max
    private var fewUntil = MonotonicTime.zero
    /// There is no inotify instance; asked for again then.
    private var nextInstance: MonotonicTime?
    private var hasReportedRefusal = false
    /// Directories that were asked how much they have, to find who has most.
    var comparisons = 0
    /// It was said that watches are short, and has not been otherwise since.
    var hasReportedShortage = false

    /// Between two attempts at what the kernel refused, nanoseconds.
    private static let refusalInterval: Int64 = 60_000_000_000

    /// `limit` 0: nothing is ever heard of between scans, which is all that one walk needs.
    init(limit: Int, intervals: TailerIntervals, report: @escaping (TailerEvent) -> Void) {
        isWanted = limit > 0
        self.limit = limit
        self.intervals = intervals
        self.report = report
        if isWanted { _ = begin(MonotonicTime.now()) }
    }

    static func none(report: @escaping (TailerEvent) -> Void) -> Watches {
        Watches(limit: 0, intervals: TailerIntervals(), report: report)
    }

    // MARK: The instance

    private func begin(_ now: MonotonicTime) -> Bool {
        do {
            inotify = try Inotify()
            return true
        } catch {
            if nextInstance == nil { report(.inotifyMissing(error: "\(error)")) }
            nextInstance = now + Self.refusalInterval
            return false
        }
    }

    /// When to ask for an instance again, if there is none.
    var nextAttempt: MonotonicTime? { isWanted && inotify == nil ? nextInstance : nil }

    /// Asks again for an instance. True where there is one now, of which nothing is watched yet.
    func attempt(_ now: MonotonicTime) -> Bool {
        guard let due = nextAttempt, now >= due, begin(now) else { return false }
        nextInstance = nil
        report(.inotifyFound)
        return true
    }

    /// Waits for an event, a wake-up, or time.
    func wait(_ wakeup: Wakeup, nanoseconds: Int64?) {
        if inotify != nil {
            inotify?.withDescriptor { wakeup.wait(beside: $0, nanoseconds: nanoseconds) }
        } else {
            wakeup.wait(nanoseconds: nanoseconds)
        }
    }

    // MARK: Events

    struct Reading {
        /// There may be more events than were read.
        var hasMore = false
        /// Some were lost: what is watched has to be looked at, and watched anew.
        var isLost = false
    }

    /// Reads about `most` events. `changed` is told of each directory in which something happened,
    /// and of the name that appeared in it.
    func read(most: Int, changed: (DirectoryNode, [UInt8]?) -> Void) -> Reading {
        guard inotify != nil else { return Reading() }
        var reading = Reading()
        var modified: [Inotify.Watch] = []
        var ended: [Inotify.Watch] = []
        do {
            let isDrained = try inotify?.drain(most: most) { event in
                switch event {
                case .entriesChanged(let watch, let name):
                    for node in directories[watch] ?? [] {
                        noteEvent(of: node)
                        changed(node, name)
                    }
                case .modified(let watch): modified.append(watch)
                case .watchLost(let watch):
                    ended.append(watch)
                    for node in directories.removeValue(forKey: watch) ?? [] {
                        node.watch = nil
                        count(-1, in: node)
                        changed(node, nil)
                    }
                case .overflow: reading.isLost = true
                }
            }
            reading.hasMore = isDrained == false
        } catch {
            report(.unlistable(path: "inotify", error: "\(error)"))
            reading.isLost = true
        }
        // A directory that was moved keeps its watch in the kernel: under another name nothing is
        // to be heard of it.
        for watch in ended { inotify?.end(watch) }
        // A one-shot watch is gone with its event.
        for watch in modified + ended {
            if let log = files.removeValue(forKey: watch) { wake(log) }
        }
        return reading
    }

    private func wake(_ log: any WatchedLog) {
        if let node = log.watchedIn { count(-1, in: node) }
        log.forgetWatch()
        woken.append(log)
    }

    private func noteEvent(of node: DirectoryNode) {
        events += 1
        var place: DirectoryNode? = node.share
        while let node = place {
            if node.eventsEpoch != epoch {
                node.eventsEpoch = epoch
                node.events = 0
            }
            node.events += 1
            place = node.parent
        }
    }

    /// The queue has overflowed: whoever filled it is not listened to for a while, and nothing that
    /// is watched now is believed to be.
    func distrust(_ now: MonotonicTime) {
        if events >= Self.leastStorm { for root in roots() { quieten(root, now) } }
        epoch += 1
        events = 0
        woken.append(contentsOf: files.values)
    }

    // MARK: Directories

    /// Whether an event tells of what happens in a directory.
    func isBelieved(_ node: DirectoryNode) -> Bool {
        node.watch != nil && node.watchEpoch == epoch && !node.hasOtherWriters
    }

    /// Watches an open directory, if that may be.
    func watch(_ node: DirectoryNode, _ directory: borrowing Descriptor, _ now: MonotonicTime) {
        guard inotify != nil, now >= node.noisyUntil else { return }
        if node.watch != nil, node.watchEpoch == epoch { return }
        guard node.watch != nil || admit(node, now) else { return }
        do {
            // Of an inode that is watched already the kernel gives the same watch again.
            guard let watch = try inotify?.watchEntries(of: directory) else { return }
            if watch != node.watch {
                unwatch(node)
                node.watch = watch
                directories[watch, default: []].append(node)
                count(1, in: node)
            }
            node.watchEpoch = epoch
            node.watchNumber += 1
        } catch {
            unwatch(node)
            refused(node.text, error, now)
        }
    }

    func unwatch(_ node: DirectoryNode) {
        guard let watch = node.watch else { return }
        node.watch = nil
        count(-1, in: node)
        directories[watch]?.removeAll { $0 === node }
        if directories[watch]?.isEmpty == true {
            directories[watch] = nil
            inotify?.end(watch)
        }
    }

    /// A directory is about to leave the tree with all beneath it.
    func detach(_ node: DirectoryNode) {
        let share = node.share
        var lost = node.watchesBelow
        if share !== node {
            lost = 0
            var rest = [node]
            while let node = rest.popLast() {
                lost += node.watch == nil ? 0 : 1
                lost += node.streams.values.count { $0.watch != nil }
                lost += node.dormant.values.count { $0.watch != nil }
                rest.append(contentsOf: node.children.values)
            }
        }
        var place = share === node ? node.parent : share
        while let above = place {
            above.watchesBelow -= lost
            place = above.parent
        }
    }

    /// A linked directory, which has no other beneath it, shares with those of another one from now
    /// on.
    func move(_ node: DirectoryNode, beneath other: DirectoryNode) {
        let files =
            node.streams.values.count { $0.watch != nil }
            + node.dormant.values.count { $0.watch != nil }
        let own = node.share === node ? node.watchesBelow : files + (node.watch == nil ? 0 : 1)
        detach(node)
        node.watchesBelow = 0
        node.move(beneath: other)
        count(own, in: node)
    }

    // MARK: Quiet files

    /// Whether there are more than are had.
    func hasRoom(_ now: MonotonicTime) -> Bool { count < available(now) }

    /// Whether there may be a watch for a file of the stream, so that opening it for one is worth
    /// it.
    func mayWatch(_ node: DirectoryNode?, _ now: MonotonicTime) -> Bool {
        guard inotify != nil, let node, !node.hasOtherWriters else { return false }
        return admit(node, now)
    }

    /// The stream's watch, on this file, is there and believed.
    func isWatched(_ stream: LogStream, _ file: TailedFile) -> Bool {
        stream.watch != nil && stream.watchedFile == file.id && stream.watchEpoch == epoch
    }

    /// Watches an open file of a stream for one write; false where there is no watch to be had.
    func watchOnce(
        _ stream: LogStream, _ file: TailedFile, _ descriptor: borrowing Descriptor,
        _ now: MonotonicTime
    ) -> Bool {
        do {
            guard let watch = try inotify?.watchOnce(descriptor) else { return false }
            // 1. A file's stream lost its directory, and another stream has found the file again.
            // 2. The kernel has one watch for one inode: it is the new stream's now, and must not
            //    end with the old one.
            if let other = files[watch] { wake(other) }
            stream.watch = watch
            stream.watchedFile = file.id
            stream.watchEpoch = epoch
            stream.watchedIn = stream.node
            files[watch] = stream
            if let node = stream.node { count(1, in: node) }
            return true
        } catch {
            refused(file.path, error, now)
            return false
        }
    }

    func unwatch(_ log: any WatchedLog) {
        guard let watch = log.watch else { return }
        if let node = log.watchedIn { count(-1, in: node) }
        log.forgetWatch()
        files[watch] = nil
        inotify?.end(watch)
    }

    /// The same of a dormant stream, whose file is not opened for that. False, too, where something
    /// happened to it.
    func watchOnce(_ dormant: DormantStream, in node: DirectoryNode, _ now: MonotonicTime) -> Bool {
        do throws(SystemError) {
            let place = try node.open().openPlace(dormant.liveName)
            guard dormant.isUnchanged(try place.status()) else { return false }
            do throws(SystemError) {
                guard let watch = try inotify?.watchOnce(place) else { return false }
                if let other = files[watch] { wake(other) }
                dormant.watch = watch
                dormant.watchEpoch = epoch
                files[watch] = dormant
                count(1, in: node)
            } catch {
                refused(node.text(of: dormant.liveName), error, now)
                return false
            }
            // What was written before the watch was there is no event.
            guard dormant.isUnchanged(try place.status()) else {
                unwatch(dormant)
                return false
            }
            return true
        } catch {
            // Where it cannot be opened any more, its next look tells.
            unwatch(dormant)
            return false
        }
    }

    /// The watch of a stream is its own as a dormant one from now on.
    func move(from stream: LogStream, to dormant: DormantStream) {
        guard let watch = stream.watch else { return }
        dormant.watch = watch
        dormant.watchEpoch = stream.watchEpoch
        stream.forgetWatch()
        files[watch] = dormant
    }

    /// The other way round.
    func move(from dormant: DormantStream, to stream: LogStream) {
        guard let watch = dormant.watch else { return }
        stream.watch = watch
        stream.watchEpoch = dormant.watchEpoch
        stream.watchedFile = dormant.file
        stream.watchedIn = dormant.node
        dormant.forgetWatch()
        files[watch] = stream
    }

    /// Whether a dormant stream's watch is there and believed.
    func isWatched(_ dormant: DormantStream) -> Bool {
        dormant.watch != nil && dormant.watchEpoch == epoch
    }

    // MARK: What is there

    /// Watches that there may be now.
    func available(_ now: MonotonicTime) -> Int {
        now < fewUntil ? min(few, limit) : limit
    }

    private func refused(_ path: String, _ error: SystemError, _ now: MonotonicTime) {
        if error.code == .noSpace {
            // Others of the same user have the rest.
            few = count
            fewUntil = now + Self.refusalInterval
        }
        // Every further one will fail alike; one message says it all.
        if !hasReportedRefusal {
            hasReportedRefusal = true
            report(.unwatched(path: path, error: error.code.description))
        }
    }

    private func count(_ change: Int, in node: DirectoryNode) {
        var place: DirectoryNode? = node.share
        while let node = place {
            node.watchesBelow += change
            place = node.parent
        }
    }
}
