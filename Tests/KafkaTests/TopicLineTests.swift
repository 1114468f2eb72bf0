import Testing

@testable import Kafka

@Suite("Who of a topic's lanes has its turn")
struct TopicLineTests {
    /// Lanes by number, each with records of one size without end, at a gate of 1,000 bytes.
    private final class Topic {
        private final class Name {}
        private let names = (0...10).map { _ in Name() }
        private let sizes: [Int]
        private var gate = TopicGate(longestBatch: 1 << 20)
        private var line = TopicLine<Int>()
        /// Those that have a record out, the earliest first.
        private(set) var out: [Int] = []

        init(sizes: [Int]) {
            self.sizes = sizes
            _ = gate.declare(1000 + TopicGate.batchOverhead)
        }

        private func visitor(_ lane: Int) -> TopicGate.Visitor {
            TopicGate.Visitor(id: ObjectIdentifier(names[lane]))
        }

        func line(up lane: Int) {
            line.append(lane)
            line.serve(goesAlone: { _ in false }, handOver: handOver)
        }

        private func handOver(_ lane: Int) -> TopicLine<Int>.Turn {
            guard gate.hasTurn(visitor(lane), goesAlone: false, now: 0) else { return .wait }
            let taken = gate.admit(visitor(lane), 1, now: 0) { $0 * sizes[lane] }
            guard taken.count > 0 else { return .noRoom }
            out.append(lane)
            return .done
        }

        /// The earliest is delivered, and wants its next one to go.
        func deliver() {
            let lane = out.removeFirst()
            gate.leave(ObjectIdentifier(names[lane]), sizes[lane], now: 0)
            line(up: lane)
        }
    }

    /// 1. A topic takes no more in a batch than ten short records, and ten lanes have one out each.
    /// 2. One has a record that takes nine tenths of that. For each short one that is delivered another one
    ///    would fit at once, for ever.
    @Test(
        "A long record among short ones without end waits for those that are out, and for no other")
    func longAmongShort() {
        let topic = Topic(sizes: [900] + Array(repeating: 100, count: 10))
        for lane in 1...10 { topic.line(up: lane) }
        #expect(topic.out == Array(1...10))
        topic.line(up: 0)
        for round in 0..<3 {
            for _ in 1...8 { topic.deliver() }
            #expect(topic.out.count == 2 && !topic.out.contains(0), "\(round)")
            topic.deliver()
            #expect(topic.out.contains(0), "\(round)")
            // Those that waited meanwhile have their turns before it has its next one.
            while topic.out.contains(0) { topic.deliver() }
            #expect(topic.out.count == 10, "\(round)")
        }
    }

    @Test("Who has to go alone goes behind all others, and holds up none of them")
    func aloneLast() {
        var line = TopicLine<Int>()
        for lane in 1...4 { line.append(lane) }
        var served: [Int] = []
        line.serve(goesAlone: { $0 % 2 == 1 }) { lane in
            served.append(lane)
            return lane < 3 ? .wait : .done
        }
        #expect(served == [2, 4, 1, 3])
        #expect(line.lanes == [2, 1])
    }

    @Test("Who lines up again meanwhile is behind those that wait")
    func again() {
        var line = TopicLine<Int>()
        var again = TopicLine<Int>()
        for lane in 1...3 { line.append(lane) }
        line.serve(goesAlone: { _ in false }) { lane in
            if lane == 1 { again.append(lane) }
            return lane == 1 ? .done : lane == 2 ? .noRoom : .done
        }
        line.append(again)
        #expect(line.lanes == [2, 3, 1])
    }
}
