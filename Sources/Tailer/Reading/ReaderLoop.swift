import Model
import Platform

/// The reader thread's loop: events and scans say what there is, turns read it, one chunk a turn
/// and stream, so that no stream delays the others by more than a chunk.
///
/// Whatever others can make more of than there is time for (events, names, files, wake-ups) is
/// taken in portions, and each directory has its turn with each of them. Scans and turns share the
/// time half and half where both have something to do.
final class ReaderLoop {
    private let inputs: [TailerInput]
    private let intervals: TailerIntervals
    private let once: Bool
    private let output: any TailerOutput
    private let control: TailerControl
    private let figures: TailerFigures
    private let heartbeat: Heartbeat
    /// Something happened since the figures were set last, at `figuresAt`.
    private var areFiguresOld = true
    private var figuresAt = MonotonicTime.zero
    /// And not sooner than this after that: counting goes through all files, so it is not done in
    /// every round; and the more seldom the longer it takes, up to the longest.
    private var figuresInterval = ReaderLoop.shortestFigures
    private static let shortestFigures: Int64 = 1_000_000_000
    private static let longestFigures: Int64 = 10_000_000_000
    private static let figuresPart: Int64 = 1_024

    private let watches: Watches
    private let tree: DirectoryTree
    private let agenda = Agenda()
    private let opener: FileOpener
    private let table: StreamTable
    private let dormancy: Dormancy
    private let buffer: ChunkBuffer
    private let lender: FileLender
    private var frames: [Frame] = []

    /// Streams that may have bytes; each at most once.
    private var ready = FairQueue<LogStream>()
    /// Streams that wait for room; each at most once.
    private var starved = FairQueue<LogStream>(number: 1)
    /// Of those, how many are to be asked again.
    private var toFeed = 0
    /// When some are asked though nobody said that room came back.
    private var feedsAt = MonotonicTime.zero
    /// Streams to be polled, one queue for each interval of the back-off; stale entries are known
    /// by their time.
    private var polls: [IntervalQueue<LogStream>] = []
    private let pollIntervals: [Int64]
    /// Streams whose next look is with those of all others at the next sweep, one queue for each
    /// length of sweep; stale entries are known by their time.
    private var sweeps: [IntervalQueue<LogStream>] = []
    private let sweepLengths: [Int64]
    /// Of each input, which of those is its own.
    private let sweepOfInput: [Int]
    private var hasScannedAll = false
    private var onceRun = OnceRun()
    /// There may be more events than were read.
    private var hasMoreEvents = false
    /// Nanoseconds that scans have taken longer than turns of late.
    private var scanDebt: Int64 = 0
    /// When an event that is open may have been so for too long.
    private var eventsDue: MonotonicTime?
    /// Turns since what they took was sent.
    private var turnsUnsent = 0

    private static let mostChangingLooks = 8
    /// Turns in one pass before events are looked at again: archives live for milliseconds.
    private static let turnsPerPass = 8
    /// Turns whose lines go to the client together: the files with news at one sweep of an ordinary
    /// node, and some milliseconds' work.
    private static let mostTurnsUnsent = 128
    /// Events in one pass: a queue that is full is read in four, and others wait milliseconds.
    private static let eventsPerPass = 4_096
    /// Streams in one pass that are polled, or that are asked whether they have room again.
    private static let wakesPerPass = 1_024
    /// Room may come back in more ways than deliveries tell of: a stream that was next to have it
    /// ends, a topic is found not to work. Nobody waits longer for that than this many streams,
    /// each second.
    private static let feedsPerInterval = 256
    private static let feedInterval: Int64 = 1_000_000_000
    /// Nanoseconds that a scan may take before others have their turn, and all scans of one pass.
    private static let scanSlice: Int64 = 4_000_000
    private static let scansPerPass: Int64 = 8_000_000
    /// Scans that begin in one pass: each is quick, and files have their turns.
    private static let mostScans = 64
    /// In a directory with so few streams each scan looks at all of them.
    private static let fewStreams = 64
    /// A compressed file that waits for its turn among others asks for it so often, nanoseconds.
    private static let unpackingPoll: Int64 = 20_000_000
    /// The longest time between two polls.
    private static let longestPoll: Int64 = 3_600_000_000_000

    init(
        inputs: [TailerInput], once: Bool, intervals: TailerIntervals, openFiles: Int,
        heldBytes: Int, watches mostWatches: Int, territory: Territory,
        fileSystem: @escaping Tailer.FileSystemLook, startTimes: StartTimes,
        output: any TailerOutput,
        control: TailerControl,
        figures: TailerFigures, heartbeat: Heartbeat
    ) {
        self.inputs = inputs
        self.once = once
        var intervals = intervals
        if once { intervals.unwatchedScan = min(intervals.unwatchedScan, OnceRun.pause) }
        self.intervals = intervals
        self.output = output
        self.control = control
        self.figures = figures
        self.heartbeat = heartbeat
        // With `once` the first scan is all there is: what comes later is none of this run.
        watches = Watches(
            limit: once ? 0 : mostWatches, intervals: intervals, report: { output.report($0) })
        tree = DirectoryTree(
            inputs: inputs, intervals: intervals, watches: watches, fileSystem: fileSystem,
            territory: territory, savedStreams: { output.knownFiles.savedStreams(in: $0, on: $1) },
            formers: DirectoryTree.Formers(
                found: { output.knownFiles.formers(in: $0, on: $1) },
                look: { former, name, directory throws(SystemError) in
                    try output.renumber(former, name: name, in: directory)
                }),
            report: { output.report($0) })
        opener = FileOpener(
            output: output, mostOpen: openFiles, heldBytes: heldBytes, once: once,
            startTimes: startTimes, agenda: agenda)
        table = StreamTable(
            output: output, opener: opener,
            archives: inputs.map { ArchiveSearch(patterns: $0.archives) },
            firstStream: territory.reader << 40)
        lender = FileLender(opener: opener, output: output, agenda: agenda)
        table.patience = 2 * intervals.unwatchedScan
        table.truncationPatience = intervals.truncationPatience
        tree.touches = { control.touches($0.text) }
        buffer = ChunkBuffer(maxLine: inputs.map(\.maxLine).max() ?? 1)
        var steps = [intervals.truncationPoll, intervals.fastestPoll]
        while let last = steps.last, last < intervals.slowestPoll {
            steps.append(min(last * 2, intervals.slowestPoll))
        }
        // For what is quiet and cannot be watched.
        while let last = steps.last, last < Self.longestPoll { steps.append(last * 2) }
        pollIntervals = steps
        polls = steps.map { _ in IntervalQueue() }
        let lengths = inputs.map { max(1, min($0.sweep, intervals.longestSweep)) }
        let distinct = Set(lengths).sorted()
        sweepLengths = distinct
        sweepOfInput = lengths.map { distinct.firstIndex(of: $0) ?? 0 }
        sweeps = distinct.map { _ in IntervalQueue() }
        dormancy = Dormancy(
            table, watches, intervals, pollIntervals: steps, sweeps: (distinct, sweepOfInput),
            touches: { control.touches($0.text) })
    }

    /// Runs until stopped, or with `once` until everything that was there is read.
    func run() {
        while !control.isStopped {
            heartbeat.beat()
            let now = MonotonicTime.now()
            if control.takeWake() { toFeed = starved.count }
            feedStarved(now)
            readEvents(now)
            if watches.attempt(now) { tree.unwatchedAll() }
            if control.takeRedistribution() { tree.redistributed() }
            for message in control.takeLoans() { lender.take(message) }
            for question in control.takeQuestions() {
                question.answer(OnlyCopies(opener: opener, control: control).areHeld())
            }
            if let changes = control.takeMountChanges() { tree.remounted(changes, now) }
            tree.advance(now)
            scan(now)
            wakePolled(now)
            keepAgenda(now)
            takeTurns()
            keepAgenda(now)
            dormancy.fallAsleep(now)
            eventsDue = output.endOverdue(now)
            if ready.isEmpty, tree.isQuiet, toFeed == 0, !control.hasWake, !dormancy.isBusy {
                if once, hasScannedAll, starved.isEmpty {
                    if endsOnce() { break }
                    wait(atMost: OnceRun.pause)
                } else if !hasMoreEvents {
                    wait()
                }
            } else if now - figuresAt >= figuresInterval {
                setFigures(now)
            }
        }
        if once, !control.isStopped { output.endEvents() }
        output.sendTaken()
        if once {
            control.set(leftovers(isOver: !control.isStopped))
        }
        heartbeat.beat(waiting: nil)
        control.touches(nil)
    }

    // MARK: --once

    /// Whether all that was there is read, or what is not will not be; if not, it is looked at
    /// again.
    private func endsOnce() -> Bool {
        let left = leftovers(isOver: true)
        var hasTrouble = left.directories > 0
        tree.forEachNode { if $0.hasTrouble { hasTrouble = true } }
        let isRead = left.files.isEmpty && left.unprovenLines == 0
        switch onceRun.pauses(isSettled: isRead && !hasTrouble) {
        case .isOver: return true
        case .isNot:
            tree.forEachNode { for stream in $0.streams.values { wakeQuiet(stream) } }
            for stream in table.orphans { makeReady(stream, fresh: false) }
            return false
        }
    }

    private func leftovers(isOver: Bool) -> TailerLeftovers {
        var left = TailerLeftovers()
        left.isScanned = hasScannedAll
        left.isOver = isOver
        table.addOutOfReach(to: &left)
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

    private func takeTurns() {
        guard !ready.isEmpty else { return }
        let begin = MonotonicTime.now()
        var turns = 0
        while turns < Self.turnsPerPass, let stream = ready.popFirst() {
            turn(stream)
            turns += 1
        }
        turnsUnsent += turns
        // Scans may take long.
        if ready.isEmpty || !tree.isQuiet || turnsUnsent >= Self.mostTurnsUnsent {
            output.sendTaken()
            turnsUnsent = 0
        }
        areFiguresOld = true
        scanDebt -= MonotonicTime.now() - begin
    }

    private func setFigures(_ now: MonotonicTime) {
        let begin = MonotonicTime.now()
        var count = TailerFigures.Count()
        var quiet = dormancy.round.none
        tree.forEachNode { node in
            count.directories += 1
            if node.isUnlistable { count.unreadable += 1 }
            // Every other directory comes after the outermost one that it lies in.
            let share = node.outermost
            if share === node { node.quietBelow = 0 }
            for stream in node.streams.values {
                count.add(stream)
                if isQuietUnwatched(stream, now) { quiet.count(1, in: share) }
            }
            count.add(dormant: node.dormant.count)
            quiet.count(node.dormant.values.count { $0.watch == nil }, in: share)
        }
        dormancy.round = quiet
        for stream in table.orphans { count.add(stream) }
        count.unreadable += opener.unreadableCount
        count.openFiles = opener.cache.count
        count.held = opener.cache.holds.shares.total
        count.watches = watches.count
        count.unwatchedDirectories = tree.unwatchedCount
        count.starvedStreams = starved.count
        figures.set(count)
        areFiguresOld = false
        figuresAt = now
        let cost = MonotonicTime.now() - begin
        figuresInterval = max(
            Self.shortestFigures, min(Self.longestFigures, cost * Self.figuresPart))
    }

    private func isQuietUnwatched(_ stream: LogStream, _ now: MonotonicTime) -> Bool {
        guard stream.watch == nil, case .polled = stream.attention else { return false }
        return now - stream.lastGrowth >= intervals.idle
    }

    /// Does what turned out to be next.
    private func keepAgenda(_ now: MonotonicTime) {
        agenda.takeAll(
            wake: { makeReady($0, fresh: $1) }, look: { tree.request($0, now) },
            retry: { tree.retry($0, now) })
    }

    // MARK: Events, scans, time

    private func readEvents(_ now: MonotonicTime) {
        tree.beginEvents(goesOn: hasMoreEvents)
        let reading = watches.read(most: Self.eventsPerPass) { node, name in
            tree.changed(node, appeared: name, now)
        }
        hasMoreEvents = reading.hasMore
        if reading.isLost { tree.overflowed(now) }
        for log in watches.woken {
            if let dormant = log as? DormantStream { dormancy.heard(dormant) }
            guard let stream = log as? LogStream, stream.attention == .watched else { continue }
            // 1. A quiet log is copied. A line is written to it.
            // 2. It is truncated before the next sweep.
            if stream.watch == nil, now >= stream.expectsTruncationUntil {
                stream.interval = sweep(of: stream)
                sweep(stream, now)
            } else {
                agenda.wake(stream, isFresh: stream.watch == nil)
            }
        }
        watches.woken.removeAll(keepingCapacity: true)
    }

    private func scan(_ now: MonotonicTime) {
        scanDebt = max(0, scanDebt)
        if !ready.isEmpty, scanDebt > Self.scanSlice { return }
        if ready.isEmpty { scanDebt = 0 }
        let begin = MonotonicTime.now()
        let handlers = DirectoryTree.Handlers(
            gone: { [table, dormancy] in
                table.gone($0, now)
                if !$0.isGone { dormancy.hint($0) }
            },
            swapped: { [table, dormancy] in
                table.swapped($0, now)
                dormancy.hint($0)
            },
            look: { [table] scan, directory, slice in
                guard let scanned = scan.scanned else { return true }
                table.saw(scanned)
                let look = DirectoryLook(scanned: scanned, directory: directory, now: now)
                return table.go(on: scan.work, look, &slice)
            },
            ended: { [self] in settle($0, now) })
        var scans = 0
        var time = begin
        while scans < Self.mostScans, time - begin < Self.scansPerPass {
            var slice = Slice(until: time + Self.scanSlice)
            guard tree.scanSome(&slice, handlers) else { break }
            scans += 1
            time = MonotonicTime.now()
        }
        if scans > 0 { areFiguresOld = true }
        table.keepShares()
        scanDebt += time - begin
        if !hasScannedAll, tree.unlooked == 0 {
            hasScannedAll = true
            opener.isFirstScan = false
            output.scannedAll()
        }
    }

    /// A scan is over.
    private func settle(_ scan: DirectoryScan, _ now: MonotonicTime) {
        let node = scan.node
        var isLooked = true
        switch scan.work.end {
        case .fine:
            node.changingLooks = 0
        case .again, .underWay:
            // Looked at in a row a few times at most: something that looks like a change and
            // stays must not keep everything else from its turn.
            node.changingLooks += 1
            if node.changingLooks % Self.mostChangingLooks == 0 {
                tree.retry(node, now)
            } else {
                tree.request(node, MonotonicTime.now())
                isLooked = false
            }
        case .retry:
            node.changingLooks = 0
            tree.retry(node, now)
        }
        if isLooked { tree.looked(node) }
        table.keepShares()
        wakeQuiet(scan)
    }

    /// A scan by the clock looks at files that nothing was heard of as well: a hint may be missing.
    /// One that an event has caused looks at those whose names were told of, and where there are
    /// but a few, at all.
    private func wakeQuiet(_ scan: DirectoryScan) {
        let node = scan.node
        guard !scan.isByClock, node.streamCount > Self.fewStreams, let names = scan.appeared else {
            for stream in node.streams.values { wakeQuiet(stream) }
            dormancy.hint(node)
            return
        }
        for name in names {
            wakeQuiet(name, in: node)
            for base in RotatedName.bases(of: name) { wakeQuiet(base, in: node) }
        }
    }

    private func wakeQuiet(_ name: [UInt8], in node: DirectoryNode) {
        if let stream = node.streams[name] { wakeQuiet(stream) }
        dormancy.hint(name, in: node)
    }

    private func wakeQuiet(_ stream: LogStream) {
        switch stream.attention {
        case .watched, .resting: makeReady(stream, fresh: false)
        case .ready, .starved, .polled: break
        }
    }

    private func wakePolled(_ now: MonotonicTime) {
        if dormancy.look(now) { areFiguresOld = true }
        var wakes = 0
        for level in polls.indices {
            while wakes < Self.wakesPerPass, let (stream, due) = polls[level].popDue(now) {
                wakes += 1
                if stream.attention == .polled(due: due) { makeReady(stream, fresh: false) }
            }
        }
        for index in sweeps.indices {
            while wakes < Self.wakesPerPass, let (stream, due) = sweeps[index].popDue(now) {
                wakes += 1
                guard stream.attention == .polled(due: due) else { continue }
                if hasNothingNew(stream, now) {
                    sweep(stream, now)
                } else {
                    makeReady(stream, fresh: false)
                }
            }
        }
    }

    /// Whether its turn would come to nothing but the next sweep's.
    private func hasNothingNew(_ stream: LogStream, _ now: MonotonicTime) -> Bool {
        guard !once, now >= stream.expectsTruncationUntil, stream.movesInRow == 0,
            now - stream.lastGrowth < intervals.idle, let file = stream.asItWasRead(table)
        else { return false }
        opener.cache.use(file)
        return true
    }

    private func feedStarved(_ now: MonotonicTime) {
        if now >= feedsAt, !starved.isEmpty {
            toFeed = max(toFeed, min(starved.count, Self.feedsPerInterval))
            feedsAt = now + Self.feedInterval
        }
        var fed = 0
        while toFeed > 0, fed < Self.wakesPerPass, let stream = starved.popFirst() {
            toFeed -= 1
            fed += 1
            stream.attention = .ready
            append(stream)
        }
        if starved.isEmpty { toFeed = 0 }
    }

    private func append(_ stream: LogStream) {
        ready.append(stream, of: stream.isOrphan ? nil : stream.node)
    }

    private func wait(atMost pause: Int64? = nil) {
        var next = tree.nextDue
        if let attempt = watches.nextAttempt { next = min(next ?? attempt, attempt) }
        if let due = dormancy.nextDue { next = min(next ?? due, due) }
        for queue in polls + sweeps {
            if let due = queue.nextDue { next = min(next ?? due, due) }
        }
        if !starved.isEmpty { next = min(next ?? feedsAt, feedsAt) }
        if let eventsDue { next = min(next ?? eventsDue, eventsDue) }
        let now = MonotonicTime.now()
        if areFiguresOld {
            // After the last change they are set once more, and nothing wakes a reader for that.
            let due = figuresAt + figuresInterval
            if due <= now { setFigures(now) } else { next = min(next ?? due, due) }
        }
        var time = next.map { max(0, $0 - now) }
        if let pause { time = min(time ?? pause, pause) }
        heartbeat.beat(waiting: time)
        control.touches(nil)
        watches.wait(control.wakeup, nanoseconds: time)
    }

    private func makeReady(_ stream: LogStream, fresh: Bool) {
        if fresh { stream.interval = sweep(of: stream) }
        switch stream.attention {
        case .ready, .starved: return
        case .polled, .watched, .resting:
            stream.attention = .ready
            append(stream)
        }
    }

    // MARK: Turns

    private func turn(_ stream: LogStream) {
        control.touches(stream.name)
        let now = MonotonicTime.now()
        let reading = StreamTurn(
            stream: stream, output: output, opener: opener, table: table, buffer: buffer,
            framer: LineFramer(
                maxLine: inputs[stream.input].maxLine, form: inputs[stream.input].form),
            drain: intervals.drain,
            patience: table.patience, once: once,
            hasNews: { [self] in
                readEvents(now)
                guard let node = stream.node else { return false }
                // What was not read up to now may tell of anything.
                return hasMoreEvents || node.changingLooks > 0
                    || node.appeared.isRotation(of: stream.liveName)
            })
        switch reading.run(now, &frames) {
        case .moved:
            onceRun.moved()
            grew(stream, now)
            append(stream)
        case .caughtUp:
            grew(stream, now)
            rest(stream, now)
        case .noRoom:
            stream.attention = .starved
            starved.append(stream, of: stream.isOrphan ? nil : stream.node)
        case .atEnd, .stuck:
            rest(stream, now)
        case .waits:
            // Others are being read, or will give up their place.
            onceRun.moved()
            poll(stream, Self.unpackingPoll, now)
        case .news:
            // Others have their turns before there is a look.
            onceRun.moved()
            if let node = stream.node { tree.hurry(node, now) }
            let isSoon = stream.node?.isSmall ?? false
            poll(stream, isSoon ? intervals.truncationPoll : intervals.fastestPoll, now)
        case .outdated:
            // A look that finds a new name wakes the stream.
            if let node = stream.node { tree.request(node, now) }
            rest(stream, now)
        }
    }

    /// Nothing to read now: look again after a while that doubles, and at last let a watch wake it.
    private func rest(_ stream: LogStream, _ now: MonotonicTime) {
        stream.settle()
        if stream.files.isEmpty {
            stream.attention = .resting
            watches.unwatch(stream)
            if stream.isOrphan { table.end(stream) }
            return
        }
        if once {
            stream.attention = .resting
            return
        }
        let isTruncatedSoon = now < stream.expectsTruncationUntil
        let isFast = stream.movesInRow > 1
        // It is read to its end, whether it gets a watch or a poll.
        stream.movesInRow = 0
        if !isTruncatedSoon, now - stream.lastGrowth >= intervals.idle,
            let live = stream.live, !live.needsLooks,
            stream.files.count == 1, watch(stream, live, now)
        {
            letRest(stream)
            dormancy.consider(stream)
            return
        }
        if isTruncatedSoon {
            poll(stream, intervals.truncationPoll, now)
        } else if isFast {
            poll(stream, intervals.fastestPoll, now)
        } else if let since = stream.files.compactMap(\.doubtedSince).max() {
            // Soon at first, for the end of a doubt of a second; ever more seldom where deliveries
            // are waited for, which takes as long as the brokers are away.
            let age = min(now - since, intervals.slowestPoll)
            poll(stream, max(age, intervals.fastestPoll), now)
        } else if now - stream.lastGrowth < intervals.idle {
            sweep(stream, now)
        } else {
            letRest(stream)
            let polled = poll(stream, quietInterval(stream), now)
            stream.interval = min(polled * 2, max(intervals.slowestPoll, sweep(of: stream)))
        }
        dormancy.consider(stream)
    }

    /// It is quiet: what it needs to be read is let go of.
    private func letRest(_ stream: LogStream) {
        output.rests(stream.id)
        for file in stream.files { file.share(anchor: output.anchor(of: file.id)) }
    }

    private func grew(_ stream: LogStream, _ now: MonotonicTime) {
        stream.lastGrowth = now
        stream.interval = sweep(of: stream)
        stream.movesInRow += 1
    }

    private func sweep(of stream: LogStream) -> Int64 { sweepLengths[sweepOfInput[stream.input]] }

    /// Its next look is at the next sweep.
    private func sweep(_ stream: LogStream, _ now: MonotonicTime) {
        let index = sweepOfInput[stream.input]
        let due = now.next(multipleOf: sweepLengths[index])
        stream.attention = .polled(due: due)
        // Its turns before that need no place of their own.
        guard stream.sweptAt != due else { return }
        stream.sweptAt = due
        sweeps[index].add(stream, due: due)
    }

    /// Its next turn is after `interval`, or the next longer one that there is; that one.
    @discardableResult
    private func poll(_ stream: LogStream, _ interval: Int64, _ now: MonotonicTime) -> Int64 {
        let level = pollIntervals.firstIndex { $0 >= interval } ?? pollIntervals.count - 1
        let due = intervals.pollDue(now, pollIntervals[level])
        stream.attention = .polled(due: due)
        polls[level].add(stream, due: due)
        return pollIntervals[level]
    }

    private func quietInterval(_ stream: LogStream) -> Int64 {
        max(stream.interval, dormancy.round.length(for: stream.node))
    }

    /// Puts a one-shot watch on a quiet file. False when it cannot be watched or has grown since.
    private func watch(_ stream: LogStream, _ live: TailedFile, _ now: MonotonicTime) -> Bool {
        if watches.isWatched(stream, live) {
            stream.attention = .watched
            return true
        }
        watches.unwatch(stream)
        guard watches.mayWatch(stream.node, now) else { return false }
        do {
            guard case .open = try opener.reopen(live) else { return false }
            let descriptor = try live.opened()
            guard watches.watchOnce(stream, live, descriptor.descriptor, now) else { return false }
            // What was written before the watch was there is no event.
            let status = try descriptor.descriptor.status()
            guard status.size == live.diskSize, status.changed == live.changed else {
                watches.unwatch(stream)
                return false
            }
            stream.attention = .watched
            return true
        } catch {
            // Its next turn says why it cannot be opened.
            watches.unwatch(stream)
            return false
        }
    }
}
