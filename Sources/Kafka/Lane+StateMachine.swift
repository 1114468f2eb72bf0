/// When a lane may produce which records again: the order of one stream, as a pure value.
///
/// Batches are numbered in the order in which they came (`ordinal`). Every batch goes through
/// librdkafka in *passes*: a pass is some of its records produced at once, and it is settled when each
/// of them has its verdict. While all goes well, one pass covers a batch and batches leave from the
/// front. When a record fails:
///
/// 1. The lane takes no pass more (`draining`) and waits until every pass is settled: until then
///    librdkafka may still send, and what is produced beside it could overtake.
/// 2. It waits (`waiting`) for its back-off.
/// 3. It produces the first undelivered record alone (`probing`). A record that is refused for good,
///    or a topic that is away for hours, so costs one request a try, and what follows is not
///    repeated at every try.
/// 4. That record acknowledged, everything after it is produced in order (`resending`), the records
///    too that were acknowledged after the failed one. In the partition such a record then stands
///    before the failed one and once more behind it: a duplicate has a recognisable id and its last
///    copy is in order, while an order that is broken for good cannot be mended by a consumer. Then
///    the lane flows again.
///
/// `Batch` is whatever the caller keeps; tests use integers. Owned by its lane, behind a lock.
struct LaneStateMachine<Batch> {
    enum State: Hashable {
        /// New batches go to librdkafka as they come.
        case flowing
        /// A verdict failed; waits for the verdicts that are still to come.
        case draining
        /// Nothing is outstanding; goes on at a time of the monotonic clock, in nanoseconds.
        case waiting(until: Int64)
        /// The first undelivered record is out alone.
        case probing
        /// The poller produces what the lane holds; new batches line up behind.
        case resending
        /// The producer's handle is being made anew; verdicts may still come in.
        case suspended
        /// No more passes, for good.
        case stopped
    }

    /// What the thread that brought a batch has to do.
    enum Acceptance: Hashable {
        /// Produce these records of it, then call `produced`.
        case produce(Range<Int>)
        /// Nothing; its turn comes.
        case hold
        /// Nothing to produce and nothing before it: tell the poller thread to `collect`.
        case collect
        /// The producer has stopped; the batch is not kept.
        case refuse
    }

    /// What the poller thread has to do next for the lane.
    enum Step: Hashable {
        case none
        /// Call `due` at that time.
        case wait(until: Int64)
        /// Call `next` until it returns nil.
        case resend
    }

    struct Pass {
        let batch: Batch
        let records: Range<Int>
    }

    private enum Standing: Hashable {
        /// Not with librdkafka; `done` says from which record on it is to be produced.
        case held
        /// Records `done ..< end` wait for verdicts.
        case underway(end: Int)
        /// Every record is acknowledged.
        case settled
        /// All verdicts are in and this record's was the first bad one.
        case failed(at: Int)
    }

    private struct Entry {
        let batch: Batch
        let records: Int
        /// Records acknowledged from the front. Invariant: 0 in every entry but the first.
        var done = 0
        var standing: Standing
    }

    private(set) var state: State
    /// Passes that are not settled.
    private(set) var underway = 0
    /// A thread is between `accept` and `produced`. As long as it is, it may be inside librdkafka.
    private var sending = false
    /// Batches not yet released, in order. Bounded by the in-flight credit that each holds.
    private var entries = FIFO<Entry>()
    /// The ordinal of `entries[0]`.
    private var firstOrdinal = 0
    /// While resending: the ordinal of the batch to look at next.
    private var cursor = 0
    private var backOff = BackOff()

    /// A lane that is made while the handle is being renewed starts `suspended`.
    init(suspended: Bool = false) { state = suspended ? .suspended : .flowing }

    /// Nothing of this lane is inside librdkafka, nor will be without a further call.
    var isQuiet: Bool { underway == 0 && !sending }
    var isEmpty: Bool { entries.isEmpty && !sending }

    /// Records without an acknowledgement that counts.
    var undelivered: Int {
        var sum = 0
        for index in 0..<entries.count { sum += entries[index].records - entries[index].done }
        return sum
    }

    /// The ordinal that the next accepted batch gets.
    var nextOrdinal: Int { firstOrdinal + entries.count }

    // MARK: The thread that sends

    /// Takes a batch of `records` records at the end of the lane.
    mutating func accept(_ batch: Batch, records: Int) -> Acceptance {
        precondition(!sending, "two threads send on one lane")
        guard state != .stopped else { return .refuse }
        if records == 0 {
            entries.append(Entry(batch: batch, records: 0, standing: .settled))
            return entries.count == 1 ? .collect : .hold
        }
        switch state {
        case .flowing:
            entries.append(
                Entry(batch: batch, records: records, standing: .underway(end: records)))
            underway += 1
            sending = true
            return .produce(0..<records)
        case .draining, .waiting, .probing, .resending, .suspended:
            entries.append(Entry(batch: batch, records: records, standing: .held))
            return .hold
        case .stopped:
            return .refuse
        }
    }

    /// The sending thread has left librdkafka; `refused` when not every record was taken. True when
    /// the poller thread has to be told, because it found the lane busy before.
    mutating func produced(refused: Bool) -> Bool {
        sending = false
        if refused { fail() }
        switch state {
        case .draining, .suspended, .stopped: return underway == 0
        case .flowing, .waiting, .probing, .resending: return false
        }
    }

    // MARK: The poller thread

    /// A record got a bad verdict. True when the lane was open until now.
    @discardableResult
    mutating func fail() -> Bool {
        switch state {
        case .flowing, .probing, .resending:
            state = .draining
            return true
        case .draining, .waiting, .suspended, .stopped:
            return false
        }
    }

    /// The last verdict of a pass is in. `fail` was called before if `firstFailed` is not nil.
    /// Batches that are now delivered with everything before them are appended to `released`.
    mutating func settle(
        _ ordinal: Int, firstFailed: Int?, now: Int64, released: inout [Batch]
    ) -> Step {
        let index = ordinal - firstOrdinal
        guard case .underway(let end) = entries[index].standing else {
            preconditionFailure("batch \(ordinal) was settled without being produced")
        }
        underway -= 1
        if let firstFailed {
            entries[index].standing = .failed(at: firstFailed)
        } else if end == entries[index].records {
            entries[index].standing = .settled
        } else {
            entries[index].done = end
            entries[index].standing = .held
        }
        release(into: &released)
        switch state {
        case .flowing, .resending:
            precondition(firstFailed == nil, "a failed verdict left its lane open")
            return .none
        case .probing:
            precondition(firstFailed == nil, "a failed probe left its lane open")
            backOff.reset()
            state = .resending
            cursor = firstOrdinal
            return .resend
        case .draining:
            return retreat(now: now)
        case .suspended, .stopped:
            return .none
        case .waiting:
            preconditionFailure("a lane waited while verdicts were to come")
        }
    }

    /// After `accept` said `collect`, or `produced` returned true.
    mutating func collect(now: Int64, released: inout [Batch]) -> Step {
        release(into: &released)
        switch state {
        case .draining: return retreat(now: now)
        case .flowing, .waiting, .probing, .resending, .suspended, .stopped: return .none
        }
    }

    /// The back-off is over: the pass to produce, which is the probe. Nil when something else came
    /// between.
    mutating func due(now: Int64) -> Pass? {
        guard case .waiting(let until) = state, until <= now else { return nil }
        let entry = entries[0]
        state = .probing
        return begin(0, entry.done..<entry.done + 1)
    }

    /// While resending: the next pass in order. Nil when there is none: the lane flows, or a verdict
    /// failed meanwhile.
    mutating func next() -> Pass? {
        guard state == .resending else { return nil }
        while cursor < nextOrdinal {
            let index = cursor - firstOrdinal
            cursor += 1
            switch entries[index].standing {
            case .held:
                return begin(index, entries[index].done..<entries[index].records)
            case .settled:
                continue
            case .underway, .failed:
                preconditionFailure("a batch was out while its lane was sent again")
            }
        }
        state = .flowing
        return nil
    }

    /// Closes the lane while the handle is made anew.
    mutating func suspend() {
        if state != .stopped { state = .suspended }
    }

    /// Opens it again; it has been quiet.
    mutating func resume(now: Int64) -> Step {
        guard state == .suspended else { return .none }
        precondition(isQuiet, "a lane was resumed while it had records out")
        rewind()
        guard !entries.isEmpty else {
            state = .flowing
            return .none
        }
        state = .waiting(until: now)
        return .wait(until: now)
    }

    /// No pass begins any more; verdicts that come in still release.
    mutating func stop() { state = .stopped }

    /// Lets go of everything; the lane is stopped, and nobody reads its batches any more: either it
    /// is quiet, or the client is gone that had records of it (a broker's thread that looked a name
    /// up does not give its records back in time).
    mutating func drop() {
        precondition(state == .stopped, "a lane was dropped that was not stopped")
        firstOrdinal += entries.count
        entries.removeAll()
    }

    // MARK: -

    private mutating func begin(_ index: Int, _ records: Range<Int>) -> Pass {
        precondition(!records.isEmpty, "a pass without records would never settle")
        entries[index].standing = .underway(end: records.upperBound)
        underway += 1
        return Pass(batch: entries[index].batch, records: records)
    }

    private mutating func release(into released: inout [Batch]) {
        while !entries.isEmpty, entries[0].standing == .settled {
            guard let entry = entries.popFirst() else { return }
            firstOrdinal += 1
            released.append(entry.batch)
        }
    }

    private mutating func retreat(now: Int64) -> Step {
        guard isQuiet else { return .none }
        rewind()
        let until = now + backOff.next()
        state = .waiting(until: until)
        return .wait(until: until)
    }

    /// Holds everything from the first undelivered record on.
    private mutating func rewind() {
        for index in 0..<entries.count {
            switch entries[index].standing {
            case .held:
                continue
            case .failed(let first):
                entries[index].done = index == 0 ? first : 0
            case .settled:
                if entries[index].records == 0 { continue }
                entries[index].done = 0
            case .underway:
                preconditionFailure("a lane was rewound while it had records out")
            }
            entries[index].standing = .held
        }
    }
}

/// How long to wait before the next try: 100 ms at first, twice as long each time, 5 s at most.
struct BackOff {
    static let shortest: Int64 = 100_000_000
    static let longest: Int64 = 5_000_000_000

    private var delay = shortest

    /// Nanoseconds to wait now.
    mutating func next() -> Int64 {
        defer { delay = min(delay * 2, Self.longest) }
        return delay
    }

    mutating func reset() { delay = Self.shortest }
}
