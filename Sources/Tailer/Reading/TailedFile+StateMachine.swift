import Platform

/// Where a file stands, as pure values: docs/rotation.md has the pictures. Outside of these values
/// nobody sets any of it; `TailedFile` has the verbs, with what else they change.
///
/// Four things are known of a file, each of them one of a few. They stand beside each other and not
/// in one list of states, because each changes while the others stay: a rotated file may be
/// replaced, and is renamed and drains like any other until what it held is found; any of these may
/// be parked, or unreadable.
extension TailedFile {
    /// Who may still write to it.
    enum Phase: Hashable {
        /// Its log's writer: it has the stream's own name, as far as is known.
        case live
        /// It was rotated away, and somebody may still have it open.
        case draining(Draining)
        /// Nobody, so what is there is all there will be.
        case final(Size)
    }

    /// Since when a file drains, and when it is asked next whether it still does.
    struct Draining: Hashable {
        /// When it was rotated away, or somebody wrote to it last.
        let since: MonotonicTime
        fileprivate(set) var proof = EndProof()
    }

    /// What is known of a final file's size.
    enum Size: Hashable {
        /// It was looked at since the file became final.
        case seen
        /// It was not: what looks like an unfinished line at its end may go on.
        case old
    }

    /// Whether its content is the one that was read.
    enum Continuity: Hashable {
        /// It is, as far as is known.
        case intact
        /// Its end is another one; whether that is all, the next looks tell.
        case inDoubt(since: MonotonicTime)
        /// It is not. What it was is looked for in a copy, and then the file is read from its first
        /// byte. `isSearched`: archives were searched for that.
        case replaced(isSearched: Bool)
    }

    /// Whether it can be read.
    enum Access: Hashable {
        /// It can, as far as is known.
        case fine
        /// It cannot, and what is newer waits for it, for a while.
        case failing(since: MonotonicTime)
        /// It cannot, and what is newer is read without it.
        case passedOver(since: MonotonicTime)
    }

    /// Whether it has a descriptor.
    enum Parking<Source> {
        case open(Source)
        /// It has none for now, and its name leads to it, or did when it was looked at last.
        case parked
        /// The same, and since then no name in its directory is known to lead to it.
        case missing(since: MonotonicTime)
        /// It had none, and another file has its inode number by now.
        case removed
        /// It had none, and another stream has found it under its new name and reads on.
        case takenOver
        /// It has one, which is not used: its front is being removed, and whatever stands there
        /// meanwhile says nothing of it (`FileLender`).
        case lent(Source)
    }

    /// All four of one file. `Source` is its descriptor; tests use integers.
    struct State<Source> {
        private(set) var phase = Phase.live
        private(set) var continuity = Continuity.intact
        private(set) var access = Access.fine
        private(set) var parking: Parking<Source>

        /// A file begins as its stream's live one, with a descriptor.
        init(_ source: Source) { self.init(.open(source)) }

        private init(_ parking: Parking<Source>) { self.parking = parking }

        /// A stream's live file of which nothing is known but good, without a descriptor.
        static var parked: Self { Self(.parked) }
    }
}

// MARK: - Who may still write to it

extension TailedFile.State {
    var isFinal: Bool {
        switch phase {
        case .live, .draining: false
        case .final: true
        }
    }

    /// Nil where it does not drain.
    var draining: TailedFile.Draining? {
        switch phase {
        case .live, .final: nil
        case .draining(let draining): draining
        }
    }

    var hasOldSize: Bool { phase == .final(.old) }

    /// It is not under its stream's own name any more. A look that finds it as it was changes
    /// nothing.
    mutating func drain(from now: MonotonicTime) {
        switch phase {
        case .live: phase = .draining(.init(since: now))
        case .draining, .final: break
        }
    }

    /// Somebody writes to it: where it drains, its time begins anew.
    mutating func sawWriting(_ now: MonotonicTime) {
        switch phase {
        case .draining(let draining):
            if draining.since != now { phase = .draining(.init(since: now)) }
        case .live, .final: break
        }
    }

    /// It was asked in vain whether it is final. `latest`: when that is proven by the time that has
    /// passed.
    mutating func proofFailed(
        _ now: MonotonicTime, isBlind: Bool, latest: MonotonicTime = .never
    ) {
        switch phase {
        case .draining(var draining):
            draining.proof.failed(now, isBlind: isBlind, latest: latest)
            phase = .draining(draining)
        case .live, .final: break
        }
    }

    /// Nobody can write to it any more. False where that was known.
    mutating func becomeFinal() -> Bool {
        switch phase {
        case .live, .draining:
            phase = .final(.old)
            return true
        case .final: return false
        }
    }

    /// It has its stream's own name again, so it may be written to again.
    mutating func becomeLive() { phase = .live }

    /// Its size was looked at.
    mutating func sawSize() {
        switch phase {
        case .final: phase = .final(.seen)
        case .live, .draining: break
        }
    }

    /// It holds less than it did, and is looked at once more before anything is concluded. One that
    /// is not final is looked at anyway.
    mutating func doubtSize() {
        switch phase {
        case .final: phase = .final(.old)
        case .live, .draining: break
        }
    }
}

// MARK: - Whether its content is the one that was read

extension TailedFile.State {
    var isReplaced: Bool {
        switch continuity {
        case .intact, .inDoubt: false
        case .replaced: true
        }
    }

    /// Since when its end is known to be another one, as long as nothing more is known.
    var doubtedSince: MonotonicTime? {
        switch continuity {
        case .intact, .replaced: nil
        case .inDoubt(let since): since
        }
    }

    var isInDoubt: Bool { doubtedSince != nil }

    /// Its content is the one that was read, and can be read on, as far as is known.
    var isUntroubled: Bool { continuity == .intact && access == .fine }

    /// It is replaced, and archives were searched for what it held.
    var isSearched: Bool { continuity == .replaced(isSearched: true) }

    /// Its end is another one. Since when that is known; nil where it is known to be replaced.
    mutating func doubt(from now: MonotonicTime) -> MonotonicTime? {
        switch continuity {
        case .intact:
            continuity = .inDoubt(since: now)
            return now
        case .inDoubt(let since): return since
        case .replaced: return nil
        }
    }

    /// It goes on as it was read. One that is replaced does not, whatever lies there now.
    mutating func trust() {
        switch continuity {
        case .inDoubt: continuity = .intact
        case .intact, .replaced: break
        }
    }

    /// Its content is another one. Where that was known, a search for what it held goes on.
    mutating func becomeReplaced() {
        switch continuity {
        case .intact, .inDoubt: continuity = .replaced(isSearched: false)
        case .replaced: break
        }
    }

    /// Archives are searched for what it held.
    mutating func search() {
        switch continuity {
        case .replaced: continuity = .replaced(isSearched: true)
        case .intact, .inDoubt: break
        }
    }

    /// It is read from its first byte, as what it is now. Who may write to it is who might before.
    mutating func restart() { continuity = .intact }
}

// MARK: - Whether it can be read

extension TailedFile.State {
    var isPassedOver: Bool {
        switch access {
        case .fine, .failing: false
        case .passedOver: true
        }
    }

    /// It could not be read now. Since when it cannot.
    mutating func failed(_ now: MonotonicTime) -> MonotonicTime {
        switch access {
        case .fine:
            access = .failing(since: now)
            return now
        case .failing(let since), .passedOver(let since): return since
        }
    }

    /// What is newer is read without it. False where that is so already.
    mutating func passOver(_ now: MonotonicTime) -> Bool {
        switch access {
        case .fine: access = .passedOver(since: now)
        case .failing(let since): access = .passedOver(since: since)
        case .passedOver: return false
        }
        return true
    }

    /// It could be read. Of one that is replaced that says nothing: nothing of it was.
    mutating func wasRead() {
        switch continuity {
        case .intact, .inDoubt: access = .fine
        case .replaced: break
        }
    }
}

// MARK: - Whether it has a descriptor

extension TailedFile.State {
    /// Its descriptor, if it has one.
    var source: Source? {
        switch parking {
        case .open(let source): source
        case .parked, .missing, .removed, .takenOver, .lent: nil
        }
    }

    /// It is where it was, or is looked for. Else nobody can open it again.
    var mayBeFound: Bool {
        switch parking {
        case .open, .parked, .missing, .lent: true
        case .removed, .takenOver: false
        }
    }

    /// It is its stream's live file, nothing is wrong with it, and it has no descriptor.
    var isParkedAndLive: Bool {
        if case .parked = parking { phase == .live && isUntroubled } else { false }
    }

    /// It was opened again, wherever it was found.
    mutating func unpark(_ source: Source) { parking = .open(source) }

    /// It gives its descriptor up. False where it has none.
    mutating func park() -> Bool {
        switch parking {
        case .open:
            parking = .parked
            return true
        case .parked, .missing, .removed, .takenOver, .lent: return false
        }
    }

    var isLent: Bool {
        switch parking {
        case .lent: true
        case .open, .parked, .missing, .removed, .takenOver: false
        }
    }

    /// Its descriptor is not used until it is back. False where it has none.
    mutating func lend() -> Bool {
        switch parking {
        case .open(let source):
            parking = .lent(source)
            return true
        case .parked, .missing, .removed, .takenOver, .lent: return false
        }
    }

    /// It is back. False where it was not lent.
    mutating func takeBack() -> Bool {
        switch parking {
        case .lent(let source):
            parking = .open(source)
            return true
        case .open, .parked, .missing, .removed, .takenOver: return false
        }
    }

    /// It is parked and has no name. Since when; nil where there is nothing to look for.
    mutating func miss(_ now: MonotonicTime) -> MonotonicTime? {
        switch parking {
        case .parked:
            parking = .missing(since: now)
            return now
        case .missing(let since): return since
        case .open, .removed, .takenOver, .lent: return nil
        }
    }

    /// It was found under a name.
    mutating func find() {
        switch parking {
        case .missing: parking = .parked
        case .open, .parked, .removed, .takenOver, .lent: break
        }
    }

    /// Another file has its inode number. Of one that is open that is no news of it: it has the
    /// number for as long.
    mutating func remove() { leave(.removed) }

    /// Another stream reads it from now on.
    mutating func takeOver() { leave(.takenOver) }

    private mutating func leave(_ end: TailedFile.Parking<Source>) {
        switch parking {
        case .parked, .missing: parking = end
        case .open, .removed, .takenOver, .lent: break
        }
    }
}
