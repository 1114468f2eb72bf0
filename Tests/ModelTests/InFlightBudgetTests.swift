import Model
import Synchronization
import TestSupport
import Testing

@Suite("In-flight credit") struct InFlightBudgetTests {
    private func stream(_ number: Int) -> StreamID { StreamID(number: number) }

    /// Takes for `stream` until it is refused, as a reader does whose deliveries do not come.
    private func fill(
        _ budget: InFlightBudget, _ number: Int, least: Int = 1, most: Int = .max
    ) -> Int {
        var held = 0
        while true {
            let granted = budget.take(stream(number), atLeast: least, atMost: most)
            if granted == 0 { return held }
            held += granted
        }
    }

    /// In which no time passes.
    private func still(limit: Int) -> InFlightBudget { InFlightBudget(limit: limit) { .zero } }

    /// 1. A topic with a backlog stops, and what is on its way there does not come back.
    /// 2. A long line needs more than there is without that.
    /// 3. All that is free is kept for it, and nobody else ships a line any more.
    @Test(
        "One takes it all: who waits for what never comes back holds up others for half of the time",
        arguments: [false, true])
    func waitsForEver(isOfTheirTopic: Bool) {
        let now = Mutex(Duration.zero)
        let budget = InFlightBudget(limit: 1000) { now.withLock { $0 } }
        #expect(budget.take(stream(1), of: topic(1), atLeast: 400, atMost: 400) == 400)
        let long = topic(isOfTheirTopic ? 3 : 2)
        var served = 0
        var inARow = 0
        for second in 0..<1000 {
            now.withLock { $0 = .seconds(second) }
            #expect(budget.take(stream(2), of: long, atLeast: 700, atMost: 700) == 0)
            let granted = budget.take(stream(3), of: topic(3), atLeast: 10, atMost: 10)
            if granted > 0 {
                #expect(budget.giveBack(stream(3), of: topic(3), granted))
                served += 1
                inARow = 0
            } else {
                inARow += 1
                #expect(inARow <= 32)
            }
        }
        #expect((450...550).contains(served))
    }

    @Test("However late deliveries come, a long line gets its turn among short ones")
    func lateDeliveries() {
        for delay in 1...20 {
            let now = Mutex(Duration.zero)
            let budget = InFlightBudget(limit: 1000) { now.withLock { $0 } }
            // Short lines of many streams, each of which comes back after so many seconds.
            var out: [(stream: StreamID, due: Int)] = []
            var wasServed = false
            for second in 0..<1000 where !wasServed {
                now.withLock { $0 = .seconds(second) }
                for item in out where item.due <= second { _ = budget.giveBack(item.stream, 10) }
                out.removeAll { $0.due <= second }
                for number in 3...103 where !out.contains(where: { $0.stream == stream(number) }) {
                    if budget.take(stream(number), atLeast: 10, atMost: 10) == 10 {
                        out.append((stream(number), second + delay))
                    }
                }
                wasServed = budget.take(stream(2), atLeast: 800, atMost: 800) == 800
            }
            #expect(wasServed, "\(delay)")
        }
    }

    @Test(
        "A stream alone ends with half, whatever the size of its bites", arguments: [1, 64, 4096])
    func half(bite: Int) {
        let budget = still(limit: 1 << 16)
        let held = fill(budget, 1, least: 1, most: bite)
        #expect(((1 << 15) - 1...1 << 15).contains(held))
        #expect(budget.held == held && budget.held(by: stream(1)) == held)
        // What is left is for those who come.
        #expect(budget.take(stream(2), atLeast: 1, atMost: 1 << 14) == 1 << 14)
    }

    @Test("Ten stuck streams, each taking what it gets, leave an eleventh")
    func eleventh() {
        let budget = still(limit: 110_000)
        var grew = true
        while grew {
            let before = budget.held
            for number in 1...10 { _ = budget.take(stream(number), atLeast: 1, atMost: 100) }
            grew = budget.held > before
        }
        for number in 1...10 {
            #expect((9_900...10_100).contains(budget.held(by: stream(number))))
        }
        #expect(budget.limit - budget.held >= 9_900)
        #expect(budget.take(stream(11), atLeast: 4_096, atMost: 4_096) == 4_096)
    }

    @Test("Ten thousand stuck streams do not take the last byte of each other's")
    func many() {
        let budget = still(limit: 1 << 20)
        for number in 1...10_000 {
            let before = budget.limit - budget.held
            let granted = budget.take(stream(number), atLeast: 1, atMost: 1 << 18)
            // A stream that holds nothing gets at most half of what is left.
            #expect(granted <= max(1, before / 2))
        }
        #expect(budget.held <= budget.limit)
    }

    @Test("A stream that holds nothing gets its least even where that is all there is")
    func allThereIs() {
        let budget = still(limit: 1000)
        #expect(budget.canTake(stream(1), 1000))
        #expect(budget.take(stream(1), atLeast: 1000, atMost: 1000) == 1000)
        #expect(!budget.canTake(stream(2), 1))
        #expect(budget.take(stream(2), atLeast: 1, atMost: 1) == 0)
    }

    /// 1. A long line needs 800 of 1000 bytes; short lines of another stream hold 500 of them.
    /// 2. The short ones are delivered in small pieces, and each piece would be taken again.
    /// 3. The long one is next: what comes back is kept for it until its 800 are there.
    @Test("A long line is not kept waiting for ever by short ones")
    func longLine() {
        let budget = still(limit: 1000)
        var short = fill(budget, 1, least: 10, most: 10)
        #expect(short >= 490)
        #expect(budget.take(stream(2), atLeast: 800, atMost: 800) == 0)
        var rounds = 0
        while budget.take(stream(2), atLeast: 800, atMost: 800) == 0 {
            #expect(budget.giveBack(stream(1), 10))
            short -= 10
            short += budget.take(stream(1), atLeast: 10, atMost: 10)
            rounds += 1
            guard rounds < 1000 else {
                Issue.record("the long line waits for ever")
                return
            }
        }
        #expect(budget.held(by: stream(2)) == 800 && budget.held <= 1000)
        // Its turn is over: the others are served again.
        #expect(!budget.canTake(stream(1), 200))
        _ = budget.giveBack(stream(2), 800)
        #expect(budget.canTake(stream(1), 10))
    }

    @Test("A stream that ends while it is next is not waited for")
    func forgotten() {
        let budget = still(limit: 1000)
        #expect(budget.take(stream(1), atLeast: 300, atMost: 300) == 300)
        #expect(budget.take(stream(2), atLeast: 900, atMost: 900) == 0)
        #expect(!budget.canTake(stream(3), 10))
        budget.forget(stream(1))
        #expect(!budget.canTake(stream(3), 10))
        budget.forget(stream(2))
        #expect(budget.canTake(stream(3), 10))
    }

    @Test("A need beyond the limit holds nobody up")
    func beyond() {
        let budget = still(limit: 1000)
        #expect(budget.take(stream(1), atLeast: 1001, atMost: 2000) == 0)
        #expect(budget.take(stream(2), atLeast: 1000, atMost: 1000) == 1000)
    }

    @Test("Delivered bytes wake exactly when somebody was refused; unused ones wake nobody")
    func wakes() {
        let budget = still(limit: 1000)
        #expect(budget.take(stream(1), atLeast: 1000, atMost: 1000) == 1000)
        #expect(!budget.giveBack(stream(1), 100))
        #expect(!budget.canTake(stream(1), 1))
        #expect(!budget.giveBack(stream(1), 100, unused: true))
        #expect(budget.giveBack(stream(1), 100))
        #expect(!budget.giveBack(stream(1), 100))
        #expect(budget.take(stream(1), atLeast: 500, atMost: 500) == 0)
        #expect(budget.giveBack(stream(1), 600))
        #expect(budget.held == 0 && budget.held(by: stream(1)) == 0)
    }

    // MARK: Topics

    private func topic(_ number: Int) -> DestinationID { DestinationID(number: number) }

    /// As `fill`, for a stream of a topic, with what a reader asks for.
    @discardableResult
    private func fill(
        _ budget: InFlightBudget, _ number: Int, of topic: Int, works: Bool, least: Int = 4096
    ) -> Int {
        var held = 0
        while true {
            let granted = budget.take(
                stream(number), of: self.topic(topic), works: works, atLeast: least,
                atMost: max(least, 256 * 1024))
            if granted == 0 { return held }
            held += granted
        }
    }

    private let whole = 32 << 20

    @Test(
        "One takes it all: any number of topics that are not there leave all others half of it",
        arguments: [(1, 1), (1, 1000), (60, 1), (60, 20), (500, 1), (1000, 4), (5_000, 1)])
    func stuckTopics(topics: Int, streams: Int) {
        let budget = still(limit: whole)
        // Again and again, as they do when others' deliveries call them.
        for _ in 0..<3 {
            for number in 0..<topics * streams {
                fill(budget, number + 1, of: number % topics + 1, works: false)
            }
        }
        #expect(budget.trying == budget.held && budget.held <= whole / 2)
        if topics <= 1000 {
            #expect(budget.held <= whole / 4 + topics * 4096)
            // Each has something to try with.
            for number in 1...topics { #expect(budget.held(by: topic(number)) >= 4096) }
        }
        #expect(budget.held(by: topic(1)) <= whole / 32)
        // A topic that comes through has a share to work with.
        #expect(fill(budget, 0, of: 0, works: true) >= whole / 2 / 8 - 4096)
    }

    @Test("One takes it all: lines of a megabyte for topics that are not there")
    func stuckLongLines() {
        let budget = still(limit: whole)
        for number in 1...100 { fill(budget, number, of: number, works: false, least: 1 << 20) }
        #expect(budget.held <= whole / 2)
        #expect(fill(budget, 0, of: 0, works: true) >= whole / 2 / 8 - 4096)
    }

    @Test("One takes it all: a thousand streams of one topic that works and stops leave half of it")
    func oneTopic() {
        let budget = still(limit: whole)
        for number in 1...1000 { fill(budget, number, of: 1, works: true) }
        #expect(budget.held <= whole / 2)
        // It gives nothing back any more, and gets nothing either.
        for number in 1...1000 { #expect(fill(budget, number, of: 1, works: false) == 0) }
        #expect(fill(budget, 1001, of: 2, works: true) >= whole / 2 / 8 - 4096)
    }

    @Test("Fifty topics that stop at once, each with a backlog, leave one the same share as theirs")
    func manyStop() {
        let budget = still(limit: whole)
        var grew = true
        while grew {
            let before = budget.held
            for number in 1...50 {
                _ = budget.take(
                    stream(number), of: topic(number), atLeast: 4096, atMost: 4096)
            }
            grew = budget.held > before
        }
        #expect(fill(budget, 51, of: 51, works: true) > 100_000)
    }

    @Test("A topic tries with a little, and with its first delivery has its share")
    func firstDelivery() {
        let budget = still(limit: whole)
        let trial = fill(budget, 1, of: 1, works: false)
        #expect((4096...InFlightBudget.mostTrial).contains(trial))
        #expect(!budget.canTake(stream(1), of: topic(1), works: false, 4096))
        #expect(budget.giveBack(stream(1), of: topic(1), 1000), "who was refused looks again")
        #expect(budget.trying == 0)
        #expect(fill(budget, 1, of: 1, works: true) > whole / 9)
        // It is gone: it gets no more, and what it holds is no reason to let others try with less.
        #expect(!budget.canTake(stream(1), of: topic(1), works: false, 1))
        #expect(budget.trying == 0)
        #expect(fill(budget, 2, of: 2, works: false) == InFlightBudget.mostTrial)
    }

    /// They worked, and are deleted one after another; none has any more delivered.
    @Test(
        "Ten topics that go one after another, each with a backlog, leave others some, and new ones a try"
    )
    func goneOneByOne() {
        let budget = still(limit: whole)
        for number in 1...10 {
            for stream in 0..<8 { fill(budget, number * 8 + stream, of: number, works: true) }
            #expect(!budget.canTake(stream(number * 8), of: topic(number), works: false, 4096))
        }
        #expect(fill(budget, 1, of: 11, works: false) >= 4096)
        #expect(fill(budget, 2, of: 12, works: true) > 100_000)
    }

    @Test("What comes back without having been with Kafka is no proof that a topic works")
    func noProof() {
        let budget = still(limit: whole)
        let trial = fill(budget, 1, of: 1, works: false)
        #expect(budget.take(stream(2), of: topic(1), works: false, atLeast: 1, atMost: 1) == 1)
        #expect(!budget.canTake(stream(1), of: topic(1), works: false, 4096))
        #expect(budget.giveBack(stream(2), of: topic(1), 1, isProof: false), "it is room, though")
        #expect(budget.trying == trial && budget.held == trial)
    }

    /// The first of them to try stands at a line that the topic refuses.
    @Test("Each stream of a topic may try, not only the first")
    func siblingsTry() {
        let budget = still(limit: whole)
        #expect(
            budget.take(stream(1), of: topic(1), works: false, atLeast: 1, atMost: 100_000)
                == InFlightBudget.mostTrial)
        for number in 2...100 {
            #expect(fill(budget, number, of: 1, works: false) == 4096)
        }
    }

    @Test("Deliveries of others wake nobody whose topic is not there")
    func wakesNoTrial() {
        let budget = still(limit: whole)
        fill(budget, 1, of: 1, works: false)
        #expect(budget.take(stream(2), of: topic(2), atLeast: 10, atMost: 10) == 10)
        #expect(!budget.giveBack(stream(2), of: topic(2), 10))
    }

    @Test("A stream that is next and whose topic goes is not waited for")
    func nextGoes() {
        let budget = still(limit: 1000)
        #expect(budget.take(stream(1), of: topic(1), atLeast: 300, atMost: 300) == 300)
        #expect(budget.take(stream(2), of: topic(2), atLeast: 900, atMost: 900) == 0)
        #expect(!budget.canTake(stream(3), of: topic(3), 10))
        #expect(!budget.canTake(stream(2), of: topic(2), works: false, 900))
        #expect(budget.canTake(stream(3), of: topic(3), 10))
    }

    /// Topics that come, work, stop and come back, at random.
    @Test("Whatever topics do, sums hold and nothing is left when all is back", arguments: 1...40)
    func randomTopics(seed: Int) {
        var random = SplitMix(seed: UInt64(seed))
        let budget = still(limit: Int.random(in: 1...200_000, using: &random))
        var works = (0..<5).map { _ in Bool.random(using: &random) }
        var held = [Int](repeating: 0, count: 20)
        for _ in 0..<5_000 {
            let number = Int.random(in: 0..<20, using: &random)
            let home = number % 5
            switch Int.random(in: 0..<6, using: &random) {
            case 0...2:
                let least = Int.random(in: 1...5_000, using: &random)
                held[number] += budget.take(
                    stream(number), of: topic(home), works: works[home], atLeast: least,
                    atMost: least * 2)
            case 3: works[home].toggle()
            default:
                let back = Int.random(in: 0...held[number], using: &random)
                let isUnused = Bool.random(using: &random)
                held[number] -= back
                _ = budget.giveBack(stream(number), of: topic(home), back, unused: isUnused)
            }
            #expect(budget.held == held.reduce(0, +) && budget.held <= budget.limit)
            #expect((0...budget.held).contains(budget.trying))
            let ofHome = stride(from: home, to: 20, by: 5).reduce(0) { $0 + held[$1] }
            #expect(budget.held(by: topic(home)) == ofHome)
        }
        for number in held.indices {
            _ = budget.giveBack(stream(number), of: topic(number % 5), held[number])
        }
        #expect(budget.held == 0 && budget.trying == 0)
    }

    @Test("Who was refused to try is told when the topic works for somebody else first")
    func wakesWhoTried() {
        let budget = still(limit: whole)
        fill(budget, 1, of: 1, works: false)
        #expect(!budget.canTake(stream(1), of: topic(1), works: false, 4096))
        // The verdict is there, what it delivers not yet.
        #expect(budget.take(stream(3), of: topic(1), atLeast: 1, atMost: 1) == 1)
        #expect(budget.giveBack(stream(1), of: topic(1), 1))
    }

    @Test("Who was refused to try, for others had it all, is told when they give back")
    func wakesWhoFoundNothing() {
        let budget = still(limit: 1000)
        #expect(budget.take(stream(1), of: topic(1), atLeast: 400, atMost: 400) == 400)
        #expect(budget.take(stream(2), of: topic(2), works: false, atLeast: 400, atMost: 400) == 0)
        #expect(budget.giveBack(stream(1), of: topic(1), 400))
    }

    /// 1. Many streams of a topic hold all that it may have; one needs more than comes back at a time.
    /// 2. What comes back is taken by those that hold nothing: the free bytes are enough for all, but
    ///    not what is left for the topic.
    @Test(
        "A long line is not kept waiting for ever by the many streams of its topic",
        arguments: [1500, 4096], [40_000, 110_000, 205_000, 400_000, 524_288, 600_000, 1 << 20])
    func longLineOfTopic(bite: Int, long: Int) {
        let budget = still(limit: 1 << 20)
        var held: [Int: Int] = [:]
        // The oldest first.
        var order = Array(1...400)
        /// Whoever holds nothing asks for some, and that is again what all of them may have.
        func backlog() {
            for number in order where held[number, default: 0] == 0 {
                held[number] = budget.take(
                    stream(number), of: topic(1), atLeast: bite, atMost: bite * 2)
            }
        }
        backlog()
        let whole = budget.held
        for _ in 0..<3 {
            var turns = 0
            while budget.take(stream(0), of: topic(1), atLeast: long, atMost: long) == 0 {
                turns += 1
                guard turns < 3000,
                    let oldest = order.firstIndex(where: { held[$0, default: 0] > 0 })
                else {
                    Issue.record("the long line waits for ever")
                    return
                }
                let number = order.remove(at: oldest)
                order.append(number)
                _ = budget.giveBack(stream(number), of: topic(1), held[number, default: 0])
                held[number] = 0
                backlog()
            }
            #expect(budget.held(by: stream(0)) == long && budget.held <= budget.limit)
            // Its turn is over.
            _ = budget.giveBack(stream(0), of: topic(1), long)
            backlog()
            #expect(budget.held >= whole - 2 * bite)
        }
    }

    /// A reader asks again for a stream that was refused when it is told to, and at no other time.
    @Test(
        "Whatever topics do, when all is delivered everybody was told to ask again",
        arguments: 1...40)
    func tellsEverybody(seed: Int) {
        var random = SplitMix(seed: UInt64(seed))
        let limit = Int.random(in: 1_000...200_000, using: &random)
        for _ in 0..<200 {
            let budget = still(limit: limit)
            var held = [Int](repeating: 0, count: 20)
            var waiting: Set<Int> = []
            for _ in 0..<Int.random(in: 5...60, using: &random) {
                let number = Int.random(in: 0..<20, using: &random)
                if Bool.random(using: &random) {
                    let least = Int.random(in: 1...limit / 2, using: &random)
                    // Seen a moment ago, by then untrue perhaps.
                    let works = Bool.random(using: &random)
                    guard !waiting.contains(number) else { continue }
                    let granted = budget.take(
                        stream(number), of: topic(number % 5), works: works, atLeast: least,
                        atMost: least * 2)
                    held[number] += granted
                    if granted == 0 { waiting.insert(number) }
                } else if held[number] > 0 {
                    let back = Int.random(in: 1...held[number], using: &random)
                    held[number] -= back
                    if budget.giveBack(stream(number), of: topic(number % 5), back) {
                        waiting = []
                    }
                }
            }
            let wasHeld = budget.held
            for number in held.indices.shuffled(using: &random) where held[number] > 0 {
                if budget.giveBack(stream(number), of: topic(number % 5), held[number]) {
                    waiting = []
                }
            }
            #expect(wasHeld == 0 || waiting.isEmpty)
        }
    }

    @Test("More back than taken stops the process")
    func tooMuch() async {
        await #expect(processExitsWith: .failure) {
            let budget = InFlightBudget(limit: 10)
            _ = budget.giveBack(StreamID(number: 1), 1)
        }
    }

    /// Random takers and deliveries against what the type promises, not against how it does it.
    @Test("Whatever streams do, the limit holds and nobody is forgotten", arguments: 1...40)
    func random(seed: Int) {
        var random = SplitMix(seed: UInt64(seed))
        let limit = Int.random(in: 1...20_000, using: &random)
        let budget = InFlightBudget(limit: limit)
        let streams = Int.random(in: 1...12, using: &random)
        var held = [Int](repeating: 0, count: streams)
        var wasRefused = false
        for _ in 0..<5_000 {
            let number = Int.random(in: 0..<streams, using: &random)
            let before = held.reduce(0, +)
            switch Int.random(in: 0..<7, using: &random) {
            case 0...2:
                let least = Int.random(in: 1...max(1, limit / 4), using: &random)
                let most = least + Int.random(in: 0...limit, using: &random)
                let granted = budget.take(stream(number), atLeast: least, atMost: most)
                #expect(granted == 0 || (least...most).contains(granted))
                held[number] += granted
                if granted == 0 { wasRefused = true }
                if granted > least || (granted > 0 && held[number] > granted) {
                    // No stream holds more than is left for the others.
                    #expect(held[number] <= limit - before - granted)
                }
            case 3:
                let least = Int.random(in: 1...limit, using: &random)
                if !budget.canTake(stream(number), least) { wasRefused = true }
            case 4, 5:
                let back = Int.random(in: 0...held[number], using: &random)
                held[number] -= back
                #expect(budget.giveBack(stream(number), back) == wasRefused)
                wasRefused = false
            default:
                let back = Int.random(in: 0...held[number], using: &random)
                held[number] -= back
                #expect(!budget.giveBack(stream(number), back, unused: true))
            }
            #expect(budget.held == held.reduce(0, +) && budget.held <= limit)
            #expect(budget.held(by: stream(number)) == held[number])
        }
        for number in held.indices { _ = budget.giveBack(stream(number), held[number]) }
        // With everything back, everybody is served: first whoever was next, then all others.
        var waiting = Set(held.indices)
        for _ in held.indices {
            for number in waiting.sorted() {
                let granted = budget.take(stream(number), atLeast: limit, atMost: limit)
                guard granted > 0 else { continue }
                waiting.remove(number)
                _ = budget.giveBack(stream(number), granted)
            }
        }
        #expect(waiting.isEmpty)
    }
}
