import Model
import Platform
import TestSupport
import Testing

@testable import Tailer

@Suite("Whoever has something waiting in a directory has a turn")
struct FairQueueTests {
    private let root = DirectoryNode(root: 0, path: [], text: "/logs", places: [])

    private func node(_ name: String, in parent: DirectoryNode) -> DirectoryNode {
        let node = DirectoryNode(
            root: 0, path: Array(name.utf8), text: "\(parent.text)/\(name)", places: [],
            parent: parent)
        parent.children[Array(name.utf8)] = node
        return node
    }

    private func stream(_ number: Int, in node: DirectoryNode) -> LogStream {
        let name = Array("\(number)".utf8)
        let stream = LogStream(
            id: StreamID(number: number), kind: .path, name: "\(node.text)/\(number)",
            liveName: name, input: 0, captures: [:])
        stream.node = node
        return stream
    }

    @Test("a level that was emptied serves the next directory, and no more are kept than 256")
    func spares() {
        let (first, second) = (node("first", in: root), node("second", in: root))
        var queue = FairQueue<LogStream>()
        // Two levels each: the directory's and the prefix's.
        for (number, directory) in [(1, first), (2, second), (3, first)] {
            let mine = stream(number, in: directory)
            queue.append(mine, of: directory)
            #expect(queue.spareCount == 0)
            #expect(queue.popFirst() === mine && queue.isEmpty)
            #expect(queue.spareCount == 2)
            #expect(directory.turns == nil && root.turns == nil)
        }
        // What had room for many is given back: all but the prefix's.
        for number in 0..<1_000 { queue.append(stream(number, in: first), of: first) }
        while queue.popFirst() != nil {}
        #expect(queue.spareCount == 1)
        let others = (0..<400).map { node("\($0)", in: second) }
        for (number, other) in others.enumerated() {
            queue.append(stream(number, in: other), of: other)
        }
        while queue.popFirst() != nil {}
        #expect(queue.spareCount == FairQueue<LogStream>.mostSpares)
    }

    @Test("a pod with 100,000 streams delays another one's stream by one of its own")
    func manyStreams() throws {
        let (evil, good) = (node("evil", in: root), node("good", in: root))
        var queue = FairQueue<LogStream>()
        for number in 0..<100_000 { queue.append(stream(number, in: evil), of: evil) }
        let mine = stream(100_000, in: good)
        queue.append(mine, of: good)
        let first = [queue.popFirst(), queue.popFirst()]
        #expect(first.contains { $0 === mine })
        #expect(queue.count == 99_999)
    }

    @Test("a pod with 1,000 directories has as many turns as one with one, and order holds in each")
    func manyDirectories() throws {
        let (evil, good) = (node("evil", in: root), node("good", in: root))
        var queue = FairQueue<LogStream>()
        for number in 0..<1_000 {
            let directory = node("\(number)", in: evil)
            queue.append(stream(number, in: directory), of: directory)
        }
        for number in 1_000..<1_100 { queue.append(stream(number, in: good), of: good) }
        var order: [Int] = []
        while let next = queue.popFirst() { order.append(next.id.number) }
        #expect(order.count == 1_100)
        #expect(order.prefix(200).count { $0 >= 1_000 } == 100)
        #expect(order.filter { $0 >= 1_000 } == Array(1_000..<1_100))
        #expect(order.filter { $0 < 1_000 } == Array(0..<1_000))
        #expect(queue.isEmpty)
    }

    @Test(
        "whatever is put in comes out once: random trees, and two queues over the same directories")
    func random() throws {
        var random = SplitMix(seed: 5)
        var nodes: [DirectoryNode?] = [nil, root]
        for number in 0..<200 {
            let parent = nodes.randomElement(using: &random) ?? root
            nodes.append(node("\(number)", in: parent ?? root))
        }
        // Deeper than directories have shares of their own.
        var deep = root
        for number in 0..<50 {
            deep = node("deep\(number)", in: deep)
            nodes.append(deep)
        }
        var queues = [FairQueue<LogStream>(), FairQueue<LogStream>(number: 1)]
        var waiting: [Set<Int>] = [[], []]
        for number in 0..<20_000 {
            let which = number % 2
            if Bool.random(using: &random), let next = queues[which].popFirst() {
                let removed = waiting[which].remove(next.id.number)
                #expect(removed != nil)
            } else {
                let place = nodes.randomElement(using: &random) ?? nil
                queues[which].append(stream(number, in: place ?? root), of: place)
                waiting[which].insert(number)
            }
            #expect(queues[which].count == waiting[which].count)
        }
        for which in 0..<2 {
            while let next = queues[which].popFirst() {
                let removed = waiting[which].remove(next.id.number)
                #expect(removed != nil)
            }
            #expect(waiting[which].isEmpty)
        }
    }

    @Test("directories fall due in the order of their times, however often those change")
    func times() throws {
        var random = SplitMix(seed: 16)
        var times = DirectoryTimes()
        let nodes = (0..<300).map { node("\($0)", in: root) }
        for _ in 0..<5_000 {
            let node = nodes[Int.random(in: 0..<300, using: &random)]
            switch Int.random(in: 0..<4, using: &random) {
            case 0: times.remove(node)
            case 1:
                node.soonDue = MonotonicTime(
                    nanoseconds: .random(in: 0..<1_000, using: &random))
                times.place(node)
            default:
                node.clockDue = MonotonicTime(
                    nanoseconds: .random(in: 0..<1_000, using: &random))
                times.place(node)
            }
        }
        let placed = nodes.filter { $0.timesIndex != nil }.map(\.due).sorted()
        #expect(times.next == placed.first)
        var popped: [MonotonicTime] = []
        while let node = times.popDue(1_000) { popped.append(node.due) }
        #expect(popped == placed)
        #expect(nodes.allSatisfy { $0.timesIndex == nil })
    }
}
