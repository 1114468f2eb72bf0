import Platform

/// Directories in the order of their next scan, each at most once: a binary heap in which every
/// directory knows its place. Lives on the reader thread.
struct DirectoryTimes {
    private var heap: [DirectoryNode] = []

    /// When the first falls due.
    var next: MonotonicTime? { heap.first?.due }

    /// The first that is due, which leaves.
    mutating func popDue(_ now: MonotonicTime) -> DirectoryNode? {
        guard let first = heap.first, first.due <= now else { return nil }
        remove(first)
        return first
    }

    /// Gives a directory its place by its `due`.
    mutating func place(_ node: DirectoryNode) {
        if let index = node.timesIndex {
            settle(index)
        } else {
            node.timesIndex = heap.count
            heap.append(node)
            settle(heap.count - 1)
        }
    }

    mutating func remove(_ node: DirectoryNode) {
        guard let index = node.timesIndex else { return }
        let last = heap.count - 1
        if index != last { swap(index, last) }
        heap.removeLast()
        node.timesIndex = nil
        if index != last { settle(index) }
    }

    private mutating func settle(_ start: Int) {
        var index = start
        while index > 0, heap[index].due < heap[(index - 1) / 2].due {
            swap(index, (index - 1) / 2)
            index = (index - 1) / 2
        }
        while true {
            var least = index
            for child in [2 * index + 1, 2 * index + 2]
            where child < heap.count && heap[child].due < heap[least].due {
                least = child
            }
            if least == index { return }
            swap(index, least)
            index = least
        }
    }

    private mutating func swap(_ a: Int, _ b: Int) {
        heap.swapAt(a, b)
        heap[a].timesIndex = a
        heap[b].timesIndex = b
    }
}
