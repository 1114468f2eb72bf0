import Model
import Registry
import TestSupport
import Testing

@Suite("Positions move over delivered bytes only") struct AckTrackerTests {
    private let file = FileID(number: 1)
    private let generation = GenerationID(value: 1)

    private func range(_ start: Int, _ end: Int) -> ByteRange {
        ByteRange(start..<end)
    }

    @Test("Ranges delivered in order move the position one by one")
    func inOrder() {
        var tracker = AckTracker()
        tracker.begin(file, generation, at: 100)
        tracker.sent(file, generation, range(100, 150))
        tracker.sent(file, generation, range(150, 200))
        #expect(tracker.watermark(file) == 100)
        #expect(tracker.delivered(file, generation, range(100, 150)) == 150)
        #expect(tracker.delivered(file, generation, range(150, 200)) == 200)
        #expect(tracker.outstanding(file) == 0)
    }

    @Test("A gap holds the position until it is closed")
    func gap() {
        var tracker = AckTracker()
        tracker.begin(file, generation, at: 0)
        for start in stride(from: 0, to: 30, by: 10) {
            tracker.sent(file, generation, range(start, start + 10))
        }
        #expect(tracker.delivered(file, generation, range(20, 30)) == nil)
        #expect(tracker.delivered(file, generation, range(10, 20)) == nil)
        #expect(tracker.watermark(file) == 0)
        #expect(tracker.delivered(file, generation, range(0, 10)) == 30)
    }

    @Test("T17: a late delivery of an older generation does not touch the new position")
    func late() {
        var tracker = AckTracker()
        tracker.begin(file, generation, at: 0)
        tracker.sent(file, generation, range(0, 10))
        let next = GenerationID(value: 2)
        tracker.begin(file, next, at: 0)
        tracker.sent(file, next, range(0, 10))
        #expect(tracker.delivered(file, generation, range(0, 10)) == nil)
        #expect(tracker.watermark(file) == 0)
        #expect(tracker.delivered(file, next, range(0, 10)) == 10)
    }

    @Test("What was skipped on purpose is passed with the range behind it, and not before")
    func hole() {
        var tracker = AckTracker()
        tracker.begin(file, generation, at: 0)
        tracker.sent(file, generation, range(0, 10))
        tracker.sent(file, generation, range(4096, 4100))
        #expect(tracker.delivered(file, generation, range(0, 10)) == 10)
        #expect(tracker.delivered(file, generation, range(4096, 4100)) == 4100)
    }

    @Test("A delivery that comes twice, or of what was never sent, changes nothing")
    func strange() {
        var tracker = AckTracker()
        #expect(tracker.delivered(file, generation, range(0, 10)) == nil)
        tracker.begin(file, generation, at: 0)
        tracker.sent(file, generation, range(0, 10))
        #expect(tracker.delivered(file, generation, range(0, 9)) == nil)
        #expect(tracker.delivered(file, generation, range(0, 10)) == 10)
        #expect(tracker.delivered(file, generation, range(0, 10)) == nil)
        tracker.end(file)
        #expect(tracker.watermark(file) == nil)
    }

    @Test("What is kept back of an unfinished event is read, outstanding, and not delivered")
    func keptBack() {
        var tracker = AckTracker()
        tracker.begin(file, generation, at: 0)
        tracker.sent(file, generation, range(0, 10))
        tracker.took(file, generation, upTo: 30)
        #expect(tracker.takenEnd(file, generation) == 30)
        #expect(tracker.delivered(file, generation, range(0, 10)) == 10)
        // A record that comes before the event's end covers nothing.
        tracker.sent(file, generation, range(10, 10))
        #expect(tracker.delivered(file, generation, range(10, 10)) == nil)
        #expect(tracker.watermark(file) == 10)
        #expect(tracker.outstanding(file) == 1)
        #expect(tracker.undelivered == [file: 20])
        tracker.sent(file, generation, range(10, 40))
        #expect(tracker.outstanding(file) == 1)
        #expect(tracker.delivered(file, generation, range(10, 40)) == 40)
        #expect(tracker.outstanding(file) == 0)
        #expect(tracker.takenEnd(file, generation) == 40)
    }

    /// The model: a set of delivered bytes and a walk from the start.
    @Test("In whatever order deliveries come, the position is the unbroken run", arguments: 0..<40)
    func model(_ seed: Int) {
        var random = SplitMix(seed: UInt64(seed))
        var tracker = AckTracker()
        let files = (1...3).map { FileID(number: $0) }
        var generations: [FileID: UInt64] = [:]
        var outstanding: [(FileID, GenerationID, ByteRange)] = []
        var sentEnd: [FileID: Int] = [:]
        var delivered: [FileID: Set<Int>] = [:]
        var position: [FileID: Int] = [:]

        func begin(_ file: FileID) {
            generations[file, default: 0] += 1
            let start = Int.random(in: 0...50, using: &random)
            tracker.begin(
                file, GenerationID(value: generations[file, default: 0]), at: LogicalOffset(start))
            sentEnd[file] = start
            position[file] = start
            delivered[file] = []
        }
        for file in files { begin(file) }
        for _ in 0..<600 {
            let file = files[Int.random(in: 0..<files.count, using: &random)]
            switch Int.random(in: 0..<100, using: &random) {
            case 0: begin(file)
            case ..<50:
                let start = sentEnd[file, default: 0]
                let end = start + Int.random(in: 1...9, using: &random)
                let now = GenerationID(value: generations[file, default: 0])
                tracker.sent(file, now, range(start, end))
                outstanding.append((file, now, range(start, end)))
                sentEnd[file] = end
            default:
                guard !outstanding.isEmpty else { continue }
                let index = Int.random(in: 0..<outstanding.count, using: &random)
                let (file, generation, range) = outstanding.remove(at: index)
                let moved = tracker.delivered(file, generation, range)
                let before = position[file, default: 0]
                var after = before
                if generation.value == generations[file] {
                    delivered[file, default: []].formUnion(range.start.bytes..<range.end.bytes)
                    while delivered[file, default: []].contains(after) { after += 1 }
                }
                position[file] = after
                #expect(moved?.bytes == (after > before ? after : nil))
                #expect(tracker.watermark(file)?.bytes == after)
            }
        }
    }
}
