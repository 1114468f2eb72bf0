import Testing

@testable import Kafka

private typealias Machine = LaneStateMachine<String>

@Suite("A lane's order, as a value")
struct LaneStateMachineTests {
    private let lane = Bench()

    @Test("batches are released in the order they were sent, whatever the order of the verdicts")
    func releasesInOrder() {
        #expect(lane.send("a", records: 2) == .produce(0..<2))
        #expect(lane.send("b", records: 1) == .produce(0..<1))
        #expect(lane.send("c", records: 1) == .produce(0..<1))
        #expect(lane.settle(1) == .none)
        #expect(lane.released.isEmpty)
        #expect(lane.settle(0) == .none)
        #expect(lane.released == ["a", "b"])
        #expect(lane.settle(2) == .none)
        #expect(lane.released == ["a", "b", "c"])
        #expect(lane.isEmpty)
    }

    @Test("a batch without records waits for what was sent before it")
    func emptyBatchWaits() {
        #expect(lane.send("empty first", records: 0) == .collect)
        #expect(lane.collect(now: 0) == .none)
        #expect(lane.released == ["empty first"])
        _ = lane.send("a", records: 1)
        #expect(lane.send("empty", records: 0) == .hold)
        _ = lane.send("b", records: 1)
        #expect(lane.settle(3) == .none)
        #expect(lane.released == ["empty first"])
        #expect(lane.settle(1) == .none)
        #expect(lane.released == ["empty first", "a", "empty", "b"])
    }

    @Test("after a bad verdict nothing new goes out until all verdicts are in and the time is up")
    func drainsBeforeRetry() {
        _ = lane.send("a", records: 3)
        _ = lane.send("b", records: 2)
        lane.fail()
        #expect(lane.state == .draining)
        #expect(lane.send("c", records: 1) == .hold)
        #expect(lane.settle(0, failedAt: 1, now: 7) == .none)
        #expect(lane.due(now: .max) == nil)
        #expect(lane.settle(1, now: 1000) == .wait(until: 1000 + BackOff.shortest))
        #expect(lane.due(now: 999 + BackOff.shortest) == nil)
        #expect(lane.send("d", records: 1) == .hold)
        #expect(lane.released.isEmpty)
        #expect(lane.undelivered == 2 + 2 + 1 + 1)
    }

    @Test("the first failed record goes alone, then 2, 4 and 8, each acknowledged before the next")
    func growsFromOne() throws {
        _ = lane.send("a", records: 3)
        _ = lane.send("b", records: 20)
        _ = lane.settle(0, failedAt: 1)
        #expect(lane.settle(1, now: 5) == .wait(until: 5 + BackOff.shortest))
        _ = lane.send("c", records: 1)

        #expect(lane.handOver(at: .max) == ["a 1..<2"])
        #expect(lane.due(now: .max) == nil && lane.next() == nil, "while it is out")
        #expect(lane.settle(0, now: 6) == .wait(until: 6))
        #expect(lane.handOver(at: 6) == ["a 2..<3", "b 0..<1"])
        #expect(lane.settle(0, now: 7) == .none)
        #expect(lane.due(now: .max) == nil, "half of it is still out")
        #expect(lane.settle(1, now: 7) == .wait(until: 7))
        #expect(lane.handOver(at: 7) == ["b 1..<5"])
        _ = lane.settle(1)
        #expect(lane.handOver(at: 7) == ["b 5..<13"])
        _ = lane.settle(1)
        // `c` was not out when `a` failed, but it may as well have been.
        #expect(lane.handOver(at: 7) == ["b 13..<20", "c 0..<1"])
        #expect(lane.send("d", records: 2) == .hold)
        _ = lane.settle(1)
        #expect(lane.settle(2, now: 9) == .wait(until: 9))
        #expect(lane.released == ["a", "b", "c"])
        #expect(lane.handOver(at: 9) == ["d 0..<2"])
        #expect(lane.state == .flowing)
        #expect(lane.send("e", records: 2) == .produce(0..<2))
    }

    @Test("a record that is acknowledged at last releases its batch, with empty ones behind it")
    func probeReleases() throws {
        _ = lane.send("a", records: 1)
        #expect(lane.settle(0, failedAt: 0) == .wait(until: BackOff.shortest))
        #expect(lane.send("empty", records: 0) == .hold)
        #expect(lane.handOver(at: .max) == ["a 0..<1"])
        #expect(lane.settle(0) == .none)
        #expect(lane.released == ["a", "empty"])
        #expect(lane.state == .flowing)
    }

    @Test(
        "a probe that fails again waits twice as long, five seconds at most, and from short again")
    func backsOff() throws {
        _ = lane.send("a", records: 2)
        var step = lane.settle(0, failedAt: 0)
        var waits: [Int64] = []
        for _ in 0..<8 {
            guard case .wait(let until) = step else { break }
            waits.append(until)
            _ = try #require(lane.due(now: until))
            step = lane.settle(0, failedAt: 0, now: 0)
        }
        let expected: [Int64] = [100, 200, 400, 800, 1600, 3200, 5000, 5000]
        #expect(waits == expected.map { $0 * 1_000_000 })
        #expect(lane.handOver(at: .max) == ["a 0..<1"])
        _ = lane.settle(0)
        // One record that came through is not yet a lane that flows.
        #expect(lane.handOver(at: .max) == ["a 1..<2"])
        #expect(lane.settle(0, failedAt: 1) == .wait(until: 5_000_000_000))
        #expect(lane.handOver(at: .max) == ["a 1..<2"])
        #expect(lane.settle(0) == .none)
        _ = lane.send("b", records: 1)
        #expect(lane.settle(1, failedAt: 0) == .wait(until: BackOff.shortest))
    }

    @Test("what is refused alone for what it holds is tried every minute at last, not every 5 s")
    func backsOffFurtherAlone() throws {
        _ = lane.send("a", records: 1)
        var step = lane.settle(0, failedAt: 0, of: .size)
        var waits: [Int64] = []
        while waits.last != BackOff.longestAlone, case .wait(let until) = step, waits.count < 20 {
            waits.append(until)
            _ = try #require(lane.due(now: until))
            step = lane.settle(0, failedAt: 0, now: 0, of: .size)
        }
        #expect(waits.count == 11)
    }

    @Test("a topic whose limit was raised is tried at once")
    func hastens() throws {
        _ = lane.send("a", records: 1)
        _ = lane.settle(0, failedAt: 0, now: 100)
        #expect(lane.due(now: 200) == nil)
        #expect(lane.hasten(now: 200))
        #expect(lane.handOver(at: 200) == ["a 0..<1"])
        #expect(!lane.hasten(now: 300))
    }

    @Test("what was delivered before the failed record is released while the rest waits")
    func releasesPrefix() {
        _ = lane.send("a", records: 1)
        _ = lane.send("b", records: 1)
        _ = lane.send("c", records: 1)
        #expect(lane.settle(1, failedAt: 0) == .none)
        #expect(lane.settle(0) == .none)
        #expect(lane.released == ["a"])
        #expect(lane.settle(2) == .wait(until: BackOff.shortest))
        #expect(lane.released == ["a"])
    }

    @Test("a failure while a lane recovers drains, and starts over with one record")
    func failsWhileResending() throws {
        _ = lane.send("a", records: 1)
        _ = lane.send("b", records: 2)
        _ = lane.send("c", records: 2)
        _ = lane.settle(0, failedAt: 0)
        _ = lane.settle(1, failedAt: 0)
        _ = lane.settle(2)
        #expect(lane.handOver(at: .max) == ["a 0..<1"])
        _ = lane.settle(0)
        #expect(lane.released == ["a"])
        #expect(lane.handOver(at: .max) == ["b 0..<2"])
        #expect(lane.settle(1, failedAt: 1) == .wait(until: BackOff.shortest))
        #expect(lane.handOver(at: .max) == ["b 1..<2"])
    }

    /// 1. `a` is handed over with the first half of `b` behind it, and that half is acknowledged first.
    /// 2. `a` fails. What stands of `b` in the partition stands before `a`.
    @Test("what was acknowledged of a batch before the one in front of it failed is sent again")
    func resendsHalfOfABatch() throws {
        _ = lane.send("a", records: 3)
        _ = lane.send("b", records: 4)
        _ = lane.settle(0, failedAt: 0)
        _ = lane.settle(1)
        #expect(lane.handOver(at: .max) == ["a 0..<1"])
        _ = lane.settle(0)
        #expect(lane.handOver(at: .max) == ["a 1..<3"])
        _ = lane.settle(0, failedAt: 2)
        #expect(lane.handOver(at: .max) == ["a 2..<3"])
        _ = lane.settle(0)
        #expect(lane.released == ["a"])
        #expect(lane.handOver(at: .max) == ["b 0..<2"])
        _ = lane.settle(1)
        #expect(lane.handOver(at: .max) == ["b 2..<4"])
    }

    @Test("a hand-over ends where its topic has no more room, and waits where it has none")
    func room() throws {
        _ = lane.send("a", records: 8)
        _ = lane.settle(0, failedAt: 0)
        #expect(lane.handOver(at: .max, room: 0) == [])
        guard case .waiting = lane.state else {
            Issue.record("\(lane.state)")
            return
        }
        #expect(lane.handOver(at: .max, room: 5) == ["a 0..<1"])
        _ = lane.settle(0)
        #expect(lane.handOver(at: .max, room: 5) == ["a 1..<3"])
        _ = lane.settle(0)
        #expect(lane.handOver(at: .max, room: 3) == ["a 3..<6"])
    }

    @Test("a lane that flows stops where its topic is closed to it, and goes on after its turn")
    func closedTopic() throws {
        #expect(lane.accept("a", records: 2, isOpen: false) == .collect)
        #expect(lane.collect(now: 3) == .wait(until: 3))
        #expect(lane.collect(now: 4) == .none, "it is in line already")
        #expect(lane.accept("b", records: 1, isOpen: false) == .hold)
        #expect(lane.handOver(at: 5) == ["a 0..<2", "b 0..<1"])
        #expect(lane.state == .flowing)
        #expect(lane.accept("c", records: 1, isOpen: false) == .hold, "others are out")
        _ = lane.settle(0)
        #expect(lane.settle(1, now: 6) == .wait(until: 6))
        #expect(lane.handOver(at: 6) == ["c 0..<1"])
        #expect(lane.settle(2) == .none)
        #expect(lane.released == ["a", "b", "c"])
    }

    @Test("a lane is not quiet while a thread is inside librdkafka, though all verdicts are in")
    func senderHoldsTheLane() {
        #expect(lane.accept("a", records: 1) == .produce(0..<1))
        #expect(lane.settle(0, failedAt: 0) == .none)
        #expect(!lane.isQuiet)
        #expect(lane.produced(refused: false), "the poller has to come back")
        #expect(
            lane.collect(now: 5) == .wait(until: 5 + BackOff.shortest))
    }

    @Test("records that librdkafka refuses close the lane at once, before the next batch")
    func refusalClosesAtOnce() {
        #expect(lane.accept("a", records: 2) == .produce(0..<2))
        #expect(lane.produced(refused: true) == false, "their verdicts are on the way")
        #expect(lane.send("b", records: 1) == .hold)
        #expect(lane.settle(0, failedAt: 0) == .wait(until: BackOff.shortest))
    }

    @Test("a new client: verdicts come in, then the lane goes on from the first undelivered record")
    func survivesRenewal() throws {
        _ = lane.send("a", records: 2)
        _ = lane.send("b", records: 2)
        _ = lane.send("c", records: 1)
        lane.suspend()
        #expect(lane.send("d", records: 1) == .hold)
        #expect(lane.settle(0) == .none)
        #expect(lane.released == ["a"])
        #expect(lane.settle(1, failedAt: 1) == .none)
        #expect(!lane.isQuiet)
        #expect(lane.settle(2, failedAt: 0) == .none)
        #expect(lane.isQuiet)
        #expect(lane.resume(now: 9) == .wait(until: 9))
        #expect(lane.handOver(at: 9) == ["b 1..<2"])
        _ = lane.settle(1)
        #expect(lane.handOver(at: 9) == ["c 0..<1", "d 0..<1"])
    }

    /// 1. The client dies; the lane is empty, and suspended.
    /// 2. A batch of empty lines comes, and whoever brings it has the poller collect it.
    /// 3. The poller makes the new client first.
    @Test(
        "a new client finds a lane that holds only batches without records",
        arguments: [1, 3], [true, false])
    func resumesWithEmptyBatches(count: Int, isCollectedFirst: Bool) {
        lane.suspend()
        for number in 0..<count { _ = lane.send("empty \(number)", records: 0) }
        #expect(lane.resume(now: 10) == .collect)
        #expect(lane.due(now: .max) == nil)
        if isCollectedFirst { #expect(lane.collect(now: 11) == .none) }
        #expect(lane.send("a", records: 1) == .produce(0..<1))
        #expect(lane.collect(now: 12) == .none)
        #expect(lane.settle(count) == .none)
        #expect(lane.released.count == count + 1 && lane.isEmpty)
    }

    @Test("a new client finds batches without records before one with some")
    func resumesBehindEmptyBatch() {
        lane.suspend()
        _ = lane.send("empty", records: 0)
        _ = lane.send("a", records: 3)
        #expect(lane.resume(now: 10) == .wait(until: 10))
        #expect(lane.handOver(at: 10) == ["a 0..<1"])
        #expect(lane.collect(now: 11) == .none)
        #expect(lane.released == ["empty"])
        _ = lane.settle(1)
        #expect(lane.handOver(at: 12) == ["a 1..<3"])
    }

    @Test("an empty lane that was suspended flows at once, one made meanwhile too")
    func emptyLaneResumes() {
        let lane = Bench(suspended: true)
        #expect(lane.send("a", records: 0) == .collect)
        #expect(lane.collect(now: 0) == .none)
        #expect(lane.resume(now: 3) == .none)
        #expect(lane.state == .flowing)
    }

    @Test("a stopped lane still releases what is acknowledged, and counts the rest")
    func stops() {
        _ = lane.send("a", records: 2)
        _ = lane.send("b", records: 3)
        lane.stop()
        #expect(lane.send("c", records: 4) == .refuse)
        #expect(lane.settle(0) == .none)
        #expect(lane.settle(1, failedAt: 2) == .none)
        #expect(lane.released == ["a"])
        #expect(lane.undelivered == 3)
        lane.drop()
        #expect(lane.isEmpty)
    }

    /// Every place of the one bad record among 24, whatever librdkafka's batches: each record's own, a few
    /// records, all; whatever the verdict; with verdicts in order and in the reverse one.
    @Test(
        "what is sent twice is no more than was in flight once, wherever the bad record stands",
        arguments: [LaneStateMachine<Int>.Failure.place, .content, .size], [false, true])
    func repeatsAreBounded(failure: LaneStateMachine<Int>.Failure, isReversed: Bool) throws {
        for sizes in [
            [24], [1, 2, 3, 5, 8, 5], [Int](repeating: 1, count: 24), [0, 11, 0, 0, 13, 0],
        ] {
            for bad in 0..<24 {
                for batch in [1, 2, 3, 5, 7, 24] {
                    for refusals in [1, 6] {
                        var story = Refusal(
                            sizes: sizes, bad: bad, batch: batch, failure: failure,
                            isReversed: isReversed)
                        try story.tell(refusals: refusals)
                    }
                }
            }
        }
    }

    @Test(
        "whatever fails and whenever, each batch is released once, in order, after its last record")
    func randomLives() throws {
        for seed in 1...300 {
            var life = RandomLife(seed: UInt64(seed))
            try life.live()
        }
    }
}

/// A lane and what it released; a class, so that expectations can call what changes it.
@Suite("A record that is set aside, as a value")
struct SetAsideStateTests {
    private let lane = Bench()

    /// A lane that stands at record 1 of "a", which was refused alone.
    private func stand() throws -> Int64 {
        _ = lane.send("a", records: 3)
        guard case .wait(let until) = lane.settle(0, failedAt: 1, of: .size) else { throw Unmet() }
        #expect(!lane.beginSettingAside(), "others were out with it")
        #expect(lane.handOver(at: until) == ["a 1..<2"])
        guard case .wait(let then) = lane.settle(0, failedAt: 1, now: until, of: .size) else {
            throw Unmet()
        }
        return then
    }
    private struct Unmet: Error {}

    @Test("A lane stands still until its refused record is delivered elsewhere, and goes on")
    func goesOnBehind() throws {
        let then = try stand()
        #expect(lane.beginSettingAside())
        #expect(lane.isQuiet && !lane.isEmpty)
        #expect(lane.handOver(at: then).isEmpty, "its time is no matter now")
        #expect(lane.send("b", records: 1) == .hold)
        #expect(lane.setAside(now: 9) == .wait(until: 9))
        #expect(lane.undelivered == 2)
        #expect(lane.handOver(at: 9) == ["a 2..<3"])
        #expect(lane.settle(0, now: 10) == .wait(until: 10))
        #expect(lane.released == ["a"])
        #expect(lane.handOver(at: 10) == ["b 0..<1"])
        _ = lane.settle(1, now: 11)
        #expect(lane.released == ["a", "b"])
        #expect(lane.isEmpty && lane.state == .flowing)
    }

    @Test("The last record of a batch, set aside, releases it")
    func releases() throws {
        _ = lane.send("a", records: 1)
        guard case .wait(let until) = lane.settle(0, failedAt: 0, of: .content) else {
            throw Unmet()
        }
        _ = lane.handOver(at: until)
        _ = lane.settle(0, failedAt: 0, of: .content)
        #expect(lane.beginSettingAside())
        #expect(lane.released.isEmpty)
        #expect(lane.setAside(now: 1) == .none)
        #expect(lane.released == ["a"])
        #expect(lane.state == .flowing)
    }

    @Test("A client that dies meanwhile changes nothing for who stands still")
    func newClient() throws {
        _ = try stand()
        #expect(lane.beginSettingAside())
        lane.suspend()
        #expect(lane.state == .settingAside)
        #expect(lane.resume(now: 5) == .none)
        #expect(lane.setAside(now: 9) == .wait(until: 9))
    }

    @Test("What is delivered elsewhere while the lane ends still counts")
    func atTheEnd() throws {
        _ = try stand()
        #expect(lane.beginSettingAside())
        lane.stop()
        #expect(lane.setAside(now: 9) == .none)
        #expect(lane.undelivered == 1)
        #expect(lane.released.isEmpty)
    }
}

private final class Bench {
    private var machine: Machine
    private(set) var released: [String] = []

    init(suspended: Bool = false) { machine = Machine(suspended: suspended) }

    var state: Machine.State { machine.state }
    var isQuiet: Bool { machine.isQuiet }
    var isEmpty: Bool { machine.isEmpty }
    var undelivered: Int { machine.undelivered }

    /// `accept` by a thread that is back from librdkafka at once.
    func send(_ name: String, records: Int) -> Machine.Acceptance {
        let acceptance = accept(name, records: records)
        if case .produce = acceptance, produced(refused: false) { _ = collect(now: 0) }
        return acceptance
    }

    func accept(_ name: String, records: Int, isOpen: Bool = true) -> Machine.Acceptance {
        machine.accept(name, records: records, isOpen: isOpen)
    }

    /// All passes of the next hand-over, of at most `room` records.
    func handOver(at now: Int64, room: Int = .max) -> [String] {
        var left = room
        func fitting(_: String, _ records: Range<Int>) -> Int {
            let count = min(left, records.count)
            left -= count
            return count
        }
        var passes: [String] = []
        var next = machine.due(now: now, fitting: fitting)
        while let pass = next {
            passes.append("\(pass.batch) \(pass.records)")
            next = machine.next(fitting: fitting)
        }
        return passes
    }

    func hasten(now: Int64) -> Bool { machine.hasten(now: now) }

    func produced(refused: Bool) -> Bool { machine.produced(refused: refused) }

    /// The last verdict of a pass; `first` is the record whose verdict was bad.
    func settle(
        _ ordinal: Int, failedAt first: Int? = nil, now: Int64 = 0,
        of failure: Machine.Failure = .place
    ) -> Machine.Step {
        if first != nil { machine.fail(failure) }
        return machine.settle(ordinal, firstFailed: first, now: now, released: &released)
    }

    func collect(now: Int64) -> Machine.Step { machine.collect(now: now, released: &released) }
    func fail() { machine.fail() }
    func due(now: Int64) -> Machine.Pass? { machine.due(now: now) }
    func next() -> Machine.Pass? { machine.next() }
    func beginSettingAside() -> Bool { machine.beginSettingAside() }
    func setAside(now: Int64) -> Machine.Step { machine.setAside(now: now, released: &released) }
    func suspend() { machine.suspend() }
    func resume(now: Int64) -> Machine.Step { machine.resume(now: now) }
    func stop() { machine.stop() }
    func drop() { machine.drop() }
}

/// One record that is refused, alone or with its whole batch of librdkafka's, and a partition that takes
/// every other batch.
private struct Refusal {
    let sizes: [Int]
    let bad: Int
    /// Records that librdkafka puts into one of its batches.
    let batch: Int
    let failure: LaneStateMachine<Int>.Failure
    let isReversed: Bool

    private var machine = LaneStateMachine<Int>()
    private var released: [Int] = []
    private var partition: [Int] = []
    private var step = LaneStateMachine<Int>.Step.none
    private var isRefusing = true

    init(
        sizes: [Int], bad: Int, batch: Int, failure: LaneStateMachine<Int>.Failure, isReversed: Bool
    ) {
        self.sizes = sizes
        self.bad = bad
        self.batch = batch
        self.failure = failure
        self.isReversed = isReversed
    }

    private var count: Int { sizes.reduce(0, +) }
    private func begin(of batch: Int) -> Int { sizes.prefix(batch).reduce(0, +) }

    mutating func tell(refusals: Int) throws {
        var passes: [LaneStateMachine<Int>.Pass] = []
        for (number, size) in sizes.enumerated() {
            if case .produce(let records) = machine.accept(number, records: size) {
                passes.append(.init(batch: number, records: records))
                _ = machine.produced(refused: false)
            } else {
                _ = machine.collect(now: 0, released: &released)
            }
        }
        settle(passes)
        // It comes while the lane waits.
        #expect(machine.accept(sizes.count, records: 3) == .hold)
        let firstTry = try handOver()
        #expect(firstTry.count == 1 && firstTry[0].records.count == 1, "nothing behind it is out")
        settle(firstTry)
        var alone = 0
        var tries = 0
        while alone < refusals {
            tries += 1
            try #require(tries < 200, "the record is never alone: \(machine.state)")
            if machine.isRefusedAlone {
                alone += 1
                let first = try #require(machine.firstUndelivered)
                #expect(begin(of: first.batch) + first.record == bad)
            }
            settle(try handOver())
        }
        #expect(partition.allSatisfy { $0 < count }, "what came later is not out before")
        #expect(Set(partition).isSuperset(of: 0..<bad))
        #expect(partition.count - Set(partition).count < count)
        #expect(released == Array(0..<sizes.count).filter { begin(of: $0 + 1) <= bad })

        isRefusing = false
        while !machine.isEmpty {
            tries += 1
            try #require(tries < 400, "a lane stands still in \(machine.state)")
            settle(try handOver())
        }
        #expect(released == Array(0...sizes.count))
        #expect(partition.count - (count + 3) < count, "\(sizes) \(bad) \(batch): \(partition)")
        var seen: Set<Int> = []
        let last = partition.reversed().filter { seen.insert($0).inserted }.reversed()
        #expect(Array(last) == Array(0..<count + 3))
    }

    private mutating func handOver() throws -> [LaneStateMachine<Int>.Pass] {
        guard case .wait(let until) = step else {
            try #require(Bool(false), "no next try in \(machine.state)")
            return []
        }
        var passes: [LaneStateMachine<Int>.Pass] = []
        var next = machine.due(now: until)
        while let pass = next {
            passes.append(pass)
            next = machine.next()
        }
        return passes
    }

    private mutating func settle(_ passes: [LaneStateMachine<Int>.Pass]) {
        let records = passes.flatMap { pass in pass.records.map { begin(of: pass.batch) + $0 } }
        var refused: Set<Int> = []
        for start in stride(from: 0, to: records.count, by: batch) {
            let one = records[start..<min(start + batch, records.count)]
            if isRefusing, one.contains(bad) { refused.formUnion(one) } else { partition += one }
        }
        for pass in isReversed ? passes.reversed() : passes {
            let first = pass.records.first { refused.contains(begin(of: pass.batch) + $0) }
            if first != nil { machine.fail(failure) }
            // Batches are numbered as they are named.
            let next = machine.settle(pass.batch, firstFailed: first, now: 0, released: &released)
            if next != .none { step = next }
        }
    }
}

/// A model of librdkafka that fails records at random and keeps what a partition would hold.
private struct RandomLife {
    private var random: SplitMix
    private var machine = LaneStateMachine<Int>()
    private var released: [Int] = []
    private var sizes: [Int] = []
    private var out: [(ordinal: Int, batch: Int, records: Range<Int>)] = []
    private var partition: [[Bool]] = []
    private var now: Int64 = 0
    private var failures = 60

    init(seed: UInt64) { random = SplitMix(state: seed) }

    mutating func live() throws {
        let batches = 25
        var steps = 0
        while released.count < batches {
            steps += 1
            try #require(steps < 100_000, "a lane stands still in \(machine.state)")
            switch random.below(6) {
            case 0 where sizes.count < batches: send()
            case 1 where random.below(40) == 0 && machine.state != .suspended: machine.suspend()
            case 2 where machine.state == .suspended && machine.isQuiet:
                follow(machine.resume(now: now))
            case 3, 4: verdict()
            default:
                now += 50_000_000
                var next = machine.due(now: now, fitting: fitting)
                while let pass = next {
                    take(pass)
                    next = machine.next(fitting: fitting)
                }
            }
            for batch in released {
                try #require(partition[batch].allSatisfy { $0 }, "released before delivery")
            }
        }
        #expect(released == Array(0..<batches))
        #expect(machine.isEmpty)
    }

    private mutating func send() {
        let batch = sizes.count
        let size = random.below(4)
        sizes.append(size)
        partition.append(Array(repeating: false, count: size))
        let ordinal = machine.nextOrdinal
        switch machine.accept(batch, records: size, isOpen: random.below(4) > 0) {
        case .produce(let records):
            out.append((ordinal, batch, records))
            _ = machine.produced(refused: false)
        case .collect: follow(machine.collect(now: now, released: &released))
        case .hold: break
        case .refuse: Issue.record("refused by a lane that was not stopped")
        }
    }

    /// Now and then there is room for only two records, or none.
    private func fitting(_ batch: Int, _ records: Range<Int>) -> Int {
        switch now / 50_000_000 % 4 {
        case 0: 0
        case 1: min(2, records.count)
        default: records.count
        }
    }

    private mutating func take(_ pass: LaneStateMachine<Int>.Pass) {
        // Numbers of batches and ordinals are the same here: both count from 0.
        out.append((pass.batch, pass.batch, pass.records))
    }

    private mutating func verdict() {
        guard !out.isEmpty else { return }
        let (ordinal, batch, records) = out.remove(at: random.below(out.count))
        var first: Int?
        for record in records {
            if failures > 0 && random.below(4) == 0 {
                failures -= 1
                first = first ?? record
            } else {
                partition[batch][record] = true
            }
        }
        if first != nil { machine.fail() }
        follow(machine.settle(ordinal, firstFailed: first, now: now, released: &released))
    }

    private mutating func follow(_ step: LaneStateMachine<Int>.Step) {
        if step == .collect { follow(machine.collect(now: now, released: &released)) }
    }
}

/// The usual small generator (Steele, Lea, Flood 2014), so that a seed names a run.
private struct SplitMix {
    var state: UInt64

    mutating func below(_ bound: Int) -> Int {
        state &+= 0x9E37_79B9_7F4A_7C15
        var z = state
        z = (z ^ (z >> 30)) &* 0xBF58_476D_1CE4_E5B9
        z = (z ^ (z >> 27)) &* 0x94D0_49BB_1331_11EB
        return Int((z ^ (z >> 31)) % UInt64(bound))
    }
}
