package import Model

/// Which sent bytes of each file are delivered, and how far without a gap.
///
/// The proof that a saved position covers delivered bytes only: a position is what `delivered`
/// returned and nothing else. A pure value; its owner decides the thread. Bounded by the in-flight
/// credit: every range that is kept holds some.
package struct AckTracker: Sendable {
    /// The outstanding ranges of one generation of one file.
    fileprivate struct Outstanding: Sendable {
        let generation: GenerationID
        /// Every byte before is delivered.
        var watermark: LogicalOffset
        /// Ranges that were sent, in order; the first one begins at `watermark` and each where the
        /// one before ends. Invariant: the first is not delivered. Those before `first` are done
        /// with.
        var ranges: [(end: LogicalOffset, isDelivered: Bool)] = []
        var first = 0
        /// Every byte before was read, sent or not; before `end` where nothing is kept back.
        var taken = LogicalOffset(0)
        /// The bytes before the end of what was read.
        var anchor = Anchor.none
        /// Where the file ends, if it was seen to grow since it was opened; below 0 if not.
        var size = PhysicalOffset(-1)

        var end: LogicalOffset { first < ranges.count ? ranges[ranges.count - 1].end : watermark }
        var isKeptBack: Bool { taken > end }
    }
    private var files = DenseTable<FileID, Outstanding>()

    package init() {}

    /// Begins a generation of a file at its saved position; what was outstanding of an older one is
    /// forgotten, and its late deliveries count for nothing.
    package mutating func begin(
        _ file: FileID, _ generation: GenerationID, at position: LogicalOffset
    ) {
        files[file] = Outstanding(generation: generation, watermark: position)
    }

    /// The file is closed and nothing of it is outstanding, or whatever is no longer counts.
    package mutating func end(_ file: FileID) { files[file] = nil }

    /// `range` of the file is on its way. Ranges come in the order of the file and do not overlap;
    /// what lies between two of them was skipped on purpose (a hole) and goes with the later one.
    /// Anything else is a mistake of ours. A range of another generation than the one begun is not
    /// tracked.
    package mutating func sent(_ file: FileID, _ generation: GenerationID, _ range: ByteRange) {
        guard range.count > 0 else { return }
        files[file]?.send(generation, range)
    }

    /// The bytes of the file up to `end` are read. Those behind what was sent are kept back: they
    /// are of an event that has not ended, and count as outstanding until they are sent.
    package mutating func took(
        _ file: FileID, _ generation: GenerationID, upTo end: LogicalOffset
    ) {
        files[file]?.take(generation, upTo: end)
    }

    /// `range`, which was sent as such, is delivered. Returns the new end of the unbroken run of
    /// delivered bytes when it moved, else nil; nil also for what is late or was never sent.
    package mutating func delivered(
        _ file: FileID, _ generation: GenerationID, _ range: ByteRange
    ) -> LogicalOffset? {
        files[file]?.deliver(generation, range)
    }

    /// Every byte before it is delivered; nil for a file that is not tracked.
    package func watermark(_ file: FileID) -> LogicalOffset? { files[file]?.watermark }

    /// Every byte before it was read in this generation, whether it is sent, delivered or kept
    /// back; nil where the generation was not begun.
    package func takenEnd(_ file: FileID, _ generation: GenerationID) -> LogicalOffset? {
        guard let outstanding = files[file], outstanding.generation == generation else {
            return nil
        }
        return max(outstanding.end, outstanding.taken)
    }

    /// Whether bytes of the file are kept back.
    package func isKeptBack(_ file: FileID) -> Bool { files[file]?.isKeptBack ?? false }

    /// Files of which bytes are read and not covered by the watermark, with how many: those that
    /// are on their way, and those that are kept back.
    package var undelivered: [FileID: Int] {
        let found: [(FileID, Int)] = files.compactMap { id, file in
            let end = max(file.end, file.taken)
            return end > file.watermark ? (id, end - file.watermark) : nil
        }
        return Dictionary(uniqueKeysWithValues: found)
    }

    /// The bytes before the end of what was read of a file; none of one that is not tracked.
    package func anchor(of file: FileID) -> Anchor { files[file]?.anchor ?? .none }

    /// Those bytes, of a file that is tracked.
    package mutating func note(_ file: FileID, anchor: Anchor) { files[file]?.anchor = anchor }

    /// Where a file ends that was seen to grow since it was opened; nil of any other.
    package func size(of file: FileID) -> PhysicalOffset? {
        files[file].flatMap { $0.size < .start ? nil : $0.size }
    }

    /// A file that is tracked ends there; nil where that is not known any more.
    package mutating func note(_ file: FileID, size: PhysicalOffset?) {
        files[file]?.size = size ?? PhysicalOffset(-1)
    }

    /// Of all files that were seen to grow.
    package var sizes: [(file: FileID, size: PhysicalOffset)] {
        files.compactMap { $1.size < .start ? nil : ($0, $1.size) }
    }

    /// Ranges of the file that are sent and not covered by the watermark, and one more where bytes
    /// behind them are kept back.
    package func outstanding(_ file: FileID) -> Int {
        files[file].map { $0.ranges.count - $0.first + ($0.isKeptBack ? 1 : 0) } ?? 0
    }
}

extension AckTracker.Outstanding {
    fileprivate mutating func send(_ generation: GenerationID, _ range: ByteRange) {
        guard generation == self.generation else { return }
        let end = end
        precondition(
            range.start >= end, "bytes \(range.start)..<\(range.end) were sent after \(end)")
        ranges.append((range.end, false))
    }

    fileprivate mutating func take(_ generation: GenerationID, upTo end: LogicalOffset) {
        if generation == self.generation { taken = end }
    }

    fileprivate mutating func deliver(
        _ generation: GenerationID, _ range: ByteRange
    ) -> LogicalOffset? {
        // Records of an event that has not ended in front of them move no position.
        guard generation == self.generation, range.count > 0 else { return nil }
        // Ends grow, so the range is found by halving.
        var (low, high) = (first, ranges.count)
        while low < high {
            let middle = (low + high) / 2
            if ranges[middle].end < range.end { low = middle + 1 } else { high = middle }
        }
        guard low < ranges.count, ranges[low].end == range.end else { return nil }
        ranges[low].isDelivered = true
        guard low == first else { return nil }
        while first < ranges.count, ranges[first].isDelivered {
            watermark = ranges[first].end
            first += 1
        }
        // The room of what is done with is taken back once it is the larger half.
        if first == ranges.count {
            // Most files have nothing on its way most of the time.
            ranges = []
            first = 0
        } else if first > 64, first > ranges.count / 2 {
            ranges.removeFirst(first)
            first = 0
        }
        return watermark
    }
}
