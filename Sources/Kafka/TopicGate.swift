/// What one topic may have with librdkafka at a time, as a pure value: all that its lanes have, as a
/// rule. Two things narrow it.
///
/// - A lane that recovers from a refusal goes *alone*: a batch of librdkafka's holds records of many
///   lanes of a partition, and is refused as a whole for one of them. So nothing else of the topic is
///   out beside a record in doubt, no neighbour is refused a second time for it, and a record that is
///   refused then is the reason itself.
/// - A `bound` on the bytes that are out: no batch can be larger. It is known from the topic's
///   settings (`declared`), or learned from batches that were refused for their size although each
///   record of them was taken.
///
/// Nobody waits for ever for what may never come: a partition without a leader gives no verdict. So
/// both the wait for the others' verdicts and being alone end after a time.
struct TopicGate {
    /// How long a lane waits until nothing else is out.
    static let quietPatience: Int64 = 500_000_000
    /// How long it stays alone.
    static let alonePatience: Int64 = 1_000_000_000
    /// What Kafka adds to a batch, and to spare.
    static let batchOverhead = 128
    /// When a lesson is doubted first, and at the latest: it may have been a mistake, or somebody may
    /// have raised the limit. Each time that it proves right it is believed twice as long.
    static let shortestLesson: Int64 = 250_000_000
    static let longestLesson: Int64 = 600_000_000_000

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
    /// When the first of them went out, or the last verdict came.
    private var busySince: Int64 = 0
    private var alone: Alone?
    /// `max.message.bytes` as the brokers say it.
    private(set) var declared: Int?
    /// What batches were taken with, once a larger one was refused. The present guess, and the last
    /// one that proved good.
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
    mutating func enterFreely(_ size: Int, now: Int64) -> Bool {
        guard alone == nil, bound == nil else { return false }
        enter(size, now: now)
        return true
    }

    /// Whether `lane` may begin a hand-over now; `goesAlone` when it has to be the only one.
    mutating func hasTurn(_ lane: ObjectIdentifier, goesAlone: Bool, now: Int64) -> Bool {
        if let holder = alone {
            guard holder.lane == lane, !holder.isOut, passes == 0 || now >= holder.until else {
                return false
            }
            alone = Alone(lane: lane, isOut: true, until: now + Self.alonePatience)
            return true
        }
        guard goesAlone else { return bound.map { passes == 0 || bytes < $0 } ?? true }
        let isQuiet = passes == 0
        let patience = isQuiet ? Self.alonePatience : Self.quietPatience
        alone = Alone(lane: lane, isOut: isQuiet, until: now + patience)
        return isQuiet
    }

    /// Takes as many of `count` records as there is room for, the first `n` of which have `size(n)`
    /// bytes; one at least when nothing is out.
    mutating func admit(_ count: Int, now: Int64, size: (Int) -> Int) -> (count: Int, bytes: Int) {
        var fitting = count
        if let bound {
            let room = max(0, bound - bytes)
            var low = 0
            while low < fitting {
                let middle = (low + fitting + 1) / 2
                if size(middle) <= room { low = middle } else { fitting = middle - 1 }
            }
            if fitting == 0, passes == 0 { fitting = 1 }
        }
        guard fitting > 0 else { return (0, 0) }
        let taken = size(fitting)
        enter(taken, now: now)
        return (fitting, taken)
    }

    private mutating func enter(_ size: Int, now: Int64) {
        if passes == 0 { busySince = now }
        passes += 1
        bytes += size
    }

    mutating func leave(_ size: Int) {
        passes -= 1
        bytes -= size
        precondition(passes >= 0 && bytes >= 0, "more passes were settled than went out")
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
    var deadline: Int64? { alone?.until }

    /// Whoever was alone for too long is so no more, and what was learned long ago is doubted.
    mutating func expire(now: Int64) {
        doubt(now: now)
        if let alone, alone.isOut, now >= alone.until { self.alone = nil }
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

    /// What had been refused is delivered in smaller parts.
    mutating func recovered() { proven = guess }

    /// Doubts an old lesson, unless it is being learned.
    private mutating func doubt(now: Int64) {
        guard let known = guess, proven == known, now - learnedAt >= lessonLasts else { return }
        guess = known >= longestBatch / 2 ? nil : known * 2
        proven = guess
        learnedAt = now
        isDoubted = true
    }
}
