import Platform

/// Which streams become dormant, and when those that are so are looked at. Owned by the loop, on
/// its thread alone.
///
/// A file that is open costs a descriptor, and who has one has its stream, too: so a node with no
/// more files than may be open has nothing dormant. Of what is parked, a stream is dormant when it
/// was quiet for a while; and where very many files come at once, as soon as all of it is
/// delivered, or memory would hold for ever what all of them took at that moment.
final class Dormancy {
    private let table: StreamTable
    private let watches: Watches
    private let intervals: TailerIntervals
    private let mostAwake: Int
    /// Streams that may become dormant; those of one pass.
    private var candidates: [LogStream] = []
    /// Watched streams that something kept awake at that moment, as a delivery that is awaited:
    /// nothing else would ask about them again. One queue for each further attempt, each after four
    /// times as long as the one before, and the last again and again.
    private var again = [IntervalQueue<Attempt>](repeating: IntervalQueue(), count: 5)
    private struct Attempt {
        weak var stream: LogStream?
    }
    /// Of one pass, of each queue.
    private static let mostAttempts = 256
    /// Dormant streams to be polled, one queue for each interval; stale entries are known by their
    /// time.
    private var polls: [IntervalQueue<DormantStream>]
    private let pollIntervals: [Int64]
    /// The same of those whose logs were written to a moment ago: they are looked at with all
    /// others of their input, which has this sweep.
    private var sweeps: [IntervalQueue<DormantStream>]
    private let sweepLengths: [Int64]
    private let sweepOfInput: [Int]
    /// Watched ones that are to be looked at all the same, each of them once.
    private var hinted = RingQueue<DormantStream>()
    /// How often quiet files are looked at that no watch tells of, dormant or not; as they were
    /// counted last.
    var round: LookRound
    /// Hears of each directory before something in it is touched.
    private let touches: (DirectoryNode) -> Void

    /// Looks at all quiet files that cannot be watched, in `TailerIntervals.slowestPoll`. Each
    /// takes some 5 µs, so that is a fiftieth of the time at the most, however many there are.
    static let mostQuietLooks: Int64 = 2_560

    /// `sweeps`: the lengths of sweeps that there are, and which of them an input has.
    init(
        _ table: StreamTable, _ watches: Watches, _ intervals: TailerIntervals,
        pollIntervals: [Int64], sweeps: (lengths: [Int64], ofInput: [Int]),
        touches: @escaping (DirectoryNode) -> Void = { _ in }
    ) {
        self.touches = touches
        self.sweeps = sweeps.lengths.map { _ in IntervalQueue() }
        (sweepLengths, sweepOfInput) = (sweeps.lengths, sweeps.ofInput)
        round = LookRound(spread: intervals.slowestPoll / Self.mostQuietLooks)
        self.table = table
        self.watches = watches
        self.intervals = intervals
        self.pollIntervals = pollIntervals
        mostAwake = intervals.mostAwake ?? 2 * table.opener.cache.most
        polls = pollIntervals.map { _ in IntervalQueue() }
        table.hasWoken = { [watches] in watches.move(from: $0, to: $1) }
        table.unwatch = { [watches] in watches.unwatch($0) }
    }

    /// When one is to be looked at; the past where some are now.
    var nextDue: MonotonicTime? {
        if !hinted.isEmpty { return .zero }
        let attempt = again.lazy.compactMap(\.nextDue).min()
        let look = (polls + sweeps).lazy.compactMap(\.nextDue).min()
        return [attempt, look].compactMap(\.self).min()
    }

    /// Some are to be looked at now, or to be let go.
    var isBusy: Bool { !hinted.isEmpty || !table.forsaken.isEmpty }

    // MARK: Falling asleep

    /// A stream has nothing to read, and was given its next poll or a watch.
    func consider(_ stream: LogStream) {
        if Self.mayBeDormant(stream) { candidates.append(stream) }
    }

    private static func mayBeDormant(_ stream: LogStream) -> Bool {
        stream.kind == .path && stream.files.count == 1 && !stream.files[0].isOpen
    }

    /// What may be dormant becomes so.
    func fallAsleep(_ now: MonotonicTime) {
        for file in table.opener.cache.takeParked() {
            if let stream = file.stream { consider(stream) }
        }
        for stream in candidates { fallAsleep(stream, now, attempt: 0) }
        candidates.removeAll(keepingCapacity: true)
        for attempt in again.indices {
            for _ in 0..<Self.mostAttempts {
                guard let (waiting, _) = again[attempt].popDue(now) else { break }
                guard let stream = waiting.stream else { continue }
                stream.awaitsSleep = false
                if stream.attention == .watched, Self.mayBeDormant(stream) {
                    fallAsleep(stream, now, attempt: min(attempt + 1, again.count - 1))
                }
            }
        }
    }

    private func tryAgain(_ stream: LogStream, _ now: MonotonicTime, attempt: Int) {
        guard stream.attention == .watched, !stream.awaitsSleep else { return }
        stream.awaitsSleep = true
        again[attempt].add(
            Attempt(stream: stream), due: now + intervals.idle *| (1 << (2 * Int64(attempt))))
    }

    private func fallAsleep(_ stream: LogStream, _ now: MonotonicTime, attempt: Int) {
        switch stream.attention {
        case .polled: watches.unwatch(stream)
        case .watched:
            // 1. A watch is taken from a quiet file, or an overflow has made it void: the stream is
            //    to be woken for that, by the next pass.
            // 2. In this pass its file is parked. Asleep, nobody would ever look at it again.
            guard let file = stream.files.first, watches.isWatched(stream, file) else { return }
        case .ready, .starved, .resting: return
        }
        // What is watched was quiet for that long when it got its watch; in a pass that takes long,
        // that was after `now`, and it would be asked about no more.
        let isQuiet = stream.attention == .watched || now - stream.lastGrowth >= intervals.idle
        guard isQuiet || table.opener.open.count > mostAwake else { return }
        guard let dormant = table.sleep(stream, now) else {
            tryAgain(stream, now, attempt: attempt)
            return
        }
        stream.attention = .resting
        watches.move(from: stream, to: dormant)
        if !watches.isWatched(dormant) { poll(dormant, now) }
    }

    // MARK: Looks

    /// Looks at those that are due, as many as there is time for. Whether there were any.
    ///
    /// 1. Where files are far away, quiet ones are due at all times.
    /// 2. A log that is written to comes first, and what was heard of.
    func look(_ now: MonotonicTime) -> Bool {
        if !table.forsaken.isEmpty {
            var slice = Slice(until: MonotonicTime.now() + LookPass.slice)
            _ = table.letDormantGo(&slice)
        }
        var heard = LookPass()
        for index in sweeps.indices {
            while !heard.isOver, let (dormant, due) = sweeps[index].popDue(now) {
                if dormant.due == due { look(at: dormant, now) }
                heard.looked()
            }
        }
        while !heard.isOver, let dormant = hinted.popFirst() {
            dormant.isHinted = false
            look(at: dormant, now)
            heard.looked()
        }
        var seen = LookPass()
        for level in polls.indices {
            while !seen.isOver, let (dormant, due) = polls[level].popDue(now) {
                if dormant.due == due { look(at: dormant, now) }
                seen.looked()
            }
        }
        return heard.looks > 0 || seen.looks > 0
    }

    /// The looks of one pass of the loop: so many, in so much time, as each is one call, which may
    /// hang.
    private struct LookPass {
        static let slice: Int64 = 2_000_000
        static let most = 512
        private(set) var looks = 0
        private(set) var isOver = false
        private var time = Slice(until: MonotonicTime.now() + slice)

        mutating func looked() {
            looks += 1
            isOver = time.isOverAfterStep() || looks >= Self.most
        }
    }

    private func look(at dormant: DormantStream, _ now: MonotonicTime) {
        // In a directory that has left the tree nothing is looked for any more.
        guard !dormant.isAwake, let node = dormant.node, !node.isGone else { return }
        touches(node)
        guard dormant.isUnchanged(in: node) else {
            table.wake(dormant)
            return
        }
        if watches.isWatched(dormant) { return }
        watches.unwatch(dormant)
        // None is taken from others for it: it is polled.
        if now - dormant.lastGrowth >= intervals.idle, watches.hasRoom(now),
            watches.mayWatch(node, now)
        {
            if watches.watchOnce(dormant, in: node, now) {
                dormant.due = .never
                return
            }
            guard dormant.isUnchanged(in: node) else {
                table.wake(dormant)
                return
            }
        }
        poll(dormant, now)
    }

    private func poll(_ dormant: DormantStream, _ now: MonotonicTime) {
        if now - dormant.lastGrowth < intervals.idle {
            let index = sweepOfInput[dormant.input]
            dormant.due = now.next(multipleOf: sweepLengths[index])
            sweeps[index].add(dormant, due: dormant.due)
            return
        }
        let interval = max(dormant.interval, round.length(for: dormant.node))
        let level = pollIntervals.firstIndex { $0 >= interval } ?? pollIntervals.count - 1
        dormant.due = intervals.pollDue(now, pollIntervals[level])
        dormant.interval = min(
            pollIntervals[level] * 2, max(intervals.slowestPoll, dormant.interval))
        polls[level].add(dormant, due: dormant.due)
    }

    // MARK: What was heard of

    /// A watch is gone, or not to be believed.
    func heard(_ dormant: DormantStream) {
        if dormant.watch == nil { table.wake(dormant) } else { hint(dormant) }
    }

    /// A directory was scanned by the clock: a hint may be missing.
    func hint(_ node: DirectoryNode) {
        for dormant in node.dormant.values { hint(dormant) }
    }

    /// A name in a directory was told of.
    func hint(_ name: [UInt8], in node: DirectoryNode) {
        if let dormant = node.dormant[name] { hint(dormant) }
    }

    /// One that is polled is looked at in time.
    private func hint(_ dormant: DormantStream) {
        guard dormant.watch != nil, !dormant.isHinted else { return }
        dormant.isHinted = true
        hinted.append(dormant)
    }
}
