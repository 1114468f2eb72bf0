import Model
import Platform

/// Looks at patterns' fixed prefixes whether each leads to the directory that it led to: inotify
/// tells nothing of a link on the way that was made anew, or of a directory above that was renamed.
/// Some at a time, one after the other.
struct RootLook {
    /// When the next ones are looked at; never before there is one.
    private(set) var due: MonotonicTime
    /// Index of the next one.
    private var next = 0

    /// Prefixes in one look: one of them takes a few microseconds.
    static let most = 256

    init(due: MonotonicTime) { self.due = due }

    /// Those that lead elsewhere than when they were looked at or listed last, of these roots. They
    /// are the reader's own: what lies on another file system may hang. So one that leads to
    /// another device now is none of them, and waits for its scan by the clock.
    ///
    /// `touches` hears of each before it is touched.
    mutating func moved(
        among roots: [DirectoryNode], _ now: MonotonicTime, _ intervals: TailerIntervals,
        touches: (DirectoryNode) -> Void = { _ in }
    ) -> [DirectoryNode] {
        guard now >= due else { return [] }
        due = roots.isEmpty ? .never : intervals.scanDue(now, intervals.unwatchedScan)
        var moved: [DirectoryNode] = []
        for _ in 0..<min(Self.most, roots.count) {
            if next >= roots.count { next = 0 }
            let root = roots[next]
            next += 1
            touches(root)
            // The dot has a link that the prefix ends with followed.
            var seen: InodeKey?
            switch FilePlace.glance(at: PathText.bytes(of: root.text + "/.")) {
            case .found(let status): seen = InodeKey(status)
            case .missing: break
            case .other, .unreachable: continue
            }
            guard seen != root.leadsTo else { continue }
            root.leadsTo = seen
            guard seen != root.inode else { continue }
            if let seen, let known = root.inode, seen.device != known.device { continue }
            moved.append(root)
        }
        return moved
    }
}
