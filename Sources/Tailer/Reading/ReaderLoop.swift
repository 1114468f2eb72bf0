import Model
import Platform

/// The reader thread's loop: events and scans say what there is, turns read it, one chunk a turn and
/// stream, so that no stream delays the others by more than a chunk.
final class ReaderLoop {
    private let inputs: [TailerInput]
    private let intervals: TailerIntervals
    private let once: Bool
    private let output: any TailerOutput
    private let control: TailerControl
    private let figures: TailerFigures
    private let heartbeat: Heartbeat
    /// Something happened since the figures were set last, at `figuresAt`, monotonic nanoseconds.
    private var areFiguresOld = true
    private var figuresAt: Int64 = 0
    /// Counting goes through all files, so it is not done in every round.
    private static let figuresInterval: Int64 = 1_000_000_000

    private var inotify: Inotify
    private let tree: DirectoryTree
    private let opener: FileOpener
    private let table: StreamTable
    private let buffer: ChunkBuffer
    private var frames: [Frame] = []

    /// Streams that may have bytes; each at most once.
    private var ready = RingQueue<LogStream>()
    /// Streams that wait for room; each at most once.
    private var starved: [LogStream] = []
    /// Streams to be polled, one queue for each interval of the back-off; stale entries are known
    /// by their time.
    private var polls: [IntervalQueue<LogStream>] = []
    private let pollIntervals: [Int64]
    private var watchedFiles: [Inotify.Watch: LogStream] = [:]
    private var hasScannedAll = false
    private var onceRun = OnceRun()

    /// inotify has no watches to give: a parked file is not opened before this time, monotonic
    /// nanoseconds, only to ask again.
    private var nextWatch: Int64 = 0
    /// Directories scanned in one pass before files get their turns again.
    private static let scansPerPass = 64
    private static let mostChangingLooks = 8
    /// Turns in one pass before events are looked at again: archives live for milliseconds.
    private static let turnsPerPass = 8

    init(
        inputs: [TailerInput], once: Bool, intervals: TailerIntervals, openFiles: Int,
        heldBytes: Int, startedAt: Int64, output: any TailerOutput, control: TailerControl,
        figures: TailerFigures, heartbeat: Heartbeat
    ) throws(SystemError) {
        self.inputs = inputs
        self.once = once
        var intervals = intervals
        if once { intervals.unwatchedScan = min(intervals.unwatchedScan, OnceRun.pause) }
        self.intervals = intervals
        self.output = output
        self.control = control
        self.figures = figures
        self.heartbeat = heartbeat
        inotify = try Inotify()
        tree = DirectoryTree(
            inputs: inputs, intervals: intervals, watches: !once,
            savedStreams: { output.savedStreams(in: $0) }, report: { output.report($0) })
        opener = FileOpener(
            output: output, mostOpen: openFiles, heldBytes: heldBytes, once: once,
            startedAt: startedAt)
        table = StreamTable(output: output, opener: opener)
        table.patience = 2 * intervals.unwatchedScan
        buffer = ChunkBuffer(maxLine: inputs.map(\.maxLine).max() ?? 1)
        var steps = [intervals.hurriedPoll, intervals.fastestPoll]
        while let last = steps.last, last < intervals.slowestPoll {
            steps.append(min(last * 2, intervals.slowestPoll))
        }
        pollIntervals = steps
        polls = steps.map { _ in IntervalQueue() }
    }

    /// Runs until stopped, or with `once` until everything that was there is read.
    func run() {
        while !control.isStopped {
            heartbeat.beat()
            let now = Clock.monotonicNanoseconds()
            if control.takeWake() { feedStarved() }
            readEvents()
            scan(now)
            wakePolled(now)
            var turns = 0
            while turns < Self.turnsPerPass, let stream = ready.popFirst() {
                turn(stream)
                turns += 1
            }
            if turns > 0 { areFiguresOld = true }
            for node in table.outdated { tree.enqueue(node) }
            table.outdated.removeAll(keepingCapacity: true)
            if ready.isEmpty, tree.isQuiet, !control.hasWake {
                if once, hasScannedAll, starved.isEmpty {
                    if endsOnce() { break }
                    wait(atMost: OnceRun.pause)
                } else {
                    wait()
                }
            } else if now - figuresAt >= Self.figuresInterval {
                setFigures(now)
            }
        }
        if once {
            control.set(leftovers(isOver: !control.isStopped))
        }
        heartbeat.beat(waiting: nil)
    }

    // MARK: --once

    /// Whether all that was there is read, or what is not will not be; if not, it is looked at again.
    private func endsOnce() -> Bool {
        let left = leftovers(isOver: true)
        var hasTrouble = left.directories > 0
        tree.forEachNode { if $0.hasTrouble { hasTrouble = true } }
        let isRead = left.files.isEmpty && left.unprovenLines == 0
        switch onceRun.pauses(isSettled: isRead && !hasTrouble) {
        case .isOver: return true
        case .isNot:
            tree.forEachNode { wakeQuiet(in: $0) }
            for stream in table.orphans { makeReady(stream, fresh: false) }
            return false
        }
    }

    private func leftovers(isOver: Bool) -> TailerLeftovers {
        var left = TailerLeftovers()
        left.isScanned = hasScannedAll
        left.isOver = isOver
        tree.forEachNode { node in
            var isPartial = node.isUnlistable || node.changingLooks > 0
            for stream in node.streams.values {
                left.add(stream)
                if stream.hasMoreRotated || !stream.obstacles.isEmpty { isPartial = true }
            }
            if isPartial { left.directories += 1 }
        }
        for stream in table.orphans { left.add(stream) }
        left.names = opener.troubleCount
        return left
    }

    private func setFigures(_ now: Int64) {
        var count = TailerFigures.Count()
        tree.forEachNode { node in
            count.directories += 1
            for stream in node.streams.values { count.add(stream) }
        }
        for stream in table.orphans { count.add(stream) }
        count.openFiles = opener.cache.count
        count.held = opener.cache.holds.shares.total
        count.watches = tree.watchCount + watchedFiles.count
        count.starvedStreams = starved.count
        figures.set(count)
        areFiguresOld = false
        figuresAt = now
    }

    // MARK: Events, scans, time

    private func readEvents() {
        // With `once` the first scan is all there is: what comes later is none of this run.
        if once { return }
        do {
            var lost = false
            let tree = tree
            var modified: [Inotify.Watch] = []
            var ended: [Inotify.Watch] = []
            tree.beginEvents()
            try inotify.drain { event in
                switch event {
                case .entriesChanged(let watch, let name):
                    tree.changed(watch, lost: false, appeared: name)
                case .modified(let watch): modified.append(watch)
                case .watchLost(let watch):
                    ended.append(watch)
                    tree.changed(watch, lost: true)
                case .overflow: lost = true
                }
            }
            if lost { tree.overflowed() }
            // A directory that was moved keeps its watch in the kernel: under another name nothing
            // is to be heard of it.
            for watch in ended { inotify.end(watch) }
            // A one-shot watch is gone with its event.
            for watch in modified + ended {
                guard let stream = watchedFiles.removeValue(forKey: watch) else { continue }
                stream.watch = nil
                if stream.attention == .watched { makeReady(stream, fresh: true) }
            }
        } catch {
            output.report(.unlistable(path: "inotify", error: "\(error)"))
            tree.overflowed()
        }
    }

    private func scan(_ now: Int64) {
        var scans = 0
        while scans < Self.scansPerPass, let node = tree.next(now) {
            scans += 1
            areFiguresOld = true
            var verdict = StreamTable.Verdict.fine
            let table = table
            tree.scan(
                node, inotify, now, dropped: { table.dropped($0, now) },
                handle: { directory, look in verdict = table.look(look, directory, now) })
            switch verdict {
            case .fine:
                node.changingLooks = 0
            case .again:
                // Looked at in a row a few times at most: something that looks like a change and
                // stays must not keep everything else from its turn.
                node.changingLooks += 1
                if node.changingLooks % Self.mostChangingLooks == 0 {
                    tree.retry(node, now)
                } else {
                    tree.enqueue(node)
                }
            case .retry:
                node.changingLooks = 0
                tree.retry(node, now)
            }
            for node in table.soon { tree.retry(node, now) }
            table.soon.removeAll(keepingCapacity: true)
            table.keepShares()
            wakeQuiet(in: node)
        }
        table.keepShares()
        for stream in table.awakened { makeReady(stream, fresh: true) }
        table.awakened.removeAll(keepingCapacity: true)
        for stream in opener.unsettled { makeReady(stream, fresh: true) }
        opener.unsettled.removeAll(keepingCapacity: true)
        if !hasScannedAll, tree.isQuiet {
            hasScannedAll = true
            opener.isFirstScan = false
            output.scannedAll()
        }
    }

    /// A scan by the clock looks at files that nothing was heard of as well: a hint may be missing.
    private func wakeQuiet(in node: DirectoryNode) {
        for stream in node.streams.values {
            switch stream.attention {
            case .watched, .resting: makeReady(stream, fresh: false)
            case .ready, .starved, .polled: break
            }
        }
    }

    private func wakePolled(_ now: Int64) {
        for level in polls.indices {
            while let (stream, due) = polls[level].popDue(now) {
                if stream.attention == .polled(due: due) { makeReady(stream, fresh: false) }
            }
        }
    }

    private func feedStarved() {
        let waiting = starved
        starved.removeAll(keepingCapacity: true)
        for stream in waiting {
            stream.attention = .ready
            ready.append(stream)
        }
    }

    private func wait(atMost pause: Int64? = nil) {
        var next = tree.nextDue
        for queue in polls {
            if let due = queue.nextDue { next = min(next ?? due, due) }
        }
        let now = Clock.monotonicNanoseconds()
        if areFiguresOld {
            // After the last change they are set once more, and then nothing wakes an idle reader.
            let due = figuresAt + Self.figuresInterval
            if due <= now { setFigures(now) } else { next = min(next ?? due, due) }
        }
        var time = next.map { max(0, $0 - now) }
        if let pause { time = min(time ?? pause, pause) }
        heartbeat.beat(waiting: time)
        inotify.withDescriptor { control.wakeup.wait(beside: $0, nanoseconds: time) }
    }

    private func makeReady(_ stream: LogStream, fresh: Bool) {
        if fresh { stream.interval = intervals.fastestPoll }
        switch stream.attention {
        case .ready, .starved: return
        case .polled, .watched, .resting:
            stream.attention = .ready
            ready.append(stream)
        }
    }

    // MARK: Turns

    private func turn(_ stream: LogStream) {
        let now = Clock.monotonicNanoseconds()
        let reading = StreamTurn(
            stream: stream, output: output, opener: opener, table: table, buffer: buffer,
            framer: LineFramer(maxLine: inputs[stream.input].maxLine), drain: intervals.drain,
            patience: table.patience, once: once,
            hasNews: { [self] in
                readEvents()
                guard let node = stream.node else { return false }
                return node.appeared.isRotation(of: stream.liveName) || node.changingLooks > 0
            })
        switch reading.run(now, &frames) {
        case .moved:
            onceRun.moved()
            stream.lastGrowth = now
            stream.interval = intervals.fastestPoll
            ready.append(stream)
        case .noRoom:
            stream.attention = .starved
            starved.append(stream)
        case .atEnd, .stuck:
            rest(stream, now)
        case .news:
            // Directories are looked at before the next turn.
            ready.append(stream)
        case .outdated:
            // A look that finds a new name wakes the stream.
            if let node = stream.node { tree.enqueue(node) }
            rest(stream, now)
        }
    }

    /// Nothing to read now: look again after a while that doubles, and at last let a watch wake it.
    private func rest(_ stream: LogStream, _ now: Int64) {
        if stream.files.isEmpty {
            stream.attention = .resting
            unwatch(stream)
            if stream.isOrphan { table.end(stream) }
            return
        }
        if once {
            stream.attention = .resting
            return
        }
        if now - stream.lastGrowth >= intervals.idle, let live = stream.live, !live.needsLooks,
            stream.files.count == 1, watch(stream, live, now)
        {
            return
        }
        let interval = now < stream.hurriesUntil ? intervals.hurriedPoll : stream.interval
        let level = pollIntervals.firstIndex { $0 >= interval } ?? pollIntervals.count - 1
        let due = now + pollIntervals[level]
        stream.interval = min(pollIntervals[level] * 2, intervals.slowestPoll)
        stream.attention = .polled(due: due)
        polls[level].add(stream, due: due)
    }

    /// Puts a one-shot watch on a quiet file. False when it cannot be watched or has grown since.
    private func watch(_ stream: LogStream, _ live: TailedFile, _ now: Int64) -> Bool {
        if stream.watch != nil, stream.watchedFile == live.id {
            stream.attention = .watched
            return true
        }
        unwatch(stream)
        guard now >= nextWatch else { return false }
        do {
            guard case .open = try opener.reopen(live) else { return false }
        } catch {
            // Its next turn says why it cannot be opened.
            return false
        }
        do {
            let descriptor = try live.opened()
            let watch = try inotify.watchOnce(descriptor.descriptor)
            if let other = watchedFiles[watch] {
                // 1. A file's stream lost its directory, and another stream has found the file again.
                // 2. The kernel has one watch for one inode: it is the new stream's now, and must not
                //    end with the old one.
                other.watch = nil
                if other.attention == .watched { makeReady(other, fresh: false) }
            }
            stream.watch = watch
            stream.watchedFile = live.id
            watchedFiles[watch] = stream
            // What was written before the watch was there is no event.
            let status = try descriptor.descriptor.status()
            guard status.size == live.size - live.base, status.changed == live.changed else {
                unwatch(stream)
                return false
            }
            stream.attention = .watched
            return true
        } catch {
            // No watch to be had: the slowest poll does it.
            unwatch(stream)
            nextWatch = now + intervals.watchedScan
            return false
        }
    }

    private func unwatch(_ stream: LogStream) {
        guard let watch = stream.watch else { return }
        stream.watch = nil
        watchedFiles[watch] = nil
        inotify.end(watch)
    }
}
