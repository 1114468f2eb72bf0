/// Lanes of one topic whose time to hand over has come, in the order in which they have their
/// turns, as a pure value.
///
/// Lanes that may go beside others go first, so that nobody waits for more than one that may not.
/// Who has no room for its next record is not overtaken, or a long one would wait for ever among
/// short ones.
struct TopicLine<Lane> {
    /// The outcome of a lane's turn.
    enum Turn {
        case done
        /// Others are before it.
        case wait
        /// It is its turn, and what is out leaves no room for its next record.
        case noRoom
    }

    /// Bounded by the lanes of the topic.
    private(set) var lanes: [Lane] = []

    mutating func append(_ lane: Lane) { lanes.append(lane) }

    /// Behind all that wait here.
    mutating func append(_ line: TopicLine) { lanes += line.lanes }

    /// Everybody's turn, once; who is done leaves.
    mutating func serve(goesAlone: (Lane) -> Bool, handOver: (Lane) -> Turn) {
        var left: [Lane] = []
        var last: [Lane] = []
        var isFull = false
        for lane in lanes {
            if goesAlone(lane) {
                last.append(lane)
                continue
            }
            let turn = isFull ? .wait : handOver(lane)
            if turn != .done { left.append(lane) }
            if turn == .noRoom { isFull = true }
        }
        for lane in last where handOver(lane) != .done { left.append(lane) }
        lanes = left
    }
}
