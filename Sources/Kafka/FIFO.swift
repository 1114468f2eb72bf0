/// A queue in one array: appended at the end, taken from the front, any place readable. What was
/// taken is let go at once; its slot is reused when half of the array is such slots.
struct FIFO<Element> {
    /// Taken slots are nil. Invariant: exactly `slots[..<head]` are.
    private var slots: [Element?] = []
    private var head = 0

    var count: Int { slots.count - head }
    var isEmpty: Bool { head == slots.count }

    mutating func append(_ element: Element) { slots.append(element) }

    /// The `index`-th from the front.
    subscript(index: Int) -> Element {
        get {
            guard let element = slots[head + index] else {
                preconditionFailure("a queue's slot \(index) of \(count) was taken before")
            }
            return element
        }
        set { slots[head + index] = newValue }
    }

    mutating func popFirst() -> Element? {
        guard head < slots.count else { return nil }
        let element = slots[head]
        slots[head] = nil
        head += 1
        if head == slots.count {
            slots.removeAll(keepingCapacity: slots.capacity <= 64)
            head = 0
        } else if head >= 32 && head * 2 >= slots.count {
            slots.removeFirst(head)
            head = 0
        }
        return element
    }

    mutating func removeAll() {
        slots = []
        head = 0
    }
}
