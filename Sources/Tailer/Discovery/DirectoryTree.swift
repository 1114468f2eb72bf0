import Model
import Patterns
import Platform

/// The directories that patterns lead into, found by scans and watched by inotify.
///
/// Events are hints, scans are the truth: an event only queues its directory for a scan, and every
/// directory is scanned again after `TailerIntervals.watchedScan` in any case. Lives on the reader
/// thread.
final class DirectoryTree {
    /// A directory as one scan saw it.
    struct Scanned {
        let node: DirectoryNode
        let device: UInt64
        let names: DirectoryNames
        /// Names that patterns match and no exclusion does; the first input that matches has them.
        let matches: [Match]
        /// The match of a name that is not there.
        var missing: ([UInt8]) -> Match? = { _ in nil }
        /// The number of the reading of events before it was listed.
        var eventReads = 0
        /// The same before the look, which may list it again: it is gone through in slices.
        var readsByLook = 0
        /// When a name in it last changed before it was listed, as files there have it.
        var time: FileTime?
        /// The number of the watch that tells of its names; nil where none is believed.
        var watching: Int?
    }

    struct Match {
        let name: [UInt8]
        let kind: DirectoryEntry.Kind
        let input: Int
        let captures: [String: String]
        /// The name is not there; what belongs to it is.
        var isMissing = false
        /// Index among the input's patterns.
        var pattern = 0
        /// The link that leads to the name, which the pattern matches or which comes after one.
        var link: FollowedLink?
    }

    /// Saved files of a directory whose device has another number by now: who they are, and a look
    /// at one of them.
    struct Formers {
        var found: (_ directory: String, _ device: UInt64) -> [FormerFile] = { _, _ in [] }
        var look: (FormerFile, [UInt8], borrowing Descriptor) throws(SystemError) -> Void = {
            _, _, _ throws(SystemError) in
        }
    }

    let inputs: [TailerInput]
    let intervals: TailerIntervals
    let report: (TailerEvent) -> Void
    /// Tells of changes between scans.
    let watches: Watches
    /// Says of a directory whether others may write there unseen.
    let fileSystem: (borrowing Descriptor) throws(SystemError) -> FileSystemType
    /// How often events were read until nothing was left.
    private(set) var eventReads = 0
    /// Of this reading.
    private var portions = 0
    /// Logs that an earlier run has read in a directory, which lies on this device now.
    let savedStreams: (_ directory: String, _ device: UInt64) -> [SavedStream]
    /// Asked before anything in a directory is opened.
    let formers: Formers
    /// Exclusions that could be meant for a directory and were not met in that place yet.
    var namesToMeet: [(input: Int, exclusion: PathGlob)] = []
    /// The part of all directories that is in this tree.
    let territory: Territory
    /// One for each prefix; or, where this reader has what is mounted beneath one, for each mount.
    private(set) var roots: [DirectoryNode] = []
    /// Directories that links lead to, by their text. Each lies beneath the directory of a link
    /// that a pattern matches.
    var linkedDirectories: [ExactText: DirectoryNode] = [:]
    /// Linked directories whose links' directories have gone: together they have one share. It is
    /// no directory, and never scanned.
    private(set) lazy var strays = DirectoryNode(
        root: -1, prefix: "/", path: [], text: "(links that have gone)", places: [])
    /// Links that have gone, of directories that go on or not, before that was followed up.
    var leaving: [FollowedLink] = []
    /// Linked directories that were found before the first walk was over: whichever links lead to
    /// a file is known then. Nil after that.
    private var waiting: [DirectoryNode]? = []
    /// Directories of the first walk that no scan has gone through yet.
    private var firstUnlooked = 0
    /// They are waited for until then: a pod may make directories faster than they are walked.
    private let waitUntil: MonotonicTime
    /// Scans of this tree, so that each has a number.
    var scanNumber = 0

    /// Directories to be scanned next; each at most once, so bounded by the tree.
    private var queue = FairQueue<DirectoryNode>()
    /// Directories that take long, and wait until less is under way.
    private var large = FairQueue<DirectoryNode>(number: 1)
    /// Scans that are under way, in the order of their turns.
    private var underWay = RingQueue<DirectoryScan>()
    private var isLargeNext = false
    private var times = DirectoryTimes()
    /// Hears of each directory before it is touched.
    var touches: (DirectoryNode) -> Void = { _ in }
    /// Directories that have left the tree and were not handed to `dropped` yet.
    private var doomed: [DirectoryNode] = []
    /// Directories that no scan has gone through yet.
    private(set) var unlooked = 0
    /// Directories in the tree.
    private(set) var count = 0
    /// Those that nothing is heard of between scans, or that cannot be read.
    var unwatchedCount: Int { round.count }
    /// Of these.
    private var round: LookRound
    var rootLook: RootLook

    /// Events were lost since the last time that everything was scanned for it.
    private var hasOverflow = false
    /// What overflows all the time must not have everything scanned all the time.
    private var nextOverflow = MonotonicTime.zero

    /// Large scans at a time. Each has memory for all names of its directory.
    private static let mostUnderWay = 4
    /// Portions of 4,096 events in one reading: the kernel keeps 16,384 for us, a million where
    /// somebody has raised that. What was there when the reading began was read by then, and
    /// somebody makes events faster than they are read.
    private static let mostPortions = 256
    /// After so many looks at a directory that is not there, and that links lead to, there is half
    /// as much time between two as after twice as many.
    private static let fewVainLooks = 8
    /// Nanoseconds of a scan that is begun at once and may be repeated at once.
    private static let quickScan: Int64 = 2_000_000
    /// Nanoseconds of a scan past which only a few others are under way beside it.
    private static let largeScan: Int64 = 5_000_000
    /// After a scan that was not quick, a directory rests for so many times as long.
    private static let restFactor: Int64 = 8
    /// Then it takes part in the next second again, whatever it costs.
    private static let longestRest: Int64 = 5_000_000_000
    /// Scans of all directories that nothing is heard of, in `TailerIntervals.unwatchedScan`. A
    /// small one takes some 100 µs.
    static let mostScansByClock: Int64 = 250
    /// Those that are watched are scanned by the clock all the same, a quarter as often.
    private static let watchedSpread: Int64 = 4
    /// Between two scans of a directory that is not listened to because it makes too many events.
    private static let noisyScan: Int64 = 50_000_000
    /// And for each that its pod has, where those are many.
    private static let noisySpread: Int64 = 1_000_000
    /// After an overflow nothing is scanned for the next one, for so long for each directory.
    private static let overflowSpread: Int64 = 400_000

    /// Without watches, nothing is heard of between scans, which is all that one walk needs.
    init(
        inputs: [TailerInput], intervals: TailerIntervals, watches: Watches,
        fileSystem: @escaping (borrowing Descriptor) throws(SystemError) -> FileSystemType = {
            directory throws(SystemError) in try directory.fileSystemType()
        },
        territory: Territory? = nil,
        savedStreams: @escaping (String, UInt64) -> [SavedStream] = { _, _ in [] },
        formers: Formers = Formers(), report: @escaping (TailerEvent) -> Void
    ) {
        self.territory = territory ?? Territory(Territories(inputs), reader: 0)
        self.watches = watches
        self.fileSystem = fileSystem
        self.savedStreams = savedStreams
        self.formers = formers
        self.inputs = inputs
        self.intervals = intervals
        self.report = report
        round = LookRound(spread: intervals.unwatchedScan / Self.mostScansByClock)
        waitUntil = .now() + intervals.firstWalk
        rootLook = RootLook(due: watches.isWanted ? .zero : .never)
        for (input, settings) in inputs.enumerated() {
            namesToMeet += settings.exclude.filter(\.namesOne).map { (input, $0) }
        }
        watches.roots = { [unowned self] in strays.children.isEmpty ? roots : roots + [strays] }
        takeRoots()
    }

    /// Brings the roots up to what this reader has now.
    private func takeRoots() {
        let wanted = territory.roots
        for root in roots where !wanted.contains(where: { root.isRoot($0) }) { doom(root) }
        roots.removeAll(where: \.isGone)
        for root in wanted where !roots.contains(where: { $0.isRoot(root) }) {
            let path = root.path.isEmpty ? [] : [UInt8(ascii: "/")] + root.path
            let node = DirectoryNode(
                root: roots.count, prefix: root.prefix, path: root.path,
                text: PathText.text(Array(root.prefix.utf8) + path), places: root.places)
            roots.append(node)
            join(node, isOfFirstWalk: waiting != nil)
        }
    }

    /// The first walk is over, or has taken too long: what links lead to is looked at.
    private func release() {
        guard let nodes = waiting else { return }
        waiting = nil
        for node in nodes { enqueue(node) }
    }

    /// The reader's territory may be another one now.
    func redistributed() {
        takeRoots()
        if watches.isWanted { rootLook = RootLook(due: .zero) }
        forEachNode { node in
            if node.depth == 0 || node.linked != nil || !territory.has(node) { scanByClock(node) }
        }
    }

    /// A directory is part of the tree from now on. `isOfFirstWalk`: what links lead to waits for
    /// it.
    func join(_ node: DirectoryNode, isOfFirstWalk: Bool = false) {
        count += 1
        unlooked += 1
        if isOfFirstWalk {
            node.isOfFirstWalk = true
            firstUnlooked += 1
        }
        if node.linked != nil { waiting?.append(node) }
        enqueue(node)
    }

    // MARK: When to scan

    private func enqueue(_ node: DirectoryNode) {
        guard !node.isQueued, !node.isGone else { return }
        if node.linked != nil, waiting != nil { return }
        if node.isScanning {
            node.isWanted = true
            return
        }
        node.isQueued = true
        if node.isLarge { large.append(node, of: node) } else { queue.append(node, of: node) }
    }

    /// Something happened in a directory: it is scanned, though not before it has rested.
    func request(_ node: DirectoryNode, _ now: MonotonicTime) {
        guard now < node.restUntil, !node.isQueued, !node.isScanning else {
            enqueue(node)
            return
        }
        place(node, soon: node.restUntil)
    }

    /// Lines wait for a look at it: one that is small does not rest before that. What a look at it
    /// took was time for which this thread had to wait.
    func hurry(_ node: DirectoryNode, _ now: MonotonicTime) {
        if node.isSmall { node.restUntil = .zero }
        request(node, now)
    }

    /// An event of a directory, or the loss of its watch.
    func changed(_ node: DirectoryNode, appeared name: [UInt8]?, _ now: MonotonicTime) {
        if let name { node.appeared.add(name, isS6: node.streams[S6Name.current] != nil) }
        request(node, now)
    }

    /// Events are about to be read: all up to now, or more of those that the last portion has left
    /// (`goesOn`). All portions are one reading, which ends when nothing is left:
    ///
    /// 1. One directory has more events than a portion. A file in another one is renamed and
    ///    removed, and that directory listed.
    /// 2. Two portions later the event of the new name is not read yet.
    func beginEvents(goesOn: Bool) {
        portions = goesOn ? portions + 1 : 1
        guard portions == 1 || portions > Self.mostPortions else { return }
        portions = 1
        eventReads += 1
    }

    /// Events were lost: only a scan of everything tells what happened.
    func overflowed(_ now: MonotonicTime) {
        hasOverflow = true
        watches.distrust(now)
    }

    /// There is inotify again: everything is to be watched.
    func unwatchedAll() { forEachNode { scanByClock($0) } }

    private func recover(_ now: MonotonicTime) {
        guard hasOverflow, now >= nextOverflow else { return }
        hasOverflow = false
        nextOverflow = now + max(Self.noisyScan, Int64(count) * Self.overflowSpread)
        report(.overflow)
        forEachNode { scanByClock($0) }
    }

    private func scanByClock(_ node: DirectoryNode) {
        node.isByClock = true
        enqueue(node)
    }

    /// Every directory of the tree, in no order.
    func forEachNode(_ body: (DirectoryNode) -> Void) {
        var stack = roots + strays.children.values
        while let node = stack.popLast() {
            body(node)
            stack.append(contentsOf: node.children.values)
        }
    }

    /// Queues the scans that the clock and overflows want.
    func advance(_ now: MonotonicTime) {
        recover(now)
        if now >= waitUntil { release() }
        for node in watches.unwatched { schedule(node, now) }
        watches.unwatched.removeAll(keepingCapacity: true)
        if now >= rootLook.due {
            let own = roots.filter { territory.has($0) }
            for root in rootLook.moved(among: own, now, intervals, touches: touches) {
                scanByClock(root)
            }
        }
        while let node = times.popDue(now) {
            if node.clockDue <= now {
                node.isByClock = true
                node.clockDue = .never
            }
            node.soonDue = .never
            enqueue(node)
            if node.clockDue != .never { times.place(node) }
        }
    }

    /// Nothing is to be scanned now.
    var isQuiet: Bool {
        queue.isEmpty && large.isEmpty && underWay.isEmpty && doomed.isEmpty && leaving.isEmpty
    }

    /// The next scan that falls due by itself.
    var nextDue: MonotonicTime? {
        let overflow = hasOverflow ? nextOverflow : .never
        let release = waiting?.isEmpty == false ? waitUntil : .never
        let next = min(times.next ?? .never, overflow, release, rootLook.due)
        return next == .never ? nil : next
    }

    /// The directory's next scan without an event.
    private func schedule(_ node: DirectoryNode, _ now: MonotonicTime) {
        guard !node.isGone else { return }
        // Another reader has it, until it is told otherwise.
        guard territory.has(node) else { return note(node, isUnwatched: false) }
        // Without watches each directory is looked at once, and again only where that was not
        // enough.
        guard watches.isWanted || node.hasTrouble else { return }
        note(node, isUnwatched: node.hasTrouble || !watches.isBelieved(node))
        node.clockDue = min(node.clockDue, intervals.scanDue(now, interval(of: node, now)))
        let retry = intervals.scanDue(now, retryInterval(of: node))
        place(node, soon: node.hasTrouble ? retry : .never)
        node.vainRetries = node.hasTrouble ? node.vainRetries + 1 : 0
    }

    private func interval(of node: DirectoryNode, _ now: MonotonicTime) -> Int64 {
        if watches.isBelieved(node) {
            let watched = Int64(count - unwatchedCount)
            return max(intervals.watchedScan, watched *| round.spread *| Self.watchedSpread)
        }
        let rest = 2 * (node.restUntil - now)
        if now < node.noisyUntil {
            // Few have filled the queue of events, and not for long.
            let fair = Int64(node.outermost.unwatchedBelow) * Self.noisySpread
            return max(Self.noisyScan, fair, rest)
        }
        var least = intervals.unwatchedScan
        if node.linked != nil, node.vainLooks > Self.fewVainLooks {
            // Links may be left behind by the thousand.
            let doublings = min(node.vainLooks / Self.fewVainLooks, 6)
            least = min(intervals.watchedScan, intervals.unwatchedScan << doublings)
        }
        return max(least, roundLength(for: node), rest)
    }

    /// Where something could not be read: soon at first, for what is over in a moment, and the more
    /// seldom the longer it lasts. A walk of its own waits for nobody's share.
    private func retryInterval(of node: DirectoryNode) -> Int64 {
        guard watches.isWanted else { return intervals.unwatchedScan }
        let doubled = intervals.unwatchedScan << Int64(min(node.vainRetries, 12))
        return max(intervals.unwatchedScan, min(doubled, roundLength(for: node)))
    }

    private func roundLength(for node: DirectoryNode) -> Int64 {
        round.length(own: node.outermost.unwatchedBelow)
    }

    /// A scan was given up: what it was to wake is woken by the next one, whatever that was.
    func wakeWithNext(_ scan: DirectoryScan) {
        if scan.isByClock || scan.appeared?.isEmpty != true { scan.node.isByClock = true }
    }

    private func place(_ node: DirectoryNode, soon: MonotonicTime) {
        guard !node.isGone else { return }
        node.soonDue = min(node.soonDue, max(soon, node.restUntil))
        if node.due != .never { times.place(node) }
    }

    func note(_ node: DirectoryNode, isUnwatched: Bool) {
        guard node.countsAsUnwatched != isUnwatched else { return }
        node.countsAsUnwatched = isUnwatched
        countUnwatched(isUnwatched ? 1 : -1, in: node.outermost)
    }

    private func countUnwatched(_ change: Int, in outermost: DirectoryNode) {
        let before = outermost.unwatchedBelow
        outermost.unwatchedBelow += change
        round.count += change
        round.shares += (outermost.unwatchedBelow > 0 ? 1 : 0) - (before > 0 ? 1 : 0)
    }

    /// Something in the directory could not be read: look again soon.
    func retry(_ node: DirectoryNode, _ now: MonotonicTime) {
        guard !node.hasTrouble, !node.isGone else { return }
        node.hasTrouble = true
        note(node, isUnwatched: true)
        place(node, soon: now + retryInterval(of: node))
    }

    // MARK: Turns

    /// Handlers of the outcome of a scan.
    struct Handlers {
        /// Directories that are no longer there.
        var gone: (DirectoryNode) -> Void = { _ in }
        /// Another directory has the name of one that was scanned before.
        var swapped: (DirectoryNode) -> Void = { _ in }
        /// The open directory and what was seen of it. It is called until it returns true, each
        /// time in a slice of its own.
        let look: (DirectoryScan, SharedDescriptor, inout Slice) -> Bool
        /// A scan is over; `look` was called unless the directory could not be listed.
        var ended: (DirectoryScan) -> Void = { _ in }
    }

    /// Goes on with one scan, or begins one, for a slice at the most; false where there is none.
    ///
    /// 1. A directory has a hundred thousand files. Its scan is cut into slices.
    /// 2. There are many of those. Each has its names in memory while it is under way.
    /// So only a few are, and those that turn out to take long beside them begin once more later.
    func scanSome(_ slice: inout Slice, _ handlers: Handlers) -> Bool {
        guard bury(&slice, handlers) else { return true }
        isLargeNext.toggle()
        if isLargeNext || queue.isEmpty, let scan = nextLarge() {
            proceed(scan, &slice, handlers)
            return true
        }
        guard let node = queue.popFirst() else { return false }
        node.isQueued = false
        if !node.isGone { proceed(begin(node), &slice, handlers) }
        return true
    }

    private func nextLarge() -> DirectoryScan? {
        if underWay.count < Self.mostUnderWay {
            while let node = large.popFirst() {
                node.isQueued = false
                if !node.isGone { return begin(node) }
            }
        }
        return underWay.popFirst()
    }

    private func begin(_ node: DirectoryNode) -> DirectoryScan {
        node.isScanning = true
        scanNumber += 1
        defer { node.isByClock = false }
        return DirectoryScan(node, number: scanNumber, isByClock: node.isByClock)
    }

    private func proceed(_ scan: DirectoryScan, _ slice: inout Slice, _ handlers: Handlers) {
        let node = scan.node
        guard !node.isGone else { return }
        touches(node)
        let started = MonotonicTime.now()
        if !scan.isOver { scan.isOver = go(on: scan, &slice, started, handlers) }
        let isDone = scan.isOver && lookedAtLinks(of: scan, started, &slice)
        let end = MonotonicTime.now()
        scan.cost += end - started
        if !isDone, !node.isGone {
            if underWay.count < Self.mostUnderWay {
                underWay.append(scan)
                return
            }
            // It begins once more, when it is its turn.
            node.isScanning = false
            node.isLarge = true
            wakeWithNext(scan)
            enqueue(node)
            return
        }
        node.isScanning = false
        if scan.scanned != nil { node.savedStreams = [] }
        node.listingsDone = max(node.listingsDone, scan.listing)
        node.isLarge = scan.cost > Self.largeScan
        if watches.isWanted, scan.cost > Self.quickScan {
            node.restUntil = end + min(Self.longestRest, scan.cost * Self.restFactor)
        }
        handlers.ended(scan)
        if node.isWanted {
            node.isWanted = false
            request(node, end)
        }
        schedule(node, end)
        letGo(node)
    }

    /// Goes through the whole tree once, without any wait, and hands over what each directory has.
    func walk(_ body: @escaping (Scanned) -> Void) {
        let handlers = Handlers(look: { scan, _, _ in
            if let scanned = scan.scanned { body(scanned) }
            return true
        })
        var slice = Slice.endless
        // What could not be listed falls due later, and the walk does not wait.
        while scanSome(&slice, handlers) {}
        release()
        while scanSome(&slice, handlers) {}
    }

    // MARK: What is no longer there

    /// A directory was looked at, or cannot be.
    func looked(_ node: DirectoryNode) {
        guard !node.wasEnded else { return }
        node.wasEnded = true
        unlooked -= 1
        guard node.isOfFirstWalk else { return }
        firstUnlooked -= 1
        if firstUnlooked == 0 { release() }
    }

    /// A directory leaves the tree with all beneath it; `bury` hands them over.
    func doom(_ node: DirectoryNode) {
        if !linkedDirectories.isEmpty { strayLinked(beneath: node) }
        let outermost = node.outermost
        watches.detach(node)
        node.parent = nil
        var rest = [node]
        while let node = rest.popLast() {
            node.isGone = true
            count -= 1
            looked(node)
            times.remove(node)
            if node.countsAsUnwatched {
                node.countsAsUnwatched = false
                countUnwatched(-1, in: outermost)
            }
            rest.append(contentsOf: node.children.values)
            node.children = [:]
            doomed.append(node)
            leaveLinks(of: node)
        }
    }

    /// False where there are more of them than a slice is enough for.
    func bury(_ slice: inout Slice, _ handlers: Handlers) -> Bool {
        while let node = doomed.popLast() {
            watches.unwatch(node)
            handlers.gone(node)
            if slice.isOverAfterStep() { return false }
        }
        while let link = leaving.popLast() {
            followUp(link)
            if slice.isOverAfterStep() { return false }
        }
        return true
    }
}
