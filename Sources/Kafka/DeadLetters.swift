/// What becomes of records that their topics will never take: one goes to the dead-letter topic in
/// its place.
package struct DeadLetters: Sendable {
    /// The dead-letter topic; its name is one that Kafka takes.
    package let topic: String
    /// Writes the letter that stands for a record of a batch. Called on the poller thread.
    package let letter: @Sendable (RecordBatch, Int, RefusedRecord) -> DeadLetter

    package init(
        topic: String,
        letter: @escaping @Sendable (RecordBatch, Int, RefusedRecord) -> DeadLetter
    ) {
        self.topic = topic
        self.letter = letter
    }
}

/// What stands in the dead-letter topic in a record's place.
package struct DeadLetter: Hashable, Sendable {
    /// A few kilobytes at the most: nobody gives credit for them.
    package let value: [UInt8]
    /// They say which record it stands for, and why.
    package let headers: RecordHeaders

    package init(value: [UInt8], headers: RecordHeaders) {
        self.value = value
        self.headers = headers
    }
}

/// The letters that are on their way, and the lanes that wait to have theirs written. The poller
/// thread's.
struct LettersUnderway {
    /// Letters have no in-flight credit of their own. Each has a few kilobytes, and streams that
    /// have one of theirs on the way, or wait for it, have nothing else there.
    static let most = 64

    /// By the letter's batch: it, and the lane that stands still for it.
    private var sent: [ObjectIdentifier: (letter: RecordBatch, lane: Lane)] = [:]
    /// Bounded by the lanes.
    private var waiting = FIFO<Lane>()

    var isAnyOut: Bool { !sent.isEmpty }

    mutating func append(_ lane: Lane) { waiting.append(lane) }

    /// The next lane whose letter may be written.
    mutating func next() -> Lane? { sent.count < Self.most ? waiting.popFirst() : nil }

    mutating func sent(_ letter: RecordBatch, for lane: Lane) {
        sent[ObjectIdentifier(letter)] = (letter, lane)
    }

    /// The lane that stands still for `letter`.
    func lane(of letter: RecordBatch) -> Lane? { sent[ObjectIdentifier(letter)]?.lane }

    /// The letter is delivered: the lane that can go on.
    mutating func delivered(_ letter: RecordBatch) -> Lane? {
        sent.removeValue(forKey: ObjectIdentifier(letter))?.lane
    }
}
