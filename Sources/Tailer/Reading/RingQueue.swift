import Platform

/// A first-in first-out queue whose memory is used again. What bounds it is said where it is used.
struct RingQueue<Element> {
    private var slots: [Element?] = []
    private var first = 0
    private(set) var count = 0

    var isEmpty: Bool { count == 0 }
    /// Elements that it has room for.
    var capacity: Int { slots.count }
    var peek: Element? { count == 0 ? nil : slots[first] }

    mutating func append(_ element: Element) {
        if count == slots.count {
            var larger: [Element?] = []
            larger.reserveCapacity(max(4, count * 2))
            for index in 0..<count { larger.append(slots[(first + index) % slots.count]) }
            for _ in count..<max(4, count * 2) { larger.append(nil) }
            slots = larger
            first = 0
        }
        slots[(first + count) % slots.count] = element
        count += 1
    }

    mutating func popFirst() -> Element? {
        guard count > 0 else { return nil }
        let element = slots[first]
        slots[first] = nil
        first = (first + 1) % slots.count
        count -= 1
        if slots.count > Self.mostSpare, count < slots.count / 8 { shrink() }
        return element
    }

    /// Room that is kept whatever is in it.
    private static var mostSpare: Int { 1_024 }

    /// What a rush took is given back.
    private mutating func shrink() {
        var smaller: [Element?] = []
        smaller.reserveCapacity(slots.count / 4)
        for index in 0..<count { smaller.append(slots[(first + index) % slots.count]) }
        while smaller.count < slots.count / 4 { smaller.append(nil) }
        slots = smaller
        first = 0
    }
}

/// Elements that fall due in the order in which they came, because all wait equally long.
struct IntervalQueue<Element> {
    private var waiting = RingQueue<(element: Element, due: MonotonicTime)>()

    /// When the first falls due.
    var nextDue: MonotonicTime? { waiting.peek?.due }

    /// `due` is not before that of the element added last.
    mutating func add(_ element: Element, due: MonotonicTime) { waiting.append((element, due)) }

    mutating func popDue(_ now: MonotonicTime) -> (element: Element, due: MonotonicTime)? {
        guard let next = waiting.peek, next.due <= now else { return nil }
        return waiting.popFirst()
    }
}
