import Platform

/// Bounds the bytes that one topic may have with librdkafka at a time, as a pure value: all that
/// its lanes have, as a rule. Two things narrow it.
///
/// - A lane that recovers from a refusal goes *alone*: a batch of librdkafka's holds records of
///   many lanes of a partition, and is refused as a whole for one of them. So nothing else of the
///   topic is out beside a record in doubt, no neighbour is refused a second time for it, and a
///   record that is refused then is the reason itself.
/// - A `bound` on the bytes that are out: no batch can be larger. It is known from the topic's
///   settings (`declared`), or learned from batches that were refused for their size although each
///   record of them was taken.
///
/// Nobody waits for ever for what may never come: a partition without a leader gives no verdict. So
/// a lane that hears nothing for a time is *silent*, and what it has out holds up nobody else,
/// neither who wants to go alone nor who needs room: a batch never mixes partitions, and of its own
/// partition too much may be out at the worst, which is one refusal when the leader is back. Being
/// alone ends after a time as well.
struct TopicGate {
    /// Without a verdict for so long a lane is silent; for longer where its last one took longer.
    static let quietPatience: Int64 = 500_000_000
    /// How long a lane stays alone; longer where its last verdict took longer, or no record that is
    /// refused late would ever be known as the reason.
    static let alonePatience: Int64 = 1_000_000_000
    /// However late verdicts are, what takes longer than that is not waited for.
    static let longestPatience: Int64 = 10_000_000_000
    /// Bytes that Kafka adds to a batch, and some to spare.
    static let batchOverhead = 128
    /// When a lesson is doubted first, and at the latest: it may have been a mistake, or somebody
    /// may have raised the limit. Each time that it proves right it is believed twice as long.
    static let shortestLesson: Int64 = 250_000_000
    static let longestLesson: Int64 = 600_000_000_000
    /// A lesson that nobody proved for so long is doubted, too: whoever was learning it may have
    /// gone, or stand at a partition that is silent now.
    static let longestLearning: Int64 = 30_000_000_000

    /// A lane, and how long its last verdict took (0 before the first).
    struct Visitor {
        let id: ObjectIdentifier
        var delay: Int64 = 0

        /// Twice what the last took is not late yet.
        func patience(atLeast shortest: Int64) -> Int64 {
            max(shortest, min(max(0, delay), longestPatience / 2) * 2)
        }
    }

    /// Passes and bytes that a lane has out.
    private struct Out {
        var passes = 0
        var bytes = 0
        /// When it becomes silent, unless it hears something.
        var silentAt: Int64
        let patience: Int64
        var isSilent = false
    }

    private struct Alone {
        let lane: ObjectIdentifier
        var isOut: Bool
        var until: Int64
    }

    /// Bytes of a batch of librdkafka at the most.
    let longestBatch: Int
    /// Passes that are not settled.
    private(set) var passes = 0
    private(set) var bytes = 0
    /// By lane; none without passes. Sums of `passes` and `bytes` are the two above.
    private var outs: [ObjectIdentifier: Out] = [:]
    /// The part of `passes` and `bytes` that is silent lanes'.
    private var silentPasses = 0
    private var silentBytes = 0
    /// No lane becomes silent before that.
    private var nextSilence = Int64.max
    /// When the first of them went out, or the last verdict came.
    private var busySince: Int64 = 0
    private var alone: Alone?
    /// `max.message.bytes` as the brokers say it.
    private(set) var declared: Int?
    /// Bytes of batches that were taken, once a larger one was refused: the present guess, and the
    /// last one that proved good.
    private var guess: Int?
    private var proven: Int?
    private var learnedAt: Int64 = 0
    private var lessonLasts = shortestLesson
    private var isDoubted = false

    init(longestBatch: Int) { self.longestBatch = max(1, longestBatch) }

    /// Bytes that may be out at a time, if that is less than librdkafka would send at once.
    var bound: Int? {
        let least = min(declared.map { $0 - min($0, Self.batchOverhead) } ?? .max, guess ?? .max)
        return least < longestBatch ? max(1, least) : nil
    }

    /// For how long something has been out without a verdict; 0 when nothing is.
    func isBusy(at now: Int64) -> Int64 { passes == 0 ? 0 : max(0, now - busySince) }

    // MARK: Going out

    /// A pass of a lane that flows. False when it has to wait for its turn.
    mutating func enterFreely(_ lane: Visitor, _ size: Int, now: Int64) -> Bool {
        guard alone == nil, bound == nil else { return false }
        enter(lane, size, now: now)
        return true
    }

    /// Whether `lane` may begin a hand-over now; `goesAlone` when it has to be the only one.
    mutating func hasTurn(_ lane: Visitor, goesAlone: Bool, now: Int64) -> Bool {
        let alonePatience = lane.patience(atLeast: Self.alonePatience)
        if let holder = alone {
            guard holder.lane == lane.id, !holder.isOut, isQuiet || now >= holder.until else {
                return false
            }
            alone = Alone(lane: lane.id, isOut: true, until: now +| alonePatience)
            return true
        }
        guard goesAlone else { return bound.map { counted(for: lane.id) < $0 } ?? true }
        // Nobody joins those that are out now.
        let until =
            isQuiet
            ? now +| alonePatience
            : outs.values.reduce(now) { $1.isSilent ? $0 : max($0, $1.silentAt) }
        alone = Alone(lane: lane.id, isOut: isQuiet, until: until)
        return isQuiet
    }

    /// Takes as many of `count` records as there is room for, the first `n` of which have `size(n)`
    /// bytes; one at least when nothing is out that counts.
    mutating func admit(
        _ lane: Visitor, _ count: Int, now: Int64, size: (Int) -> Int
    ) -> (count: Int, bytes: Int) {
        var fitting = count
        if let bound {
            let counted = counted(for: lane.id)
            let room = max(0, bound - counted)
            func most(within room: Int) -> Int {
                var low = 0
                var high = count
                while low < high {
                    let middle = (low + high + 1) / 2
                    if size(middle) <= room { low = middle } else { high = middle - 1 }
                }
                return low
            }
            fitting = most(within: room)
            // Who comes next may lead to the partition that is silent: it takes half of what is
            // left, and those behind it go on beside it.
            if silentPasses > 0, !isAlone(lane.id) {
                fitting = min(fitting, max(1, most(within: room / 2)))
            }
            if fitting == 0, counted == 0 { fitting = 1 }
        }
        guard fitting > 0 else { return (0, 0) }
        let taken = size(fitting)
        enter(lane, taken, now: now)
        return (fitting, taken)
    }

    /// Nothing is out that may soon have its verdict.
    private var isQuiet: Bool { passes == silentPasses }

    /// Bytes out that a batch of `lane` might share with it: its own, and, unless nothing goes
    /// beside it, those of lanes that are not silent.
    private func counted(for lane: ObjectIdentifier) -> Int {
        let own = outs[lane]
        if isAlone(lane) { return own?.bytes ?? 0 }
        return bytes - silentBytes + (own.map { $0.isSilent ? $0.bytes : 0 } ?? 0)
    }

    private mutating func enter(_ lane: Visitor, _ size: Int, now: Int64) {
        if passes == 0 { busySince = now }
        passes += 1
        bytes += size
        let patience = lane.patience(atLeast: Self.quietPatience)
        var out = outs[lane.id] ?? Out(silentAt: now +| patience, patience: patience)
        out.passes += 1
        out.bytes += size
        if out.isSilent {
            silentPasses += 1
            silentBytes += size
        } else {
            nextSilence = min(nextSilence, out.silentAt)
        }
        outs[lane.id] = out
    }

    /// A pass of `lane` is settled.
    mutating func leave(_ lane: ObjectIdentifier, _ size: Int, now: Int64) {
        guard var out = outs[lane], out.passes > 0, out.bytes >= size else {
            preconditionFailure("more passes were settled than went out")
        }
        if out.isSilent {
            silentPasses -= out.passes
            silentBytes -= out.bytes
            out.isSilent = false
        }
        passes -= 1
        bytes -= size
        out.passes -= 1
        out.bytes -= size
        out.silentAt = now +| out.patience
        nextSilence = min(nextSilence, out.silentAt)
        outs[lane] = out.passes == 0 ? nil : out
    }

    mutating func verdictCame(now: Int64) { busySince = now }

    /// `lane` has nothing out any more.
    mutating func yield(_ lane: ObjectIdentifier) {
        if alone?.lane == lane { alone = nil }
    }

    /// `lane` does not want the turn that it waits for.
    mutating func withdraw(_ lane: ObjectIdentifier) {
        if let alone, alone.lane == lane, !alone.isOut { self.alone = nil }
    }

    /// When to look again though nothing is heard.
    var deadline: Int64? {
        if let alone { return alone.until }
        return bound == nil || nextSilence == .max ? nil : nextSilence
    }

    /// Whoever was alone for too long is so no more, who hears nothing is silent, and what was
    /// learned long ago is doubted.
    mutating func expire(now: Int64) {
        doubt(now: now)
        noteSilence(now: now)
        if let alone, alone.isOut, now >= alone.until { self.alone = nil }
    }

    private mutating func noteSilence(now: Int64) {
        guard now >= nextSilence else { return }
        nextSilence = .max
        for (lane, out) in outs where !out.isSilent {
            guard out.silentAt <= now else {
                nextSilence = min(nextSilence, out.silentAt)
                continue
            }
            outs[lane]?.isSilent = true
            silentPasses += out.passes
            silentBytes += out.bytes
        }
    }

    func isAlone(_ lane: ObjectIdentifier) -> Bool { alone?.lane == lane && alone?.isOut == true }

    // MARK: What the topic takes

    /// True when that is news.
    mutating func declare(_ limit: Int?) -> Bool {
        defer { declared = limit.map { max(1, $0) } ?? declared }
        return limit != nil && limit != declared
    }

    /// A hand-over of several records, `size` bytes, was refused for its size.
    mutating func refused(_ size: Int, now: Int64) {
        if isDoubted {
            isDoubted = false
            lessonLasts = min(lessonLasts * 2, Self.longestLesson)
        }
        guess = max(1, min(size, bound ?? longestBatch) / 2)
        learnedAt = now
    }

    /// One record was refused alone: what was learned on the way to it was its doing.
    mutating func refusedAlone() { guess = proven }

    /// The bytes that had been refused are delivered in smaller parts: the guess has proved good.
    mutating func recovered() { proven = guess }

    /// Doubts an old lesson, unless it is being learned.
    private mutating func doubt(now: Int64) {
        guard let known = guess else { return }
        let lasts = proven == known ? lessonLasts : max(lessonLasts, Self.longestLearning)
        guard now - learnedAt >= lasts else { return }
        guess = known >= longestBatch / 2 ? nil : known * 2
        proven = guess
        learnedAt = now
        isDoubted = true
    }
}
