/// The next things for the reader's loop, as they turn out while names are opened, directories
/// looked at and events read, be it in the middle of a stream's turn. Owned by the loop, which does
/// all of it between two turns; on its thread alone. Each stream and each directory is in it once
/// for each verb, so there are at most as many as the tree has.
final class Agenda {
    private var wakes = Once<LogStream>()
    /// Streams of `wakes` that have something new, and are looked at often again.
    private var fresh: Set<ObjectIdentifier> = []
    private var looks = Once<DirectoryNode>()
    private var retries = Once<DirectoryNode>()

    /// Objects in the order in which they came, each once.
    private struct Once<Element: AnyObject> {
        private var elements: [Element] = []
        private var known: Set<ObjectIdentifier> = []

        mutating func add(_ element: Element) {
            if known.insert(ObjectIdentifier(element)).inserted { elements.append(element) }
        }

        func contains(_ element: Element) -> Bool {
            !elements.isEmpty && known.contains(ObjectIdentifier(element))
        }

        mutating func take() -> [Element] {
            guard !elements.isEmpty else { return [] }
            defer {
                elements = []
                known.removeAll(keepingCapacity: true)
            }
            return elements
        }
    }

    /// The stream may have something to read: it has its turn. Unless `isFresh`, one that is quiet
    /// stays as seldom looked at as it was.
    func wake(_ stream: LogStream, isFresh: Bool = true) {
        wakes.add(stream)
        if isFresh { fresh.insert(ObjectIdentifier(stream)) }
    }

    /// Whether the stream is to have its turn.
    func wakes(_ stream: LogStream) -> Bool { wakes.contains(stream) }

    /// The directory is to be looked at again, because it is known to have changed.
    func look(at node: DirectoryNode) { looks.add(node) }

    /// The directory is to be looked at again soon, because something is awaited in it of which
    /// there will be no event.
    func retry(_ node: DirectoryNode) { retries.add(node) }

    /// Takes all of it off the agenda. What its closures put on it is for the next time.
    func takeAll(
        wake: (LogStream, _ isFresh: Bool) -> Void, look: (DirectoryNode) -> Void,
        retry: (DirectoryNode) -> Void
    ) {
        let streams = wakes.take()
        if !streams.isEmpty {
            let isFresh = fresh
            fresh.removeAll(keepingCapacity: true)
            for stream in streams { wake(stream, isFresh.contains(ObjectIdentifier(stream))) }
        }
        for node in looks.take() { look(node) }
        for node in retries.take() { retry(node) }
    }
}
