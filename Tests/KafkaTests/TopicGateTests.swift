import Model
import Testing

@testable import Kafka

@Suite("What a topic may have with librdkafka, as a value")
struct TopicGateTests {
    private let gate = Bench()

    @Test("nothing holds up a topic that refused nothing")
    func free() {
        for _ in 0..<100 { #expect(gate.enterFreely(500, now: 1)) }
        #expect(gate.hasTurn(0, goesAlone: false, now: 1))
        #expect(gate.admit(7, now: 1) { $0 * 900 } == (7, 6300))
        #expect(gate.deadline == nil)
    }

    @Test("a record in doubt goes when all others are settled, and nobody goes beside it")
    func alone() {
        #expect(gate.enterFreely(10, now: 0))
        #expect(!gate.hasTurn(0, goesAlone: true, now: 0))
        #expect(!gate.enterFreely(10, now: 1), "it would never be its turn")
        #expect(!gate.hasTurn(1, goesAlone: false, now: 1))
        #expect(!gate.hasTurn(2, goesAlone: true, now: 1))
        gate.leave(10, by: 9)
        #expect(!gate.isAlone(0))
        #expect(gate.hasTurn(0, goesAlone: true, now: 2))
        _ = gate.admit(1, now: 2) { $0 * 5 }
        #expect(gate.isAlone(0))
        #expect(!gate.enterFreely(10, now: 3))
        gate.leave(5)
        gate.yield(0)
        #expect(gate.enterFreely(10, now: 4))
    }

    @Test("a partition that loses its leader holds its topic up for a second and a half")
    func patience() {
        #expect(gate.enterFreely(10, now: 0))
        #expect(!gate.hasTurn(0, goesAlone: true, now: 0))
        #expect(gate.deadline == TopicGate.quietPatience)
        let begun = TopicGate.quietPatience
        #expect(gate.hasTurn(0, goesAlone: true, now: begun))
        gate.expire(now: begun + TopicGate.alonePatience - 1)
        #expect(!gate.enterFreely(10, now: begun))
        gate.expire(now: begun + TopicGate.alonePatience)
        #expect(gate.enterFreely(10, now: begun))
        #expect(gate.deadline == nil)
    }

    @Test(
        "however late the last verdicts were, who goes alone waits ten seconds for others, and they ten for it"
    )
    func longestPatience() {
        #expect(gate.enterFreely(10, by: 9, delay: .max, now: 0))
        #expect(!gate.hasTurn(0, goesAlone: true, delay: .max, now: 0))
        let begun: Int64 = 10_000_000_000
        #expect(gate.deadline == begun)
        #expect(!gate.hasTurn(0, goesAlone: true, delay: .max, now: begun - 1))
        #expect(gate.hasTurn(0, goesAlone: true, delay: .max, now: begun))
        gate.expire(now: 2 * begun - 1)
        #expect(!gate.enterFreely(10, by: 1, now: 2 * begun - 1))
        gate.expire(now: 2 * begun)
        #expect(gate.enterFreely(10, by: 1, now: 2 * begun))
    }

    @Test("a partition that answers nothing leaves the others of a topic with a limit their room")
    func silence() {
        _ = gate.declare(600 + TopicGate.batchOverhead)
        #expect(gate.hasTurn(0, goesAlone: false, now: 0))
        #expect(gate.admit(100, now: 0) { $0 * 59 } == (10, 590))
        // There is room, but not for a record.
        #expect(gate.hasTurn(1, goesAlone: false, now: 0))
        #expect(gate.admit(100, by: 1, now: 0) { $0 * 50 } == (0, 0))
        #expect(gate.deadline == TopicGate.quietPatience)
        let then = TopicGate.quietPatience
        gate.expire(now: then - 1)
        #expect(gate.admit(100, by: 1, now: then - 1) { $0 * 50 } == (0, 0))
        gate.expire(now: then)
        #expect(gate.deadline == nil)
        for _ in 0..<3 {
            #expect(gate.hasTurn(1, goesAlone: false, now: then))
            #expect(gate.admit(100, by: 1, now: then) { $0 * 50 } == (6, 300))
            #expect(gate.hasTurn(2, goesAlone: false, now: then))
            #expect(gate.admit(100, by: 2, now: then) { $0 * 50 } == (3, 150))
            gate.leave(300, by: 1, now: then)
            gate.leave(150, by: 2, now: then)
        }
        #expect(gate.admit(1, by: 1, now: then) { $0 * 600 } == (1, 600), "it goes as a whole")
        gate.leave(600, by: 1, now: then)
        #expect(gate.admit(100, now: then) { $0 * 59 } == (0, 0), "its own counts for itself")
        // Who has to go alone need not wait for it, and gets all that the topic takes.
        #expect(gate.hasTurn(1, goesAlone: true, now: then))
        #expect(gate.admit(100, by: 1, now: then) { $0 * 50 } == (12, 600))
        gate.leave(600, by: 1, now: then)
        gate.yield(1)
        // It is heard of again.
        gate.leave(590, now: then)
        #expect(gate.admit(100, by: 1, now: then) { $0 * 50 } == (12, 600))
    }

    @Test("a lane that is heard of again counts with all that it has out")
    func heard() {
        _ = gate.declare(600 + TopicGate.batchOverhead)
        for _ in 0..<3 { #expect(gate.admit(2, now: 0) { $0 * 100 } == (2, 200)) }
        gate.expire(now: TopicGate.quietPatience)
        let then = TopicGate.quietPatience
        gate.leave(200, now: then)
        #expect(gate.admit(100, by: 1, now: then) { $0 * 50 } == (4, 200))
        gate.expire(now: 2 * then)
        #expect(gate.admit(100, by: 2, now: 2 * then) { $0 * 50 } == (6, 300), "both are silent")
    }

    @Test("verdicts that are late but come are waited for")
    func late() {
        _ = gate.declare(600 + TopicGate.batchOverhead)
        let delay: Int64 = 1_200_000_000
        #expect(gate.admit(6, delay: delay, now: 0) { $0 * 100 } == (6, 600))
        gate.expire(now: 2 * delay - 1)
        #expect(gate.admit(6, by: 1, now: delay) { $0 * 100 } == (0, 0))
        gate.expire(now: 2 * delay)
        #expect(gate.admit(6, by: 1, now: delay) { $0 * 100 } == (3, 300))
        gate.leave(300, by: 1)
        // But no longer than that, whatever the last one took.
        #expect(gate.admit(6, by: 2, delay: .max, now: 0) { $0 * 100 } == (3, 300))
        gate.expire(now: TopicGate.longestPatience)
        #expect(gate.hasTurn(1, goesAlone: true, now: TopicGate.longestPatience))
    }

    @Test("a lane whose verdicts are late is alone until they can be there")
    func aloneForLater() {
        let delay: Int64 = 1_200_000_000
        #expect(gate.hasTurn(0, goesAlone: true, delay: delay, now: 0))
        gate.expire(now: 2 * delay - 1)
        #expect(gate.isAlone(0))
        gate.expire(now: 2 * delay)
        #expect(!gate.isAlone(0))
        // The same when it had to wait for others, and never longer than the longest.
        #expect(gate.enterFreely(10, now: 0))
        #expect(!gate.hasTurn(0, goesAlone: true, delay: .max, now: 0))
        gate.leave(10, by: 9)
        #expect(gate.hasTurn(0, goesAlone: true, delay: .max, now: 1))
        gate.expire(now: TopicGate.longestPatience)
        #expect(gate.isAlone(0))
        gate.expire(now: TopicGate.longestPatience + 1)
        #expect(!gate.isAlone(0))
    }

    @Test("a lane that does not want its turn any more is not waited for")
    func withdrawn() {
        #expect(gate.enterFreely(10, now: 0))
        #expect(!gate.hasTurn(0, goesAlone: true, now: 0))
        gate.withdraw(1)
        #expect(!gate.enterFreely(10, now: 0))
        gate.withdraw(0)
        #expect(gate.enterFreely(10, now: 0))
        #expect(!gate.hasTurn(0, goesAlone: true, now: 0))
        gate.leave(10, by: 9)
        gate.leave(10, by: 9)
        #expect(gate.hasTurn(0, goesAlone: true, now: 0))
        gate.withdraw(0)
        #expect(gate.isAlone(0), "it is out")
    }

    @Test("what is out is never more than the topic says it takes in one batch, but for one record")
    func declared() {
        #expect(gate.declare(600 + TopicGate.batchOverhead))
        #expect(!gate.declare(600 + TopicGate.batchOverhead), "that is no news")
        #expect(gate.bound == 600)
        #expect(!gate.enterFreely(1, now: 0))
        #expect(gate.hasTurn(0, goesAlone: false, now: 0))
        #expect(gate.admit(100, now: 0) { $0 * 50 } == (12, 600))
        #expect(!gate.hasTurn(1, goesAlone: false, now: 0))
        #expect(gate.admit(100, now: 0) { $0 * 50 } == (0, 0))
        gate.leave(600)
        #expect(gate.admit(3, now: 0) { $0 * 5000 } == (1, 5000))
        #expect(gate.admit(3, now: 0) { $0 * 5000 } == (0, 0))
        gate.leave(5000)
        #expect(gate.declare(1000 + TopicGate.batchOverhead))
        #expect(gate.bound == nil, "librdkafka's batches are no longer than that")
    }

    @Test(
        "limits of any size are no trap", arguments: [Int.min, -1, 0, 1, 128, 129, .max])
    func extremes(limit: Int) {
        _ = gate.declare(limit)
        #expect(gate.bound.map { $0 >= 1 } ?? true)
        #expect(gate.admit(3, now: .max) { $0 * 100 }.count >= 1)
    }

    @Test("a topic that says nothing is known by the batches that it refuses")
    func learns() {
        gate.refused(900, now: 0)
        #expect(gate.bound == 450)
        gate.refused(450, now: 0)
        #expect(gate.bound == 225)
        gate.recovered()
        // Its next batch is refused for one record in it: the size of the others was not at fault.
        gate.refused(200, now: 1)
        gate.refused(100, now: 1)
        #expect(gate.bound == 50)
        gate.refusedAlone()
        #expect(gate.bound == 225)
    }

    @Test("a lesson is doubted, and believed twice as long whenever it proves right")
    func doubts() {
        gate.refused(500, now: 0)
        gate.expire(now: TopicGate.longestLearning - 1)
        #expect(gate.bound == 250, "it is still being learned")
        gate.recovered()
        var now = TopicGate.shortestLesson
        for lasts in [1, 2, 4, 8, 16] {
            gate.expire(now: now - 1)
            #expect(gate.bound == 250)
            gate.expire(now: now)
            #expect(gate.bound == 500)
            gate.refused(500, now: now)
            gate.recovered()
            now += 2 * Int64(lasts) * TopicGate.shortestLesson
        }
    }

    @Test("a lesson is forgotten when whoever learns it is gone")
    func unproven() {
        for size in [500, 250, 125] { gate.refused(size, now: 0) }
        #expect(gate.bound == 62)
        gate.expire(now: TopicGate.longestLearning)
        #expect(gate.bound == 124)
        for second in 31...40 { gate.expire(now: Int64(second) * 1_000_000_000) }
        #expect(gate.bound == nil)
    }

    @Test("a topic that refused by mistake is soon trusted with all of it again")
    func forgives() {
        gate.refused(2, now: 0)
        gate.recovered()
        #expect(gate.bound == 1)
        for second in 1...10 { gate.expire(now: Int64(second) * 1_000_000_000) }
        #expect(gate.bound == nil)
    }

    @Test("a topic is worth its credit while its records come through, not when they do not")
    func works() {
        let share = TopicShare(
            name: "logs", destination: .init(number: 1), longestBatch: 1000)
        #expect(!share.works(now: 0), "nobody has seen it work")
        share.answered(now: 10)
        #expect(share.works(now: .max), "nothing is out")
        let lane = TopicGate.Visitor(id: ObjectIdentifier(share))
        #expect(share.gate({ $0.enterFreely(lane, 1, now: 20) }))
        #expect(share.works(now: 20))
        #expect(!share.works(now: 20 + TopicShare.patience), "no verdict for 5 s")
        share.answered(now: 20 + TopicShare.patience)
        #expect(share.works(now: 20 + TopicShare.patience))
        share.isAway(.unknownThere)
        #expect(!share.works(now: 20 + TopicShare.patience))
    }
}

/// A gate of librdkafka batches of 1,000 bytes; a class, so that expectations can call what changes it.
/// Lane 0 is meant where none is named.
private final class Bench {
    /// Lanes are told apart by their identity.
    private final class Name {}
    private let names = (0..<10).map { _ in Name() }
    private var gate = TopicGate(longestBatch: 1000)

    func id(_ lane: Int) -> ObjectIdentifier { ObjectIdentifier(names[lane]) }
    private func visitor(_ lane: Int, _ delay: Int64 = 0) -> TopicGate.Visitor {
        TopicGate.Visitor(id: id(lane), delay: delay)
    }

    var bound: Int? { gate.bound }
    var deadline: Int64? { gate.deadline }
    func isAlone(_ lane: Int) -> Bool { gate.isAlone(id(lane)) }
    func enterFreely(_ size: Int, by lane: Int = 9, delay: Int64 = 0, now: Int64) -> Bool {
        gate.enterFreely(visitor(lane, delay), size, now: now)
    }
    func hasTurn(_ lane: Int, goesAlone: Bool, delay: Int64 = 0, now: Int64) -> Bool {
        gate.hasTurn(visitor(lane, delay), goesAlone: goesAlone, now: now)
    }
    func admit(
        _ count: Int, by lane: Int = 0, delay: Int64 = 0, now: Int64, size: (Int) -> Int
    ) -> (count: Int, bytes: Int) {
        gate.admit(visitor(lane, delay), count, now: now, size: size)
    }
    func leave(_ size: Int, by lane: Int = 0, now: Int64 = 0) {
        gate.leave(id(lane), size, now: now)
    }
    func yield(_ lane: Int) { gate.yield(id(lane)) }
    func withdraw(_ lane: Int) { gate.withdraw(id(lane)) }
    func expire(now: Int64) { gate.expire(now: now) }
    func declare(_ limit: Int) -> Bool { gate.declare(limit) }
    func refused(_ size: Int, now: Int64) { gate.refused(size, now: now) }
    func refusedAlone() { gate.refusedAlone() }
    func recovered() { gate.recovered() }
}
