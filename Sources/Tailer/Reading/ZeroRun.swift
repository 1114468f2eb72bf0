import Model
import Platform

/// Zeros in a file that reached beyond what was read at once, and how far they were followed; so
/// that a region of them is not read anew with every look. Logical offsets.
struct ZeroRun {
    private(set) var start: LogicalOffset
    /// Only zeros and holes were seen before it.
    private(set) var end: LogicalOffset
    /// A byte that is no zero stands at `end`.
    private(set) var isFollowed = false
    /// Bytes that were read for it.
    private(set) var cost = 0
    /// Something was written to the file since the zeros were followed from their beginning.
    var isOld = false
    /// When that was begun.
    private let begun: MonotonicTime

    init(start: LogicalOffset, end: LogicalOffset, _ now: MonotonicTime) {
        self.start = start
        self.end = end
        begun = now
    }

    mutating func reach(_ place: LogicalOffset, isFollowed: Bool, cost: Int) {
        end = max(end, place)
        self.isFollowed = isFollowed
        self.cost += cost
    }

    /// The byte at its beginning is no zero any more.
    mutating func begin(at place: LogicalOffset) { start = place }

    /// Whether it is time to follow them from their beginning, because some of them may have been
    /// overwritten. What a writer puts at their beginning is seen at once; for the rest, reading
    /// them may take one part in fifty of the time.
    func isDue(_ now: MonotonicTime) -> Bool { isOld && now - begun >= Int64(cost) * Self.rest }

    /// Nanoseconds for each byte: fifty times what reading one takes at 2.5 GB/s.
    private static let rest: Int64 = 20
}
