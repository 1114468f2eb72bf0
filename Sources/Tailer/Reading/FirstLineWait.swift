import Platform

/// How long the first line of a file's content waits for looks at its directory. What was copied
/// and truncated away before that line was written is older, and comes first.
///
/// It is looks that count, and not turns: many of those may pass before there is time for a look.
struct FirstLineWait {
    /// When it began.
    private let since: MonotonicTime
    /// The number of the listing that has to be gone through before it is asked again.
    private var awaited = 0
    /// Looks that it has waited for.
    private var looks = 0

    /// In a directory in which something happens all the time, order is not worth standing still
    /// for.
    private static let mostLooks = 16
    /// Nor is it where a look comes only after a long rest, or events of others do not end,
    /// nanoseconds.
    private static let longest: Int64 = 500_000_000

    init(since: MonotonicTime) { self.since = since }

    /// It has not come to an end by itself, and is given up.
    func isOver(in node: DirectoryNode, _ now: MonotonicTime) -> Bool {
        if looks > Self.mostLooks { return true }
        // What can be looked at at once has been by then, unless this thread had no time for that.
        let isDue = looks > 1 || !node.isSmall
        return now - since > (isDue ? Self.longest : 10 * Self.longest)
    }

    /// There is news: the listing that shows it has to be gone through. False where that was the
    /// last time.
    mutating func waits(in node: DirectoryNode) -> Bool {
        awaited = node.listings + 1
        looks += 1
        return looks <= Self.mostLooks
    }

    /// Nothing was looked at since it was found to wait.
    func stands(in node: DirectoryNode, _ now: MonotonicTime) -> Bool {
        node.listingsDone < awaited && !isOver(in: node, now)
    }
}
