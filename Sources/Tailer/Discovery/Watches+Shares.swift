import Platform

/// Who gets a watch when there are not enough, and who loses it: the smaller share is served first,
/// at each level of the directories that a pattern leads through. A pod with two hundred thousand
/// directories is scanned, and its neighbours are watched.
extension Watches {
    /// Watches that are taken from somebody at a time, and of those that he has one of so many:
    /// looking for who has most costs something.
    private static let mostTaken = 16
    private static let partTaken = 64
    /// How long nothing is asked for again where a watch was denied, nanoseconds.
    private static let denialInterval: Int64 = 1_000_000_000
    /// Children that are gone through each time.
    private static let fewChildren = 32
    /// Of more, so many are remembered that had about as much as the first, and the outcome is
    /// believed for so many nanoseconds for each child: all of that together is a thousandth of the
    /// time.
    private static let mostRemembered = 1_024
    private static let childSpread: Int64 = 50_000
    /// Events that are no storm, whatever else has happened: fewer than the kernel's queue holds.
    static let leastStorm = 1_024
    /// Parts of all events from which on a directory is one of those that filled the queue.
    private static let leastPart = 32
    /// For so long at first, and at last, is not listened to who has filled the queue, nanoseconds.
    private static let shortestNoise: Int64 = 1_000_000_000
    private static let longestNoise: Int64 = 60_000_000_000

    /// Whether one more watch may be had for something in a directory; where there is none left, it
    /// is taken from who has more.
    func admit(_ node: DirectoryNode, _ now: MonotonicTime) -> Bool {
        let available = available(now)
        if count < available {
            if count < available / 4 * 3 { hasReportedShortage = false }
            return true
        }
        // All that have nothing yet are alike to those beside them.
        let parent = node.watchesBelow == 0 ? node.parent : nil
        let denied = parent?.deniesBelowUntil ?? node.deniedUntil
        guard available > 0, now >= denied else { return false }
        if let (rich, own) = richer(than: node, now) {
            tell(rich)
            let taken = max(Self.mostTaken, rich.watchesBelow / Self.partTaken)
            let most = max(1, min(taken, (rich.watchesBelow - own) / 2))
            if take(most, from: rich) > 0, count < available { return true }
        }
        if let parent {
            parent.deniesBelowUntil = now + Self.denialInterval
        } else {
            node.deniedUntil = now + Self.denialInterval
        }
        return false
    }

    private func tell(_ rich: DirectoryNode) {
        guard !hasReportedShortage else { return }
        hasReportedShortage = true
        report(.watchesShort(limit: limit, path: rich.text, count: rich.watchesBelow))
    }

    /// The outermost directory that has more than the one beside it in which `node` lies, and how
    /// many that one has. Each level is gone through once for a while: where watches are short,
    /// each quiet file asks for one again and again.
    private func richer(
        than node: DirectoryNode, _ now: MonotonicTime
    ) -> (DirectoryNode, own: Int)? {
        var path = [node.share]
        while let parent = path.last?.parent { path.append(parent) }
        var above: DirectoryNode?
        while let mine = path.popLast() {
            let enough = mine.watchesBelow + 1
            if let above, above.mostBelow <= enough, now < above.mostBelowUntil {
                // Nobody there has more.
            } else {
                let rich = above.map { richest(in: $0, now) } ?? richest(of: roots())
                if let rich, rich.watchesBelow > enough { return (rich, mine.watchesBelow) }
            }
            above = mine
        }
        return nil
    }

    /// A child that has about as much below it as any other.
    ///
    /// 1. A pod has three watches, as twenty thousand others have, and one is taken from it.
    /// 2. The next directory asks for one. To go through all children for each was all that a
    ///    reader did.
    private func richest(in node: DirectoryNode, _ now: MonotonicTime) -> DirectoryNode? {
        while let rich = node.richest.last {
            if now < node.mostBelowUntil, rich.parent === node, !rich.isGone,
                rich.watchesBelow >= node.mostBelow - node.mostBelow / 16
            {
                return rich
            }
            node.richest.removeLast()
        }
        let rich = richest(of: node.children.values)
        node.mostBelow = rich?.watchesBelow ?? 0
        node.mostBelowUntil =
            now + max(Self.denialInterval, Int64(node.children.count) * Self.childSpread)
        if let rich, node.children.count > Self.fewChildren {
            for child in node.children.values where child.watchesBelow == rich.watchesBelow {
                node.richest.append(child)
                if node.richest.count == Self.mostRemembered { break }
            }
        }
        return rich
    }

    private func richest(of nodes: some Sequence<DirectoryNode>) -> DirectoryNode? {
        var richest: DirectoryNode?
        for node in nodes {
            comparisons += 1
            if node.watchesBelow > richest?.watchesBelow ?? 0 { richest = node }
        }
        return richest
    }

    /// Takes watches away, from who has most beneath a directory; how many it were.
    private func take(_ most: Int, from node: DirectoryNode) -> Int {
        var node = node
        while true {
            var richest: DirectoryNode?
            var below = 0
            for child in node.children.values {
                below += child.watchesBelow
                if child.watchesBelow > richest?.watchesBelow ?? 0 { richest = child }
            }
            guard let richest, richest.watchesBelow > node.watchesBelow - below else { break }
            guard richest.watchesBelow > 1 else { return takeSingle(most, from: node) }
            node = richest
        }
        return takeOwn(most, from: node)
    }

    /// From children that have one each.
    private func takeSingle(_ most: Int, from node: DirectoryNode) -> Int {
        var taken = 0
        for child in node.children.values where child.watchesBelow == 1 {
            if taken == most { break }
            taken += take(1, from: child)
        }
        return taken
    }

    /// A directory's own: those of its files first, which are looked at all the same, and last the
    /// one that tells of new directories beneath it. What nobody counts one by one beneath the
    /// deepest that is shared is that one's own, too: it was found to have most for that.
    private func takeOwn(_ most: Int, from node: DirectoryNode) -> Int {
        var taken = takeFiles(most, from: node)
        var rest = node.isDeepestShare && taken < most ? Array(node.children.values) : []
        while taken < most, let below = rest.popLast() {
            taken += takeFiles(most - taken, from: below)
            taken += takeDirectory(most - taken, below)
            if taken < most { rest.append(contentsOf: below.children.values) }
        }
        return taken + takeDirectory(most - taken, node)
    }

    private func takeFiles(_ most: Int, from node: DirectoryNode) -> Int {
        var taken = 0
        for stream in node.streams.values where stream.watch != nil && taken < most {
            unwatch(stream)
            woken.append(stream)
            taken += 1
        }
        for dormant in node.dormant.values where dormant.watch != nil && taken < most {
            unwatch(dormant)
            woken.append(dormant)
            taken += 1
        }
        return taken
    }

    private func takeDirectory(_ most: Int, _ node: DirectoryNode) -> Int {
        guard most > 0, node.watch != nil else { return 0 }
        unwatch(node)
        unwatched.append(node)
        return 1
    }

    // MARK: Storms

    /// 1. A pod renames a file to and fro, faster than its events can be read.
    /// 2. The queue is full of them, and what others do is lost: an archive that lives for
    ///    milliseconds.
    ///
    /// So who has filled it is not watched for a while, but scanned, often. Found is the innermost
    /// directory that many of the events came from: what changes in many directories beneath it
    /// comes from one hand.
    func quieten(_ node: DirectoryNode, _ now: MonotonicTime) {
        var below = 0
        var loud: [DirectoryNode] = []
        for child in node.children.values where child.eventsEpoch == epoch {
            below += child.events
            if isLoud(child.events) { loud.append(child) }
        }
        guard node.eventsEpoch == epoch else { return }
        if isLoud(node.events - below) {
            silence(node, now)
            if node.isDeepestShare { silenceAll(beneath: node, now) }
        }
        for child in loud { quieten(child, now) }
        if loud.isEmpty, node.depth > 0, isLoud(below) { silenceAll(beneath: node, now) }
    }

    private func isLoud(_ some: Int) -> Bool { some * Self.leastPart >= events }

    private func silenceAll(beneath node: DirectoryNode, _ now: MonotonicTime) {
        var rest = Array(node.children.values)
        while let child = rest.popLast() {
            guard child.eventsEpoch == epoch || child.share !== child else { continue }
            silence(child, now)
            rest.append(contentsOf: child.children.values)
        }
    }

    private func silence(_ node: DirectoryNode, _ now: MonotonicTime) {
        guard node.watch != nil else { return }
        let isAgain = node.noisyFor > 0 && now - node.noisyUntil < 4 * node.noisyFor
        node.noisyFor =
            isAgain ? min(2 * node.noisyFor, Self.longestNoise) : Self.shortestNoise
        node.noisyUntil = now + node.noisyFor
        unwatch(node)
        unwatched.append(node)
    }
}
