import Platform
import TestSupport
import Testing

@testable import Tailer

@Suite("Queues of the reader") struct QueueTests {
    @Test("A ring gives back in the order it got, through growth and turns", arguments: 1...20)
    func ring(seed: Int) {
        var random = SplitMix(seed: UInt64(seed))
        var ring = RingQueue<Int>()
        var model: [Int] = []
        for number in 0..<5_000 {
            // Long stretches of one kind, so that it gets long, and empty again.
            let wantsMore = (number / 97 + seed) % 2 == 0
            if Int.random(in: 0..<10, using: &random) < (wantsMore ? 7 : 3) {
                ring.append(number)
                model.append(number)
            } else {
                let first = model.isEmpty ? nil : model.removeFirst()
                #expect(ring.popFirst() == first)
            }
            #expect(ring.count == model.count && ring.isEmpty == model.isEmpty)
            #expect(ring.peek == model.first)
        }
        for expected in model { #expect(ring.popFirst() == expected) }
        #expect(ring.popFirst() == nil && ring.isEmpty)
    }

    @Test("A ring that had very much gives the room back when it has little")
    func shrinks() {
        var ring = RingQueue<Int>()
        for number in 0..<100_000 { ring.append(number) }
        let full = ring.capacity
        for number in 0..<99_000 { #expect(ring.popFirst() == number) }
        #expect(ring.capacity <= full / 8)
        for number in 99_000..<100_000 { #expect(ring.popFirst() == number) }
        #expect(ring.popFirst() == nil && ring.capacity <= 4_096)
    }

    @Test("What was taken from a ring is let go of")
    func letsGo() {
        final class Element {}
        var ring = RingQueue<Element>()
        weak var element: Element?
        do {
            let made = Element()
            element = made
            ring.append(made)
        }
        #expect(element != nil)
        _ = ring.popFirst()
        #expect(element == nil)
    }

    @Test("What waits falls due in its order, and not before its time")
    func interval() {
        var queue = IntervalQueue<String>()
        #expect(queue.nextDue == nil && queue.popDue(.never) == nil)
        queue.add("a", due: 10)
        queue.add("b", due: 10)
        queue.add("c", due: 20)
        #expect(queue.nextDue == 10 && queue.popDue(9) == nil)
        #expect(queue.popDue(10)?.element == "a")
        #expect(queue.popDue(15)?.element == "b")
        #expect(queue.popDue(19) == nil && queue.nextDue == 20)
        let last = queue.popDue(20)
        #expect(last?.element == "c" && last?.due == 20)
        #expect(queue.nextDue == nil)
    }
}
