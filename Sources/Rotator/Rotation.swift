package import Platform

/// One rotation in place as a pure value: the step to do next, so that a failure tries no other one
/// and a kill finds on the disk how far it came. Whoever has it does the step and says what came of
/// it.
///
/// Nothing is removed before it is in an archive on the disk; from `intend` on the registry has
/// the intent (`FrontCut` there), and from the first `punch` on there is only one way, forward:
///
///     copy → lend → intend → shift → place → punch … → settle → announce → collapse
///          → resolve → giveBack
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

    /// How far an earlier run had come by what it saved.
    package enum Resumption: Hashable, Sendable {
        case punching
        case collapsing
    }

    /// A new one.
    package init(length: Int) {
        self.length = length
        resumed = nil
        step = .copy
    }

    /// One that an earlier run has begun, of a log that nobody reads.
    package init(length: Int, resuming: Resumption) {
        self.length = length
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
        case .punch(let range): step = punch(from: range.upperBound)
        case .settle: step = .announce
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
            case (.untouched, .punching), (.punched, .punching): step = .shift
            case (.punched, .collapsing): step = .collapse
            case (.collapsed, _), (.other, _), (.untouched, _), (.punched, nil): step = .resolve
            }
        case .resolve:
            self.sight = sight
            switch sight {
            case .untouched: step = .discard
            case .punched, .collapsed, .other: leave()
            }
        case nil, .copy, .lend, .intend, .shift, .place, .punch, .settle, .announce, .collapse,
            .discard, .giveBack:
            preconditionFailure("this step is no look")
        }
    }

    /// The step could not be done.
    package mutating func failed(_ error: SystemError) {
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
        start < length ? .punch(start..<min(start +| Self.chunk, length)) : .settle
    }

    private mutating func leave() {
        step = isLent ? .giveBack : nil
        isLent = false
    }
}
