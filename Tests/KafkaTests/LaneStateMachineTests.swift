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

    @Test("the first failed record goes alone, then everything after it in order")
    func probesThenResends() throws {
        _ = lane.send("a", records: 3)
        _ = lane.send("b", records: 2)
        _ = lane.settle(0, failedAt: 1)
        #expect(lane.settle(1) == .wait(until: BackOff.shortest))
        _ = lane.send("c", records: 1)

        let probe = try #require(lane.due(now: BackOff.shortest))
        #expect(probe.batch == "a")
        #expect(probe.records == 1..<2)
        #expect(lane.next() == nil)
        #expect(lane.settle(0) == .resend)

        var passes: [String] = []
        while let pass = lane.next() { passes.append("\(pass.batch) \(pass.records)") }
        #expect(passes == ["a 2..<3", "b 0..<2", "c 0..<1"])
        #expect(lane.state == .flowing)
        for ordinal in 0...2 { #expect(lane.settle(ordinal) == .none) }
        #expect(lane.released == ["a", "b", "c"])
    }

    @Test("a probe that fills its batch releases it, with empty ones behind it")
    func probeReleases() throws {
        _ = lane.send("a", records: 1)
        #expect(lane.settle(0, failedAt: 0) == .wait(until: BackOff.shortest))
        #expect(lane.send("empty", records: 0) == .hold)
        _ = try #require(lane.due(now: .max))
        #expect(lane.settle(0) == .resend)
        #expect(lane.released == ["a", "empty"])
        #expect(lane.next() == nil)
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
        guard case .wait(let until) = step else {
            Issue.record("no wait after a failed probe")
            return
        }
        _ = try #require(lane.due(now: until))
        #expect(lane.settle(0) == .resend)
        _ = try #require(lane.next())
        #expect(lane.settle(0, failedAt: 1) == .wait(until: BackOff.shortest))
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

    @Test("a failure while everything is sent again drains and starts over from the first failed")
    func failsWhileResending() throws {
        _ = lane.send("a", records: 1)
        _ = lane.send("b", records: 2)
        _ = lane.settle(0, failedAt: 0)
        _ = lane.settle(1, failedAt: 0)
        _ = try #require(lane.due(now: .max))
        #expect(lane.settle(0) == .resend)
        #expect(lane.released == ["a"])
        let pass = try #require(lane.next())
        #expect(pass.batch == "b")
        _ = lane.send("c", records: 1)
        lane.fail()
        #expect(lane.next() == nil)
        #expect(lane.settle(1, failedAt: 1) == .wait(until: BackOff.shortest))
        let probe = try #require(lane.due(now: .max))
        #expect(probe.batch == "b")
        #expect(probe.records == 1..<2)
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
        let probe = try #require(lane.due(now: 9))
        #expect(probe.batch == "b")
        #expect(probe.records == 1..<2)
        #expect(lane.settle(1) == .resend)
        #expect(lane.next()?.batch == "c")
        #expect(lane.next()?.batch == "d")
        #expect(lane.next() == nil)
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

    func accept(_ name: String, records: Int) -> Machine.Acceptance {
        machine.accept(name, records: records)
    }

    func produced(refused: Bool) -> Bool { machine.produced(refused: refused) }

    /// The last verdict of a pass; `first` is the record whose verdict was bad.
    func settle(_ ordinal: Int, failedAt first: Int? = nil, now: Int64 = 0) -> Machine.Step {
        if first != nil { machine.fail() }
        return machine.settle(ordinal, firstFailed: first, now: now, released: &released)
    }

    func collect(now: Int64) -> Machine.Step { machine.collect(now: now, released: &released) }
    func fail() { machine.fail() }
    func due(now: Int64) -> Machine.Pass? { machine.due(now: now) }
    func next() -> Machine.Pass? { machine.next() }
    func suspend() { machine.suspend() }
    func resume(now: Int64) -> Machine.Step { machine.resume(now: now) }
    func stop() { machine.stop() }
    func drop() { machine.drop() }
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
                _ = machine.resume(now: now)
            case 3, 4: verdict()
            default:
                now += 50_000_000
                if let pass = machine.due(now: now) { take(pass) }
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
        switch machine.accept(batch, records: size) {
        case .produce(let records):
            out.append((ordinal, batch, records))
            _ = machine.produced(refused: false)
        case .collect: follow(machine.collect(now: now, released: &released))
        case .hold: break
        case .refuse: Issue.record("refused by a lane that was not stopped")
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
        switch step {
        case .none, .wait: break
        case .resend: while let pass = machine.next() { take(pass) }
        }
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
