/// When a lane may produce which records again: the order of one stream, as a pure value.
///
/// Batches are numbered in the order in which they came (`ordinal`). Every batch goes through
/// librdkafka in *passes*: a pass is some of its records produced at once, and it is settled when
/// each of them has its verdict. While all goes well, one pass covers a batch and batches leave
/// from the front. When a record fails:
///
/// 1. The lane takes no pass more (`draining`) and waits until every pass is settled: until then
///    librdkafka may still send, and what is produced beside it could overtake.
/// 2. It waits (`waiting`) for its back-off.
/// 3. It hands over (`resending`) the first undelivered record alone, then 2, 4, 8 … records, each
///    *hand-over* settled before the next begins. Any failure starts over with one record. Records
///    that were acknowledged behind the failed one are produced again: in the partition they then
///    stand before it and once more behind it. A duplicate has a recognisable id and its last copy
///    is in order, while an order that is broken for good cannot be mended by a consumer.
/// 4. When everything that was out at the failure is delivered (`horizon`), what came since follows
///    at once and the lane flows again.
///
/// A record that was refused alone may be *set aside*: it is delivered in another form somewhere
/// else, which somebody else does. The lane stands still (`settingAside`) until that is done; then
/// it counts as acknowledged, and the lane goes on behind it.
///
/// What that repeats, at most, is what was out at the failure, once, wherever the bad record stands
/// and however far librdkafka's batch with it, refused as a whole, reaches before and behind it:
///
/// - Of n records that were out, let the refused batch be those from a to b and the bad one d
///   behind a. What was written behind b is repeated: n - 1 - b.
/// - Hand-overs from a on double, so the one with the bad record is not longer than d + 1 - what
///   went before it - and what it has behind the bad one, too, is at most d less what is before it.
/// - The next begins where that one failed, for which the same holds with what was before it. So
///   all that is written too early together is at most d ≤ b, and the sum at most n - 1.
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
        /// A hand-over is out, or being produced by the poller; new batches line up behind it.
        case resending
        /// Nothing is outstanding; the first undelivered record is being delivered somewhere else.
        case settingAside
        /// The producer's handle is being made anew; verdicts may still come in.
        case suspended
        /// No more passes, for good.
        case stopped
    }

    /// The next thing to do for the thread that brought a batch.
    enum Acceptance: Hashable {
        /// Produce these records of it, then call `produced`.
        case produce(Range<Int>)
        /// Nothing; its turn comes.
        case hold
        /// Nothing may be produced by this thread: tell the poller thread to `collect`.
        case collect
        /// The producer has stopped; the batch is not kept.
        case refuse
    }

    /// The next thing to do for the lane on the poller thread.
    enum Step: Hashable {
        case none
        /// Call `due` at that time, and `next` until it returns nil.
        case wait(until: Int64)
        /// Call `collect`.
        case collect
    }

    /// The subject of a bad verdict.
    enum Failure: Int, Comparable {
        /// The place that the records go to, which may be better later.
        case place
        /// A record, or a whole batch of librdkafka's because of a record in it.
        case content
        /// The same, because it is too large.
        case size

        static func < (a: Failure, b: Failure) -> Bool { a.rawValue < b.rawValue }
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
        /// Records acknowledged from the front. Invariant: where anything before it is not, they
        /// are produced again when something fails.
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
    /// Records that the present hand-over may still take, and those that it has taken.
    private var allowance = 0
    private(set) var handedOver = 0
    /// Records that the next hand-over may take; all, unless a failure is being recovered from.
    private var window = Int.max
    /// Batches before this ordinal were accepted before the last failure was through: until they
    /// are delivered the lane recovers.
    private var horizon = 0
    /// The worst failure of the hand-over before, while the lane recovers.
    private(set) var failure: Failure?
    /// The last hand-over was one record, alone, and was refused.
    private(set) var isRefusedAlone = false
    /// Whoever sends has closed the lane, and the poller does not know yet when it is due.
    private var isUntold = false
    private var backOff = BackOff()

    /// A lane that is made while the handle is being renewed starts `suspended`.
    init(suspended: Bool = false) { state = suspended ? .suspended : .flowing }

    /// Nothing of this lane is inside librdkafka, nor will be without a further call.
    var isQuiet: Bool { underway == 0 && !sending }
    var isEmpty: Bool { entries.isEmpty && !sending }

    /// A failure is not made up for yet.
    var isRecovering: Bool { failure != nil }

    /// The first record without an acknowledgement that counts; nil when there is none.
    var firstUndelivered: (batch: Batch, record: Int)? {
        for index in 0..<entries.count where entries[index].done < entries[index].records {
            return (entries[index].batch, entries[index].done)
        }
        return nil
    }

    /// Records without an acknowledgement that counts.
    var undelivered: Int {
        var sum = 0
        for index in 0..<entries.count { sum += entries[index].records - entries[index].done }
        return sum
    }

    /// The ordinal that the next accepted batch gets.
    var nextOrdinal: Int { firstOrdinal + entries.count }

    // MARK: The thread that sends

    /// Takes a batch of `records` records at the end of the lane. Unless `isOpen`, nothing new may
    /// go to the topic from this thread: a lane that flowed waits for the poller to give it its
    /// turn.
    mutating func accept(_ batch: Batch, records: Int, isOpen: Bool = true) -> Acceptance {
        precondition(!sending, "two threads send on one lane")
        guard state != .stopped else { return .refuse }
        if records == 0 {
            entries.append(Entry(batch: batch, records: 0, standing: .settled))
            return entries.count == 1 ? .collect : .hold
        }
        switch state {
        case .flowing where isOpen:
            entries.append(
                Entry(batch: batch, records: records, standing: .underway(end: records)))
            underway += 1
            sending = true
            return .produce(0..<records)
        case .flowing:
            entries.append(Entry(batch: batch, records: records, standing: .held))
            if underway > 0 {
                // What is out is taken for a hand-over; it goes on when that is settled.
                state = .resending
                allowance = 0
                handedOver = 0
                return .hold
            }
            state = .waiting(until: .min)
            isUntold = true
            return .collect
        case .draining, .waiting, .resending, .settingAside, .suspended:
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
        // Why is told with the refused records' verdicts.
        if refused { fail() }
        switch state {
        case .draining, .suspended, .stopped: return underway == 0
        case .flowing, .waiting, .resending, .settingAside: return false
        }
    }

    // MARK: The poller thread

    /// Ends the back-off of a lane, since the reason for it may be over. True when it had one.
    mutating func hasten(now: Int64) -> Bool {
        guard case .waiting(let until) = state, until > now else { return false }
        state = .waiting(until: now)
        return true
    }

    /// A record got a bad verdict. True when the lane was open until now.
    @discardableResult
    mutating func fail(_ what: Failure = .place) -> Bool {
        switch state {
        case .flowing, .resending:
            failure = what
            state = .draining
            return true
        case .draining, .waiting, .settingAside, .suspended, .stopped:
            failure = max(failure ?? what, what)
            return false
        }
    }

    /// The last verdict of a pass is in. `fail` was called before if `firstFailed` is not nil.
    /// Batches that are now delivered with everything before them are appended to `released`.
    mutating func settle(
        _ ordinal: Int, firstFailed: Int?, now: Int64, released: inout [Batch]
    ) -> Step {
        let index = ordinal - firstOrdinal
        guard index >= 0, index < entries.count, case .underway(let end) = entries[index].standing
        else { preconditionFailure("batch \(ordinal) was settled without being produced") }
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
        case .flowing:
            precondition(firstFailed == nil, "a failed verdict left its lane open")
            noteRecovery()
            return .none
        case .resending:
            precondition(firstFailed == nil, "a failed verdict left its lane open")
            guard underway == 0 else { return .none }
            isRefusedAlone = false
            handedOver = 0
            if !noteRecovery() { window = window > Int.max / 2 ? .max : window * 2 }
            return goOn(at: now)
        case .draining:
            return retreat(now: now)
        case .suspended, .stopped:
            return .none
        case .waiting, .settingAside:
            preconditionFailure("a lane waited while verdicts were to come")
        }
    }

    /// After `accept` said `collect`, or `produced` returned true.
    mutating func collect(now: Int64, released: inout [Batch]) -> Step {
        release(into: &released)
        switch state {
        case .draining:
            return retreat(now: now)
        case .waiting where isUntold:
            isUntold = false
            return goOn(at: now)
        case .flowing, .waiting, .resending, .settingAside, .suspended, .stopped:
            return .none
        }
    }

    /// Stands still at the record that was refused alone, if it is that; the caller delivers it
    /// somewhere else, and then calls `setAside`. False when there is none.
    mutating func beginSettingAside() -> Bool {
        guard case .waiting = state, isRefusedAlone, firstUndelivered != nil else { return false }
        state = .settingAside
        return true
    }

    /// The record that the lane stands at is delivered somewhere else. A lane that was stopped
    /// meanwhile stays so.
    mutating func setAside(now: Int64, released: inout [Batch]) -> Step {
        precondition(
            state == .settingAside || state == .stopped, "a lane did not stand at its record")
        let first = (0..<entries.count).first { entries[$0].done < entries[$0].records }
        guard let index = first else { preconditionFailure("there was no record to set aside") }
        entries[index].done += 1
        if entries[index].done == entries[index].records { entries[index].standing = .settled }
        release(into: &released)
        guard state != .stopped else { return .none }
        isRefusedAlone = false
        backOff.reset()
        noteRecovery()
        return goOn(at: now)
    }

    /// Begins a hand-over when its time has come: its first pass. `next` has the others.
    ///
    /// `fitting` says how many of the records there is room for at the topic. Nil when there is
    /// none, and the lane is still `waiting`, or when something else came between.
    mutating func due(
        now: Int64, fitting: (Batch, Range<Int>) -> Int = { $1.count }
    ) -> Pass? {
        guard case .waiting(let until) = state, until <= now else { return nil }
        state = .resending
        cursor = firstOrdinal
        allowance = window
        handedOver = 0
        isUntold = false
        if let pass = next(fitting: fitting) { return pass }
        if state == .resending { state = .waiting(until: until) }
        return nil
    }

    /// While resending: the next pass of the hand-over, in order. Nil when there is none: the
    /// hand-over is as long as it may be, the lane flows, or a verdict failed meanwhile.
    mutating func next(fitting: (Batch, Range<Int>) -> Int = { $1.count }) -> Pass? {
        guard state == .resending else { return nil }
        cursor = max(cursor, firstOrdinal)
        while cursor < nextOrdinal {
            guard allowance > 0 else { return nil }
            let index = cursor - firstOrdinal
            let entry = entries[index]
            switch entry.standing {
            case .held:
                let wanted = min(allowance, entry.records - entry.done)
                let count = fitting(entry.batch, entry.done..<entry.done + wanted)
                guard count > 0 else {
                    allowance = 0
                    return nil
                }
                handedOver += count
                if entry.done + count == entry.records {
                    allowance -= count
                    cursor += 1
                } else {
                    // Of a batch one pass is out at a time.
                    allowance = 0
                }
                return begin(index, entry.done..<entry.done + count)
            case .settled:
                cursor += 1
            case .underway, .failed:
                preconditionFailure("a batch was out while its lane was sent again")
            }
        }
        // While it recovers, what comes new waits until this hand-over is through.
        if !isRecovering || underway == 0 {
            state = .flowing
            handedOver = 0
        }
        return nil
    }

    /// Closes the lane while the handle is made anew.
    mutating func suspend() {
        // What is being set aside is not with the client, or goes by another lane.
        if state != .stopped, state != .settingAside { state = .suspended }
    }

    /// Opens it again; it has been quiet.
    mutating func resume(now: Int64) -> Step {
        guard state == .suspended else { return .none }
        precondition(isQuiet, "a lane was resumed while it had records out")
        rewind()
        isUntold = false
        guard firstUndelivered != nil else {
            // 1. The client dies; the lane is empty, and suspended like all.
            // 2. A batch of empty lines comes. Whoever brings it has the poller collect it.
            // 3. The poller makes a new client before it hears of that.
            state = .flowing
            return entries.isEmpty ? .none : .collect
        }
        recover(from: .place)
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

    /// Everything that was out at the failure is delivered. True when nothing is left to recover
    /// from.
    @discardableResult
    private mutating func noteRecovery() -> Bool {
        guard isRecovering else { return true }
        guard firstOrdinal >= horizon else { return false }
        failure = nil
        isRefusedAlone = false
        window = .max
        backOff.reset()
        return true
    }

    /// Nothing is out; what is held comes next.
    private mutating func goOn(at now: Int64) -> Step {
        guard firstUndelivered != nil else {
            state = .flowing
            return .none
        }
        state = .waiting(until: now)
        return .wait(until: now)
    }

    private mutating func recover(from what: Failure) {
        failure = what
        horizon = nextOrdinal
        window = 1
    }

    private mutating func retreat(now: Int64) -> Step {
        guard isQuiet else { return .none }
        rewind()
        recover(from: failure ?? .place)
        isRefusedAlone = handedOver == 1
        // A hand-over of several is only being narrowed down to the record that is refused, which
        // takes as many as the number of records has digits.
        let delay =
            handedOver > 1
            ? BackOff.shortest
            : backOff.next(atMost: failure == .place ? BackOff.longest : BackOff.longestAlone)
        handedOver = 0
        let until = now + delay
        state = .waiting(until: until)
        return .wait(until: until)
    }

    /// Holds everything from the first undelivered record on.
    private mutating func rewind() {
        for index in 0..<entries.count {
            switch entries[index].standing {
            case .held:
                // Part of it may have been acknowledged before what comes first.
                if index > 0 { entries[index].done = 0 }
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

/// How long to wait before the next try: 100 ms at first, twice as long each time.
struct BackOff {
    static let shortest: Int64 = 100_000_000
    /// For what may be better at any time.
    static let longest: Int64 = 5_000_000_000
    /// For a record that was refused alone: each try holds up the others of its topic for a moment.
    static let longestAlone: Int64 = 60_000_000_000

    private var delay = shortest

    /// Nanoseconds to wait now.
    mutating func next(atMost longest: Int64 = longest) -> Int64 {
        defer { delay = min(delay * 2, Self.longestAlone) }
        return min(delay, longest)
    }

    mutating func reset() { delay = Self.shortest }
}
