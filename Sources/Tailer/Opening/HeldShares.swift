import Model
import Platform

/// How two pools, descriptors and disk space, are shared between streams that hold them for files
/// which cannot be let go without loss. A pure value.
///
/// The rule is that of the credit (`InFlightBudget`): the stream that holds most holds at most as
/// much as is left. One stuck stream ends with half, ten leave an eleventh free, and whoever comes
/// later finds room; until every stream holds no more than one file, and the pool itself is the
/// bound.
struct HeldShares {
    /// Descriptors and bytes that a file, a stream or all of them hold.
    struct Amount: Hashable {
        /// Descriptors that have to stay open.
        var files = 0
        /// Those of files that no name leads to: only the descriptor keeps their bytes on the disk.
        var removed = 0
        /// Bytes on the disk of those that are removed.
        var bytes = 0
    }

    enum Pool: Hashable {
        case descriptors
        case bytes
    }

    let mostFiles: Int
    let mostBytes: Int
    private(set) var total = Amount()
    /// Streams that hold anything; bounded by `total.files`.
    private var streams: [StreamID: Amount] = [:]

    init(mostFiles: Int, mostBytes: Int) {
        self.mostFiles = mostFiles
        self.mostBytes = mostBytes
    }

    func held(by stream: StreamID) -> Amount { streams[stream] ?? Amount() }

    /// The amount that one file of the stream holds has changed.
    mutating func change(_ stream: StreamID, from old: Amount, to new: Amount) {
        var mine = held(by: stream)
        Self.change(&mine, old, new)
        Self.change(&total, old, new)
        streams[stream] = mine == Amount() ? nil : mine
    }

    private static func change(_ sum: inout Amount, _ old: Amount, _ new: Amount) {
        sum.files += new.files - old.files
        sum.removed += new.removed - old.removed
        sum.bytes +|= new.bytes - old.bytes
    }

    /// Whether the stream may hold one descriptor more.
    func hasRoom(_ stream: StreamID) -> Bool {
        let left = mostFiles - total.files
        return held(by: stream).files < left
    }

    /// The stream that has to let go of something, and of what; nil while all hold their shares.
    func overdrawn() -> (stream: StreamID, pool: Pool)? {
        if let stream = overdrawn(most: mostFiles, total.files, \.files, count: \.files) {
            return (stream, .descriptors)
        }
        if let stream = overdrawn(most: mostBytes, total.bytes, \.bytes, count: \.removed) {
            return (stream, .bytes)
        }
        return nil
    }

    private func overdrawn(
        most: Int, _ sum: Int, _ amount: KeyPath<Amount, Int>, count: KeyPath<Amount, Int>
    ) -> StreamID? {
        // Who holds most holds no more than all do: nobody is over its share before half is taken.
        guard sum > most / 2 else { return nil }
        let largest = streams.max { a, b in
            let (mine, theirs) = (a.value[keyPath: amount], b.value[keyPath: amount])
            return mine == theirs ? a.key.number > b.key.number : mine < theirs
        }
        guard let (stream, held) = largest else { return nil }
        if sum > most { return stream }
        // A single file may be as large as the pool: it is what is being read.
        return held[keyPath: amount] > most - sum && held[keyPath: count] > 1 ? stream : nil
    }
}
