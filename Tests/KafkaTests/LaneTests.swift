import Model
import Platform
import TestSupport
import Testing

@testable import Kafka

@Suite("A lane and its topic") struct LaneTests {
    private let lane = Lane(
        share: TopicShare(name: "logs", destination: .init(number: 1), longestBatch: 1000),
        key: [1], suspended: false)

    private func send(at now: Int64) -> RecordBatch {
        let slab = PayloadSlab(capacity: 4)
        slab.append(Array("one ".utf8))
        let batch = RecordBatch(
            lane: lane, slab: slab, recordEnds: [4], file: FileID(number: 1),
            stream: StreamID(number: 1), generation: GenerationID(value: 1),
            range: ByteRange(start: 0, end: 4), anchor: .none, credit: 4)
        #expect(lane.accept(batch, now: now) == .produce(0..<1))
        #expect(!lane.produced(refused: false))
        return batch
    }

    /// The verdict on what is out; when the lane goes on.
    private func refuse(
        _ batch: RecordBatch, _ failure: LaneStateMachine<RecordBatch>.Failure = .size,
        at now: Int64
    ) -> Int64? {
        lane.fail(failure)
        batch.firstFailed = 0
        var released: [RecordBatch] = []
        guard case .wait(let until) = lane.settle(batch, now: now, released: &released) else {
            return nil
        }
        return until
    }

    /// Hands the record over alone, while others wait for their turn.
    private func retry(at now: Int64) {
        #expect(lane.goesAlone)
        #expect(lane.hasTurn(goesAlone: true, now: now))
        #expect(lane.due(now: now)?.records == 0..<1)
    }

    @Test(
        "A record that is refused alone is named, however late the verdict is",
        arguments: [1, 1_200_000_000, 4_900_000_000] as [Int64])
    func late(delay: Int64) throws {
        let batch = send(at: 0)
        let then = try #require(refuse(batch, at: delay))
        #expect(lane.refusedAlone(now: delay) == nil, "others may have been out with it")
        retry(at: then)
        lane.share.gate { $0.expire(now: then + delay) }
        _ = try #require(refuse(batch, at: then + delay))
        #expect(lane.refusedAlone(now: then + delay)?.record == 0)
    }

    @Test("A record that stays refused is named again every ten minutes, not at each try")
    func reminds() throws {
        let batch = send(at: 0)
        var then = try #require(refuse(batch, at: 1))
        var told: [Int64] = []
        while then < 3 * Lane.remindAfter {
            retry(at: then)
            let next = try #require(refuse(batch, at: then + 1))
            if lane.refusedAlone(now: then + 1) != nil { told.append(then + 1) }
            then = next
        }
        #expect(told.count == 3)
        for (earlier, later) in zip(told, told.dropFirst()) {
            #expect(later - earlier >= Lane.remindAfter)
            #expect(later - earlier <= Lane.remindAfter + BackOff.longestAlone + 1)
        }
    }

    @Test("A batch that is refused for one record: that one is blamed, and its topic is not away")
    func neighbours() throws {
        let neighbour = Verdict(code: -138)
        let invalid = Verdict(code: 87)
        #expect(neighbour.failure == .content && !neighbour.isOfRecord)
        #expect(invalid.failure == .content && invalid.isOfRecord)
        for order in [[0, 1, 2], [2, 1, 0], [1, 0, 2]] {
            var run = DeliveryRun(batch: send(at: 0))
            for index in order { run.note(index, index == 1 ? invalid : neighbour) }
            #expect(run.firstFailed == 0, "what stands before it is sent again, too")
            #expect(run.verdict == invalid)
            var released: [RecordBatch] = []
            _ = lane.settle(run.batch, now: 1, released: &released)
        }
    }

    @Test("A record whose place went away while it was alone is not the one to blame")
    func place() throws {
        let batch = send(at: 0)
        let then = try #require(refuse(batch, .content, at: 1))
        retry(at: then)
        _ = try #require(refuse(batch, .place, at: then + 1))
        #expect(lane.refusedAlone(now: then + 1) == nil)
        #expect(!lane.goesAlone)
    }
}
