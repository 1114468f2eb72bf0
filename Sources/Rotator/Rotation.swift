package import Platform

/// One rotation in place as a pure value: the step to do next, so that a failure tries no other one
/// and a kill finds on the disk how far it came. Whoever has it does the step and says what came of
/// it.
///
/// Nothing is removed before it is in an archive on the disk; from `intend` on the registry has
/// the intent (`FrontCut` there), and from the first `punch` on there is only one way, forward:
///
///     copy → lend → intend → shift → place → punch → settle → punch … → settle → announce
///          → collapse → resolve → giveBack
///
/// The first hole is one block, and is on the disk before the second one is begun. A file system
/// may free a range from its end on, and in parts: what stops in the middle, or is cut off from
/// power, would leave a file that begins as it did and has lost what follows.
package struct Rotation: Hashable, Sendable {
    /// Something to be done outside.
    package enum Step: Hashable, Sendable {
        /// The front is copied to a file beside the log, under a hidden name, and forced to the
        /// disk.
        case copy
        /// Whoever reads the log lets go of it, and judges nothing of it until it has it back.
        case lend
        /// The intent is saved, and forced to the disk.
        case intend
        /// The numbered archives make room.
        case shift
        /// The copy gets its name, and the directory is forced to the disk.
        case place
        /// These bytes become a hole.
        case punch(Range<Int>)
        /// The file's bytes are forced to the disk.
        case settle
        /// It is saved that the hole is removed next, and forced to the disk.
        case announce
        /// The hole is removed.
        case collapse
        /// The log is looked at, and what became of it is saved.
        case resolve
        /// Nothing was removed: the copy goes.
        case discard
        /// Whoever reads the log has it back.
        case giveBack
        /// A run that died was here: how far it came is looked at.
        case inspect
    }

    /// What a look at the log's first bytes has shown.
    package enum Sight: Hashable, Sendable {
        /// They are what they were.
        case untouched
        /// They are zeros: a hole was begun or is there.
        case punched
        /// The front is gone.
        case collapsed
        /// Somebody has put another content there.
        case other
    }

    /// Bytes that become a hole by one call: the writer waits for each, and not for all.
    package static let chunk = 16 << 20

    /// The next step; nil at the end.
    package private(set) var step: Step?
    /// Bytes that are to go.
    package let length: Int
    /// The first thing that went wrong.
    package private(set) var failure: SystemError?
    /// What became of the log, once that is known.
    package private(set) var sight: Sight?
    private var isLent = false
    private let resumed: Resumption?
    /// Bytes of the first hole.
    private let block: Int
    /// Bytes of each other one.
    private let chunk: Int
    /// Where the last hole ends that was made.
    private var punched = 0
    /// Whether a hole was made or tried: from then on nothing is taken back.
    package private(set) var isTouched = false

    /// How far an earlier run had come by what it saved.
    package enum Resumption: Hashable, Sendable {
        case punching
        case collapsing
    }

    /// Whether nothing new is begun: what was not is taken back.
    private let isUnwanted: Bool

    /// A new one, of a file system with blocks of that size. `chunk` is for tests.
    package init(length: Int, block: Int, chunk: Int = Self.chunk) {
        self.length = length
        self.block = max(1, block)
        self.chunk = max(1, chunk)
        isUnwanted = false
        resumed = nil
        step = .copy
    }

    /// One that an earlier run has begun, of a log that nobody reads. `isUnwanted` where nobody
    /// asks for it any more: it is taken back, if it is not too late.
    package init(
        length: Int, block: Int, resuming: Resumption, isUnwanted: Bool = false,
        chunk: Int = Self.chunk
    ) {
        self.length = length
        self.block = max(1, block)
        self.chunk = max(1, chunk)
        self.isUnwanted = isUnwanted
        resumed = resuming
        step = .inspect
    }

    /// The step was done.
    package mutating func done() {
        switch step {
        case nil: break
        case .copy: step = .lend
        case .lend:
            isLent = true
            step = .intend
        case .intend: step = .shift
        case .shift: step = .place
        case .place: step = punch(from: 0)
        case .punch(let range):
            isTouched = true
            punched = range.upperBound
            step = range.lowerBound == 0 ? .settle : punch(from: punched)
        case .settle: step = punched < length ? punch(from: punched) : .announce
        case .announce: step = .collapse
        case .collapse: step = .resolve
        case .resolve, .inspect: preconditionFailure("a look tells what it saw")
        case .discard, .giveBack: leave()
        }
    }

    /// The look was done, and showed that.
    package mutating func saw(_ sight: Sight) {
        switch step {
        case .inspect:
            switch (sight, resumed) {
            case (.untouched, .punching): step = isUnwanted ? .resolve : .shift
            case (.punched, .punching): step = .shift
            case (.punched, .collapsing): step = .collapse
            case (.collapsed, _), (.other, _), (.untouched, _), (.punched, nil): step = .resolve
            }
        case .resolve:
            self.sight = sight
            switch sight {
            case .untouched where !isTouched: step = .discard
            case .untouched, .punched, .collapsed, .other: leave()
            }
        case nil, .copy, .lend, .intend, .shift, .place, .punch, .settle, .announce, .collapse,
            .discard, .giveBack:
            preconditionFailure("this step is no look")
        }
    }

    /// The step could not be done, and may have been done in part.
    package mutating func failed(_ error: SystemError) {
        if case .punch = step { isTouched = true }
        refused(error)
    }

    /// The step must not be done, and nothing of it was.
    package mutating func refused(_ error: SystemError) {
        failure = failure ?? error
        switch step {
        case .copy, .lend: step = .discard
        case .intend, .shift, .place, .punch, .settle, .announce, .collapse: step = .resolve
        // How far it came is not known: that stays saved, and the next run looks again.
        case .inspect, .resolve, .discard: leave()
        case .giveBack, nil: step = nil
        }
    }

    private func punch(from start: Int) -> Step {
        let most = start == 0 ? block : chunk
        return start < length ? .punch(start..<min(start +| most, length)) : .settle
    }

    private mutating func leave() {
        step = isLent ? .giveBack : nil
        isLent = false
    }
}
