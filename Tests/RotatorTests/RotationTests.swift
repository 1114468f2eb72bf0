import Platform
import TestSupport
import Testing

@testable import Rotator

@Suite("A rotation as a value")
struct RotationTests {
    private static let chunk = Rotation.chunk
    private static let whole: [Rotation.Step] = [
        .copy, .lend, .intend, .shift, .place, .punch(0..<4096), .settle,
        .punch(4096..<4096 + chunk), .punch(4096 + chunk..<8192 + chunk), .settle, .announce,
        .collapse, .resolve, .giveBack,
    ]

    /// The steps that are taken when the one of this number fails, and looks show `sight`.
    private func steps(
        _ start: Rotation, failing failed: Int? = nil, seeing sight: Rotation.Sight
    ) -> [Rotation.Step] {
        var rotation = start
        var steps: [Rotation.Step] = []
        while let step = rotation.step {
            steps.append(step)
            if steps.count - 1 == failed {
                rotation.failed(SystemError("test", code: .inputOutput))
            } else if step == .resolve || step == .inspect {
                rotation.saw(sight)
            } else {
                rotation.done()
            }
        }
        return steps
    }

    private var new: Rotation { Rotation(length: Self.chunk + 8192, block: 4096) }

    @Test func theFrontIsInAnArchiveAndTheIntentSavedBeforeAnyByteGoes() {
        #expect(steps(new, seeing: .collapsed) == Self.whole)
    }

    @Test func whatFailsBeforeTheIntentLeavesNothing() {
        #expect(steps(new, failing: 0, seeing: .untouched) == [.copy, .discard])
        #expect(steps(new, failing: 1, seeing: .untouched) == [.copy, .lend, .discard])
    }

    @Test(
        "what fails later is looked at, and the reader has the log back",
        arguments: Array(whole.enumerated()).filter { (2...11).contains($0.offset) }.map(\.offset))
    func failing(index: Int) {
        let taken = Array(Self.whole[...index])
        for sight in [Rotation.Sight.punched, .collapsed, .other] {
            #expect(
                steps(new, failing: index, seeing: sight)
                    == taken + [.resolve, .giveBack])
        }
        #expect(
            steps(new, failing: index, seeing: .untouched)
                == taken + [.resolve] + (index < 5 ? [.discard] : []) + [.giveBack],
            "after a hole was tried the archive stays")
    }

    @Test func whatIsRefusedBeforeTheFirstHoleIsTakenBack() {
        var rotation = new
        while rotation.step != .punch(0..<4096) { rotation.done() }
        rotation.refused(SystemError("check", code: .stale))
        #expect(!rotation.isTouched)
        #expect(rotation.step == .resolve)
        rotation.saw(.untouched)
        #expect(rotation.step == .discard)
    }

    @Test func whatCannotBeLookedAtStaysSavedAsItIs() {
        #expect(steps(new, failing: 12, seeing: .collapsed) == Self.whole)
        let resumed = Rotation(length: 4096, block: 4096, resuming: .punching)
        #expect(steps(resumed, failing: 0, seeing: .untouched) == [.inspect])
    }

    @Test func anInterruptedOneGoesOnWhereItWas() {
        let rest: [Rotation.Step] = [
            .shift, .place, .punch(0..<4096), .settle, .announce, .collapse, .resolve,
        ]
        let punching = Rotation(length: 4096, block: 4096, resuming: .punching)
        #expect(steps(punching, seeing: .punched) == [.inspect] + rest)
        #expect(steps(punching, seeing: .other) == [.inspect, .resolve])
        let collapsing = Rotation(length: 4096, block: 4096, resuming: .collapsing)
        #expect(steps(collapsing, seeing: .punched) == [.inspect, .collapse, .resolve])
        #expect(steps(collapsing, seeing: .collapsed) == [.inspect, .resolve])
        #expect(steps(collapsing, seeing: .other) == [.inspect, .resolve])
    }

    @Test func whatNobodyAsksForAnyMoreIsTakenBackIfItIsNotTooLate() {
        let unwanted = Rotation(
            length: 4096, block: 4096, resuming: .punching, isUnwanted: true)
        #expect(steps(unwanted, seeing: .untouched) == [.inspect, .resolve, .discard])
        #expect(steps(unwanted, seeing: .punched).contains(.collapse))
    }

    @Test func oneRotationTakesNoMoreThanItMay() {
        #expect(
            FrontLength.of(delivered: 1 << 40, size: 1 << 40, alignment: 4096, limit: 70_000)
                == 69_632)
    }

    @Test func enoughStaysToKnowTheLogBy() {
        #expect(FrontLength.of(delivered: 5_183, size: 9_000, alignment: 4096) == 0)
        #expect(FrontLength.of(delivered: 5_184, size: 9_000, alignment: 4096) == 4096)
        #expect(FrontLength.of(delivered: 9_000, size: 5_184, alignment: 4096) == 4096)
        #expect(FrontLength.of(delivered: .min, size: .max, alignment: 4096) == 0)
        #expect(FrontLength.of(delivered: .max, size: .max, alignment: 0) == 0)
        #expect(
            FrontLength.of(delivered: 1 << 30, size: 1 << 30, alignment: 1 << 20) == 1023 << 20)
    }
}
