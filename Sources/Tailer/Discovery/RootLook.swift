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
    private static let most = 64

    init(due: MonotonicTime) { self.due = due }

    /// Those of `roots` that lead elsewhere than when they were looked at or listed last.
    mutating func moved(
        among roots: [DirectoryNode], _ now: MonotonicTime, _ intervals: TailerIntervals
    ) -> [DirectoryNode] {
        guard now >= due else { return [] }
        due = intervals.scanDue(now, intervals.unwatchedScan)
        var moved: [DirectoryNode] = []
        for _ in 0..<min(Self.most, roots.count) {
            if next >= roots.count { next = 0 }
            let root = roots[next]
            next += 1
            // The dot has a link that the prefix ends with followed.
            var seen: InodeKey?
            switch FilePlace.glance(at: PathText.bytes(of: root.text + "/.")) {
            case .found(let status): seen = InodeKey(status)
            case .missing: break
            case .other, .unreachable: continue
            }
            guard seen != root.leadsTo else { continue }
            root.leadsTo = seen
            if seen != root.inode { moved.append(root) }
        }
        return moved
    }
}
