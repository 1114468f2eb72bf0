import Platform
import Testing

@testable import Tailer

/// Each transition of a file from each place where it may stand. A descriptor is a number here.
@Suite("Where a file stands")
struct FileStateTests {
    private typealias State = TailedFile.State<Int>
    private typealias Phase = TailedFile.Phase
    private typealias Continuity = TailedFile.Continuity
    private typealias Access = TailedFile.Access

    private static let start = MonotonicTime(nanoseconds: 1_000)
    private static let later = start + 500

    /// What is done to a file and says nothing, by name.
    private struct Verb: Sendable {
        let name: String
        let act: @Sendable (inout State) -> Void

        static let drain = Verb(name: "drain") { $0.drain(from: later) }
        static let write = Verb(name: "write") { $0.sawWriting(later) }
        static let asked = Verb(name: "asked") { $0.proofFailed(later, isBlind: true) }
        static let final = Verb(name: "final") { _ = $0.becomeFinal() }
        static let live = Verb(name: "live") { $0.becomeLive() }
        static let see = Verb(name: "see") { $0.sawSize() }
        static let doubtSize = Verb(name: "doubt its size") { $0.doubtSize() }
        static let doubt = Verb(name: "doubt") { _ = $0.doubt(from: later) }
        static let trust = Verb(name: "trust") { $0.trust() }
        static let replace = Verb(name: "replace") { $0.becomeReplaced() }
        static let search = Verb(name: "search") { $0.search() }
        static let restart = Verb(name: "restart") { $0.restart() }
        static let fail = Verb(name: "fail") { _ = $0.failed(later) }
        static let pass = Verb(name: "pass over") { _ = $0.passOver(later) }
        static let read = Verb(name: "read") { $0.wasRead() }
        static let open = Verb(name: "open") { $0.unpark(2) }
        static let park = Verb(name: "park") { _ = $0.park() }
        static let miss = Verb(name: "miss") { _ = $0.miss(later) }
        static let find = Verb(name: "find") { $0.find() }
        static let remove = Verb(name: "remove") { $0.remove() }
        static let takeOver = Verb(name: "take over") { $0.takeOver() }

        static let ofPhase = [drain, write, asked, final, live, see, doubtSize]
        static let ofContinuity = [doubt, trust, replace, search, restart]
        static let ofAccess = [fail, pass, read]
        static let ofParking = [open, park, miss, find, remove, takeOver]
    }

    private static func state(_ acts: (inout State) -> Void...) -> State {
        var state = State(1)
        for act in acts { act(&state) }
        return state
    }

    private static func draining(since: MonotonicTime, asked: [MonotonicTime] = []) -> Phase {
        var state = State(1)
        state.drain(from: since)
        for time in asked { state.proofFailed(time, isBlind: true) }
        return state.phase
    }

    private static func place(_ state: State) -> String {
        switch state.parking {
        case .open(let source): "open \(source)"
        case .parked: "parked"
        case .missing(let since): "missing since \(since - start)"
        case .removed: "removed"
        case .takenOver: "taken over"
        case .lent: "lent"
        }
    }

    /// What comes of each verb; of those that are not named, nothing.
    private func check<Part: Equatable>(
        _ state: State, _ verbs: [Verb], _ part: (State) -> Part, _ expected: [String: Part]
    ) {
        #expect(Set(expected.keys).isSubset(of: verbs.map(\.name)))
        for verb in verbs {
            var next = state
            verb.act(&next)
            #expect(
                part(next) == expected[verb.name] ?? part(state), "\(verb.name) of \(part(state))")
        }
    }

    @Test("A live file drains or becomes final; it has no time that begins anew and no old size")
    func live() {
        check(
            Self.state(), Verb.ofPhase, \.phase,
            ["drain": Self.draining(since: Self.later), "final": .final(.old)])
    }

    @Test("A draining file drains from when it was rotated away, or written to last")
    func draining() {
        let state = Self.state { $0.drain(from: Self.start) }
        check(
            state, Verb.ofPhase, \.phase,
            [
                "write": Self.draining(since: Self.later),
                "asked": Self.draining(since: Self.start, asked: [Self.later]),
                "final": .final(.old), "live": .live,
            ])
    }

    @Test("A final file is so until it has its stream's own name again, whatever a look finds")
    func final() {
        let old = Self.state { _ = $0.becomeFinal() }
        check(old, Verb.ofPhase, \.phase, ["see": .final(.seen), "live": .live])
        let seen = Self.state({ _ = $0.becomeFinal() }, { $0.sawSize() })
        check(seen, Verb.ofPhase, \.phase, ["doubt its size": .final(.old), "live": .live])
        #expect(old.isFinal && old.hasOldSize && seen.isFinal && !seen.hasOldSize)
    }

    @Test("One that becomes final is so once")
    func finalOnce() {
        for name in [Verb.live, .drain] {
            var state = State(1)
            name.act(&state)
            let isNews = state.becomeFinal()
            let isNewsAgain = state.becomeFinal()
            #expect(isNews && !isNewsAgain && state.draining == nil)
        }
    }

    @Test("The proof of a file's end begins anew with what is written to it, not with a look")
    func proof() throws {
        var state = Self.state({ $0.drain(from: Self.start) }) {
            $0.proofFailed(Self.start, isBlind: true)
        }
        state.drain(from: Self.later)
        state.sawWriting(Self.start)
        let asked = try #require(state.draining)
        #expect(asked.proof.isBlind && !asked.proof.isDue(Self.later))
        state.sawWriting(Self.later)
        let anew = try #require(state.draining)
        #expect(!anew.proof.isBlind && anew.proof.isDue(Self.later) && anew.since == Self.later)
    }

    @Test("A content that goes on as it was read may come into doubt, or be another one")
    func intact() {
        check(
            Self.state(), Verb.ofContinuity, \.continuity,
            ["doubt": .inDoubt(since: Self.later), "replace": .replaced(isSearched: false)])
    }

    @Test("A doubt lasts from when it began, until the content is trusted, replaced or begins anew")
    func inDoubt() {
        let state = Self.state { _ = $0.doubt(from: Self.start) }
        check(
            state, Verb.ofContinuity, \.continuity,
            [
                "trust": .intact, "replace": .replaced(isSearched: false), "restart": .intact,
            ])
        var next = state
        let since = next.doubt(from: Self.later)
        #expect(since == Self.start && state.isInDoubt && !state.isReplaced)
        #expect(next.doubtedSince == Self.start)
        next.trust()
        #expect(next.doubtedSince == nil)
    }

    @Test(
        "A replaced content is looked for until the file begins anew, and archives are searched once"
    )
    func replaced() {
        let replaced = Self.state { $0.becomeReplaced() }
        check(
            replaced, Verb.ofContinuity, \.continuity,
            ["search": .replaced(isSearched: true), "restart": .intact])
        let searched = Self.state({ $0.becomeReplaced() }, { $0.search() })
        check(searched, Verb.ofContinuity, \.continuity, ["restart": .intact])
        var next = searched
        let since = next.doubt(from: Self.later)
        next.becomeReplaced()
        #expect(since == nil && next.isSearched && !replaced.isInDoubt && searched.isSearched)
    }

    @Test("Who cannot be read is waited for from when that began, and passed over once")
    func access() {
        check(
            Self.state(), Verb.ofAccess, \.access,
            [
                "fail": .failing(since: Self.later), "pass over": .passedOver(since: Self.later),
            ])
        var failing = Self.state { _ = $0.failed(Self.start) }
        check(
            failing, Verb.ofAccess, \.access,
            ["pass over": .passedOver(since: Self.start), "read": .fine])
        let isNews = failing.passOver(Self.later)
        let isNewsAgain = failing.passOver(Self.later)
        let since = failing.failed(Self.later)
        #expect(isNews && !isNewsAgain && since == Self.start)
        check(failing, Verb.ofAccess, \.access, ["read": .fine])
    }

    @Test("That a replaced file's turn is over does not say that it can be read")
    func replacedAccess() {
        let state = Self.state({ $0.becomeReplaced() }, { _ = $0.passOver(Self.start) })
        check(state, Verb.ofAccess, \.access, [:])
        var begun = state
        begun.restart()
        begun.wasRead()
        #expect(begun.access == .fine)
    }

    @Test("What is open is nobody else's, and has nothing to be found; it can be parked")
    func open() {
        let state = Self.state()
        check(state, Verb.ofParking, Self.place, ["open": "open 2", "park": "parked"])
        #expect(state.source == 1 && state.mayBeFound)
    }

    @Test("A parked file is opened, missed, removed or taken over")
    func parked() {
        check(
            Self.state { _ = $0.park() }, Verb.ofParking, Self.place,
            [
                "open": "open 2", "miss": "missing since 500", "remove": "removed",
                "take over": "taken over",
            ])
    }

    @Test("A missing file is so from the first look that did not find it, until one does")
    func missing() {
        let state = Self.state({ _ = $0.park() }, { _ = $0.miss(Self.start) })
        check(
            state, Verb.ofParking, Self.place,
            [
                "open": "open 2", "find": "parked", "remove": "removed", "take over": "taken over",
            ])
        var next = state
        let since = next.miss(Self.later)
        #expect(since == Self.start && state.mayBeFound && state.source == nil)
    }

    @Test("Of what was removed or taken over no look finds anything but the file itself, elsewhere")
    func left() {
        for (end, place) in [(Verb.remove, "removed"), (.takeOver, "taken over")] {
            var state = Self.state { _ = $0.park() }
            end.act(&state)
            #expect(Self.place(state) == place && !state.mayBeFound)
            check(state, Verb.ofParking, Self.place, ["open": "open 2"])
            let since = state.miss(Self.later)
            let isNews = state.park()
            #expect(since == nil && !isNews)
        }
    }

    /// The four parts stand beside each other: wherever the others stand, what one of them does is the
    /// same, and changes nothing but itself.
    @Test("Whatever happens in one respect leaves a file where it stands in all others")
    func independence() {
        let starts = [
            Self.state(), Self.state { $0.drain(from: Self.start) },
            Self.state({ _ = $0.becomeFinal() }, { $0.becomeReplaced() }),
            Self.state({ $0.drain(from: Self.start) }, { $0.becomeReplaced() }) {
                _ = $0.passOver(Self.start)
            },
            Self.state({ _ = $0.doubt(from: Self.start) }, { _ = $0.park() }),
            Self.state({ $0.drain(from: Self.start) }, { _ = $0.park() }) {
                _ = $0.miss(Self.start)
            },
        ]
        for state in starts {
            check(state, Verb.ofContinuity + Verb.ofAccess + Verb.ofParking, \.phase, [:])
            check(state, Verb.ofPhase + Verb.ofAccess + Verb.ofParking, \.continuity, [:])
            check(state, Verb.ofPhase + Verb.ofContinuity + Verb.ofParking, \.access, [:])
            check(state, Verb.ofPhase + Verb.ofContinuity + Verb.ofAccess, Self.place, [:])
        }
    }
}
